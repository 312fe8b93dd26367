"""How many candidates climb: none, one, or several."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ombo_gym.acquisition.greedy_batch import maximize_score
from ombo_gym.acquisition.local_climb import make_climb
from ombo_gym.acquisition.upper_confidence_bound import UpperConfidenceBound
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import campaign_spec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior, condition_on_dataset
from ombo_gym.surrogates.surrogate import make_surrogate
from ombo_gym.vector_env import CampaignVectorEnv

ROWS = 4


@pytest.fixture(scope="module")
def group() -> CandidatePosterior:
    env = CampaignVectorEnv(ROWS, GP(dim=2), batch_size=1, start={"kind": "random", "size": 5})
    observation, _ = env.reset(seed=2)
    spec, rngs = campaign_spec(env), GeneratorBatch(np.random.default_rng(1).spawn(ROWS), ROWS)
    (found,) = condition_on_dataset(observation, spec, make_surrogate(spec), rngs.take)
    return found


def scores_of(group: CandidatePosterior, **climbing: Any) -> np.ndarray:
    """Upper confidence bounds of the batches of one design, (R,)."""
    bound = UpperConfidenceBound(np.full(ROWS, 2.0))
    batch = maximize_score(group, group.space, bound, **climbing)  # (R, 1, 2)
    at = group.posterior.at(group.space.features(batch))
    return (at.mean + 2.0 * at.sd)[:, 0]


def test_a_single_candidate_climbs_to_a_better_design(group: CandidatePosterior) -> None:
    best_candidates = scores_of(group, num_restarts=0, max_iterations=20)
    climbed = scores_of(group, num_restarts=1, max_iterations=20)
    assert (climbed >= best_candidates).all() and (climbed > best_candidates + 1e-6).any()


@pytest.mark.parametrize(("num_restarts", "max_iterations"), [(0, 20), (4, 0)])
def test_none_climb_where_none_are_to(
    num_restarts: int, max_iterations: int, group: CandidatePosterior
) -> None:
    assert make_climb(group, group.space, num_restarts, max_iterations) is None
    batch_scores = scores_of(group, num_restarts=num_restarts, max_iterations=max_iterations)
    bound = group.marginals.mean + 2.0 * group.marginals.sd  # (R, M)
    np.testing.assert_allclose(batch_scores, bound.max(axis=1), rtol=1e-12)
