"""Controls where nothing is measured twice, or where that is worth nothing."""

from __future__ import annotations

import numpy as np
import pytest

import ombo_gym  # noqa: F401
from ombo_gym.control_names import CANDIDATES
from ombo_gym.env import CampaignEnv
from ombo_gym.spec import Repeats
from ombo_gym.vector_env import CampaignVectorEnv
from tests.controls.cases import assert_same, last_batch, vector_env
from tests.controls.small_problems import ONCE, play_without_waste

pytestmark = pytest.mark.usefixtures("brief_fits")


def once(case, rows, control, **arguments):
    problem, defaults = ONCE[case]
    arguments = {"start": {"kind": "none"}, **defaults, **arguments}
    return CampaignVectorEnv(rows, problem, control=control, **arguments)


@pytest.mark.parametrize(
    ("case", "control", "q"),
    # Batches of two sizes in turn, over both controls four of five.
    [
        *(
            (case, control, (4, 1, 2, 3, 5)[(i + 2 * j + 4 * k) % 5])
            for i, case in enumerate(ONCE)
            for j, control in enumerate(("exploration", "candidates"))
            for k in range(2)
        ),
        ("pool", "candidates", 3),  # to the end of more designs than a list holds
    ],
)
def test_no_action_wastes_a_slot_while_designs_are_left(case, control, q):
    """All rounds until nothing is left, and one more."""
    few = case not in ("pool", "recipes", "box", "bits")
    horizon = 11 // q + 2 if few else 40 // q + 2 if q > 2 else 3
    env = once(case, 6, control, batch_size=q, horizon=horizon)
    env.action_space.seed(q)
    play_without_waste(env, lambda _: env.action_space.sample())
    if few:  # the same everywhere, which as a list is a single entry
        low = np.zeros((6, q), int) if control == "candidates" else np.full((6, 2), -1, np.float32)
        play_without_waste(env, lambda _: low)


def test_the_batch_is_of_the_best_scored_designs_that_can_be_measured():
    """At weight 0 those of the largest posterior means, in order: hallucinations leave means."""
    rows, q = 20, 3
    env = once("gp, with a start", rows, "exploration", batch_size=q, horizon=2)
    env.reset(seed=0)
    for _ in range(2):
        before = env.campaigns.observation()
        expected = np.zeros((rows, q), int)
        for group in env._played._view.groups:
            for i, row in enumerate(group.env_indices):
                used = before["observed"][row] == 1
                measured = set(before["designs"][row, used, 0].tolist())
                means = group.marginals.mean[i]
                ranking = sorted(range(8), key=lambda x, m=means: -m[x])
                expected[row] = [x for x in ranking if x not in measured][:q]
                assert set(np.flatnonzero(group.measured[i])) == measured
        env.step(np.full((rows, 2), -1, np.float32))
        np.testing.assert_array_equal(last_batch(env)[..., 0], expected)


@pytest.mark.parametrize("worth_it", [{"noise_std": 0.1}, {"utility": "last_mean"}])
def test_outlooks_spare_nothing_where_measuring_again_is_worth_something(worth_it):
    env = vector_env("pool", 3, "exploration", **worth_it)
    env.reset(seed=0)
    assert env.campaign_spec.repeats is Repeats.DISTINCT_IN_BATCH
    assert all(group.measured is None for group in env._played._view.groups)


@pytest.mark.parametrize("case", ["GP", "TFBind8", "pool", "recipes"])
def test_nothing_is_measured_twice_where_that_is_worth_nothing(case):
    """The best value counts and there is no noise."""
    env = vector_env(case, 3, "exploration", batch_size=4, horizon=3)
    env.reset(seed=0)
    assert env.campaign_spec.repeats is Repeats.NEVER_AGAIN
    for _ in range(3):
        env.step(np.full((3, 2), -1, np.float32))  # pure exploitation
    for row, n in enumerate(env.campaigns.num_observed):
        designs = env.campaigns.designs[row, :n]
        assert len(np.unique(designs, axis=0)) == n


@pytest.mark.parametrize("case", ["tent8", "gp, with a start", "eleven designs", "pool"])
def test_the_list_of_candidates_holds_measured_designs_at_its_end(case):
    rows, q = 4, 3
    env = once(case, rows, "candidates", batch_size=q, horizon=5)
    env.reset(seed=0)
    env.action_space.seed(0)
    size, length = env.design_space.size, env.single_action_space.nvec[0]
    assert length == CANDIDATES
    length = min(length, size)
    for _ in range(4):
        view, campaigns = env._played._view, env.campaigns
        for row in range(rows):
            listed = view.designs[row, :length, 0].tolist()
            measured = set(campaigns.designs[row, : campaigns.num_observed[row], 0].tolist())
            assert len(set(listed)) == length
            first = min(length, size - len(measured))
            assert not measured & set(listed[:first]) and set(listed[first:]) <= measured
            assert view.useless[row, :length].tolist() == [x in measured for x in listed]
            assert view.useless[row, length:].all()
        env.step(env.action_space.sample())


def test_a_slot_that_would_be_wasted_takes_the_next_of_the_list_that_would_not():
    env = once("tent8", 5, "candidates", batch_size=4, horizon=3, utility="total")
    env.reset(seed=0)
    listed = env._played._view.designs[..., 0]
    env.step(np.array([[0, 1, 2, 3], [5, 4, 0, 1], [0, 0, 0, 0], [6, 6, 7, 6], [3, 7, 3, 7]]))
    taken = [[0, 1, 2, 3], [5, 4, 0, 1], [0, 1, 2, 3], [6, 7, 0, 1], [3, 7, 4, 0]]
    np.testing.assert_array_equal(
        last_batch(env)[..., 0], np.take_along_axis(listed, np.array(taken), axis=1)
    )
    # Now the last four of the list are those that were measured.
    listed = env._played._view.designs[..., 0]
    env.step(np.array([[4, 5, 6, 7], [7, 7, 2, 2], [2, 2, 5, 2], [1, 4, 1, 1], [3, 2, 1, 0]]))
    taken = [[0, 1, 2, 3], [0, 1, 2, 3], [2, 3, 0, 1], [1, 0, 2, 3], [3, 2, 1, 0]]
    np.testing.assert_array_equal(
        last_batch(env)[..., 0], np.take_along_axis(listed, np.array(taken), axis=1)
    )
    *_, info = env.step(np.tile([0, 1, 2, 3], (5, 1)))
    assert (info["wasted"] == 4).all()


@pytest.mark.parametrize("control", ["exploration", "candidates"])
@pytest.mark.parametrize("case", ["signpost", "recipes", "box"])
def test_rows_that_stand_differently_are_played_as_single_campaigns(case, control):
    problem, arguments = ONCE[case]
    arguments = {**arguments, "control": control, "horizon": [1, 4], "batch_size": 3}
    many = CampaignVectorEnv(5, problem, autoreset_mode="SameStep", **arguments)
    singles = [CampaignEnv(problem, **arguments) for _ in range(5)]
    many.action_space.seed(0)
    seen, _ = many.reset(seed=0)
    alone = [env.reset(seed=i)[0] for i, env in enumerate(singles)]
    for _ in range(8):
        for row in range(5):
            assert_same({name: array[row] for name, array in seen.items()}, alone[row])
        actions = many.action_space.sample()
        seen, rewards, *_ = many.step(actions)
        for row, env in enumerate(singles):
            alone[row], reward, over, _, _ = env.step(actions[row])
            assert reward == rewards[row]
            if over:
                alone[row], _ = env.reset()
