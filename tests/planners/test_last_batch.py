"""What planners on the surrogate count a last batch's improvement from."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from scipy import stats

import ombo_agents
import ombo_gym  # noqa: F401
from ombo_agents.planners.surrogate_planner import SurrogatePlanner
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import campaign_spec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior, condition_on_dataset

ROWS = 3


def situation(utility: str, size: int) -> tuple[SurrogatePlanner, CandidatePosterior]:
    """A planner, and campaigns with `size` measurements in which a last batch is due."""
    start = {"kind": "random", "size": size} if size else {"kind": "none"}
    env = gym.make_vec("Ombo/GP-v0", ROWS, utility=utility, horizon=1, batch_size=2, start=start)
    observation, _ = env.reset(seed=1)
    spec, rngs = campaign_spec(env), GeneratorBatch(np.random.default_rng(2).spawn(ROWS), ROWS)
    planner = ombo_agents.make("rollout", env)
    assert isinstance(planner, SurrogatePlanner)
    (group,) = condition_on_dataset(observation, spec, planner.surrogate, rngs.take)
    return planner, group


@pytest.mark.parametrize(("utility", "size"), [("last_max", 12), ("last_max", 0), ("best", 0)])
def test_no_candidate_is_below_the_floor_where_the_best_value_is_wanted(
    utility: str, size: int
) -> None:
    """So that the largest expected improvement is the largest expected maximum."""
    planner, group = situation(utility, size)
    floor = planner.floor(group)  # (R,)
    mean, sd = group.marginals.mean, group.marginals.sd
    assert stats.norm.cdf(floor[:, None], mean, sd).max() < 1e-8


def test_improvements_count_from_the_best_measurement() -> None:
    planner, group = situation("best", 12)
    np.testing.assert_array_equal(planner.floor(group), group.posterior.targets.max(axis=1))
