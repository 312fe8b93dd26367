"""Batch sizes that differ between campaigns, or from round to round."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from scipy import stats

from tests.envs.cases import CASES, IDS, assert_same, make, make_native, make_sync
from tests.envs.test_rows import MODES, assert_row, lockstep

pytestmark = pytest.mark.usefixtures("brief_fits")

ROUNDS: dict[str, dict[str, Any]] = {
    "a range": {"horizon": [1, 3], "batch_size": [1, 4]},
    "plates": {"plates": [3, 1, 4]},
}
NOISY: dict[str, Any] = {"noise_std": 0.3, "utility": "last_quantile:quantile=0.9"}


@pytest.mark.parametrize(
    ("env_id", "control", "rounds", "mode"),
    # Each pair of a case and a mode, under a range or under plates in turn; one mode of each case
    # is quick.
    [
        pytest.param(
            *(*case, list(ROUNDS)[(i + j) % 2], mode),
            marks=() if (i // 3 + i + j) % len(MODES) == 0 else pytest.mark.slow,
        )
        for i, case in enumerate(CASES)
        for j, mode in enumerate(MODES)
    ],
)
def test_native_rows_are_the_rows_of_sync_vector_env(
    env_id: str, control: str, rounds: str, mode: AutoresetMode
) -> None:
    settings = {**ROUNDS[rounds], **NOISY, "control": control}
    native = make_native(env_id, 3, mode, **settings)
    sync = make_sync(env_id, 3, mode, **settings)
    assert native.observation_space == sync.observation_space
    assert native.action_space == sync.action_space
    assert native.metadata["autoreset_mode"] == sync.metadata["autoreset_mode"] == mode
    assert_same(native.reset(seed=7), sync.reset(seed=7), "reset")
    assert lockstep(native, sync, mode, 7, np.random.default_rng(1)) > 3


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("env_id", IDS)
def test_row_i_of_the_vector_env_plays_the_single_env_seeded_s_plus_i(
    env_id: str, rounds: str
) -> None:
    settings = {**ROUNDS[rounds], **NOISY}
    native = make_native(env_id, 4, AutoresetMode.NEXT_STEP, **settings)
    singles = [make(env_id, **settings) for _ in range(4)]
    observations, infos = native.reset(seed=5)
    for i, single in enumerate(singles):
        assert_row(observations, infos, i, *single.reset(seed=5 + i))
    native.action_space.seed(0)
    over = [False] * 4
    for _ in range(6):
        actions = native.action_space.sample()
        observations, rewards, _, _, infos = native.step(actions)
        for i, single in enumerate(singles):
            if over[i]:
                observation, info = single.reset()
                over[i] = False
            else:
                observation, reward, over[i], _, info = single.step(actions[i])
                assert rewards[i] == reward
            assert_row(observations, infos, i, observation, info)


@pytest.mark.parametrize("env_id", IDS)
def test_a_range_of_one_number_is_that_number(env_id: str) -> None:
    plain = make(env_id, horizon=2, batch_size=3, noise_std=0.2)
    for rounds in ({"horizon": [2, 2], "batch_size": [3, 3]}, {"plates": [3, 3]}):
        env = make(env_id, noise_std=0.2, **rounds)
        assert (env.observation_space, env.action_space) == (
            plain.observation_space,
            plain.action_space,
        )
        env.action_space.seed(0)
        for seed in (4, None):
            assert_same(env.reset(seed=seed), plain.reset(seed=seed))
            for _ in range(2):
                action = env.action_space.sample()
                assert_same(env.step(action), plain.step(action))


@pytest.mark.parametrize(
    ("rounds", "capacity", "horizons", "sizes"),
    [
        ({"horizon": [2, 5], "batch_size": [1, 16]}, 5 * 16, (2, 5), (1, 16)),
        ({"plates": [24, 24, 8]}, 56, (3, 3), (8, 24)),
        ({"plates": [2]}, 2, (1, 1), (2, 2)),
        ({"plates": np.array([2, 5])}, 7, (2, 2), (2, 5)),
        ({"batch_size": np.array([2, 5])}, 25, (5, 5), (2, 5)),
    ],
    ids=str,
)
def test_capacity_is_the_start_and_all_that_can_be_proposed(
    rounds: dict[str, Any], capacity: int, horizons: Any, sizes: Any
) -> None:
    for env in (
        gym.make("Ombo/GP-v0", **rounds),
        gym.make_vec("Ombo/GP-v0", num_envs=2, **rounds),
    ):
        spec = env.unwrapped.campaign_spec
        assert (spec.capacity, spec.horizons, spec.batch_sizes) == (4 + capacity, horizons, sizes)
        shapes = {name: space.shape for name, space in spec.observation_space.items()}
        assert shapes["designs"] == (4 + capacity, 2) and shapes["plates"] == (horizons[1],)
        assert spec.action_space.shape == (sizes[1], 2)
        observation, _ = env.reset(seed=0)
        assert observation["observed"].shape[-1] == 4 + capacity


def test_plates_are_shown_as_they_lie_ahead() -> None:
    env = make("Ombo/TFBinding-v0", plates=[3, 1, 4])
    observation, _ = env.reset(seed=0)
    env.action_space.seed(0)
    assert env.action_space.shape == (4 * 8,)
    shown = [observation["plates"].tolist()]
    for _ in range(3):
        observation, *_ = env.step(env.action_space.sample())
        shown.append(observation["plates"].tolist())
    assert shown == [[3, 1, 4], [1, 4, 0], [4, 0, 0], [0, 0, 0]]


def test_batch_sizes_are_drawn_uniformly_once_a_campaign_and_move_nothing_else() -> None:
    num_campaigns, mode = 4000, AutoresetMode.DISABLED
    settings = {"horizon": [2, 5], "features": 1}
    env = make_native("Ombo/GP-v0", num_campaigns, mode, batch_size=[2, 5], **settings)
    twin = make_native("Ombo/GP-v0", num_campaigns, mode, batch_size=5, **settings)
    observation, other = env.reset(seed=0)[0], twin.reset(seed=0)[0]
    for name in ("designs", "measurements", "rounds_left"):
        np.testing.assert_array_equal(observation[name], other[name])
    horizons = observation["rounds_left"][:, 0].astype(int)
    plates = observation["plates"]
    sizes = plates[:, 0].astype(int)
    expected = np.where(np.arange(5) < horizons[:, None], sizes[:, None], 0)
    np.testing.assert_array_equal(plates, expected)
    counts = np.bincount(sizes, minlength=6)
    assert counts[:2].sum() == 0 and stats.chisquare(counts[2:]).pvalue > 1e-4
    pairs = np.histogram2d(horizons, sizes, bins=[4, 4])[0]
    assert stats.chi2_contingency(pairs).pvalue > 1e-4
    again = env.reset()[0]["plates"][:, 0]
    assert stats.chi2_contingency(np.histogram2d(sizes, again, bins=[4, 4])[0]).pvalue > 1e-4


def test_slots_behind_the_plate_may_repeat_what_is_measured_once() -> None:
    env = make("Ombo/Landscapes-v0", plates=[1, 3], name="tent8", utility="total")
    env.reset(seed=0)
    observation, reward, _, _, info = env.step([5, 5, 5])
    assert info["wasted"] == 0 and observation["observed"].sum() == 1
    assert np.isnan(info["true_values"]).tolist() == [False, True, True]
    assert reward == info["true_values"][0]
    observation, _, _, _, info = env.step([5, 2, 2])
    assert info["wasted"] == 2 and info["true_values"][[0, 2]].tolist() == [0.0, 0.0]
    assert observation["designs"][:2, 0].tolist() == [5, 2]


@pytest.mark.parametrize("q", [1, 2, 5])
def test_what_a_plate_shows_does_not_depend_on_the_slots_behind_it(q: int) -> None:
    """Common random numbers: noise is that of a campaign whose batches are no larger."""
    wide = make("Ombo/GP-v0", plates=[q, 5], noise_std=0.5)
    plain = make("Ombo/GP-v0", plates=[q], noise_std=0.5)
    wide.reset(seed=3)
    plain.reset(seed=3)
    wide.action_space.seed(q)
    action = wide.action_space.sample()
    ours, theirs = wide.step(action)[0], plain.step(action[:q])[0]
    for name in ("designs", "measurements"):
        np.testing.assert_array_equal(ours[name][: 4 + q], theirs[name][: 4 + q])
