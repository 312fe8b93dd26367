"""Methods over many settings, as arrays of numbers of campaigns that can be resampled.

Campaigns are resampled within each problem: one resample serves all its settings, since campaign i
draws the same instance whatever the horizon, the batch size and the utility, and it serves all
methods, so that pairs stay together. Where a problem is a collection, whole instances are
resampled, with all their campaigns (`clusters`). Runs of training are resampled within each method
that has several.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ombo_gym.evaluation.clusters import Codes, codes_of, count_of
from ombo_gym.evaluation.default_columns import with_defaults
from ombo_gym.evaluation.resampling import (
    Values,
    chunks,
    draw_clusters,
    draw_counts,
    expanded_tail,
)
from ombo_gym.evaluation.tables import PROBLEM, Block, as_shown, blocks, methods_of


class MethodScores(NamedTuple):
    """One method's numbers in one setting.

    Attributes:
        values: On the campaigns that all its runs have played there, shape (runs, n).
        rows: Which of `NormalizedScores.campaigns` each is, shape (n,).
        runs: The number of each run within the method, shape (runs,).
    """

    values: Values
    rows: npt.NDArray[np.int64]
    runs: npt.NDArray[np.int64]


@dataclass(frozen=True)
class NormalizedScores:
    """All settings of one kind of start and one utility, played by several methods.

    Attributes:
        start: Kind of the start's origin.
        utility: Its name.
        problems: The number of the problem of each setting, shape (settings,).
        sizes: How many campaigns each problem has, shape (problems,); resamples stack them.
        clusters: Of each problem, which of its campaigns count together, shapes (campaigns,).
        runs: How many runs each method has, in the order of their first row.
        scores: Of each method, by the number of the setting.
        complete: The methods whose runs have all played every setting.
    """

    start: str
    utility: str
    problems: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    clusters: list[Codes]
    runs: dict[str, int]
    scores: dict[str, dict[int, MethodScores]]
    complete: list[str]

    @property
    def settings(self) -> int:
        """How many settings there are."""
        return len(self.problems)

    @property
    def campaigns(self) -> int:
        """How many campaigns there are, over all problems."""
        return int(self.sizes.sum())

    @property
    def cluster_counts(self) -> npt.NDArray[np.int64]:
        """How many clusters each problem's campaigns make, shape (problems,)."""
        return np.array([count_of(codes) for codes in self.clusters])

    @property
    def tail(self) -> float:
        """What is cut off from the resamples at each end of an interval."""
        return expanded_tail(int(self.cluster_counts.sum()), len(self.sizes))

    def stratum(self, setting: int) -> slice:
        """The rows of the campaigns of a setting's problem."""
        return self.rows(int(self.problems[setting]))

    def rows(self, problem: int) -> slice:
        """The rows of a problem's campaigns."""
        end = int(self.sizes[: problem + 1].sum())
        return slice(end - int(self.sizes[problem]), end)

    def resamples(self, seed: int = 0) -> Iterator[tuple[Values, dict[str, Values]]]:
        """Chunks of resamples: counts of campaigns, and of runs of the methods with several.

        Yields:
            How often each campaign is drawn, shape (campaigns, k), and by method how often each
            run is, shape (runs, k).
        """
        rng = np.random.default_rng(seed)
        for size in chunks(self.campaigns):
            counts = np.concatenate([draw_clusters(rng, codes, size) for codes in self.clusters])
            runs = {name: draw_counts(rng, k, size) for name, k in self.runs.items() if k > 1}
            yield counts, runs


def normalized_scores(campaigns: pd.DataFrame, column: str = "score") -> list[NormalizedScores]:
    """A column of campaigns, by kind of start and utility.

    Methods play as `as_shown` has them. Campaigns without a number are left out.

    Args:
        campaigns: One row per campaign, with the columns of `campaigns.csv`.
        column: Which of them.

    Raises:
        ValueError: A column is missing, there is no row, or a campaign appears twice.
    """
    frame = with_defaults(campaigns)
    if missing := [name for name in ("start", column) if name not in frame.columns]:
        raise ValueError(f"campaigns lacks the columns {missing}; it has {list(frame)}")
    start_of = frame.groupby(PROBLEM)["start"].first().to_dict()
    known = as_shown(frame)[lambda rows: rows[column].notna()]
    found: dict[tuple[str, str], list[Block]] = {}
    for block in blocks(known.assign(value=known[column])) if len(known) else []:
        group = start_of[block.setting[:2]], str(block.setting[-1])
        found.setdefault(group, []).append(block)
    return [_normalized_scores(*group, of_one) for group, of_one in found.items()]


def _normalized_scores(start: str, utility: str, blocks: Sequence[Block]) -> NormalizedScores:
    names = list(dict.fromkeys(block.setting[:2] for block in blocks))
    problems = np.array([names.index(block.setting[:2]) for block in blocks])
    numbers = [  # of each problem's campaigns, over all its settings
        np.unique(np.concatenate([b.campaigns for b in blocks if b.setting[:2] == name]))
        for name in names
    ]
    sizes = np.array([len(each) for each in numbers])
    labels = [np.zeros(size, dtype=np.int64) for size in sizes]
    for problem, block in zip(problems.tolist(), blocks, strict=True):
        labels[problem][np.searchsorted(numbers[problem], block.campaigns)] = block.clusters
    starts = np.cumsum(sizes) - sizes
    policies: dict[str, dict[str, int]] = {}  # the runs of each method
    for block in blocks:
        for player in block.players:
            runs = policies.setdefault(player.method, {})
            runs.setdefault(player.policy, len(runs))
    scores: dict[str, dict[int, MethodScores]] = {name: {} for name in policies}
    for s, block in enumerate(blocks):
        rows = starts[problems[s]] + np.searchsorted(numbers[problems[s]], block.campaigns)
        for (method, _), players in methods_of(block).items():
            common = block.played[players].all(axis=0)
            if common.any():
                run_numbers = np.array([policies[method][block.players[i].policy] for i in players])
                scores[method][s] = MethodScores(
                    block.values[players][:, common], rows[common], run_numbers
                )
    counts = {name: len(runs) for name, runs in policies.items()}
    complete = [
        name
        for name, played in scores.items()
        if len(played) == len(blocks)
        and all(len(each.runs) == counts[name] for each in played.values())
    ]
    clusters = [codes_of(each) for each in labels]
    return NormalizedScores(start, utility, problems, sizes, clusters, counts, scores, complete)
