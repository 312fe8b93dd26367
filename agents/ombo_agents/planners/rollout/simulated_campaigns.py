"""Campaigns that go on in simulation, many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.spec import Repeats

Singles = NDArray[np.float32]
Picks = NDArray[np.intp]

_LEAST = np.float32(1e-12)  # variance
_NEVER = np.float32(-1e30)  # score of what is not to be picked


@dataclass(frozen=True)
class Batch:
    """What was picked in P x S campaigns: q candidates each.

    Attributes:
        picks: (P, S, q) candidates.
        means: (P, S, q) what is expected of them.
        loadings: Of each slot j (P, S, j + 1): it is means + sum of loadings[j][..., i] z_i over
            i <= j, z standard normal numbers.
        rows: (P, S, q or q - 1, M) what a z of 1 in a slot adds to the posterior means.
    """

    picks: Picks
    means: Singles
    loadings: list[Singles]
    rows: Singles


class SimulatedCampaigns:
    """P x S simulated campaigns over M candidates: P situations, S courses of each.

    Batches are filled by upper confidence bounds with hallucinated variances. In single precision:
    what is left out is far below the error of averaging over S courses.

    Args:
        mean: (P, S, M) posterior means.
        variance: (P, S or 1, M) posterior variances.
        base: (X, M, M) covariances that situations begin with.
        which: (P,) which of them each begins with.
        noise: (P,) variance of a measurement.
        blocked: (P, M) what is not to be picked.
        measurements: How many are picked at most.
        repeats: Whether and when a candidate can be picked again.
    """

    def __init__(
        self,
        mean: Singles,
        variance: Singles,
        base: Singles,
        which: Picks,
        noise: Singles,
        blocked: NDArray[np.bool_],
        *,
        measurements: int,
        repeats: Repeats,
    ) -> None:
        self.mean = mean
        self._variance = variance
        self._base, self._which = base, which[:, None]
        self._noise = noise[:, None]
        self._blocked = np.where(blocked, _NEVER, np.float32(0))[:, None]  # (P, 1 or S, M)
        self._any_blocked = bool(blocked.any())
        self._repeats = repeats
        courses, candidates = mean.shape[:2], mean.shape[2]
        self._rows = np.empty((*courses, measurements, candidates), np.float32)
        self._count = 0  # of rows of the whitened cross-covariance that there are
        self._p = np.arange(mean.shape[0])[:, None]
        self._s = np.arange(mean.shape[1])

    def fill(self, weight: Singles, q: int, *, last: bool) -> Batch:
        """Picks a batch in every campaign.

        Args:
            weight: (P,) of the standard deviation.
            q: Batch size.
            last: Whether nothing is learnt from it.
        """
        p, s, shape = self._p, self._s, self.mean.shape
        picks = np.empty((*shape[:2], q), np.intp)
        means = np.empty((*shape[:2], q), np.float32)
        loadings: list[Singles] = []
        hoped, new = self._hoped(), self._count
        distinct = self._repeats is not Repeats.ALLOWED
        if distinct and hoped is self.mean:
            hoped = hoped.copy()
        weights, scores = weight[:, None, None], np.empty(shape, np.float32)
        for slot in range(q):
            np.multiply(np.sqrt(self._variance), weights, out=scores)
            scores += hoped
            pick = scores.argmax(axis=2)  # (P, S)
            picks[..., slot] = pick
            means[..., slot] = self.mean[p, s, pick]
            variance = self._variance
            spread = variance[p, s, pick] if variance.shape[1] > 1 else variance[p, 0, pick]
            deviation = np.sqrt(spread + self._noise)
            earlier = self._rows[p, s, : self._count, pick]  # (P, S, count)
            own = spread / deviation
            loadings.append(np.concatenate([earlier[..., new:], own[..., None]], axis=2))
            if slot + 1 == q and last:
                break
            if distinct:
                hoped[p, s, pick] = _NEVER
            rest = self._base[self._which, pick]  # (P, S, M), and what takes its place
            if self._count == 1:
                rest -= earlier * self._rows[:, :, 0]
            elif self._count:
                rest -= np.matmul(earlier[:, :, None], self._rows[:, :, : self._count])[:, :, 0]
            row = self._rows[:, :, self._count]
            np.divide(rest, deviation[..., None], out=row)
            np.multiply(row, row, out=rest)
            np.subtract(variance, rest, out=rest)
            self._variance = np.maximum(rest, _LEAST, out=rest)
            self._count += 1
        return Batch(picks, means, loadings, self._rows[:, :, new : self._count])

    def learn(self, batch: Batch, normals: Singles) -> Singles:
        """Measures a batch that `fill` has just picked.

        Args:
            batch: What is measured.
            normals: (S, q) standard normal numbers: how surprising the measurements are.

        Returns:
            (P, S, q) what the measured designs are believed to be worth now.
        """
        self.mean = self.mean + np.matmul(normals[:, None], batch.rows)[:, :, 0]
        if self._repeats is Repeats.NEVER_AGAIN:
            if self._blocked.shape[1] == 1:
                self._blocked = np.broadcast_to(self._blocked, self.mean.shape).copy()
            for slot in range(batch.picks.shape[2]):
                self._blocked[self._p, self._s, batch.picks[..., slot]] = _NEVER
            self._any_blocked = True
        return self.mean[self._p[..., None], self._s[:, None], batch.picks]

    def best_of(self, batch: Batch, floor: Singles, normals: Singles) -> Singles:
        """Expected best value of a batch, or the floor where that is higher, (P, S).

        Args:
            batch: What `fill` has picked.
            floor: (P, S).
            normals: (I, q) standard normal numbers.
        """
        best = np.broadcast_to(floor[..., None], (*floor.shape, len(normals)))  # (P, S, I)
        for slot, loadings in enumerate(batch.loadings):
            value = np.matmul(loadings, normals[:, : slot + 1].T)
            value += batch.means[..., slot, None]
            best = np.maximum(best, value)
        reached: Singles = best.mean(axis=2)
        return reached

    def top(self, q: int) -> Singles:
        """The largest posterior means, of q different candidates or q times the same, (P, S, q)."""
        hoped = self._hoped()
        if self._repeats is Repeats.ALLOWED:
            return np.repeat(hoped.max(axis=2)[..., None], q, axis=2)
        count = min(q, hoped.shape[2])
        best = -np.partition(-hoped, count - 1, axis=2)[..., :count]
        return np.where(best > _NEVER / 2, best, np.float32(0))

    def _hoped(self) -> Singles:
        return self.mean + self._blocked if self._any_blocked else self.mean
