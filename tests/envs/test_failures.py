"""A problem that raises an error in mid-air leaves campaigns that can be gone on with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from ombo_gym.design_spaces import BoxDesigns, Designs
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.vector_env import CampaignVectorEnv
from tests.envs.cases import assert_same


class Failing(Problem):
    """A parabola whose measurements can be made to fail, by "evaluate" or "measure"."""

    fails = ""

    def __init__(self) -> None:
        self.design_space = BoxDesigns(1)

    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"top": rngs.random((1,))}

    def evaluate(self, instances: Instances, designs: Designs) -> np.ndarray:
        self.stop("evaluate")
        return -((designs - instances["top"][:, None]) ** 2).sum(axis=-1)

    def measure(
        self, instances: Instances, designs: Designs, values: Any, rngs: BatchedGenerator
    ) -> Any:
        self.stop("measure")
        return values

    def stop(self, where: str) -> None:
        if self.fails == where:
            raise RuntimeError("the robot is out of order")


HALF = np.full((2, 1), 0.5, np.float32)


@pytest.mark.parametrize("where", ["evaluate", "measure"])
@pytest.mark.parametrize("played", [0, 1, 2])
def test_a_reset_that_fails_leaves_a_campaign_that_needs_another(played: int, where: str) -> None:
    problem = Failing()
    env, twin = (CampaignEnv(each, horizon=2, batch_size=2) for each in (problem, Failing()))
    env.reset(seed=0)
    for _ in range(played):
        env.step(HALF)
    problem.fails = where
    with pytest.raises(RuntimeError, match="out of order"):
        env.reset(seed=1)
    problem.fails = ""
    with pytest.raises(ResetNeeded):
        env.step(HALF)
    assert_same(env.reset(seed=1), twin.reset(seed=1))
    assert_same(env.step(HALF), twin.step(HALF))


@pytest.mark.parametrize("where", ["evaluate", "measure"])
def test_a_step_that_fails_leaves_the_campaign_as_it_was(where: str) -> None:
    problem = Failing()
    env, twin = (CampaignEnv(each, horizon=2, batch_size=2) for each in (problem, Failing()))
    assert_same(env.reset(seed=0), twin.reset(seed=0))
    for _ in range(2):
        problem.fails = where
        with pytest.raises(RuntimeError, match="out of order"):
            env.step(HALF)
        problem.fails = ""
        assert_same(env.step(HALF), twin.step(HALF))


def test_a_step_that_fails_for_one_plate_size_leaves_all_rows_as_they_were() -> None:
    """Rows with plates of different sizes are measured group by group, and written together."""

    class Picky(Failing):
        def evaluate(self, instances: Instances, designs: Designs) -> np.ndarray:
            if self.fails and designs.shape[1] == 3:
                self.stop("evaluate")
            return -((designs - instances["top"][:, None]) ** 2).sum(axis=-1)

    settings: dict[str, Any] = {"horizon": 2, "batch_size": [1, 3], "noise_std": 0.1}
    problem = Picky()
    env, twin = (CampaignVectorEnv(8, each, **settings) for each in (problem, Picky()))
    assert_same(env.reset(seed=0), twin.reset(seed=0))
    assert set(env.campaigns.plates[:, 0]) == {1, 2, 3}
    env.action_space.seed(0)
    for _ in range(2):
        actions = env.action_space.sample()
        problem.fails = "evaluate"
        with pytest.raises(RuntimeError, match="out of order"):
            env.step(actions)
        problem.fails = ""
        assert_same(env.step(actions), twin.step(actions))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_finite_numbers_are_refused_with_what_to_do(value: float) -> None:
    class Odd(Failing):
        def evaluate(self, instances: Instances, designs: Designs) -> np.ndarray:
            return np.where(designs[..., 0] > 0, value, 0.0)

    class Masked(Odd):
        def feasible(self, instances: Instances, designs: Designs) -> np.ndarray:
            return designs[..., 0] <= 0

    arguments = {"horizon": 1, "batch_size": 2, "start": {"kind": "none"}}
    env = CampaignEnv(Odd(), **arguments)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"Odd.evaluate: expected finite .* `feasible` says which"):
        env.step(HALF)
    env = CampaignEnv(Masked(), **arguments)
    env.reset(seed=0)
    assert env.step(HALF)[-1]["infeasible"] == 2
