"""Offline methods: what they learn, where they go, and that they are policies like any other.

The other files play policies with their own settings; these fit networks every round, so they play
here, with settings that take milliseconds, and at full strength in the slow tests.
"""

from __future__ import annotations

import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
import torch
from scipy.stats import norm

import ombo_agents
import ombo_gym
from ombo_agents import Myopic
from ombo_agents.hyperparameters import settings_of
from ombo_agents.offline import METHODS, networks
from ombo_agents.offline.forward import Training, fit_forward
from ombo_agents.offline.gradient_ascent import climb
from ombo_agents.offline.one_shot import standardised
from ombo_agents.offline.outputs import Categories, Normals, Together, outputs_of
from ombo_gym.design_spaces import (
    BoxDesigns,
    CandidateDesigns,
    CategoricalDesigns,
    MixedDesigns,
)
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats, campaign_spec
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.vector_env import CampaignVectorEnv
from tests.controls.small_problems import (
    BitsOnce,
    Listed,
    Pool,
    PoolOnce,
    Recipes,
    RecipesOnce,
)
from tests.envs.cases import SMALL_STARTS

ROWS = 5
TINY = {
    "members": 2,
    "hidden": 8,
    "epochs": 1.0,
    "steps": 3,
    "population": 16,
    "generations": 2,
    "training_steps": 2,
    "latent": 2,
    "latent_epochs": 1.0,
    "iterations": 2,
    "samples": 8,
    "elite": 4,
    "best": 4,
    "others": 4,
    "rounds": 2,
}
NONE = {"start": {"kind": "none"}}
CASES = {
    "box": ("Ombo/GP-v0", {}),
    "box, noise, no start": ("Ombo/GP-v0", {"noise_std": 0.3, **NONE}),
    "box, last batch": ("Ombo/GP-v0", {"utility": "last_median", "dim": 1}),
    "sequences": ("Ombo/TFBinding-v0", {"utility": "last_max"}),
    "recipes": (Recipes(), {"batch_size": 6, **NONE}),
    "recipes, once": (RecipesOnce(), {}),
    "bits, once": (BitsOnce(), {}),
    "pool": (Pool(), {"utility": "last_max"}),
    "pool, once": (PoolOnce(), {"batch_size": 7}),
    "arms": (
        "Ombo/Bandit-v0",
        {"known": [0.5], "noise_std": 0.2, "start": {"kind": "random", "size": 1}},
    ),
    "levels": ("Ombo/Gait-v0", {"batch_size": 2}),
}


def make_env(case, rows=None, **arguments):
    problem, defaults = CASES[case]
    arguments = {"horizon": 3, "batch_size": 3, **defaults, **arguments}
    if not isinstance(problem, str):
        if rows is None:
            return CampaignEnv(problem, **arguments)
        return CampaignVectorEnv(rows, problem, **arguments)
    return (
        gym.make(problem, **arguments) if rows is None else gym.make_vec(problem, rows, **arguments)
    )


def tiny(name, env, **settings):
    """A method with settings that take milliseconds, for an environment's campaigns or a spec's."""
    own = settings_of(name, env if isinstance(env, CampaignSpec) else campaign_spec(env))
    quick = {key: value for key, value in TINY.items() if key in own}
    if own.get("members") == 1:
        quick["members"] = 1
    return ombo_agents.make(name, env, **(quick | settings))


@pytest.fixture
def hurried(monkeypatch):
    """Networks that are hardly fitted, where only the form of what they do matters."""
    monkeypatch.setattr(networks, "AT_LEAST", 2)


def generators(rows=ROWS, seed=0):
    return [np.random.default_rng([seed, i]) for i in range(rows)]


def situation(case):
    """Campaigns that stand differently: one is over, counts differ."""
    env = make_env(case, ROWS, horizon=[1, 3], autoreset_mode="NextStep")
    env.action_space.seed(0)
    observation, _ = env.reset(seed=0)
    observation = env.step(env.action_space.sample())[0]
    assert (observation["rounds_left"] == 0).any() and (observation["rounds_left"] > 0).any()
    return env, observation


