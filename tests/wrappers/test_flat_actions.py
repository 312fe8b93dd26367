"""A flat action plays the batch that it stands for, and is checked as any other."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

import ombo_gym
from ombo_gym import CampaignSpec, CandidateDesigns
from ombo_gym.testing import assert_same
from ombo_gym.testing.bad_actions import bad_action
from ombo_gym.wrappers import FlatActions
from ombo_gym.wrappers.flat_actions import LARGEST_DISCRETE, ActionFlattening
from tests.wrappers.cases import KINDS, make, make_native

CONTROLS = ("designs", "candidates", "exploration")

ONE_DESIGN: dict[tuple[str, str], spaces.Space[Any]] = {
    ("box", "designs"): spaces.Box(-1, 1, (2,)),
    ("mixed", "designs"): spaces.Box(-1, 1, (4,)),
    ("grid", "designs"): spaces.Discrete(15),
    ("choices", "designs"): spaces.Discrete(6),
    ("sequences", "designs"): spaces.Discrete(1024),
    ("box", "candidates"): spaces.Discrete(64),
    ("grid", "candidates"): spaces.Discrete(64),
    ("box", "exploration"): spaces.Box(-1, 1, (2,)),
    ("choices", "exploration"): spaces.Box(-1, 1, (2,)),
}


@pytest.mark.parametrize(("kind", "control"), ONE_DESIGN)
def test_one_design_that_can_be_counted_is_a_number(kind: str, control: str) -> None:
    env = FlatActions(make(kind, batch_size=1, control=control))
    assert env.action_space == ONE_DESIGN[kind, control]


@pytest.mark.parametrize("kind", ["pool", "arms", "table"])
def test_one_of_a_pool_is_a_number(kind: str) -> None:
    env = make(kind, batch_size=1)
    size = ombo_gym.campaign_spec(env).design_space.size
    assert FlatActions(env).action_space == spaces.Discrete(size)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("q", [1, 3])
@pytest.mark.parametrize("discrete", [True, False])
def test_it_plays_the_batch_that_it_stands_for(
    kind: str, control: str, q: int, discrete: bool
) -> None:
    settings: dict[str, Any] = {"control": control, "batch_size": q, "horizon": 2}
    env, flat = make(kind, **settings), FlatActions(make(kind, **settings), discrete=discrete)
    assert len(flat.action_space.shape) <= 1
    space, single = ombo_gym.campaign_spec(env).design_space, env.action_space
    env.reset(seed=0), flat.reset(seed=0)
    flat.action_space.seed(1)
    for _ in range(2):
        action = flat.action_space.sample()
        if flat.action_space.shape == () and single.shape != (1,):
            batch = space.decode(np.array([[action]]))
            stands_for = space.actions(batch)[0]
        else:
            stands_for = np.asarray(action).reshape(single.shape)
        assert_same(flat.step(action), env.step(stands_for))


def test_every_design_has_its_number() -> None:
    flat = FlatActions(make("grid", batch_size=1, horizon=1))
    seen = set()
    for number in range(15):
        flat.reset(seed=0)
        observation = flat.step(number)[0]
        row = int(observation["observed"].sum()) - 1
        seen.add(
            str(ombo_gym.campaign_spec(flat).design_space.describe(observation["designs"][row]))
        )
    assert len(seen) == 15


@pytest.mark.parametrize(
    ("levels", "flat"),
    [
        ([256, 256], spaces.Discrete(LARGEST_DISCRETE)),
        ([256, 257], spaces.MultiDiscrete([256, 257])),
    ],
)
def test_what_is_too_large_to_be_listed_keeps_its_coordinates(levels: list[int], flat: Any) -> None:
    space = spaces.MultiDiscrete(levels)
    env = ombo_gym.make_campaign(lambda design: 0.0, space, batch_size=1)
    assert FlatActions(env).action_space == flat


def test_one_of_a_large_pool_was_one_number_all_along() -> None:
    spec = CampaignSpec(CandidateDesigns(np.linspace(0, 1, 70_000)[:, None]))
    flat = ActionFlattening(spec.action_space, spec, discrete=True)
    assert flat.space == spaces.Discrete(70_000) and not flat.numbered


def test_batches_that_can_be_larger_keep_their_coordinates() -> None:
    assert FlatActions(make("pool", batch_size=[1, 3])).action_space.shape == (3,)
    assert FlatActions(make("choices", batch_size=2)).action_space == spaces.MultiDiscrete(
        [3, 2, 3, 2]
    )


@pytest.mark.parametrize("kind", ["box", "grid", "choices", "pool"])
@pytest.mark.parametrize("q", [1, 2])
def test_bad_actions_are_refused_and_change_nothing(kind: str, q: int) -> None:
    env, twin = (FlatActions(make(kind, batch_size=q, horizon=2)) for _ in range(2))
    env.reset(seed=0), twin.reset(seed=0)
    env.action_space.seed(0)
    rng, good = np.random.default_rng(0), env.action_space.sample()
    bads: list[Any] = [None, "0", [[0.5]], np.nan, 1e9, -1, True, np.zeros((2, 2, 2)), 2.5]
    if env.action_space.shape:
        bads += [bad_action(good, env.action_space, rng) for _ in range(50)]
    for bad in bads:
        with pytest.raises(ValueError, match=r"action: expected .* got"):
            env.step(bad)
    assert_same(env.step(good), twin.step(good))


def test_one_bad_row_refuses_the_whole_native_step() -> None:
    envs = FlatActions(make_native("choices", 3, "NextStep", batch_size=1))
    envs.reset(seed=0)
    assert envs.action_space == spaces.MultiDiscrete([6, 6, 6])
    before = envs.unwrapped.campaigns.observation()
    with pytest.raises(ValueError, match=r"got 6 at index \(1,\)"):
        envs.step(np.array([0, 6, 0]))
    assert_same(envs.unwrapped.campaigns.observation(), before)


def test_actions_of_one_s_own_that_are_no_numbers_are_refused() -> None:
    odd = gym.Wrapper(make("box"))
    odd.action_space = spaces.Text(3)
    with pytest.raises(TypeError, match="expected Box or MultiDiscrete actions, got Text"):
        FlatActions(odd)
    with pytest.raises(ValueError, match="expected an environment of ombo_gym"):
        FlatActions(gym.make("CartPole-v1"))
