"""D-optimal batches of all designs of a list, without the covariances of every two of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.spec import Repeats

Floats = NDArray[np.float64]

_MIN_GAIN = 1e-9  # by which an exchange must raise the determinant, relatively
_PENALTY = 1e12  # more than any variance: what bears it is chosen when nothing else is left
_PIECE = 4096  # designs whose variances are worked out together


class PriorCovariances:
    """Posterior covariances of a linear model's values, in units of a measurement's.

    Args:
        listed: (M, p) regressors of the designs, the same in R campaigns.
        measured: (R, n, p) of what was measured.
        ridge: Precision of the prior of each coefficient.
    """

    def __init__(self, listed: Floats, measured: Floats, ridge: float) -> None:
        self._listed, self._ridge = listed, ridge
        n, p = measured.shape[1:]
        self._few = n < p
        # Covariances are x' F x' with F = (I - W'W) / ridge where rows are few, else F itself.
        if self._few:
            gram = np.matmul(measured, measured.swapaxes(1, 2)) + ridge * np.eye(n)
            self._factor = np.linalg.solve(np.linalg.cholesky(gram), measured)  # W, (R, n, p)
        else:
            precision = np.matmul(measured.swapaxes(1, 2), measured) + ridge * np.eye(p)
            self._factor = np.linalg.inv(precision)  # F, (R, p, p)

    def variances(self) -> Floats:
        """Of all designs, (R, M)."""
        found = np.empty((len(self._factor), len(self._listed)))
        for begin in range(0, len(self._listed), _PIECE):
            piece = self._listed[begin : begin + _PIECE]  # (C, p)
            products = np.matmul(piece, self._factor.swapaxes(1, 2))  # (R, C, n or p)
            if self._few:
                squares = (piece**2).sum(axis=1) - (products**2).sum(axis=2)
                found[:, begin : begin + _PIECE] = squares / self._ridge
            else:
                found[:, begin : begin + _PIECE] = (products * piece).sum(axis=2)
        return found

    def rows(self, campaigns: NDArray[np.intp], picks: NDArray[np.intp]) -> Floats:
        """Covariances of a design of each of some campaigns, (S,) and (S,) -> (S, M)."""
        points, factor = self._listed[picks][..., None], self._factor[campaigns]  # (S, p, 1)
        if self._few:
            explained = np.matmul(factor.swapaxes(1, 2), np.matmul(factor, points))
            weights = (points - explained) / self._ridge
        else:
            weights = np.matmul(factor, points)
        rows: Floats = np.matmul(self._listed, weights)[..., 0]
        return rows


def d_optimal_listed(
    prior: PriorCovariances, usable: NDArray[np.bool_], batch_size: int, repeats: Repeats
) -> tuple[NDArray[np.intp], Floats]:
    """As `d_optimal.d_optimal_batch`, with as many covariances as slots times designs.

    Args:
        prior: Covariances of M designs given what was measured.
        usable: (R, M) designs that may be chosen, while there are such.
        batch_size: q.
        repeats: Unless they are allowed, a batch holds a design once, while there are others.

    Returns:
        (R, q) designs, and (R,) the log of what they multiply the determinant by.
    """
    campaign = np.arange(len(usable))
    batches = _Batches(prior, batch_size)
    chosen = np.zeros(usable.shape, bool)  # (R, M), where a batch holds a design once
    gain = np.zeros(len(usable))  # (R,)
    for slot in range(batch_size):
        scores = batches.variance - _PENALTY * (~usable) - 2 * _PENALTY * chosen
        pick = scores.argmax(axis=1)
        gain += np.log1p(batches.variance[campaign, pick])
        batches.include(campaign, np.full(len(campaign), slot), pick)
        if repeats is not Repeats.ALLOWED:
            chosen[campaign, pick] = True
    for _ in range(4 * batch_size):
        slots, designs, factor = batches.best_exchange(usable & ~chosen)
        improved = np.flatnonzero(factor > 1 + _MIN_GAIN)
        if not improved.size:
            break
        exchanged, new = slots[improved], designs[improved]
        old = batches.picks[improved, exchanged]
        batches.exclude(improved, exchanged)
        batches.include(improved, exchanged, new)
        gain[improved] += np.log(factor[improved])
        if repeats is not Repeats.ALLOWED:
            chosen[improved, old], chosen[improved, new] = False, True
    return batches.picks, gain


class _Batches:
    """Batches of R campaigns, and beliefs given that they are measured.

    Attributes:
        picks: (R, q) designs, -1 in free slots.
        variance: (R, M).
        rows: (R, q, M) covariances of the slots' designs and all; zeros of free slots.
    """

    def __init__(self, prior: PriorCovariances, batch_size: int) -> None:
        self._prior = prior
        self.variance = prior.variances()
        rows, size = self.variance.shape
        self.picks = np.full((rows, batch_size), -1)
        self.rows = np.zeros((rows, batch_size, size))

    def include(
        self, campaigns: NDArray[np.intp], slots: NDArray[np.intp], picks: NDArray[np.intp]
    ) -> None:
        """Measures a design in a free slot of some campaigns, (S,) each."""
        row = self._prior.rows(campaigns, picks)  # (S, M)
        before, each = self.picks[campaigns], np.arange(len(campaigns))[:, None]
        with_slots = np.where(before >= 0, row[each, before], 0.0)  # (S, q)
        row -= np.matmul(with_slots[:, None], self.rows[campaigns])[:, 0]
        scale = 1 / (1 + row[each[:, 0], picks])  # (S,)
        with_slots = self.rows[campaigns, :, picks] * scale[:, None]  # (S, q)
        self.rows[campaigns] -= with_slots[..., None] * row[:, None]
        self.variance[campaigns] -= scale[:, None] * row**2
        self.rows[campaigns, slots] = scale[:, None] * row
        self.picks[campaigns, slots] = picks

    def exclude(self, campaigns: NDArray[np.intp], slots: NDArray[np.intp]) -> None:
        """Takes back what is in a slot of some campaigns, (S,) each."""
        picks, row = self.picks[campaigns, slots], self.rows[campaigns, slots]  # (S,), (S, M)
        scale = 1 / (1 - row[np.arange(len(picks)), picks])  # (S,)
        with_slots = self.rows[campaigns, :, picks] * scale[:, None]  # (S, q)
        self.rows[campaigns] += with_slots[..., None] * row[:, None]
        self.variance[campaigns] += scale[:, None] * row**2
        self.rows[campaigns, slots], self.picks[campaigns, slots] = 0.0, -1

    def best_exchange(
        self, free: NDArray[np.bool_]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
        """The slot, the design for it among those that are free (R, M), and the gain, (R,) each."""
        campaign = np.arange(len(free))
        best, design = np.zeros(self.picks.shape), np.zeros(self.picks.shape, np.intp)  # (R, q)
        for slot in range(self.picks.shape[1]):
            row = self.rows[:, slot]  # (R, M)
            own = row[campaign, self.picks[:, slot]]  # (R,)
            factors = (1 + self.variance) * (1 - own)[:, None] + row**2
            factors = np.where(free, factors, 0.0)
            design[:, slot] = factors.argmax(axis=1)
            best[:, slot] = factors[campaign, design[:, slot]]
        slots = best.argmax(axis=1)
        return slots, design[campaign, slots], best[campaign, slots]
