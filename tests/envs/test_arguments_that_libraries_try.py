"""An argument that no environment has is refused in Python's words, which libraries look for."""

from __future__ import annotations

import gymnasium as gym
import pytest

import ombo_gym
from ombo_gym.problems.core.base import Problem
from ombo_gym.registration import make_problem

PHRASE = r"got an unexpected keyword argument 'frameskip'"


@pytest.mark.parametrize("env_id", ombo_gym.env_ids())
def test_torchrl_tries_frameskip_and_looks_for_the_phrase(env_id: str) -> None:
    with pytest.raises(TypeError, match=PHRASE):
        gym.make(env_id, frameskip=1)
    with pytest.raises(TypeError, match=PHRASE):
        gym.make_vec(env_id, num_envs=2, frameskip=1)


def test_it_does_for_a_problem_of_one_s_own_by_name_or_as_an_object() -> None:
    own = "ombo_gym.problems.synthetic.gp:GP"
    problem: Problem = make_problem("GP")
    for given in (own, problem):
        with pytest.raises(TypeError, match=PHRASE):
            ombo_gym.CampaignEnv(given, frameskip=1)
        with pytest.raises(TypeError, match=PHRASE):
            ombo_gym.CampaignVectorEnv(2, given, frameskip=1)


def test_the_message_says_what_there_is() -> None:
    with pytest.raises(TypeError, match=r"of its own, \['dim', 'kernel'"):
        gym.make("Ombo/GP-v0", frameskip=1)
