"""From the frame behind `campaigns.csv` to the frames behind the other tables of an evaluation.

Here: `summary.csv`, `paired.csv` and `training_seeds.csv`, and reading any of them back. What ranks
methods over settings is in `ranking.py`. Every resampling is seeded: the same table gives the same
digits.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ombo_gym.evaluation.clusters import codes_of
from ombo_gym.evaluation.default_columns import with_defaults
from ombo_gym.evaluation.progress import tracked
from ombo_gym.evaluation.resampling import bootstrap_iqm, bootstrap_runs
from ombo_gym.evaluation.statistics import iqm, mean_interval, wins_interval

try:
    import pandas as pd
except ImportError as error:
    raise ImportError(
        'ombo_gym.evaluation needs pandas: pip install "ombo-gym[evaluation]"'
    ) from error

PROBLEM = ["env", "env_kwargs"]  # what campaigns are drawn from: settings of one share them
SETTING = [*PROBLEM, "horizon", "batch_size", "utility"]  # what two policies share to compare
PLAYER = ["policy", "told_horizon"]
CAMPAIGN = ["seed", "campaign"]  # what makes two rows of one problem the same campaign
SUMMARY_COLUMNS = [
    *("env", "env_kwargs", "policy", "method", "told_horizon", "horizon", "batch_size", "utility"),
    *("campaigns", "mean", "ci_low", "ci_high", "median", "iqm", "iqm_low", "iqm_high"),
    *("distinct", "seen"),
]
PAIRED_COLUMNS = [
    *SETTING,
    *("policy_a", "told_a", "policy_b", "told_b", "campaigns", "difference", "ci_low", "ci_high"),
    *("wins", "wins_low", "wins_high"),
]
TRAINING_SEEDS_COLUMNS = [
    *(*SETTING, "method", "told_horizon", "runs", "campaigns"),
    *("mean", "ci_low", "ci_high", "lowest", "highest"),
]
TEXT_COLUMNS = [
    *("env", "env_kwargs", "policy", "method", "told_horizon", "utility", "start"),
    *("policy_a", "told_a", "policy_b", "told_b", "method_a", "method_b", "error", "traceback"),
]
COUNT_COLUMNS = ["instance"]  # whole numbers, empty where there is none
HORIZONS_SHOWN = ("true", "one")

Values = npt.NDArray[np.float64]


class Player(NamedTuple):
    """Who plays.

    Attributes:
        policy: The policy.
        horizon_shown: What it is shown, as in the column `told_horizon`.
        method: The method that it is a run of.
    """

    policy: str
    horizon_shown: str
    method: str


class Block(NamedTuple):
    """All campaigns of one setting.

    Attributes:
        setting: The values of the columns `SETTING`.
        players: In the order of their first row.
        campaigns: A number per campaign, shape (campaigns,); equal numbers in two blocks of one
            problem are the same campaign.
        clusters: Of each campaign the instance that it is about or, where the problem is no
            collection of them, a label of its own, shape (campaigns,).
        values: What the players' campaigns are worth, shape (players, campaigns).
        played: Which of them there are, same shape; the other values are nan.
    """

    setting: tuple[Any, ...]
    players: list[Player]
    campaigns: npt.NDArray[np.int64]
    clusters: npt.NDArray[np.int64]
    values: Values
    played: npt.NDArray[np.bool_]

    def pair(self, a: int, b: int) -> tuple[Values, Values, npt.NDArray[np.int64]]:
        """The values of players a and b on the campaigns that both have played; their clusters."""
        common = self.played[a] & self.played[b]  # (campaigns,)
        return self.values[a, common], self.values[b, common], self.clusters[common]


def blocks(campaigns: pd.DataFrame) -> list[Block]:
    """The campaigns as one array per setting, in the order of their first row.

    Args:
        campaigns: One row per campaign, with the columns of `campaigns.csv`; without `env_kwargs`
            there are none ("{}"), without `method` every policy is a method of its own.

    Raises:
        ValueError: A column is missing, there is no row, or a campaign appears twice.
    """
    frame = with_defaults(campaigns)
    _check_campaigns(frame)
    setting, settings = row_codes(frame, SETTING)
    player, players = row_codes(frame, PLAYER)
    campaign, _ = row_codes(frame, CAMPAIGN, sort=True)  # resampled alike in any order of rows
    _check_unique(frame, setting, player, campaign)
    _, first = np.unique(player, return_index=True)
    all_players = [
        Player(policy, horizon_shown, method)
        for (policy, horizon_shown), method in zip(
            players, frame["method"].to_numpy()[first], strict=True
        )
    ]
    value = frame["value"].to_numpy(dtype=np.float64)
    cluster = _clusters(frame, campaign)
    order = np.argsort(setting, kind="stable")
    ends = np.cumsum(np.bincount(setting))
    found = []
    for key, rows in zip(settings, np.split(order, ends[:-1]), strict=True):
        row, present = pd.factorize(player[rows])
        column, numbers = pd.factorize(campaign[rows], sort=True)
        values = np.full((len(present), len(numbers)), np.nan)
        played = np.zeros(values.shape, dtype=bool)
        clusters = np.zeros(len(numbers), dtype=np.int64)
        values[row, column] = value[rows]
        played[row, column] = True
        clusters[column] = cluster[rows]
        players_here = [all_players[i] for i in present]
        found.append(Block(key, players_here, numbers, clusters, values, played))
    return found


def _clusters(frame: pd.DataFrame, campaign: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A label per row: the instance or, without one, a negative number of the campaign's own."""
    alone = -1 - campaign
    if "instance" not in frame.columns:
        return alone
    instance = frame["instance"].astype("Int64")
    return np.where(instance.isna(), alone, instance.fillna(0).to_numpy(np.int64))


