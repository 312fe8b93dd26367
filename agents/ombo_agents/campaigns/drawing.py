"""Objectives as they may be, given what was measured: draws from the posterior, for any designs.

A draw of the prior is a sum of random waves; what it lacks at the measured designs is added by the
kernel, so that it can be asked anywhere, again and again, in every kind of design space.

References:
    Rahimi and Recht, Random features for large-scale kernel machines, NIPS 2007 (waves). Wilson,
    Borovitskiy, Terenin, Mostowsky and Deisenroth, Efficiently sampling functions from Gaussian
    process posteriors, ICML 2020 (what is added).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.factors import Floats
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.conditioning import condition
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import Surrogate, make_surrogate

_WAVES = 512  # each with a cosine and a sine
_MATERN_FREEDOM = {"matern52": 5}  # degrees of the t distribution of frequencies; rbf: normal
_ROWS = 2**22  # entries of the arrays of waves that are held at once


@dataclass(frozen=True)
class Model:
    """A surrogate with kernel parameters of its own.

    Attributes:
        posterior: Of one campaign.
        weight: How likely it is, 1 over all models.
    """

    posterior: Posterior
    weight: float


def models_of(
    spec: CampaignSpec, designs: Designs, values: Floats, num_start: int
) -> tuple[Model, ...]:
    """What the objective may be drawn from: recipe `fit`, and `isotropic` with every setting.

    The settings of `isotropic` count by their marginal likelihood (the prior variance integrated
    out), `fit` and `isotropic` as a whole by their leave-one-out log scores.

    Args:
        spec: Of the campaign.
        designs: (n, *shape) measured.
        values: (n,).
        num_start: How many of them are the start.

    References:
        Yao, Vehtari, Simpson and Gelman, Using stacking to average Bayesian predictive
        distributions, Bayesian Analysis 2018, section 3.4 (weights by leave-one-out scores).
    """

    def conditioned(surrogate: Surrogate) -> Posterior:
        start = np.array([num_start])
        return condition(surrogate, spec.design_space, designs[None], values[None], start)[0]

    fitted = conditioned(make_surrogate(replace(spec, surrogate={"kernel": "fit"})))
    posteriors = [conditioned(each) for each in settings_of_isotropic(spec)]
    log_weights = np.array([log_evidence(each)[0] for each in posteriors])
    shares = np.exp(log_weights - log_weights.max())
    shares /= shares.sum()
    n = fitted.targets.shape[1]
    scores = np.array([n * each.leave_one_out_log_score[0] for each in (fitted, *posteriors)])
    of_fit = 0.5
    if np.isfinite(scores).all():
        of_fit = float(1 / (1 + np.exp(np.clip(shares @ scores[1:] - scores[0], -50, 50))))
    weights = [of_fit, *((1 - of_fit) * shares)]
    return tuple(
        Model(each, float(weight))
        for each, weight in zip((fitted, *posteriors), weights, strict=True)
    )


def settings_of_isotropic(spec: CampaignSpec) -> list[Surrogate]:
    """Recipe `isotropic` with each lengthscale and noise of its grid."""
    grid = make_surrogate(replace(spec, surrogate={"kernel": "isotropic"}))
    return [
        replace(
            grid,
            lengthscales=(lengthscale,),
            noise_variances=(noise,),
            log_prior=grid.log_prior[at : at + 1],
        )
        for at, lengthscale in enumerate(grid.lengthscales)
        for noise in grid.noise_variances
    ]


def log_evidence(posterior: Posterior) -> Floats:
    """Log marginal likelihood of standardised values, but for what all models share, (R,)."""
    n = posterior.targets.shape[1]
    squares = (posterior.white[..., 0] ** 2).sum(axis=1)  # (R,)
    log_pivots = np.log(np.diagonal(posterior.whiten, axis1=1, axis2=2)).sum(axis=1)
    found: Floats = log_pivots - 0.5 * n * np.log(np.maximum(squares / max(n, 1), 1e-6))
    return found


@dataclass(frozen=True)
class _Part:
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
        waves = _waves(self._scaled(features), self.frequencies)  # (m, 2 W)
        found: Floats = waves @ self.amplitudes + self._kernel(features).T @ self.corrections
        return self._in_units(found)

    def at_own(self, features: Floats) -> Floats:
        """Values (S, q) of designs (S, q, k), those of each draw."""
        draws, q, k = features.shape
        flat = features.reshape(-1, k)
        waves = _waves(self._scaled(flat), self.frequencies).reshape(draws, q, -1)
        found = np.matmul(waves, self.amplitudes.T[:, :, None])[..., 0]
        kernel = self._kernel(flat).reshape(-1, draws, q)  # (n, S, q)
        found += np.einsum("nsq,ns->sq", kernel, self.corrections)
        in_units: Floats = self._in_units(found.T).T
        return in_units

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

    def _in_units(self, values: Floats) -> Floats:
        """Values (m, S) relative to the standard deviation beforehand, in units of scores."""
        found: Floats = self.posterior.shift[0] + self.posterior.scale[0] * self.sizes * values
        return found


class DrawnObjectives:
    """S objectives, each drawn from one of some models given the data.

    Args:
        models: To draw from, see `models_of`.
        count: S.
        seed: The same seed draws the same.

    Attributes:
        noise_std: (S,) standard deviation of a measurement, in units of scores.
    """

    def __init__(self, models: Sequence[Model], count: int, seed: int) -> None:
        rng = np.random.default_rng([seed, 0x0B1EC7])
        edges = np.cumsum([model.weight for model in models])
        places = edges[-1] * (rng.random() + np.arange(count)) / count
        which = rng.permutation(np.searchsorted(edges, places, side="right"))
        which = np.minimum(which, len(models) - 1)  # (S,)
        self.noise_std = np.zeros(count)  # (S,)
        self._parts = []
        for at in np.unique(which).tolist():
            part = _drawn(models[at].posterior, np.flatnonzero(which == at), rng)
            noise = np.sqrt(part.posterior.noise[0]) * part.sizes * part.posterior.scale[0]
            self.noise_std[part.rows] = noise
            self._parts.append(part)

    def __len__(self) -> int:
        return len(self.noise_std)

    def take(self, draws: NDArray[np.intp]) -> DrawnObjectives:
        """Some of them, in ascending order."""
        taken = object.__new__(type(self))
        taken.noise_std = self.noise_std[draws]
        taken._parts = []
        for part in self._parts:
            own = np.flatnonzero(np.isin(part.rows, draws))
            if len(own):
                some = _some(part, own)
                taken._parts.append(replace(some, rows=np.searchsorted(draws, some.rows)))
        return taken

    def at(self, features: Floats) -> Floats:
        """Values (S, m) of the same designs (m, k) in all draws."""
        found = np.empty((len(self), len(features)))
        step = max(1, _ROWS // (2 * _WAVES))
        for first in range(0, len(features), step):
            some = slice(first, first + step)
            for part in self._parts:
                found[part.rows, some] = part.at(features[some]).T
        return found

    def at_own(self, features: Floats) -> Floats:
        """Values (S, q) of designs (S, q, k), those of each draw."""
        found = np.empty(features.shape[:2])
        step = max(1, _ROWS // (2 * _WAVES * features.shape[1]))
        for part in self._parts:
            for first in range(0, len(part.rows), step):
                some = _some(part, np.arange(first, min(first + step, len(part.rows))))
                found[some.rows] = some.at_own(features[some.rows])
        return found


def _some(part: _Part, draws: NDArray[np.intp]) -> _Part:
    return replace(
        part,
        rows=part.rows[draws],
        amplitudes=part.amplitudes[:, draws],
        corrections=part.corrections[:, draws],
        sizes=part.sizes[draws],
    )


def _drawn(posterior: Posterior, rows: NDArray[np.intp], rng: np.random.Generator) -> _Part:
    """S draws from a posterior, each with a prior variance as likely as the data leave it."""
    n, draws = posterior.targets.shape[1], len(rows)
    sizes = np.sqrt(posterior.outputscale[0] * n / rng.chisquare(n, draws))  # (S,)
    frequencies = _frequencies(posterior, rng)
    amplitudes = rng.standard_normal((2 * _WAVES, draws)) / np.sqrt(_WAVES)
    scaled = posterior.correlation.scaled(posterior.features)[0]  # (n, k)
    noise = np.sqrt(posterior.noise[0]) * rng.standard_normal((n, draws))
    prior = _waves(scaled, frequencies) @ amplitudes  # (n, S)
    lacking = posterior.targets[0][:, None] / sizes - prior - noise
    whiten = posterior.whiten[0]
    return _Part(posterior, rows, frequencies, amplitudes, whiten.T @ (whiten @ lacking), sizes)


def _frequencies(posterior: Posterior, rng: np.random.Generator) -> Floats:
    """Frequencies whose waves have the posterior's kernel on average, (W, k).

    Of a weighted sum of kernels, of numbers, of categories and of both, each wave is of one.
    """
    correlation = posterior.correlation
    features = posterior.features.shape[2]
    frequencies = np.zeros((_WAVES, features))
    freedom = _MATERN_FREEDOM.get(correlation.kernel)
    for columns in correlation.parts:
        some = np.arange(features)[columns]
        drawn = rng.standard_normal((_WAVES, len(some)))
        if freedom is not None:
            drawn *= np.sqrt(freedom / rng.chisquare(freedom, (_WAVES, 1)))
        frequencies[:, some] = drawn
    if correlation.weights is not None:
        numbers, categories = correlation.parts
        edges = np.cumsum(correlation.weights[0])
        kind = np.searchsorted(edges, edges[-1] * rng.random(_WAVES), side="right")
        frequencies[np.ix_(kind == 0, categories)] = 0.0  # type: ignore[arg-type]
        frequencies[np.ix_(kind == 1, numbers)] = 0.0  # type: ignore[arg-type]
    return frequencies


def _waves(scaled: Floats, frequencies: Floats) -> Floats:
    """Cosines and sines of designs (m, k) in units of the lengthscales, (m, 2 W)."""
    phases = scaled @ frequencies.T
    return np.concatenate([np.cos(phases), np.sin(phases)], axis=1)
