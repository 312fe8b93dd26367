"""What the meta-policy begins as, and what a rule changes of that."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
from ombo_agents.learned.meta import Meta, Rule
from ombo_agents.learned.meta.context import KINDS, kind_of
from ombo_agents.learned.meta.rule import LARGEST, SHAPE
from ombo_gym.spec import campaign_spec
from ombo_gym.testing import check_policy
from ombo_gym.vector_env import CampaignVectorEnv

LOWER = {"kind": "percentile", "percentile": 50, "size": 16}
RANDOM = {"kind": "random", "size": 16}
CASES = {
    "recipes": ("Reaction", {}, "d_optimal"),
    "pool": ("CrossedBarrel", {}, "d_optimal"),
    "box": ("GP", {"dim": 3, "surrogate": {"kernel": "fit"}}, "sobol"),
}
ROWS = 3


def generators():
    return [np.random.default_rng([5, row]) for row in range(ROWS)]


def begun(case, start, utility, rounds=2, q=4):
    problem, arguments, _ = CASES[case]
    arguments = {"horizon": rounds, "batch_size": q, "start": start, **arguments}
    return CampaignVectorEnv(ROWS, problem, autoreset_mode="Disabled", utility=utility, **arguments)


def changing(spec, **changes):
    """A rule that changes this kind of campaigns, and another by as much the other way."""
    kind = kind_of(spec)
    other = {name: -step for name, step in changes.items()}
    return Rule().moved(kind, changes).moved((kind + 3) % len(KINDS), other)


def batches(policy, env, rounds=2):
    """What it proposes round after round, with what it says of it."""
    observation, _ = env.reset(seed=2)
    for _ in range(rounds):
        actions, details = policy.explain(observation, generators())
        yield observation, actions, details
        observation, *_ = env.step(actions)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("start", "utility", "same_as"),
    [
        (RANDOM, "best", "ucb"),
        (RANDOM, "last_mean", "explore_then_exploit"),
        (LOWER, "best", "doe_then_ucb"),
    ],
    ids=["random, best", "random, last_mean", "lower half, best"],
)
def test_before_it_has_learnt_anything_it_is_the_rule_for_its_campaigns(
    case, start, utility, same_as
):
    if case == "box" and start is LOWER:
        pytest.skip("candidates are drawn before the sequence's shift, which differs")
    env = begun(case, start, utility)
    other = ombo_agents.make(same_as, env)
    for observation, actions, _ in batches(Meta(campaign_spec(env), Rule()), env):
        np.testing.assert_array_equal(actions, other.act(observation, generators()))


@pytest.mark.parametrize("case", CASES)
def test_a_last_plate_that_pays_itself_is_not_designed(case):
    env = begun(case, LOWER, "last_mean", rounds=1)
    ((observation, actions, _),) = batches(Meta(campaign_spec(env), Rule()), env, rounds=1)
    greedy = ombo_agents.make("explore_then_exploit", env).act(observation, generators())
    np.testing.assert_array_equal(actions, greedy)


@pytest.mark.parametrize("case", CASES)
def test_half_a_plate_is_chosen_by_bounds_and_half_beside_it_by_design(case):
    env = begun(case, LOWER, "best")
    spec = campaign_spec(env)
    policy = Meta(spec, changing(spec, designed_share=-0.5))
    (observation, actions, _), _ = batches(policy, env)
    ucb = ombo_agents.make("ucb", env).act(observation, generators())
    designed = ombo_agents.make(CASES[case][2], env).act(observation, generators())
    actions, ucb, designed = (each.reshape(ROWS, 4, -1) for each in (actions, ucb, designed))
    np.testing.assert_array_equal(actions[:, :2], ucb[:, :2])
    assert not np.array_equal(actions[:, 2:], ucb[:, 2:])
    for row in range(ROWS):  # and none of the two comes twice
        assert len(np.unique(actions[row], axis=0)) == 4


@pytest.mark.parametrize("case", ["recipes", "box"])
def test_weights_of_first_and_last_slot_are_moved_by_what_the_rule_says(case):
    env = begun(case, RANDOM, "best")
    spec = campaign_spec(env)
    moved = Meta(spec, changing(spec, final_last=-0.5, earlier_first=1.0))
    (_, first, weights), (_, _, at_last) = batches(moved, env)
    np.testing.assert_array_equal(weights["exploration_weights"], [[3.0, 2.0]] * ROWS)
    np.testing.assert_array_equal(at_last["exploration_weights"], [[2.0, 1.5]] * ROWS)
    greedy = Meta(spec, changing(spec, earlier_first=-3.0))
    (_, actions, weights), _ = batches(greedy, env)
    np.testing.assert_array_equal(weights["exploration_weights"], [[0.0, 2.0]] * ROWS)
    assert not np.array_equal(actions, first)


def test_a_better_model_moves_weights_by_as_much_as_the_rule_says():
    env = begun("recipes", RANDOM, "best")
    spec = campaign_spec(env)
    (_, _, plain), _ = batches(Meta(spec, Rule()), env)
    (_, _, more), _ = batches(Meta(spec, changing(spec, by_quality=1.0)), env)
    (_, _, twice), _ = batches(Meta(spec, changing(spec, by_quality=2.0)), env)
    moved = [each["exploration_weights"] - plain["exploration_weights"] for each in (more, twice)]
    np.testing.assert_allclose(moved[1], 2 * moved[0])
    assert len(np.unique(moved[0])) == ROWS and np.abs(moved[0]).max() <= 0.6


def test_kinds_are_told_by_utility_start_and_designs():
    names = {
        KINDS[kind_of(campaign_spec(begun(case, start, utility)))]
        for case in ("pool", "box")
        for start in (LOWER, RANDOM)
        for utility in ("best", "last_mean")
    }
    assert names == set(KINDS) and len(KINDS) == 8


@pytest.mark.parametrize(
    ("problem", "utility"), [("GP", "auc"), ("GP", "total"), ("Bandit", "recommendation")]
)
def test_utilities_that_do_not_pay_the_last_batch_are_played_as_best_is(problem, utility):
    env = CampaignVectorEnv(ROWS, problem, horizon=2, batch_size=3, utility=utility)
    assert "best value pays" in KINDS[kind_of(campaign_spec(env))]


def test_tables_of_another_shape_or_with_large_numbers_are_refused():
    with pytest.raises(ValueError, match=r"table: expected numbers from -3 to 3 of shape"):
        Rule(np.full(SHAPE, LARGEST + 0.1))
    with pytest.raises(ValueError, match="of shape"):
        Rule(np.zeros(3))


@pytest.mark.parametrize("env_id", ["Ombo/GP-v0", "Ombo/CrossedBarrel-v0", "Ombo/TFBinding-v0"])
@pytest.mark.parametrize("start", [LOWER, {"kind": "none"}], ids=["lower half", "none"])
def test_it_keeps_to_what_policies_promise(env_id, start):
    rng = np.random.default_rng(1)
    rule = Rule(rng.uniform(-1, 1, SHAPE))
    env = gym.make_vec(
        env_id,
        num_envs=4,
        autoreset_mode="Disabled",
        start=start,
        horizon=[1, 2],
        batch_size=[1, 3],
    )
    check_policy(lambda spec: Meta(spec, rule), env)


def test_the_name_is_the_policy_that_comes_with_the_package():
    env = begun("recipes", RANDOM, "best")
    policy = ombo_agents.make("meta", env)
    assert isinstance(policy, Meta) and "meta" in ombo_agents.names()
    assert policy.rule.config["tasks"]


def test_it_knows_the_horizon_where_that_changes_what_it_does():
    for utility, rule, aware in (
        ("last_mean", Rule(), True),
        ("best", Rule(), False),
        ("best", Rule().moved(1, {"final_first": -1.0}), True),
        ("best", Rule().moved(0, {"final_first": -1.0}), False),  # of another kind
    ):
        spec = campaign_spec(begun("box", RANDOM, utility))
        assert Meta(spec, rule).horizon_aware == aware
