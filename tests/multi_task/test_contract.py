"""What the environments of tasks promise: spaces, infos, options, weights, refusals, returns."""

from __future__ import annotations

import copy
import pickle
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import ombo_gym
from ombo_gym import CampaignSpec
from ombo_gym.evaluation.grid import read_grid
from ombo_gym.memory import LIMIT
from ombo_gym.tasks import Task, TaskDistribution
from ombo_gym.testing import assert_same
from ombo_gym.testing.bad_actions import bad_action
from ombo_gym.testing.expected_utility import expected_utility, utilities
from tests.multi_task.cases import BOXES, FACTORS, TASKS, distribution, native, short, single

pytestmark = pytest.mark.usefixtures("brief_fits")

GP: dict[str, Any] = {"env": "Ombo/GP-v0", "horizon": [1, 3], "batch_size": [1, 4]}
REACTION: dict[str, Any] = {"env": "Ombo/Reaction-v0", "horizon": 2, "batch_size": 3}


def play(env: Any, seed: int = 0) -> list[Any]:
    env.action_space.seed(seed)
    results: list[Any] = [env.reset(seed=seed)]
    while len(results[-1]) == 2 or not results[-1][2]:
        results.append(env.step(env.action_space.sample()))
    return results


@pytest.mark.parametrize("control", ["exploration", "designs", "candidates"])
def test_gymnasiums_checker_has_nothing_to_say(control: str) -> None:
    tasks = short(BOXES if control == "designs" else TASKS)
    env = single([task | {"batch_size": 2} for task in tasks], control=control)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", r".*A Box observation space m(in|ax)imum", UserWarning)
        check_env(env.unwrapped, skip_render_check=True)


def test_observations_are_in_their_space() -> None:
    several = (
        (TASKS, "exploration"),
        (TASKS, "candidates"),
        (BOXES, "designs"),
        (FACTORS, "designs"),
    )
    for tasks, control in several:
        envs = native(list(tasks), 8, control=control)
        observations, _ = envs.reset(seed=0)
        for _ in range(4):
            assert observations in envs.observation_space
            observations = envs.step(envs.action_space.sample())[0]


def test_the_spec_survives_json_whatever_tasks_are_given_as() -> None:
    given = distribution(BOXES)
    for tasks in (given, list(BOXES), given.to_dict(), short(BOXES), "ML-synthetic-v0:test"):
        if isinstance(tasks, str):
            pytest.importorskip("ioh")
        env = single(tasks, surrogate={"kernel": "isotropic"})
        spec = EnvSpec.from_json(env.spec.to_json())
        assert spec == env.spec
        assert gym.make(spec).unwrapped.tasks == env.unwrapped.tasks
    envs = native(given, 2)
    assert EnvSpec.from_json(envs.spec.to_json()) == envs.spec
    assert_same(
        play(gym.make(EnvSpec.from_json(single(given).spec.to_json()))), play(single(given))
    )


def test_an_environment_can_be_copied_and_pickled_in_mid_campaign() -> None:
    env = single(list(BOXES), control="designs").unwrapped
    env.reset(seed=1, options={"horizon": 2, "task": [0, 2][1]})
    action = env.action_space.sample()
    others = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    result = env.step(action)
    for other in others:
        assert_same(other.step(action), result)
        assert_same(other.reset(seed=4), env.reset(seed=4))


def test_the_task_is_in_every_info_and_the_spec_is_of_it() -> None:
    envs = native(short(TASKS), 12, AutoresetMode.SAME_STEP)
    with pytest.raises(ResetNeeded, match="row 0 plays no task yet"):
        _ = envs.unwrapped.campaign_spec
    _, infos = envs.reset(seed=0)
    for _ in range(5):
        specs = envs.unwrapped.campaign_spec
        assert isinstance(specs, tuple) and ombo_gym.campaign_spec(envs) == specs
        assert infos["_task"].all()
        for task, spec in zip(infos["task"].tolist(), specs, strict=True):
            assert isinstance(spec, CampaignSpec)
            names = {TASKS[task].env.removeprefix("Ombo/").removesuffix("-v0"), "Kettle"}
            assert spec.problem in names and spec.control == "exploration"
        before = infos["task"]
        *_, infos = envs.step(envs.action_space.sample())
        if "final_info" in infos:
            over = infos["_final_info"]
            assert_same(infos["final_info"]["task"][over], before[over])
            assert_same(infos["final_info"]["_task"], over)


