"""A small plan, and policies that look trained, for the tests of runs."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import pandas as pd
import torch

from ombo_agents.learned.storage import build_network, save
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.spec import campaign_spec

ENV = "Ombo/GP-v0"
POLICIES = ("random", "ucb", "explore_then_exploit", "thompson")
CAMPAIGNS, SEED = 7, 40
PLAN = EvaluationPlan(
    env=ENV, policies=POLICIES, horizons=(1, 3), campaigns=CAMPAIGNS, seed=SEED, block=3
)


def write_policy(folder: Path, seed: int) -> Path:
    """A folder as training leaves it, with weights that nobody has trained."""
    torch.manual_seed(seed)
    network = build_network("exploration", campaign_spec(gym.make(ENV)), [4])
    save(folder, network, {"agent": "exploration", "hidden": [4]})
    return folder


def text(table: pd.DataFrame) -> str:
    """A table as it is written."""
    written: str = table.to_csv(index=False)
    return written
