"""Draws from the posterior of one model: sums of random waves, and what these lack at the data.

References:
    Rahimi and Recht, Random features for large-scale kernel machines, NIPS 2007 (waves). Wilson,
    Borovitskiy, Terenin, Mostowsky and Deisenroth, Efficiently sampling functions from Gaussian
    process posteriors, ICML 2020 (what is added).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.space.factors import Floats
from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.posterior import Posterior

WAVES = 512  # each with a cosine and a sine
_MATERN_FREEDOM = {"matern52": 5}  # degrees of the t distribution of frequencies; rbf: normal


@dataclass(frozen=True)
class Part:
    """The draws from one model.

    Attributes:
        posterior: Of the model.
        rows: (S,) which draws these are.
        frequencies: (W, k) of waves, in units of the lengthscales.
        amplitudes: (2 W, S) of cosines and sines.
        corrections: (n, S) what the kernel of each measured design is taken times.
        sizes: (S,) standard deviation beforehand, in standardised units.
    """

    posterior: Posterior
    rows: NDArray[np.intp]
    frequencies: Floats
    amplitudes: Floats
    corrections: Floats
    sizes: Floats

    def at(self, features: Floats) -> Floats:
        """Values (m, S) of designs (m, k), the same in all draws."""
        scaled = self._scaled(features)
        found: Floats = self._prior(scaled) + self._kernel(features).T @ self.corrections
        return self._in_units(found, scaled)

    def at_own(self, features: Floats) -> Floats:
        """Values (S, q) of designs (S, q, k), those of each draw."""
        draws, q, k = features.shape
        flat = features.reshape(-1, k)
        scaled = self._scaled(flat)
        found = self._prior_own(scaled.reshape(draws, q, -1))
        kernel = self._kernel(flat).reshape(-1, draws, q)  # (n, S, q)
        found += np.einsum("nsq,ns->sq", kernel, self.corrections)
        return self._own_in_units(found, scaled)

    def some(self, draws: NDArray[np.intp]) -> Self:
        """Some of the draws."""
        return replace(
            self,
            rows=self.rows[draws],
            amplitudes=self.amplitudes[:, draws],
            corrections=self.corrections[:, draws],
            sizes=self.sizes[draws],
        )

    def _scaled(self, features: Floats) -> Floats:
        scaled: Floats = self.posterior.correlation.scaled(features[None])[0]
        return scaled

    def _kernel(self, features: Floats) -> Floats:
        """Correlations of the measured designs and others (m, k), (n, m)."""
        correlation = self.posterior.correlation
        known, new = (
            correlation.lifted(correlation.scaled(each))
            for each in (self.posterior.features, features[None])
        )
        found: Floats = correlation.between(known, new)[0]
        return found

    def _prior(self, scaled: Floats) -> Floats:
        """Values (m, S) beforehand of designs (m, K) in units of the lengthscales."""
        found: Floats = waves(scaled, self.frequencies) @ self.amplitudes
        return found

    def _prior_own(self, scaled: Floats) -> Floats:
        """Values (S, q) beforehand of designs (S, q, K), those of each draw."""
        found: Floats = np.matmul(waves(scaled, self.frequencies), self.amplitudes.T[:, :, None])
        return found[..., 0]

    def _in_units(self, values: Floats, scaled: Floats) -> Floats:
        """Values (m, S) relative to the standard deviation beforehand, in units of scores."""
        found: Floats = self.posterior.shift[0] + self.posterior.scale[0] * self.sizes * values
        return found

    def _own_in_units(self, values: Floats, scaled: Floats) -> Floats:
        """The same of values (S, q)."""
        found: Floats = self._in_units(values.T, scaled).T
        return found


def drawn(posterior: Posterior, rows: NDArray[np.intp], rng: np.random.Generator) -> Part:
    """S draws from a posterior, each with a prior variance as likely as the data leave it."""
    n, draws = posterior.targets.shape[1], len(rows)
    sizes = np.sqrt(posterior.outputscale[0] * n / rng.chisquare(n, draws))  # (S,)
    correlation = posterior.correlation
    frequencies = frequencies_of(correlation, posterior.features.shape[2], rng)
    amplitudes = rng.standard_normal((2 * WAVES, draws)) / np.sqrt(WAVES)
    scaled = correlation.scaled(posterior.features)[0]  # (n, k)
    noise = np.sqrt(posterior.noise[0]) * rng.standard_normal((n, draws))
    prior = waves(scaled, frequencies) @ amplitudes  # (n, S)
    lacking = posterior.targets[0][:, None] / sizes - prior - noise
    whiten = posterior.whiten[0]
    return Part(posterior, rows, frequencies, amplitudes, whiten.T @ (whiten @ lacking), sizes)


def frequencies_of(correlation: Correlation, width: int, rng: np.random.Generator) -> Floats:
    """Frequencies whose waves have a stationary kernel on average, (W, width).

    Of a weighted sum of kernels, of numbers, of categories and of both, each wave is of one.

    Args:
        correlation: The kernel, with its lengthscales.
        width: Numbers that it sees of a design.
        rng: Where they come from.
    """
    frequencies = np.zeros((WAVES, width))
    freedom = _MATERN_FREEDOM.get(correlation.kernel)
    for columns in correlation.parts:
        some = np.arange(width)[columns]
        drawn = rng.standard_normal((WAVES, len(some)))
        if freedom is not None:
            drawn *= np.sqrt(freedom / rng.chisquare(freedom, (WAVES, 1)))
        frequencies[:, some] = drawn
    if correlation.weights is not None:
        numbers, categories = correlation.parts
        edges = np.cumsum(correlation.weights[0])
        kind = np.searchsorted(edges, edges[-1] * rng.random(WAVES), side="right")
        frequencies[np.ix_(kind == 0, categories)] = 0.0  # type: ignore[arg-type]
        frequencies[np.ix_(kind == 1, numbers)] = 0.0  # type: ignore[arg-type]
    return frequencies


def waves(scaled: Floats, frequencies: Floats) -> Floats:
    """Cosines and sines of designs (..., k) in units of the lengthscales, (..., 2 W)."""
    phases = scaled @ frequencies.T
    return np.concatenate([np.cos(phases), np.sin(phases)], axis=-1)
