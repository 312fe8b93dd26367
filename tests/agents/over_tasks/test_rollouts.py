"""Blocks of rollouts: what stable-baselines3 would have collected, row by row and anywhere."""

from __future__ import annotations

import json
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3 import PPO

from ombo_agents.learned.over_tasks import rollouts as module
from ombo_agents.learned.over_tasks.block_ppo import BlockPPO, SpacesOnly
from ombo_agents.learned.over_tasks.environments import ScoredCampaigns, scored_campaigns
from ombo_agents.learned.over_tasks.networks import Network, taken
from ombo_agents.learned.over_tasks.rollouts import FIRST_SEED, Block, roll_out, seed_of
from ombo_gym.tasks import make_tasks
from ombo_gym.wrappers import ScoreReward
from tests.agents.over_tasks.cases import TASKS, played

ROWS, ROUNDS = 6, 7


def model_of(campaigns: ScoredCampaigns, kind: type[Any] = BlockPPO, env: Any = None) -> Any:
    env = env or SpacesOnly(ROWS, campaigns.observation_space, campaigns.action_space)
    return kind(
        "MultiInputPolicy",
        env,
        n_steps=ROUNDS,
        batch_size=ROWS * ROUNDS,
        gamma=1.0,
        gae_lambda=0.9,
        seed=1,
        policy_kwargs={"net_arch": [8]},
        device="cpu",
    )


def block_of(seed: int = FIRST_SEED, rows: int = ROWS) -> Block:
    model = model_of(scored_campaigns(played(), ROWS))
    return Block(played(), taken(model.policy, (8,)), seed, rows, ROUNDS)


class Stepped(SpacesOnly):
    """Campaigns as an ordinary environment of stable-baselines3."""

    def __init__(self, campaigns: ScoredCampaigns) -> None:
        super().__init__(campaigns.rows, campaigns.observation_space, campaigns.action_space)
        self.campaigns = campaigns

    def reset(self) -> Any:
        return self.campaigns.reset([FIRST_SEED + row for row in range(ROWS)])

    def step_async(self, actions: Any) -> None:
        self.step_result = self.campaigns.step(actions)

    def step_wait(self) -> Any:
        step = self.step_result
        return step.observation, step.rewards.astype(np.float32), step.over, [{} for _ in step.over]


def test_a_block_is_the_rollout_that_stable_baselines3_collects() -> None:
    block = block_of()
    collected = model_of(
        ScoredCampaigns(played(), ROWS), PPO, Stepped(ScoredCampaigns(played(), ROWS))
    )
    collected.policy.load_state_dict(
        block.network.build(collected.observation_space, collected.action_space).state_dict()
    )
    _, callback = collected._setup_learn(1, None)
    torch.manual_seed(int(np.random.SeedSequence(FIRST_SEED).generate_state(1, np.uint64)[0]))
    callback.on_training_start({}, {})
    collected.collect_rollouts(collected.env, callback, collected.rollout_buffer, ROUNDS)

    ours = model_of(ScoredCampaigns(played(), ROWS))
    ours.play = lambda network, update: [roll_out(block)]
    ours.learn(1)
    for name in ("actions", "rewards", "episode_starts", "values", "log_probs", "advantages"):
        np.testing.assert_array_equal(
            _by_round(getattr(ours.rollout_buffer, name)),
            _by_round(getattr(collected.rollout_buffer, name)),
            name,
        )


def _by_round(array: Any) -> Any:
    """Of a buffer that was learned from, and is flat by then, (T, B, ...)."""
    if array.shape[:2] == (ROUNDS, ROWS):
        return array.reshape(ROUNDS, ROWS, -1)
    return array.reshape(ROWS, ROUNDS, -1).swapaxes(0, 1)


def test_a_row_plays_the_campaigns_of_the_single_environment_with_its_seed() -> None:
    rollout = roll_out(block_of(seed=FIRST_SEED + 40))
    tasks = make_tasks(TASKS)
    for row in (0, 3, ROWS - 1):
        env: Any = ScoreReward(gym.make("Ombo/Tasks-v0", tasks=tasks, control="exploration"))
        seen, _ = env.reset(seed=FIRST_SEED + 40 + row)
        over = True
        for step in range(ROUNDS):
            shown = rollout.observations["summary"][step, row]
            np.testing.assert_array_equal(shown, seen["summary"])
            assert rollout.starts[step, row] == over
            action = np.clip(rollout.actions[step, row], -1, 1)
            seen, reward, over, _, info = env.step(action)
            if over:
                expected = max(info["score"], -1.0) - (info["score"] - reward)
                assert rollout.rewards[step, row] == pytest.approx(expected, abs=1e-6)
                seen, _ = env.reset()
        assert rollout.over[row] == over


def test_returns_are_scores_as_reports_count_them() -> None:
    rollout = roll_out(block_of(seed=FIRST_SEED + 7))
    returns = []
    for row in range(ROWS):
        paid = 0.0
        for step in range(ROUNDS):
            if rollout.starts[step, row] and step:
                returns.append((step, row, paid))
            paid = rollout.rewards[step, row] + (0.0 if rollout.starts[step, row] else paid)
        if rollout.over[row]:
            returns.append((ROUNDS, row, paid))
    returns.sort()
    np.testing.assert_allclose(rollout.campaigns[:, 0], [r for *_, r in returns], atol=1e-6)
    assert (rollout.campaigns[:, 0] >= -1).all() and len(returns) >= ROWS


def test_a_block_is_a_function_of_what_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the process has played before, drawn, or holds."""
    block = block_of()
    first = roll_out(block)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    roll_out(block._replace(seed=FIRST_SEED + 1000))
    again = roll_out(block)
    assert torch.equal(torch.get_rng_state(), before)
    scored_campaigns.cache_clear()
    anew = roll_out(block)
    for other in (again, anew):
        for one, same in zip(first[1:], other[1:], strict=True):
            np.testing.assert_array_equal(one, same)


def test_weights_travel_as_bytes_and_come_back_to_the_bit() -> None:
    campaigns = scored_campaigns(played(), ROWS)
    network = model_of(campaigns).policy
    sent = taken(network, (8,))
    assert isinstance(sent, Network) and isinstance(sent.weights, bytes)
    back = sent.build(campaigns.observation_space, campaigns.action_space)
    for (name, one), (same, other) in zip(
        network.named_parameters(), back.named_parameters(), strict=True
    ):
        assert name == same and torch.equal(one, other)


@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 10**6), st.integers(0, 2**20 - 1)),
        min_size=2,
        max_size=20,
        unique=True,
    )
)
@settings(max_examples=50)
def test_no_two_rows_of_any_runs_have_the_same_seed_and_none_is_evaluation_s(
    places: list[tuple[int, int, int]],
) -> None:
    seeds = [seed_of(*place) for place in places]
    assert len(set(seeds)) == len(seeds) and min(seeds) >= 2**31
    assert json.loads(json.dumps(seeds)) == seeds


def test_seeds_begin_where_those_of_training_on_one_problem_do() -> None:
    from ombo_agents.learned.training import FIRST_SEED as OF_ONE

    assert module.FIRST_SEED == OF_ONE == seed_of(0, 0, 0)
