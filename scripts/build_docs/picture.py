"""A picture of a campaign."""

from __future__ import annotations

import io

import gymnasium as gym
import numpy as np
from PIL import Image

import ombo_agents
from ombo_gym.registration import NAMESPACE

POLICY, SEED = "ucb", 0
_COLOURS = 128


def draw(name: str) -> bytes:
    """The last frame of a campaign with default arguments, a small PNG."""
    env = gym.make(f"{NAMESPACE}/{name}-v0", render_mode="rgb_array", disable_env_checker=True)
    policy = ombo_agents.make(POLICY, env)
    observation, _ = env.reset(seed=SEED)
    rng, over = np.random.default_rng(SEED), False
    while not over:
        batched = {key: array[None] for key, array in observation.items()}
        observation, _, over, _, _ = env.step(policy.act(batched, rng)[0])
    picture = Image.fromarray(np.asarray(env.render()))
    env.close()
    file = io.BytesIO()
    # Maximum coverage keeps the colours of single dots.
    few = picture.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(file, "png", optimize=True)
    return file.getvalue()
