"""Methods without a model, against what their papers and libraries say."""

from __future__ import annotations

from itertools import pairwise

import cma
import numpy as np
import pytest

import ombo_agents
from ombo_agents.model_free.adalead import leading
from ombo_agents.model_free.cmaes import CMAES, generations
from ombo_agents.model_free.evolution import selected
from ombo_agents.model_free.rounds import by_history, round_edges
from ombo_gym.design_spaces import BoxDesigns, CandidateDesigns, CategoricalDesigns, MixedDesigns
from ombo_gym.design_spaces.peaks import nearest_others
from ombo_gym.design_spaces.relaxations import reflected
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.gp import GP
from ombo_gym.randomness import GeneratorRows
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.gp import JITTER
from tests.controls.small_problems import Listed, Recipes
from tests.surrogates.test_gp import textbook_posterior


class Recipe(Recipes):
    def __init__(self, categories, *, ordinal=False):
        super().__init__(categories)
        self.design_space = CategoricalDesigns(categories, ordinal=ordinal)


class Line(Listed):
    """Candidates at the places 0, 1, 4, 9, ... of a line."""

    def __init__(self):
        super().__init__(CandidateDesigns(np.arange(12.0)[:, None] ** 2))

    def numbers(self, designs):
        return designs[..., 0]


def observation_of(policy, designs, values, start=0):
    """One campaign that has measured some designs, the first ones as its start."""
    spec = policy.spec
    return spec.observation(designs, values, [spec.batch_size], from_start=start)


def batch_of(policy, observation, seed=0):
    actions = policy.act(observation, [np.random.default_rng(seed)])
    return policy.space.designs(actions)[0]


# --- rounds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "rounds"), [(0, 0), (3, 0), (4, 0), (6, 0), (7, 1), (10, 2)])
def test_rounds_are_told_from_the_number_of_rows(count, rounds):
    edges = round_edges(CampaignSpec(BoxDesigns(1), batch_sizes=(3, 3)), count, start=4, q=3)
    assert edges == tuple(range(count - 3 * rounds, count + 1, 3))


@pytest.mark.parametrize(
    ("count", "edges"), [(4, (4,)), (9, (4, 9)), (11, (4, 9, 11)), (14, (4, 9, 11, 14))]
)
def test_of_plates_that_are_laid_down_rounds_have_these_sizes(count, edges):
    spec = CampaignSpec(BoxDesigns(1), plates=(5, 2, 3), start_capacity=4)
    assert round_edges(spec, count, start=4, q=2) == edges
    observation = spec.observation(np.zeros((count, 1)), np.zeros(count), [3], from_start=4)
    (history,) = by_history(spec, observation, 3, 1)
    assert history.edges == edges and history.start_count == 4 and history.count == count


def test_mirrors_bring_points_back_into_the_box():
    outside = np.array([-1.0, -1.25, 1.0, 1.5, 0.3, 3.5, -3.5, 5.25])
    expected = [-1.0, -0.75, 1.0, 0.5, 0.3, -0.5, 0.5, 0.75]
    np.testing.assert_allclose(reflected(outside), expected, rtol=1e-6)


# --- cmaes ----------------------------------------------------------------------------------------


def sphere(x):
    return -((np.asarray(x, float) - [0.3, -0.2, 0.1]) ** 2).sum(axis=-1)


