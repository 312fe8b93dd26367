"""Campaigns that offline methods are tested on, and settings with which that takes milliseconds."""

from __future__ import annotations

import functools

import numpy as np

import ombo_agents
from ombo_agents.hyperparameters import settings_of
from ombo_gym.spec import CampaignSpec, campaign_spec
from tests.agents import policy_cases
from tests.controls.small_problems import (
    BitsOnce,
    Pool,
    PoolOnce,
    Recipes,
    RecipesOnce,
)

ROWS = 5
TINY = {
    "members": 2,
    "hidden": 8,
    "epochs": 1.0,
    "steps": 3,
    "population": 16,
    "generations": 2,
    "training_steps": 2,
    "latent": 2,
    "latent_epochs": 1.0,
    "iterations": 2,
    "samples": 8,
    "elite": 4,
    "best": 4,
    "others": 4,
    "rounds": 2,
}
NONE = {"start": {"kind": "none"}}
CASES = {
    "box": ("Ombo/GP-v0", {}),
    "box, noise, no start": ("Ombo/GP-v0", {"noise_std": 0.3, **NONE}),
    "box, last batch": ("Ombo/GP-v0", {"utility": "last_median", "dim": 1}),
    "sequences": ("Ombo/TFBinding-v0", {"utility": "last_max"}),
    "recipes": (Recipes(), {"batch_size": 6, **NONE}),
    "recipes, once": (RecipesOnce(), {}),
    "bits, once": (BitsOnce(), {}),
    "pool": (Pool(), {"utility": "last_max"}),
    "pool, once": (PoolOnce(), {"batch_size": 7}),
    "arms": (
        "Ombo/Bandit-v0",
        {"known": [0.5], "noise_std": 0.2, "start": {"kind": "random", "size": 1}},
    ),
    "levels": ("Ombo/Gait-v0", {"batch_size": 2}),
}


make_env = functools.partial(policy_cases.make_env, cases=CASES)


def tiny(name, env, **settings):
    """A method with settings that take milliseconds, for an environment's campaigns or a spec's."""
    own = settings_of(name, env if isinstance(env, CampaignSpec) else campaign_spec(env))
    quick = {key: value for key, value in TINY.items() if key in own}
    if own.get("members") == 1:
        quick["members"] = 1
    return ombo_agents.make(name, env, **(quick | settings))


def generators(rows=ROWS, seed=0):
    return [np.random.default_rng([seed, i]) for i in range(rows)]
