"""Row i of the native vector env seeded s plays what the others play.

The others are row i of SyncVectorEnv seeded s, and the single environment seeded s + i.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from tests.envs.cases import CASES, IDS, assert_same, make, make_native, make_sync

pytestmark = pytest.mark.usefixtures("brief_fits")

ROWS, STEPS, SEED = 3, 9, 7
# Rows fall out of step, measurements are noisy and rewards come on the last round only.
SETTINGS: dict[str, Any] = {
    "horizon": [1, 3],
    "batch_size": 3,
    "noise_std": 0.3,
    "utility": "last_mean",
}
MODES = list(AutoresetMode)


def test_every_autoreset_mode_is_tested() -> None:
    assert {mode.value for mode in MODES} == {"NextStep", "SameStep", "Disabled"}


def lockstep(
    native: gym.vector.VectorEnv,
    sync: gym.vector.VectorEnv,
    mode: AutoresetMode,
    steps: int,
    rng: np.random.Generator,
) -> int:
    """Plays both with the same actions, comparing what they return; counts ended campaigns."""
    ended = 0
    native.action_space.seed(int(rng.integers(2**31)))
    for step in range(steps):
        actions = native.action_space.sample()
        ours, theirs = native.step(actions), sync.step(actions)
        assert_same(ours, theirs, f"step {step}")
        over = ours[2]
        ended += int(over.sum())
        if mode == AutoresetMode.DISABLED and over.any():
            assert_same(
                native.reset(options={"reset_mask": over.copy()}),
                sync.reset(options={"reset_mask": over.copy()}),
                f"masked reset after step {step}",
            )
    return ended


@pytest.mark.parametrize(
    ("env_id", "control", "mode"),
    # Every pair of an environment, a control and a mode; in test_plates.py, all there are.
    [(*case, MODES[(i + i // len(MODES)) % len(MODES)]) for i, case in enumerate(CASES)],
)
def test_row_i_of_the_vector_env_plays_the_single_env_seeded_s_plus_i(
    env_id: str, control: str, mode: AutoresetMode
) -> None:
    """Without SyncVectorEnv: single environments, led by hand through each mode's resets."""
    native = make_native(env_id, ROWS, mode, control=control, **SETTINGS)
    singles = [make(env_id, control=control, **SETTINGS) for _ in range(ROWS)]
    observations, infos = native.reset(seed=SEED)
    for i, single in enumerate(singles):
        observation, info = single.reset(seed=SEED + i)
        assert_row(observations, infos, i, observation, info)

    over = [False] * ROWS
    native.action_space.seed(2)
    for _ in range(STEPS):
        actions = native.action_space.sample()
        observations, rewards, terminations, truncations, infos = native.step(actions)
        assert rewards.dtype == np.float64 and not truncations.any()
        for i, single in enumerate(singles):
            if mode == AutoresetMode.NEXT_STEP and over[i]:
                observation, info = single.reset()
                over[i] = False
                assert rewards[i] == 0 and not terminations[i]
            else:
                observation, reward, over[i], _, info = single.step(actions[i])
                assert (rewards[i], terminations[i]) == (reward, over[i])
                if mode == AutoresetMode.SAME_STEP and over[i]:
                    assert_same(infos["final_obs"][i], observation)
                    assert_same(single_info(infos["final_info"], i), info)
                    observation, info = single.reset()
            assert_row(observations, infos, i, observation, info)
        if mode == AutoresetMode.DISABLED and any(over):
            mask = np.array(over)
            observations, infos = native.reset(options={"reset_mask": mask})
            for i in np.flatnonzero(mask):
                observation, info = singles[i].reset()
                assert_row(observations, infos, i, observation, info)
                over[i] = False


def single_info(infos: dict[str, Any], row: int) -> dict[str, Any]:
    """What the masks say is in one row, as Python numbers and arrays."""
    picked = {}
    for name in infos:
        if not name.startswith("_") and not name.startswith("final") and infos[f"_{name}"][row]:
            value = infos[name][row]
            picked[name] = value if isinstance(value, np.ndarray) else value.item()
    return picked


def assert_row(
    observations: dict[str, Any],
    infos: dict[str, Any],
    row: int,
    observation: dict[str, Any],
    info: dict[str, Any],
) -> None:
    assert_same({name: array[row] for name, array in observations.items()}, observation)
    assert_same(single_info(infos, row), info)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("env_id", IDS)
def test_the_optimum_that_was_asked_for_is_kept_through_autoresets(
    env_id: str, mode: AutoresetMode
) -> None:
    settings = {**SETTINGS, "horizon": [1, 2]}
    native, sync = make_native(env_id, 2, mode, **settings), make_sync(env_id, 2, mode, **settings)
    options = {"optimum": True}
    ours, theirs = native.reset(seed=3, options=options), sync.reset(seed=3, options=dict(options))
    assert_same(ours, theirs)
    assert ours[1]["_optimum"].all() and ours[1]["_regret"].all()
    native.action_space.seed(0)
    for step in range(4):
        actions = native.action_space.sample()
        ours, theirs = native.step(actions), sync.step(actions)
        assert_same(ours, theirs, f"step {step}")
        assert ours[4]["_optimum"].all(), "kept, whichever rows were reset"
        if mode == AutoresetMode.DISABLED and ours[2].any():
            mask = ours[2]
            after = native.reset(options={"reset_mask": mask.copy()})
            assert_same(after, sync.reset(options={"reset_mask": mask.copy()}))
            np.testing.assert_array_equal(after[1]["_optimum"], mask)


