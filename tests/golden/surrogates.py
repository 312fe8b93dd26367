"""What each surrogate recipe believes of fixed designs, given fixed data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym import BoxDesigns, CampaignSpec, CandidateDesigns, CategoricalDesigns
from ombo_gym.design_spaces import CategoryPool, Designs, DesignSpace, design_space_of
from ombo_gym.priors import GaussianProcess
from ombo_gym.spec import Origin
from ombo_gym.surrogates.conditioning import condition
from ombo_gym.surrogates.surrogate import make_surrogate

OBSERVED, CANDIDATES = 24, 6

_PRIMES = np.sqrt([2.0, 3.0, 5.0, 7.0, 11.0, 13.0])  # whose multiples fill the unit interval
_PARAMETERS = {
    "T": (20, 100),
    "base": ["DBU", "TEA", "DMAP"],
    "loading": {"range": [0.1, 10], "scale": "log"},
    "time": [1, 2, 4, 8],
}

RECIPES: dict[str, dict[str, Any]] = {
    "prior": {"kernel": "prior"},
    "fit": {"kernel": "fit"},
    "isotropic": {"kernel": "isotropic"},
    "rbf": {"kernel": "rbf", "lengthscale": 0.7},
    "matern52": {"kernel": "matern52", "lengthscale": 0.7},
}
TRUNCATED = ("fit", "isotropic")  # recipes that make up for a start below a percentile
TOLERANCE = {"fit": 1e-4}  # of the standard deviation; others: 1e-7
_EXACT = 1e-7


def spaces() -> dict[str, DesignSpace]:
    """One of every kind."""
    points = sequence(40, 3)
    return {
        "box": BoxDesigns(3),
        "categories": CategoricalDesigns([4] * 5),
        "mixed": design_space_of(_PARAMETERS),
        "pool": CandidateDesigns(points, scale="linear"),
        "category pool": CategoryPool((4 * points).astype(np.int64)),
    }


def cases() -> list[tuple[str, str, bool]]:
    """Name of a space, of a recipe, and whether the start is below a percentile."""
    found = [
        (space, recipe, False)
        for space in spaces()
        for recipe in RECIPES
        if recipe != "prior" or space == "box"
    ]
    return found + [(space, recipe, True) for space in ("box", "mixed") for recipe in TRUNCATED]


def sequence(count: int, dim: int) -> NDArray[np.float64]:
    """Points that fill the unit cube, the same on every machine, (count, dim)."""
    multiples = np.arange(1.0, count + 1)[:, None] * _PRIMES[:dim]
    points: NDArray[np.float64] = np.mod(multiples, 1.0, dtype=np.float64)
    return points


def designs_of(space: DesignSpace) -> Designs:
    """Data first, then candidates, (OBSERVED + CANDIDATES, *shape), all different."""
    count = OBSERVED + CANDIDATES
    if space.cube is not None:
        return space.from_unit_cube(sequence(count, space.cube))
    assert space.size is not None
    return space.decode(np.arange(count) * 7 % space.size)


def believed(space_name: str, recipe: str, truncated: bool) -> dict[str, list[float]]:
    """Mean and standard deviation at the candidates, in the units of the values."""
    space = spaces()[space_name]
    spec = CampaignSpec(
        space,
        surrogate=RECIPES[recipe],
        prior=GaussianProcess("matern52", 0.5) if recipe == "prior" else None,
        noise_std=0.1 if recipe == "prior" else None,
        start_capacity=12,
        start_origin=Origin("percentile", 50.0) if truncated else Origin("random"),
    )
    designs = designs_of(space)
    features = space.features(designs)  # (30, k)
    weights = np.cos(np.arange(1.0, 1.0 + features.shape[1]))
    values = 3.0 + np.sin(2 * features @ weights) + 0.5 * features[:, 0]
    starts = np.array([12 if truncated else 0])
    posterior, _ = condition(
        make_surrogate(spec), space, designs[None, :OBSERVED], values[None, :OBSERVED], starts
    )
    at = posterior.at(features[None, OBSERVED:])
    return {
        "mean": (at.mean * posterior.scale[:, None] + posterior.shift[:, None])[0].tolist(),
        "sd": (at.sd * posterior.scale[:, None])[0].tolist(),
    }


def tolerance(recipe: str) -> float:
    """How far a mean may be off, in standard deviations, and a deviation, relatively."""
    return TOLERANCE.get(recipe, _EXACT)
