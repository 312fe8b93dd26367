"""What `reset(options=...)` chooses: horizon, batch size, instance; nothing else moves."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from tests.envs.cases import assert_same, make, make_native, make_sync
from tests.envs.test_rows import MODES, lockstep

RANGES: dict[str, Any] = {"horizon": [1, 4], "batch_size": [1, 3], "noise_std": 0.3}
ENV = "Ombo/TFBinding-v0"


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize(
    "options",
    [
        {"horizon": 2},
        {"batch_size": 3},
        {"instance": 17},
        {"horizon": 1, "batch_size": 2, "instance": 0, "optimum": True},
    ],
    ids=str,
)
def test_scalars_are_for_all_rows_and_are_kept_through_autoresets(
    options: dict[str, Any], mode: AutoresetMode
) -> None:
    native, sync = make_native(ENV, 3, mode, **RANGES), make_sync(ENV, 3, mode, **RANGES)
    ours = native.reset(seed=2, options=dict(options))
    assert_same(ours, sync.reset(seed=2, options=dict(options)))
    assert lockstep(native, sync, mode, 9, np.random.default_rng(0)) >= 5
    campaigns = native.unwrapped.campaigns
    for name in ("horizon", "instance"):
        if name in options:
            assert (getattr(campaigns, name) == options[name]).all()
    if "batch_size" in options:
        assert set(campaigns.plates.ravel()) <= {0, options["batch_size"]}


def test_arrays_choose_for_each_row_of_the_native_environment() -> None:
    native = make_native(ENV, 4, AutoresetMode.SAME_STEP, **RANGES)
    asked = {
        "horizon": [4, 1, 2, 3],
        "batch_size": np.array([1, 2, 3, 1]),
        "instance": (3, 0, 40, 3),
    }
    singles = [make(ENV, **RANGES) for _ in range(4)]
    observation, info = native.reset(seed=6, options=asked)
    assert observation["rounds_left"][:, 0].tolist() == [4, 1, 2, 3]
    assert observation["plates"].tolist() == [
        [1, 1, 1, 1], [2, 0, 0, 0], [3, 3, 0, 0], [1, 1, 1, 0]
    ]  # fmt: skip
    assert info["instance"].tolist() == [3, 0, 40, 3] and info["_instance"].all()
    for row, single in enumerate(singles):
        chosen = {name: int(values[row]) for name, values in asked.items()}
        alone, _ = single.reset(seed=6 + row, options=chosen)
        assert_same({name: array[row] for name, array in observation.items()}, alone)
    native.action_space.seed(0)
    for _ in range(5):  # row 1 is autoreset in every step, and stays what it is
        observation, _, _, _, info = native.step(native.action_space.sample())
        assert observation["plates"][1].tolist() == [2, 0, 0, 0]
        assert info["_instance"][1] and info["instance"][1] == 0


def test_a_masked_reset_chooses_for_the_rows_that_it_resets() -> None:
    native = make_native(ENV, 3, AutoresetMode.DISABLED, **RANGES)
    native.reset(seed=0, options={"horizon": 4})
    mask = np.array([False, True, False])
    options = {"reset_mask": mask, "horizon": np.array([1, 2, 3]), "instance": 5}
    observation, info = native.reset(seed=[None, 9, None], options=options)
    assert observation["rounds_left"][:, 0].tolist() == [4, 2, 4]
    assert info["_instance"].tolist() == mask.tolist() and info["instance"][1] == 5


@pytest.mark.parametrize("name", ["horizon", "batch_size", "instance"])
def test_what_was_asked_for_ends_with_an_explicit_reset(name: str) -> None:
    env, twin = make(ENV, **RANGES), make(ENV, **RANGES)
    for again in ({"seed": 8}, {"seed": 8, "options": {"optimum": False}}):
        env.reset(seed=0, options={name: 1})
        while not env.step(env.action_space.sample())[2]:
            pass
        assert_same(env.reset(**again), twin.reset(**again))


@pytest.mark.parametrize("split", ["all", "train", "test"])
def test_asking_for_what_would_be_drawn_changes_nothing(split: str) -> None:
    settings = {**RANGES, "split": split}
    env, twin = make(ENV, **settings), make(ENV, **settings)
    for seed in range(5):
        observation, info = twin.reset(seed=seed)
        asked = {
            "horizon": int(observation["rounds_left"][0]),
            "batch_size": int(observation["plates"][0]),
            "instance": info["instance"],
        }
        assert_same(env.reset(seed=seed, options=asked), (observation, info))
        over = False
        while not over:
            action = env.action_space.sample()
            result = env.step(action)
            assert_same(result, twin.step(action))
            assert "instance" not in result[4], "which is said at the reset"
            over = result[2]


def test_another_instance_moves_no_other_stream() -> None:
    """Positions of the start, noise and plates are those of the campaign's key."""
    settings = {**RANGES, "start": {"kind": "random", "size": 6}}
    env, twin = make(ENV, **settings), make(ENV, **settings)
    first, info = twin.reset(seed=4)
    for number in (0, 17, 40):
        seen, other = env.reset(seed=4, options={"instance": number})
        assert other["instance"] == number
        for name in ("designs", "plates", "rounds_left"):
            np.testing.assert_array_equal(seen[name], first[name])
        noises = [
            each.unwrapped.campaigns.measurements - each.unwrapped.campaigns.true_values
            for each in (env, twin)
        ]
        np.testing.assert_allclose(*noises, atol=1e-12)
        assert (seen["measurements"] != first["measurements"]).any() or number == info["instance"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, "horizon to be a whole number from 1 to 4.*got 0"),
        ({"horizon": 5}, "horizon to be a whole number from 1 to 4.*got 5"),
        ({"horizon": 2.0}, r"horizon to be a whole number.*got 2\.0"),
        ({"horizon": True}, "horizon to be a whole number.*got True"),
        ({"horizon": None}, "horizon to be a whole number.*got None"),
        ({"horizon": "2"}, "horizon to be a whole number.*got '2'"),
        ({"horizon": [2, 2]}, r"horizon to be a whole number.*got \[2, 2\]"),
        ({"horizon": [[2], [1, 2]]}, "horizon to be a whole number.*got"),
        ({"batch_size": 4}, "batch_size to be a whole number from 1 to 3.*got 4"),
        ({"batch_size": -1}, "batch_size to be a whole number from 1 to 3.*got -1"),
        ({"instance": 41}, "instance to be a whole number from 0 to 40.*got 41"),
        ({"instance": -1}, "instance to be a whole number from 0 to 40.*got -1"),
        ({"instance": 2**70}, "instance to be a whole number from 0 to 40.*got"),
        ({"plates": [2, 2]}, "options: expected .*batch_size.*instance.*got .*plates"),
    ],
    ids=str,
)
def test_what_cannot_be_had_is_refused_and_changes_nothing(
    options: dict[str, Any], message: str
) -> None:
    mode = AutoresetMode.NEXT_STEP
    for build in (lambda: make(ENV, **RANGES), lambda: make_native(ENV, 3, mode, **RANGES)):
        env, twin = build(), build()
        assert_same(env.reset(seed=0), twin.reset(seed=0))
        with pytest.raises(ValueError, match=message):
            env.reset(seed=1, options=options)
        env.action_space.seed(0)
        for _ in range(3):
            action = env.action_space.sample()
            ours = env.step(action)
            assert_same(ours, twin.step(action))
            if np.all(ours[2]):
                break
        assert_same(env.reset(), twin.reset())


def test_plates_that_are_laid_down_leave_no_choice() -> None:
    env = make(ENV, plates=[2, 1])
    for name in ("horizon", "batch_size"):
        with pytest.raises(ValueError, match=rf"{name} cannot be chosen where plates=\[2, 1\]"):
            env.reset(options={name: 2})
    assert env.reset(seed=0, options={"instance": 7})[1]["instance"] == 7


@pytest.mark.parametrize("env_id", ["Ombo/GP-v0", "Ombo/TFBind8-v0", "Ombo/CrossedBarrel-v0"])
def test_what_is_no_collection_has_no_instances_to_choose(env_id: str) -> None:
    env = gym.make(env_id, start={"kind": "random", "size": 2})
    assert "instance" not in env.reset(seed=0)[1]
    with pytest.raises(ValueError, match=r"no collection of numbered instances, got instance=0"):
        env.reset(options={"instance": 0})
