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
from ombo_agents.offline import networks
from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns, MixedDesigns
from ombo_gym.problems.core.base import Problem
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.vector_env import CampaignVectorEnv
from tests.agents.cheap import make
from tests.controls.small_problems import Listed

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
ONE_OF_EACH = ("square", "recipes, one position without a choice", "pool", "mixed")
CAMPAIGNS = {
    "no start": {"start": {"kind": "none"}, "batch_size": 3},
    "one row, q = 1": {"start": {"kind": "random", "size": 1}, "batch_size": 1},
    "two rows, q = 4": {"start": {"kind": "random", "size": 2}, "batch_size": 4},
    "plates": {"start": {"kind": "random", "size": 2}, "plates": [5, 2, 3]},
    "plates of any size": {"start": {"kind": "none"}, "batch_size": [1, 4]},
}


def make_env(space, rows=ROWS, **arguments):
    """Noise-free campaigns under `best`: nothing is worth measuring twice."""
    if "plates" not in arguments:
        arguments["horizon"] = ROUNDS
    return CampaignVectorEnv(rows, SPACES[space](), autoreset_mode="Disabled", **arguments)


@functools.cache
def players():
    found = []
    for space in SPACES:
        env = make_env(space, start={"kind": "none"})
        found += [(name, space) for name in ombo_agents.names() if ombo_agents.supports(name, env)]
    return found


def rngs(rows):
    return GeneratorBatch(np.random.default_rng(0), rows)


def generators(round_):
    return [np.random.default_rng([round_, row]) for row in range(ROWS)]


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Networks that are hardly fitted: all this holds however well they are."""
    monkeypatch.setattr(networks, "AT_LEAST", 2)


every_player = pytest.mark.parametrize(("name", "space"), players())
one_of_each = pytest.mark.parametrize(
    ("name", "space"), [player for player in players() if player[1] in ONE_OF_EACH]
)


@pytest.mark.parametrize(
    ("name", "space", "campaign"),
    [
        (*player, campaign)
        for player in players()
        for campaign in CAMPAIGNS
        if not campaign.startswith("plates") or player[1] in ONE_OF_EACH
    ],
)
def test_a_campaign_from_nothing_to_its_end(name, space, campaign):
    """As many designs as the plate holds, all of them new while there are new ones, to the end."""
    env = make_env(space, **CAMPAIGNS[campaign])
    policy, designs = make(name, env), env.design_space
    sizes = {"batch_size": np.array([1, 4, 2])} if campaign == "plates of any size" else {}
    observation, _ = env.reset(seed=0, options=sizes)
    for round_ in range(ROUNDS):
        actions = policy.act(observation, generators(round_))
        assert actions.dtype == env.action_space.dtype and actions in env.action_space
        again = policy.act(observation, generators(round_))
        np.testing.assert_array_equal(actions, again)
        if round_ == 1:
            for row in range(ROWS):
                alone = {key: array[row : row + 1] for key, array in observation.items()}
                action = policy.act(alone, generators(round_)[row : row + 1])
                np.testing.assert_array_equal(action[0], actions[row])
        if round_ == 1 and "plates" in campaign:
            over = {key: array.copy() for key, array in observation.items()}
            over["rounds_left"][2] = over["plates"][2] = 0
            beside = policy.act(over, generators(round_))
            assert beside in env.action_space
            np.testing.assert_array_equal(beside[:2], actions[:2])
        batches = actions.reshape(ROWS, -1, *designs.shape)
        for row, q in enumerate(observation["plates"][:, 0].astype(int).tolist()):
            batch = batches[row, :q]
            np.testing.assert_array_equal(designs.canonical(batch), batch)
            measured = observation["designs"][row, observation["observed"][row] == 1]
            old, new = set(map(tuple, measured.tolist())), set(map(tuple, batch.tolist()))
            left = np.inf if designs.size is None else designs.size - len(old)
            if name not in PLANNERS:
                assert len(new - old) == min(q, left)
        observation, _, ended, *_ = env.step(actions)
    assert ended.all() and (observation["rounds_left"] == 0).all()
    assert policy.act(observation, generators(9)) in env.action_space


@one_of_each
def test_a_spec_that_was_written_down_is_all_that_a_policy_needs(name, space):
    env = make_env(space, start={"kind": "random", "size": 2}, batch_size=3)
    spec = CampaignSpec.from_json(env.campaign_spec.to_json())
    assert spec == env.campaign_spec
    observation, _ = env.reset(seed=0)
    actions, written = (make(name, each).act(observation, generators(0)) for each in (env, spec))
    np.testing.assert_array_equal(written, actions)


@every_player
def test_where_a_batch_is_to_hold_a_design_once_it_does_under_other_utilities_too(name, space):
    """Measured designs can be worth measuring again then, but not twice in a batch."""
    env = make_env(space, start={"kind": "random", "size": 2}, batch_size=6, utility="last_max")
    designs = env.design_space
    if designs.size is None:
        assert env.campaign_spec.repeats is Repeats.ALLOWED
        return
    policy = make(name, env)
    observation, _ = env.reset(seed=0)
    for batch in designs.designs(policy.act(observation, generators(0))):
        assert len(np.unique(batch, axis=0)) == min(6, designs.size)


@pytest.mark.parametrize("values", ["all alike", "far apart", "negative", "tiny"])
@every_player
def test_values_of_any_size(name, space, values):
    size = 2 if space == "two candidates" else 5
    env = make_env(space, start={"kind": "random", "size": size}, batch_size=2)
    policy = make(name, env)
    observation, _ = env.reset(seed=0)
    shown = {
        "all alike": np.full(size, 0.7),
        "far apart": np.linspace(-1e6, 1e6, size),
        "negative": np.linspace(-3, -2, size),
        "tiny": np.linspace(0, 1e-12, size),
    }[values]
    observation["measurements"][:, :size] = shown
    actions, details = policy.explain(observation, generators(0))
    assert actions in env.action_space
    assert all(len(array) == ROWS for array in details.values())
    if "model_queries" in details:
        assert details["model_queries"].dtype == np.int64 and (details["model_queries"] >= 0).all()


@pytest.mark.parametrize(
    ("name", "space"),
    # BoTorch's optimisers stop at differences in units of the values.
    [player for player in players() if not player[0].startswith("botorch")],
)
def test_the_unit_of_the_values_makes_no_difference(name, space):
    size, kernel = 2 if space == "two candidates" else 5, {"kernel": "fit"}
    start = {"kind": "random", "size": size}
    env = make_env(space, start=start, batch_size=2, surrogate=kernel)
    policy = make(name, env)
    observation, _ = env.reset(seed=0)
    observation["measurements"][:, :size] = np.random.default_rng(0).normal(size=(ROWS, size))
    actions = policy.act(observation, generators(0))
    for exponent in (-46, 60):
        scaled = {**observation, "measurements": observation["measurements"] * 2.0**exponent}
        np.testing.assert_allclose(policy.act(scaled, generators(0)), actions, atol=1e-4)


@every_player
def test_it_makes_no_difference_what_stands_in_rows_that_are_not_in_use(name, space):
    env = make_env(space, start={"kind": "random", "size": 2}, batch_size=2)
    policy = make(name, env)
    observation, _ = env.reset(seed=0)
    actions = policy.act(observation, generators(0))
    spare = observation["observed"] == 0
    observation["measurements"][spare] = 1e3
    observation["designs"][spare] = observation["designs"][0, 1]
    np.testing.assert_array_equal(policy.act(observation, generators(0)), actions)
