"""Models that objectives may be drawn from, and how likely each is given what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ombo_agents.campaigns.advice import sampling
from ombo_agents.campaigns.advice.warps import Warp, warps_of
from ombo_agents.campaigns.space.factors import Floats
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.conditioning import condition, subsample_dataset
from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import Surrogate, make_surrogate


@dataclass(frozen=True)
class Model:
    """A surrogate with kernel parameters of its own.

    Attributes:
        posterior: Of one campaign, of warped scores.
        weight: How likely it is, 1 over all models.
        warp: Of scores; None: it leaves them as they are.
    """

    posterior: Posterior
    weight: float
    warp: Warp | None = None

    def warped(self, scores: Floats) -> Floats:
        """Scores as the posterior speaks of them."""
        return warped_by(self.warp, scores)

    def scores(self, warped: Floats) -> Floats:
        """The scores that are warped to these."""
        return warped if self.warp is None else self.warp.inverse(warped)


def models_of(
    spec: CampaignSpec, designs: Designs, values: Floats, num_start: int
) -> tuple[Model, ...]:
    """What the objective may be drawn from.

    Recipe `fit` with kernel parameters that are drawn from what the data leave of their prior, and
    `isotropic` with settings of its grid, which count by their marginal likelihood (the prior
    variance integrated out); both of values that are warped, in as many ways as the data leave.
    `fit` and `isotropic` as a whole count by their leave-one-out log scores, less what the choice
    of warps and settings took from the same data; so does a prior that was learnt from past
    campaigns, where the campaign has one.

    Args:
        spec: Of the campaign.
        designs: (n, *shape) measured.
        values: (n,).
        num_start: How many of them are the start.

    References:
        Yao, Vehtari, Simpson and Gelman, Using stacking to average Bayesian predictive
        distributions, Bayesian Analysis 2018, section 3.4 (weights by leave-one-out scores).
    """
    at = _Data(spec, designs, values, num_start)
    warps, log_prior = warps_of(values)
    settings = settings_of_isotropic(spec)
    found = [log_evidence_of_warps(at.posterior(each), warps) for each in settings]
    log_weights = np.stack(found, axis=1) + log_prior[:, None]  # (K, settings)
    shares = np.exp(log_weights - log_weights.max())
    shares /= shares.sum()
    by_warp = shares.sum(axis=1)
    likeliest = warps[int(by_warp.argmax())]
    groups = [_fitted(at, likeliest, [warps[each] for each in _spread(by_warp)])]
    groups.append([])
    pairs, counts = np.unique(_spread(shares.ravel()), return_counts=True)
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        warp, setting = warps[pair // len(settings)], settings[pair % len(settings)]
        groups[1].append(Model(at.posterior(setting, warp), count / sampling.CHAINS, warp))
    said = _said_by_data(shares, log_prior)
    spent = [said, said]
    if spec.surrogate.get("kernel") == "learned":
        groups.append([Model(at.posterior(make_surrogate(spec)), 1.0)])
        spent.append(0.0)
    return _weighed(groups, spent)


@dataclass(frozen=True)
class _Data:
    """What was measured; attributes as arguments of `models_of`."""

    spec: CampaignSpec
    designs: Designs
    values: Floats
    num_start: int

    def posterior(self, surrogate: Surrogate, warp: Warp | None = None) -> Posterior:
        """Of one campaign, of warped values."""
        return condition(
            surrogate,
            self.spec.design_space,
            self.designs[None],
            warped_by(warp, self.values)[None],
            np.array([self.num_start]),
        )[0]


def _fitted(at: _Data, likeliest: Warp | None, warps: Sequence[Warp | None]) -> list[Model]:
    """Models of recipe `fit`, one a warp, with kernel parameters as the data leave them."""
    recipe = make_surrogate(replace(at.spec, surrogate={"kernel": "fit"}))
    kept = at.values[subsample_dataset(at.values[None], recipe.max_data)[0]]
    warped = np.stack([warped_by(warp, kept) for warp in warps])
    sampled = sampling.sampled_posteriors(recipe, at.posterior(recipe, likeliest), warped)
    return [
        Model(posterior, 1 / len(warps), warp)
        for posterior, warp in zip(sampled, warps, strict=True)
    ]


def _spread(shares: Floats) -> list[int]:
    """Which of K each member of a group is, so that each is there by its share, (K,)."""
    edges = np.cumsum(shares)
    places = edges[-1] * (np.arange(sampling.CHAINS) + 0.5) / sampling.CHAINS
    found = np.searchsorted(edges, places, side="right").tolist()
    return [min(place, len(shares) - 1) for place in found]


def warped_by(warp: Warp | None, values: Floats) -> Floats:
    """Warped values."""
    return values if warp is None else warp(values)


def _said_by_data(shares: Floats, log_prior: Floats) -> float:
    """What data say of warps and settings, in nats: how far shares (K, settings) are from a prior.

    Args:
        shares: Of all, 1 in total.
        log_prior: (K,) of warps, but for a constant; settings are as probable as each other.

    Reference:
        Kullback and Leibler, On information and sufficiency, Annals of Mathematical Statistics
        1951.
    """
    beforehand = log_prior - np.logaddexp.reduce(log_prior) - np.log(shares.shape[1])
    return float((shares * (np.log(np.maximum(shares, 1e-300)) - beforehand[:, None])).sum())


def _weighed(groups: Sequence[Sequence[Model]], spent: Sequence[float]) -> tuple[Model, ...]:
    """All models, groups of them by their leave-one-out log scores, less what was spent on each."""
    n = groups[0][0].posterior.targets.shape[1]
    scores = np.array(
        [n * sum(m.weight * log_score(m) for m in group if m.weight) for group in groups]
    )
    scores -= np.array(spent)
    weights = np.ones(len(groups))
    if np.isfinite(scores).all():
        weights = np.exp(np.maximum(scores - scores.max(), -50.0))
    weights /= weights.sum()
    return tuple(
        replace(model, weight=float(weight * model.weight))
        for group, weight in zip(groups, weights, strict=True)
        for model in group
    )


def log_score(model: Model) -> float:
    """Mean log density of each value in units of scores, as the others foretell it."""
    posterior = model.posterior
    found = float(posterior.leave_one_out_log_score[0] - np.log(posterior.scale[0]))
    if isinstance(posterior, LearnedPosterior):
        found += float(posterior.prior.scale.warp.log_slope(posterior.targets).mean())
    if model.warp is not None:
        values = model.scores(posterior.in_units(posterior.targets))
        found += float(model.warp.log_slope(values).mean())
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
    return _log_evidence(posterior.whiten, posterior.white)[:, 0]


def log_evidence_of_warps(posterior: Posterior, warps: Sequence[Warp | None]) -> Floats:
    """The same of the values of one campaign, were they warped, (K,)."""
    values = posterior.in_units(posterior.targets)[0]
    warped = np.stack([warped_by(warp, values) for warp in warps])  # (K, n)
    slopes = [0.0 if warp is None else warp.log_slope(values).sum() for warp in warps]
    targets = (warped - posterior.shift) / posterior.scale
    white = np.matmul(posterior.whiten, targets.T[None])  # (1, n, K)
    found: Floats = _log_evidence(posterior.whiten, white)[0] + np.array(slopes)
    return found


def _log_evidence(whiten: Floats, white: Floats) -> Floats:
    """(R, n, n) and (R, n, K) -> (R, K)."""
    n = whiten.shape[1]
    log_pivots = np.log(np.diagonal(whiten, axis1=1, axis2=2)).sum(axis=1)
    squares = (white**2).sum(axis=1)  # (R, K)
    found: Floats = log_pivots[:, None] - 0.5 * n * np.log(np.maximum(squares / max(n, 1), 1e-6))
    return found
