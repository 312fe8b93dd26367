"""The priors that come with the package: found by name, small, plain numbers, of training alone."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
import ombo_agents.learned
from ombo_agents.learned.priors import shipped_prior, shipped_prior_names
from ombo_gym.registration import make_problem
from ombo_gym.surrogates.learned_file import read_tensors
from ombo_gym.surrogates.learned_prior import TENSORS, prior_config, read_prior
from ombo_gym.tasks import Task, seen
from tests.pages import ROOT

LARGEST = 2_000_000  # bytes of a folder
NAMES = shipped_prior_names()
INSTANCES = np.arange(3)  # of the test, one a campaign
CARD = ROOT / "agents" / "ombo_agents" / "learned" / "checkpoints" / "README.md"


def config_of(name: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((Path(shipped_prior(name)) / "config.json").read_text())
    return config


def problem_of(name: str) -> tuple[str, dict[str, Any]]:
    """The environment that a prior is for, and its arguments without the split."""
    (task,) = config_of(name)["tasks"]
    return task["env"], {key: each for key, each in task["env_kwargs"].items() if key != "split"}


def rule_of(name: str) -> str:
    """The arguments by which `make train-priors` learns a prior."""
    found = re.search(rf"^OF_{name} := (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert found is not None
    return found[1]


def test_families_with_a_train_split_have_one() -> None:
    assert ombo_agents.learned.shipped_prior is shipped_prior
    assert {"lcbench", "tf_binding", "coating", "coating_mirror", "snar"} <= set(NAMES)


def test_an_unknown_name_is_refused_by_a_sentence_that_lists_the_names() -> None:
    for name in ("LCBench", "", "../meta", None):
        with pytest.raises(ValueError, match=r"prior: expected one of .*'lcbench'.*got") as caught:
            shipped_prior(name)  # type: ignore[arg-type]
        assert all(repr(each) in str(caught.value) for each in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_prior_is_small_and_holds_numbers_alone(name: str) -> None:
    folder = Path(shipped_prior(name))
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "prior.safetensors"]
    assert sum(file.stat().st_size for file in folder.iterdir()) <= LARGEST
    tensors = read_tensors(folder / TENSORS)  # NumPy alone: a header and numbers
    assert tensors and all(each.dtype.kind in "fi" for each in tensors.values())


def test_nothing_is_unpickled(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*given: Any, **others: Any) -> Any:
        raise AssertionError("a pickle was opened")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refused)
    for name in NAMES:
        folder = Path(shipped_prior(name))
        assert prior_config(folder)["agent"] == "prior" and read_tensors(folder / TENSORS)


@pytest.mark.parametrize("name", NAMES)
def test_a_prior_was_learnt_from_the_train_split_and_has_met_no_test(name: str) -> None:
    config = config_of(name)
    assert [task["env_kwargs"]["split"] for task in config["tasks"]] == ["train"]
    env, arguments = problem_of(name)
    assert seen(config, [(env, {**arguments, "split": "test"})]) == []
    assert seen(config, [(env, {**arguments, "split": "train"})]) != []


@pytest.mark.parametrize("name", NAMES)
def test_make_train_priors_learns_it_from_the_same_tasks(name: str) -> None:
    rule = rule_of(name)
    env, arguments = problem_of(name)
    title = env.removeprefix("Ombo/").removesuffix("-v0")
    assert f"--tasks {title}:train" in rule
    found = re.search(r"--env-kwargs '(.*?)'", rule)
    assert (json.loads(found[1]) if found else {}) == arguments


@pytest.mark.parametrize("name", NAMES)
def test_its_card_says_data_kind_log_score_and_command(name: str) -> None:
    config, lines = config_of(name), CARD.read_text().splitlines()
    rows = "\n".join(line for line in lines if line.startswith(f"| `{name}` |"))
    score = config["held_out"]["log_score"][config["kind"]]
    assert f"| {len(config['instances'])} " in rows
    assert f"| {config['kind']} | {score:.2f} |" in rows
    assert rule_of(name) in rows


@pytest.mark.parametrize("name", NAMES)
def test_a_prior_is_of_its_familys_designs(name: str) -> None:
    env, arguments = problem_of(name)
    task = Task(env, {**arguments, "split": "test"})
    given = task.problem_arguments
    space = make_problem(given.pop("problem"), **given).design_space
    prior = read_prior(shipped_prior(name), space)
    assert prior.calibration < 2 and prior.space == space


@pytest.mark.parametrize("name", NAMES)
def test_expected_improvement_plays_on_it_above_one_without(name: str) -> None:
    env, arguments = problem_of(name)

    def played(recipe: dict[str, Any]) -> float:
        envs = gym.make_vec(
            env,
            num_envs=len(INSTANCES),
            horizon=1,
            batch_size=4,
            start={"kind": "random", "size": 4},
            surrogate=recipe,
            **{**arguments, "split": "test"},
        )
        policy = ombo_agents.make("expected_improvement", envs)
        observation, info = envs.reset(seed=0, options={"instance": INSTANCES})
        info = envs.step(policy.act(observation, np.random.default_rng(0)))[-1]
        return float(np.mean(info["best_value"]))

    learned = played({"kernel": "learned", "path": shipped_prior(name)})
    assert learned > played({"kernel": "isotropic"})
