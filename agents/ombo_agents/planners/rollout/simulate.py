"""What batches are worth, with what is left of the campaign simulated after each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.special import ndtri

from ombo_agents.planners.plates import Plates
from ombo_agents.planners.rollout.joint_posterior import Floats, JointPosterior
from ombo_agents.planners.rollout.simulated_campaigns import Picks, SimulatedCampaigns, Singles
from ombo_gym.quasirandom import kronecker
from ombo_gym.spec import Repeats
from ombo_gym.utilities import Aim, Utility

_INNER = 16  # draws of a last batch's values
_TOGETHER = 2**16  # entries of the arrays that are worked on at once: they stay in the cache


@dataclass(frozen=True)
class Rules:
    """How simulated campaigns go on.

    Attributes:
        utility: What they are worth.
        repeats: Whether and when a design can be measured again.
        num_samples: S, even.
        explore: Exploration weight of rounds that are not the last.
        finish: Of the last round, where the largest value counts.
    """

    utility: Utility
    repeats: Repeats
    num_samples: int
    explore: float
    finish: float


@cache
def normals(count: int, dim: int) -> Singles:
    """Quasi-random standard normal numbers in pairs that mirror each other, (count, dim).

    Where they are enough, they are made to have variance 1 and no correlations exactly: in many
    dimensions those of a low-discrepancy sequence are large.
    """
    half = ndtri(kronecker(count // 2, dim))
    if len(half) >= 2 * dim:
        half = half @ np.linalg.inv(np.linalg.cholesky(half.T @ half / len(half))).T
    both: Singles = np.concatenate([half, -half]).astype(np.float32)
    both.setflags(write=False)
    return both


def values_of(
    field: JointPosterior, batches: Picks, plates: Plates, lookahead: int, rules: Rules
) -> Floats:
    """Expected utilities of campaigns that measure a batch and go on by the rules.

    Every batch of every campaign meets the same numbers.

    Args:
        field: Of R campaigns.
        batches: (R, K, q) designs of the field.
        plates: Sizes of the batches to come, the first one of `batches` included.
        lookahead: Rounds that are simulated at most, at least 2; those beyond them pay a design
            what the last of them pays.
        rules: How it goes on.

    Returns:
        (R, K) means over S courses.
    """
    rows, options = batches.shape[:2]
    pairs = np.stack(np.divmod(np.arange(rows * options), options), axis=1)
    values = np.empty(rows * options)
    together = max(1, _TOGETHER // (rules.num_samples * field.mean.shape[1]))
    for at in range(0, len(pairs), together):
        row, option = pairs[at : at + together].T
        worth = _play(field, row, batches[row, option], plates, lookahead, rules)  # (P, S)
        values[at : at + together] = worth.mean(axis=1, dtype=np.float64)
    return values.reshape(rows, options)


def _play(
    field: JointPosterior, row: Picks, first: Picks, plates: Plates, lookahead: int, rules: Rules
) -> Singles:
    """Utilities of S courses after each of P batches (P, q), but for what all have, (P, S)."""
    utility, looked_at = rules.utility, plates[:lookahead]
    measured = looked_at if utility.needs_posterior else looked_at[:-1]
    edges = np.cumsum((0, *measured))
    numbers = normals(rules.num_samples, int(edges[-1]))
    further = sum(looked_at[1:])
    course, shown = _measure(field, row, first, numbers[:, : edges[1]], further, rules)
    best = np.maximum(field.best[row].astype(np.float32)[:, None], shown.max(axis=2))
    worth = _paid(utility, field.mean[row[:, None], first][:, None], best, len(plates))
    weight = np.full(len(row), rules.explore, np.float32)
    for at, q in enumerate(measured[1:], start=1):
        batch = course.fill(weight, q, last=False)
        shown = course.learn(batch, numbers[:, edges[at] : edges[at + 1]])
        best = np.maximum(best, shown.max(axis=2))
        worth = worth + _paid(utility, batch.means, best, len(plates) - at)
    if utility.needs_posterior:
        return course.mean.max(axis=2)
    return worth + _finish(course, best, plates, looked_at[-1], len(looked_at), rules)


def _paid(utility: Utility, means: Any, best: Singles, rounds_left: int) -> Any:
    """What a round that is not the last adds, (P, S).

    Sums of improvements are put as sums of the best values so far, of which each round's counts as
    much more as an improvement is worth in it than in the next: all but the last may count nothing.

    Args:
        utility: Of the campaigns.
        means: (P, S, q) what is expected of the batch.
        best: (P, S) best value after it.
        rounds_left: Before it.
    """
    if utility.last_round_only:
        return 0.0
    if utility.aim is Aim.IMPROVEMENT:
        return (_unit(utility, rounds_left) - _unit(utility, rounds_left - 1)) * best
    return utility.gain(means, best, rounds_left)


def _unit(utility: Utility, rounds_left: int) -> float:
    """What an improvement by 1 is worth with so many rounds left."""
    return float(utility.gain(np.ones(1), 0.0, rounds_left))


def _finish(
    course: SimulatedCampaigns, best: Singles, plates: Plates, q: int, looked_at: int, rules: Rules
) -> Any:
    """What the last round that is simulated adds, (P, S); further ones pay a design as much.

    Args:
        course: Before it.
        best: (P, S) best value so far.
        plates: Of the rounds from the first that was simulated.
        q: Size of its batch.
        looked_at: How many rounds are simulated, it included.
        rules: How it is played.
    """
    utility = rules.utility
    if utility.aim is Aim.MEANS:
        share = 1.0 if utility.last_round_only else sum(plates[looked_at - 1 :]) / q
        top: Any = course.top(q)  # float32 throughout
        return share * utility.gain(top, best, 1)
    improves = utility.aim is Aim.IMPROVEMENT
    batch = course.fill(np.full(len(best), rules.finish, np.float32), q, last=True)
    floor = best if improves else np.full_like(best, -np.inf)
    unit = _unit(utility, len(plates) - looked_at + 1) if improves else 1.0
    return unit * course.best_of(batch, floor, normals(_INNER, q))


def _measure(
    field: JointPosterior, row: Picks, first: Picks, numbers: Singles, further: int, rules: Rules
) -> tuple[SimulatedCampaigns, Singles]:
    """Campaigns that have measured a batch and may measure further designs.

    Returns:
        The campaigns, and what the batch's designs are worth then, (P, S, q).
    """
    p, q = np.arange(len(row))[:, None], first.shape[1]
    covariance, noise = field.covariance[row], field.noise[row]
    cross = covariance[p, first]  # (P, q, M)
    own = np.take_along_axis(cross, first[:, None], axis=2)  # (P, q, q)
    own[:, np.arange(q), np.arange(q)] += noise[:, None]
    white = np.matmul(np.linalg.inv(np.linalg.cholesky(own)), cross)  # (P, q, M)
    left = covariance - np.matmul(white.swapaxes(1, 2), white)
    variance = np.maximum(np.diagonal(left, axis1=1, axis2=2), 1e-12)
    mean = np.matmul(numbers, white.astype(np.float32))  # (P, S, M)
    mean += field.mean[row].astype(np.float32)[:, None]
    blocked = field.blocked[row]
    if rules.repeats is Repeats.NEVER_AGAIN:
        np.put_along_axis(blocked, first, True, axis=1)
    course = SimulatedCampaigns(
        mean,
        variance[:, None].astype(np.float32),
        left.astype(np.float32),
        np.arange(len(row)),
        noise.astype(np.float32),
        blocked,
        measurements=further,
        repeats=rules.repeats,
    )
    return course, mean[p[..., None], np.arange(len(numbers))[:, None], first[:, None]]
