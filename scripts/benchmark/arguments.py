"""What is measured, and how often."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

ENV = "Ombo/GP-v0"
ROUNDS: dict[str, Any] = {"horizon": 5, "batch_size": 4}  # where environments are compared
POLICY = "ucb:climb=false"  # as the exploration control plays it
BOTORCH_ROUNDS: dict[str, Any] = {"horizon": 3, "batch_size": 4}  # where ours meet BoTorch
WIDE_ROUNDS: dict[str, Any] = {"horizon": 5, "batch_size": 8}  # where policies are timed, in 6-D


@dataclasses.dataclass(frozen=True)
class Args:
    """Measures speed against gymnasium's SyncVectorEnv and a BoTorch loop, and at scale."""

    num_envs: int = 1024
    """Campaigns in lockstep, native against SyncVectorEnv."""
    repetitions: int = 9
    """Whole campaigns of every vector environment; medians are reported."""
    single_campaigns: int = 300
    """Campaigns of the single environment."""
    ucb_campaigns: int = 1000
    """Campaigns that `ucb` plays at once."""
    control_envs: int = 256
    """Campaigns in lockstep that agents play through the controls."""
    fit_campaigns: int = 256
    """Campaigns that the surrogate is fitted to at once."""
    campaigns: int = 200
    """Campaigns that BoTorch plays, about a second each; 0 leaves BoTorch out."""
    planning_campaigns: int = 100
    """Campaigns that `rollout` and BoTorch's lookahead play, seconds each; 0 leaves them out."""
    policy_campaigns: int = 1000
    """Campaigns that each batched policy plays in 6-D; 0 leaves them out."""
    scale_campaigns: int = 100_000
    """Campaigns of the evaluation at scale; 0 leaves it out."""
    policy: str = POLICY
    """Ours, with one weight for all rounds (`ucb:weight=2`); BoTorch explores with the same."""
    seed: int = 0
    """Of the first campaign, and of the random actions."""
    out: Path | None = None
    """File for the numbers, as JSON."""

    def __post_init__(self) -> None:
        for name in (
            "num_envs",
            "control_envs",
            "repetitions",
            "single_campaigns",
            "ucb_campaigns",
            "fit_campaigns",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        for name in ("scale_campaigns", "policy_campaigns"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected at least 0, got {getattr(self, name)}")
        for name in ("campaigns", "planning_campaigns"):  # of which intervals are made
            if getattr(self, name) < 0 or getattr(self, name) == 1:
                raise ValueError(
                    f"{name}: expected 0 (without BoTorch) or at least 2, got {getattr(self, name)}"
                )