def summarise(campaigns: pd.DataFrame) -> pd.DataFrame:
    """One row per setting, policy and horizon shown: the frame of `summary.csv`.

    Args:
        campaigns: One row per campaign, with the columns of `campaigns.csv`.

    Returns:
        `campaigns` (how many), `mean` with its 95% Student t interval `ci_low`, `ci_high` (where
        the problem is a collection, campaigns on one `instance` count together: see `clusters`),
        `median`, `iqm` with its 95% bootstrap interval `iqm_low`, `iqm_high`, `distinct` (the
        mean number of distinct designs per batch), and `seen` (whether the policy was trained, or
        chosen, on an instance of some of these campaigns). Grouped by environment, utility, batch
        size and horizon; names stay in the order of their first row.

    Raises:
        ValueError: A column is missing, there is no row, or a campaign appears twice.
    """
    _check_columns(campaigns, ["distinct"])
    keys, columns, clusters = [], [], []
    for block in blocks(campaigns):
        for player, values, played in zip(block.players, block.values, block.played, strict=True):
            keys.append((*block.setting, player.policy, player.horizon_shown, player.method))
            columns.append(values[played])
            clusters.append(block.clusters[played])
    frame = pd.DataFrame(keys, columns=[*SETTING, *PLAYER, "method"])
    frame["campaigns"] = [column.size for column in columns]
    frame[["mean", "ci_low", "ci_high"]] = [
        mean_interval(column, clusters=labels)
        for column, labels in zip(columns, clusters, strict=True)
    ]
    frame["median"] = [float(np.median(column)) for column in columns]
    frame["iqm"] = [iqm(column) for column in columns]
    frame[["iqm_low", "iqm_high"]] = _iqm_ends(columns, clusters)
    groups = with_defaults(campaigns).groupby([*SETTING, *PLAYER], sort=False)
    frame = frame.join(groups["distinct"].mean().astype(float), on=[*SETTING, *PLAYER])
    frame = frame.join(groups["seen"].any(), on=[*SETTING, *PLAYER])
    return ordered(frame[SUMMARY_COLUMNS])


