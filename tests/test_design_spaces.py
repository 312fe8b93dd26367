"""What the constructors of design spaces take; tests/envs and tests/controls play in them."""

from __future__ import annotations

import numpy as np
import pytest

import ombo_agents
import ombo_gym
from ombo_gym import CampaignSpec
from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns, DesignSpace, among
from ombo_gym.surrogates.kernels import squared_distances

POOL = np.random.default_rng(0).normal(size=(60, 2))


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.arange(4.0), r"expected \(n, k\) numbers, got an array \(4,\)"),
        (np.empty((0, 2)), r"expected \(n, k\) numbers, got an array \(0, 2\)"),
        ([[0.0, 1.0], [2.0, np.nan]], "got nan for feature 1 of candidate 1"),
        (POOL + np.array([0.0, 3e5]), "feature 1 from 29999.* to 30000.*; subtract its mean"),
        (np.full((3, 1), -1e9), "feature 0 from -1e"),
    ],
)
def test_pools_refuse_features_that_tell_nothing(features: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"pool_features: .*{message}"):
        CandidateDesigns(np.array(features), scale="none")


def test_pools_take_features_on_any_scale() -> None:
    for features in [POOL * 1e-9, POOL * 1e9, POOL + 4e3, np.zeros((3, 2)), np.ones((3, 0))]:
        assert CandidateDesigns(features).size == len(features)


def test_distances_of_features_as_far_from_zero_as_a_pool_may_have_them_keep_their_digits() -> None:
    far = CandidateDesigns(POOL + 4e3, scale="none").pool_features[None]
    near = POOL[None]
    exact = ((near[:, :, None] - near[:, None]) ** 2).sum(axis=-1)
    np.testing.assert_allclose(squared_distances(far, far), exact, rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", ["thompson", "ucb", "expected_improvement"])
def test_a_pool_far_from_zero_is_searched_like_the_same_pool_at_zero(name: str) -> None:
    utilities = []
    for offset in (0.0, 4e3):
        env = ombo_gym.make_campaign(
            lambda candidate: float(POOL[candidate].sum()),
            CandidateDesigns(POOL + offset, scale="none"),
            horizon=3,
        )
        policy = ombo_agents.make(name, env)
        observation, _ = env.reset(seed=0)
        rng, terminated = np.random.default_rng(0), False
        while not terminated:
            batched = {field: array[None] for field, array in observation.items()}
            observation, _, terminated, _, info = env.step(policy.act(batched, rng)[0])
        utilities.append(info["utility"])
    assert utilities[1] == pytest.approx(utilities[0], abs=1e-9)


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 2)])
@pytest.mark.parametrize("masked", [True, False])
def test_looking_up_is_comparing_every_two_designs(shape: tuple[int, ...], masked: bool) -> None:
    rng = np.random.default_rng(0)
    for num_campaigns, count, size in [(4, 5, 6), (3, 1, 20), (2, 0, 3), (2, 3, 0), (0, 2, 2)]:
        sought = rng.integers(0, 2, (num_campaigns, count, *shape))
        listed = rng.integers(0, 2, (num_campaigns, size, *shape))
        in_use = (
            rng.random((num_campaigns, size)) < 0.6
            if masked
            else np.ones((num_campaigns, size), bool)
        )
        expected = [
            [
                any((each == known).all() for known in listed[row][in_use[row]])
                for each in sought[row]
            ]
            for row in range(num_campaigns)
        ]
        found = among(sought, listed, in_use if masked else None)
        np.testing.assert_array_equal(found, np.array(expected, bool).reshape(num_campaigns, count))


SMALLEST = [
    (127, np.int8),
    (128, np.int8),
    (129, np.int16),
    (32_767, np.int16),
    (32_768, np.int16),
    (32_769, np.int32),
]


@pytest.mark.parametrize(
    ("count", "dtype", "kind", "name"),
    # Of the policies that look at what was measured, each with every count and every kind.
    [
        (*smallest, kind, ("ucb", "genetic")[(i + j) % 2])
        for i, smallest in enumerate(SMALLEST)
        for j, kind in enumerate(("levels", "choices", "pool"))
    ],
)
def test_codes_are_shown_in_the_smallest_signed_integers(
    count: int, dtype: type, kind: str, name: str
) -> None:
    space: DesignSpace
    if kind == "pool":
        space = CandidateDesigns(np.linspace(0, 1, count)[:, None])
    else:
        space = CategoricalDesigns(
            [count, 2], levels=[range(count), None] * (kind == "levels") or None
        )
    spec = CampaignSpec(space, plates=(2,), start_capacity=3)
    shown = spec.observation_space["designs"]
    assert shown.dtype == dtype and shown.high.max() == count - 1
    ends = np.zeros((3, *space.shape), np.int64)
    ends[:, 0] = [0, count // 2, count - 1]
    observation = spec.observation(ends, [1.0, 2.0, 3.0], [2])
    np.testing.assert_array_equal(observation["designs"][0, :3], ends)
    for each in ("random", name):
        action = ombo_agents.make(each, spec).act(observation, np.random.default_rng(0))
        assert action.dtype == np.int64 and action[0] in spec.action_space
        proposed = space.designs(action)[0]
        assert not among(proposed[None], ends[None].astype(np.int64)).all()


def test_the_largest_level_is_not_taken_for_a_negative_one() -> None:
    levels = [float(k) for k in range(129)]
    env = ombo_gym.make_campaign(
        lambda x: x["a"], {"a": levels, "b": ["x", "y"]}, start={"kind": "none"}, horizon=3
    )
    env.reset(seed=0)
    observation, *_ = env.step(np.array([128, 1, 127, 0, 0, 0, 64, 1]))
    assert observation["designs"].dtype == np.int16
    batched = {field: array[None] for field, array in observation.items()}
    policy = ombo_agents.make("ucb", env)
    action = policy.act(batched, np.random.default_rng(0))[0].reshape(4, 2)
    assert (action[:, 0] > 100).any(), "near the best, which is the largest"


def test_a_sequence_and_a_candidate_are_parsed_as_they_are_described() -> None:
    for space in [
        CategoricalDesigns([4] * 3, alphabet="ACGT"),
        CategoricalDesigns([2, 3], labels=[["Pd", "Ni"], ["DMF", "THF", "water"]]),
        CategoricalDesigns([2, 3]),
        CandidateDesigns(POOL, names=[f"well {k}" for k in range(60)]),
        CandidateDesigns(POOL),
    ]:
        for code in range(6):
            design = space.decode(np.array(code))
            np.testing.assert_array_equal(space.parse(space.describe(design)), design)
            np.testing.assert_array_equal(space.parse(design.tolist()), design)
    with pytest.raises(ValueError, match="expected 3 letters of 'ACGT', got 'ACX'"):
        CategoricalDesigns([4] * 3, alphabet="ACGT").parse("ACX")
    with pytest.raises(ValueError, match="expected a label of each of 1 positions, got"):
        CategoricalDesigns([2], labels=[["Pd", "Ni"]]).parse(["Cu"])
