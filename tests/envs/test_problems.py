"""The conformance suite, on every registered environment."""

from __future__ import annotations

from typing import Any

import pytest

import ombo_gym
from ombo_gym.testing import ProblemConformance
from tests.envs.cases import SMALL_STARTS

# Small batches: a simulator may take milliseconds a design.
SETTINGS: dict[str, Any] = {"batch_size": 2, "noise_std": 0.1}
CHECKS = [name for name in dir(ProblemConformance) if name.startswith("test_")]


@pytest.mark.parametrize("env_id", ombo_gym.env_ids())
@pytest.mark.parametrize("check", CHECKS)
def test_every_environment_keeps_its_promises(env_id: str, check: str) -> None:
    settings = dict(SETTINGS)
    if env_id in SMALL_STARTS:
        settings["start"] = SMALL_STARTS[env_id]
    suite: Any = type("Suite", (ProblemConformance,), {"env_id": env_id, "env_kwargs": settings})
    getattr(suite(), check)()
