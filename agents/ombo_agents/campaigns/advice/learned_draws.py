"""Draws of objectives as a prior says that was learnt from other campaigns, given the data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.campaigns.advice.draws import WAVES, Part, frequencies_of, waves
from ombo_agents.campaigns.space.factors import Floats
from ombo_gym.surrogates.learned_posterior import LearnedPosterior


@dataclass(frozen=True)
class LearnedPart(Part):
    """The draws from a learned prior; what `Part` says of waves is the residual's.

    Attributes:
        shared: (r + 1, S) how much of each loading, and of the offset, is in a draw.
    """

    posterior: LearnedPosterior
    shared: Floats

    @override
    def some(self, draws: NDArray[np.intp]) -> Self:
        return replace(super().some(draws), shared=self.shared[:, draws])

    @override
    def _prior(self, scaled: Floats) -> Floats:
        by_shared, by_residual, residual = self._split(scaled)
        own = waves(residual, self.frequencies) @ self.amplitudes
        found: Floats = by_shared @ self.shared + by_residual[:, None] * own
        return found

    @override
    def _prior_own(self, scaled: Floats) -> Floats:
        by_shared, by_residual, residual = self._split(scaled)  # (S, q, ...)
        seen = waves(residual, self.frequencies)
        own = np.matmul(seen, self.amplitudes.T[:, :, None])[..., 0]
        found: Floats = np.matmul(by_shared, self.shared.T[:, :, None])[..., 0]
        found += by_residual * own
        return found

    @override
    def _in_units(self, values: Floats, scaled: Floats) -> Floats:
        standardised = self._mean(scaled)[:, None] + self.sizes * values  # (m, S)
        return self._unwarped(standardised)

    @override
    def _own_in_units(self, values: Floats, scaled: Floats) -> Floats:
        standardised = self._mean(scaled).reshape(values.shape) + self.sizes[:, None] * values
        return self._unwarped(standardised)

    def _unwarped(self, standardised: Floats) -> Floats:
        """Values of any shape in units of scores."""
        found: Floats = self.posterior.in_units(standardised.reshape(1, -1))
        return found.reshape(standardised.shape)

    def _mean(self, scaled: Floats) -> Floats:
        """Values of designs (m, K) beforehand, (m,)."""
        correlation = self.posterior.correlation
        found: Floats = scaled[:, 0] + correlation.offset_mean[0] * scaled[:, self._width]
        return found

    def _split(self, scaled: Floats) -> tuple[Floats, Floats, Floats]:
        """Loadings and offset (..., r + 1), size of the residual (...) and what it sees."""
        correlation, width = self.posterior.correlation, self._width
        by_offset = np.sqrt(correlation.offset_variance[0]) * scaled[..., width : width + 1]
        by_shared = np.concatenate([scaled[..., 2:width], by_offset], axis=-1)
        by_residual = np.sqrt(correlation.residual_variance) * scaled[..., 1]
        return by_shared, by_residual, scaled[..., width + 1 :]

    @property
    def _width(self) -> int:
        """Mean, spread and loadings of a design, 2 + r."""
        return self.posterior.correlation.basis.width


def drawn_from_learned(
    posterior: LearnedPosterior, rows: NDArray[np.intp], rng: np.random.Generator
) -> LearnedPart:
    """S draws from a posterior under a learned prior; arguments as of `draws.drawn`."""
    n, draws, correlation = posterior.targets.shape[1], len(rows), posterior.correlation
    frequencies = frequencies_of(correlation.residual, correlation.embedding.width, rng)
    amplitudes = rng.standard_normal((2 * WAVES, draws)) / np.sqrt(WAVES)
    shared = rng.standard_normal((correlation.basis.width - 1, draws))
    sizes = np.full(draws, np.sqrt(posterior.outputscale[0]))
    nothing = np.zeros((n, draws))
    part = LearnedPart(posterior, rows, frequencies, amplitudes, nothing, sizes, shared)
    scaled = correlation.scaled(posterior.features)[0]  # (n, K)
    noise = np.sqrt(posterior.noise[0]) * rng.standard_normal((n, draws))
    rest = posterior.targets[0] - part._mean(scaled)  # (n,)
    lacking = rest[:, None] / sizes - part._prior(scaled) - noise
    whiten = posterior.whiten[0]
    return replace(part, corrections=whiten.T @ (whiten @ lacking))
