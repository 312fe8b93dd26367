"""Which instances of a problem a run has met, by their numbers; and what that takes."""

from __future__ import annotations

import builtins
import os
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from ombo_gym.problems.tuning.lcbench import SPLITS
from ombo_gym.registration import make_problem
from ombo_gym.tasks import instances_seen, overlap, seen

TRAIN: dict[str, Any] = {
    "TFBinding": {"split": "train"},
    "LCBench": {"split": "train"},
    "Tuning": {"split": "train"},
    "Coating": {"split": "train"},
}


@pytest.mark.parametrize("name", TRAIN)
def test_a_run_on_the_training_split_has_met_that_part_of_all(name: str) -> None:
    run = {"env": f"Ombo/{name}-v0", "env_kwargs": TRAIN[name]}
    every = make_problem(name)
    if name == "Tuning" and every.instance_count() is None:
        pytest.skip("one data set alone is no collection")
    met = instances_seen(run, f"Ombo/{name}-v0", {})
    assert met.shape == (every.instance_count(),)
    count = make_problem(name, split="train").instance_count()
    assert int(met.sum()) == (1 if count is None else count)
    assert not instances_seen(run, f"Ombo/{name}-v0", {"split": "test"}).any()
    assert instances_seen(run, f"Ombo/{name}-v0", TRAIN[name]).all()


def test_numbers_are_those_of_infos() -> None:
    run = {"env": "Ombo/LCBench-v0", "env_kwargs": {"dataset": "airlines"}}
    met = instances_seen(run, "Ombo/LCBench-v0", {})
    assert np.flatnonzero(met).tolist() == [SPLITS["all"].index("airlines")]
    envs = gym.make_vec("Ombo/LCBench-v0", num_envs=40)
    _, infos = envs.reset(seed=0)
    assert set(infos["instance"]) <= set(range(len(met)))


def test_functions_and_instances_are_numbered_as_the_problem_does() -> None:
    pytest.importorskip("ioh")
    asked: dict[str, Any] = {"functions": [1, 3, 8], "instances": [4, 2]}
    run = {"env": "Ombo/BBOB-v0", "env_kwargs": {"functions": [3, 9], "instances": [2, 7]}}
    met = instances_seen(run, "Ombo/BBOB-v0", asked)
    drawn = make_problem("BBOB", **asked).instances_numbered(np.flatnonzero(met))
    assert drawn["function"].tolist() == [3] and drawn["instance"].tolist() == [2]


def test_several_tasks_are_taken_together() -> None:
    tasks = [
        {"env": "Ombo/TFBinding-v0", "env_kwargs": {"split": "train"}},
        {"env": "Ombo/TFBind8-v0"},
    ]
    run = {"tasks": tasks, "validate": [{"env": "Ombo/GP-v0"}]}
    assert instances_seen(run, "Ombo/TFBinding-v0", {}).sum() == 30
    assert instances_seen(run, "Ombo/TFBinding-v0", {"split": "test"}).sum() == 1
    assert instances_seen(run, "Ombo/GP-v0", {}).shape == ()
    assert not instances_seen(run, "Ombo/MPSA-v0", {}).any()


def test_a_family_that_nobody_asks_about_needs_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run over many families is evaluated where the simulators of others are not installed."""
    imported = builtins.__import__

    def without(name: str, *rest: Any, **others: Any) -> Any:
        if name.partition(".")[0] == "ioh":
            raise ImportError("no ioh")
        return imported(name, *rest, **others)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setitem(__import__("sys").modules, "ioh", None)
    run = {"tasks": "ML-families-v0:train", "validate": "ML-families-v0:validation"}
    assert seen(run, [("Ombo/MPSA-v0", {}), ("Ombo/Reaction-v0", {})]) == []
    assert seen(run, [("Ombo/LCBench-v0", {})]) == [("Ombo/LCBench-v0", {})]


def test_a_table_is_the_same_from_wherever_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "data.csv").write_text("x,y,z\n1,2,3\n")
    monkeypatch.chdir(tmp_path / "one")

    def table(csv: str, **arguments: Any) -> tuple[str, dict[str, Any]]:
        return "Ombo/Table-v0", {"csv": csv, "value": "y", **arguments}

    absolute = str(tmp_path / "one" / "data.csv")
    assert overlap(table("data.csv"), table(absolute))
    assert overlap(table("data.csv"), table(os.path.join("..", "one", "data.csv"), log=["x"]))
    assert overlap(table("data.csv"), ("Ombo/Table-v0", {"csv": "data.csv", "value": "z"}))
    assert not overlap(table("data.csv"), table(str(tmp_path / "other" / "data.csv")))
    assert overlap(("Ombo/Table-v0", {}), ("Ombo/Table-v0", {}))
    assert not overlap(("Ombo/Table-v0", {}), table("data.csv"))
    arrays = {"x": [[0.0], [1.0]], "y": [1.0, 2.0]}
    assert overlap(("Ombo/Table-v0", arrays), ("Ombo/Table-v0", {**arrays, "x_kind": "numbers"}))
    assert not overlap(("Ombo/Table-v0", arrays), ("Ombo/Table-v0", {**arrays, "y": [1.0, 3.0]}))
