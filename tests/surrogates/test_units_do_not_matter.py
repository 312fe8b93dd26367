"""A fitted surrogate predicts the same in whatever units parameters are written."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym import CampaignSpec, CandidateDesigns, design_space_of
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate

RAW = np.random.default_rng(0).uniform(-1, 1, (40, 3))
UNITS, SHIFTS = np.array([1e-6, 1e4, 30.0]), np.array([1e-5, -1e5, 0.0])
PAIRS = {
    "box": ({"a": (0, 1), "b": (2, 5)}, {"a": (1e-6, 3e-6), "b": (-2e5, 4e5)}),
    "mixed": (
        {"a": (0, 1), "base": ["x", "y", "z"], "n": [1, 2, 4]},
        {"a": (1e8, 3e8), "base": ["x", "y", "z"], "n": [0.001, 0.002, 0.004]},
    ),
    "levels": ({"a": [1, 2, 4], "b": [5, 6, 7]}, {"a": [10, 20, 40], "b": [-500, -400, -300]}),
}


def spaces_of(kind):
    if kind == "pool":
        given = RAW, RAW * UNITS + SHIFTS
        return [CandidateDesigns(each, scale="linear") for each in given]
    return [design_space_of(each) for each in PAIRS[kind]]


@pytest.mark.parametrize("kind", ["pool", *PAIRS])
def test_predictions_are_the_same_in_all_units(kind):
    found = []
    for space in spaces_of(kind):
        rngs = GeneratorBatch([np.random.default_rng(row) for row in range(2)], 2)
        designs = space.sample(rngs, 30)
        features = space.features(designs)
        values = np.sin(np.arange(2)[:, None] + designs.reshape(2, 30, -1).sum(axis=2))
        posterior = Posterior(make_surrogate(CampaignSpec(space)), features[:, :20], values[:, :20])
        at = posterior.at(features[:, 20:])
        found.append((at.mean, at.sd))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