def test_the_methods_are_registered_and_suit_every_design_space():
    assert set(METHODS) == set(
        "ensemble_greedy gradient_ascent gradient_min gradient_mean coms cbas reinforce mins "
        "bo_qei".split()
    )
    for case in CASES:
        env = make_env(case)
        assert all(ombo_agents.supports(name, env) for name in METHODS)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", METHODS)
def test_a_row_s_batch_is_in_the_action_space_and_its_own_to_the_bit(name, case):
    env, observation = situation(case)
    policy = tiny(name, env)
    together, details = policy.explain(observation, generators())
    assert together.dtype == env.action_space.dtype and env.action_space.contains(together)
    assert details["model_queries"].shape == (ROWS,)
    order = np.array([3, 1, 4, 0, 2])
    turned = {key: array[order] for key, array in observation.items()}
    shuffled = policy.act(turned, [generators()[i] for i in order])
    np.testing.assert_array_equal(shuffled, together[order])
    for row in (0, 4):
        alone = {key: array[row : row + 1] for key, array in observation.items()}
        again = tiny(name, env).act(alone, generators()[row : row + 1])
        np.testing.assert_array_equal(again[0], together[row])
    assert not policy.horizon_aware
    unfinished = observation["rounds_left"][:, 0] > 0
    told = Myopic(policy).act(observation, generators())
    np.testing.assert_array_equal(told[unfinished], together[unfinished])


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("env_id", ombo_gym.env_ids())
def test_every_method_plays_every_problem(env_id):
    start = {"start": SMALL_STARTS[env_id]} if env_id in SMALL_STARTS else {}
    envs = gym.make_vec(
        env_id, num_envs=2, batch_size=2, horizon=1, autoreset_mode="Disabled", **start
    )
    for name in METHODS:
        observation, _ = envs.reset(seed=3)
        actions = tiny(name, envs).act(observation, generators(2))
        assert actions in envs.action_space, name


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("case", ["recipes", "recipes, once", "bits, once", "pool", "pool, once"])
@pytest.mark.parametrize("name", METHODS)
def test_batches_of_countable_designs_hold_each_once_and_new_ones_where_others_are_worth_nothing(
    name, case
):
    env = make_env(case, utility=CASES[case][1].get("utility", "best"))
    spec, policy = campaign_spec(env), tiny(name, env)
    space = spec.design_space
    observation, _ = env.reset(seed=1)
    rngs, seen = generators(1), set()
    for _ in range(3):
        action = policy.act({key: array[None] for key, array in observation.items()}, rngs)[0]
        batch = {tuple(design) for design in space.designs(action[None])[0].tolist()}
        assert len(batch) == spec.batch_size
        if spec.repeats is Repeats.NEVER_AGAIN:
            used = observation["observed"].astype(bool)
            assert not batch & {tuple(d) for d in observation["designs"][used].tolist()}
        seen |= batch
        observation, *_ = env.step(action)
    assert seen


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("name", METHODS)
def test_one_measurement_constant_values_and_batches_larger_than_the_space_are_no_obstacle(name):
    for case, arguments in [
        ("box", {"start": {"kind": "random", "size": 1}}),
        ("pool", {"start": {"kind": "random", "size": 1}, "batch_size": 50}),
        ("recipes", {"start": {"kind": "random", "size": 2}, "batch_size": 30}),
        ("sequences", {"start": {"kind": "random", "size": 1}, "batch_size": 1}),
    ]:
        env = make_env(case, **arguments)
        observation, _ = env.reset(seed=0)
        shown = observation["measurements"]
        for values in (shown, np.full_like(shown, 3.0)):
            one = observation | {"measurements": values}
            batch = {key: array[None] for key, array in one.items()}
            action = tiny(name, env).act(batch, generators(1))[0]
            assert env.action_space.contains(action), case


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("name", METHODS)
def test_a_fit_depends_on_the_dataset_and_the_seed_and_neither_on_q_nor_on_the_utility(name):
    found = []
    for q, utility in [(2, "last_max"), (7, "last_median")]:
        env = make_env("sequences", batch_size=q, utility=utility)
        observation, _ = env.reset(seed=3)
        policy = tiny(name, env)
        used = observation["observed"].astype(bool)
        data = policy.dataset(observation["designs"][used], observation["measurements"][used])
        model = policy.fit(data, torch.Generator().manual_seed(4))
        model.queries = 0
        found.append(policy.search(model, data, torch.Generator().manual_seed(5), q))
    assert len(found[1]) >= 7
    np.testing.assert_array_equal(*(fit_numbers(name, q) for q in (2, 7)))


