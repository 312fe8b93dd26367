"""Columns that do not change, copies of others, fixed parameters: all is as it is without them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import ombo_agents
import ombo_gym
from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns, design_space_of
from ombo_gym.design_spaces.feature_scaling import on_one_scale
from ombo_gym.design_spaces.parameters import Choices, Levels, Parameters
from ombo_gym.surrogates.kernels import matern52, rbf, squared_distances
from tests.design_spaces.strategies import some_designs

POLICIES = ("random", "greedy", "ucb", "thompson", "genetic", "evolution", "d_optimal")


def kernels(features: np.ndarray, lengthscale: float) -> list[np.ndarray]:
    """Kernel matrices of designs (n, k), (n, n) each."""
    squared = squared_distances(features[None], features[None]) / lengthscale**2
    return [kernel(squared) for kernel in (rbf, matern52)]


def uninformative(rng: np.random.Generator, columns: np.ndarray) -> np.ndarray:
    """Columns (n, k) with constants, noise of rounding and copies, also in other units."""
    n = len(columns)
    noise = 0.3 * (1 + 1e-16 * rng.integers(-2, 3, n))
    first, last = columns[:, 0], columns[:, -1]
    anywhere = [np.zeros(n), np.full(n, 3e7), noise]
    places = rng.integers(0, columns.shape[1] + 1, len(anywhere))
    more = np.insert(columns, np.sort(places), np.stack(anywhere, axis=1), axis=1)
    # In units with another zero, as far away as keeps the digits: 100 - 1e-6 has lost half of them.
    size = np.abs(first).max()
    others = [1.8 * first + 32 * size, 100 * size - first]
    return np.column_stack([more, first, last, *others])  # behind the first


@settings(max_examples=40)
@given(st.integers(2, 40), st.integers(1, 6), st.integers(0, 999), st.integers(-6, 6))
@example(n=23, k=1, seed=1, exponent=-6)
def test_constants_and_copies_leave_a_pool_as_it_is(
    n: int, k: int, seed: int, exponent: int
) -> None:
    rng = np.random.default_rng(seed)
    plain = rng.normal(size=(n, k)) * 10.0 ** (exponent * rng.random(k))
    more = uninformative(rng, plain)
    one, other = (CandidateDesigns(features, scale="linear") for features in (plain, more))
    np.testing.assert_array_equal(other.pool_features, one.pool_features)
    for a, b in zip(
        kernels(one.pool_features, 0.3), kernels(other.pool_features, 0.3), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def proposals(space: Any, policy: str, objective: Any) -> tuple[np.ndarray, Any]:
    """What is proposed in the first round of three campaigns; the space."""
    envs = ombo_gym.make_campaign(
        objective, space, num_envs=3, horizon=2, batch_size=3, start={"kind": "random", "size": 5}
    )
    player = ombo_agents.make(policy, envs)
    observation, _ = envs.reset(seed=1)
    return player.act(observation, np.random.default_rng(2)), envs.unwrapped.problem.design_space


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_propose_the_same_from_a_pool_with_and_without(policy: str) -> None:
    rng = np.random.default_rng(0)
    plain = rng.normal(size=(60, 3)) * [300.0, 1.0, 1e-3]
    found = [
        proposals(
            CandidateDesigns(features, scale="linear"),
            policy,
            lambda candidate: float(plain[candidate] @ [1e-3, 1.0, 1e3]),
        )[0]
        for features in (plain, uninformative(rng, plain))
    ]
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "varying",
    [
        {"T": (20, 100), "c": {"range": [1, 9], "scale": "log"}},
        {"T": [20, 50, 100], "base": ["DBU", "TEA"]},
        {"T": (20, 100), "n": {"integer": [1, 5]}, "base": ["DBU", "TEA", "DIPEA"]},
    ],
    ids=["box", "categorical", "mixed"],
)
def test_policies_propose_the_same_with_and_without_fixed_parameters(
    policy: str, varying: dict[str, Any]
) -> None:
    if not ombo_agents.supports(policy, ombo_gym.CampaignSpec(design_space_of(varying))):
        varying = {name: each for name, each in varying.items() if name != "base"}
        varying = {**varying, "more": [1, 2, 3]}
    fixed = {"pH": 7.0, "vessel": "vial", **varying, "p": Levels((1.5,)), "gas": Choices(("air",))}
    plain, more = (
        proposals(space, policy, lambda x: float(x["T"]) / 100 + (x.get("base") == "TEA"))
        for space in (varying, fixed)
    )
    np.testing.assert_array_equal(plain[0], more[0])
    designs = some_designs(plain[1], 3)[0]
    np.testing.assert_array_equal(more[1].features(designs), plain[1].features(designs))
    assert more[1].typical_distance == plain[1].typical_distance
    units = more[1].units(designs[0])
    assert {"pH": 7.0, "vessel": "vial", "p": 1.5, "gas": "air"}.items() <= units.items()
    np.testing.assert_array_equal(more[1].parse(units), designs[0])


def test_a_design_of_single_values_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a parameter that is not fixed"):
        design_space_of({"p": Levels((1.5,)), "gas": "air"})
    with pytest.raises(ValueError, match=r"'p': .*a value that is fixed is written alone, 5"):
        design_space_of({"p": (5, 5), "T": (0, 1)})


@pytest.mark.parametrize("ordinal", [False, True])
def test_positions_with_one_category_leave_kernels_as_they_are(ordinal: bool) -> None:
    plain = CategoricalDesigns([3, 4, 2], ordinal=ordinal)
    more = CategoricalDesigns([1, 3, 1, 4, 2, 1], ordinal=ordinal)
    designs = plain.decode(np.arange(24))
    wider = np.zeros((24, 6), np.int64)
    wider[:, [1, 3, 4]] = designs
    assert more.typical_distance == plain.typical_distance
    for a, b in zip(
        kernels(plain.features(designs), 0.7), kernels(more.features(wider), 0.7), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_parts_without_categories_that_vary_are_left_out_beside_others() -> None:
    levels = CategoricalDesigns([1, 3], levels=[[5.0], None])
    features = levels.features(levels.decode(np.arange(3)))
    np.testing.assert_array_equal(features, CategoricalDesigns([3]).features(np.arange(3)[:, None]))
    alone = CategoricalDesigns([1, 1], levels=[[5.0], None])
    assert alone.features(alone.decode(np.arange(1))).shape[0] == 1


def test_descriptors_that_do_not_change_or_are_copies_tell_nothing() -> None:
    described = {"polarity": [6.4, 4.0, 10.2], "boils": [153.0, 66.0, 100.0]}
    more = {
        "phase": [1, 1, 1],
        **described,
        "kelvin": [426.15, 339.15, 373.15],
        "again": [6.4, 4.0, 10.2],
    }
    values = ("DMF", "THF", "water")
    one, other = (
        Choices(values, {name: tuple(each) for name, each in given.items()})
        for given in (described, more)
    )
    np.testing.assert_array_equal(other.table, one.table)
    for beside in ({}, {"T": (20, 100)}):
        spaces = [design_space_of({"s": each, **beside}) for each in (one, other)]
        designs = some_designs(spaces[0], 0)
        np.testing.assert_array_equal(*(space.features(designs) for space in spaces))
    with pytest.raises(ValueError, match="descriptors: expected numbers that differ for 'phase'"):
        Choices(values, {"phase": (1, 1, 1)})
    reread = Parameters.from_dict(Parameters({"s": other, "T": one}).to_dict())
    assert reread.each["s"] == other


def test_features_of_which_none_changes_are_zeros() -> None:
    np.testing.assert_array_equal(on_one_scale(np.full((3, 2), 1e9)), np.zeros((3, 1)))
    assert on_one_scale(np.ones((3, 0))).shape == (3, 0)
    assert on_one_scale(np.array([[4.0, 2.0]])).shape == (1, 1)
    huge = np.array([[-1.7e308], [1.7e308], [0.0]])
    np.testing.assert_allclose(on_one_scale(huge).ravel() / on_one_scale(huge).max(), [-1, 1, 0])
