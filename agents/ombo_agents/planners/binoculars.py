"""The joint optimum over all designs that are left, and a batch of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.planners.plates import Plates
from ombo_agents.planners.rollout.joint_posterior import Floats, JointPosterior, joint_posterior
from ombo_agents.planners.rollout.simulated_campaigns import Picks
from ombo_agents.planners.surrogate_planner import SurrogatePlanner
from ombo_agents.settings import even, whole
from ombo_gym.design_spaces import Designs
from ombo_gym.problems.core.checks import one_of
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior

RULES = ("best", "sample")
_JITTER = 1e-6  # relative to the largest variance


class Binoculars(SurrogatePlanner):
    """Plans all designs that are left as if they were one batch, and measures q of them.

    As many designs as the plates to come hold together, those of largest expected maximum (over
    what is measured already), are found on joint draws of the candidates' values: greedily, then by
    exchanging one design after the other for the best one given all others. Which q of them go
    first is a rule: "best", those whose own expected improvement as a batch is largest, or
    "sample", drawn one after the other with probabilities proportional to the improvement that each
    adds.

    The paper has q = 1 and expected improvement, which fits utility `best`. Here the designs before
    the last round are the same under all utilities: what has a large maximum jointly is worth
    knowing under all of them. The last round is the one-round optimum of the utility.

    Args:
        spec: Of the campaigns it is built for.
        num_samples: Of the candidates' values, even.
        sweeps: How often each design is exchanged.
        subset: "best" or "sample".
        num_restarts: Candidates that climb in the last round, where designs can move; 0: none.
        max_iterations: Steps of a climb, at most.

    Raises:
        ValueError: A setting out of range.

    Reference:
        Jiang, Jiang, Balandat, Karrer, Gardner and Garnett, BINOCULARS for efficient, nonmyopic
        sequential experimental design, ICML 2020.
    """

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        num_samples: int,
        sweeps: int,
        subset: str,
        num_restarts: int,
        max_iterations: int,
    ) -> None:
        super().__init__(spec, num_restarts=num_restarts, max_iterations=max_iterations)
        self._num_samples, self._sweeps = (
            even("num_samples", num_samples),
            whole("sweeps", sweeps, at_least=0),
        )
        self._subset = one_of("subset", subset, RULES)

    @override
    def plan(self, group: CandidatePosterior, plates: Plates, rngs: GeneratorBatch) -> Designs:
        field = joint_posterior(group, self.space, self.improve(group, self.floor(group)))
        values = joint_draws(field, rngs, self._num_samples)  # (R, S, M)
        floor = np.where(np.isfinite(field.best), field.best, self.floor(group))
        count, q = min(sum(plates), values.shape[2]), plates[0]
        planned = largest_maximum(values, floor, field.blocked, count, self._sweeps)
        each = np.arange(len(values))[:, None]
        own = np.take_along_axis(values, planned[:, None], axis=2)  # (R, S, count)
        lots = rngs.random((q,)) if self._subset == "sample" else None
        copies = np.take_along_axis(field.blocked, planned, axis=1) & group.distinct
        first = _go_first(own, floor, copies, min(q, count), lots)
        first = np.resize(first.T, (q, len(first))).T  # of fewer candidates than q
        chosen: Designs = field.designs[each, planned[each, first]]
        return chosen


def joint_draws(field: JointPosterior, rngs: GeneratorBatch, count: int) -> Floats:
    """Values of all designs of a field, in pairs that mirror each other at the mean, (R, S, M)."""
    covariance, diagonal = field.covariance.copy(), np.arange(field.mean.shape[1])
    largest = covariance[:, diagonal, diagonal].max(axis=1)
    covariance[:, diagonal, diagonal] += (_JITTER * np.maximum(largest, _JITTER))[:, None]
    lower = np.linalg.cholesky(covariance)
    normals = rngs.standard_normal((count // 2, field.mean.shape[1]))
    spread = np.matmul(normals, lower.swapaxes(1, 2))
    return np.concatenate([field.mean[:, None] + spread, field.mean[:, None] - spread], axis=1)


def largest_maximum(
    values: Floats, floor: Floats, blocked: NDArray[np.bool_], count: int, sweeps: int
) -> Picks:
    """The candidates with the largest expected maximum, by exchanges, (R, count).

    Args:
        values: (R, S, M) draws.
        floor: (R,) a value that there is already.
        blocked: (R, M) what is only taken when nothing else is left.
        count: How many; at most M.
        sweeps: How often each is exchanged after it was chosen.
    """
    rows = np.arange(len(values))
    used, picks = np.zeros(blocked.shape, bool), np.empty((len(values), count), np.intp)
    chosen = np.full((count, *values.shape[:2]), -np.inf)  # (count, R, S) their values
    base = np.broadcast_to(floor[:, None], values.shape[:2])
    for sweep in range(1 + sweeps):
        for slot in range(count):
            if sweep:
                used[rows, picks[:, slot]] = False
                chosen[slot] = -np.inf
            others = np.maximum(base, chosen.max(axis=0))  # (R, S)
            gains = np.maximum(values, others[..., None]).mean(axis=1)  # (R, M)
            left = ~used & ~blocked
            left = np.where(left.any(axis=1, keepdims=True), left, ~used)
            pick = np.where(left, gains, -np.inf).argmax(axis=1)
            used[rows, pick], picks[:, slot] = True, pick
            chosen[slot] = values[rows, :, pick]
    return picks


def _go_first(
    values: Floats, floor: Floats, copies: NDArray[np.bool_], q: int, lots: Floats | None
) -> Picks:
    """Which q of the planned designs (R, S, count) are measured now, copies last, (R, q)."""
    rows = np.arange(len(values))
    reached = np.broadcast_to(floor[:, None], values.shape[:2])
    used, picks = np.zeros((len(values), values.shape[2]), bool), np.empty((len(values), q), int)
    for slot in range(q):
        gains = np.maximum(values - reached[..., None], 0.0).mean(axis=1)  # (R, count)
        left = ~used & ~copies
        left = np.where(left.any(axis=1, keepdims=True), left, ~used)
        if lots is None:
            pick = np.where(left, gains, -np.inf).argmax(axis=1)
        else:
            edges = np.cumsum(np.where(left, gains + 1e-12, 0.0), axis=1)
            pick = (lots[:, slot, None] * edges[:, -1:] >= edges).sum(axis=1)
        picks[:, slot], used[rows, pick] = pick, True
        reached = np.maximum(reached, values[rows, :, pick])
    return picks