def fit_numbers(name, q):
    env = make_env("sequences", batch_size=q)
    observation, _ = env.reset(seed=3)
    policy = tiny(name, env)
    used = observation["observed"].astype(bool)
    data = policy.dataset(observation["designs"][used], observation["measurements"][used])
    model = policy.fit(data, torch.Generator().manual_seed(4))
    if hasattr(model, "networks"):
        return model.networks.weights[0].numpy()
    if hasattr(model, "autoencoder"):
        return model.autoencoder.decoder.weights[0].numpy()
    return model.parameters.numpy()


def test_model_queries_count_designs_asked_about():
    env = make_env("sequences", batch_size=4)
    observation, _ = env.reset(seed=0)
    batch = {key: array[None] for key, array in observation.items()}
    climbed = tiny("gradient_mean", env, steps=7, spare=3)
    assert climbed.explain(batch, generators(1))[1]["model_queries"] == [7 * 3 * 4]
    listed = tiny("ensemble_greedy", env).explain(batch, generators(1))[1]
    assert listed["model_queries"] == [4**8]
    drawn = tiny("reinforce", env, steps=5, samples=6).explain(batch, generators(1))[1]
    assert drawn["model_queries"] == [5 * 6]


def test_the_world_s_random_numbers_and_threads_are_left_alone():
    env = make_env("box")
    observation, _ = env.reset(seed=0)
    batch = {key: array[None] for key, array in observation.items()}
    torch.manual_seed(0)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    for name in METHODS:
        tiny(name, env).act(batch, generators(1))
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads


@pytest.mark.parametrize(
    "name",
    [
        "gradient_ascent:aggregate=max",
        "gradient_ascent:members=0",
        "gradient_mean:epochs=0",
        "gradient_min:steps=2.5",
        "gradient_min:step_size=-1",
        "coms:limit=0",
        "coms:weight=NaN",
        "cbas:quantile=1.5",
        "cbas:latent=true",
        "reinforce:samples=1",
        "mins:temperature=0",
        "mins:ambition=-1",
        "bo_qei:rounds=0",
        "bo_qei:relaxed=1",
        "bo_qei:spare=Infinity",
        "ensemble_greedy:population=-1",
        "ensemble_greedy:caution=1",
    ],
)
def test_settings_that_make_no_sense_are_refused(name):
    with pytest.raises(ValueError, match=name.split(":")[1].split("=")[0]):
        ombo_agents.make(name, make_env("box"))


def test_without_torch_the_error_names_the_extra_and_the_package_still_imports():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import gymnasium, ombo_gym, ombo_agents\n"
        "ombo_agents.make('coms', gymnasium.make('Ombo/GP-v0'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ombo-gym[agents]" in done.stderr and "coms" in done.stderr


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
    model = fit_forward(data, Training(3, 32, 30, 64, 0.01), torch.Generator().manual_seed(0))
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
    policy.aggregate = "mean"
    np.testing.assert_allclose(
        policy.score(model)(points).detach(), each.mean(dim=0), rtol=1e-5, atol=1e-6
    )


def test_conservative_models_promise_less_where_ascent_leads():
    policy, data = dataset(Additive(), 400, "coms")
    size = policy.step_size * data.points.shape[1] ** 0.5

    def promised(limit):
        policy.limit = limit
        model = policy.fit(data, torch.Generator().manual_seed(0))
        reached = climb(lambda p: model(p)[0], data.points, None, policy.training_steps, size)
        return float((model(reached) - model(data.points)).mean())

    assert promised(0.5) < 0.5 * promised(8.0)


