"""Blocks of rollouts: what one process plays by itself, a pure function of what it is given.

A block of rows begins new campaigns in every update, with seeds of the run, the update and the row.
So nothing goes on between updates but the network, a block can be played anywhere, and what comes
of it depends neither on how many processes there are nor on which of them played it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.utils import obs_as_tensor

from ombo_agents.learned.over_tasks.environments import TasksPlayed, scored_campaigns
from ombo_agents.learned.over_tasks.networks import Network
from ombo_agents.learned.size_limits import MOST_CAMPAIGNS
from ombo_gym.evaluation.one_thread import one_thread

FIRST_SEED = 2**31  # as of training on one problem; evaluation's are below
_SEEDS_OF_AN_UPDATE = 2**32 * MOST_CAMPAIGNS  # of all runs' seeds

Floats = NDArray[np.float32]


class Block(NamedTuple):
    """What a process is asked for.

    Attributes:
        played: Which tasks, and through what.
        network: Who plays.
        seed: Of row 0; row i has seed + i.
        rows: R.
        rounds: T, of every row.
    """

    played: TasksPlayed
    network: Network
    seed: int
    rows: int
    rounds: int


class Rollout(NamedTuple):
    """What came of a block.

    Attributes:
        observations: By field, (T, R, ...).
        actions: (T, R, ...) as they were drawn, before they are clipped.
        rewards: (T, R) in scores.
        starts: (T, R) whether a campaign begins with the round.
        values: (T, R) what the critic says.
        log_probs: (T, R) of the actions.
        last_values: (R,) what the critic says of the campaigns that go on.
        over: (R,) whether the last round ended a campaign.
        campaigns: (E, 2) scores and lengths of those that ended, in order of rounds and rows.
    """

    observations: dict[str, NDArray[Any]]
    actions: NDArray[Any]
    rewards: Floats
    starts: NDArray[np.bool_]
    values: Floats
    log_probs: Floats
    last_values: Floats
    over: NDArray[np.bool_]
    campaigns: NDArray[np.float64]


class _Round(NamedTuple):
    """A round of a block, as of `Rollout` without T."""

    observation: dict[str, NDArray[Any]]
    actions: NDArray[Any]
    rewards: NDArray[np.float64]
    starts: NDArray[np.bool_]
    values: torch.Tensor
    log_probs: torch.Tensor


def seed_of(run_seed: int, update: int, row: int) -> int:
    """Of a row's campaigns in an update; no two runs, updates and rows have the same."""
    return FIRST_SEED + update * _SEEDS_OF_AN_UPDATE + run_seed * MOST_CAMPAIGNS + row


def roll_out(block: Block) -> Rollout:
    """Plays a block, on one thread: more would add in another order."""
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]), torch.no_grad(), one_thread():
        return _rolled_out(block)


def _rolled_out(block: Block) -> Rollout:
    campaigns = scored_campaigns(block.played, block.rows)
    network = block.network.build(campaigns.observation_space, campaigns.action_space)
    torch.manual_seed(int(np.random.SeedSequence(block.seed).generate_state(1, np.uint64)[0]))
    seen = campaigns.reset([block.seed + row for row in range(block.rows)])
    space = campaigns.action_space
    over, lengths = np.ones(block.rows, bool), np.zeros(block.rows)  # (R,)
    rounds: list[_Round] = []
    ended: list[NDArray[np.float64]] = []
    for _ in range(block.rounds):
        drawn, values, log_probs = network(obs_as_tensor(seen, torch.device("cpu")))
        actions = drawn.numpy()
        played = actions
        if isinstance(space, spaces.Box):
            played = np.clip(actions, space.low, space.high)
        before, begins = seen, over
        seen, rewards, over, scores = campaigns.step(played)
        lengths += 1
        rounds.append(_Round(before, actions, rewards, begins, values.flatten(), log_probs))
        if over.any():
            ended.append(np.stack([scores[over], lengths[over]], axis=1))  # (those, 2)
            lengths[over] = 0
    last_values = network.predict_values(obs_as_tensor(seen, torch.device("cpu")))
    return Rollout(
        {name: np.stack([each.observation[name] for each in rounds]) for name in seen},
        np.stack([each.actions for each in rounds]),
        np.stack([each.rewards for each in rounds]).astype(np.float32),
        np.stack([each.starts for each in rounds]),
        torch.stack([each.values for each in rounds]).numpy(),
        torch.stack([each.log_probs for each in rounds]).numpy(),
        last_values.flatten().numpy(),
        over,
        np.concatenate([np.zeros((0, 2)), *ended]),
    )
