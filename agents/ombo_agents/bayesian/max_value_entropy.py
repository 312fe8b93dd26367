"""Max-value entropy search."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, log_ndtr

from ombo_agents.bayesian.batches import fill
from ombo_agents.bayesian.posterior import PosteriorPolicy
from ombo_agents.bayesian.thompson import posterior_samples
from ombo_agents.settings import whole
from ombo_gym.controls.outlook import Outlook
from ombo_gym.randomness import GeneratorRows
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.ascent import Marginals

Floats = NDArray[np.float64]


class MaxValueEntropy(PosteriorPolicy):
    """What a design tells of the largest value that there is, slot by slot.

    Largest values are drawn from the joint posterior over candidates, and are at least the best
    observed one. Slots see the variance that is left once those before them are measured; where
    designs can move, as in a box, the best candidates climb.

    Args:
        spec: Of the campaigns it is built for.
        maxima: Largest values that are drawn.
        starts: Candidates that climb, where designs can move; 0: none.
        moves: Steps of a climb, at most.

    Reference:
        Wang and Jegelka, Max-value entropy search for efficient Bayesian optimization, ICML 2017,
        equation 6; Moss et al., GIBBON, JMLR 22, 2021 (batches).
    """

    def __init__(self, spec: CampaignSpec, *, maxima: int, starts: int, moves: int) -> None:
        super().__init__(spec)
        self._maxima = whole("maxima", maxima)
        self._starts = whole("starts", starts, at_least=0)
        self._moves = whole("moves", moves, at_least=0)

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        _, samples, _ = posterior_samples(outlook, self.space, self._maxima, draws)
        maxima = np.maximum(samples.max(axis=2), outlook.best[:, None] + _GAP)
        return fill(
            outlook,
            self.space,
            MaxValueInformation(maxima),
            outlook.batch_size,
            starts=self._starts,
            moves=self._moves,
        )


_GAP = 1e-3  # standardised units by which the largest value exceeds all that were observed


class MaxValueInformation:
    """Mean over maxima of g r / 2 - log Phi(g), with g = (maximum - mean) / sd and r = phi / Phi.

    Args:
        maxima: (R, K).
    """

    noisy = True

    def __init__(self, maxima: Floats) -> None:
        self._maxima = maxima[..., None]

    def _terms(self, at: Marginals) -> tuple[Floats, Floats]:
        gap = (self._maxima - at.mean[:, None]) / at.sd[:, None]  # (R, K, P)
        return gap, np.sqrt(2 / np.pi) / erfcx(-np.clip(gap, None, 35.0) / np.sqrt(2))

    def value(self, at: Marginals) -> Floats:
        """(R, P)."""
        gap, ratio = self._terms(at)
        value: Floats = (0.5 * gap * ratio - log_ndtr(gap)).mean(axis=1)
        return value

    def slope(self, at: Marginals) -> Marginals:
        """By mean, sd and loadings."""
        gap, ratio = self._terms(at)
        by_gap = -0.5 * ratio * (1 + gap * (gap + ratio)) / at.sd[:, None]
        by_sd = -(by_gap * gap).mean(axis=1)
        return Marginals(-by_gap.mean(axis=1), by_sd, np.zeros_like(at.loadings))

    def picked(self, at: Marginals) -> None:
        """Values of picks do not matter."""
