"""Common random numbers, and the statistics of what campaigns draw."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from scipy import stats

import ombo_gym
from ombo_gym.campaign import Campaigns
from ombo_gym.env import CampaignEnv
from ombo_gym.outcomes import ALL
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.reset_options import ResetOptions
from ombo_gym.settings import Settings
from tests.envs.cases import COINS, IDS, assert_same, make, make_native, proposals

# --- common random numbers -----------------------------------------------------------------------


def dataset(env: Any) -> dict[str, np.ndarray]:
    """All about the campaigns behind an environment, whichever control it is played through."""
    campaigns = env.unwrapped.campaigns
    names = "designs measurements true_values rounds num_observed round horizon plates".split()
    names += ["best_value"]
    return {**{name: getattr(campaigns, name).copy() for name in names}, **campaigns.instances}


def recorded(env: Any) -> list[np.ndarray]:
    """Where the batches that an environment's campaign is given from now on are to be found."""
    campaigns = env.unwrapped.campaigns
    step, batches = campaigns.step, []

    def recording(env_indices: Any, batch: np.ndarray) -> Any:
        batches.append(batch.copy())
        return step(env_indices, batch)

    campaigns.step = recording
    return batches


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("control", ["exploration", "candidates"])
def test_the_campaign_does_not_depend_on_the_control(env_id: str, control: str) -> None:
    """Designs that a control chose get the same values, noise included, when proposed directly."""
    settings = {"horizon": [2, 3], "batch_size": 3, "noise_std": 0.5}
    played = make(env_id, control=control, **settings)
    replayed = make(env_id, **settings)
    batches = recorded(played)
    played.action_space.seed(0)
    for seed in (0, 1, None):
        played.reset(seed=seed)
        replayed.reset(seed=seed)
        assert_same(dataset(played), dataset(replayed))
        terminated = False
        while not terminated:
            _, reward, terminated, _, info = played.step(played.action_space.sample())
            if not info["wasted"]:  # a wasted slot leaves no row
                campaigns = played.unwrapped.campaigns
                count = campaigns.num_observed[0]
                newest = campaigns.designs[:, count - 3 : count]
                np.testing.assert_array_equal(newest, batches[-1])
            action = played.unwrapped.design_space.actions(batches[-1])[0]
            result = replayed.step(action)
            assert_same(result[1:], (reward, terminated, False, info))
            assert_same(dataset(played), dataset(replayed))


@pytest.mark.parametrize("env_id", IDS)
def test_the_campaign_does_not_depend_on_rendering_or_on_whether_the_optimum_was_asked_for(
    env_id: str,
) -> None:
    settings = {"horizon": [1, 3], "noise_std": 0.5}
    plain = make(env_id, **settings)
    watched = make(env_id, render_mode="rgb_array", **settings)
    plain.action_space.seed(0)
    for seed in (3, None):
        plain.reset(seed=seed)
        watched.reset(seed=seed, options={"optimum": True})
        watched.render()
        terminated = False
        while not terminated:
            action = plain.action_space.sample()
            (observation, reward, terminated, *_), theirs = plain.step(action), watched.step(action)
            assert_same((observation, reward), theirs[:2])
        assert "optimum" in theirs[4]


@pytest.mark.parametrize("env_id", IDS)
def test_the_noise_is_the_same_whatever_is_proposed(env_id: str) -> None:
    """And it is what the measurement shows beyond what it shows without noise, the true value."""
    noisy, bare = (make(env_id, horizon=2, noise_std=std, batch_size=3) for std in (0.5, 0.0))
    noises = []
    for seed in range(2):
        batches, measured = proposals(noisy, 2, seed), []
        for env in (noisy, bare):
            observation, _ = env.reset(seed=9)
            start = int(observation["observed"].sum())
            results = [env.step(batch) for batch in batches]
            measured.append(results[-1][0]["measurements"][start:])
        noises.append(measured[0] - measured[1])
        if env_id in COINS:
            assert set(measured[1]) <= {0.0, 1.0}
        else:
            true_values = np.concatenate([result[4]["true_values"] for result in results])
            np.testing.assert_allclose(measured[1], true_values, rtol=1e-6)
    np.testing.assert_allclose(noises[0], noises[1], atol=1e-5)
    assert np.abs(noises[0]).min() > 1e-4


