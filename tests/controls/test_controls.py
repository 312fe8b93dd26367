"""What agents act on: exploration weights and candidates, against batches built by hand."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ombo_gym  # noqa: F401
from ombo_gym.control_names import CANDIDATES
from ombo_gym.controls.candidates import CANDIDATE
from ombo_gym.controls.exploration import SUMMARY, actions_of, weights_of
from ombo_gym.env import CampaignEnv
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.surrogates.surrogate import JITTER
from tests.controls.cases import CASES, assert_same, last_batch, vector_env
from tests.controls.small_problems import Recipes
from tests.surrogates.test_posterior import textbook_posterior


@pytest.mark.parametrize(
    ("action", "weight"), [(-1, 0), (-0.5, 0.625), (0, 2.5), (0.5, 5.625), (1, 10)]
)
def test_an_exploration_weight_is_ten_times_the_square_of_the_way_from_minus_one_to_one(
    action, weight
):
    assert weights_of(np.float32(action)) == weight
    assert actions_of(np.float64(weight)) == pytest.approx(action)


@given(weight=st.floats(0, 10))
def test_actions_of_inverts_weights_of_within_float32(weight):
    action = actions_of(np.array([weight]))
    assert action.dtype == np.float32 and -1 <= action[0] <= 1
    assert weights_of(action)[0] == pytest.approx(weight, abs=2e-6)


@pytest.mark.parametrize("q", [1, 2, 5])
def test_the_batch_maximises_upper_confidence_bounds_with_weights_interpolated_over_slots(q):
    rows = 6
    env = vector_env("GP", rows, "exploration", batch_size=q, horizon=3, utility="last_mean")
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(3):
        before = env.campaigns.observation()
        groups = env._played._view.groups
        actions = rng.uniform(-1, 1, (rows, 2)).astype(np.float32)
        env.step(actions)
        batch = last_batch(env)
        first, last = (10 * ((actions.astype(float) + 1) / 2) ** 2).T
        for group in groups:
            for i, row in enumerate(group.env_indices):
                n = int(before["observed"][row].sum())
                x = before["designs"][row, :n].astype(float)
                y = before["measurements"][row, :n]
                choices = group.candidates[i].astype(float)
                for slot in range(q):
                    share = slot / (q - 1) if q > 1 else 0.0
                    weight = first[row] + share * (last[row] - first[row])
                    mean, covariance = textbook_posterior("matern52", x, y, choices, 0.3, JITTER)
                    sd = np.sqrt(np.diag(covariance).clip(0))
                    pick = (mean + weight * sd).argmax()
                    np.testing.assert_array_equal(batch[row, slot], choices[pick])
                    x, y = np.vstack([x, choices[pick]]), np.append(y, mean[pick])


def test_weight_zero_in_a_box_proposes_q_times_the_candidate_of_the_largest_mean():
    rows, q = 5, 4
    env = vector_env("GP", rows, "exploration", batch_size=q, horizon=2, utility="last_mean")
    env.reset(seed=3)
    for _ in range(2):
        (group,) = env._played._view.groups
        best = group.marginals.mean.argmax(axis=1)
        expected = group.candidates[np.arange(rows), best]
        env.step(np.full((rows, 2), -1, np.float32))
        np.testing.assert_array_equal(last_batch(env), np.repeat(expected[:, None], q, axis=1))


def test_weights_above_zero_in_a_box_spread_the_batch():
    env = vector_env("GP", 5, "exploration", batch_size=4)
    env.reset(seed=3)
    env.step(np.zeros((5, 2), np.float32))
    for batch in last_batch(env):
        assert len(np.unique(batch, axis=0)) == 4


@pytest.mark.parametrize("action", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("case", ["TFBind8", "pool", "recipes"])
def test_on_finite_spaces_a_batch_holds_distinct_designs(case, action):
    env = vector_env(case, 4, "exploration", batch_size=9, horizon=2)
    env.reset(seed=1)
    for _ in range(2):
        env.step(np.full((4, 2), action, np.float32))
        for batch in last_batch(env):
            assert len(np.unique(batch, axis=0)) == 9


def test_a_batch_larger_than_the_space_holds_every_design():
    env = CampaignEnv(
        Recipes((2, 2)),
        control="exploration",
        batch_size=7,
        horizon=1,
        start={"kind": "random", "size": 2},
    )
    env.reset(seed=0)
    env.step(np.zeros(2, np.float32))
    assert len(np.unique(env.campaigns.designs[0, 2:], axis=0)) == 4


@pytest.mark.parametrize("control", ["exploration", "candidates"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_seen_lies_in_the_space_and_is_zero_once_a_campaign_is_over(case, control):
    env = vector_env(case, 3, control, horizon=[1, 3], batch_size=5)
    env.action_space.seed(0)
    seen, _ = env.reset(seed=4)
    field = "summary" if control == "exploration" else "candidates"
    for _ in range(3):
        assert env.observation_space.contains(seen)
        over = seen["rounds_left"][:, 0] == 0
        shown = (seen[field] != 0).reshape(3, -1).any(axis=1)
        np.testing.assert_array_equal(shown, ~over)
        if over.any():
            break
        seen, *_ = env.step(env.action_space.sample())
    assert over.any()


def test_the_summary_says_what_the_posterior_says():
    q = 3
    env = CampaignEnv("GP", control="exploration", batch_size=q, horizon=2)
    seen, _ = env.reset(seed=5)
    observation = env.campaigns.observation()
    x, y = observation["designs"][0, :4].astype(float), observation["measurements"][0, :4]
    (group,) = env._played._view.groups
    z = group.candidates[0].astype(float)
    mean, covariance = textbook_posterior("matern52", x, y, z, 0.3, JITTER)
    sd = np.sqrt(np.diag(covariance).clip(1e-12))
    expected = {
        "best_mean": mean.max(),
        "sd_at_best_mean": sd[mean.argmax()],
        "mean_of_top_means": np.sort(mean)[-16:].mean(),
        "mean_sd": sd.mean(),
        "largest_sd": sd.max(),
        "gain_of_ucb_1": (mean + sd).max() - mean.max(),
        "gain_of_ucb_2": (mean + 2 * sd).max() - mean.max(),
        "gain_of_ucb_4": (mean + 4 * sd).max() - mean.max(),
        "best_observed": y.max(),
        "log_observed": np.log(5),
        "log_next_plate": np.log(q),
    }
    shown = dict(zip(SUMMARY, seen["summary"].tolist(), strict=True))
    for name, value in expected.items():
        assert shown[name] == pytest.approx(value, abs=2e-3), name


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("control", ["exploration", "candidates"])
def test_a_control_changes_the_proposals_and_never_the_campaign(case, control):
    """Its designs, proposed by hand with control="designs", bring the same values and infos."""
    rows, horizon = 3, 3
    arguments = {"batch_size": 3, "horizon": horizon, "noise_std": 0.2}
    acted = vector_env(case, rows, control, **arguments)
    by_hand = vector_env(case, rows, "designs", **arguments)
    acted.action_space.seed(0)
    for seed in (11, None):  # a first campaign and the one after it
        _, info = acted.reset(seed=seed)
        observation, info_by_hand = by_hand.reset(seed=seed)
        for _ in range(horizon):
            assert_same(info, info_by_hand)
            assert_same(acted.campaigns.observation(), observation)
            _, reward, over, _, info = acted.step(acted.action_space.sample())
            designs = by_hand.design_space.actions(last_batch(acted))
            observation, expected, over_by_hand, _, info_by_hand = by_hand.step(designs)
            np.testing.assert_array_equal(reward, expected)
            np.testing.assert_array_equal(over, over_by_hand)


@pytest.mark.parametrize("control", ["exploration", "candidates"])
def test_how_often_the_agent_looks_or_how_it_acts_leaves_the_next_campaign_alone(control):
    env = gym.make("Ombo/GP-v0", horizon=2, batch_size=3, control=control).unwrapped
    starts = []
    for looks in (1, 4):
        env.action_space.seed(looks)
        env.reset(seed=6)
        for _ in range(2):
            for _ in range(looks):
                env._played.observe()
            env.step(env.action_space.sample())
        seen, _ = env.reset()
        starts.append({**seen, **env.campaigns.observation()})
    assert_same(*starts)


@pytest.mark.parametrize("case", CASES)
def test_the_list_of_candidates_holds_distinct_designs_with_what_the_surrogate_says(case):
    rows = 3
    env = vector_env(case, rows, "candidates", batch_size=2, horizon=2)
    seen, _ = env.reset(seed=7)
    space, view = env.design_space, env._played._view
    size = CANDIDATES if space.size is None else min(CANDIDATES, space.size)
    assert env.single_action_space == gym.spaces.MultiDiscrete([CANDIDATES, CANDIDATES])
    assert seen["candidates"].shape == (rows, CANDIDATES, len(CANDIDATE))
    for row in range(rows):
        assert len(np.unique(view.designs[row, :size], axis=0)) == size
        assert (seen["candidates"][row, :size] != 0).any(axis=1).all()
        assert (seen["candidates"][row, size:] == 0).all()
    if case == "GP":
        observation = env.campaigns.observation()
        x, y = observation["designs"].astype(float), observation["measurements"]
        for row in range(rows):
            z = view.designs[row].astype(float)
            mean, covariance = textbook_posterior(
                "matern52", x[row, :4], y[row, :4], z, 0.3, JITTER
            )
            np.testing.assert_allclose(seen["candidates"][row, :, 0], mean, atol=1e-5)
            np.testing.assert_allclose(
                seen["candidates"][row, :, 1] ** 2, np.diag(covariance), atol=1e-5
            )


@pytest.mark.parametrize("case", CASES)
def test_choosing_candidates_proposes_exactly_those(case):
    for utility, picked in (("last_mean", [0, 5, 5]), ("best", [0, 5, 6])):
        noisy = {"noise_std": 0.0, "utility": utility}  # of `best` a repeat is worth nothing
        env = vector_env(case, 2, "candidates", batch_size=3, horizon=2, **noisy)
        env.reset(seed=8)
        listed = env._played._view.designs
        env.step(np.array([[0, 5, 5], [2, 1, 0]]))
        np.testing.assert_array_equal(last_batch(env)[0], listed[0, picked])
        np.testing.assert_array_equal(last_batch(env)[1], listed[1, [2, 1, 0]])


def test_a_candidate_that_is_not_listed_is_refused_and_nothing_happens():
    env = CampaignEnv(Recipes(), control="candidates", batch_size=2, horizon=1)
    env.reset(seed=0)
    before = env.campaigns.observation()
    for action in ([0, CANDIDATES], [-1, 0], [0.0, 1.0], [0], [True, False]):
        with pytest.raises(ValueError, match="action: expected"):
            env.step(np.array(action))
    assert_same(env.campaigns.observation(), before)
    env.step(np.array([0, 23]))


@pytest.mark.parametrize("control", ["exploration", "candidates"])
def test_the_single_env_sees_what_its_row_of_the_vector_env_sees(control):
    rows = 3
    many = gym.make_vec(
        "Ombo/GP-v0", rows, horizon=[1, 3], control=control, autoreset_mode="NextStep"
    )
    many.action_space.seed(0)
    singles = [gym.make("Ombo/GP-v0", horizon=[1, 3], control=control) for _ in range(rows)]
    seen, _ = many.reset(seed=9)
    alone = [env.reset(seed=9 + i)[0] for i, env in enumerate(singles)]
    over = np.zeros(rows, bool)
    for _ in range(8):
        for row in range(rows):
            assert_same({name: array[row] for name, array in seen.items()}, alone[row])
        actions = many.action_space.sample()
        seen, _, ended, _, _ = many.step(actions)
        for row, env in enumerate(singles):
            alone[row] = env.reset()[0] if over[row] else env.step(actions[row])[0]
        over = ended


@pytest.mark.parametrize("control", ["exploration", "candidates"])
def test_a_view_can_be_acted_on_again_and_again(control):
    env = vector_env("GP", 4, control, batch_size=3)
    env.reset(seed=10)
    env.action_space.seed(0)
    control, view, actions = env._played.control, env._played._view, env.action_space.sample()
    seen, batch = control.seen(view), control.designs(view, actions)
    assert_same(control.seen(view), seen)
    np.testing.assert_array_equal(control.designs(view, actions), batch)


def test_candidates_come_from_the_campaign_s_own_stream_of_the_round():
    env = vector_env("GP", 3, "exploration", horizon=2)
    env.reset(seed=11)
    campaigns = env.campaigns
    for number in range(2):
        (group,) = env._played._view.groups
        rngs = KeyedGenerator(campaigns.keys, Stream.CANDIDATES, number)
        n = group.num_observed
        designs, measured = campaigns.designs[:, :n], campaigns.measurements[:, :n]
        expected = env.design_space.candidates(designs, measured, 16, rngs)
        np.testing.assert_array_equal(group.candidates, expected)
        env.step(np.zeros((3, 2), np.float32))


def test_an_unknown_control_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"designs.*exploration.*candidates.*'pixels'"):
        CampaignEnv("GP", control="pixels")
