"""Campaigns that go on in another environment are, to the bit, those that went on in the first."""

from __future__ import annotations

import json

import gymnasium as gym
import numpy as np
import pytest

from ombo_agents.learned.sb3_env import CampaignsInFlight, SB3VecEnv
from tests.envs.cases import IDS, SMALL_STARTS

ROWS = 3


def adapter(env_id, **arguments):
    small = {"start": SMALL_STARTS[env_id]} if env_id in SMALL_STARTS else {}
    settings = {"horizon": [1, 4], "batch_size": 2, **small, **arguments}
    env = gym.make_vec(env_id, ROWS, autoreset_mode="SameStep", **settings)
    return SB3VecEnv(env.unwrapped)


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def assert_goes_on(env_id, steps, **arguments):
    here, elsewhere = adapter(env_id, **arguments), adapter(env_id, **arguments)
    here.env.action_space.seed(0)
    here.seed(5)
    observation = here.reset()
    for _ in range(steps):
        observation = here.step(here.env.action_space.sample())[0]
    kept = here.in_flight()
    generators = json.loads(json.dumps(kept.generators))  # as a file would hold them
    assert_same(
        elsewhere.go_on(CampaignsInFlight(**{**vars(kept), "generators": generators})), observation
    )
    for _ in range(5):
        actions = here.env.action_space.sample()
        (ours, rewards, over, infos), (theirs, *others) = (
            here.step(actions),
            elsewhere.step(actions),
        )
        assert_same(ours, theirs)
        np.testing.assert_array_equal(rewards, others[0])
        np.testing.assert_array_equal(over, others[1])
        for info, other in zip(infos, others[2], strict=True):
            assert info.get("episode") == other.get("episode")


@pytest.mark.parametrize("env_id", IDS)
def test_in_every_environment(env_id):
    assert_goes_on(env_id, steps=2)


@pytest.mark.parametrize("steps", [0, 1, 7])
@pytest.mark.parametrize(
    "arguments",
    [
        {"control": "exploration", "batch_size": [1, 3]},
        {"control": "candidates", "plates": [3, 1], "horizon": None, "batch_size": None},
        {"start": {"kind": "none"}, "utility": "auc", "surrogate": {"kernel": "fit"}},
    ],
    ids=["exploration", "candidates", "without a start"],
)
def test_through_every_control_and_whenever(steps, arguments):
    assert_goes_on("Ombo/GP-v0", steps, **arguments)


def test_slots_that_were_wasted_count_as_they_did():
    here, elsewhere = (adapter("Ombo/Landscapes-v0", name="tent8", horizon=3) for _ in range(2))
    here.seed(0)
    here.reset()
    same = np.ones_like(here.env.action_space.sample())  # every slot the same design
    here.step(same)
    elsewhere.go_on(here.in_flight())
    for adapter_ in (here, elsewhere):
        assert (
            adapter_.env.campaigns.num_observed.tolist() == here.env.campaigns.num_observed.tolist()
        )
    np.testing.assert_array_equal(here.step(same)[1], elsewhere.step(same)[1])


def test_rounds_behind_the_horizon_and_other_problems_are_refused():
    here = adapter("Ombo/GP-v0")
    here.seed(0)
    here.reset()
    kept = vars(here.in_flight())
    elsewhere = adapter("Ombo/GP-v0")
    with pytest.raises(ValueError, match="rounds: expected fewer played than the horizon"):
        elsewhere.go_on(CampaignsInFlight(**{**kept, "rounds": kept["rounds"] + 4}))
    with pytest.raises(ValueError, match="the problem, or a table of it, has changed"):
        adapter("Ombo/GP-v0", dim=3).go_on(CampaignsInFlight(**kept))
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        elsewhere.go_on(CampaignsInFlight(**{**kept, "generators": kept["generators"][1:]}))
