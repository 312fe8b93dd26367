"""What offline methods learn from a dataset, and where they go."""

from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from scipy.stats import norm

import ombo_agents
from ombo_agents.offline import METHODS
from ombo_agents.offline.distributions import (
    CategoricalPoints,
    NormalPoints,
    ProductDistribution,
    point_distribution,
)
from ombo_agents.offline.forward_model import fit_forward_model
from ombo_agents.offline.gradient_ascent import climb
from ombo_agents.offline.networks import EnsembleSettings
from ombo_agents.offline.offline_policy import standardised
from ombo_gym.design_spaces import (
    BoxDesigns,
    CandidateDesigns,
    CategoricalDesigns,
    MixedDesigns,
)
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.posterior import Posterior
from tests.agents.offline_cases import generators, make_env, tiny
from tests.controls.small_problems import (
    Listed,
    Pool,
)

# --- points ---------------------------------------------------------------------------------------

SPACES = {
    "box": BoxDesigns(3),
    "categories": CategoricalDesigns([2, 5, 1, 3]),
    "one category each": CategoricalDesigns([1, 1]),
    "levels": CategoricalDesigns([4, 2, 9, 1], ordinal=True),
    "pool": CandidateDesigns(np.random.default_rng(0).normal(size=(30, 4)) * [1, 9, 0, 0.1]),
    "levels and categories": CategoricalDesigns([3, 4], levels=[[1.0, 2.0, 9.0], None]),
    "mixed": MixedDesigns({"x": (0, 1), "n": {"integer": [1, 5]}, "a": ["u", "v", "w"]}),
}


@pytest.mark.parametrize("name", SPACES)
def test_points_stand_for_their_designs_and_for_the_nearest_around(name):
    space, rng = SPACES[name], np.random.default_rng(1)
    relaxation = space.relaxation()
    if space.size is None:
        designs = space.sample(GeneratorBatch([rng], 1), 50)[0]
    else:
        designs = space.decode(np.arange(space.size))
    points = relaxation.encode(designs)
    assert points.shape == (len(designs), relaxation.size) and points.dtype == np.float32
    np.testing.assert_array_equal(relaxation.decode(points), designs)
    np.testing.assert_allclose(relaxation.precise(designs), points, atol=1e-6)
    moved = points + 0.05 * rng.normal(size=points.shape).astype(np.float32)
    if space.free is None:
        assert (relaxation.decode(moved) == designs).mean() > 0.95
    else:
        outside = relaxation.decode(5 * np.ones((1, relaxation.size), np.float32))
        np.testing.assert_array_equal(outside, space.canonical(outside))
        assert np.abs(relaxation.decode(moved) - designs).mean() < 0.1


def test_logits_are_those_of_softened_one_hot_designs():
    relaxation = SPACES["categories"].relaxation()
    design = np.array([[1, 3, 0, 0]])
    logits = relaxation.logits(relaxation.encode(design))[0].astype(float)
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    for position, (category, n) in enumerate(zip(design[0], [2, 5, 1, 3], strict=True)):
        expected = 0.6 * (np.arange(5) == category) + 0.4 / n * (np.arange(5) < n)
        np.testing.assert_allclose(shares[position], expected, atol=1e-6)


def test_standardising_leaves_constant_columns_at_zero():
    table = np.array([[1.0, 5.0], [3.0, 5.0]])
    points, mean, scale = standardised(table)
    np.testing.assert_array_equal(points, [[-1, 0], [1, 0]])
    np.testing.assert_array_equal(points * scale + mean, table)


# --- models ---------------------------------------------------------------------------------------


class Additive(Listed):
    """Sequences of six letters of four; each letter has a worth at each position."""

    optimum_known = True

    def __init__(self):
        super().__init__(CategoricalDesigns([4] * 6))
        worth = np.random.default_rng(5).normal(size=(6, 4))
        everything = self.design_space.decode(np.arange(4**6))
        self.table = worth[np.arange(6), everything].sum(axis=1)[None]

    def numbers(self, designs):
        return self.design_space.encode(designs)

    def optimum(self, instances):
        return np.full(len(instances), self.table.max())


class Slope(GP):
    """Values that rise towards a corner of the box."""

    def __init__(self):
        super().__init__(dim=3)

    def evaluate(self, instances, designs):
        return np.asarray(designs, float) @ np.array([1.0, -2.0, 0.5])


def dataset(problem, size, name="gradient_mean"):
    env = CampaignEnv(problem, horizon=1, batch_size=8, start={"kind": "random", "size": size})
    observation, _ = env.reset(seed=0)
    policy = ombo_agents.make(name, env)
    return policy, policy.dataset(observation["designs"], observation["measurements"])


