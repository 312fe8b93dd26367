"""Objectives as they may be, given what was measured: draws from the posterior, for any designs.

A draw of the prior is a sum of random waves; what it lacks at the measured designs is added by the
kernel, so that it can be asked anywhere, again and again, in every kind of design space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.advice.draws import WAVES, Part, drawn
from ombo_agents.campaigns.advice.learned_draws import drawn_from_learned
from ombo_agents.campaigns.advice.sampling import sampled_posteriors
from ombo_agents.campaigns.space.factors import Floats
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.conditioning import condition, subsample_dataset
from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import Surrogate, make_surrogate

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
    """What the objective may be drawn from.

    Recipe `fit` with kernel parameters that are drawn from what the data leave of their prior, and
    `isotropic` with every setting, which count by their marginal likelihood (the prior variance
    integrated out). `fit` and `isotropic` as a whole count by their leave-one-out log scores; so
    does a prior that was learnt from past campaigns, where the campaign has one.

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

    recipe = make_surrogate(replace(spec, surrogate={"kernel": "fit"}))
    kept = values[None, subsample_dataset(values[None], recipe.max_data)[0]]
    sampled = sampled_posteriors(recipe, conditioned(recipe), kept)
    posteriors = [conditioned(each) for each in settings_of_isotropic(spec)]
    log_weights = np.array([log_evidence(each)[0] for each in posteriors])
    shares = np.exp(log_weights - log_weights.max())
    shares /= shares.sum()
    groups = [
        [Model(each, 1 / len(sampled)) for each in sampled],
        [Model(each, float(share)) for each, share in zip(posteriors, shares, strict=True)],
    ]
    if spec.surrogate.get("kernel") == "learned":
        groups.append([Model(conditioned(make_surrogate(spec)), 1.0)])
    return _weighed(groups)


def _weighed(groups: Sequence[Sequence[Model]]) -> tuple[Model, ...]:
    """All models, groups of them by their leave-one-out log scores."""
    n = groups[0][0].posterior.targets.shape[1]
    scores = np.array(
        [n * sum(m.weight * log_score(m.posterior) for m in group if m.weight) for group in groups]
    )
    weights = np.ones(len(groups))
    if np.isfinite(scores).all():
        weights = np.exp(np.maximum(scores - scores.max(), -50.0))
    weights /= weights.sum()
    return tuple(
        replace(model, weight=float(weight * model.weight))
        for group, weight in zip(groups, weights, strict=True)
        for model in group
    )


def log_score(posterior: Posterior) -> float:
    """Mean log density of each value in units of scores, as the others foretell it."""
    found = float(posterior.leave_one_out_log_score[0] - np.log(posterior.scale[0]))
    if isinstance(posterior, LearnedPosterior):
        found += float(posterior.prior.scale.warp.log_slope(posterior.targets).mean())
    return found


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
        self._parts: list[Part] = []
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
                some = part.some(own)
                taken._parts.append(replace(some, rows=np.searchsorted(draws, some.rows)))
        return taken

    def at(self, features: Floats) -> Floats:
        """Values (S, m) of the same designs (m, k) in all draws."""
        found = np.empty((len(self), len(features)))
        step = max(1, _ROWS // (2 * WAVES))
        for first in range(0, len(features), step):
            some = slice(first, first + step)
            for part in self._parts:
                found[part.rows, some] = part.at(features[some]).T
        return found

    def at_own(self, features: Floats) -> Floats:
        """Values (S, q) of designs (S, q, k), those of each draw."""
        found = np.empty(features.shape[:2])
        step = max(1, _ROWS // (2 * WAVES * features.shape[1]))
        for part in self._parts:
            for first in range(0, len(part.rows), step):
                some = part.some(np.arange(first, min(first + step, len(part.rows))))
                found[some.rows] = some.at_own(features[some.rows])
        return found


def _drawn(posterior: Posterior, rows: NDArray[np.intp], rng: np.random.Generator) -> Part:
    if isinstance(posterior, LearnedPosterior):
        return drawn_from_learned(posterior, rows, rng)
    return drawn(posterior, rows, rng)
