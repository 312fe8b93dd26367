"""The conformance suite for problems: environments, numbers, processes and bad input."""

from __future__ import annotations

import multiprocessing
import pickle
import re
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from ombo_gym.campaign import Campaigns
from ombo_gym.game import CONTROLS, game_of
from ombo_gym.problems.base import Problem
from ombo_gym.randomness import KeyedRows, Stream
from ombo_gym.testing.bad_actions import bad_action
from ombo_gym.testing.base import SEED, assert_same, play
from ombo_gym.testing.rendering import RenderingConformance
from ombo_gym.utilities import NEEDS_POSTERIOR, UTILITIES

BAD_ACTIONS = 100  # tried a round
DESIGNS = 12  # evaluated together and alone
LARGEST_PICKLE = 100_000  # bytes of a problem: tables and simulators stay where they are

_REFUSAL = re.compile(
    r"action: expected (float32|int64) values of shape \(.*\) from .+ to .+, got "
)


class ProblemConformance(RenderingConformance):
    """All that a problem promises; subclass it in a test file.

    Example:
        >>> class TestGPInOneDimension(ProblemConformance):
        ...     env_id = "Ombo/GP-v0"
        ...     env_kwargs = {"dim": 1}
    """

    def problem(self) -> Problem:
        """The problem itself."""
        return game_of(self.single()).problem

    # --- what it says of itself ---------------------------------------------------------------

    def test_the_problem_says_what_it_is(self) -> None:
        """For people: its docstring; for listings: where it is from, how many rounds it is for."""
        problem = self.problem()
        name = type(problem).__name__
        assert (type(problem).__doc__ or "").strip(), f"{name}: expected a docstring"
        low, high = problem.rounds
        assert problem.domain and 1 <= low <= high, (
            f"{name}: expected a domain and 1 <= rounds[0] <= rounds[1], got {problem.domain!r} "
            f"and {problem.rounds}"
        )
        assert "all" in problem.splits, f"{name}.splits: expected 'all' in {problem.splits}"
        assert np.isfinite([problem.reference, problem.floor]).all(), (
            f"{name}: expected a finite reference and floor, got {problem.reference} and "
            f"{problem.floor}"
        )

    # --- as an environment --------------------------------------------------------------------

    def test_gymnasiums_checker_has_nothing_to_say(self) -> None:
        """Under every control."""
        for control in CONTROLS:
            env = self.single(control=control, horizon=2)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                check_env(env.unwrapped, skip_render_check=True)

    def test_the_spec_survives_json(self) -> None:
        """And makes the same environment again; ids only."""
        if not self.has_id:
            return
        env = self.single()
        assert env.spec is not None
        spec = EnvSpec.from_json(env.spec.to_json())
        assert spec == env.spec, f"expected the same spec after JSON, got {spec}"
        assert_same(list(play(gym.make(spec), campaigns=1)), list(play(env, campaigns=1)))

    def test_native_rows_are_the_rows_of_sync_vector_env(self) -> None:
        """To the bit, noise and infos included, in every autoreset mode and under every control."""
        for mode in AutoresetMode:
            self._check_rows(mode, "designs")
        for control in CONTROLS[1:]:
            self._check_rows(AutoresetMode.SAME_STEP, control)

    def _check_rows(self, mode: AutoresetMode, control: str) -> None:
        settings = {"control": control, "utility": "last_mean"}
        native, sync = self.vector(2, mode, **settings), self.sync(2, mode, **settings)
        where = f"{mode.value}, {control}"
        assert_same(native.reset(seed=SEED), sync.reset(seed=SEED), f"{where}, reset")
        native.action_space.seed(SEED)
        for step in range(4):
            actions = native.action_space.sample()
            ours = native.step(actions)
            assert_same(ours, sync.step(actions), f"{where}, step {step}")
            if mode == AutoresetMode.DISABLED and ours[2].any():
                masks = [{"reset_mask": ours[2].copy()} for _ in range(2)]
                assert_same(native.reset(options=masks[0]), sync.reset(options=masks[1]), where)
        native.close()
        sync.close()

    def test_the_return_is_the_utility(self) -> None:
        """Of every utility, computed here from the true values."""
        for utility in sorted(UTILITIES):
            if utility in NEEDS_POSTERIOR:
                continue
            env = self.single(utility=utility, horizon=2)
            rewards, batches, base = [], [], 0.0
            for _, result in play(env, campaigns=1):
                info = result[-1]
                if len(result) == 2:
                    base = info["best_value"]
                else:
                    rewards.append(result[1])
                    batches.append(info["true_values"])
            expected = _utility(utility, base, batches)
            for name, got in (("return", sum(rewards)), ("info", info["utility"])):
                assert np.isclose(got, expected, rtol=1e-9, atol=1e-9), (
                    f"{utility}, {name}: expected {expected!r}, got {got!r}"
                )

    # --- the same again -----------------------------------------------------------------------

    def test_the_campaign_depends_on_its_seed_alone(self) -> None:
        """Not on the control, on whether the optimum is asked for, or on numpy's global state."""
        campaigns = [self._begun(SEED)]
        np.random.seed(12345)  # noqa: NPY002  (whoever listened to it would be found)
        state = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
        campaigns += [self._begun(SEED, control=control) for control in CONTROLS[1:]]
        after = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
        assert after == state, "expected numpy's global generator left alone"
        for other in campaigns[1:]:
            assert_same(_state(other), _state(campaigns[0]))
        others = [_state(self._begun(seed)) for seed in range(SEED + 1, SEED + 20)]
        assert any(not _equal(other, _state(campaigns[0])) for other in others), (
            "expected some of 20 seeds to give another campaign"
        )

    def _begun(self, seed: int, **settings: Any) -> Campaigns:
        env = self.single(**settings)
        env.reset(seed=seed)
        return game_of(env).campaigns

    def test_a_pickled_campaign_goes_on_identically(self) -> None:
        """And the problem's pickle is small: every process reads tables for itself."""
        env = self.single(horizon=3)
        env.action_space.seed(SEED)
        env.reset(seed=SEED)
        env.step(env.action_space.sample())
        copy = pickle.loads(pickle.dumps(env))
        for _ in range(2):
            action = env.action_space.sample()
            assert_same(copy.step(action), env.step(action))
        assert_same(copy.reset(), env.reset())
        size = len(pickle.dumps(game_of(env).problem))
        assert size <= LARGEST_PICKLE, (
            f"pickle of the problem: expected at most {LARGEST_PICKLE} bytes, got {size}"
        )

    def test_another_process_plays_the_same_campaign(self) -> None:
        """One that is spawned, and shares nothing."""
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn) as pool:
            there = pool.submit(_played, type(self.single().unwrapped), self._elsewhere()).result()
        assert_same(there, list(play(self.single(), campaigns=1)))

    def _elsewhere(self) -> dict[str, Any]:
        game = game_of(self.single())
        kept = {"horizon": [1, 3], **self.env_kwargs}
        common = ("horizon", "batch_size", "utility", "start", "noise_std", "surrogate")
        arguments = {name: kept[name] for name in common if name in kept}
        return {"problem": game.problem, **arguments}

    # --- bad input ----------------------------------------------------------------------------

    def test_bad_actions_are_refused_and_change_nothing(self) -> None:
        """With a ValueError that says what was expected, under every control."""
        rng = np.random.default_rng(SEED)
        for control in CONTROLS:
            env, twin = (self.single(control=control, horizon=2) for _ in range(2))
            assert_same(env.reset(seed=SEED), twin.reset(seed=SEED))
            env.action_space.seed(SEED)
            for _ in range(2):
                good = env.action_space.sample()
                for _ in range(BAD_ACTIONS):
                    _check_refused(env, bad_action(good, env.action_space, rng))
                assert_same(env.step(good), twin.step(good), control)

    # --- numbers ------------------------------------------------------------------------------

    def test_a_design_has_one_value(self) -> None:
        """To the bit, whatever it is evaluated with; and all of them are numbers."""
        problem, instances, designs = self._random_designs(rows=2)
        together, feasible = problem.true_values(instances, designs)
        assert together.shape == (2, DESIGNS) and np.isfinite(together).all(), (
            f"true values: expected finite (2, {DESIGNS}), got {together}"
        )
        backwards, _ = problem.true_values(instances, designs[:, ::-1])
        assert_same(backwards[:, ::-1], together, "in another order")
        for row in range(2):
            alone = {name: array[row : row + 1] for name, array in instances.items()}
            for i in range(0, DESIGNS, 5):
                value, _ = problem.true_values(alone, designs[row : row + 1, i : i + 1])
                assert_same(value[0, 0], together[row, i], f"design {i} of row {row}, alone")
        if feasible is not None:
            assert (together[~feasible] == problem.floor).all(), (
                f"infeasible designs: expected the floor, {problem.floor}, got "
                f"{together[~feasible]}"
            )

    def test_nothing_beats_the_optimum(self) -> None:
        """Where it is exact; and what is best known can be told."""
        problem, instances, designs = self._random_designs(rows=2)
        if not problem.optimum_known:
            return
        optimum = problem.optimum(instances)
        assert optimum is not None and optimum.shape == (2,) and np.isfinite(optimum).all(), (
            f"optimum: expected two numbers, got {optimum}"
        )
        if problem.optimum_exact:
            values, _ = problem.true_values(instances, designs)
            room = 1e-6 * np.maximum(1, np.abs(optimum))
            assert (values.max(axis=1) <= optimum + room).all(), (
                f"expected nothing above the optimum {optimum}, got {values.max(axis=1)}"
            )

    def test_starts_can_be_measured(self) -> None:
        """Every design of them is feasible and in bounds."""
        for seed in range(SEED, SEED + 3):
            campaigns = self._begun(seed)
            count, problem = int(campaigns.count[0]), campaigns.problem
            designs = campaigns.designs[:, :count]
            feasible = problem.feasible(campaigns.instances, designs) if count else None
            assert feasible is None or feasible.all(), f"start of seed {seed}: {designs}"
            space = problem.design_space.observation_space(max(count, 1))
            assert not count or designs[0] in space, f"start of seed {seed}: {designs}"

    def _random_designs(self, rows: int) -> tuple[Problem, dict[str, NDArray[Any]], NDArray[Any]]:
        problem = self.problem()
        keys = np.arange(SEED, SEED + rows, dtype=np.uint64)
        instances = problem.draw(KeyedRows(keys, Stream.INSTANCE))
        draws = KeyedRows(keys, Stream.START)
        half = DESIGNS // 2  # feasible ones, as a rule, and uniform ones
        space = problem.design_space
        likely = problem.sample(instances, draws, min(half, space.size or half))
        uniform = space.sample(draws, DESIGNS - likely.shape[1])
        return problem, instances, np.concatenate([likely, uniform], axis=1)


