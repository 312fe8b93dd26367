"""Controls of campaigns whose batches differ in size."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.controls.exploration import SUMMARY
from ombo_gym.env import CampaignEnv
from ombo_gym.randomness import KeyedGenerator, Stream
from tests.controls.cases import CASES, vector_env


@pytest.mark.parametrize("case", CASES)
def test_weights_are_interpolated_over_the_slots_of_the_next_plate(case):
    """A row with a plate of q proposes what it would if q were the batch size."""
    rows, common = 6, {"horizon": 2, "utility": "last_mean"}
    env = vector_env(case, rows, "exploration", batch_size=[1, 4], **common)
    alone = {q: vector_env(case, rows, "exploration", batch_size=q, **common) for q in range(1, 5)}
    observation, _ = env.reset(seed=0)
    actions = np.random.default_rng(0).uniform(-1, 1, (rows, 2)).astype(np.float32)
    plates = env.campaigns.plates[:, 0]
    assert len(set(plates)) > 1
    shown = observation["summary"][:, SUMMARY.index("log_next_plate")]
    np.testing.assert_allclose(shown, np.log(plates), rtol=1e-6)
    env.step(actions)
    for q, single in alone.items():
        single.reset(seed=0)
        single.step(actions)
        for row in np.flatnonzero(plates == q):
            for name in ("designs", "measurements"):
                ours, theirs = (getattr(each.campaigns, name)[row] for each in (env, single))
                n = env.campaigns.num_observed[row]
                np.testing.assert_array_equal(ours[:n], theirs[:n])


@pytest.mark.parametrize("control", ["exploration", "candidates"])
@pytest.mark.parametrize("rounds", [{"horizon": 2}, {"batch_size": [1, 9]}, {"plates": [7, 2, 3]}])
def test_what_is_seen_has_one_shape_whatever_the_rounds(control, rounds):
    env, plain = (CampaignEnv("GP", control=control, **each) for each in (rounds, {}))
    assert env.observation_space == plain.observation_space


def test_candidates_are_picked_for_the_slots_of_the_plate():
    env = vector_env("GP", 3, "candidates", plates=[3, 1], utility="last_mean")
    env.reset(seed=1)
    for q, picks in ((3, [2, 0, 5]), (1, [4, 0, 0])):
        listed = env._played._view.designs
        before = env.campaigns.num_observed.copy()
        env.step(np.tile(picks, (3, 1)))
        assert (env.campaigns.num_observed == before + q).all()
        for row in range(3):
            newest = env.campaigns.designs[row, before[row] : before[row] + q]
            np.testing.assert_array_equal(newest, listed[row, picks[:q]])


def test_rows_with_plates_of_different_sizes_draw_candidates_as_if_they_were_alone():
    env = vector_env("TFBind8", 8, "exploration", batch_size=[1, 3], horizon=1)
    env.reset(seed=2)
    assert len(env._played._view.groups) > 1
    for group in env._played._view.groups:
        rngs = KeyedGenerator(env.campaigns.keys[group.env_indices], Stream.CANDIDATES, 0)
        n, q = group.num_observed, group.batch_size
        designs, measured = (
            getattr(env.campaigns, name)[group.env_indices, :n]
            for name in ("designs", "measurements")
        )
        expected = env.design_space.candidates(designs, measured, 4 * q, rngs)
        np.testing.assert_array_equal(group.candidates, expected)
