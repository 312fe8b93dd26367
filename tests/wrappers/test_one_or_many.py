"""Every wrapper wraps one campaign or B, and row i of B shows what one shows."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorWrapper

import ombo_gym.wrappers
from ombo_gym.testing import assert_same
from ombo_gym.wrappers import (
    DenseReward,
    FlatActions,
    FlatObservation,
    OneHotDesigns,
    ScoreReward,
    StandardizeMeasurements,
    vector,
)
from tests.wrappers.cases import KINDS, make, make_native

Wrap = Callable[[Any], Any]


def in_scores(env: Any) -> Any:
    return ScoreReward(env, best_known=50.0)  # problems of one's own know none


WRAPS: dict[str, Wrap] = {
    "DenseReward": DenseReward,
    "FlatActions": FlatActions,
    "FlatObservation": FlatObservation,
    "OneHotDesigns": OneHotDesigns,
    "ScoreReward": in_scores,
    "StandardizeMeasurements": StandardizeMeasurements,
    "all": lambda env: in_scores(
        DenseReward(FlatActions(FlatObservation(OneHotDesigns(StandardizeMeasurements(env)))))
    ),
}
FEW = ("box", "pool", "choices")  # kinds that each wrapper is tried on; all together on all
CASES = [(name, kind) for name in WRAPS for kind in (KINDS if name == "all" else FEW)]
SETTINGS = {"horizon": [1, 3], "batch_size": [1, 2], "noise_std": 0.1, "utility": "last_mean"}


def settings_of(kind: str) -> dict[str, Any]:
    return SETTINGS | ({"noise_std": 0.0} if kind == "arms" else {})  # coins are noisy by nature


def test_every_wrapper_is_tried() -> None:
    assert set(ombo_gym.wrappers.__all__) == set(WRAPS) - {"all"} == set(vector.__all__)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_rows_are_wrapped_campaigns(kind: str, mode: str, name: str) -> None:
    wrap, settings = WRAPS[name], settings_of(kind)
    native = wrap(make_native(kind, 3, mode, **settings))
    sync = SyncVectorEnv(
        [lambda: wrap(make(kind, **settings))] * 3, autoreset_mode=AutoresetMode(mode)
    )
    assert isinstance(native, VectorWrapper)
    assert native.single_observation_space == sync.single_observation_space
    assert native.observation_space == sync.observation_space
    assert native.action_space == sync.action_space
    assert_same(native.reset(seed=5), sync.reset(seed=5))
    native.action_space.seed(0)
    for _ in range(1 if mode == "Disabled" else 6):
        actions = native.action_space.sample()
        shown = native.step(actions)
        assert shown[0] in native.observation_space
        assert_same(shown, sync.step(actions))


@pytest.mark.parametrize("name", WRAPS)
def test_some_rows_can_be_reset(name: str) -> None:
    native = WRAPS[name](make_native("box", 3, "Disabled", horizon=1))
    sync = SyncVectorEnv(
        [lambda: WRAPS[name](make("box", horizon=1))] * 3, autoreset_mode=AutoresetMode.DISABLED
    )
    native.reset(seed=1), sync.reset(seed=1)
    actions = native.action_space.sample()
    native.step(actions), sync.step(actions)
    for mask in ([True, False, True], [False, True, False]):
        options = {"reset_mask": np.array(mask)}
        assert_same(native.reset(options=dict(options)), sync.reset(options=dict(options)))


@pytest.mark.filterwarnings("ignore:.*is different from the unwrapped version")
@pytest.mark.filterwarnings("ignore:.*value is -?infinity")  # raw measurements have no bounds
@pytest.mark.parametrize("name", WRAPS)
@pytest.mark.parametrize("kind", ["box", "sequences", "table"])
def test_gymnasium_finds_nothing_to_object_to(kind: str, name: str) -> None:
    wrapped = WRAPS[name](make(kind))
    check_env(wrapped, skip_render_check=True)


@pytest.mark.parametrize("name", WRAPS)
def test_made_again_from_its_spec_copied_and_pickled(name: str) -> None:
    wrapped = WRAPS[name](make("pool", batch_size=1))
    wrapped.reset(seed=0)
    written = EnvSpec.from_json(wrapped.spec.to_json())
    again = [
        gym.make(wrapped.spec),
        gym.make(written),
        copy.deepcopy(wrapped),
        pickle.loads(pickle.dumps(wrapped)),
    ]
    wrapped.action_space.seed(0)
    action = wrapped.action_space.sample()
    expected = wrapped.reset(seed=3), wrapped.step(action)
    for twin in again:
        assert twin.action_space == wrapped.action_space
        assert_same((twin.reset(seed=3), twin.step(action)), expected)


def test_vector_wrappers_have_a_name_of_their_own_and_are_found_by_the_common_one() -> None:
    envs = make_native("box", 2, "NextStep")
    assert isinstance(FlatActions(envs), vector.FlatActions)
    assert isinstance(FlatActions(env=envs), vector.FlatActions)
    assert isinstance(FlatObservation(envs), vector.FlatObservation)
    assert isinstance(OneHotDesigns(envs), vector.OneHotDesigns)
    assert isinstance(DenseReward(ScoreReward(envs)), vector.DenseReward)
    standardized = StandardizeMeasurements(envs, limit=5.0)
    assert isinstance(standardized, vector.StandardizeMeasurements)
    assert standardized.single_observation_space["measurements"].high.max() == 5.0
    assert ombo_gym.campaign_spec(standardized) == envs.campaign_spec
    assert standardized.autoreset_mode is AutoresetMode.NEXT_STEP