def test_a_single_row_offers_what_campaigns_offer() -> None:
    env = single([GP])
    with pytest.raises(ResetNeeded):
        env.step(env.action_space.sample())
    assert env.reset(seed=0)[1]["task"] == 0
    played = env.unwrapped
    assert ombo_gym.campaign_spec(env) == played.campaign_spec
    assert played.problem is played.campaigns.problem
    assert played.design_space == played.campaign_spec.design_space


def test_the_return_is_the_utility() -> None:
    """Of every utility, over all kinds of spaces; computed here from the true values."""
    worths = [utility for utility in utilities()]
    tasks = [Task.from_dict(task | {"utilities": worths}) for task in short(TASKS, (2, 3))]
    env = single(tasks)
    env.action_space.seed(0)
    for seed in range(30):
        env.reset(seed=seed, options={"task": seed % len(TASKS)})
        rewards: list[float] = []
        batches: list[Any] = []
        over, info = False, {}
        while not over:
            _, reward, over, _, info = env.step(env.action_space.sample())
            rewards.append(reward)
            batches.append(info["true_values"][~np.isnan(info["true_values"])])
        played = env.unwrapped
        expected = expected_utility(
            played.campaign_spec.utility.config(), played.campaigns, batches
        )
        np.testing.assert_allclose([sum(rewards), info["utility"]], expected, 1e-9, 1e-9)


# --- actions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("control", ["exploration", "designs"])
def test_one_bad_row_refuses_the_whole_step(control: str) -> None:
    tasks = short(TASKS if control == "exploration" else BOXES, (2, 3))
    envs, twins = (native(tasks, 4, control=control) for _ in range(2))
    assert_same(envs.reset(seed=2), twins.reset(seed=2))
    rng = np.random.default_rng(0)
    envs.action_space.seed(0)
    for _ in range(4):
        good = envs.action_space.sample()
        bad = [bad_action(good, envs.action_space, rng) for _ in range(40)]
        for row, entry in enumerate([np.nan, np.inf, 1.1, -2.0]):
            bad.append(good.astype(np.float64))
            bad[-1][row].flat[-1] = entry
        for action in bad:
            with pytest.raises(ValueError, match="action: expected "):
                envs.step(action)
        assert_same(envs.step(good), twins.step(good))


def test_a_problem_that_fails_leaves_all_rows_as_they_were() -> None:
    tasks = [GP | {"horizon": 3}, REACTION | {"horizon": 3}, GP | {"horizon": 3}]
    envs, twins = (native(tasks, 9) for _ in range(2))
    for each in (envs, twins):
        each.reset(seed=0, options={"task": np.arange(9) % 3})
    action = envs.action_space.sample()
    (broken,) = {
        each.campaigns.problem
        for each in envs.unwrapped.campaign_rows()
        if each.campaigns.spec.problem == "Reaction"
    }

    def fail(*given: Any) -> Any:
        raise RuntimeError("the reactor is out of order")

    true_values, broken.true_values = broken.true_values, fail
    with pytest.raises(RuntimeError, match="out of order"):
        envs.step(action)
    broken.true_values = true_values
    assert_same(envs.step(action), twins.step(action))


def test_masks_are_those_of_single_rows() -> None:
    tasks = [task | {"utilities": ["best"]} for task in short(FACTORS, (2, 3))]
    envs = native(tasks, 4, control="designs")
    singles = [single(tasks, control="designs") for _ in range(4)]
    with pytest.raises(ResetNeeded):
        envs.unwrapped.action_masks()
    envs.reset(seed=0)
    for row, env in enumerate(singles):
        env.reset(seed=row)
        masks = envs.unwrapped.action_masks()
        assert masks.shape == (4, envs.single_action_space.nvec.sum())
        np.testing.assert_array_equal(masks[row], env.unwrapped.action_masks())
    with pytest.raises(TypeError, match="Box"):
        exploring = native(tasks, 2)
        exploring.reset(seed=0)
        exploring.unwrapped.action_masks()


# --- resets -----------------------------------------------------------------------------------


def test_a_reset_chooses_tasks_and_keeps_them() -> None:
    envs = native([GP, REACTION, GP], 4, AutoresetMode.SAME_STEP)
    _, infos = envs.reset(seed=0, options={"task": np.array([2, 1, 0, 1])})
    for _ in range(6):
        assert infos["task"].tolist() == [2, 1, 0, 1]
        infos = envs.step(envs.action_space.sample())[-1]
    assert (envs.reset(options={"task": 1})[1]["task"] == 1).all()
    tasks = [envs.reset(seed=seed)[1]["task"] for seed in range(8)]
    assert len(np.unique(tasks)) == 3, "a new seed says anew"


