"""What every policy keeps to on every kind of design space it claims, down to the smallest.

`test_policies.py` has what concerns rows, generators and the registry, on environments as they are;
here are spaces, starts and values at the edge of what there can be. A new policy is tested by being
registered.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

import ombo_agents
from ombo_agents.bayesian.botorch import policy as botorch_policy
from ombo_agents.offline import networks
from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns, MixedDesigns
from ombo_gym.problems.core.base import Problem
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.spec import Repeats
from ombo_gym.testing import check_policy
from ombo_gym.vector_env import CampaignVectorEnv
from tests.agents.cheap import make
from tests.controls.small_problems import Listed

pytestmark = pytest.mark.usefixtures("brief_fits")

ROWS, ROUNDS = 3, 3
PLANNERS = ("one_step", "rolling_2", "bayes_optimal")  # which waste slots on purpose


class Finite(Listed):
    """Finitely many designs with values that are drawn once."""

    def numbers(self, designs):
        return self.design_space.encode(designs)


class Wavy(Problem):
    """Waves over the features of whatever designs there are."""

    def __init__(self, design_space):
        self.design_space = design_space

    def draw(self, rngs):
        return {"phase": rngs.random((1,))}

    def evaluate(self, instances, designs):
        features = self.design_space.features(designs)
        return np.sin(3 * features.sum(axis=-1) + 6 * instances["phase"])


def some_pool():
    features = np.random.default_rng(3).normal(size=(7, 3))
    features[:, 1] = 2.0  # a feature that tells nothing
    return CandidateDesigns(features)


SPACES = {
    "interval": lambda: GP(dim=1),
    "square": lambda: GP(dim=2),
    "recipes, one position without a choice": lambda: Finite(CategoricalDesigns([2, 1, 3])),
    "bits": lambda: Finite(CategoricalDesigns([2] * 11)),
    "levels": lambda: Finite(CategoricalDesigns([4, 1, 3], ordinal=True)),
    "one position": lambda: Finite(CategoricalDesigns([9])),
    "pool": lambda: Finite(some_pool()),
    "two candidates": lambda: Finite(CandidateDesigns(np.eye(2))),
    "mixed": lambda: Wavy(
        MixedDesigns({"T": (20, 100), "n": {"integer": [1, 4]}, "solvent": ["DMF", "THF", "water"]})
    ),
    "mixed and countable": lambda: Finite(
        MixedDesigns({"n": {"integer": [1, 5]}, "solvent": ["DMF", "THF", "water"]})
    ),
}
# Spaces of one kind take the same way through nearly all of a policy: in turn, each policy plays
# one of every kind that it suits, and the rest among the slow tests.
KINDS_OF_SPACES = (
    ("interval", "square"),
    ("recipes, one position without a choice", "bits", "levels", "one position"),
    ("pool", "two candidates"),
    ("mixed", "mixed and countable"),
)
CAMPAIGNS = (  # every policy meets all of them, on one space or another; so does every space
    {"start": {"kind": "none"}, "batch_size": 3},
    {"start": {"kind": "random", "size": 1}, "batch_size": 1},
    {"start": {"kind": "random", "size": 2}, "batch_size": 4},
    {"start": {"kind": "random", "size": 2}, "plates": [5, 2, 3]},
    {"start": {"kind": "none"}, "batch_size": [1, 4]},
    {"start": {"kind": "random", "size": 2}, "batch_size": 3, "noise_std": 0.1},
    {"start": {"kind": "none"}, "batch_size": 3, "utility": "last_mean"},
)


def make_env(space, rows=ROWS, rounds=ROUNDS, **arguments):
    """Noise-free campaigns under `best`: nothing is worth measuring twice."""
    if "plates" not in arguments:
        arguments["horizon"] = rounds
    return CampaignVectorEnv(rows, SPACES[space](), autoreset_mode="Disabled", **arguments)


@functools.cache
def players():
    found = []
    for space in SPACES:
        env = make_env(space, start={"kind": "none"})
        found += [(name, space) for name in ombo_agents.names() if ombo_agents.supports(name, env)]
    return found


def generators():
    return [np.random.default_rng([0, row]) for row in range(ROWS)]


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Networks that are hardly fitted, few candidates for BoTorch: all this holds all the same."""
    monkeypatch.setattr(networks, "MIN_STEPS", 2)
    monkeypatch.setattr(botorch_policy, "MAX_CANDIDATES", 64)


PLAYERS = players()
OURS = [player for player in PLAYERS if not player[0].startswith("botorch")]
BOTORCH = [player for player in PLAYERS if player[0].startswith("botorch")]


