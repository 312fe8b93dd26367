"""One policy over many tasks: what a run leaves, how it goes on, and who plays it."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO as StablePPO
from stable_baselines3.common.callbacks import BaseCallback

import ombo_agents
from ombo_agents.learned.over_tasks.environments import scored_campaigns
from ombo_gym.evaluation.launch import Launch
from ombo_gym.spec import campaign_spec
from ombo_gym.tasks import make_tasks, problems_met, seen
from tests.agents.over_tasks.cases import PPO, SMALL, TASKS, VALIDATE, left, run
from tests.agents.training_cases import Stops, refuse_to_unpickle


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was never interrupted."""
    out: Path = tmp_path_factory.mktemp("over tasks") / "run"
    run(out)
    return out


def looks(folder: Path) -> list[dict[str, str]]:
    """What each validation found."""
    return list(csv.DictReader((folder / "validation.csv").read_text().splitlines()))


# --- what is there --------------------------------------------------------------------------------


def test_the_configuration_says_what_was_trained_and_validated_on(trained: Path) -> None:
    config = json.loads((trained / "config.json").read_text())
    assert config["agent"] == config["control"] == "exploration"
    assert make_tasks(config["tasks"]) == make_tasks(TASKS)
    assert make_tasks(config["validate"]) == make_tasks(VALIDATE)
    assert config["seed"] == 3 and config["steps"] == 90 and "env" not in config
    assert config["sampling"]["block"] == 4
    names = [(task["env"], task["env_kwargs"]) for task in [*TASKS, *VALIDATE]]
    assert problems_met(trained) == names
    assert seen(trained, [("Ombo/Bandit-v0", {"arms": 4}), ("Ombo/Bandit-v0", {"arms": 6})]) == [
        ("Ombo/Bandit-v0", {"arms": 4})
    ]


def test_validations_are_listed_and_the_first_is_of_the_untrained_network(trained: Path) -> None:
    rows = looks(trained)
    assert [row["rounds"] for row in rows] == ["0", "60", "90"]
    assert rows[0]["kept"] == "True" and rows[0]["difference"] == ""
    for row in rows[1:]:
        low, difference, high = (float(row[name]) for name in ("low", "difference", "high"))
        assert low <= difference <= high
        assert row["kept"] == str(low > 0)


def test_curves_are_logged(trained: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    (folder,) = (trained / "tensorboard").iterdir()
    events = accumulator.EventAccumulator(str(folder)).Reload()
    wanted = {"rollout/score", "validation/score", "validation/difference"}
    assert wanted <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("validation/score")] == [0, 60, 90]
    table = looks(trained)
    logged = [event.value for event in events.Scalars("validation/score")]
    np.testing.assert_allclose(logged, [float(row["score"]) for row in table], rtol=1e-6)


@pytest.mark.parametrize(
    ("env_id", "arguments"),
    [
        ("Ombo/GP-v0", {"dim": 3, "horizon": 2, "batch_size": 5}),
        ("Ombo/Bandit-v0", {"arms": 7, "batch_size": [1, 2], "utility": "total"}),
    ],
)
def test_the_policy_plays_any_campaign(
    trained: Path, env_id: str, arguments: dict[str, Any]
) -> None:
    envs: Any = gym.make_vec(env_id, num_envs=3, autoreset_mode="Disabled", **arguments)
    policy = ombo_agents.make(str(trained), envs)
    assert ombo_agents.supports(str(trained), campaign_spec(envs))
    observation, _ = envs.reset(seed=0)
    rngs = [np.random.default_rng(i) for i in range(3)]
    observation, *_ = envs.step(policy.act(observation, rngs))
    assert (observation["rounds_left"] < envs.unwrapped.campaign_spec.horizon).all()


def test_the_export_is_for_stable_baselines3(trained: Path) -> None:
    model = StablePPO.load(trained / "model.zip", device="cpu")
    assert model.num_timesteps == 90


# --- it goes on, to the bit -----------------------------------------------------------------------


@pytest.mark.parametrize("steps", [(0,), (7, 3), (14,)])  # around updates, validations, the end
def test_an_interrupted_run_ends_as_one_that_was_not(
    steps: tuple[int, ...], trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i, step in enumerate(steps):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, callback=Stops(step), resume=i > 0)
    assert not (tmp_path / "policy.safetensors").exists()
    refuse_to_unpickle(monkeypatch)
    run(tmp_path, resume=True)
    assert left(tmp_path) == left(trained)


class StopsBetweenUpdates(BaseCallback):
    """Raises an error after a validation, before its state is kept."""

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.model.num_timesteps == 60:
            raise KeyboardInterrupt


def test_a_state_that_is_older_than_a_validation_does(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, callback=StopsBetweenUpdates(), checkpoint_seconds=1e9)
    run(tmp_path, resume=True)
    assert left(tmp_path) == left(trained)


