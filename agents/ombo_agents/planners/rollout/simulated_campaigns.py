"""Campaigns that go on in simulation, many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.spec import Repeats

Floats32 = NDArray[np.float32]
Indices = NDArray[np.intp]

_LEAST = np.float32(1e-12)  # variance
_NEVER = np.float32(-1e30)  # score of what is not to be picked


@dataclass(frozen=True)
class SimulatedBatch:
    """What was picked in P x S campaigns: q candidates each.

    Attributes:
        picks: (P, S, q) candidates.
        means: (P, S, q) what is expected of them.
        loadings: Of each slot j (P, S, j + 1): its value is means + sum of loadings[j][..., i] z_i
            over i <= j, z standard normal numbers.
        mean_shifts: (P, S, q or q - 1, M) what a z of 1 in a slot adds to the posterior means.
    """

    picks: Indices
    means: Floats32
    loadings: list[Floats32]
    mean_shifts: Floats32


class SimulatedCampaigns:
    """P x S simulated campaigns over M candidates: P situations, S futures of each.

    Batches are filled by upper confidence bounds with hallucinated variances. In single precision:
    what is left out is far below the error of averaging over S futures.

    Args:
        mean: (P, S, M) posterior means.
        covariance: (P, M, M) posterior covariances, that situations begin with.
        variance: (P, M) posterior variances.
        noise: (P,) variance of a measurement.
        blocked: (P, M) what is not to be picked.
        max_picks: How many are picked at most.
        repeats: Whether and when a candidate can be picked again.
    """

    def __init__(
        self,
        mean: Floats32,
        covariance: Floats32,
        variance: Floats32,
        noise: Floats32,
        blocked: NDArray[np.bool_],
        *,
        max_picks: int,
        repeats: Repeats,
    ) -> None:
        num_situations, num_futures, num_candidates = mean.shape
        self.mean = mean
        self._covariance = covariance
        self._variance = variance[:, None]  # (P, 1 or S, M): at first the same in all futures
        self._noise = noise[:, None]  # (P, 1)
        self._penalty = np.where(blocked, _NEVER, np.float32(0))[:, None]  # (P, 1 or S, M)
        self._repeats = repeats
        # What a surprise of 1 in each measurement so far adds to the means: with these, and the
        # covariances at the beginning, follow all that came later.
        self._mean_shifts = np.empty(
            (num_situations, num_futures, max_picks, num_candidates), np.float32
        )
        self._num_picked = 0
        self._situation = np.arange(num_situations)[:, None]  # (P, 1)
        self._future = np.arange(num_futures)  # (S,)

    def fill(self, weight: Floats32, q: int, *, last: bool) -> SimulatedBatch:
        """Picks a batch in every campaign.

        Args:
            weight: (P,) of the standard deviation.
            q: Batch size.
            last: Whether nothing is learnt from it.
        """
        situation, future = self._situation, self._future
        picks = np.empty((*self.mean.shape[:2], q), np.intp)  # (P, S, q)
        means = np.empty((*self.mean.shape[:2], q), np.float32)  # (P, S, q)
        loadings: list[Floats32] = []
        first = self._num_picked
        hopes = self._unblocked_means()  # (P, S, M)
        for slot in range(q):
            scores = np.sqrt(self._variance) * weight[:, None, None] + hopes  # (P, S, M)
            pick = scores.argmax(axis=2)  # (P, S)
            picks[..., slot] = pick
            means[..., slot] = self.mean[situation, future, pick]
            variance = self._at_pick(self._variance, pick)  # (P, S)
            deviation = np.sqrt(variance + self._noise)  # (P, S) of the measurement
            shifts = self._mean_shifts[situation, future, : self._num_picked, pick]  # (P, S, n)
            own_loading = variance / deviation  # (P, S)
            loadings.append(np.concatenate([shifts[..., first:], own_loading[..., None]], axis=2))
            if slot + 1 == q and last:
                break
            if self._repeats is not Repeats.ALLOWED:
                hopes[situation, future, pick] = _NEVER
            self._condition_variance(pick, shifts, deviation)
        return SimulatedBatch(
            picks, means, loadings, self._mean_shifts[:, :, first : self._num_picked]
        )

    def _condition_variance(self, pick: Indices, shifts: Floats32, deviation: Floats32) -> None:
        """Variances as after a measurement of what was picked; the means wait for its value.

        Args:
            pick: (P, S).
            shifts: (P, S, n) what each earlier surprise adds to the mean of what was picked.
            deviation: (P, S) standard deviation of the measurement.
        """
        n = self._num_picked
        covariance = self._covariance[self._situation, pick]  # (P, S, M) with all others
        if n == 1:
            covariance -= shifts * self._mean_shifts[:, :, 0]
        elif n:
            earlier = self._mean_shifts[:, :, :n]  # (P, S, n, M)
            covariance -= np.matmul(shifts[:, :, None], earlier)[:, :, 0]
        mean_shift = covariance / deviation[..., None]  # (P, S, M)
        self._mean_shifts[:, :, n] = mean_shift
        self._variance = np.maximum(self._variance - mean_shift * mean_shift, _LEAST)  # (P, S, M)
        self._num_picked += 1

    def _at_pick(self, values: Floats32, pick: Indices) -> Floats32:
        """Of values (P, 1 or S, M) those of picked candidates, (P, S)."""
        future = self._future if values.shape[1] > 1 else 0
        picked: Floats32 = values[self._situation, future, pick]
        return picked

    def learn(self, batch: SimulatedBatch, normals: Floats32) -> Floats32:
        """Measures a batch that `fill` has just picked.

        Args:
            batch: What is measured.
            normals: (S, q) standard normal numbers: how surprising the measurements are.

        Returns:
            (P, S, q) what the measured designs are believed to be worth now.
        """
        self.mean = self.mean + np.matmul(normals[:, None], batch.mean_shifts)[:, :, 0]
        if self._repeats is Repeats.NEVER_AGAIN:
            penalty = np.broadcast_to(self._penalty, self.mean.shape).copy()  # (P, S, M)
            np.put_along_axis(penalty, batch.picks, _NEVER, axis=2)
            self._penalty = penalty
        return np.take_along_axis(self.mean, batch.picks, axis=2)

    def best_of(self, batch: SimulatedBatch, floor: Floats32, normals: Floats32) -> Floats32:
        """Expected best value of a batch, or the floor where that is higher, (P, S).

        Args:
            batch: What `fill` has picked.
            floor: (P, S).
            normals: (I, q) standard normal numbers.
        """
        best = np.broadcast_to(floor[..., None], (*floor.shape, len(normals)))  # (P, S, I)
        for slot, loadings in enumerate(batch.loadings):
            surprise = np.matmul(loadings, normals[:, : slot + 1].T)  # (P, S, I)
            best = np.maximum(best, surprise + batch.means[..., slot, None])
        expected: Floats32 = best.mean(axis=2)
        return expected

    def largest_means(self, q: int) -> Floats32:
        """The largest posterior means, of q different candidates or q times the same, (P, S, q)."""
        hopes = self._unblocked_means()  # (P, S, M)
        if self._repeats is Repeats.ALLOWED:
            return np.repeat(hopes.max(axis=2)[..., None], q, axis=2)
        count = min(q, hopes.shape[2])
        largest = -np.partition(-hopes, count - 1, axis=2)[..., :count]  # (P, S, count)
        return np.where(largest > _NEVER / 2, largest, np.float32(0))

    def _unblocked_means(self) -> Floats32:
        """Posterior means, -1e30 and less of what is not to be picked, (P, S, M)."""
        return self.mean + self._penalty
