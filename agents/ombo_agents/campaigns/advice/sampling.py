"""Kernel parameters that are as probable as the data leave them, in place of the likeliest ones.

With twenty wells a fit may take noise for signal, or signal for noise: objectives that are drawn
with one set of parameters alone promise too much.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.campaigns.space.factors import Floats
from ombo_gym.surrogates.anisotropic_fit import AnisotropicFit
from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.log_posterior import LogPosterior
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import Surrogate

CHAINS = 24
_STEPS = 120  # of each chain
_SIZES = (0.15, 0.5, 1.5)  # of steps, of the logarithms of lengthscales and noise
_LOW, _HIGH = -12.0, 8.0  # of all coordinates


class SampledPosterior(Posterior):
    """Beliefs with given kernel parameters.

    Args:
        surrogate: Recipe `fit`.
        like: A posterior of the same recipe and data, of one campaign.
        values: (1, n) observed.
        given: The kernel parameters.
    """

    def __init__(
        self, surrogate: Surrogate, like: Posterior, values: Floats, given: AnisotropicFit
    ) -> None:
        self._given = given
        super().__init__(surrogate, like.features, values, shift=like.shift, scale=like.scale)

    @override
    def _fit(self, surrogate: Surrogate, squared: Floats) -> None:
        self.noise, self.outputscale = self._given.noise, self._given.outputscale
        self._centre(self._given.mean)
        self.correlation = self._given.correlation
        self.unit = self.correlation.unit
        self.lengthscale = np.exp(np.log(self.unit).mean(axis=1))


def sampled_posteriors(surrogate: Surrogate, fitted: Posterior, values: Floats) -> list[Posterior]:
    """Posteriors whose kernel parameters are drawn from what the data leave of the prior.

    Args:
        surrogate: Recipe `fit`.
        fitted: With the likeliest parameters, of one campaign.
        values: (CHAINS, n) that each rests on.

    Reference:
        Roberts and Rosenthal, Optimal scaling for various Metropolis-Hastings algorithms,
        Statistical Science 2001 (random walks).
    """
    assert surrogate.groups is not None
    known = None
    if surrogate.noise_std:
        known = np.repeat((surrogate.noise_std / fitted.scale) ** 2, CHAINS)
    categories = None if surrogate.categories is None else np.array(surrogate.categories)
    objective = LogPosterior(
        np.repeat(fitted.features, CHAINS, axis=0),
        (values - fitted.shift) / fitted.scale,
        np.array(surrogate.groups, np.intp),
        surrogate.typical_distance,
        surrogate.kernel,
        categories,
        known,
        None if fitted.mean_variance is None else np.repeat(fitted.mean_variance, CHAINS),
    )
    if objective.weights is not None:
        assert fitted.correlation.weights is not None
        objective.weights = np.repeat(fitted.correlation.weights, CHAINS, axis=0)
    groups = np.array(surrogate.groups, np.intp)
    at = _walked(objective, _start(fitted, groups), np.random.default_rng(0x3A1))
    everyone = np.arange(CHAINS)
    noise, outputscale = objective.noise(at, everyone), objective.outputscale(at, everyone)
    mean = objective.mean(at, everyone)
    found: list[Posterior] = []
    for row in range(CHAINS):
        one = slice(row, row + 1)
        weights = None if objective.weights is None else objective.weights[one]
        unit = objective.lengthscales(at[one])
        correlation = Correlation(surrogate.kernel, unit, categories, weights)
        given = AnisotropicFit(correlation, noise[one], outputscale[one], np.zeros(1), mean[one])
        found.append(SampledPosterior(surrogate, fitted, values[one], given))
    return found


def _start(fitted: Posterior, groups: NDArray[np.intp]) -> Floats:
    """The fitted parameters as a point (p + 2,): common log lengthscale, deviations, log noise."""
    logs = np.log(fitted.unit[0])
    each = np.array([logs[groups == group].mean() for group in range(int(groups.max()) + 1)])
    common = float(np.median(each))
    return np.array([common, *(each - common), float(np.log(max(fitted.noise[0], 1e-6)))])


def _walked(objective: LogPosterior, start: Floats, rng: np.random.Generator) -> Floats:
    """Where chains are after a random walk from one point, (CHAINS, p + 2)."""
    everyone = np.arange(CHAINS)
    at = np.tile(np.clip(start, _LOW, _HIGH), (CHAINS, 1))
    value = objective.value(at, everyone)
    width = at.shape[1]
    for _ in range(_STEPS):
        moves = rng.random((CHAINS, width)) < max(2.0, 0.3 * width) / width
        size = rng.choice(_SIZES, (CHAINS, 1))
        tried = at + moves * size * rng.standard_normal((CHAINS, width))
        inside = ((tried > _LOW) & (tried < _HIGH)).all(axis=1)
        tried_value = objective.value(np.clip(tried, _LOW, _HIGH), everyone)
        taken = inside & (np.log(rng.random(CHAINS)) < tried_value - value)
        at = np.where(taken[:, None], tried, at)
        value = np.where(taken, tried_value, value)
    return at
