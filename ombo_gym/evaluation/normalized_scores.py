"""Methods over many settings: their normalised scores, as arrays that can be resampled.

The score of a campaign is (value - low) / (high - low) within its setting: 0 is the mean of
`random` (where it did not play, the lowest mean), 1 the mean over campaigns of the best value that
any policy reached on the same campaign. These two numbers are held fixed when campaigns are
resampled. The difference of two policies' means would be a smaller scale, but one that is all noise
where policies lie close together.

Campaigns are resampled within each problem: one resample serves all its settings, since campaign i
draws the same instance whatever the horizon, the batch size and the utility, and it serves all
methods, so that pairs stay together. Where a problem is a collection, whole instances are
resampled, with all their campaigns (`clusters`). Runs of training are resampled within each method
that has several.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ombo_gym.evaluation.clusters import Codes, codes_of, count_of
from ombo_gym.evaluation.resampling import (
    Values,
    chunks,
    draw_clusters,
    draw_counts,
    expanded_tail,
)
from ombo_gym.evaluation.tables import Block, methods_of

ALL = "all"  # the utility of tables over all utilities together


class MethodScores(NamedTuple):
    """One method's normalised scores in one setting.

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
    """All settings of one utility (or of all), played by several methods.

    Attributes:
        utility: Its name.
        problems: The number of the problem of each setting, shape (settings,).
        sizes: How many campaigns each problem has, shape (problems,); resamples stack them.
        clusters: Of each problem, which of its campaigns count together, shapes (campaigns,).
        runs: How many runs each method has, in the order of their first row.
        scores: Of each method, by the number of the setting.
        complete: The methods whose runs have all played every setting.
    """

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


def normalized_scores(blocks: Sequence[Block]) -> list[NormalizedScores]:
    """The scores of each utility, and those over all of them where there are several.

    Methods play as told the true horizon; where nobody was, as told every round that it is the
    last.
    """
    horizon_shown = (
        "true"
        if any(p.horizon_shown == "true" for block in blocks for p in block.players)
        else "one"
    )
    utilities = list(dict.fromkeys(str(block.setting[-1]) for block in blocks))
    found = [
        _normalized_scores(
            name, [block for block in blocks if block.setting[-1] == name], horizon_shown
        )
        for name in utilities
    ]
    return found + ([_normalized_scores(ALL, blocks, horizon_shown)] if len(utilities) > 1 else [])


def scale(block: Block) -> tuple[float, float]:
    """The values of a setting that are normalised to 0 and to 1."""
    means = [
        float(values[played].mean())
        for values, played in zip(block.values, block.played, strict=True)
    ]
    random = {
        player.horizon_shown: mean
        for player, mean in zip(block.players, means, strict=True)
        if player.policy == "random"
    }
    finite = [mean for mean in means if not math.isnan(mean)] or [math.nan]
    reached = np.where(block.played, block.values, -np.inf).max(axis=0)  # (campaigns,)
    return random.get("true", random.get("one", min(finite))), float(reached.mean())


def normalise(values: Values, low: Values | float, high: Values | float) -> Values:
    """Scores from values; all are 0 where no campaign reached more than `low`."""
    width = np.asarray(high, dtype=np.float64) - low
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(width <= 0, 0.0, (values - low) / width)


def _normalized_scores(
    utility: str, blocks: Sequence[Block], horizon_shown: str
) -> NormalizedScores:
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
            if player.horizon_shown == horizon_shown:
                runs = policies.setdefault(player.method, {})
                runs.setdefault(player.policy, len(runs))
    scores: dict[str, dict[int, MethodScores]] = {name: {} for name in policies}
    for s, block in enumerate(blocks):
        rows = starts[problems[s]] + np.searchsorted(numbers[problems[s]], block.campaigns)
        values = normalise(block.values, *scale(block))
        for (method, shown), players in methods_of(block).items():
            common = block.played[players].all(axis=0)
            if shown == horizon_shown and common.any():
                run_numbers = np.array([policies[method][block.players[i].policy] for i in players])
                scores[method][s] = MethodScores(
                    values[players][:, common], rows[common], run_numbers
                )
    counts = {name: len(runs) for name, runs in policies.items()}
    complete = [
        name
        for name, played in scores.items()
        if len(played) == len(blocks)
        and all(len(each.runs) == counts[name] for each in played.values())
    ]
    clusters = [codes_of(each) for each in labels]
    return NormalizedScores(utility, problems, sizes, clusters, counts, scores, complete)
