"""A fitted kernel learns from numbers and choices together."""

from __future__ import annotations

import numpy as np
import pytest

import ombo_agents
from ombo_gym.evaluation.statistics import mean_interval
from ombo_gym.vector_env import CampaignVectorEnv
from tests.design_spaces.mixed_processes import SHARES, MixedProcess

DRAWS, SEED = 200, 10_000


def best_values(policy: str, env: CampaignVectorEnv) -> np.ndarray:
    player = ombo_agents.make(policy, env)
    observation, infos = env.reset(seed=SEED)
    rngs = [np.random.default_rng([1, row]) for row in range(DRAWS)]
    for _ in range(4):
        observation, _, _, _, infos = env.step(player.act(observation, rngs))
    return infos["best_value"]


def test_the_processes_have_variance_1_and_their_optima_are_above_what_is_found() -> None:
    for kind in SHARES:
        problem = MixedProcess(kind)
        env = CampaignVectorEnv(6, problem, start={"kind": "random", "size": 60})
        observation, infos = env.reset(seed=0)
        values = observation["measurements"][:, :60]
        assert 0.6 < (values**2).mean() < 1.5, kind
        few = {name: array[:3] for name, array in env.campaigns.instances.items()}
        assert (infos["best_value"][:3] <= problem.optimum(few) + 0.02).all(), kind


@pytest.mark.slow
@pytest.mark.parametrize("kind", SHARES)
def test_ucb_has_under_half_of_randoms_regret(kind: str) -> None:
    problem = MixedProcess(kind)
    env = CampaignVectorEnv(
        DRAWS,
        problem,
        horizon=4,
        batch_size=6,
        surrogate={"kernel": "fit"},
        autoreset_mode="Disabled",
    )
    found = {policy: best_values(policy, env) for policy in ("ucb", "random")}
    top = problem.optimum(env.campaigns.instances)
    regret = {policy: top - best for policy, best in found.items()}
    mean, low, high = mean_interval(regret["ucb"] - regret["random"] / 2)
    ratio = regret["ucb"].mean() / regret["random"].mean()
    interval = f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"
    print(f"\n{kind}: {ratio:.2f} of random's regret; minus half of it: {interval}")
    assert high < 0
