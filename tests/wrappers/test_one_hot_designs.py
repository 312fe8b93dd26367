"""Designs as numbers from -1 to 1: every kind of space, from which designs can be read back."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

import ombo_gym
from ombo_gym.design_spaces import CategoricalDesigns, CategoryPool, DesignSpace
from ombo_gym.wrappers import FlatObservation, OneHotDesigns
from ombo_gym.wrappers.one_hot_designs import encoding_of
from tests.wrappers.cases import KINDS, make, make_native


def shown(kind: Any, **settings: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    """Designs that were measured, as numbers and as they are, and the environment."""
    if isinstance(kind, str):
        env = make(kind, **settings)
    else:
        env = ombo_gym.make_campaign(lambda design: 0.0, kind, **settings)
    wrapped = OneHotDesigns(env)
    wrapped.reset(seed=0)
    wrapped.action_space.seed(0)
    observation = wrapped.step(wrapped.action_space.sample())[0]
    assert observation in wrapped.observation_space
    n = int(observation["observed"].sum())
    assert n and not observation["designs"][n:].any()
    plain = env.unwrapped.campaigns.observation()["designs"][0, :n]
    return observation["designs"][:n], plain, wrapped


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_in_use_is_zero_and_the_rest_within_the_bounds(kind: str) -> None:
    numbers, _, env = shown(kind, horizon=3)
    space = env.observation_space["designs"]
    assert space.dtype == np.float32 and space.shape[1] == numbers.shape[1]
    assert set(np.unique(space.low)) <= {-1.0, 0.0} and (space.high == 1).all()
    assert FlatObservation(env).observation_space.dtype == np.float32


@pytest.mark.parametrize("kind", ["sequences", "choices", "table"])
def test_categories_are_one_for_what_is_meant_and_zero_for_others(kind: str) -> None:
    numbers, plain, env = shown(kind)
    counts = env.unwrapped.design_space.categories
    assert numbers.shape[1] == counts.sum()
    assert (env.observation_space["designs"].low == 0).all()
    blocks = np.split(numbers, np.cumsum(counts)[:-1], axis=1)
    np.testing.assert_array_equal(np.stack([b.argmax(axis=1) for b in blocks], axis=1), plain)
    assert all((block.sum(axis=1) == 1).all() for block in blocks)
    assert set(np.unique(numbers)) == {0.0, 1.0}


@pytest.mark.parametrize("kind", ["box", "mixed", "grid"])
def test_numbers_and_mixed_parameters_are_coordinates_already(kind: str) -> None:
    numbers, plain, _ = shown(kind)
    np.testing.assert_array_equal(numbers, plain)


def test_levels_stand_in_order_where_they_amount_to_something() -> None:
    space = {
        "ligand": ["XPhos", "SPhos", "none"],
        "degrees": [20, 40, 100],
        "load": {"levels": [0.01, 0.1, 1.0], "scale": "log"},
    }
    numbers, plain, env = shown(space, start={"kind": "random", "size": 8})
    np.testing.assert_array_equal(numbers[:, :3].argmax(axis=1), plain[:, 0])
    np.testing.assert_allclose(numbers[:, 3], np.array([-1, -0.5, 1])[plain[:, 1]], atol=1e-6)
    np.testing.assert_allclose(numbers[:, 4], np.array([-1, 0, 1])[plain[:, 2]], atol=1e-6)
    low = env.observation_space["designs"].low[0]
    np.testing.assert_array_equal(low, [0, 0, 0, -1, -1])


def test_categories_that_have_descriptors_are_one_hot_too() -> None:
    same = {"choices": ["a", "b", "c"], "descriptors": {"boils": [80.0, 81.0, 153.0]}}
    numbers, plain, _ = shown({"solvent": same, "base": ["x", "y"]})
    np.testing.assert_array_equal(numbers[:, :3].argmax(axis=1), plain[:, 0])


@pytest.mark.parametrize("count", [1, 2, 127, 128, 129, 32_768])
def test_small_integers_do_not_overflow(count: int) -> None:
    space = CategoricalDesigns([3, count, 2])
    codes = np.array([[2, count - 1, 1], [0, count // 2, 0]])
    observed = codes.astype(space.observation_space(1).dtype)
    numbers = encoding_of(space)(observed)
    expected = np.zeros((2, 5 + count), np.float32)
    expected[[0, 0, 0, 1, 1, 1], [2, 3 + count - 1, 4 + count, 0, 3 + count // 2, 3 + count]] = 1
    np.testing.assert_array_equal(numbers, expected)
    levels = encoding_of(CategoricalDesigns([count], ordinal=True))(observed[:, 1:2])
    step = 2 / max(count - 1, 1)
    at = step * codes[:, 1] - 1 if count > 1 else np.zeros(2)
    np.testing.assert_allclose(levels[:, 0], at, atol=1e-6)


def test_candidates_are_their_features_each_over_the_whole_pool() -> None:
    env = OneHotDesigns(gym.make("Ombo/CrossedBarrel-v0", start={"kind": "random", "size": 9}))
    features = env.unwrapped.design_space.pool_features
    low, high = features.min(axis=0), features.max(axis=0)
    observation, _ = env.reset(seed=0)
    rows = env.unwrapped.campaigns.designs[0, :9, 0]
    expected = 2 * (features[rows] - low) / (high - low) - 1
    np.testing.assert_allclose(observation["designs"][:9], expected, atol=1e-6)
    assert not observation["designs"][9:].any()


def test_features_that_are_alike_are_zero_and_no_nan() -> None:
    pool = ombo_gym.design_spaces.CandidateDesigns(np.array([[5.0], [5.0]]), scale="none")
    np.testing.assert_array_equal(encoding_of(pool)(np.array([[0], [1]], np.int8)), [[0], [0]])


def test_rows_of_categories_are_the_categories_that_occur() -> None:
    pool = CategoryPool(np.array([[0, 1, 1], [0, 0, 4], [0, 1, 0]]))
    encoding = encoding_of(pool)
    assert "pool_features" not in vars(pool)  # which may be large
    numbers = encoding(np.array([[0], [1], [2]], np.int8))
    np.testing.assert_array_equal(
        numbers, [[0, 1, 0, 1, 0], [1, 0, 0, 0, 1], [0, 1, 1, 0, 0]]
    )  # of the second position 0 and 1, of the third 0, 1 and 4


def test_a_kind_of_one_s_own_is_shown_by_its_bounds_and_its_order() -> None:
    class Own(DesignSpace):
        kind = "own_for_one_hot"
        ordered = False
        shape, dtype, size = (2,), np.dtype(np.int64), 6

        def observation_space(self, capacity: int) -> spaces.Box:
            return spaces.Box(
                np.tile(np.int8([3, 0]), (capacity, 1)), np.tile(np.int8([5, 1]), (capacity, 1))
            )

    Own.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
    space = Own()
    designs = np.array([[3, 1], [5, 0]], np.int8)
    np.testing.assert_array_equal(encoding_of(space)(designs), [[1, 0, 0, 0, 1], [0, 0, 1, 1, 0]])
    space.ordered = True
    np.testing.assert_array_equal(encoding_of(space)(designs), [[-1, 1], [1, -1]])


@pytest.mark.parametrize("control", ["exploration", "candidates"])
def test_what_has_no_designs_is_refused(control: str) -> None:
    with pytest.raises(ValueError, match="expected observations with designs, as control="):
        OneHotDesigns(make("pool", control=control))


@pytest.mark.parametrize("many", [False, True])
def test_flat_and_wrapped_observations_are_refused_with_what_to_do(many: bool) -> None:
    def campaign() -> Any:
        return make_native("choices", 2, "NextStep") if many else make("choices")

    with pytest.raises(ValueError, match="put FlatObservation around OneHotDesigns") as found:
        OneHotDesigns(FlatObservation(campaign()))
    assert len(str(found.value)) < 400
    with pytest.raises(ValueError, match="put one OneHotDesigns around the environment"):
        OneHotDesigns(OneHotDesigns(campaign()))


def test_numbers_that_take_too_much_memory_are_refused_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    envs = ombo_gym.make_campaign(
        lambda design: 0.0, {"letter": [f"{i}" for i in range(30_000)]}, num_envs=64
    )
    monkeypatch.setenv("OMBO_MAX_GIB", "0.25")
    with pytest.raises(ValueError, match=r"at most 0.25 GiB as numbers, got about .* 64 campaigns"):
        OneHotDesigns(envs)
