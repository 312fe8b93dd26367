"""The fitted recipe against the isotropic one, on functions of which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from ombo_gym import BoxDesigns, CampaignSpec, MixedDesigns
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates.kernels import matern52, squared_distances
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate

HELD_OUT = 100
MIXED = MixedDesigns(
    {"a": (0, 1), "b": (0, 1), "c": (0, 1), "solvent": list("wxyz"), "base": list("wxyz")}
)


def gain(space, features, values, n):
    """Spearman correlations with held-out values of "fit" minus those of "isotropic", (R,)."""
    found = {}
    for kernel in ("fit", "isotropic"):
        surrogate = make_surrogate(CampaignSpec(space, surrogate={"kernel": kernel}))
        mean = Posterior(surrogate, features[:, :n], values[:, :n]).at(features[:, n:]).mean
        pairs = zip(mean, values[:, n:], strict=True)
        found[kernel] = np.array([spearmanr(*pair).statistic for pair in pairs])
    differences = found["fit"] - found["isotropic"]
    error = 1.96 * differences.std() / np.sqrt(len(differences))
    print(
        f"n={n}: fit {found['fit'].mean():.3f}, isotropic {found['isotropic'].mean():.3f}, "
        f"difference {differences.mean():+.3f} +- {error:.3f}"
    )
    return differences


def of_some_numbers(relevant, lengthscale, rows, n, seed=0):
    """Features (R, n + held out, 6), and values of a process of the first few of them."""
    problem = GP(dim=relevant, lengthscale=lengthscale)
    rngs = GeneratorBatch([np.random.default_rng([seed, row]) for row in range(rows)], rows)
    instances = problem.draw(rngs)
    designs = BoxDesigns(6).sample(rngs, n + HELD_OUT)
    return designs.astype(float), problem.evaluate(instances, designs[..., :relevant])


def of_numbers_and_categories(truth, rows, n, lengthscale, seed=0):
    """Features and values of a process whose kernel is a sum, a product, or both."""
    rngs = GeneratorBatch([np.random.default_rng([seed, row]) for row in range(rows)], rows)
    features = MIXED.features(MIXED.sample(rngs, n + HELD_OUT))  # (R, m, k)
    categories = MIXED.category_features
    numbers, others = (
        matern52(squared_distances(*[features[..., columns] / lengthscale] * 2))
        for columns in (~categories, categories)
    )  # (R, m, m) each
    added, product = (numbers + others) / 2, numbers * others
    kernel = {"sum": added, "product": product, "both": (added + product) / 2}[truth]
    lower = np.linalg.cholesky(kernel + 1e-6 * np.eye(n + HELD_OUT))
    normals = rngs.standard_normal((n + HELD_OUT,))
    return features, np.matmul(lower, normals[..., None])[..., 0]


def test_numbers_that_do_not_matter_and_effects_that_add_up_are_seen():
    """A few campaigns of what is measured on many below."""
    features, values = of_some_numbers(3, 0.6, 12, 50)
    assert gain(BoxDesigns(6), features, values, 50).mean() > 0.1
    features, values = of_numbers_and_categories("sum", 30, 30, 1.0)
    assert gain(MIXED, features, values, 30).mean() > 0.04


@pytest.mark.slow
def test_an_isotropic_truth_is_not_below():
    """Measured on 300 campaigns: see the page on surrogates."""
    features, values = of_some_numbers(6, 1.0, 300, 60)
    assert gain(BoxDesigns(6), features, values, 60).mean() > -0.02


@pytest.mark.slow
def test_with_3_of_6_numbers_relevant():
    features, values = of_some_numbers(3, 0.6, 300, 60)
    assert gain(BoxDesigns(6), features, values, 60).mean() >= 0.20


@pytest.mark.slow
@pytest.mark.parametrize("lengthscale", [0.6, 1.0])
@pytest.mark.parametrize(("truth", "least"), [("sum", 0.08), ("both", 0.0), ("product", -0.02)])
def test_numbers_and_categories(truth, least, lengthscale):
    features, values = of_numbers_and_categories(truth, 400, 30, lengthscale)
    assert gain(MIXED, features, values, 30).mean() >= least
