"""Candidates that may be best, and what is believed of those that were picked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior, condition_on_dataset
from ombo_gym.surrogates.surrogate import make_surrogate

ROWS, OBSERVED = 3, 6


def group_of(surrogate: str) -> CandidatePosterior:
    """Campaigns on a plane after some measurements, which leave much unknown."""
    problem = GP(dim=2)
    spec = CampaignSpec(
        problem.design_space, horizons=(1, 3), surrogate={"kernel": surrogate}, prior=problem.prior
    )
    rng = np.random.default_rng(4)
    used = np.ones((ROWS, OBSERVED), np.int8)
    observation = {
        "designs": rng.uniform(-1, 1, (ROWS, OBSERVED, 2)).astype(np.float32),
        "measurements": rng.normal(size=(ROWS, OBSERVED)),
        "observed": used,
        "from_start": used,
        "rounds_left": np.full((ROWS, 1), 3, np.float32),
        "plates": np.full((ROWS, 3), 4, np.float32),
    }
    rngs = GeneratorBatch(rng.spawn(ROWS), ROWS)
    (group,) = condition_on_dataset(observation, spec, make_surrogate(spec), rngs.take)
    return group


@pytest.mark.parametrize("surrogate", ["prior", "fit"])
def test_those_of_largest_mean_and_three_standard_deviations_come_first(surrogate: str) -> None:
    group = group_of(surrogate)
    mean, sd = group.marginals.mean, group.marginals.sd
    hopeful = group.most_hopeful(20)
    for row in range(ROWS):
        expected = sorted(range(mean.shape[1]), key=lambda m: -(mean[row, m] + 3 * sd[row, m]))
        assert hopeful[row].tolist() == expected[:20]


def test_measured_ones_come_last() -> None:
    group = group_of("prior")
    count = group.candidates.shape[1]
    measured = np.zeros((ROWS, count), bool)
    measured[np.arange(ROWS)[:, None], group.most_hopeful(5)] = True
    hopeful = replace(group, measured=measured).most_hopeful(count)
    by_hope = measured[np.arange(ROWS)[:, None], hopeful]  # (R, M)
    assert not by_hope[:, :-5].any() and by_hope[:, -5:].all()


@pytest.mark.parametrize("surrogate", ["prior", "fit"])
def test_what_is_believed_of_a_pick_is_what_is_believed_of_that_candidate(surrogate: str) -> None:
    """Fitted surrogates have prior variances of their own, by which beliefs are scaled."""
    group = group_of(surrogate)
    assert (surrogate == "fit") == (group.posterior.outputscale != 1).all()
    marginals, row = group.marginals, np.arange(ROWS)
    for picks in np.array([[0, 5, 9], [7, 2, 2], [3, 3, 8]]):
        picked = marginals.picked(picks)
        np.testing.assert_allclose(picked.mean[:, 0], marginals.mean[row, picks], rtol=1e-12)
        np.testing.assert_allclose(picked.sd[:, 0], marginals.sd[row, picks], rtol=1e-12)
        np.testing.assert_allclose(
            picked.loadings[..., 0], marginals.loadings[row, :, picks], rtol=1e-12
        )
        marginals.fantasize(picks)