@pytest.mark.parametrize("env_id", IDS)
def test_noise_is_scaled_and_touches_measured_values_only(env_id: str) -> None:
    """Campaigns of three noise levels differ in `measurements` alone, and there in proportion."""
    envs = [make(env_id, horizon=1, noise_std=std) for std in (0.0, 0.25, 0.5)]
    action = proposals(envs[0], 1, 0)[0]
    played = []
    for env in envs:
        first, _ = env.reset(seed=2)
        observation, reward, _, _, info = env.step(action)
        played.append((observation.pop("measurements"), observation, reward, info))
        if env_id not in COINS:
            assert (first["measurements"] != 0).sum() >= (first["observed"] == 1).sum() - 1
    true_values, one, two = (values for values, *_ in played)
    assert_same(played[0][1:], played[1][1:])
    assert_same(played[0][1:], played[2][1:])
    np.testing.assert_allclose(two - true_values, 2 * (one - true_values), atol=1e-5)
    used = played[0][1]["observed"] == 1
    if env_id in COINS:
        assert set(true_values[used]) <= {0.0, 1.0}
    else:
        np.testing.assert_allclose(true_values[used][-4:], played[0][3]["true_values"], rtol=1e-6)
    assert (np.abs(one - true_values)[used] > 0).all(), "the start is measured with noise too"


@pytest.mark.parametrize("env_id", IDS)
def test_the_horizon_does_not_change_what_is_drawn(env_id: str) -> None:
    """Policies are compared over horizons on the same instances, starts and noise."""
    short, long = make(env_id, horizon=1, noise_std=0.3), make(env_id, horizon=4, noise_std=0.3)
    action = proposals(short, 1, 0)[0]
    one, other = short.reset(seed=5)[0], long.reset(seed=5)[0]
    count = int(one["observed"].sum())
    for name in ("designs", "measurements"):
        np.testing.assert_array_equal(one[name][:count], other[name][:count])
    one, other = short.step(action)[0], long.step(action)[0]
    for name in ("designs", "measurements"):
        np.testing.assert_array_equal(one[name][: count + 4], other[name][: count + 4])


def test_a_design_has_one_true_value_whatever_it_is_proposed_with() -> None:
    for dim in (1, 2, 5):
        env = make("Ombo/GP-v0", dim=dim, batch_size=7, horizon=2)
        env.reset(seed=0)
        designs = np.random.default_rng(0).uniform(-1, 1, (7, dim)).astype(np.float32)
        designs[[2, 5, 6]] = designs[0]
        values = env.step(designs)[4]["true_values"]
        assert len(set(values[[0, 2, 5, 6]])) == 1
        again = env.step(np.repeat(designs[3:4], 7, axis=0))[4]["true_values"]
        assert set(again) == {values[3]}


def test_repeats_are_measured_again_with_fresh_noise() -> None:
    env = make("Ombo/TFBind8-v0", batch_size=3, horizon=2, noise_std=1.0)
    start = int(env.reset(seed=0)[0]["observed"].sum())
    action = np.zeros(24, np.int64)
    env.step(action)
    observation, _, _, _, info = env.step(action)
    assert observation["observed"].sum() == start + 6 and info["wasted"] == 0
    assert len(set(observation["measurements"][start:])) == 6
    assert len(set(info["true_values"])) == 1


@pytest.mark.parametrize("control", ["exploration", "candidates"])
def test_controls_draw_candidates_from_a_stream_of_their_own_anew_each_round(
    control: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[Stream, list[int]]] = []

    class Recorded(KeyedGenerator):
        def __init__(self, keys: Any, stream: Stream, rounds: Any = 0) -> None:
            super().__init__(keys, stream, rounds)
            drawn.append((stream, np.broadcast_to(rounds, keys.shape).tolist()))

    monkeypatch.setattr("ombo_gym.controlled_campaigns.KeyedGenerator", Recorded)
    env = make("Ombo/GP-v0", control=control, horizon=3)
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(3):
        env.step(env.action_space.sample())
    assert drawn == [(Stream.CANDIDATES, [number]) for number in range(3)]