def _iqm_ends(columns: Sequence[Values], clusters: Sequence[npt.NDArray[np.int64]]) -> Values:
    """Ends of the interval of each column's interquartile mean, shape (columns, 2).

    Columns of one length, and of the same clusters, share their resamples.
    """
    ends = np.empty((len(columns), 2))
    alike: dict[bytes, list[int]] = {}
    for i, labels in enumerate(clusters):
        alike.setdefault(codes_of(labels).tobytes(), []).append(i)
    for same in tracked(alike.values(), "summary", total=len(alike)):
        ends[same] = bootstrap_iqm(np.stack([columns[i] for i in same]), clusters=clusters[same[0]])
    return ends


def paired(campaigns: pd.DataFrame) -> pd.DataFrame:
    """Differences between policies on the same campaigns: the frame of `paired.csv`.

    Within one setting it holds

    - every unordered pair of policies, both told the true horizon (where nobody was, both told
      every round that it is the last);
    - every policy told the true horizon against every policy (itself included) told every round
      that it is the last. Against itself that is the *value of planning*; against the best of the
      others, what is gained over the best one-round policy applied N times.

    Rows are the same campaign when `seed` and `campaign` agree; campaigns that only one of the two
    has played are left out, and pairs without a common campaign too.

    Args:
        campaigns: One row per campaign, with the columns of `campaigns.csv`.

    Returns:
        `difference`, the mean of value_a - value_b over the shared campaigns (`campaigns` counts
        them), with its 95% Student t interval `ci_low`, `ci_high` (by instance, as in `summarise`);
        `wins`, the share of them on
        which a is better (ties count half), with its 95% interval `wins_low`, `wins_high`.

    Raises:
        ValueError: A column is missing, there is no row, or a campaign appears twice.
    """
    rows = []
    for block in tracked(blocks(campaigns), "paired differences"):
        for a, b in _pairs(block.players):
            left, right, clusters = block.pair(a, b)
            if left.size:
                with np.errstate(invalid="ignore"):
                    difference = left - right
                rows.append(
                    (
                        *(*block.setting, *block.players[a][:2], *block.players[b][:2], left.size),
                        *mean_interval(difference, clusters=clusters),
                        *wins_interval(left, right, clusters=clusters),
                    )
                )
    return ordered(pd.DataFrame(rows, columns=PAIRED_COLUMNS))


def _pairs(players: Sequence[Player]) -> Iterator[tuple[int, int]]:
    true = [i for i, player in enumerate(players) if player.horizon_shown == "true"]
    one = [i for i, player in enumerate(players) if player.horizon_shown == "one"]
    return itertools.chain(itertools.combinations(true or one, 2), itertools.product(true, one))


def training_seeds(campaigns: pd.DataFrame) -> pd.DataFrame:
    """How far the luck of training goes: the frame of `training_seeds.csv`.

    Args:
        campaigns: One row per campaign, with the columns of `campaigns.csv`.

    Returns:
        A row per setting, horizon shown and method of which several runs were played (no row
        without one): `runs` and `campaigns` (those that all of them have played), `mean` over both
        with `ci_low`, `ci_high` (see `bootstrap_runs`: with few runs it is too narrow), and the
        means of the worst and the best run, `lowest` and `highest`.

    Raises:
        ValueError: A column is missing, there is no row, or a campaign appears twice.
    """
    rows = []
    for block in tracked(blocks(campaigns), "training seeds"):
        for (method, horizon_shown), runs in methods_of(block).items():
            common = block.played[runs].all(axis=0)
            if len(runs) > 1 and common.any():
                values, clusters = block.values[runs][:, common], block.clusters[common]
                means = values.mean(axis=1)
                rows.append(
                    (
                        *(*block.setting, method, horizon_shown, *values.shape),
                        *bootstrap_runs(values, clusters=clusters),
                        *(means.min(), means.max()),
                    )
                )
    return ordered(pd.DataFrame(rows, columns=TRAINING_SEEDS_COLUMNS))


def methods_of(block: Block) -> dict[tuple[str, str], list[int]]:
    """The players of each (method, horizon shown) of a block, in the order of their first row."""
    found: dict[tuple[str, str], list[int]] = {}
    for i, player in enumerate(block.players):
        found.setdefault((player.method, player.horizon_shown), []).append(i)
    return found