def test_an_ensemble_predicts_designs_that_it_was_not_fitted_to():
    policy, data = dataset(Additive(), 600)
    settings = EnsembleSettings(members=3, hidden=32, epochs=30, batch=64, rate=0.01)
    model = fit_forward_model(data, settings, torch.Generator().manual_seed(0))
    everything = policy.space.decode(np.arange(4**6))
    predicted = model.mean(policy.points(everything, data)).numpy()
    assert np.corrcoef(predicted, Additive().table[0])[0, 1] > 0.97
    each = model(policy.points(everything[:50], data))
    assert each.shape == (3, 50) and (each[0] != each[1]).any()


def test_climbing_ends_at_the_maximum_or_at_the_limits():
    top = torch.tensor([0.3, 2.0])
    start = torch.zeros(4, 2)

    def score(points):
        return -((points - top) ** 2).sum(dim=1)

    free = climb(score, start, None, 100, 0.1)
    np.testing.assert_allclose(free, top.expand(4, 2), atol=1e-4)
    bound = climb(score, start, (torch.tensor([-1.0, -1.0]), torch.tensor([1.0, 1.0])), 100, 0.1)
    np.testing.assert_allclose(bound, torch.tensor([0.3, 1.0]).expand(4, 2), atol=1e-4)


def test_the_smallest_prediction_is_below_the_mean_and_both_are_what_is_climbed():
    policy, data = dataset(Additive(), 200, "gradient_min")
    model = policy.fit(data, torch.Generator().manual_seed(0))
    points = data.points[:20]
    each = model(points).detach()
    np.testing.assert_array_equal(policy.score(model)(points).detach(), each.min(dim=0).values)
    policy.settings = replace(policy.settings, aggregate="mean")
    np.testing.assert_allclose(
        policy.score(model)(points).detach(), each.mean(dim=0), rtol=1e-5, atol=1e-6
    )


def test_conservative_models_promise_less_where_ascent_leads():
    policy, data = dataset(Additive(), 400, "coms")
    size = policy.settings.step_size

    def promised(limit):
        policy.settings = replace(policy.settings, limit=limit)
        model = policy.fit(data, torch.Generator().manual_seed(0))
        steps = policy.settings.training_steps
        ends = climb(lambda p: model(p)[0], data.points, None, steps, size)
        return float((model(ends) - model(data.points)).mean())

    assert promised(0.5) < 0.5 * promised(8.0)


def test_distributions_agree_with_the_library_s():
    policy, data = dataset(Additive(), 50)
    generator = torch.Generator().manual_seed(0)
    distribution = point_distribution(policy.relaxation, data)
    assert isinstance(distribution, CategoricalPoints)
    parameters = torch.randn(distribution.num_parameters, generator=generator)
    library = torch.distributions.Categorical(logits=parameters.reshape(6, 4))
    many = parameters.expand(4000, -1)
    points = distribution.sample(many, generator)
    designs = policy.designs(points, data)
    np.testing.assert_allclose(
        distribution.log_probability(many, points),
        library.log_prob(torch.tensor(designs)).sum(dim=-1),
        atol=1e-4,
    )
    shares = (designs[..., None] == np.arange(4)).mean(axis=0)
    np.testing.assert_allclose(shares, library.probs, atol=0.04)
    again = distribution.maximum_likelihood(points).reshape(6, 4).softmax(dim=-1)
    np.testing.assert_allclose(again, shares, atol=0.005)

    normals = NormalPoints(3)
    parameters = torch.tensor([[0.5, -1.0, 2.0, 0.1, -0.7, 0.0]])
    points = normals.sample(parameters.expand(4000, -1), generator)
    expected = norm([0.5, -1, 2], np.exp([0.1, -0.7, 0])).logpdf(points[:1]).sum()
    np.testing.assert_allclose(normals.log_probability(parameters, points[:1]), [expected], 1e-4)
    np.testing.assert_allclose(normals.maximum_likelihood(points), parameters[0], atol=0.08)