def test_distributions_agree_with_the_library_s():
    policy, data = dataset(Additive(), 50)
    generator = torch.Generator().manual_seed(0)
    outputs = outputs_of(policy.relaxation, data)
    assert isinstance(outputs, Categories)
    parameters = torch.randn(outputs.width, generator=generator)
    library = torch.distributions.Categorical(logits=parameters.reshape(6, 4))
    many = parameters.expand(4000, -1)
    points = outputs.sample(many, generator)
    designs = policy.designs(points, data)
    np.testing.assert_allclose(
        outputs.log_probability(many, points),
        library.log_prob(torch.tensor(designs)).sum(dim=-1),
        atol=1e-4,
    )
    shares = (designs[..., None] == np.arange(4)).mean(axis=0)
    np.testing.assert_allclose(shares, library.probs, atol=0.04)
    again = outputs.likeliest(points).reshape(6, 4).softmax(dim=-1)
    np.testing.assert_allclose(again, shares, atol=0.005)

    normals = Normals(3)
    parameters = torch.tensor([[0.5, -1.0, 2.0, 0.1, -0.7, 0.0]])
    points = normals.sample(parameters.expand(4000, -1), generator)
    expected = norm([0.5, -1, 2], np.exp([0.1, -0.7, 0])).logpdf(points[:1]).sum()
    np.testing.assert_allclose(normals.log_probability(parameters, points[:1]), [expected], 1e-4)
    np.testing.assert_allclose(normals.likeliest(points), parameters[0], atol=0.08)


@pytest.mark.parametrize("name", ["mixed", "levels and categories"])
def test_beside_numbers_categories_have_distributions_of_their_own(name):
    """Log-probabilities are the sum of both; drawn categories are categories, not between them."""
    space, generator = SPACES[name], torch.Generator().manual_seed(0)
    policy = tiny("cbas", CampaignSpec(space, batch_sizes=(4, 4), horizons=(9, 9)))
    designs = space.sample(GeneratorBatch(np.random.default_rng(0), 1), 30)[0]
    data = policy.dataset(designs, np.arange(30.0))
    outputs = outputs_of(policy.relaxation, data)
    assert isinstance(outputs, Together)
    ((columns, logits),) = policy.relaxation.choices
    kinds = [Categories(logits, data, columns), Normals(policy.relaxation.size - logits.size)]
    order = kinds if columns.start == 0 else kinds[::-1]
    assert outputs.width == kinds[0].width + kinds[1].width
    parameters = torch.randn(outputs.width, generator=generator).expand(500, -1)
    points = outputs.sample(parameters, generator)
    edge = columns.stop if columns.start == 0 else columns.start
    first, second = parameters.split([each.width for each in order], dim=1)
    expected = order[0].log_probability(first, points[:, :edge])
    expected += order[1].log_probability(second, points[:, edge:])
    np.testing.assert_allclose(outputs.log_probability(parameters, points), expected, rtol=1e-4)
    found = policy.designs(points, data)
    again = policy.points(found, data)
    np.testing.assert_allclose(again[:, columns], points[:, columns], atol=1e-5)
    np.testing.assert_array_equal(space.canonical(found), found)
    likeliest = outputs.likeliest(data.points)
    assert likeliest.shape == (outputs.width,) and likeliest.isfinite().all()


def test_bo_qei_picks_by_expected_improvement_over_the_best_prediction():
    env = CampaignEnv(Pool(), horizon=1, batch_size=4)
    policy = ombo_agents.make("bo_qei", env, samples=4096)
    rng = np.random.default_rng(2)
    known, choices = np.arange(6)[:, None], np.arange(6, 40)[:, None]
    values = rng.normal(size=6)
    features = policy.space.features
    picked = policy._improving(values, features(known), features(choices), 2, rng)
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
        batch_size=16,
        utility="last_mean",
        start={"kind": "percentile", "percentile": 50, "size": 512},
    )
    gained = []
    for seed in range(2):
        observation, _ = env.reset(seed=seed)
        batch = {key: array[None] for key, array in observation.items()}
        action = ombo_agents.make(name, env).act(batch, generators(1, seed))[0]
        *_, info = env.step(action)
        gained.append(info["utility"])
    table = Additive().table[0]
    shown = table[table <= np.median(table)]
    # Half of all designs are better than what is shown; mins asks for the best that is shown.
    assert np.mean(gained) > (shown.mean() + 0.5 if name == "mins" else shown.max() + 0.2)


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