def read_table(path: str | Path) -> pd.DataFrame:
    """Reads a table of an evaluation's folder, with names as the text they are.

    Plain `pandas.read_csv` makes truth values of a column that holds only "true", a number of the
    policy "007" and nothing of the policy "NA".

    Args:
        path: `campaigns.csv`, `summary.csv`, `paired.csv`, ...; or the same as `.parquet`.

    Returns:
        The frame as it was written.
    """
    if Path(path).suffix == ".parquet":
        return pd.read_parquet(path)
    header = pd.read_csv(path, nrows=0).columns
    types = dict.fromkeys(TEXT_COLUMNS, "str") | dict.fromkeys(COUNT_COLUMNS, "Int64")
    return pd.read_csv(
        path,
        dtype=types,
        keep_default_na=False,
        na_values={name: ["", "nan", "NaN"] for name in header if name not in TEXT_COLUMNS},
    )


def check_horizon_shown(frame: pd.DataFrame) -> None:
    """Raises a ValueError where `told_horizon` holds anything but the text "true" or "one"."""
    others = [
        horizon_shown
        for horizon_shown in frame["told_horizon"].unique()
        if horizon_shown not in HORIZONS_SHOWN
    ]
    if others:
        raise ValueError(
            f'told_horizon must be the text "true" or "one", got {others}; files are read by '
            "ombo_gym.evaluation.tables.read_table, since pandas.read_csv makes truth values "
            'of "true"'
        )


def as_shown(campaigns: pd.DataFrame) -> pd.DataFrame:
    """Each method's campaigns as told the true horizon.

    Where it never was, as told every round that it is the last. Who else plays changes nothing.
    """
    true = campaigns["told_horizon"] == "true"
    return campaigns[true | ~true.groupby(campaigns["method"]).transform("any")]


def ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """Grouped for reading; names keep the order in which they were asked for."""

    def order(column: pd.Series) -> Any:
        return column if column.name in ("batch_size", "horizon") else pd.factorize(column)[0]

    keys = [*PROBLEM, "utility", "batch_size", "horizon"]
    return frame.sort_values(keys, key=order, kind="stable", ignore_index=True)


def row_codes(
    frame: pd.DataFrame, columns: list[str], *, sort: bool = False
) -> tuple[npt.NDArray[np.int64], list[tuple[Any, ...]]]:
    """A number per row, counted up by first appearance (or size), and what each stands for."""
    codes = np.zeros(len(frame), dtype=np.int64)
    for column in columns:
        code, names = pd.factorize(frame[column], sort=sort)
        codes = pd.factorize(codes * (len(names) + 1) + code, sort=sort)[0].astype(np.int64)
    first = np.unique(codes, return_index=True)[1]
    return codes, list(frame[columns].iloc[first].itertuples(index=False, name=None))


def _check_columns(campaigns: pd.DataFrame, needed: Sequence[str]) -> None:
    missing = [column for column in needed if column not in campaigns.columns]
    if missing:
        raise ValueError(f"campaigns lacks the columns {missing}; it has {list(campaigns)}")


def _check_campaigns(campaigns: pd.DataFrame) -> None:
    _check_columns(campaigns, [*SETTING, *PLAYER, *CAMPAIGN, "value"])
    if campaigns.empty:
        raise ValueError("campaigns has no rows: nothing was played")
    check_horizon_shown(campaigns)


def _check_unique(frame: pd.DataFrame, *codes: npt.NDArray[np.int64]) -> None:
    key = np.zeros(len(frame), dtype=np.int64)
    for code in codes:
        key = key * (code.max() + 1) + code
    repeated = pd.Series(key).duplicated().to_numpy()
    if repeated.any():
        columns = [*SETTING, *PLAYER, *CAMPAIGN]
        raise ValueError(
            "a campaign must have one row per policy and setting; "
            f"this one appears twice: {frame.loc[repeated, columns].iloc[0].to_dict()}"
        )
