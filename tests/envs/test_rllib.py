"""RLlib trains on flat campaigns, in an environment with its own gymnasium."""

from __future__ import annotations

import re
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from tests.pages import ROOT

PINNED = ROOT / "constraints-rllib.txt"


def pins(name: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / name).read_text(), re.MULTILINE)
    return {package.lower().replace("_", "-"): version for package, version in found}


def test_its_constraints_are_ours_but_for_what_it_holds_back() -> None:
    ours, its_own = pins("constraints.txt"), pins("constraints-rllib.txt")
    shared = set(ours) & set(its_own)
    differing = {name for name in shared if ours[name] != its_own[name]}
    held = set(re.findall(r"^# held back by RLlib: (\S+)$", PINNED.read_text(), re.MULTILINE))
    assert differing == held
    assert its_own["gymnasium"].startswith("1.2.") and its_own["ray"] == ours["ray"]


@pytest.mark.slow
# RLlib registers its environment anew with each algorithm, which gymnasium remarks upon.
@pytest.mark.filterwarnings("ignore:.*Overriding environment rllib-single-agent-env-v0")
@pytest.mark.parametrize(
    ("env_id", "settings"),
    [
        ("Ombo/GP-v0", {}),
        ("Ombo/Landscapes-v0", {"batch_size": 1}),
        ("Ombo/TFBind8-v0", {"start": {"kind": "percentile", "size": 8}}),
    ],
)
def test_ppo_trains_for_an_iteration(env_id: str, settings: dict[str, Any]) -> None:
    rllib = pytest.importorskip("ray.rllib.algorithms.ppo", reason="needs ray[rllib]")
    if not gym.__version__.startswith("1.2."):
        pytest.skip("RLlib needs gymnasium 1.2: see docs/guides/libraries.md")
    from ray.tune.registry import register_env

    from ombo_gym.wrappers import FlatActions, FlatObservation, StandardizeMeasurements

    def make(config: dict[str, Any]) -> gym.Env[Any, Any]:
        env = gym.make(env_id, horizon=2, **settings)
        return FlatActions(FlatObservation(StandardizeMeasurements(env)))

    register_env("campaigns", make)
    config = (
        rllib.PPOConfig()
        .environment("campaigns")
        .env_runners(num_env_runners=0)
        .training(train_batch_size=64, minibatch_size=32, num_epochs=1)
    )
    algorithm = config.build_algo()
    result = algorithm.train()
    assert np.isfinite(result["env_runners"]["episode_return_mean"])
    algorithm.stop()