@pytest.mark.parametrize("q", [4, 8])
def test_cmaes_is_pycma_told_of_every_round_in_turn(q):
    """Asked and told all the way, pycma ends with the distribution that ours has from the data."""
    env = CampaignEnv(GP(dim=3), batch_size=q, horizon=6, start={"kind": "random", "size": 1})
    policy = ombo_agents.make("cmaes:sigma=0.1", env)
    assert isinstance(policy, CMAES)
    start = np.array([[0.1, 0.2, -0.3]], np.float32)
    settings = {"popsize": q, "CMA_mirrors": 0, "seed": np.nan, "verbose": -9, "verb_log": 0}
    live = cma.CMAEvolutionStrategy(start[0].astype(float), 0.1, settings)
    rng = np.random.default_rng(3)
    live.opts["randn"] = live.sm.randn = lambda *shape: rng.standard_normal(shape)
    designs, values = start, sphere(start)
    for _ in range(4):
        asked = np.array(live.ask())
        assert np.abs(asked).max() < 1  # no mirrors in this test
        live.tell(list(asked), (-sphere(asked)).tolist())
        designs = np.concatenate([designs, asked.astype(np.float32)])
        values = np.concatenate([values, sphere(asked)])
    edges = round_edges(policy.spec, len(values), 1, q)
    replayed = policy.told(designs, values, edges, np.random.default_rng(0))
    np.testing.assert_allclose(replayed.mean, live.mean, atol=1e-5)
    np.testing.assert_allclose(replayed.sigma, live.sigma, rtol=1e-4)
    np.testing.assert_allclose(replayed.C, live.C, rtol=1e-3, atol=1e-4)
    batch = batch_of(policy, observation_of(policy, designs, values, start=1))
    asked = np.array(replayed.ask(q))  # both draw with a generator of seed 0
    np.testing.assert_allclose(batch, asked, atol=1e-6)


def test_cmaes_comes_close_to_the_top_of_a_smooth_hill():
    class Hill(GP):
        def true_values(self, instances, designs):
            return sphere(designs), None

    env = CampaignEnv(Hill(dim=3), batch_size=8, horizon=20)
    regrets = {}
    for name in ("cmaes", "random"):
        policy = ombo_agents.make(name, env)
        observation, _ = env.reset(seed=0)
        for round_ in range(20):
            batch = {key: array[None] for key, array in observation.items()}
            action = policy.act(batch, [np.random.default_rng(round_)])[0]
            observation, *_ = env.step(action)
        regrets[name] = -observation["measurements"][-8:].max()
    assert regrets["cmaes"] < 1e-3 < regrets["random"]


def test_cmaes_leaves_the_global_random_numbers_alone():
    env = CampaignEnv(GP(dim=2), batch_size=4)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    policy = ombo_agents.make("cmaes", env)
    observation, _ = env.reset(seed=0)
    policy.act({key: array[None] for key, array in observation.items()}, np.random.default_rng(0))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_cmaes_on_categories_moves_to_what_the_best_have_in_common():
    """Values count the positions of category 2."""
    env = CampaignEnv(
        Recipe([4] * 6), batch_size=16, horizon=9, utility="last_mean", start={"kind": "none"}
    )
    policy = ombo_agents.make("cmaes", env)
    designs = np.zeros((0, 6), np.int64)
    shares = []
    for round_ in range(9):
        observation = observation_of(policy, designs, (designs == 2).sum(axis=1))
        batch = batch_of(policy, observation, seed=round_)
        shares.append((batch == 2).mean())
        designs = np.concatenate([designs, batch])
    assert abs(shares[0] - 0.25) < 0.12 and shares[-1] > 0.6


@pytest.mark.parametrize("q", [1, 2, 3])
def test_cmaes_waits_for_four_designs_before_it_changes_its_distribution(q):
    env = CampaignEnv(GP(dim=2), batch_size=q, horizon=9, start={"kind": "random", "size": 2})
    policy = ombo_agents.make("cmaes", env)
    rng = np.random.default_rng(0)
    designs = rng.uniform(-0.2, 0.2, (2 + 9 * q, 2)).astype(np.float32)
    means = []
    for rounds in range(9):
        edges = tuple(range(2, 3 + rounds * q, q))
        told = policy.told(designs[: edges[-1]], np.arange(float(edges[-1])), edges, rng)
        means.append(tuple(told.mean))
    changes = [i for i in range(1, 9) if means[i] != means[i - 1]]
    wait = {1: 4, 2: 2, 3: 2}[q]
    assert changes == [i for i in range(1, 9) if i % wait == 0]


def test_generations_are_rounds_that_together_hold_four_designs():
    assert list(generations((3, 4, 6, 7, 11, 13, 29, 30))) == [(3, 7), (7, 11), (11, 29)]
    assert list(generations((5,))) == list(generations((0, 3))) == []


