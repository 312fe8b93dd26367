"""A player is given what a player may know: nothing that was drawn can be reached from it."""

from __future__ import annotations

import gc
import types
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

import ombo_agents
import ombo_gym
from ombo_gym.campaign import Campaigns
from ombo_gym.controlled_campaigns import ControlledCampaigns
from ombo_gym.evaluation.cells import Cell, make_env, make_policy
from ombo_gym.problems.core.base import Problem
from ombo_gym.randomness import BatchedGenerator
from tests.agents.cheap import SLOW, make

pytestmark = pytest.mark.usefixtures("brief_fits")

HIDDEN = (
    *(Problem, Campaigns, ControlledCampaigns, gym.Env, gym.vector.VectorEnv, BatchedGenerator),
    *(np.random.Generator, np.random.BitGenerator, np.random.RandomState, torch.Generator),
)
# Classes and modules are the same for everybody: they are what "module globals" leads to.
ASIDE = (type, types.ModuleType, types.CodeType, types.BuiltinFunctionType)

ENVS: dict[str, dict[str, Any]] = {
    "Ombo/GP-v0": {},
    "Ombo/TFBinding-v0": {},
    "Ombo/CrossedBarrel-v0": {"utility": "last_max"},
    "Ombo/Tuning-v0": {"plates": [4, 2]},
    "Ombo/Bandit-v0": {"utility": "total"},
    "Ombo/Landscapes-v0": {"utility": "total", "horizon": 2},
    "Ombo/GP-v0 ": {"control": "exploration"},
}
SUITED = [
    (name, env_id)
    for env_id, env in ((key, gym.make(key.strip(), **ENVS[key])) for key in ENVS)
    for name in ombo_agents.names()
    if ombo_agents.supports(name, env)
]
# What thinks long plays the first environment that it suits.
FIRST = dict(reversed(SUITED))
PLAYERS = [(name, env_id) for name, env_id in SUITED if name not in SLOW or FIRST[name] == env_id]


def in_turn(name: str, env_id: str) -> bool:
    """Whether it is quick: of the environments that it suits, a policy plays every third one."""
    suited = [each for player, each in PLAYERS if player == name]
    return env_id in suited[ombo_agents.names().index(name) % min(3, len(suited)) :: 3]


def referred(thing: Any) -> Iterator[Any]:
    """Attributes, entries, closure cells, a partial's arguments, `__self__` of a bound method.

    Of a function everything but its module's globals.
    """
    if isinstance(thing, types.FunctionType):
        yield from (thing.__closure__, thing.__defaults__, thing.__kwdefaults__, thing.__dict__)
        return
    if isinstance(thing, np.ndarray):
        yield from thing.ravel().tolist() if thing.dtype == object else ()
        return
    yield from gc.get_referents(thing)


def reachable(root: Any) -> Iterator[Any]:
    met: set[int] = set()
    left = [root]
    while left:
        thing = left.pop()
        if id(thing) in met or isinstance(thing, ASIDE):
            continue
        met.add(id(thing))
        yield thing
        left.extend(referred(thing))


def hidden(root: Any) -> list[Any]:
    return [thing for thing in reachable(root) if isinstance(thing, HIDDEN)]


def test_the_walk_finds_what_is_hidden_in_a_closure_a_partial_or_a_bound_method() -> None:
    import functools

    problem = ombo_gym.make_problem("GP")
    rng = np.random.default_rng(0)
    for secret in (problem, rng):
        assert secret in hidden(lambda: secret)  # noqa: B023
        assert secret in hidden({"a": [functools.partial(print, secret)]})
    assert hidden(problem.draw) == [problem]
    assert rng in hidden(np.array([rng, None]))
    assert hidden(types.SimpleNamespace(space=problem.design_space)) == []


@pytest.mark.parametrize("env_id", ombo_gym.env_ids())
def test_nothing_that_was_drawn_can_be_reached_from_a_spec(env_id: str) -> None:
    env = gym.make(env_id)
    env.reset(seed=0)
    assert hidden(ombo_gym.campaign_spec(env)) == []


@pytest.mark.parametrize(
    ("name", "env_id"),
    [
        pytest.param(*player, marks=() if in_turn(*player) else pytest.mark.slow)
        for player in PLAYERS
    ],
)
def test_nothing_that_was_drawn_can_be_reached_from_a_policy(name: str, env_id: str) -> None:
    envs = gym.make_vec(env_id.strip(), num_envs=2, **ENVS[env_id])
    policy = make(name, envs)
    assert hidden(policy) == []
    observation, _ = envs.reset(seed=0)
    policy.act(observation, [np.random.default_rng(row) for row in range(2)])
    assert hidden(policy) == [], "after a round"


class Peeks:
    """Looks up the answers, as release 0.1.0 let it."""

    def __init__(self, game: Any) -> None:
        self.game = game

    def act(self, observation: Any, rng: Any) -> Any:
        x = np.random.default_rng(0).uniform(-1, 1, (len(observation["rounds_left"]), 4, 2))
        self.game.problem.evaluate(self.game.campaigns.instances, x)
        return x.astype(np.float32)


class Keeps:
    """Keeps whatever it is given."""

    def __init__(self, *given: Any, **more: Any) -> None:
        self.given = given, more

    def act(self, *_: Any) -> None:
        """Never asked."""


def cell(policy: str) -> Cell:
    numbers = {"horizon": 1, "batch_size": 4, "seed": 0, "first": 0, "campaigns": 2}
    return Cell("Ombo/GP-v0", policy, horizon_shown="true", utility="best", **numbers)


def test_a_policy_that_looks_up_the_answers_finds_none() -> None:
    tested = cell(f"{__name__}:Peeks")
    env = make_env(tested)
    policy = make_policy(tested, env)
    observation, _ = env.reset(seed=0)
    with pytest.raises(AttributeError):
        policy.act(observation, np.random.default_rng(0))


def test_what_evaluation_hands_to_a_policy_of_ones_own_hides_nothing() -> None:
    tested = cell(f"{__name__}:Keeps")
    policy = make_policy(tested, make_env(tested))
    assert hidden(policy) == []
    assert policy.given == ((ombo_gym.campaign_spec(make_env(tested)),), {})