def test_a_reset_chooses_horizons_and_instances_of_the_tasks() -> None:
    factor = {"env": "Ombo/TFBinding-v0", "horizon": [1, 4], "batch_size": 2}
    envs = native([factor, GP], 3)
    observations, _ = envs.reset(seed=0, options={"horizon": np.array([1, 3, 2])})
    assert observations["rounds_left"][:, 0].tolist() == [1, 3, 2]
    _, infos = envs.reset(seed=0, options={"task": 0, "instance": np.array([4, 0, 40])})
    assert infos["instance"].tolist() == [4, 0, 40]
    _, infos = envs.reset(seed=0, options={"optimum": True})
    assert infos["_optimum"].all()
    mixed = {"task": np.array([0, 1, 0]), "horizon": np.array([4, 3, 4])}
    assert envs.reset(seed=0, options=mixed)[0]["rounds_left"][:, 0].tolist() == [4, 3, 4]


BAD_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"task": 2}, r"task to be the index of a task, from 0 to 1, or 3 of them, got 2"),
    ({"task": -1}, "index of a task"),
    ({"task": 1.0}, "index of a task"),
    ({"task": [0, 1]}, "index of a task"),
    ({"horizon": 3}, r"horizon to be a whole number from 2 to 2.*\(task 1, Ombo/Reaction-v0\)"),
    ({"horizon": [1, 2]}, "expected one horizon, or 3 of them"),
    ({"task": [0, 0, 1], "horizon": [3, 3, 3]}, r"\(task 1, Ombo/Reaction-v0\)"),
    ({"instance": 0}, "no collection of numbered instances"),
    ({"tasks": 0}, r"options: expected \[.*'task'\], got \['tasks'\]"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS)
def test_options_out_of_range_are_refused_and_change_nothing(
    options: dict[str, Any], message: str
) -> None:
    envs, twins = (native([GP, REACTION], 3) for _ in range(2))
    for each in (envs, twins):
        each.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        envs.reset(options=options)
    action = envs.action_space.sample()
    assert_same(envs.step(action), twins.step(action))
    assert_same(envs.reset(), twins.reset())


# --- other tasks and weights ------------------------------------------------------------------


def test_weights_hold_from_the_next_reset_on() -> None:
    envs = native([GP | {"horizon": 2}, REACTION], 16, AutoresetMode.SAME_STEP)
    _, before = envs.reset(seed=0)
    assert set(before["task"]) == {0, 1}
    envs.unwrapped.set_tasks([0.0, 1.0])
    _, _, _, _, infos = envs.step(envs.action_space.sample())
    assert_same(infos["task"], before["task"])
    _, _, over, _, infos = envs.step(envs.action_space.sample())
    assert over.all() and (infos["task"] == 1).all()
    assert envs.unwrapped.tasks.probabilities.tolist() == [0, 1]
    for bad in ([1.0], [-1, 1], [0, 0], [1, 2, 3], [np.nan, 1]):
        with pytest.raises(ValueError, match="weight"):
            envs.unwrapped.set_tasks(bad)


def test_other_tasks_are_taken_where_they_fit() -> None:
    envs = native(list(BOXES), 3, control="designs")
    envs.reset(seed=0)
    envs.unwrapped.set_tasks(BOXES[:1])
    with pytest.raises(ResetNeeded):
        envs.step(envs.action_space.sample())
    observations, infos = envs.reset(seed=0)
    assert observations in envs.observation_space and not infos["task"].any()
    envs.step(envs.action_space.sample())
    for bad, message in (
        (FACTORS, "of which an agent sees and takes the same as before"),
        ([BOXES[0].to_dict() | {"horizon": 50}], "fit into the spaces of the environment"),
        ("ML-dreams-v0:train", "protocol among"),
    ):
        with pytest.raises(ValueError, match=message):
            envs.unwrapped.set_tasks(bad)
    assert len(envs.unwrapped.tasks) == 1
    envs.step(envs.action_space.sample())  # goes on as if nothing had been asked


