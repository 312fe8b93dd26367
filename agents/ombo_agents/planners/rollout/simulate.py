"""What batches are worth, with what is left of the campaign simulated after each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtri

from ombo_agents.planners.rollout.course import Course, Picks, Singles
from ombo_agents.planners.rollout.field import Field, Floats
from ombo_gym.quasirandom import kronecker

_INNER = 16  # draws of a last batch's values
_TOGETHER = 2**16  # entries of the arrays that are worked on at once: they stay in the cache


@dataclass(frozen=True)
class Rules:
    """How simulated campaigns go on.

    Attributes:
        utility: What they are worth.
        batch_size: q.
        distinct: Whether a batch holds a design once.
        repeats: Whether a design can be measured again.
        draws: S, even.
        explore: Exploration weight of rounds that are not the last.
        finish: Of the last round, where it is worth its best value.
    """

    utility: str
    batch_size: int
    distinct: bool
    repeats: bool
    draws: int
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


def values_of(field: Field, batches: Picks, rounds: int, more: int, rules: Rules) -> Floats:
    """Expected utilities of campaigns that measure a batch and go on by the rules.

    Every batch of every campaign meets the same numbers.

    Args:
        field: Of R campaigns.
        batches: (R, K, q) designs of the field.
        rounds: How many are simulated, this one included; at least 2.
        more: Rounds that there are beyond those; under `total` they pay what the last one pays.
        rules: How it goes on.

    Returns:
        (R, K) means over S courses.
    """
    rows, options = batches.shape[:2]
    pairs = np.stack(np.divmod(np.arange(rows * options), options), axis=1)
    values = np.empty(rows * options)
    together = max(1, _TOGETHER // (rules.draws * field.mean.shape[1]))
    for at in range(0, len(pairs), together):
        row, option = pairs[at : at + together].T
        worth = _play(field, row, batches[row, option], rounds, more, rules)  # (P, S)
        values[at : at + together] = worth.mean(axis=1, dtype=np.float64)
    return values.reshape(rows, options)


def _play(field: Field, row: Picks, first: Picks, rounds: int, more: int, rules: Rules) -> Singles:
    """Utilities of S courses after each of P batches (P, q), (P, S)."""
    q, utility = first.shape[1], rules.utility
    numbers = normals(rules.draws, q * (rounds if utility == "recommendation" else rounds - 1))
    course, shown = _measure(field, row, first, numbers[:, :q], q * (rounds - 1), rules)
    best = np.maximum(field.best[row].astype(np.float32)[:, None], shown.max(axis=2))
    total = np.broadcast_to(field.mean[row[:, None], first].sum(axis=1)[:, None], best.shape)
    weight = np.full(len(row), rules.explore, np.float32)
    middle = rounds - (1 if utility == "recommendation" else 2)
    for at in range(1, 1 + middle):
        batch = course.fill(weight, q, last=False)
        total = total + batch.means.sum(axis=2)
        shown = course.learn(batch, numbers[:, q * at : q * (at + 1)])
        best = np.maximum(best, shown.max(axis=2))
    if utility == "recommendation":
        return course.mean.max(axis=2)
    if utility in ("best", "last_max"):
        batch = course.fill(np.full(len(row), rules.finish, np.float32), q, last=True)
        floor = best if utility == "best" else np.full_like(best, -np.inf)
        return course.best_of(batch, floor, normals(_INNER, q))
    top = course.top(q)
    if utility == "total":
        return total + (1 + more) * top.sum(axis=2)
    return top.mean(axis=2) if utility == "last_mean" else np.median(top, axis=2)


def _measure(
    field: Field, row: Picks, first: Picks, numbers: Singles, further: int, rules: Rules
) -> tuple[Course, Singles]:
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
    if not rules.repeats:
        np.put_along_axis(blocked, first, True, axis=1)
    course = Course(
        mean,
        variance[:, None].astype(np.float32),
        left.astype(np.float32),
        np.arange(len(row)),
        noise.astype(np.float32),
        blocked,
        measurements=further,
        distinct=rules.distinct,
        repeats=rules.repeats,
    )
    return course, mean[p[..., None], np.arange(len(numbers))[:, None], first[:, None]]
