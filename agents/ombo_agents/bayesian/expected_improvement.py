"""Expected improvement of a batch, slot by slot."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, ndtri

from ombo_agents.bayesian.batches import fill
from ombo_agents.bayesian.posterior import PosteriorPolicy
from ombo_agents.settings import whole
from ombo_gym.controls.outlook import Outlook
from ombo_gym.game import Game
from ombo_gym.quasirandom import kronecker
from ombo_gym.randomness import GeneratorRows
from ombo_gym.surrogates.ascent import Marginals
from ombo_gym.surrogates.candidates import looks_at_everything

Floats = NDArray[np.float64]

_LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)
_ROUGH = 32  # draws for all but the last steps of a climb; any first draws are spread evenly
_HIGH, _FAR = 30.0, -1e3  # beyond, leading terms are exact to some digits


class ExpectedImprovement(PosteriorPolicy):
    """The expected improvement of the whole batch over the best observed value, slot by slot.

    A slot maximises what it adds to E[max(best, f_1, ..., f_j)] given the slots before it, whose
    values are drawn jointly; given these, a design's own value is integrated exactly, so that the
    first slot has the textbook's expected improvement. In a box the best candidates climb its
    logarithm from where they stand.

    Args:
        game: The campaigns it is built for.
        draws: Joint draws of the values of the slots before.
        starts: Candidates that climb, in a box; 0: none.
        moves: Steps of a climb, at most.

    Raises:
        ValueError: A setting that is not a whole number, or too small.

    References:
        Jones, Schonlau and Welch, Efficient global optimization of expensive black-box functions,
        1998. Wilson, Hutter and Deisenroth, Maximizing acquisition functions for Bayesian
        optimization, NeurIPS 2018 (greedy batches). Ament et al., Unexpected improvements to
        expected improvement for Bayesian optimization, NeurIPS 2023 (its logarithm).
    """

    def __init__(self, game: Game, *, draws: int, starts: int, moves: int) -> None:
        super().__init__(game)
        self.deterministic = looks_at_everything(self.space)
        self._draws = whole("draws", draws)
        self._starts = whole("starts", starts, at_least=0)
        self._moves = whole("moves", moves, at_least=0)

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        normals = standard_normals(self._draws, self.batch_size)
        return fill(
            outlook,
            self.space,
            LogImprovement(outlook.best, normals),
            self.batch_size,
            distinct=self.distinct,
            starts=self._starts,
            moves=self._moves,
            rough=LogImprovement(outlook.best, normals[:_ROUGH]),
        )


@cache
def standard_normals(count: int, dim: int) -> Floats:
    """Quasi-random standard normal numbers, (count, dim)."""
    return ndtri(kronecker(count, dim))


class LogImprovement:
    """Logarithm of E[max(0, f - max(best, f_1, ..., f_j))], the f_i drawn jointly.

    Args:
        best: (R,) values to improve on.
        normals: (S, q) that the values of picks are drawn with.
    """

    noisy = False

    def __init__(self, best: Floats, normals: Floats) -> None:
        self._normals = normals
        self._incumbents = best[:, None, None]  # (R, 1 or S, 1)

    def _terms(self, at: Marginals) -> tuple[Floats, Floats, Floats, Floats]:
        """Of draws, (R, S, P): Phi / phi, h / phi, share of the mean; and log mean h (R, P)."""
        z = at.mean[:, None] - self._incumbents
        if slots := at.loadings.shape[1]:
            z = z + np.matmul(self._normals[:, :slots], at.loadings)
        z = z / at.sd[:, None]
        ratio, share, log_h = improvement(z)
        highest = log_h.max(axis=1)
        weights = np.exp(log_h - highest[:, None])
        total = weights.sum(axis=1)
        return ratio, share, weights / total[:, None], highest + np.log(total / z.shape[1])

    def value(self, at: Marginals) -> Floats:
        """(R, P)."""
        value: Floats = self._terms(at)[3] + np.log(at.sd)
        return value

    def slope(self, at: Marginals) -> Marginals:
        """By mean, sd and loadings."""
        ratio, share, weights, _ = self._terms(at)
        # EI = sd h(z) with h' = Phi and h - z h' = phi.
        by_mean = weights * ratio / share / at.sd[:, None]
        by_sd = (weights / share).sum(axis=1) / at.sd
        slots = at.loadings.shape[1]
        each = np.broadcast_to(by_mean, (len(by_mean), len(self._normals), by_mean.shape[2]))
        by_loadings = np.matmul(self._normals[:, :slots].T, each)
        return Marginals(by_mean.sum(axis=1), by_sd, by_loadings)

    def picked(self, at: Marginals) -> None:
        """Draws the value of the design that was picked."""
        slots = at.loadings.shape[1]
        values = at.mean[:, None] + at.sd[:, None] * self._normals[:, slots, None]
        values = values + np.matmul(self._normals[:, :slots], at.loadings)  # (R, S, 1)
        self._incumbents = np.maximum(self._incumbents, values)


def improvement(z: Floats) -> tuple[Floats, Floats, Floats]:
    """Phi(z) / phi(z), h(z) / phi(z) and log h(z) with h(z) = phi(z) + z Phi(z).

    Accurate far into the tail; where z is large, the first two are those of 30.

    Reference:
        Ament et al., NeurIPS 2023, equation 9.
    """
    low = np.minimum(z, _HIGH)
    ratio = np.sqrt(0.5 * np.pi) * erfcx(-low / np.sqrt(2.0))
    share = 1.0 + low * ratio
    far = z < _FAR
    share[far] = low[far] ** -2.0  # 1 - |z| Phi / phi to the first order
    log_h = np.log(share) - 0.5 * low**2 - _LOG_SQRT_2PI
    return ratio, share, np.where(z > _HIGH, np.log(np.maximum(z, 1.0)), log_h)
