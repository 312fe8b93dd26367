"""Beliefs in single precision, as controls use them, against those in double precision."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from ombo_gym import BoxDesigns, CampaignSpec, CategoricalDesigns, MixedDesigns
from ombo_gym.surrogates.candidate_posterior import condition_on_dataset
from ombo_gym.surrogates.single_marginals import SingleMarginals, single_beliefs
from ombo_gym.surrogates.surrogate import make_surrogate
from tests.controls.test_what_agents_see import campaigns_of, rngs_of

SPACES = {
    "box": BoxDesigns(3),
    "categories": CategoricalDesigns([4] * 8),
    "mixed": MixedDesigns({"a": (0, 1), "b": (0, 1), "c": list("wxyz")}),
}


def group_of(space, n, kernel, rows=3):
    spec = CampaignSpec(space, start_capacity=12, surrogate={"kernel": kernel})
    observation = campaigns_of(spec, rows, n)
    (group,) = condition_on_dataset(
        observation, spec, make_surrogate(spec), rngs_of(0), everything=False, entries=2**22
    )
    return group


@pytest.mark.parametrize("n", [0, 1, 9])
@pytest.mark.parametrize("name", SPACES)
def test_they_are_those_in_double_precision(name, n):
    group = group_of(SPACES[name], n, "fit")
    exact, single = group.marginals.copy(), group.single_marginals
    single = SingleMarginals.of(group.posterior, group.space.features(group.candidates), 2)
    for pick in ([0, 200, 40], [3, 100, 255], None):
        np.testing.assert_allclose(single.mean, exact.mean, atol=2e-3)
        np.testing.assert_allclose(single.sd, exact.sd, atol=5e-3)
        if pick is not None:
            exact.fantasize(np.array(pick))
            single.fantasize(np.array(pick))


def test_a_row_is_the_same_whatever_its_neighbours_are():
    """Also where rows are taken a few at a time."""
    group = group_of(BoxDesigns(2), 12, "isotropic", rows=70)
    together = group.single_marginals
    features = group.space.features(group.candidates)
    for row in (0, 41, 69):
        alone = group_of(BoxDesigns(2), 12, "isotropic", rows=70)
        posterior = alone.posterior
        for name in ("features", "targets", "whiten", "white", "noise", "outputscale"):
            setattr(posterior, name, getattr(posterior, name)[[row]])
        posterior.correlation = type(posterior.correlation)(
            posterior.kernel, posterior.correlation.unit[[row]]
        )
        single = SingleMarginals.of(posterior, features[[row]], 1)
        np.testing.assert_array_equal(single.mean[0], together.mean[row])
        np.testing.assert_array_equal(single.sd[0], together.sd[row])


@pytest.mark.parametrize("n", [0, 9])
@pytest.mark.parametrize("name", SPACES)
def test_bare_beliefs_are_those_that_can_be_conditioned(name, n):
    group = group_of(SPACES[name], n, "fit")
    features = group.space.features(group.candidates)
    mean, sd = single_beliefs(group.posterior, features)
    marginals = SingleMarginals.of(group.posterior, features, 2)
    np.testing.assert_array_equal(mean, marginals.mean)
    np.testing.assert_array_equal(sd, marginals.sd)


def test_copies_are_conditioned_without_the_original():
    group = group_of(BoxDesigns(3), 9, "isotropic")
    marginals = SingleMarginals.of(group.posterior, group.space.features(group.candidates), 3)
    before = marginals.sd
    for _ in range(2):
        copied = marginals.copy()
        copied.fantasize(np.array([1, 2, 3]))
        after = copied.sd
    again = marginals.copy()
    again.fantasize(np.array([1, 2, 3]))
    np.testing.assert_array_equal(again.sd, after)
    np.testing.assert_array_equal(marginals.sd, before)
    assert (after < before).any()


@pytest.mark.parametrize("control", ["exploration", "candidates"])
def test_what_a_row_sees_and_proposes_is_that_of_the_single_environment(control):
    """With more rows than are worked out at a time."""
    rows, arguments = 70, {"control": control, "horizon": 2, "batch_size": 3}
    native = gym.make_vec("Ombo/GP-v0", rows, vectorization_mode="vector_entry_point", **arguments)
    seen, _ = native.reset(seed=3)
    native.action_space.seed(0)
    actions = native.action_space.sample()
    after, rewards, *_ = native.step(actions)
    for row in (0, 68):
        env = gym.make("Ombo/GP-v0", **arguments)
        observation, _ = env.reset(seed=3 + row)
        following, reward, *_ = env.step(actions[row])
        for name, array in observation.items():
            np.testing.assert_array_equal(array, seen[name][row])
            np.testing.assert_array_equal(following[name], after[name][row])
        assert reward == rewards[row]