def test_a_curriculum_chooses_by_what_ended() -> None:
    envs = native([GP | {"horizon": 1}, GP | {"horizon": 2}], 8, AutoresetMode.SAME_STEP)
    heard: list[tuple[list[int], int]] = []

    def curriculum(tasks: Any, worth: Any) -> Any:
        assert tasks.shape == worth.shape and np.isfinite(worth).all()
        heard.append((tasks.tolist(), len(worth)))
        return [0, 1] if len(heard) > 1 else None

    envs.unwrapped.set_curriculum(curriculum)
    _, infos = envs.reset(seed=0)
    assert heard == [([], 0)] and set(infos["task"]) == {0, 1}
    short_ones = int((infos["task"] == 0).sum())
    _, _, over, _, infos = envs.step(envs.action_space.sample())
    assert heard[1] == ([0] * short_ones, short_ones) and over.sum() == short_ones
    assert (infos["task"][over] == 1).all()
    with pytest.raises(ValueError, match="curriculum: expected a function"):
        envs.unwrapped.set_curriculum([0.5, 0.5])
    envs.unwrapped.set_curriculum(None)
    envs.reset()
    assert len(heard) == 2


# --- refusals ---------------------------------------------------------------------------------

BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"tasks": []}, ValueError, "tasks: expected a protocol with a split"),
    ({"tasks": [GP, REACTION], "control": "designs"}, ValueError, "same, got .* in task 0"),
    ({"tasks": [GP | {"env_kwargs": {"din": 3}}]}, TypeError, r"task 0 \(Ombo/GP-v0\): .*'din'"),
    (
        {"tasks": [GP, REACTION | {"start": {"kind": "random", "size": 10**6}}]},
        ValueError,
        "task 1",
    ),
    ({"tasks": [GP | {"utilities": ["recommendation"]}]}, ValueError, "task 0 .*recommendation"),
    ({"tasks": [GP], "control": "mind"}, ValueError, "control: expected one of"),
    ({"tasks": [GP], "horizon": 3}, TypeError, "horizon"),
    ({"tasks": [GP | {"horizon": 10**7}]}, ValueError, r"tasks: task 0 \(.*\): horizon"),
    ({"tasks": [GP], "render_mode": "ansi"}, ValueError, "render_mode"),
]


@pytest.mark.parametrize(("arguments", "kind", "message"), BAD)
def test_arguments_are_refused_in_a_sentence(
    arguments: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of gymnasium, about render modes
        with pytest.raises(kind, match=message):
            single(**arguments)
        with pytest.raises(kind, match=message):
            gym.make_vec("Ombo/Tasks-v0", num_envs=2, **arguments)


@pytest.mark.parametrize("num_envs", [10**7, 10**30])
def test_memory_is_refused_before_it_is_taken(num_envs: int) -> None:
    with pytest.raises(ValueError, match=f"num_envs, tasks: expected .* at most 2 GiB .*{LIMIT}"):
        native(short(TASKS), num_envs)


def test_memory_is_that_of_rows_and_not_of_rows_times_tasks() -> None:
    tasks = TaskDistribution(tuple(Task(**{**GP, "env_kwargs": {"dim": d}}) for d in range(1, 40)))
    envs = native(tasks, 128, surrogate={"kernel": "prior"})
    envs.reset(seed=0)
    for _ in range(6):
        envs.reset()
    held = sum(len(campaigns.keys) for campaigns, *_ in envs.unwrapped._played.blocks())
    assert held < 4 * 128 + 4 * len(tasks)


def test_grids_of_evaluations_do_not_take_it_for_a_problem(tmp_path: Path) -> None:
    grid = tmp_path / "grid.yaml"
    grid.write_text("policies: [random]\nhorizons: [1]\nproblems:\n  - env: Ombo/Tasks-v0\n")
    with pytest.raises(ValueError, match=r"env: expected one of .*got 'Ombo/Tasks-v0'"):
        read_grid(grid)


def test_pictures_are_drawn_of_every_row() -> None:
    pytest.importorskip("matplotlib")
    envs = native([GP, REACTION], 2, render_mode="rgb_array")
    with pytest.raises(ResetNeeded):
        envs.render()
    envs.reset(seed=0)
    frames = envs.render()
    assert len(frames) == 2 and frames[0].shape == frames[1].shape


def test_campaign_rows_say_which_campaigns_the_rows_play() -> None:
    envs = native([GP, REACTION, GP], 12)
    _, infos = envs.reset(seed=0)
    best = np.full(12, np.nan)
    for group in envs.unwrapped.campaign_rows():
        best[group.env_rows] = group.campaigns.best_value[group.rows]
    np.testing.assert_array_equal(best, infos["best_value"])
