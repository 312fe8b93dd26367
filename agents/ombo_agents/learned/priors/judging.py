"""How well priors foretell instances that they were not learnt from.

Instances are left out in groups. Of each, some designs are observed, as at a campaign's start and
later, and others are predicted: half of them random, half of them those that do best on average
over the training instances, where policies will look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from ombo_agents.learned.priors.families import Family
from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.learned_prior import LearnedPrior

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

COVERAGE = 0.95
_FOLDS = 6
_OBSERVED = (4, 16)
_PREDICTED = 64
_TIMES = 6  # that an instance is met
_BOUNDED = 12.0  # standard deviations beyond which an error counts no more


@dataclass(frozen=True)
class Fold:
    """A group of instances that are left out, and how they are met.

    Attributes:
        held_out: (H,) instances.
        rest: (I - H,) the others.
        observed: Of each number of observations, (H * times, n) designs of the family.
        predicted: (H * times, T) designs of the family, beside those.
        met: (H * times,) which instance is met.
    """

    held_out: Rows
    rest: Rows
    observed: tuple[Rows, ...]
    predicted: Rows
    met: Rows


@dataclass(frozen=True)
class Judgement:
    """How predictions were.

    Attributes:
        log_scores: (I,) mean log density of an instance's values, in its own standard deviations;
            NaN where it was not left out.
        errors: (E,) in predicted standard deviations, of all that was predicted.
    """

    log_scores: Floats
    errors: Floats

    @property
    def log_score(self) -> float:
        """Mean over the instances that were left out."""
        return float(np.nanmean(self.log_scores))

    @property
    def coverage(self) -> float:
        """Share of predictions whose 95% interval holds what came."""
        reach = NormalDist().inv_cdf(0.5 + COVERAGE / 2)
        return float((np.abs(self.errors) <= reach).mean())

    @property
    def calibration(self) -> float:
        """By what variances are to be multiplied for a coverage of 95%."""
        reach = NormalDist().inv_cdf(0.5 + COVERAGE / 2)
        return float((np.quantile(np.abs(self.errors), COVERAGE) / reach) ** 2)


def folds_of(
    family: Family, values: Floats, rng: np.random.Generator, count: int = _FOLDS
) -> list[Fold]:
    """Groups of instances, each left out once; relatives are left out together.

    What is told of an instance by its closest relatives is no measure of what can be told of one
    that has none.

    Args:
        family: Whose designs.
        values: (I, E) standardised.
        rng: Draws designs.
        count: Groups at most.
    """
    order = by_kinship(values[:, family.probes])
    groups = np.array_split(order, min(count, len(order)))
    return [_fold(family, values, group, rng) for group in groups]


def by_kinship(values: Floats) -> Rows:
    """An order of instances (I, P) in which relatives stand side by side.

    That of the leaves of a tree that joins instances by the rank correlation of what both have;
    where two have nothing in common, it is 0.
    """
    correlations = pd.DataFrame(values.T).corr(method="spearman", min_periods=3).to_numpy()
    distances = 1 - np.nan_to_num(correlations, nan=0.0)
    np.fill_diagonal(distances, 0.0)
    tree = linkage(squareform(distances, checks=False), method="average", optimal_ordering=True)
    leaves: Rows = leaves_list(tree).astype(np.intp)
    return leaves


def _fold(family: Family, values: Floats, group: Rows, rng: np.random.Generator) -> Fold:
    rest = np.setdiff1d(np.arange(len(values)), group)
    probes = family.probes
    known = ~np.isnan(values[:, probes])  # (I, P)
    fewest = int(known[group].sum(axis=1).min())
    counts = [min(n, max(1, fewest // 2)) for n in _OBSERVED]
    predicted = min(_PREDICTED, fewest - max(counts))
    with np.errstate(invalid="ignore"):
        known_values = values[np.ix_(rest, probes)]
        sums = np.nansum(known_values - np.nanmean(known_values, axis=1, keepdims=True), axis=0)
    average = sums / np.maximum(known[rest].sum(axis=0), 1)
    drawn = []
    met = np.repeat(group, _TIMES)
    for instance in met:
        order = rng.permutation(np.flatnonzero(known[instance]))
        first, others = order[: max(counts)], order[max(counts) :]
        best = others[np.argsort(-average[others], kind="stable")][: predicted // 2]
        random = others[~np.isin(others, best)][: predicted - len(best)]
        drawn.append(np.concatenate([first, best, random]))
    rows = probes[np.array(drawn)]
    observed = tuple(rows[:, :n] for n in counts)
    return Fold(group, rest, observed, rows[:, max(counts) :], met)


def judge(
    family: Family, folds: Sequence[Fold], scales: Floats, prior_of: Callable[[Fold], LearnedPrior]
) -> Judgement:
    """Predicts what was left out.

    Args:
        family: Whose designs and values.
        folds: Of its instances.
        scales: (I,) of the instances, in which densities are.
        prior_of: Learns from a fold's rest.
    """
    scores, errors = np.full(len(family.values), np.nan), []
    for fold in folds:
        prior = prior_of(fold)
        scores[fold.held_out] = 0.0
        for observed in fold.observed:
            log_density, error = _predicted(family, fold, observed, prior, scales)
            np.add.at(scores, fold.met, log_density.mean(axis=1))
            errors.append(error.ravel())
    return Judgement(scores / (_TIMES * len(folds[0].observed)), np.concatenate(errors))


def _predicted(
    family: Family, fold: Fold, observed: Rows, prior: LearnedPrior, scales: Floats
) -> tuple[Floats, Floats]:
    """Log densities and errors, (H * times, T) each."""
    features, met = family.space.features, fold.met[:, None]
    values = family.values[met, observed]
    posterior = LearnedPosterior(prior, features(family.designs[observed]), values)
    at = posterior.at(features(family.designs[fold.predicted]))
    came = posterior.standardised(family.values[met, fold.predicted])
    sd = np.sqrt(at.sd**2 + (posterior.noise * posterior.outputscale)[:, None])
    errors = (came - at.mean) / sd
    bounded = np.clip(errors, -_BOUNDED, _BOUNDED)
    widths = np.log(sd * (posterior.scale / scales[fold.met])[:, None])
    widths -= prior.scale.warp.log_slope(came)
    return -0.5 * np.log(2 * np.pi) - widths - 0.5 * bounded**2, errors
