"""Campaigns that networks which propose designs are tested on, and such networks."""

from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import numpy as np
import torch

from ombo_agents.learned.storage import build_network
from ombo_agents.learned.training import SETTINGS

BOX = ("Ombo/GP-v0", {"dim": 3, "batch_size": 2})
SEQUENCE = ("Ombo/TFBind8-v0", {"start": {"kind": "random", "size": 5}, "batch_size": 2})
POOL = ("Ombo/Bandit-v0", {"arms": 3, "known": [0.3], "batch_size": 3})
ONCE = ("Ombo/Landscapes-v0", {"name": "tent8", "batch_size": 2})
CASES = [BOX, SEQUENCE, POOL, ONCE]
NAMES = ["box", "sequence", "pool", "once"]
TINY = replace(
    SETTINGS["direct"], steps=256, num_envs=16, rounds_per_update=8, batch_size=64, epochs=2
)


def spec_of(case, **arguments):
    return gym.make(case[0], **{**case[1], **arguments}).unwrapped.campaign_spec


def random_network(spec, seed=0):
    """A network that nothing is alike to: none of its weights is zero."""
    torch.manual_seed(seed)
    network = build_network("direct", spec, [8, 8])
    with torch.no_grad():
        for weights in network.parameters():
            weights.normal_(0, 0.5)
    return network.double()


def seen_by(case, rows, rounds=2, seed=0, **arguments):
    """Campaigns in which so many rounds were played at random."""
    env = gym.make_vec(case[0], rows, **{"horizon": 4, **case[1], **arguments})
    env.action_space.seed(seed)
    observation, _ = env.reset(seed=seed)
    for _ in range(rounds):
        observation = env.step(env.action_space.sample())[0]
    return observation


def features(network, observation):
    tensors = {key: torch.as_tensor(array) for key, array in observation.items()}
    with torch.no_grad():
        return network.features_extractor(tensors).numpy()


def generators(rows):
    return [np.random.default_rng(i) for i in range(rows)]


def shuffled(observation, seed=0):
    """The same datasets with rows and padding in another order, in each campaign another one."""
    rng = np.random.default_rng(seed)
    rows, capacity = observation["measurements"].shape
    order = np.array([rng.permutation(capacity) for _ in range(rows)])
    return {
        **observation,
        "designs": np.take_along_axis(observation["designs"], order[..., None], axis=1),
        "measurements": np.take_along_axis(observation["measurements"], order, axis=1),
        "observed": np.take_along_axis(observation["observed"], order, axis=1),
    }


def longer(observation, by):
    """The same datasets with more padding."""
    ends = {"designs": ((0, 0), (0, by), (0, 0)), "measurements": ((0, 0), (0, by))}
    ends["observed"] = ends["from_start"] = ends["measurements"]
    return {k: np.pad(a, ends[k]) if k in ends else a for k, a in observation.items()}