def test_cmaes_weighs_each_generation_as_its_size_asks_for():
    """Told of plates of 8 and of 5, pycma with these population sizes ends where ours does."""
    env = CampaignEnv(GP(dim=3), plates=[8, 5, 8, 1], start={"kind": "random", "size": 1})
    policy = ombo_agents.make("cmaes:sigma=0.1", env)
    rng = np.random.default_rng(3)
    designs = rng.uniform(-0.2, 0.2, (22, 3)).astype(np.float32)
    edges = round_edges(policy.spec, 22, 1, 1)
    assert edges == (1, 9, 14, 22)
    ours = policy.told(designs, sphere(designs), edges, np.random.default_rng(0))
    theirs, other = (
        cma.CMAEvolutionStrategy(
            designs[0].astype(float),
            0.1,
            {"popsize": q, "CMA_mirrors": 0, "seed": 1, "verbose": -9, "verb_log": 0},
        )
        for q in (8, 5)
    )
    used = {8: (theirs.sp, theirs.adapt_sigma.cs, theirs.adapt_sigma.damps)}
    used[5] = other.sp, other.adapt_sigma.cs, other.adapt_sigma.damps
    assert used[8][1] != used[5][1] and used[8][0].weights.mu != used[5][0].weights.mu
    for begin, end in pairwise(edges):
        theirs.sp, theirs.adapt_sigma.cs, theirs.adapt_sigma.damps = used[end - begin]
        theirs.ask()
        told = designs[begin:end].astype(float)
        theirs.tell(list(told), (-sphere(told)).tolist(), False)
    np.testing.assert_allclose(ours.mean, theirs.mean, atol=1e-12)
    np.testing.assert_allclose(ours.sigma, theirs.sigma, rtol=1e-9)
    np.testing.assert_allclose(ours.C, theirs.C, rtol=1e-9)


# --- local_search ---------------------------------------------------------------------------------


def test_local_search_proposes_unmeasured_neighbours_of_the_best_design():
    env = CampaignEnv(Recipe([3, 3, 3]), batch_size=4, start={"kind": "none"})
    policy = ombo_agents.make("local_search", env)
    designs = np.array([[0, 0, 0], [2, 2, 2], [1, 0, 0]])
    batch = batch_of(policy, observation_of(policy, designs, [5.0, 1.0, 2.0]))
    neighbours = {(2, 0, 0), (0, 1, 0), (0, 2, 0), (0, 0, 1), (0, 0, 2)}
    assert len(set(map(tuple, batch.tolist()))) == 4
    assert set(map(tuple, batch.tolist())) <= neighbours


def test_local_search_goes_on_to_the_next_peak_not_to_the_slopes_of_the_last():
    env = CampaignEnv(Recipe([3, 3, 3]), batch_size=4, start={"kind": "none"})
    policy = ombo_agents.make("local_search", env)
    climbed = [[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0], [0, 2, 0], [0, 0, 1], [0, 0, 2]]
    designs = np.array([*climbed, [2, 2, 2]])
    batch = batch_of(policy, observation_of(policy, designs, [9.0, 8, 7, 6, 5, 4, 3, 1]))
    assert ((batch != 2).sum(axis=1) == 1).all()


def test_local_search_steps_by_one_level_where_levels_are_ordered():
    env = CampaignEnv(Recipe([9, 9], ordinal=True), batch_size=3, start={"kind": "none"})
    policy = ombo_agents.make("local_search", env)
    batch = batch_of(policy, observation_of(policy, np.array([[4, 4], [4, 5]]), [2.0, 1.0]))
    assert sorted(map(tuple, batch.tolist())) == [(3, 4), (4, 3), (5, 4)]


def test_local_search_in_a_pool_takes_the_nearest_unmeasured_candidates():
    env = CampaignEnv(Line(), batch_size=3, start={"kind": "none"}, utility="best")
    policy = ombo_agents.make("local_search", env)
    batch = batch_of(policy, observation_of(policy, np.array([[4], [3], [11]]), [3.0, 1.0, 2.0]))
    assert batch[:, 0].tolist() == [5, 2, 1]  # 16: 25, 4, 1 are nearest after 9


def test_nearest_others_are_those_of_brute_force():
    points = np.random.default_rng(0).normal(size=(50, 3))
    found = nearest_others(points, 7)
    for i, row in enumerate(found):
        distances = np.linalg.norm(points - points[i], axis=1)
        assert row.tolist() == np.argsort(distances)[1:8].tolist()
    assert nearest_others(points[:1], 7).shape == (1, 0)