def _utility(name: str, base: float, batches: list[NDArray[np.float64]]) -> float:
    """What a finished campaign is worth, straight from the definitions."""
    if name == "best":
        return max(base, *(float(batch.max()) for batch in batches)) - base
    if name == "total":
        return float(np.concatenate(batches).sum())
    last: dict[str, Callable[[NDArray[np.float64]], Any]]
    last = {"last_max": np.max, "last_median": np.median, "last_mean": np.mean}
    return float(last[name](batches[-1]))


def _check_refused(env: gym.Env[Any, Any], action: Any) -> None:
    try:
        env.step(action)
    except ValueError as error:
        assert _REFUSAL.match(str(error)), f"a bad action: expected a clear refusal, got {error}"
        return
    raise AssertionError(f"a bad action was taken: {action!r}")


def _state(campaigns: Campaigns) -> dict[str, Any]:
    """What has been drawn of a campaign."""
    names = ("instances", "designs", "values", "best_value")
    return {name: getattr(campaigns, name) for name in names}


def _equal(a: Any, b: Any) -> bool:
    try:
        assert_same(a, b)
    except AssertionError:
        return False
    return True


def _played(environment: Any, arguments: dict[str, Any]) -> list[tuple[str, tuple[Any, ...]]]:
    """A campaign, in whatever process this runs in."""
    return list(play(environment(**arguments), campaigns=1))
