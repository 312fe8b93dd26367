"""Expected utilities of batches, with what is left of the campaign simulated after each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ombo_agents.planners.plates import Plates
from ombo_agents.planners.rollout.joint_posterior import Floats, JointPosterior
from ombo_agents.planners.rollout.simulated_campaigns import (
    Floats32,
    Indices,
    SimulatedCampaigns,
)
from ombo_gym.quasirandom import kronecker
from ombo_gym.spec import Repeats
from ombo_gym.utilities import Aim, Utility

LAST_BATCH_SAMPLES = 16  # of a last batch's values
CHUNK_ENTRIES = 2**16  # of the arrays that are worked on at once: they stay in the cache


@dataclass(frozen=True)
class SimulationSettings:
    """How simulated campaigns go on.

    Attributes:
        utility: What is maximised.
        repeats: Whether and when a design can be measured again.
        num_samples: S futures of each batch, even.
        explore: Exploration weight of rounds that are not the last.
        finish: Of the last round, where the largest value counts.
    """

    utility: Utility
    repeats: Repeats
    num_samples: int
    explore: float
    finish: float


@cache
def quasi_random_normals(count: int, dim: int) -> Floats32:
    """Quasi-random standard normal numbers in pairs that mirror each other, (count, dim).

    Where they are enough, they are made to have variance 1 and no correlations exactly: in many
    dimensions those of a low-discrepancy sequence are large.
    """
    half = ndtri(kronecker(count // 2, dim))  # (count / 2, dim)
    if len(half) >= 2 * dim:
        half = half @ np.linalg.inv(np.linalg.cholesky(half.T @ half / len(half))).T
    both: Floats32 = np.concatenate([half, -half]).astype(np.float32)
    both.setflags(write=False)
    return both


def expected_utilities(
    joint: JointPosterior,
    batches: Indices,
    plates: Plates,
    lookahead: int,
    settings: SimulationSettings,
) -> Floats:
    """Expected utilities of campaigns that measure a batch and go on by the base schedule.

    Every batch of every campaign meets the same numbers.

    Args:
        joint: Of R campaigns.
        batches: (R, K, q) designs of the joint posterior.
        plates: Sizes of the batches to come, the first one of `batches` included.
        lookahead: Rounds that are simulated at most, at least 2; those beyond them pay a design
            what the last of them pays.
        settings: How it goes on.

    Returns:
        (R, K) means over S futures, but for what all batches of a campaign have in common.
    """
    num_campaigns, num_batches = batches.shape[:2]
    campaign, option = np.divmod(np.arange(num_campaigns * num_batches), num_batches)  # (R * K,)
    expected = np.empty(num_campaigns * num_batches)
    chunk_size = max(1, CHUNK_ENTRIES // (settings.num_samples * joint.mean.shape[1]))
    for first in range(0, len(expected), chunk_size):
        chunk = slice(first, first + chunk_size)
        simulation = _Simulation(joint, campaign[chunk], plates, lookahead, settings)
        utilities = simulation.utilities(batches[campaign[chunk], option[chunk]])  # (P, S)
        expected[chunk] = utilities.mean(axis=1, dtype=np.float64)
    return expected.reshape(num_campaigns, num_batches)


class _Simulation:
    """S futures in each of P situations, which are R campaigns with a batch to measure each.

    Args:
        joint: Of R campaigns.
        campaign: (P,) which of them each situation is of.
        plates: As `expected_utilities`.
        lookahead: As `expected_utilities`.
        settings: How it goes on.
    """

    def __init__(
        self,
        joint: JointPosterior,
        campaign: Indices,
        plates: Plates,
        lookahead: int,
        settings: SimulationSettings,
    ) -> None:
        self._joint, self._campaign = joint, campaign
        self._plates, self._simulated = plates, plates[:lookahead]
        self._settings, self._utility = settings, settings.utility

    def utilities(self, first: Indices) -> NDArray[Any]:
        """Utilities after the batches (P, q), but for what all have in common, (P, S)."""
        settings, utility, rounds = self._settings, self._utility, len(self._plates)
        measured = self._simulated if utility.needs_posterior else self._simulated[:-1]
        ends = np.cumsum(measured).tolist()
        normals = quasi_random_normals(settings.num_samples, ends[-1])  # (S, all measured)
        campaigns = self._after_first_batch(first, normals[:, : ends[0]])
        values = np.take_along_axis(campaigns.mean, first[:, None], axis=2)  # (P, S, q)
        best = self._joint.best[self._campaign].astype(np.float32)[:, None]  # (P, 1)
        best = np.maximum(best, values.max(axis=2))  # (P, S)
        means = self._joint.mean[self._campaign[:, None], first][:, None]  # (P, 1, q)
        gained = self._round_gain(means, best, rounds)  # (P, S)
        explore = np.full(len(first), settings.explore, np.float32)  # (P,)
        for played, q in enumerate(measured[1:], start=1):
            batch = campaigns.fill(explore, q, last=False)
            values = campaigns.learn(batch, normals[:, ends[played] - q : ends[played]])
            best = np.maximum(best, values.max(axis=2))
            gained = gained + self._round_gain(batch.means, best, rounds - played)
        if utility.needs_posterior:
            best_mean: NDArray[Any] = campaigns.mean.max(axis=2)
            return best_mean
        utilities: NDArray[Any] = gained + self._last_gain(campaigns, best)
        return utilities

    def _after_first_batch(self, first: Indices, normals: Floats32) -> SimulatedCampaigns:
        """Campaigns that have measured the batches (P, q) and may measure those to come.

        Args:
            first: (P, q) designs.
            normals: (S, q) standard normal numbers: how surprising the measurements are.
        """
        joint, campaign, q = self._joint, self._campaign, first.shape[1]
        before, noise = joint.covariance[campaign], joint.noise[campaign]  # (P, M, M), (P,)
        cross = before[np.arange(len(first))[:, None], first]  # (P, q, M)
        of_batch = np.take_along_axis(cross, first[:, None], axis=2)  # (P, q, q)
        of_batch[:, np.arange(q), np.arange(q)] += noise[:, None]
        whitening = np.linalg.inv(np.linalg.cholesky(of_batch))  # (P, q, q)
        mean_shifts = np.matmul(whitening, cross)  # (P, q, M)
        covariance = before - np.matmul(mean_shifts.swapaxes(1, 2), mean_shifts)  # (P, M, M)
        variance = np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 1e-12)  # (P, M)
        mean = np.matmul(normals, mean_shifts.astype(np.float32))  # (P, S, M)
        mean += joint.mean[campaign].astype(np.float32)[:, None]
        blocked = joint.blocked[campaign]  # (P, M)
        if self._settings.repeats is Repeats.NEVER_AGAIN:
            np.put_along_axis(blocked, first, True, axis=1)
        return SimulatedCampaigns(
            mean,
            covariance.astype(np.float32),
            variance.astype(np.float32),
            noise.astype(np.float32),
            blocked,
            max_picks=sum(self._simulated[1:]),
            repeats=self._settings.repeats,
        )

    def _round_gain(self, means: NDArray[Any], best: Floats32, rounds_left: int) -> Any:
        """What a round that is not the last adds, (P, S).

        Sums of improvements are put as sums of the best values so far, of which each round's counts
        as much more as an improvement is worth in it than in the next: all but the last may count
        nothing.

        Args:
            means: (P, S or 1, q) what is expected of the batch.
            best: (P, S) best value after it.
            rounds_left: Before it.
        """
        if self._utility.last_round_only:
            return 0.0
        if self._utility.aim is Aim.IMPROVEMENT:
            now, later = self._unit_gain(rounds_left), self._unit_gain(rounds_left - 1)
            return (now - later) * best
        return self._utility.gain(means, best, rounds_left)

    def _unit_gain(self, rounds_left: int) -> float:
        """What an improvement by 1 is worth with so many rounds left."""
        return float(self._utility.gain(np.ones(1), np.zeros(()), rounds_left))

    def _last_gain(self, campaigns: SimulatedCampaigns, best: Floats32) -> Any:
        """What the last simulated round adds, (P, S); rounds beyond it pay a design as much.

        Args:
            campaigns: Before it.
            best: (P, S) best value so far.
        """
        utility, q, last = self._utility, self._simulated[-1], len(self._simulated) - 1
        if utility.aim is Aim.MEANS:
            share = 1.0 if utility.last_round_only else sum(self._plates[last:]) / q
            largest: Any = campaigns.largest_means(q)  # (P, S, q), float32 throughout
            return share * utility.gain(largest, best, 1)
        finish = np.full(len(best), self._settings.finish, np.float32)  # (P,)
        batch = campaigns.fill(finish, q, last=True)
        improves = utility.aim is Aim.IMPROVEMENT
        floor = best if improves else np.full_like(best, -np.inf)
        unit = self._unit_gain(len(self._plates) - last) if improves else 1.0
        normals = quasi_random_normals(LAST_BATCH_SAMPLES, q)  # (I, q)
        return unit * campaigns.best_of(batch, floor, normals)
