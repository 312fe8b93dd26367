"""A task is checked where it is written, and survives JSON."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_gym.tasks import Task

UTILITIES: list[Any] = ["best", "last_mean", "auc", {"name": "last_quantile", "quantile": 0.9}]
STARTS: list[Any] = [
    None,
    {"kind": "none"},
    {"kind": "random", "size": 3},
    {"kind": "percentile", "percentile": 50, "size": 4},
]
SIZES = st.integers(1, 9) | st.tuples(st.integers(1, 4), st.integers(4, 9))


@settings(max_examples=30)
@given(
    horizon=SIZES,
    batch_size=SIZES,
    utilities=st.lists(st.sampled_from(UTILITIES), min_size=1, max_size=3),
    start=st.sampled_from(STARTS),
    weight=st.floats(0, 1e6),
    dim=st.integers(1, 6),
)
def test_a_task_survives_json_and_pickle(**fields: Any) -> None:
    dim = fields.pop("dim")
    task = Task("Ombo/GP-v0", {"dim": dim}, **fields)
    assert Task.from_dict(json.loads(json.dumps(task.to_dict()))) == task
    assert pickle.loads(pickle.dumps(task)) == task
    assert hash(Task.from_dict(task.to_dict())) == hash(task)


def test_what_means_the_same_is_equal() -> None:
    one = Task("Ombo/GP-v0", {"dim": np.int64(3)}, horizon=[2, 2], utilities="best")
    assert one == Task("Ombo/GP-v0", {"dim": 3}, horizon=2, utilities=("best",))
    assert one != Task("Ombo/GP-v0", {"dim": 3}, horizon=3)
    assert type(one.to_dict()["env_kwargs"]["dim"]) is int


def test_a_task_cannot_be_changed() -> None:
    task = Task("Ombo/GP-v0")
    with pytest.raises(AttributeError):
        task.horizon = 3


def test_its_arguments_make_the_environment_that_plays_it_alone() -> None:
    task = Task(
        "Ombo/GP-v0", {"dim": 3, "noise_std": 0.5}, (1, 4), 2, ("auc", "best"), {"kind": "none"}
    )
    spec = gym.make(task.env, **task.arguments("best")).unwrapped.campaign_spec
    assert spec.horizons == (1, 4) and spec.batch_sizes == (2, 2) and spec.noise_std == 0.5
    assert str(spec.utility) == "best" and spec.start_capacity == 0
    assert str(gym.make(task.env, **task.arguments()).unwrapped.campaign_spec.utility) == "auc"


REGISTERED = """\
import gymnasium as gym
from ombo_gym import BoxDesigns, Problem


class Slope(Problem):
    design_space = BoxDesigns(1)

    def draw(self, rngs):
        return {"slope": rngs.random((1,))}

    def evaluate(self, instances, designs):
        return instances["slope"] * designs[..., 0]


gym.register(
    "Own/TaskSlope-v0",
    entry_point="ombo_gym.env:CampaignEnv",
    vector_entry_point="ombo_gym.vector_env:CampaignVectorEnv",
    kwargs={"problem": "task_slope:Slope"},
)
"""


def test_an_id_stands_behind_the_module_that_registers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "task_slope.py").write_text(REGISTERED)
    monkeypatch.syspath_prepend(str(tmp_path))
    task = Task("task_slope:Own/TaskSlope-v0", horizon=2)
    envs = gym.make_vec("Ombo/Tasks-v0", num_envs=2, tasks=[task])
    envs.reset(seed=0)
    assert [spec.problem for spec in envs.unwrapped.campaign_spec] == ["Slope"] * 2
    with pytest.raises(ValueError, match="no_such_module is looked for in"):
        _ = Task("no_such_module:Own/TaskSlope-v0").problem_arguments
    gym.registry.pop("Own/TaskSlope-v0")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"env": "Ombo/GPP-v0"}, "env: expected one of .*Ombo/GP-v0.*got 'Ombo/GPP-v0'"),
    ({"env": 3}, "env: expected one of .*got 3"),
    ({"env": "CartPole-v1"}, "env: expected an environment of ombo_gym"),
    ({"env_kwargs": ["dim"]}, "env_kwargs: expected a dict"),
    ({"env_kwargs": {"horizon": 3}}, "env_kwargs: .*horizon=3.*a task has horizon"),
    ({"env_kwargs": {"plates": [3]}}, "env_kwargs: .*plates"),
    ({"env_kwargs": {"control": "designs"}}, "env_kwargs: .*control"),
    ({"env_kwargs": {"x": object()}}, "env_kwargs: expected what JSON holds"),
    ({"horizon": 0}, "horizon: expected a whole number"),
    ({"horizon": [3, 2]}, "horizon: .*1 <= low <= high"),
    ({"batch_size": 1.5}, "batch_size: expected a whole number"),
    ({"batch_size": True}, "batch_size: expected a whole number"),
    ({"utilities": []}, "utilities: expected at least one"),
    ({"utilities": ["nice"]}, "utility: expected one of"),
    ({"start": "random"}, "start: expected None or"),
    ({"start": {"kind": "guess"}}, "start: expected None or .*got"),
    ({"weight": -1}, "weight: expected a number of at least 0, got -1"),
    ({"weight": float("nan")}, "weight: expected a number"),
    ({"weight": float("inf")}, "weight: expected a number"),
    ({"weight": "2"}, "weight: expected a number"),
    ({"rounds": 3}, "task: expected the fields .*'rounds'"),
]


@pytest.mark.parametrize(("fields", "message"), BAD)
def test_what_is_no_task_is_refused_in_a_sentence(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as found:
        Task.from_dict({"env": "Ombo/GP-v0", **fields})
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("given", [None, [], "Ombo/GP-v0", {}, {"horizon": 3}])
def test_a_dict_with_an_env_is_expected(given: Any) -> None:
    with pytest.raises(ValueError, match="task: expected"):
        Task.from_dict(given)
