"""Arrays keep what every problem promises, under every control."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import pytest

import ombo_gym
from ombo_gym.spec import CONTROLS, CampaignSpec
from ombo_gym.testing import ProblemConformance

_ROWS = np.arange(1, 61)[:, None] * np.sqrt([2.0, 3.0, 5.0, 7.0, 11.0]) % 1.0  # (60, 5)
X = (4 * _ROWS).astype(int)  # (60, 5) some rows twice
Y = np.cos(3 * _ROWS).sum(axis=1)  # (60,)


@pytest.mark.slow
class TestCategories(ProblemConformance):
    env_id = "Ombo/Table-v0"
    env_kwargs: ClassVar[dict[str, Any]] = {"x": X.tolist(), "y": Y.tolist()}


@pytest.mark.slow
class TestNumbers(ProblemConformance):
    env_id = "Ombo/Table-v0"
    env_kwargs: ClassVar[dict[str, Any]] = {"x": _ROWS.tolist(), "y": Y.tolist()}


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("x", [X, _ROWS], ids=["categories", "numbers"])
def test_controls_play_arrays(control: str, x: np.ndarray) -> None:
    envs = gym.make_vec(
        "Ombo/Table-v0",
        num_envs=2,
        vectorization_mode="vector_entry_point",
        x=x,
        y=Y,
        start={"kind": "percentile", "percentile": 50, "size": 12},
        horizon=2,
        control=control,
    )
    observation, _ = envs.reset(seed=0)
    assert observation in envs.observation_space
    for _ in range(2):
        observation, rewards, terminated, *_ = envs.step(envs.action_space.sample())
    assert terminated.all() and np.isfinite(rewards).all()
    spec = envs.unwrapped.campaign_spec  # type: ignore[attr-defined]
    assert CampaignSpec.from_json(spec.to_json()) == spec


def test_arrays_in_several_processes_are_the_same_campaigns() -> None:
    arguments: dict[str, Any] = {"x": X, "y": Y, "horizon": 1}
    many = gym.make_vec("Ombo/Table-v0", num_envs=2, vectorization_mode="async", **arguments)
    native = gym.make_vec(
        "Ombo/Table-v0", num_envs=2, vectorization_mode="vector_entry_point", **arguments
    )
    try:
        first, second = many.reset(seed=4)[0], native.reset(seed=4)[0]
        assert all(np.array_equal(first[name], second[name]) for name in first)
    finally:
        many.close()
    assert ombo_gym.campaign_spec(native).start_origin.kind == "percentile"
