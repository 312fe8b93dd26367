"""Methods without a model, against what their papers say."""

from __future__ import annotations

import numpy as np
import pytest

import ombo_agents
from ombo_agents.model_free.evolution import surviving_population
from ombo_agents.round_history import by_history, round_edges
from ombo_gym.design_spaces import BoxDesigns, MixedDesigns
from ombo_gym.design_spaces.local_optima import nearest_others
from ombo_gym.design_spaces.relaxations import reflected
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.spec import CampaignSpec, Repeats
from tests.agents.by_hand import Line, Recipe, batch_of, observation_of

# --- rounds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "rounds"), [(0, 0), (3, 0), (4, 0), (6, 0), (7, 1), (10, 2)])
def test_rounds_are_told_from_the_number_of_rows(count, rounds):
    edges = round_edges(CampaignSpec(BoxDesigns(1), batch_sizes=(3, 3)), count, num_start=4, q=3)
    assert edges == tuple(range(count - 3 * rounds, count + 1, 3))


@pytest.mark.parametrize(
    ("count", "edges"), [(4, (4,)), (9, (4, 9)), (11, (4, 9, 11)), (14, (4, 9, 11, 14))]
)
def test_of_plates_that_are_laid_down_rounds_have_these_sizes(count, edges):
    spec = CampaignSpec(BoxDesigns(1), plates=(5, 2, 3), start_capacity=4)
    assert round_edges(spec, count, num_start=4, q=2) == edges
    left = [3] if count < 14 else []
    observation = spec.observation(np.zeros((count, 1)), np.zeros(count), left, from_start=4)
    (history,) = by_history(spec, observation, 3, entries_per_row=1)
    assert history.edges == edges and history.num_start == 4 and history.num_observed == count


def test_mirrors_bring_points_back_into_the_box():
    outside = np.array([-1.0, -1.25, 1.0, 1.5, 0.3, 3.5, -3.5, 5.25])
    expected = [-1.0, -0.75, 1.0, 0.5, 0.3, -0.5, 0.5, 0.75]
    np.testing.assert_allclose(reflected(outside), expected, rtol=1e-6)


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
    found = surviving_population(values, 6, 4)
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


def test_evolution_s_trials_are_snapped_where_numbers_have_steps():
    space = MixedDesigns({"x": (0, 1), "n": {"integer": [0, 4]}})
    spec = CampaignSpec(space, batch_sizes=(40, 40), start_capacity=4, repeats=Repeats.ALLOWED)
    policy = ombo_agents.make("evolution:crossover=1;population=4", spec)
    units = [{"x": x, "n": n} for x, n in [(0.5, 2), (0.5, 4), (0.5, 2), (0.5, 3)]]
    designs = np.array([space.parse(each) for each in units])
    observation = observation_of(policy, designs, [4.0, 3.0, 2.0, 1.0], start=4)
    found = [space.describe(each) for each in batch_of(policy, observation)]
    assert all(each["x"] == pytest.approx(0.5) for each in found)  # no difference, no step
    assert {each["n"] for each in found} <= {1, 2, 3} and len({each["n"] for each in found}) > 1


def test_evolution_is_not_for_categories_without_an_order():
    assert not ombo_agents.supports("evolution", CampaignEnv(Recipe([3, 3])))
    assert ombo_agents.supports("evolution", CampaignEnv(Recipe([3, 3], ordinal=True)))
    assert ombo_agents.supports("evolution", CampaignEnv(Line()))


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
