"""Runs many cells: in parallel, with progress, and so that a run that was stopped can go on."""

from __future__ import annotations

import itertools
import json
import sys
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ombo_gym.evaluation.cells import COLUMNS, WEIGHT, Cell, Played, make_env, make_policy, play
from ombo_gym.evaluation.identity import Identities
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.methods import methods
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.progress import tracked
from ombo_gym.evaluation.replays import scenes
from ombo_gym.evaluation.store import Store

try:
    from tqdm import tqdm
except ImportError as error:
    raise ImportError('ombo_gym.evaluation needs tqdm: pip install "ombo-gym[evaluation]"') from (
        error
    )

SEQUENTIAL = Launch()
_SETTING = ("env", "env_kwargs", "policy", "told_horizon", "horizon", "batch_size", "utility")
_FIELDS = {"told_horizon": "horizon_shown"}  # of a cell, where columns have other names
CAMPAIGN_COLUMNS = [
    *("env", "env_kwargs", "policy", "method", "told_horizon", "horizon", "batch_size", "utility"),
    *("campaign", "seed", "instance", *COLUMNS),
]
EXPLORATION_COLUMNS = [*_SETTING, "round", "weight_first", "weight_last", "weight_mean"]
ERROR_COLUMNS = [*_SETTING, "first", "campaigns", "error", "traceback"]


class Results(NamedTuple):
    """What came of plans.

    Attributes:
        campaigns: A row per campaign, in the order of the plans: the frame of `campaigns.csv`.
        exploration: Mean exploration weights by round.
        errors: A row per cell that failed.
        replays: Scenes and plays, as `replays.json` holds them.
    """

    campaigns: pd.DataFrame
    exploration: pd.DataFrame
    errors: pd.DataFrame
    replays: dict[str, Any]


class Failed(NamedTuple):
    """A cell that raised an error."""

    error: str
    traceback: str


class _Part(NamedTuple):
    """A cell's place in the tables."""

    cell: Cell  # with the horizon shown that the tables name
    key: str  # of the cell that was played for it
    derived: bool  # from the cell of the other horizon shown, which stands in the tables too


def run(
    plans: EvaluationPlan | Sequence[EvaluationPlan],
    *,
    folder: Path | None = None,
    launch: Launch = SEQUENTIAL,
    resume: bool = False,
) -> Results:
    """Plays plans.

    A policy that does not listen to what it is told is played once; what plans have in common too.
    A cell that fails leaves its campaigns out, is recorded, and stops nothing.

    Args:
        plans: What to play.
        folder: Where finished cells are kept, one file each; None keeps nothing.
        launch: Where to play.
        resume: Take finished cells from the folder instead of playing them again.

    Raises:
        ValueError: A policy that does not suit the environment, or an argument that it lacks;
            before anything is played.
    """
    plans = [plans] if isinstance(plans, EvaluationPlan) else list(plans)
    parts, cells = _layout(plans)
    store = None if folder is None else Store(folder)
    played = _play_all(cells, store, launch, resume)
    done = [part for part in parts if isinstance(played[part.key], Played)]
    failed = {cell.key: cell for cell in cells if isinstance(played[cell.key], Failed)}
    return Results(
        _campaigns(done, played),
        _exploration(done, played),
        _errors(list(failed.values()), played),
        {"scenes": _scenes(plans), "plays": _plays(done, played)},
    )


def _layout(plans: Sequence[EvaluationPlan]) -> tuple[list[_Part], list[Cell]]:
    """Where cells stand in the tables, and which of them have to be played."""
    parts: dict[tuple[Any, ...], _Part] = {}
    wanted: dict[str, Cell] = {}
    probe = _Probe()
    for plan in tracked(plans, "checking plans"):
        cells = [probe.identified(cell) for cell in plan.cells()]
        for shown in plan.told:
            for cell in cells:
                listens = shown == "one" and cell.horizon > 1 and probe.listens(cell)
                source = cell.showing(shown) if listens else cell
                derived = not listens and shown != plan.told[0]
                part = _Part(cell.showing(shown), source.key, derived)
                if parts.setdefault(_place(part.cell), part).key != part.key:
                    raise ValueError(_differ(cell))
                wanted[source.key] = source
    _check_blocks(parts.values())
    return list(parts.values()), list(wanted.values())


def _place(cell: Cell) -> tuple[Any, ...]:
    return (*_setting(cell), cell.first)


def _setting(cell: Cell) -> tuple[Any, ...]:
    """The cell's values of the columns `_SETTING`."""
    return tuple(getattr(cell, _FIELDS.get(name, name)) for name in _SETTING)


def _check_blocks(parts: Iterable[_Part]) -> None:
    """Raises a ValueError where two plans cut the same campaigns up differently."""
    blocks: dict[tuple[Any, ...], list[Cell]] = {}
    for part in parts:
        blocks.setdefault(_place(part.cell)[:-1], []).append(part.cell)
    for cells in blocks.values():
        cells.sort(key=lambda cell: cell.first)
        ends = itertools.accumulate((cell.campaigns for cell in cells), initial=0)
        if any(cell.first != end for cell, end in zip(cells, ends, strict=False)):
            raise ValueError(_differ(cells[0]))


def _differ(cell: Cell) -> str:
    return (
        f"plans: expected the same seed, campaigns and block wherever {cell.policy} plays "
        f"{cell.env} at N = {cell.horizon}, q = {cell.batch_size}, {cell.utility}; two plans differ"
    )