def test_the_optimum_is_kept_by_the_reset_that_follows_a_finished_campaign_and_by_no_other() -> (
    None
):
    env = make("Ombo/GP-v0", horizon=2)
    action = np.zeros((4, 2), np.float32)

    def finish() -> None:
        while not env.step(action)[2]:
            pass

    assert "optimum" in env.reset(seed=0, options={"optimum": True})[1]
    for _ in range(2):
        finish()
        assert "optimum" in env.reset()[1], "what autoreset does"
    env.step(action)
    assert "optimum" not in env.reset()[1], "a reset in mid-campaign says anew"
    env.reset(options={"optimum": True})
    finish()
    assert "optimum" not in env.reset(seed=1)[1], "so does a seed"
    env.reset(options={"optimum": True})
    finish()
    assert "optimum" not in env.reset(options={"optimum": False})[1]
    finish()
    assert "optimum" not in env.reset()[1]


# --- what is drawn -------------------------------------------------------------------------------


def test_horizons_are_drawn_uniformly_and_anew_for_each_campaign() -> None:
    num_campaigns = 4000
    env = make_native(
        "Ombo/GP-v0", num_campaigns, AutoresetMode.DISABLED, horizon=[2, 5], features=1
    )
    first = env.reset(seed=0)[0]["rounds_left"][:, 0].astype(int)
    second = env.reset()[0]["rounds_left"][:, 0].astype(int)
    for horizons in (first, second):
        counts = np.bincount(horizons, minlength=6)
        assert counts[:2].sum() == 0 and counts.sum() == num_campaigns
        assert stats.chisquare(counts[2:6]).pvalue > 1e-4
    pairs = np.histogram2d(first, second, bins=[4, 4])[0]
    assert stats.chi2_contingency(pairs).pvalue > 1e-4


def test_noise_is_standard_normal_and_independent_over_campaigns_rounds_and_slots() -> None:
    num_campaigns, std = 1000, 3.0
    settings = {"horizon": 2, "batch_size": 2, "noise_std": std, "features": 1}
    env = make_native("Ombo/GP-v0", num_campaigns, AutoresetMode.DISABLED, **settings)
    env.reset(seed=0)
    for _ in range(2):
        env.step(np.zeros((num_campaigns, 2, 2), np.float32))
    campaigns = env.campaigns
    noise = (campaigns.measurements - campaigns.true_values) / std  # (B, 4 of the start + 2 x 2)
    assert noise.shape == (num_campaigns, 8)
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-4
    correlations = np.corrcoef(noise.T)[np.triu_indices(8, 1)]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(num_campaigns)
    assert np.abs(np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1]) < 4.5 / np.sqrt(
        8 * num_campaigns
    )


def test_every_campaign_is_another() -> None:
    env = make("Ombo/GP-v0", horizon=1)
    env.reset(seed=0)
    keys = []
    for _ in range(200):
        keys.append(int(env.unwrapped.campaigns.keys[0]))
        env.reset()
    assert len(set(keys)) == 200


def test_streams_and_rounds_and_calls_are_apart_and_each_repeats_itself() -> None:
    keys = np.array([1, 2, 2**64 - 1], np.uint64)

    def numbers(stream: Stream, rounds: int, call: int) -> np.ndarray:
        rngs = KeyedGenerator(keys, stream, rounds)
        for _ in range(call):
            rngs.random((1,))
        return rngs.random((5,))

    cases = [(stream, rounds, call) for stream in Stream for rounds in (0, 1) for call in (0, 1)]
    drawn = np.stack([numbers(*case) for case in cases])  # (cases, 3 keys, 5)
    assert len(np.unique(drawn)) == drawn.size
    np.testing.assert_array_equal(drawn, np.stack([numbers(*case) for case in cases]))
    few = KeyedGenerator(keys[1:2], Stream.START).random((5,))
    np.testing.assert_array_equal(few[0], KeyedGenerator(keys, Stream.START).random((5,))[1])


