"""Thompson sampling from exact posteriors: as often as a design is the best of a draw."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from scipy.stats import beta

import ombo_agents
import ombo_gym  # noqa: F401
from ombo_agents.planners.thompson import chances_of_being_best


def batch_of(env, rows, steps=3, seed=0):
    """A dataset that came about somehow, repeated for many campaigns."""
    env.action_space.seed(seed)
    observation, _ = env.reset(seed=seed)
    for _ in range(steps):
        observation, *_ = env.step(env.action_space.sample())
    return {name: np.repeat(array[None], rows, axis=0) for name, array in observation.items()}


def test_the_chance_of_being_best_of_two_is_the_textbook_sum():
    # P(Beta(2, 1) > Beta(1, 1)) = E[Beta(2, 1)] = 2/3; against a known 1/2, 1 - 1/4.
    two = chances_of_being_best(np.array([[2.0, 1.0]]), np.array([[1.0, 1.0]]), np.zeros(0), 4)
    np.testing.assert_allclose(two, [[2 / 3, 1 / 3]], rtol=1e-12)
    known = np.array([0.3, 0.5, 0.5])
    one = chances_of_being_best(np.array([[2.0]]), np.array([[1.0]]), known, 4)
    np.testing.assert_allclose(one, [[3 / 4, 0, 1 / 4, 0]], rtol=1e-12, atol=1e-15)


def test_the_chance_of_being_best_agrees_with_draws():
    a, b, known = np.array([[3.0, 1.0, 7.0]]), np.array([[2.0, 1.0, 4.0]]), np.array([0.55])
    rngs = beta.rvs(a, b, size=(200_000, 3), random_state=np.random.default_rng(0))
    best = np.column_stack([rngs, np.full(len(rngs), 0.55)]).argmax(axis=1)
    expected = np.bincount(best, minlength=4) / len(rngs)
    found = chances_of_being_best(a, b, known, 12)[0]
    np.testing.assert_allclose(found, expected, atol=4 * np.sqrt(0.25 / len(rngs)))


@pytest.mark.parametrize(
    ("env_id", "settings"),
    [
        ("Ombo/Bandit-v0", {"arms": 3, "batch_size": 1}),
        ("Ombo/Bandit-v0", {"arms": 2, "known": [0.4], "batch_size": 3}),
        ("Ombo/Landscapes-v0", {"name": "tent8", "batch_size": 1}),
        ("Ombo/Landscapes-v0", {"name": "blurred_signpost", "batch_size": 1}),
    ],
)
def test_proposals_are_drawn_as_the_distribution_says(env_id, settings):
    rows = 20_000
    env = gym.make(env_id, horizon=5, **settings)
    steps = 3 if "Bandit" in env_id else 1  # a landscape is soon known
    observation = batch_of(env, rows, steps)
    policy = ombo_agents.make("thompson", env)
    actions, probabilities = policy.distribution({n: a[:1] for n, a in observation.items()})
    assert probabilities.sum() == pytest.approx(1)
    proposed = np.sort(policy.act(observation, np.random.default_rng(1)), axis=1)
    same = (proposed[:, None] == np.sort(actions, axis=1)).all(axis=-1)
    frequency = same.mean(axis=0)
    assert frequency.sum() == pytest.approx(1)
    spread = np.sqrt(probabilities[0] * (1 - probabilities[0]) / rows)
    assert (np.abs(frequency - probabilities[0]) <= 4.5 * spread + 1e-12).all()
    assert (probabilities[0] > 0.02).sum() > 1  # otherwise there was nothing to get wrong


def test_each_slot_takes_the_best_of_what_is_left_in_a_landscape_of_its_own():
    rows = 20_000
    matrix = [[3, 2, 1, 0], [0, 1, 2, 3]]
    env = gym.make("Ombo/Landscapes-v0", matrix=matrix, weights=[3, 1], batch_size=2, horizon=2)
    observation = batch_of(env, rows, steps=0)
    batches = ombo_agents.make("thompson", env).act(observation, np.random.default_rng(0))
    found = {tuple(batch): np.mean((batches == batch).all(axis=1)) for batch in batches[:200]}
    expected = {(0, 1): 9 / 16, (0, 3): 3 / 16, (3, 0): 3 / 16, (3, 2): 1 / 16}
    assert found.keys() == expected.keys()
    for batch, share in expected.items():
        assert found[batch] == pytest.approx(share, abs=4.5 * np.sqrt(0.25 / rows))


def test_with_gaussian_noise_it_draws_from_the_surrogate():
    exact = gym.make("Ombo/Landscapes-v0", name="tent8")
    noisy = gym.make("Ombo/Landscapes-v0", name="tent8", noise_std=0.1)
    assert type(ombo_agents.make("thompson", exact)).__name__ == "LandscapeThompson"
    assert type(ombo_agents.make("thompson", noisy)).__name__ == "Thompson"