class _Probe:
    """Builds each policy and each kind of campaign once, so that mistakes show at once."""

    def __init__(self) -> None:
        self._listens: dict[tuple[str, str, str], bool] = {}
        self._sources: dict[tuple[Any, ...], Sequence[Path]] = {}
        self._identities = Identities()

    def identified(self, cell: Cell) -> Cell:
        """The cell with the fingerprint of what its names stand for."""
        kind = cell.env, cell.env_kwargs, cell.horizon, cell.batch_size, cell.utility
        player = cell.env, cell.env_kwargs, cell.policy
        if kind not in self._sources or player not in self._listens:
            env = make_env(replace(cell, campaigns=1))
            policy = make_policy(cell, env)
            self._listens[player] = bool(getattr(policy, "horizon_aware", True))
            self._sources[kind] = env.unwrapped.problem.sources
            env.close()
        fingerprint = self._identities.fingerprint(
            cell.policy,
            cell.env,
            self._sources[kind],
            env_kwargs=cell.env_kwargs,
            maker=cell.maker,
        )
        return replace(cell, fingerprint=fingerprint)

    def listens(self, cell: Cell) -> bool:
        """Whether the policy reads the rounds left."""
        return self._listens[cell.env, cell.env_kwargs, cell.policy]


def _play_all(
    cells: Sequence[Cell], store: Store | None, launch: Launch, resume: bool
) -> dict[str, Played | Failed]:
    played: dict[str, Played | Failed] = {}
    if store is not None:
        store.sweep()
        if resume:
            kept = ((cell.key, store.read(cell)) for cell in cells)
            played = {key: result for key, result in kept if result is not None}
    missing = [cell for cell in cells if cell.key not in played]
    outcomes: Iterable[tuple[Cell, Played | Failed]] = launch.map(_attempt, missing)
    with tqdm(total=len(missing), unit="cell", desc="playing", disable=None) as bar:
        for cell, outcome in outcomes:
            played[cell.key] = outcome
            if store is not None and isinstance(outcome, Played):
                store.write(cell, outcome)
            if isinstance(outcome, Failed):
                words = f"failed: {cell.policy} on {cell.env}, N = {cell.horizon}: {outcome.error}"
                bar.write(words, file=sys.stderr)
            bar.update()
    return played


def _attempt(cell: Cell) -> tuple[Cell, Played | Failed]:
    try:
        return cell, play(cell)
    except Exception as error:
        message = " ".join(str(error).split())
        return cell, Failed(f"{type(error).__name__}: {message}", traceback.format_exc())


# --- tables ---------------------------------------------------------------------------------------


def _campaigns(parts: Sequence[_Part], played: dict[str, Any]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame(columns=CAMPAIGN_COLUMNS)
    cells = [part.cell for part in parts]
    sizes = [cell.campaigns for cell in cells]
    method = methods(dict.fromkeys(cell.policy for cell in cells))
    columns: dict[str, Any] = {
        name: np.repeat(np.array(values), sizes)
        for name, values in zip(_SETTING, zip(*map(_setting, cells), strict=True), strict=True)
    }
    columns["method"] = np.repeat(np.array([method[cell.policy] for cell in cells]), sizes)
    numbers = [np.arange(cell.first, cell.first + cell.campaigns) for cell in cells]
    columns["campaign"] = np.concatenate(numbers)
    columns["seed"] = columns["campaign"] + np.repeat([cell.seed for cell in cells], sizes)
    for name in COLUMNS:
        columns[name] = np.concatenate([played[part.key].columns[name] for part in parts])
    instances = np.concatenate([played[part.key].instances for part in parts])
    # Whole numbers; nothing where the problem is no collection.
    columns["instance"] = pd.array(instances, dtype="Int64")
    columns["instance"][instances < 0] = pd.NA
    return pd.DataFrame(columns)[CAMPAIGN_COLUMNS]


def _exploration(parts: Sequence[_Part], played: dict[str, Any]) -> pd.DataFrame:
    """Mean exploration weights by round, from sums over the campaigns of each cell."""
    rows = [
        (*_setting(part.cell), number, part.cell.campaigns, *sums)
        for part in parts
        if not part.derived
        for number, sums in enumerate(played[part.key].weights, start=1)
    ]
    weights = EXPLORATION_COLUMNS[-3:]
    sums = pd.DataFrame(rows, columns=[*EXPLORATION_COLUMNS[:-3], "campaigns", *weights])
    if sums.empty:
        return sums[EXPLORATION_COLUMNS]
    total = sums.groupby(EXPLORATION_COLUMNS[:-3], sort=False, as_index=False).sum()
    total[weights] = WEIGHT * total[weights].div(total["campaigns"], axis=0)
    return total[EXPLORATION_COLUMNS]


def _errors(cells: Sequence[Cell], played: dict[str, Any]) -> pd.DataFrame:
    rows = [(*_setting(cell), cell.first, cell.campaigns, *played[cell.key]) for cell in cells]
    return pd.DataFrame(rows, columns=ERROR_COLUMNS)


def _plays(parts: Sequence[_Part], played: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            **dict(zip(_SETTING, _setting(part.cell), strict=True)),
            "campaign": number,
            "value": float(played[part.key].columns["value"][number]),
            **replay,
        }
        for part in parts
        if not part.derived
        for number, replay in enumerate(played[part.key].replays)
    ]


def _scenes(plans: Sequence[EvaluationPlan]) -> list[dict[str, Any]]:
    """What stands behind the replays of each problem."""
    first = {(plan.env, plan.arguments): plan for plan in reversed(plans)}
    return [
        {"env": env, "env_kwargs": arguments, **scene}
        for (env, arguments), plan in tracked(first.items(), "scenes", total=len(first))
        for scene in scenes(env, json.loads(arguments), plan.seed, plan.campaigns)
    ]
