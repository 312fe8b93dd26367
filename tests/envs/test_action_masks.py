"""Masks say which choices are worth making: for one campaign and B, wrapped or not."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics
from gymnasium.wrappers.vector import RecordEpisodeStatistics as RecordVectorStatistics

import ombo_gym
from ombo_gym.spec import Repeats
from ombo_gym.wrappers import FlatActions, FlatObservation, StandardizeMeasurements
from tests.wrappers.cases import CHOICES, GRID, make, make_native, worth

# Pools whose rows are spent once they are measured, and what makes them so.
SPENT: dict[str, dict[str, Any]] = {
    "pool": {},  # the problem forbids to measure again
    "table": {"utility": "best", "noise_std": 0.0},  # nothing is learnt or gained by it
}


def masks_of(env: Any) -> np.ndarray:
    return env.get_wrapper_attr("action_masks")()


def measured(env: Any) -> set[int]:
    """Numbers of the designs that are in the dataset of one campaign."""
    observation, space = env.unwrapped.campaigns.observation(), env.unwrapped.design_space
    n = int(observation["observed"].sum())
    return set(space.encode(observation["designs"][:, :n].astype(space.dtype))[0].tolist())


@pytest.mark.parametrize("kind", SPENT)
@pytest.mark.parametrize("q", [1, 3])
def test_measured_rows_of_a_pool_are_masked_in_every_slot(kind: str, q: int) -> None:
    env = make(kind, batch_size=q, horizon=3, **SPENT[kind])
    spec = ombo_gym.campaign_spec(env)
    assert spec.repeats is Repeats.NEVER_AGAIN
    env.action_space.seed(0)
    env.reset(seed=0)
    wrapped = RecordEpisodeStatistics(FlatActions(StandardizeMeasurements(env)))
    flat = kind == "pool"  # of the table a slot has several numbers
    for _ in range(3):
        spent = measured(env)
        masks = masks_of(wrapped)
        assert masks.dtype == bool
        if flat or q == 1:
            slots = masks.reshape(q, spec.design_space.size)
            for slot in slots:
                assert set(np.flatnonzero(~slot).tolist()) == spent
        else:
            assert masks.all()
        env.step(env.action_space.sample())
    assert len(measured(env)) > len(spent)


def test_a_pool_that_is_measured_out_can_still_be_chosen_from() -> None:
    env = make("pool", K=5, batch_size=2, horizon=2, start={"kind": "random", "size": 4})
    size = ombo_gym.campaign_spec(env).design_space.size
    assert size == 6
    env.reset(seed=0)
    first = np.flatnonzero(env.unwrapped.action_masks()[:size])
    assert len(first) == 2
    env.step(first)
    assert env.unwrapped.action_masks().all()


@pytest.mark.parametrize("settings", [{"noise_std": 0.1}, {"utility": "last_max"}])
def test_nothing_is_masked_where_measuring_again_is_worth_something(
    settings: dict[str, Any],
) -> None:
    env = FlatActions(make("table", batch_size=1, **settings))
    env.reset(seed=0)
    assert ombo_gym.campaign_spec(env).repeats is not Repeats.NEVER_AGAIN
    assert env.action_masks().shape == (env.action_space.n,) and env.action_masks().all()


@pytest.mark.parametrize("space", [CHOICES, GRID], ids=["choices", "grid"])
def test_designs_that_are_numbered_are_masked_by_their_number(space: Any) -> None:
    env = FlatActions(ombo_gym.make_campaign(worth, space, batch_size=1, horizon=4))
    env.reset(seed=0)
    for _ in range(4):
        masks, spent = env.action_masks(), measured(env)
        left = set(range(env.action_space.n)) - spent
        assert set(np.flatnonzero(masks).tolist()) == (left or set(range(env.action_space.n)))
        env.step(int(np.flatnonzero(masks)[0]))


@pytest.mark.parametrize("q", [1, 2])
def test_measured_candidates_are_masked(q: int) -> None:
    arguments = {"K": 7, "start": {"kind": "random", "size": 3}, "horizon": 2, "batch_size": q}
    env = make("pool", control="candidates", **arguments)
    env.reset(seed=0)
    for size in (8 - 3, 8 - 3 - q):
        masks = env.unwrapped.action_masks().reshape(q, -1)
        assert masks.shape == (q, 64) and (masks.sum(axis=1) == size).all()
        action = np.array([np.flatnonzero(slot)[i] for i, slot in enumerate(masks)])
        before = measured(env)
        env.step(action)
        assert len(measured(env)) == len(before) + q


def test_candidates_that_can_be_measured_again_are_not() -> None:
    env = make("box", control="candidates", noise_std=0.1)
    env.reset(seed=0)
    assert env.unwrapped.action_masks().all()
    assert env.unwrapped.action_masks().shape == (64 * 4,)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize(
    ("kind", "control", "q"),
    [
        ("pool", "designs", 1),
        ("pool", "designs", 2),
        ("pool", "candidates", 2),
        ("choices", "designs", 2),
        ("choices", "designs", 1),  # numbered, as the next are
        ("grid", "designs", 1),
    ],
)
def test_rows_are_those_of_single_campaigns(kind: str, control: str, q: int, mode: str) -> None:
    settings = {"control": control, "batch_size": q, "horizon": [1, 3]}

    def wrap(env: Any) -> Any:
        return FlatObservation(FlatActions(env))

    native = wrap(make_native(kind, 3, mode, **settings))
    sync = wrap(
        SyncVectorEnv([lambda: make(kind, **settings)] * 3, autoreset_mode=AutoresetMode(mode))
    )
    rows = SyncVectorEnv(
        [lambda: wrap(make(kind, **settings))] * 3, autoreset_mode=AutoresetMode(mode)
    )
    for envs in (native, sync, rows):
        envs.reset(seed=3)
    native.action_space.seed(0)
    for _ in range(5):
        masks = native.action_masks()
        assert masks.shape[0] == 3 and masks.dtype == bool and masks.any(axis=1).all()
        np.testing.assert_array_equal(masks, sync.action_masks())
        np.testing.assert_array_equal(masks, np.stack(rows.call("action_masks")))
        actions = native.action_space.sample()
        for envs in (native, sync, rows):
            envs.step(actions)


def test_they_are_found_through_the_wrappers_of_others() -> None:
    envs = RecordVectorStatistics(make_native("pool", 2, "NextStep", batch_size=1))
    flat = FlatActions(envs)
    flat.reset(seed=0)
    np.testing.assert_array_equal(flat.action_masks(), envs.env.action_masks())


def test_what_an_agent_does_to_its_observation_changes_no_mask() -> None:
    env = make("pool", batch_size=1)
    observation, _ = env.reset(seed=0)
    before = masks_of(env)
    observation["observed"][:] = 0
    observation["designs"][:] = 0
    np.testing.assert_array_equal(masks_of(env), before)
    before[:] = False
    assert masks_of(env).any()


@pytest.mark.parametrize(("kind", "control"), [("box", "designs"), ("pool", "exploration")])
def test_numbers_cannot_be_masked(kind: str, control: str) -> None:
    env = make(kind, control=control)
    env.reset(seed=0)
    with pytest.raises(TypeError, match="action_masks: expected actions that are choices"):
        env.unwrapped.action_masks()


@pytest.mark.parametrize("control", ["designs", "candidates"])
def test_before_a_campaign_is_begun_they_cannot_be_asked_for(control: str) -> None:
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before action_masks"):
        make("pool", control=control).unwrapped.action_masks()


def test_a_control_of_one_s_own_has_masks_that_hide_nothing() -> None:
    env = gym.make("Ombo/GP-v0", control="tests.envs.test_action_masks:Corner", horizon=1)
    env.reset(seed=0)
    np.testing.assert_array_equal(env.unwrapped.action_masks(), np.ones(3, bool))
    assert env.step(2)[2]


class Corner(ombo_gym.Control):
    """Proposes one of three corners."""

    def __init__(self, spec: ombo_gym.CampaignSpec) -> None:
        self.action_space = gym.spaces.Discrete(3)
        self.observation_space = gym.spaces.Dict(
            {"rounds_left": gym.spaces.Box(0, spec.horizon, (1,), np.float32)}
        )
        self._shape = (spec.batch_size, *spec.design_space.shape)

    def view(self, observation: Any, rngs: Any) -> Any:
        return observation["rounds_left"]

    def seen(self, view: Any) -> Any:
        return {"rounds_left": view.copy()}

    def designs(self, view: Any, actions: Any) -> Any:
        corners = (actions - 1.0).reshape(-1, 1, 1)
        return np.broadcast_to(corners, (len(actions), *self._shape)).astype(np.float32)
