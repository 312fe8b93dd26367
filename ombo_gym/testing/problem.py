"""The conformance suite for problems: their numbers, and what processes make of them."""

from __future__ import annotations

import functools
import multiprocessing
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.campaign import Campaigns
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.core.base import Problem
from ombo_gym.problems.core.values import check_optimum, feasible_mask
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.spec import CONTROLS
from ombo_gym.testing.base import SEED, assert_same, play
from ombo_gym.testing.contract import ContractConformance, drawn
from ombo_gym.testing.rendering import RenderingConformance
from ombo_gym.testing.splits import shared_instance

DESIGNS = 12  # evaluated together and alone
LARGEST_PICKLE = 100_000  # bytes of a problem: tables and simulators stay where they are


class ProblemConformance(ContractConformance, RenderingConformance):
    """All that a problem promises; subclass it in a test file.

    Example:
        >>> class TestGPInOneDimension(ProblemConformance):
        ...     env_id = "Ombo/GP-v0"
        ...     env_kwargs = {"dim": 1}
    """

    def problem(self) -> Problem:
        """The problem itself."""
        try:
            return self.env().problem
        except ValueError as error:  # what it says of itself makes no campaign
            raise AssertionError(str(error)) from error

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

    def test_splits_for_training_and_for_testing_share_nothing(self) -> None:
        """Of a problem by id or `module:Class` with splits "train" and "test", as far as is seen.

        Instances are compared by their arrays and values, up to 200 of each split; nothing is where
        the arguments of the case go with no split.
        """
        if not isinstance(self.env_id, str) or not {"train", "test"} <= set(self.problem().splits):
            return
        try:
            train, test = (self.env(split=split).problem for split in ("train", "test"))
        except ValueError:  # such as of a problem that is published as a single instance
            return
        shared = shared_instance(train, test)
        assert shared is None, (
            f"{type(train).__name__}.splits: expected no instance of 'train' in 'test', got "
            f"instance {shared[0]} of 'train' and {shared[1]} of 'test' with the same arrays and "
            "values"
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
            assert_same(drawn(other), drawn(campaigns[0]))
        others = [drawn(self._begun(seed)) for seed in range(SEED + 1, SEED + 20)]
        assert any(not _equal(other, drawn(campaigns[0])) for other in others), (
            "expected some of 20 seeds to give another campaign"
        )

    def _begun(self, seed: int, **settings: Any) -> Campaigns:
        env = self.env(**settings)
        env.reset(seed=seed)
        return env.campaigns

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
        played = env.unwrapped
        assert isinstance(played, CampaignEnv)
        size = len(pickle.dumps(played.problem))
        assert size <= LARGEST_PICKLE, (
            f"pickle of the problem: expected at most {LARGEST_PICKLE} bytes, got {size}"
        )

    def test_another_process_plays_the_same_campaign(self) -> None:
        """One that was spawned, and shares nothing with this one."""
        what = pickle.dumps((type(self.single().unwrapped), self._elsewhere()))
        try:
            elsewhere = _another_process().submit(_played, sys.path, what).result()
        except BrokenProcessPool:  # the next check shall have a process again
            _another_process.cache_clear()
            raise
        assert_same(elsewhere, list(play(self.single(), campaigns=1)))

    def _elsewhere(self) -> dict[str, Any]:
        kept = self.arguments({})
        common = ("horizon", "batch_size", "plates", "utility", "start", "noise_std", "surrogate")
        arguments = {name: kept[name] for name in common if name in kept}
        return {"problem": self.problem(), **arguments}

    # --- numbers ------------------------------------------------------------------------------

    def test_a_design_has_one_value(self) -> None:
        """To the bit, whatever it is evaluated with; and all of them are numbers."""
        problem, instances, designs = self._random_designs(num_campaigns=2)
        try:
            values, feasible = problem.true_values(instances, designs)
        except ValueError as error:
            raise AssertionError(f"true values: {error}") from error
        assert values.shape == (2, DESIGNS) and np.isfinite(values).all(), (
            f"true values: expected finite (2, {DESIGNS}), got {values}"
        )
        backwards, _ = problem.true_values(instances, designs[:, ::-1])
        _assert_one_value(backwards[:, ::-1], values, "in another order")
        for row in range(2):
            alone = {name: array[row : row + 1] for name, array in instances.items()}
            for i in range(0, DESIGNS, 5):
                value, _ = problem.true_values(alone, designs[row : row + 1, i : i + 1])
                _assert_one_value(value[0, 0], values[row, i], f"design {i} of row {row}, alone")
        if feasible is not None:
            assert (values[~feasible] == problem.floor).all(), (
                f"infeasible designs: expected the floor, {problem.floor}, got {values[~feasible]}"
            )

    def test_what_cannot_be_measured_is_not_the_best(self) -> None:
        """The floor is at most what the best of some designs that can be measured is worth."""
        problem, instances, designs = self._random_designs(num_campaigns=2)
        feasible = feasible_mask(problem, instances, designs)
        if feasible is None:
            return
        values, _ = problem.true_values(instances, designs)
        for row in range(2):
            measured = values[row, feasible[row]]
            assert not len(measured) or problem.floor <= measured.max(), (
                f"{type(problem).__name__}.floor: expected at most what designs that can be "
                f"measured are worth, got {problem.floor} and {len(measured)} values of up to "
                f"{measured.max()}: what cannot be measured would be the best there is; set a "
                "lower floor"
            )

    def test_nothing_beats_the_optimum(self) -> None:
        """Where it is exact; and what is best known can be told."""
        problem, instances, designs = self._random_designs(num_campaigns=2)
        if not problem.optimum_known:
            return
        optimum = problem.optimum(instances)
        assert optimum is not None and optimum.shape == (2,) and np.isfinite(optimum).all(), (
            f"optimum: expected two numbers, got {optimum}"
        )
        if problem.optimum_exact:
            values, _ = problem.true_values(instances, designs)
            try:
                check_optimum(problem, optimum, values, designs)
            except ValueError as error:
                raise AssertionError(str(error)) from error

    def test_starts_can_be_measured(self) -> None:
        """Every design of them is feasible and in bounds."""
        for seed in range(SEED, SEED + 3):
            campaigns = self._begun(seed)
            count, problem = int(campaigns.num_observed[0]), campaigns.problem
            designs = campaigns.designs[:, :count]
            feasible = feasible_mask(problem, campaigns.instances, designs) if count else None
            assert feasible is None or feasible.all(), f"start of seed {seed}: {designs}"
            space = problem.design_space.observation_space(max(count, 1))
            inside = not count or designs[0].astype(space.dtype) in space
            assert inside, f"start of seed {seed}: {designs}"

    def _random_designs(
        self, num_campaigns: int
    ) -> tuple[Problem, dict[str, NDArray[Any]], NDArray[Any]]:
        problem = self.problem()
        keys = np.arange(SEED, SEED + num_campaigns, dtype=np.uint64)
        instances = problem.draw(KeyedGenerator(keys, Stream.INSTANCE))
        rngs = KeyedGenerator(keys, Stream.START)
        half = DESIGNS // 2  # feasible ones, as a rule, and uniform ones
        space = problem.design_space
        likely = problem.sample(instances, rngs, min(half, space.size or half))
        uniform = space.sample(rngs, DESIGNS - likely.shape[1])
        return problem, instances, np.concatenate([likely, uniform], axis=1)


def _assert_one_value(
    got: NDArray[np.float64] | np.float64, expected: NDArray[np.float64] | np.float64, where: str
) -> None:
    """Checks that values are the same to the bit; says what is likely where rounding differs.

    Raises:
        AssertionError: Where they differ.
    """
    try:
        assert_same(got, expected, where)
    except AssertionError as error:
        if not np.allclose(got, expected, rtol=1e-9, atol=1e-12):
            raise
        raise AssertionError(
            f"{error}: they differ in the last digits, as those of matrix products (@, np.dot, "
            "np.einsum) do, whose order of sums depends on how many rows there are; write "
            "(a * b).sum(axis=-1)"
        ) from error


def _equal(a: Any, b: Any) -> bool:
    try:
        assert_same(a, b)
    except AssertionError:
        return False
    return True


@functools.cache
def _another_process() -> ProcessPoolExecutor:
    """One for all checks of a session, because it takes seconds to import what they need."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def _played(path: list[str], pickled: bytes) -> list[tuple[str, tuple[Any, ...]]]:
    """A campaign, in a process that may have begun when `sys.path` was another."""
    sys.path[:] = path
    environment, arguments = pickle.loads(pickled)
    return list(play(environment(**arguments), campaigns=1))