def box_climb(values, q=4, **settings):
    """The batch of a campaign in a box whose start and rounds had these values."""
    env = CampaignEnv(GP(dim=2), batch_size=q, horizon=20, start={"kind": "random", "size": 4})
    policy = ombo_agents.make("local_search", env, **settings)
    designs = np.random.default_rng(1).uniform(-0.1, 0.1, (len(values), 2)).astype(np.float32)
    observation = observation_of(policy, designs, values, start=4)
    batches = [batch_of(policy, observation, seed) for seed in range(200)]
    return designs, np.concatenate(batches)


def test_local_search_steps_shrink_after_failures_and_grow_after_successes():
    best_first = [9.0, 1, 2, 3]
    spreads = []
    for rounds in ([], [0.0] * 4, [0.0] * 8, [10.0, 0, 0, 0]):
        designs, batch = box_climb([*best_first, *rounds], step=0.1, shrink=0.5)
        best = designs[4] if rounds[:1] == [10.0] else designs[0]
        np.testing.assert_allclose(batch.mean(axis=0), best, atol=0.03)
        spreads.append((batch - best).std())
    np.testing.assert_allclose(spreads, [0.1, 0.05, 0.025, 0.2], rtol=0.1)


def test_local_search_begins_anew_where_a_climb_has_ended():
    _, batch = box_climb([9.0, 1, 2, 3, *[0.0] * 8], step=0.1, shrink=0.5, smallest_step=0.04)
    assert abs(batch.std() - np.sqrt(1 / 3)) < 0.05  # uniform


def test_beside_categories_local_search_steps_and_changes_the_rest_in_half_of_the_slots():
    space = MixedDesigns({"x": (0, 1), "y": (0, 1), "n": {"integer": [1, 9]}, "a": ["u", "v", "w"]})
    spec = CampaignSpec(space, batch_sizes=(4, 4), horizons=(9, 9), start_capacity=4)
    policy = ombo_agents.make("local_search:step=0.1", spec)
    units = [{"x": 0.5, "y": 0.5, "n": 5, "a": "v"}, {"x": 0, "y": 0, "n": 1, "a": "u"}]
    designs = np.array([space.parse(each) for each in units])
    observation = observation_of(policy, designs, [2.0, 1.0], start=2)
    batches = np.concatenate([batch_of(policy, observation, seed) for seed in range(200)])
    np.testing.assert_array_equal(space.canonical(batches), batches)
    assert abs(batches[:, :2].std() - 0.1) < 0.01 and abs(batches[:, :2].mean()) < 0.02
    changed = (batches[:, 2:] != designs[0, 2:]).any(axis=1)
    assert abs(changed.mean() - 0.5) < 0.06


def test_where_neighbours_cannot_be_listed_local_search_draws_them_around_the_best():
    space = MixedDesigns({"n": {"integer": [1, 999]}, "a": ["u", "v", "w"]})
    spec = CampaignSpec(space, batch_sizes=(4, 4), start_capacity=3, noise_std=0.0)
    policy = ombo_agents.make("local_search", spec)
    known = [{"n": 500, "a": "v"}, {"n": 500, "a": "w"}, {"n": 1, "a": "u"}]
    designs = np.array([space.parse(each) for each in known])
    batch = batch_of(policy, observation_of(policy, designs, [3.0, 2.0, 1.0], start=3))
    units = [space.describe(each) for each in batch]
    assert all((each["n"] == 500) != (each["a"] == "v") for each in units)  # one is changed
    assert all(abs(each["n"] - 500) < 200 for each in units)
    assert len({tuple(each.values()) for each in [*units, *known]}) == 7


# --- evolution ------------------------------------------------------------------------------------


def test_the_population_is_that_of_trials_that_take_their_target_s_place():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 6, (20, 23)).astype(float)
    found = selected(values, 6, 4)
    for row, members in zip(values, found, strict=True):
        population = sorted(range(6), key=lambda i: (-row[i], i))[:4]
        for trial in range(6, 23):
            target = (trial - 6) % 4
            if row[trial] >= row[population[target]]:
                population[target] = trial
        assert members.tolist() == population