def in_turn():
    """Players of which each policy is on one space of every kind."""
    chosen = set()
    for turn, name in enumerate(ombo_agents.names()):
        for kind in KINDS_OF_SPACES:
            if suited := [space for space in kind if (name, space) in PLAYERS]:
                chosen.add((name, suited[turn % len(suited)]))
    return chosen


IN_TURN = in_turn()


def cases(players):
    """Parameters of tests: those that are not in turn are slow."""
    return [
        player if player in IN_TURN else pytest.param(*player, marks=pytest.mark.slow)
        for player in players
    ]


def test_every_policy_meets_every_kind_of_space_that_it_suits_and_every_space_many_policies():
    kinds = {space: kind for kind in KINDS_OF_SPACES for space in kind}
    assert kinds.keys() == SPACES.keys()
    assert {(name, kinds[space]) for name, space in IN_TURN} == {
        (name, kinds[space]) for name, space in PLAYERS
    }
    assert all(sum(space == each for _, each in IN_TURN) >= 5 for space in SPACES)


# A call of BoTorch's takes half a second a row: a space for each way of its own, two rows, and two
# rounds on one of them.
BOTORCHS = ("square", "bits", "levels", "two candidates", "mixed")


@pytest.mark.parametrize(
    ("name", "space"),
    [
        *cases(player for player in PLAYERS if not player[0].startswith("botorch")),
        *(
            player
            for player in PLAYERS
            if player[0].startswith("botorch") and player[1] in BOTORCHS
        ),
    ],
)
def test_it_keeps_the_promises_of_a_policy(name, space):
    """See `check_policy`: one campaign of each policy on each space, with the rest in turn."""
    turn = ombo_agents.names().index(name) + list(SPACES).index(space)
    if name.startswith("botorch"):
        rounds = 2 if space == "two candidates" else 1
        start = {"kind": "random", "size": 2}
        env = make_env(space, rows=2, rounds=rounds, start=start, batch_size=[1, 2])
    else:
        env = make_env(space, **CAMPAIGNS[turn % len(CAMPAIGNS)])
    if ombo_agents.supports(name, env):
        check_policy(lambda spec: make(name, spec), env, repeats=name in PLANNERS)


@pytest.mark.parametrize(
    ("name", "space"),
    [
        *cases(player for player in PLAYERS if not player[0].startswith("botorch")),
        # BoTorch's optimisers take seconds: on the first space that they suit.
        *{
            player[0]: player for player in PLAYERS[::-1] if player[0].startswith("botorch")
        }.values(),
    ],
)
def test_values_of_any_size_under_another_utility(name, space):
    """A row each: all alike, far apart, negative, tiny.

    Designs can be worth measuring again then, but not twice in a batch where they can be listed.
    """
    size = 2 if space == "two candidates" else 5
    start = {"kind": "random", "size": size}
    q, rounds = (2, 2) if name.startswith("botorch") else (6, ROUNDS)
    env = make_env(space, 4, rounds, start=start, batch_size=q, utility="last_max")
    policy, designs = make(name, env), env.design_space
    observation, _ = env.reset(seed=0)
    observation["measurements"][:, :size] = (
        np.full(size, 0.7),
        np.linspace(-1e6, 1e6, size),
        np.linspace(-3, -2, size),
        np.linspace(0, 1e-12, size),
    )
    actions, details = policy.explain(observation, np.random.default_rng(0))
    assert actions in env.action_space
    assert all(len(array) == 4 for array in details.values())
    if "model_queries" in details:
        assert details["model_queries"].dtype == np.int64 and (details["model_queries"] >= 0).all()
    if designs.size is None:
        assert env.campaign_spec.repeats is Repeats.ALLOWED
        return
    for batch in designs.designs(actions):
        assert len(np.unique(batch, axis=0)) == min(q, designs.size)


@pytest.mark.parametrize(
    ("name", "space"),
    # BoTorch's optimisers stop at differences in units of the values.
    cases(OURS),
)
def test_the_unit_of_the_values_makes_no_difference(name, space):
    """The same campaign in every row, in other units."""
    size, kernel = 2 if space == "two candidates" else 5, {"kernel": "fit"}
    start = {"kind": "random", "size": size}
    env = make_env(space, start=start, batch_size=2, surrogate=kernel)
    policy = make(name, env)
    observation, _ = env.reset(seed=0)
    observation = {key: np.repeat(array[:1], ROWS, axis=0) for key, array in observation.items()}
    values = np.random.default_rng(0).normal(size=size)
    observation["measurements"][:, :size] = np.outer([1.0, 2.0**-46, 2.0**60], values)
    actions = policy.act(observation, [np.random.default_rng(0) for _ in range(ROWS)])
    np.testing.assert_allclose(actions[1:], actions[[0, 0]], atol=1e-4)