def test_the_numbers_of_a_key_never_change() -> None:
    """They are part of every campaign: a change would make published results unrepeatable."""
    raw = np.random.Philox(counter=[0, 0, 1, 2], key=[77, int(Stream.NOISE)])
    expected = np.random.Generator(raw).standard_normal(3)
    drawn = KeyedGenerator(np.array([77], np.uint64), Stream.NOISE, 2).standard_normal((3,))
    np.testing.assert_array_equal(drawn[0], expected)
    assert [stream.value for stream in Stream] == [0, 1, 2, 3, 4, 5, 6]


def test_noise_is_added_and_is_the_normal_numbers_of_the_campaigns_key() -> None:
    env = make("Ombo/TFBind8-v0", horizon=3, batch_size=5, noise_std=0.5)
    env.action_space.seed(0)
    observation, _ = env.reset(seed=0)
    key = np.random.default_rng(np.random.PCG64(0)).integers(0, 2**64, dtype=np.uint64)
    count = int(observation["observed"].sum())
    for number in (1, 2, 3):
        observation, _, _, _, info = env.step(env.action_space.sample())
        raw = np.random.Philox(counter=[0, 0, 1, number], key=np.array([key, 3], np.uint64))
        measured = info["true_values"] + 0.5 * np.random.Generator(raw).standard_normal(5)
        np.testing.assert_allclose(
            observation["measurements"][count : count + 5], measured, rtol=1e-6
        )
        count += 5


# --- some of the campaigns alone -----------------------------------------------------------------


def test_best_values_and_regrets_are_of_true_values() -> None:
    """With noise of 100, the measured best says nothing of the true best."""
    env = CampaignEnv("GP", noise_std=100.0, horizon=3, start={"kind": "random", "size": 8})
    _, info = env.reset(seed=0, options={"optimum": True})
    twin = CampaignEnv("GP", horizon=3, start={"kind": "random", "size": 8})
    start = twin.reset(seed=0)[0]["measurements"][:8]
    best = info["best_value"]
    assert best == pytest.approx(start.max(), abs=1e-6)
    env.action_space.seed(0)
    for _ in range(3):
        info = env.step(env.action_space.sample())[4]
        best = max(best, info["true_values"].max())
        assert info["best_value"] == best
        assert info["regret"] == info["optimum"] - best > 0
        assert info["optimum_exact"] is False


def test_a_campaign_that_is_redrawn_alone_does_not_touch_the_others() -> None:
    problem = ombo_gym.make_problem("GP")
    campaigns = Campaigns(problem, Settings(horizon=2, noise_std=0.1), 3)
    asked = ResetOptions.none(3)
    campaigns.reset(ALL, np.array([1, 2, 3], np.uint64), asked)
    campaigns.step(ALL, np.zeros((3, 4, 2), np.float32))
    before = {name: array.copy() for name, array in campaigns.observation().items()}
    campaigns.reset(np.array([1]), np.array([9], np.uint64), asked.take(np.array([1])))
    after = campaigns.observation()
    for name, array in before.items():
        np.testing.assert_array_equal(array[[0, 2]], after[name][[0, 2]])
        assert (array[1] != after[name][1]).any() or name == "from_start"
    alone = Campaigns(problem, Settings(horizon=2, noise_std=0.1), 1)
    alone.reset(ALL, np.array([9], np.uint64), ResetOptions.none(1))
    for name, array in alone.observation().items():
        np.testing.assert_array_equal(array[0], after[name][1])


@pytest.mark.parametrize(
    "options",
    [
        *(3, {"optimum": "no"}, {"optimum": 1}, {"more": True}, {"horizon": 4}, {"horizon": 5.0}),
        *({"batch_size": True}, {"batch_size": [4, 4, 4]}, {"batch_size": [[4], [4, 4]]}),
    ],
)
def test_options_of_a_reset_are_checked(options: Any) -> None:
    for env in (make("Ombo/GP-v0").unwrapped, gym.make_vec("Ombo/GP-v0", num_envs=2)):
        with pytest.raises(ValueError, match="options: expected"):
            env.reset(options=options)


@pytest.mark.parametrize("noise_std", [1e300, np.inf, -1, np.nan, "1", True])
def test_noise_that_cannot_be_shown_is_refused(noise_std: Any) -> None:
    with pytest.raises(ValueError, match=r"noise_std: .* at least 0, 1e\+30 at most"):
        make("Ombo/GP-v0", noise_std=noise_std)
