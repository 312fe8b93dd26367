"""Campaigns that would not fit into memory are refused in a sentence, before anything is taken."""

from __future__ import annotations

import tracemalloc
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from ombo_gym import BoxDesigns, CampaignSpec, CategoricalDesigns, make_campaign
from ombo_gym.arguments import shown
from ombo_gym.memory import DEFAULT_GIB, LIMIT, campaign_bytes, check_memory
from ombo_gym.problems.own.function import Function
from ombo_gym.vector_env import CampaignVectorEnv

TOO_LARGE: list[dict[str, Any]] = [
    {"horizon": 10**7},
    {"horizon": [1, 10**7]},
    {"horizon": np.int64(10**7)},
    {"horizon": 10**30},
    {"horizon": 10**5000},
    {"batch_size": 10**7},
    {"batch_size": [4, 10**8]},
    {"plates": [10**9, 24, 8]},
    {"plates": [1, 10**30]},
    {"start": {"kind": "random", "size": 10**9}},
    {"start": {"kind": "space_filling", "size": 10**9}},
]


@pytest.fixture(autouse=True)
def _the_default_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LIMIT, raising=False)


def refused(make: Any, name: str) -> None:
    """It takes hardly any memory to be refused, and one line names the argument."""
    tracemalloc.start()
    with pytest.raises(
        ValueError, match=rf"{name}.*: expected .* at most 2 GiB .*{LIMIT}"
    ) as found:
        make()
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()
    assert "\n" not in str(found.value) and len(str(found.value)) < 500


@pytest.mark.parametrize("arguments", TOO_LARGE, ids=lambda given: shown(given)[:40])
def test_campaigns_that_are_too_large_are_refused_by_the_argument(
    arguments: dict[str, Any],
) -> None:
    (name,) = arguments
    refused(lambda: gym.make("Ombo/GP-v0", **arguments), name)
    refused(lambda: gym.make_vec("Ombo/GP-v0", num_envs=3, **arguments), name)
    refused(lambda: make_campaign(lambda x: 0.0, {"T": (0, 1)}, **arguments), name)


@pytest.mark.parametrize("num_envs", [10**7, np.int64(10**7), 10**30])
def test_so_are_too_many_of_them(num_envs: Any) -> None:
    refused(lambda: gym.make_vec("Ombo/GP-v0", num_envs=num_envs), "num_envs")
    refused(lambda: make_campaign(lambda x: 0.0, {"T": (0, 1)}, num_envs=num_envs), "num_envs")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"horizons": (1, 10**8)}, "horizon"),
        ({"batch_sizes": (1, 10**8)}, "batch_size"),
        ({"plates": [10**8]}, "plates"),
        ({"start_capacity": 10**9}, "start"),
    ],
    ids=str,
)
def test_so_is_a_spec_by_hand_and_one_that_was_read(arguments: dict[str, Any], name: str) -> None:
    refused(lambda: CampaignSpec(BoxDesigns(2), **arguments), name)
    stored = CampaignSpec(BoxDesigns(2)).to_dict() | arguments
    refused(lambda: CampaignSpec.from_dict(stored), name)


def test_the_limit_is_raised_and_lowered_by_an_environment_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large: dict[str, Any] = {"horizons": (10**7, 10**7), "batch_sizes": (4, 4)}
    for raised in ("1000", "inf"):
        monkeypatch.setenv(LIMIT, raised)
        assert CampaignSpec(BoxDesigns(2), **large).capacity == 4 * 10**7
    monkeypatch.setenv(LIMIT, "0.001")
    with pytest.raises(ValueError, match=rf"batch_size.*at most 0\.001 GiB.*{LIMIT}"):
        CampaignSpec(BoxDesigns(2), batch_sizes=(10**5, 10**5))
    for wrong in ("", "much", "0", "-1", "nan"):
        monkeypatch.setenv(LIMIT, wrong)
        with pytest.raises(ValueError, match=f"{LIMIT}: expected a positive number.*got '{wrong}'"):
            CampaignSpec(BoxDesigns(2))


@pytest.mark.parametrize("space", [BoxDesigns(20), CategoricalDesigns([4] * 8)], ids=["box", "dna"])
def test_the_estimate_is_near_what_campaigns_take(space: Any) -> None:
    """Within a factor of two, of environments with their spaces, a reset and a step."""
    problem = Function(lambda designs: np.zeros(len(designs)), space, vectorized=True)
    tracemalloc.start()
    env = CampaignVectorEnv(20, problem, horizon=20, batch_size=50, start={"kind": "none"})
    _, _ = env.reset(seed=0)
    kept = env.step(env.action_space.sample())
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kept is not None
    estimate = 20 * campaign_bytes(env.campaign_spec)
    assert taken / 2 < estimate < 2 * taken


def test_where_repeats_are_wasted_batches_are_compared_with_datasets_and_that_counts() -> None:
    spec = CampaignSpec(BoxDesigns(2), batch_sizes=(40_000, 40_000), horizons=(2, 2))
    check_memory(spec)
    with pytest.raises(ValueError, match=f"batch_size: expected .*{DEFAULT_GIB:g} GiB"):
        check_memory(spec, wastes_repeats=True)


def test_a_million_plates_of_one_are_as_good_as_any() -> None:
    spec = CampaignSpec(BoxDesigns(1), plates=(1,) * 10**6)
    assert spec.horizon == spec.capacity == 10**6


def test_functions_of_too_many_features_in_too_many_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"dim, features: .*134,217,728.*got 65,536 \* 65,536"):
        gym.make("Ombo/GP-v0", dim=2**16, features=2**16)
