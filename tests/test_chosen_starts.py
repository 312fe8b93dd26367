"""Starts that fill the space or that somebody lists, and what players are told of any start."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from ombo_gym import design_spaces
from ombo_gym.spec import Origin
from ombo_gym.vector_env import CampaignVectorEnv
from tests.pools import Pool, begun


def nearest(designs: NDArray[Any], space: design_spaces.DesignSpace) -> float:
    """Smallest distance between two of a campaign's designs, on average over campaigns."""
    features = space.features(designs)
    squared = ((features[:, :, None] - features[:, None]) ** 2).sum(axis=-1)
    squared[:, np.arange(designs.shape[1]), np.arange(designs.shape[1])] = np.inf
    return float(np.sqrt(squared.min(axis=(1, 2))).mean())


@pytest.mark.parametrize(
    ("problem", "size"), [("GP", 16), ("TFBinding", 12), ("CrossedBarrel", 12), ("PBO", 8)]
)
def test_space_filling_starts_are_further_apart_than_random_ones(problem: str, size: int) -> None:
    apart = {}
    for kind in ("space_filling", "random"):
        start = {"kind": kind, "size": size}
        envs = CampaignVectorEnv(20, problem, start=start)
        seen, _ = envs.reset(seed=0)
        assert (seen["from_start"].sum(axis=1) == size).all()
        designs = seen["designs"][:, :size].astype(envs.design_space.dtype)
        assert not design_spaces.repeated(designs).any()
        assert len({each.tobytes() for each in designs}) == 20, "another in every campaign"
        apart[kind] = nearest(designs, envs.design_space)
        assert envs.campaign_spec.start_origin == Origin(kind)
    assert apart["space_filling"] > 1.1 * apart["random"]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_space_filling_starts_are_of_feasible_designs(size: int) -> None:
    nan = math.nan
    pool = Pool([nan, 1.0, nan, 2.0, nan, nan, 3.0, nan])
    many = begun(pool, {"kind": "space_filling", "size": size}, 40)
    designs = many.designs[:, :size, 0]
    assert set(np.unique(designs)) <= {1, 3, 6}
    assert all(len(set(row)) == size for row in designs.tolist())


def test_a_space_filling_start_of_all_designs_holds_each_once_and_a_larger_one_is_refused() -> None:
    start = {"kind": "space_filling", "size": 6}
    whole = begun(Pool(range(6)), start, 10).designs[:, :6, 0]
    np.testing.assert_array_equal(np.sort(whole, axis=1), np.tile(np.arange(6), (10, 1)))
    with pytest.raises(ValueError, match=r"start: .*at most 5.*got 6"):
        begun(Pool(range(5)), start, 1)
    with pytest.raises(RuntimeError, match="no 2 designs that can be measured among 3"):
        begun(Pool([math.nan, 1.0, math.nan]), {"kind": "space_filling", "size": 2}, 1)


def test_a_listed_start_is_what_was_listed_in_that_order_with_the_floor_where_infeasible() -> None:
    pool = Pool([5.0, math.nan, 3.0, 4.0])
    many = begun(pool, {"kind": "listed", "designs": [[3], [1], [0], [3]]}, 8)
    assert many.spec.start_origin == Origin("listed") and many.spec.start_capacity == 4
    assert (many.designs[:, :4, 0] == [3, 1, 0, 3]).all()
    shift = many.instances["shift"]
    assert set(shift) == {0.0, 10.0}
    for row in range(8):
        expected = [4 + shift[row], pool.floor, 5 + shift[row], 4 + shift[row]]
        assert many.measurements[row, :4].tolist() == expected
        assert many.best_value[row] == 5 + shift[row]


def test_a_listed_start_goes_through_json_and_is_the_same_in_every_campaign() -> None:
    designs = [[0.5, -0.25], [1, 1]]
    settings = {"start": {"kind": "listed", "designs": designs}, "horizon": 1}
    env = gym.make("Ombo/GP-v0", **settings)
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    for seed in (0, 1):
        for each in (env, again):
            observation, _ = each.reset(seed=seed)
            np.testing.assert_array_equal(observation["designs"][:2], np.float32(designs))
            assert observation["from_start"].tolist() == [1, 1, 0, 0, 0, 0]


def test_a_listed_start_holds_a_design_once_where_repeats_are_wasted() -> None:
    with pytest.raises(ValueError, match=r"start: expected different designs, got design 2"):
        gym.make("Ombo/Landscapes-v0", start={"kind": "listed", "designs": [[3], [1], [3]]})
    with pytest.raises(ValueError, match=r"start: design 1: .*got"):
        gym.make("Ombo/Landscapes-v0", start={"kind": "listed", "designs": [[3], [99]]})


@pytest.mark.parametrize(
    ("start", "origin", "capacity"),
    [
        ({"kind": "none"}, Origin("none"), 0),
        ({"kind": "random", "size": 3}, Origin("random"), 3),
        ({"kind": "percentile", "percentile": 25, "size": 5}, Origin("percentile", 25.0), 5),
        ({"kind": "percentile"}, Origin("percentile", 50.0), 512),
        ({"kind": "space_filling", "size": 2}, Origin("space_filling"), 2),
        ({"kind": "listed", "designs": [[0, 0]]}, Origin("listed"), 1),
    ],
    ids=str,
)
def test_players_are_told_how_a_start_was_chosen(
    start: dict[str, Any], origin: Origin, capacity: int
) -> None:
    spec = gym.make("Ombo/GP-v0", start=start).unwrapped.campaign_spec
    assert (spec.start_origin, spec.start_capacity) == (origin, capacity)
