"""The joint optimum over all designs that are left, and a batch of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.planners.plates import Plates
from ombo_agents.planners.rollout.joint_posterior import Floats, JointPosterior, joint_posterior
from ombo_agents.planners.rollout.simulated_campaigns import Indices
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

    Candidates are the one-round optimum and those of largest mean + 3 sd of the whole space, 128
    together: joint draws of all would take the cube of their number.

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
        self._num_samples = even("num_samples", num_samples)
        self._sweeps = whole("sweeps", sweeps, at_least=0)
        self._subset = one_of("subset", subset, RULES)

    @override
    def plan(self, group: CandidatePosterior, plates: Plates, rngs: GeneratorBatch) -> Designs:
        batch = self.batch_by_expected_improvement(group, self.floor(group))
        joint = joint_posterior(group, self.space, batch)
        values = joint_draws(joint, rngs, self._num_samples)  # (R, S, M)
        floor = np.where(np.isfinite(joint.best), joint.best, self.floor(group))  # (R,)
        count, q = min(sum(plates), values.shape[2]), plates[0]
        planned = maximize_expected_maximum(values, floor, joint.blocked, count, self._sweeps)
        planned_values = np.take_along_axis(values, planned[:, None], axis=2)  # (R, S, count)
        copies = np.take_along_axis(joint.blocked, planned, axis=1) & group.distinct  # (R, count)
        uniforms = rngs.random((q,)) if self._subset == "sample" else None  # (R, q)
        first = first_of_planned(planned_values, floor, copies, min(q, count), uniforms)
        first = np.resize(first.T, (q, len(first))).T  # (R, q), of fewer candidates than q
        campaign = np.arange(len(values))[:, None]  # (R, 1)
        chosen: Designs = joint.designs[campaign, planned[campaign, first]]
        return chosen


def joint_draws(joint: JointPosterior, rngs: GeneratorBatch, count: int) -> Floats:
    """Values of all designs of R campaigns, in pairs that mirror at the mean, (R, S, M)."""
    covariance, diagonal = joint.covariance.copy(), np.arange(joint.mean.shape[1])
    largest = covariance[:, diagonal, diagonal].max(axis=1)  # (R,)
    covariance[:, diagonal, diagonal] += (_JITTER * np.maximum(largest, _JITTER))[:, None]
    lower = np.linalg.cholesky(covariance)
    normals = rngs.standard_normal((count // 2, joint.mean.shape[1]))  # (R, S / 2, M)
    spread = np.matmul(normals, lower.swapaxes(1, 2))  # (R, S / 2, M)
    return np.concatenate([joint.mean[:, None] + spread, joint.mean[:, None] - spread], axis=1)


def maximize_expected_maximum(
    values: Floats, floor: Floats, blocked: NDArray[np.bool_], count: int, sweeps: int
) -> Indices:
    """The candidates with the largest expected maximum, by exchanges, (R, count).

    Args:
        values: (R, S, M) draws.
        floor: (R,) a value that there is already.
        blocked: (R, M) what is only taken when nothing else is left.
        count: How many; at most M.
        sweeps: How often each is exchanged after it was chosen.
    """
    campaign = np.arange(len(values))
    used = np.zeros(blocked.shape, bool)  # (R, M)
    picks = np.empty((len(values), count), np.intp)  # (R, count)
    picked_values = np.full((count, *values.shape[:2]), -np.inf)  # (count, R, S)
    base = np.broadcast_to(floor[:, None], values.shape[:2])  # (R, S)
    for sweep in range(1 + sweeps):
        for slot in range(count):
            if sweep:  # the slot is free again
                used[campaign, picks[:, slot]] = False
                picked_values[slot] = -np.inf
            others = np.maximum(base, picked_values.max(axis=0))  # (R, S)
            expected = np.maximum(values, others[..., None]).mean(axis=1)  # (R, M)
            pick = np.where(_free(used, blocked), expected, -np.inf).argmax(axis=1)  # (R,)
            used[campaign, pick], picks[:, slot] = True, pick
            picked_values[slot] = values[campaign, :, pick]
    return picks


def first_of_planned(
    values: Floats, floor: Floats, copies: NDArray[np.bool_], q: int, uniforms: Floats | None
) -> Indices:
    """Which of the planned designs are measured now, (R, q).

    Args:
        values: (R, S, count) draws.
        floor: (R,) a value that there is already.
        copies: (R, count) what is only taken when nothing else is left.
        q: How many; at most count.
        uniforms: (R, q) uniform random numbers of the rule "sample"; None: the rule "best".
    """
    campaign = np.arange(len(values))
    best = np.broadcast_to(floor[:, None], values.shape[:2])  # (R, S) of what is picked
    used = np.zeros((len(values), values.shape[2]), bool)  # (R, count)
    picks = np.empty((len(values), q), np.intp)  # (R, q)
    for slot in range(q):
        gains = np.maximum(values - best[..., None], 0.0).mean(axis=1)  # (R, count)
        free = _free(used, copies)
        if uniforms is None:
            pick = np.where(free, gains, -np.inf).argmax(axis=1)  # (R,)
        else:
            edges = np.cumsum(np.where(free, gains + 1e-12, 0.0), axis=1)  # (R, count)
            pick = (uniforms[:, slot, None] * edges[:, -1:] >= edges).sum(axis=1)  # (R,)
        picks[:, slot], used[campaign, pick] = pick, True
        best = np.maximum(best, values[campaign, :, pick])
    return picks


def _free(used: NDArray[np.bool_], last_resort: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What can still be picked: what is not used; of it, a last resort if nothing else is left."""
    preferred = ~used & ~last_resort
    return np.where(preferred.any(axis=1, keepdims=True), preferred, ~used)
