"""AdaLead, against its paper and the textbook's posterior."""

from __future__ import annotations

import numpy as np
import pytest

import ombo_agents
from ombo_agents.model_free.adalead import leading
from ombo_gym.design_spaces import CategoricalDesigns, MixedDesigns
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.surrogate import JITTER
from tests.agents.by_hand import Line, Recipe, observation_of
from tests.surrogates.test_posterior import textbook_posterior


def adalead(categories, q=4, **settings):
    env = CampaignEnv(
        Recipe(categories),
        batch_size=q,
        start={"kind": "none"},
        surrogate={"kernel": "rbf", "lengthscale": 2.0},
    )
    return ombo_agents.make("adalead", env, **settings)


def some_data(length=8, n=12, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 4, (n, length)), rng.normal(size=n)


def model_of(policy, designs, values):
    """What AdaLead asks, of one campaign."""
    return policy.model(designs[None], values[None], np.zeros(1, int))


@pytest.mark.parametrize(("sign", "expected"), [(1, [4, 1, 4, 1, 4]), (-1, [3, 3, 3, 3, 3])])
def test_adalead_s_parents_are_within_a_share_of_the_best_in_turn(sign, expected):
    values = sign * np.array([[90.0, 96, 94, 2, 100]])
    assert leading(values, 0.05, 5)[0].tolist() == expected
    assert leading(np.zeros((1, 3)), 0.05, 5)[0].tolist() == [0, 1, 2, 0, 1]
    assert leading(np.array([[-100.0, -104, -106]]), 0.05, 3)[0].tolist() == [0, 1, 0]


def test_adalead_asks_the_surrogate_s_posterior_mean():
    policy = adalead([4] * 8)
    designs, values = some_data()
    asked = np.random.default_rng(1).integers(0, 4, (5, 8))
    predicted = model_of(policy, designs, values)(asked[None])[0]
    features = policy.space.features
    mean, _ = textbook_posterior("rbf", features(designs), values, features(asked), 2.0, JITTER)
    np.testing.assert_allclose(predicted, mean, atol=1e-8)


def test_adalead_s_rollouts_go_on_while_the_prediction_is_at_least_the_root_s():
    """Retraced from what was met: a slot holds a mutant of its last one while its rollout lives."""
    q = 3
    policy = adalead([4] * 8, q, mutations=1.0, recombination=1e-9, threshold=1e-9, queries=40)
    designs, values = some_data()
    rngs = GeneratorBatch([np.random.default_rng(0)], 1)
    model = model_of(policy, designs, values)
    met, predictions, asked = policy.rollouts(designs[None], values[None], model, rngs, q)
    parent = designs[values.argmax()]  # the one root: without recombination every slot's
    root = model(parent[None, None])[0, 0]
    nodes, alive, total, ends = np.tile(parent, (q, 1)), np.ones(q, bool), q, 0
    for step in range(met.shape[1] // q):
        if not alive.any():
            nodes, alive, ends = np.tile(parent, (q, 1)), np.ones(q, bool), ends + 1
            total += q
        now = slice(step * q, (step + 1) * q)
        found, predicted = met[0, now], predictions[0, now]
        was_asked = np.isfinite(predicted)
        assert not (was_asked & ~alive).any()
        assert (was_asked == alive).all() or total + alive.sum() > 40 * q
        assert ((found != nodes).sum(axis=1)[alive] == 1).all()
        np.testing.assert_allclose(predicted[was_asked], model(found[None])[0][was_asked])
        total += was_asked.sum()
        nodes, alive = found, was_asked & (predicted >= root)
    assert ends > 3 and total == asked[0] and 40 * q - 1 <= total <= 40 * q


def test_adalead_proposes_the_best_predicted_of_what_it_met_and_counts_its_queries():
    q = 4
    policy = adalead([4] * 8, q, queries=30)
    designs, values = some_data()
    observation = observation_of(policy, designs, values)
    actions, details = policy.explain(observation, [np.random.default_rng(0)])
    batch = policy.space.designs(actions)[0]
    rngs = GeneratorBatch([np.random.default_rng(0)], 1)
    model = model_of(policy, designs, values)
    met, predictions, asked = policy.rollouts(designs[None], values[None], model, rngs, q)
    best = {}
    for design, prediction in zip(met[0].tolist(), predictions[0], strict=True):
        if design not in designs.tolist() and np.isfinite(prediction):
            best[tuple(design)] = prediction
    expected = sorted(best, key=best.get, reverse=True)[:q]
    assert list(map(tuple, batch.tolist())) == expected
    assert details["model_queries"].tolist() == asked.tolist() and asked[0] in (119, 120)
    empty = observation_of(policy, designs[:0], values[:0])
    assert policy.explain(empty, [np.random.default_rng(0)])[1]["model_queries"].tolist() == [0]


def test_adalead_s_recombinants_hold_what_a_pair_held_and_nothing_else():
    spec = CampaignSpec(CategoricalDesigns([5] * 40), batch_sizes=(5, 5))
    policy = ombo_agents.make("adalead", spec, recombination=0.3)
    parents = np.tile(np.arange(5)[:, None], (1, 40))[None]
    children = policy._recombined(parents, GeneratorBatch([np.random.default_rng(0)], 1))[0]
    np.testing.assert_array_equal(np.sort(children, axis=0), parents[0])
    held = [set(child.tolist()) for child in children]
    assert held[0] == held[1] and held[2] == held[3] and [len(h) for h in held] == [2, 2, 2, 2, 1]
    switches = (np.diff(children[:4:2], axis=1) != 0).mean()
    assert abs(switches - 0.3) < 0.15


def test_adalead_does_not_tear_a_category_apart_where_it_is_several_numbers():
    space = MixedDesigns({"x": (0, 1), "a": ["u", "v", "w"], "b": ["u", "v", "w"]})
    spec = CampaignSpec(space, batch_sizes=(2, 2))
    policy = ombo_agents.make("adalead:recombination=0.5", spec)
    rngs = GeneratorBatch(np.random.default_rng(0), 200)
    parents = space.sample(rngs, 2)
    children = policy._recombined(parents, rngs)
    np.testing.assert_array_equal(space.canonical(children), children)
    assert (children != parents).any() and (children != parents[:, ::-1]).any()


def test_adalead_is_for_categories():
    assert ombo_agents.supports("adalead", CampaignEnv(Recipe([3, 3])))
    assert not ombo_agents.supports("adalead", CampaignEnv(Line()))
    assert not ombo_agents.supports("adalead", CampaignEnv(GP(dim=2)))


@pytest.mark.parametrize(
    ("setting", "value"),
    [("threshold", 0), ("recombination", 0.6), ("mutations", 0.5), ("queries", 1)],
)
def test_adalead_s_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=setting):
        adalead([4, 4], **{setting: value})