@pytest.mark.parametrize("strategy", ["rand", "best"])
def test_evolution_s_trials_are_differences_added_to_members(strategy):
    """Of 2-D members each trial is one of the mutants that the population allows."""
    env = CampaignEnv(GP(dim=2), batch_size=5, horizon=3, start={"kind": "random", "size": 5})
    policy = ombo_agents.make(
        "evolution", env, population=5, weight=0.5, crossover=1.0, strategy=strategy
    )
    designs = np.random.default_rng(0).uniform(-0.3, 0.3, (5, 2)).astype(np.float32)
    order = np.array([3, 1, 4, 0, 2])  # members are placed by value
    values = np.empty(5)
    values[order] = np.arange(5.0, 0, -1)
    batch = batch_of(policy, observation_of(policy, designs, values, start=5))
    members = designs[order].astype(float)
    for target, trial in enumerate(batch):
        rest = [i for i in range(5) if i != target]
        mutants = np.array(
            [
                members[0 if strategy == "best" else a] + 0.5 * (members[b] - members[c])
                for a in rest
                for b in rest
                for c in rest
                if len({a, b, c}) == 3
            ]
        )
        assert np.abs(mutants - trial).max(axis=1).min() < 1e-6


def test_evolution_is_not_for_categories_without_an_order():
    assert not ombo_agents.supports("evolution", CampaignEnv(Recipe([3, 3])))
    assert ombo_agents.supports("evolution", CampaignEnv(Recipe([3, 3], ordinal=True)))
    assert ombo_agents.supports("evolution", CampaignEnv(Line()))


# --- adalead --------------------------------------------------------------------------------------


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
    draws = GeneratorRows([np.random.default_rng(0)], 1)
    model = model_of(policy, designs, values)
    met, predictions, asked = policy.rollouts(designs[None], values[None], model, draws, q)
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
    draws = GeneratorRows([np.random.default_rng(0)], 1)
    model = model_of(policy, designs, values)
    met, predictions, asked = policy.rollouts(designs[None], values[None], model, draws, q)
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
    children = policy._recombined(parents, GeneratorRows([np.random.default_rng(0)], 1))[0]
    np.testing.assert_array_equal(np.sort(children, axis=0), parents[0])
    held = [set(child.tolist()) for child in children]
    assert held[0] == held[1] and held[2] == held[3] and [len(h) for h in held] == [2, 2, 2, 2, 1]
    switches = (np.diff(children[:4:2], axis=1) != 0).mean()
    assert abs(switches - 0.3) < 0.15


def test_adalead_does_not_tear_a_category_apart_where_it_is_several_numbers():
    space = MixedDesigns({"x": (0, 1), "a": ["u", "v", "w"], "b": ["u", "v", "w"]})
    spec = CampaignSpec(space, batch_sizes=(2, 2))
    policy = ombo_agents.make("adalead:recombination=0.5", spec)
    draws = GeneratorRows(np.random.default_rng(0), 200)
    parents = space.sample(draws, 2)
    children = policy._recombined(parents, draws)
    np.testing.assert_array_equal(space.canonical(children), children)
    assert (children != parents).any() and (children != parents[:, ::-1]).any()


def test_adalead_is_for_categories():
    assert ombo_agents.supports("adalead", CampaignEnv(Recipe([3, 3])))
    assert not ombo_agents.supports("adalead", CampaignEnv(Line()))
    assert not ombo_agents.supports("adalead", CampaignEnv(GP(dim=2)))


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "local_search:step=0",
        "local_search:shrink=1.5",
        "local_search:smallest_step=-1",
        "local_search:neighbours=0",
        "evolution:population=3",
        "evolution:weight=0",
        "evolution:crossover=1.1",
        "evolution:strategy=worst",
        "cmaes:sigma=0",
        "cmaes:elite=0",
    ],
)
def test_settings_out_of_range_are_refused(name):
    with pytest.raises(ValueError, match=name.partition(":")[2].partition("=")[0]):
        ombo_agents.make(name, CampaignEnv(GP(dim=2)))


@pytest.mark.parametrize(
    ("setting", "value"),
    [("threshold", 0), ("recombination", 0.6), ("mutations", 0.5), ("queries", 1)],
)
def test_adalead_s_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=setting):
        adalead([4, 4], **{setting: value})
