"""What is looked at: of which campaigns, on which data, and each as if it were alone."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.problems.biology.tf_binding import TFBinding
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import condition_on_dataset
from ombo_gym.surrogates.surrogate import make_surrogate
from tests.surrogates.test_posterior import textbook_posterior


def observation_of(designs, values, counts, capacity):
    """Campaigns of some space, the first counts[i] rows of each in use."""
    observed = np.arange(capacity) < np.asarray(counts)[:, None]
    mask = observed.reshape(*observed.shape, *[1] * (designs.ndim - 2))
    return {
        "designs": np.where(mask, designs, 0).astype(designs.dtype),
        "measurements": np.where(observed, values, 0.0),
        "observed": observed.astype(np.int8),
        "from_start": observed.astype(np.int8),
        "rounds_left": np.full((len(counts), 1), 3, np.float32),
        "plates": np.full((len(counts), 3), 4, np.float32),
    }


def generators(rows):
    return [np.random.default_rng([7, i]) for i in range(rows)]


def spec_of(problem, surrogate, noise_std=0.0):
    return CampaignSpec(
        problem.design_space,
        horizons=(1, 3),
        batch_sizes=(1, 4),
        noise_std=noise_std,
        surrogate=surrogate,
        prior=problem.prior,
    )


def looks(observation, spec, rngs):
    rngs = GeneratorBatch(rngs, len(rngs))
    return list(condition_on_dataset(observation, spec, make_surrogate(spec), rngs.take))


def test_a_campaign_with_more_than_max_data_rows_is_judged_by_those_kept():
    problem, n, max_data = GP(dim=2), 40, 12
    spec = spec_of(problem, {"kernel": "isotropic", "max_data": max_data})
    rng = np.random.default_rng(0)
    designs = rng.uniform(-1, 1, (2, n, 2)).astype(np.float32)
    values = rng.normal(3, 2, (2, n))
    observation = observation_of(designs, values, [n, n], n)
    (group,) = looks(observation, spec, generators(2))
    assert group.num_observed == n
    for row in range(2):
        full = values[row]
        best = np.argsort(-full)[: max_data // 2]
        recent = [i for i in range(n - 1, -1, -1) if i not in best][: max_data - max_data // 2]
        kept = np.sort([*best, *recent])
        targets = (full[kept] - full.mean()) / full.std()  # on the scale of all that was measured
        np.testing.assert_allclose(group.posterior.targets[row], targets, atol=1e-12)
        assert group.best[row] == pytest.approx(targets.max())
        mean, _ = textbook_posterior(
            "matern52",
            designs[row, kept].astype(float),
            targets,
            group.candidates[row].astype(float),
            group.posterior.lengthscale[row],
            group.posterior.noise[row],
        )
        np.testing.assert_allclose(group.marginals.mean[row], mean, atol=1e-7)


SPACES = {
    "GP, 1-D, prior": (GP(dim=1), {"kernel": "prior"}),
    "GP, 2-D, prior": (GP(dim=2), {"kernel": "prior"}),
    "GP, 6-D, fit": (GP(dim=6), {"kernel": "fit", "max_data": 16}),
    "8-mers, fit": (TFBinding(), {"kernel": "fit"}),
}


@pytest.mark.parametrize("name", SPACES)
def test_a_campaign_is_judged_the_same_to_the_bit_alone_and_among_37(name):
    problem, config = SPACES[name]
    space, rows, capacity = problem.design_space, 37, 24
    spec = spec_of(problem, config, 0.1)
    rng = np.random.default_rng(1)
    designs = space.sample(GeneratorBatch(rng.spawn(rows), rows), capacity)
    counts = rng.integers(0, capacity + 1, rows)
    counts[:3] = 0, 1, capacity
    observation = observation_of(designs, rng.normal(size=(rows, capacity)), counts, capacity)
    observation["plates"][:, 0] = rng.integers(1, 5, rows)
    seen = np.zeros(rows, bool)
    for group in looks(observation, spec, generators(rows)):
        for i, row in enumerate(group.env_indices):
            single = {key: array[row : row + 1] for key, array in observation.items()}
            (alone,) = looks(single, spec, generators(rows)[row : row + 1])
            assert group.num_observed == alone.num_observed == counts[row]
            assert group.batch_size == alone.batch_size == observation["plates"][row, 0]
            np.testing.assert_array_equal(group.candidates[i], alone.candidates[0])
            np.testing.assert_array_equal(group.marginals.mean[i], alone.marginals.mean[0])
            np.testing.assert_array_equal(group.marginals.sd[i], alone.marginals.sd[0])
            assert group.best[i] == alone.best[0]
            seen[row] = True
    assert seen.all()


def test_rows_without_rounds_left_are_not_looked_at():
    problem = GP(dim=2)
    spec = spec_of(problem, {"kernel": "prior"})
    rng = np.random.default_rng(2)
    observation = observation_of(
        rng.uniform(-1, 1, (4, 6, 2)).astype(np.float32), rng.normal(size=(4, 6)), [6, 2, 6, 2], 6
    )
    observation["rounds_left"][[0, 3]] = 0
    groups = looks(observation, spec, generators(4))
    assert sorted(row for group in groups for row in group.env_indices) == [1, 2]