@pytest.mark.parametrize("name", ["mixed", "levels and categories"])
def test_beside_numbers_categories_have_distributions_of_their_own(name):
    """Log-probabilities are the sum of both; drawn categories are categories, not between them."""
    space, generator = SPACES[name], torch.Generator().manual_seed(0)
    policy = tiny("cbas", CampaignSpec(space, batch_sizes=(4, 4), horizons=(9, 9)))
    designs = space.sample(GeneratorBatch(np.random.default_rng(0), 1), 30)[0]
    data = policy.dataset(designs, np.arange(30.0))
    distribution = point_distribution(policy.relaxation, data)
    assert isinstance(distribution, ProductDistribution)
    ((columns, logits),) = policy.relaxation.choices
    kinds = [
        CategoricalPoints(logits, data, columns),
        NormalPoints(policy.relaxation.size - logits.size),
    ]
    order = kinds if columns.start == 0 else kinds[::-1]
    assert distribution.num_parameters == kinds[0].num_parameters + kinds[1].num_parameters
    parameters = torch.randn(distribution.num_parameters, generator=generator).expand(500, -1)
    points = distribution.sample(parameters, generator)
    edge = columns.stop if columns.start == 0 else columns.start
    first, second = parameters.split([each.num_parameters for each in order], dim=1)
    expected = order[0].log_probability(first, points[:, :edge])
    expected += order[1].log_probability(second, points[:, edge:])
    np.testing.assert_allclose(
        distribution.log_probability(parameters, points), expected, rtol=1e-4
    )
    found = policy.designs(points, data)
    again = policy.points(found, data)
    np.testing.assert_allclose(again[:, columns], points[:, columns], atol=1e-5)
    np.testing.assert_array_equal(space.canonical(found), found)
    likeliest = distribution.maximum_likelihood(data.points)
    assert likeliest.shape == (distribution.num_parameters,) and likeliest.isfinite().all()


def test_bo_qei_picks_by_expected_improvement_over_the_best_prediction():
    env = CampaignEnv(Pool(), horizon=1, batch_size=4)
    policy = ombo_agents.make("bo_qei", env, samples=4096)
    rng = np.random.default_rng(2)
    known, choices = np.arange(6)[:, None], np.arange(6, 40)[:, None]
    values = rng.normal(size=6)
    features = policy.space.features
    picked = policy._q_expected_improvement(values, features(known), features(choices), 2, rng)
    posterior = Posterior(policy.surrogate, features(known)[None], values[None])
    marginals = posterior.at(features(choices)[None])
    z = (marginals.mean - (values.max() - posterior.shift) / posterior.scale) / marginals.sd
    improvement = marginals.sd * (z * norm.cdf(z) + norm.pdf(z))
    assert improvement[0, picked[0]] > 0.97 * improvement.max()
    assert picked[0] != picked[1]


@pytest.mark.parametrize("case", ["box", "sequences", "pool"])
def test_relaxed_bo_qei_proposes_the_best_of_the_dataset_and_of_what_it_found(case):
    env = make_env(case, utility="last_max", batch_size=4)
    observation, _ = env.reset(seed=0)
    batch = {key: array[None] for key, array in observation.items()}
    policy = tiny("bo_qei", env, relaxed=True, spare=1.0)
    action, details = policy.explain(batch, generators(1))
    assert env.action_space.contains(action[0])
    assert details["model_queries"] == [4]  # a batch of two in each of two rounds


# --- what they find -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METHODS)
def test_from_the_lower_half_of_sequences_every_method_goes_up(name):
    env = CampaignEnv(
        Additive(),
        horizon=1,
        batch_size=8,
        utility="last_mean",
        start={"kind": "percentile", "percentile": 50, "size": 256},
    )
    observation, _ = env.reset(seed=1)
    batch = {key: array[None] for key, array in observation.items()}
    action = ombo_agents.make(name, env).act(batch, generators(1, seed=1))[0]
    *_, info = env.step(action)
    table = Additive().table[0]
    shown = table[table <= np.median(table)]
    # Half of all designs are better than what is shown; mins asks for the best that is shown.
    assert info["utility"] > (shown.mean() + 0.5 if name == "mins" else shown.max() + 0.2)


@pytest.mark.parametrize("name", METHODS)
def test_in_a_box_every_method_goes_up(name):
    env = CampaignEnv(
        Slope(), horizon=1, batch_size=8, utility="last_mean", start={"kind": "random", "size": 64}
    )
    observation, _ = env.reset(seed=0)
    batch = {key: array[None] for key, array in observation.items()}
    *_, info = env.step(ombo_agents.make(name, env).act(batch, generators(1))[0])
    assert info["utility"] > (0.8 if name in ("mins", "cbas") else 1.2)  # the corner has 3.5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gradient_min", "gradient_mean", "ensemble_greedy"])
def test_on_the_offline_task_ensembles_beat_random_search_by_far(name):
    env = gym.make("Ombo/TFBind8-v0", horizon=1, batch_size=128, utility="last_median")
    observation, _ = env.reset(seed=500_100)
    assert observation["observed"].sum() == 32_898
    batch = {key: array[None] for key, array in observation.items()}
    *_, info = env.step(ombo_agents.make(name, env).act(batch, generators(1))[0])
    assert info["utility"] > 0.55  # uniform designs: 0.44 +- 0.01
