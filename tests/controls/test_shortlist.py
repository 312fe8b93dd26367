"""What lists of candidates are made from, against slower ways to the same."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_gym import BoxDesigns, CampaignSpec, CandidateDesigns, CategoricalDesigns
from ombo_gym.acquisition.expected_improvement import improvement
from ombo_gym.controls.greedy_list import choose
from ombo_gym.controls.log_improvement import log_improvement
from ombo_gym.controls.shortlist import Shortlist, copies, rough_beliefs
from ombo_gym.design_spaces import among, repeated
from ombo_gym.surrogates.candidate_posterior import condition_on_dataset
from ombo_gym.surrogates.single_marginals import SingleMarginals
from ombo_gym.surrogates.surrogate import make_surrogate
from tests.controls.test_what_agents_see import campaigns_of, rngs_of


def group_of(space, n, kernel):
    spec = CampaignSpec(space, start_capacity=12, surrogate={"kernel": kernel})
    observation = campaigns_of(spec, 3, n)
    (group,) = condition_on_dataset(observation, spec, make_surrogate(spec), rngs_of(0))
    return group


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), dtype=st.sampled_from(["f4", "i8"]), width=st.integers(1, 4))
def test_copies_are_what_repeats_an_earlier_one(seed, dtype, width):
    designs = np.random.default_rng(seed).integers(-2, 3, (3, 20, width)).astype(dtype)
    if dtype == "f4":
        designs[0, ::3] *= -0.0
    np.testing.assert_array_equal(copies(designs), repeated(designs))


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), sizes=st.tuples(st.integers(1, 9), st.integers(0, 9)))
def test_among_is_the_same_whichever_list_is_longer(seed, sizes):
    rng = np.random.default_rng(seed)
    sought, listed = (rng.integers(0, 3, (2, size, 2)) for size in sizes)
    used = rng.random((2, sizes[1])) < 0.5
    found = among(sought, listed, used)
    for row in range(2):
        known = {tuple(each) for each in listed[row, used[row]].tolist()}
        assert found[row].tolist() == [tuple(each) in known for each in sought[row].tolist()]


@pytest.mark.parametrize("kernel", ["isotropic", "fit"])
@pytest.mark.parametrize(
    "space",
    [
        CategoricalDesigns([6, 9, 5, 7]),
        CategoricalDesigns([11, 13, 17], levels=[range(11), None, range(17)]),
        CategoricalDesigns([1031]),
        CandidateDesigns(np.random.default_rng(0).normal(size=(5000, 4)), scale="none"),
    ],
    ids=["categories", "levels", "one category", "pool"],
)
def test_rough_means_are_those_and_bounds_are_never_below(space, kernel):
    group = group_of(space, 9, kernel)
    assert group.listed is not None
    assert (group.listed.halves is None) == (space.kind == "pool" or space.length == 1)
    mean, bound = rough_beliefs(group)
    np.testing.assert_allclose(mean, group.marginals.mean, atol=2e-3)
    assert (bound >= group.marginals.sd - 2e-3).all()


def test_fantasies_in_single_precision_are_those_of_double():
    group = group_of(BoxDesigns(3), 9, "isotropic")
    double = group.marginals.copy()
    single = SingleMarginals.rounded(double, 5)
    for pick in ([0, 200, 40], [3, 100, 255], [17, 17, 17]):
        double.fantasize(np.array(pick))
        single.fantasize(np.array(pick))
    np.testing.assert_allclose(single.sd, double.sd, atol=5e-3)
    np.testing.assert_allclose(single.mean, double.mean, atol=1e-5)


def test_a_list_holds_each_once_then_measured_ones_then_nothing():
    group = group_of(BoxDesigns(2), 6, "isotropic")
    designs, marginals = group.candidates, SingleMarginals.rounded(group.marginals, 16)
    exists = np.ones(designs.shape[:2], bool)
    measured = ~exists
    exists[:, 40:], measured[:, 30:] = False, True  # 30 new ones and 10 measured ones
    short = Shortlist(np.zeros_like(exists, np.intp), exists, designs, measured)
    picks, is_there = choose(short, marginals, 64)
    for row in range(3):
        assert is_there[row].tolist() == [True] * 40 + [False] * 24
        assert sorted(picks[row, :30].tolist()) == list(range(30))
        assert sorted(picks[row, 30:40].tolist()) == list(range(30, 40))


def test_the_table_of_improvements_is_exact_enough_to_be_seen():
    z = np.concatenate([np.linspace(-60, 60, 4999), [-1e5, -40.001, -3.0, 0.0, 10.001, 1e5]])
    np.testing.assert_allclose(log_improvement(z), improvement(z.copy())[2], rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("error")
def test_lists_of_candidates_that_are_nearly_alike_do_not_overflow() -> None:
    env = gym.make("Ombo/Tasks-v0", tasks="ML-synthetic-v0:test", control="candidates")
    env.reset(seed=4, options={"task": 11})
    env.action_space.seed(4)
    finished = False
    while not finished:
        observation, _, finished, _, _ = env.step(env.action_space.sample())
        assert np.isfinite(observation["candidates"]).all()
