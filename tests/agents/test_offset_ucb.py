"""`offset_ucb`: the prior mean moves with the start's share, and only under truncated starts."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
import ombo_gym
from ombo_gym.surrogates.truncation import moments_below, shift_and_scale


def first_plate(name: str, start: dict[str, object], seed: int = 0) -> np.ndarray:
    env = gym.make_vec(
        "Ombo/Reaction-v0", num_envs=8, horizon=2, batch_size=4, start=start,
        autoreset_mode="Disabled",
    )  # fmt: skip
    observation, _ = env.reset(seed=seed)
    policy = ombo_agents.make(name, env)
    return policy.act(observation, np.random.default_rng(0))


TRUNCATED = {"kind": "percentile", "percentile": 50, "size": 16}


def test_it_is_ucb_at_a_random_start_and_at_strength_one() -> None:
    random = {"kind": "random", "size": 16}
    np.testing.assert_array_equal(first_plate("offset_ucb", random), first_plate("ucb", random))
    np.testing.assert_array_equal(
        first_plate("offset_ucb:strength=1", TRUNCATED), first_plate("ucb", TRUNCATED)
    )


def test_a_larger_offset_changes_the_plate_of_a_truncated_start() -> None:
    weak, strong = (first_plate(f"offset_ucb:strength={s}", TRUNCATED) for s in (1, 6))
    assert not np.array_equal(weak, strong)


def test_the_mean_moves_by_strength_and_share_and_the_scale_does_not() -> None:
    values = np.random.default_rng(0).normal(size=(3, 10))
    starts = np.array([10, 5, 0])
    above, _ = moments_below(50)
    plain, scale = shift_and_scale(values, starts, 50)
    twice, same = shift_and_scale(values, starts, 50, 2.0)
    np.testing.assert_array_equal(scale, same)
    np.testing.assert_allclose(twice - plain, [above, above / 2, 0] * values.std(axis=1))


def test_a_given_prior_is_left_alone() -> None:
    env = gym.make("Ombo/GP-v0")
    spec = ombo_gym.campaign_spec(env)
    assert spec.surrogate["kernel"] == "prior"
    observation, _ = env.reset(seed=0)
    batch = {name: np.asarray(array)[None] for name, array in observation.items()}
    plates = [
        ombo_agents.make(name, spec).act(batch, np.random.default_rng(0))
        for name in ("offset_ucb:strength=5", "ucb")
    ]
    np.testing.assert_array_equal(*plates)


@pytest.mark.parametrize("strength", [0, -1, 11])
def test_a_strength_out_of_range_is_refused(strength: float) -> None:
    with pytest.raises(ValueError, match="strength"):
        ombo_agents.make(f"offset_ucb:strength={strength}", gym.make("Ombo/GP-v0"))


@pytest.mark.parametrize("given", [-1, 11, "much", None, float("nan")])
def test_a_recipe_s_truncation_out_of_range_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="truncation true, false or a number from 0 to 10"):
        gym.make_vec(
            "Ombo/Reaction-v0", num_envs=1,
            surrogate={"kernel": "fit", "truncation": given}, control="exploration",
        )  # fmt: skip
