"""Arguments that are arrays or paths become lists and texts in the environment's spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

import ombo_gym
from ombo_gym.arguments import as_json
from ombo_gym.problems.own.table import EXAMPLE

GIVEN: list[tuple[str, dict[str, Any]]] = [
    ("Ombo/GP-v0", {"plates": np.array([4, 2]), "dim": np.int64(3)}),
    ("Ombo/GP-v0", {"start": {"kind": "listed", "designs": np.zeros((2, 2))}, "dim": 2}),
    ("Ombo/Table-v0", {"csv": Path(EXAMPLE), "horizon": np.array([1, 3])}),
    ("Ombo/Table-v0", {"x": np.arange(12.0).reshape(6, 2), "y": np.arange(6)}),
]


@pytest.mark.parametrize(("env_id", "given"), GIVEN)
def test_specs_with_arrays_come_back_from_json(env_id: str, given: dict[str, Any]) -> None:
    env = gym.make(env_id, **given)
    assert env.spec is not None
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert ombo_gym.campaign_spec(again) == ombo_gym.campaign_spec(env)
    first, second = (each.reset(seed=3)[0] for each in (env, again))
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(("env_id", "given"), GIVEN)
def test_those_of_native_vector_environments_do_as_well(env_id: str, given: dict[str, Any]) -> None:
    envs = gym.make_vec(env_id, num_envs=2, vectorization_mode="vector_entry_point", **given)
    assert envs.spec is not None and EnvSpec.from_json(envs.spec.to_json()).id == env_id


def test_the_arguments_that_were_given_stay_as_they_are() -> None:
    plates = np.array([4, 2])
    spec = gym.spec("Ombo/GP-v0")
    env = gym.make(spec, plates=plates)
    assert env.spec is not None and env.spec.kwargs["plates"] == [4, 2]
    assert "plates" not in spec.kwargs and isinstance(plates, np.ndarray)


def test_what_json_holds_already_stays() -> None:
    given = {"a": [1, 2.5, None, True, "x"], "b": {"c": []}}
    assert as_json(given) == given
    assert as_json((np.float32(0.5), Path("x.npy"), {"a": np.eye(1)})) == [
        0.5,
        "x.npy",
        {"a": [[1.0]]},
    ]
    assert as_json(np.ndarray) is np.ndarray