@pytest.mark.slow
def test_a_run_that_is_killed_anywhere_goes_on_to_the_bit(trained: Path, tmp_path: Path) -> None:
    rng, kills, out = random.Random(0), 0, tmp_path / "run"
    begun = time.monotonic()
    run(tmp_path / "whole")
    seconds = time.monotonic() - begun
    for _ in range(40):
        if kills == 6 or (out / "policy.safetensors").exists():
            break
        child = os.fork()
        if not child:
            try:
                run(out, resume=(out / "state.safetensors").exists())
            finally:
                os._exit(0)
        time.sleep(seconds * rng.uniform(0.1, 0.8))
        os.kill(child, signal.SIGKILL)
        kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert kills
    run(out, resume=(out / "state.safetensors").exists())
    assert left(out) == left(trained) and not list(out.glob(".*"))


def test_a_finished_run_is_left_as_it_is(trained: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in trained.rglob("*") if file.is_file()}
    assert run(trained, resume=True)["new_steps"] == 0
    kept = {file: file.stat().st_mtime_ns for file in before}
    assert kept == before


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "seed": ({"seed": 4}, "seed was 3, now 4"),
    "tasks": ({"tasks": TASKS[:1]}, "tasks.tasks was"),
    "validation": ({"validate": VALIDATE[:1]}, "validate.tasks was"),
    "block": ({"settings": replace(SMALL, block=3)}, "sampling.block was 4, now 3"),
    "looks": (
        {"settings": replace(SMALL, validation_every=3)},
        "sampling.validation_every was 2, now 3",
    ),
    "recipe": ({"surrogate": {"kernel": "fit"}}, "surrogate was null, now not given; surrogate.k"),
    "epochs": ({"settings": replace(SMALL, ppo=replace(PPO, epochs=2))}, "settings.epochs was 1"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_other_arguments_are_refused_by_name(other: str, trained: Path) -> None:
    changes, named = OTHERS[other]
    with pytest.raises(ValueError, match="--resume: ") as caught:
        run(trained, resume=True, **changes)
    assert named in str(caught.value) and "\n" not in str(caught.value)


def test_more_steps_go_on(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    longer = replace(SMALL, ppo=replace(PPO, steps=120))
    config = run(tmp_path, settings=longer, resume=True)
    assert config["steps"] == 120 and config["extended"] == [{"steps": 90, "played": 90}]
    assert [row["rounds"] for row in looks(tmp_path)] == ["0", "60", "90", "120"]


# --- wherever it is played ------------------------------------------------------------------------


class Backwards(Launch):
    """Gives results in the reverse order, each of a process that has just begun."""

    @contextmanager
    def opened(self) -> Any:
        def play(function: Any, items: Any, *, lost: Any = None) -> Any:
            for item in reversed(items):
                scored_campaigns.cache_clear()
                yield function(item)

        yield play


def test_who_plays_a_block_and_when_does_not_matter(trained: Path, tmp_path: Path) -> None:
    run(tmp_path, launch=Backwards())
    assert left(tmp_path) == left(trained)


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "jobs"), [("loky", 1), ("loky", 2), ("dask", 2), ("ray", 2)])
def test_no_backend_and_no_number_of_processes_matters(
    backend: str, jobs: int, trained: Path, tmp_path: Path
) -> None:
    if backend in ("dask", "ray"):
        pytest.importorskip({"dask": "distributed"}.get(backend, backend))
    run(tmp_path, launch=Launch(backend, jobs))
    assert left(tmp_path) == left(trained)


# --- what is refused ------------------------------------------------------------------------------


def test_an_agent_of_one_design_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--agent: expected one of \['exploration'\]"):
        run(tmp_path / "run", agent="direct")
    assert not (tmp_path / "run").exists()


def test_rollouts_shorter_than_campaigns_are_refused(tmp_path: Path) -> None:
    short = replace(SMALL, ppo=replace(PPO, rounds_per_update=3))
    with pytest.raises(ValueError, match="rounds_per_update: expected at least 4, the longest"):
        run(tmp_path / "run", settings=short)
    assert short.for_tasks(make_tasks(TASKS)).ppo.rounds_per_update == 4
    assert SMALL.for_tasks(make_tasks(TASKS)) == SMALL


def test_a_task_without_a_score_is_refused_at_once(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("x,y\n0,1\n1,2\n2,4\n3,3\n4,0\n5,1\n")
    unknown = {"env": "tests.agents.over_tasks.unscored:Unscored", "weight": 1e-9}
    with pytest.raises(ValueError, match=r"tasks: ScoreReward: .*best_known"):
        run(tmp_path / "run", tasks=[TASKS[0], unknown])
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["block", "validation_every", "validation_campaigns"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, None])
def test_a_setting_that_makes_no_sense_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected a whole number"):
        replace(SMALL, **{name: value})