@pytest.mark.parametrize("env_id", ["Ombo/GP-v0"])
def test_an_explicit_reset_says_anew_whether_the_optimum_is_wanted(env_id: str) -> None:
    mode = AutoresetMode.NEXT_STEP
    native, sync = make_native(env_id, 3, mode, horizon=1), make_sync(env_id, 3, mode, horizon=1)

    def reset(seed: Any, options: dict[str, Any] | None) -> tuple[Any, dict[str, Any]]:
        ours = native.reset(seed=seed, options=options)
        theirs = sync.reset(seed=seed, options=None if options is None else dict(options))
        if seed is not None and None not in np.atleast_1d(seed):
            assert_same(ours, theirs)
        for name in ("optimum", "_optimum"):
            assert (name in ours[1]) == (name in theirs[1])
            if name in ours[1] and name.startswith("_"):
                assert_same(ours[1][name], theirs[1][name])
        return ours

    assert "optimum" in reset(0, {"optimum": True})[1]
    assert "optimum" not in reset(1, None)[1]
    assert "optimum" in reset(2, {"optimum": True})[1]
    assert "optimum" not in reset(3, {"optimum": False})[1]
    assert "optimum" in reset(4, {"optimum": True})[1]
    mask = np.array([True, False, True])
    infos = reset([5, None, None], {"reset_mask": mask, "optimum": True})[1]
    np.testing.assert_array_equal(infos["_optimum"], mask)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("env_id", IDS)
def test_lists_of_seeds_seed_each_row_and_none_goes_on(env_id: str, mode: AutoresetMode) -> None:
    native, sync = make_native(env_id, 3, mode, **SETTINGS), make_sync(env_id, 3, mode, **SETTINGS)
    rng = np.random.default_rng(0)
    assert_same(native.reset(seed=[5, 17, 5]), sync.reset(seed=[5, 17, 5]), "a list")
    first = native.reset(seed=[5, 17, 5])[0]
    for array in first.values():
        np.testing.assert_array_equal(array[0], array[2])
    assert any((array[0] != array[1]).any() for array in first.values())
    sync.reset(seed=[5, 17, 5])
    assert_same(native.np_random_seed, tuple(sync.np_random_seed))
    lockstep(native, sync, mode, 3, rng)

    assert_same(native.reset(seed=[None, 4, None]), sync.reset(seed=[None, 4, None]), "some None")
    lockstep(native, sync, mode, 2, rng)
    assert_same(native.reset(), sync.reset(), "no seed")
    lockstep(native, sync, mode, 2, rng)
    assert_same(native.reset(seed=[None] * 3), sync.reset(seed=[None] * 3), "only None")
    lockstep(native, sync, mode, 2, rng)


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("seeds", [None, [None, None], [None, 3], [4, None], [4, 3], 4])
@pytest.mark.parametrize("finished", [True, False])
def test_whether_the_optimum_is_kept_is_decided_row_by_row(
    wanted: bool, seeds: Any, finished: bool
) -> None:
    """A row that is given None goes on, like a single environment that is reset without a seed."""
    settings = {"horizon": 1 if finished else 2, "dim": 1}
    mode = AutoresetMode.DISABLED
    native = make_native("Ombo/GP-v0", 2, mode, **settings)
    sync = make_sync("Ombo/GP-v0", 2, mode, **settings)
    for env in (native, sync):
        env.reset(seed=0, options={"optimum": wanted})
        env.step(np.zeros((2, 4, 1), np.float32))
    assert_same(native.reset(seed=seeds), sync.reset(seed=seeds))


@pytest.mark.parametrize("env_id", IDS)
def test_a_masked_reset_in_mid_campaign_leaves_the_other_rows_alone(env_id: str) -> None:
    settings = {**SETTINGS, "horizon": 3}
    for mode in MODES:
        native = make_native(env_id, 3, mode, **settings)
        sync = make_sync(env_id, 3, mode, **settings)
        assert_same(native.reset(seed=1), sync.reset(seed=1))
        native.action_space.seed(0)
        actions = native.action_space.sample()
        assert_same(native.step(actions), sync.step(actions))
        before = native.step(actions)[0]
        sync.step(actions)
        mask = np.array([False, True, False])
        for seed in (None, 40, [None, 9, 3]):
            ours = native.reset(seed=seed, options={"reset_mask": mask})
            assert_same(ours, sync.reset(seed=seed, options={"reset_mask": mask.copy()}))
            for name, array in ours[0].items():
                np.testing.assert_array_equal(array[~mask], before[name][~mask])
            assert ours[1]["_round"].tolist() == mask.tolist()
        for _ in range(4 if mode != AutoresetMode.DISABLED else 1):
            assert_same(native.step(actions), sync.step(actions), mode.value)


def test_the_mask_of_a_reset_is_not_taken_out_of_the_callers_options() -> None:
    env = make_native("Ombo/GP-v0", 2, AutoresetMode.DISABLED, horizon=1)
    env.reset(seed=0)
    options = {"reset_mask": np.array([True, False])}
    env.reset(options=options)
    assert list(options) == ["reset_mask"]


@pytest.mark.parametrize("num_envs", [1, 2, 65])
def test_a_row_does_not_depend_on_how_many_rows_there_are(num_envs: int) -> None:
    """Chunks, BLAS and reductions must not make a campaign's last bits depend on its neighbours."""
    for control in ("designs", "exploration", "candidates"):
        many = make_native(
            "Ombo/GP-v0", num_envs, AutoresetMode.SAME_STEP, control=control, horizon=2
        )
        one = make("Ombo/GP-v0", control=control, horizon=2)
        last = num_envs - 1
        observations, infos = many.reset(seed=100)
        assert_row(observations, infos, last, *one.reset(seed=100 + last))
        many.action_space.seed(0)
        actions = many.action_space.sample()
        observations, rewards, _, _, infos = many.step(actions)
        observation, reward, _, _, info = one.step(actions[last])
        assert_row(observations, infos, last, observation, info)
        assert rewards[last] == reward
