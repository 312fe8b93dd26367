"""The one state machine: B design campaigns as arrays, knowing no environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, among, repeated
from ombo_gym.memory import check_memory
from ombo_gym.merging import groups_alike, merge_rounds
from ombo_gym.outcomes import ALL, EnvIndices, Infos, MeasuredBatches, Outcome
from ombo_gym.problems.core.attributes import check_attributes
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.problems.core.values import (
    check_finite,
    check_optimum,
    checked_optimum,
    checked_values,
    draw_instances,
)
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.reset_options import ResetOptions, draw_unless_requested, parse_reset_options
from ombo_gym.settings import Settings, spec_of
from ombo_gym.spec import Repeats
from ombo_gym.starts import make_start
from ombo_gym.utility_tracker import UtilityTracker


class Campaigns:
    """B campaigns of one problem: draw, start, propose, measure, score.

    Args:
        problem: What is being designed.
        settings: Horizon, batch size, utility, start, noise.
        num_campaigns: B.
        control: What the player acts on; the spec says so.
        surrogate: Recipe of the player's model; the problem's own where it says nothing.

    Attributes:
        spec: What a player may know.
    """

    def __init__(
        self,
        problem: Problem,
        settings: Settings,
        num_campaigns: int,
        *,
        control: str = "designs",
        surrogate: Mapping[str, Any] | None = None,
    ) -> None:
        check_attributes(problem)
        self.problem = problem
        self.settings = settings
        self.num_campaigns = num_campaigns
        self.noise_std = float(
            problem.noise_std if settings.noise_std is None else settings.noise_std
        )
        self._start = make_start(
            problem.start if settings.start is None else settings.start, problem
        )
        self.spec = spec_of(problem, settings, self.noise_std, self._start, control, surrogate)
        wastes_repeats = problem.repeats is Repeats.NEVER_AGAIN
        check_memory(self.spec, num_campaigns, wastes_repeats=wastes_repeats)
        self.capacity = self.spec.capacity
        shape = (num_campaigns, self.capacity)
        self.designs = np.zeros((*shape, *problem.design_space.shape), problem.design_space.dtype)
        self.measurements = np.zeros(shape)  # (B, capacity)
        self.true_values = np.zeros(shape)  # (B, capacity) without noise
        self.rounds = np.zeros(shape, np.int64)  # (B, capacity) 0: the start
        self.num_observed = np.zeros(num_campaigns, np.int64)  # (B,) size of the dataset
        self.num_from_start = np.zeros(num_campaigns, np.int64)  # (B,) of these, the start's
        self.round = np.zeros(num_campaigns, np.int64)  # (B,) rounds played
        self.horizon = np.zeros(num_campaigns, np.int64)  # (B,) 0 before the first reset
        schedule = (num_campaigns, self.spec.horizon)
        self.plates = np.zeros(schedule, np.int64)  # (B, largest N) batch sizes by round
        self._plates_left = np.zeros(schedule, np.float32)  # (B, largest N) those to come
        self.keys = np.zeros(num_campaigns, np.uint64)  # (B,)
        self.instance = np.full(num_campaigns, -1)  # (B,) which of a collection; -1: it is none
        # (B,) best true value so far, the start included; the problem's reference while there is
        # none
        self.best_value = np.full(num_campaigns, float(problem.reference))
        self.optimum = np.full(num_campaigns, np.nan)  # (B,) NaN unless known or asked for
        self.options = ResetOptions.none(num_campaigns)
        self.instances: Instances = {}
        self._index = np.arange(num_campaigns)[:, None]  # (B, 1)
        self._columns = np.arange(self.capacity)  # (capacity,)
        self._observed_dtype = problem.design_space.observation_space(1).dtype
        self._numbered = problem.instance_count() is not None
        self.tracker = UtilityTracker(self.spec.utility, num_campaigns)

    @property
    def finished(self) -> NDArray[np.bool_]:
        """Which campaigns have no round left, (B,); all, before the first reset."""
        return self.round >= self.horizon

    # --- reset ----------------------------------------------------------------------------------

    def reset_options(
        self,
        env_indices: EnvIndices,
        seeds: Sequence[int | None],
        options: Mapping[str, Any] | None,
    ) -> ResetOptions:
        """What R campaigns are asked for.

        An explicit reset (with a seed or options, or in mid-campaign) says anew; a bare reset of a
        finished campaign, which is what autoreset does, keeps what was asked for. Each campaign
        decides for itself, by its own seed.

        Args:
            env_indices: R of the B campaigns.
            seeds: R seeds; None goes on.
            options: Of the reset: values for all campaigns, or arrays (B,) with one for each.

        Raises:
            ValueError: An unknown option, or one out of range; says what was expected.
        """
        parsed = parse_reset_options(options, self.spec, self.problem, self.num_campaigns)
        if parsed is not None:
            return parsed.take(env_indices)
        unseeded = np.array([seed is None for seed in seeds], bool)  # (R,)
        keeps = self.finished[env_indices] & unseeded  # (R,)
        previous, requested = self.options.take(env_indices), ResetOptions.none(len(seeds))
        requested.put(keeps, previous.take(keeps))
        return requested

    def reset(
        self, env_indices: EnvIndices, keys: NDArray[np.uint64], options: ResetOptions
    ) -> Infos:
        """Begins R new campaigns.

        Args:
            env_indices: R of the B campaigns.
            keys: (R,) one a campaign; everything random about the campaign is a function of it.
            options: Of the R campaigns.

        Returns:
            The infos of the R campaigns.
        """
        self.keys[env_indices] = keys
        self.round[env_indices] = 0
        self.horizon[env_indices] = 0  # not begun, should the problem raise an error on the way
        self.options.put(env_indices, options)
        instances = self._draw_instances(env_indices, keys, options.instance)
        self._find_optimum(env_indices, instances)
        best = self._draw_start(env_indices, keys, instances)
        self.best_value[env_indices] = best
        self.tracker.begin(env_indices, best)
        self._draw_plates(env_indices, keys, options)
        infos = self._infos(env_indices)
        if self._numbered:
            infos["instance"] = self.instance[env_indices].copy(), np.ones(len(keys), bool)
        return infos

    def _draw_instances(
        self, env_indices: EnvIndices, keys: NDArray[np.uint64], requested: NDArray[np.int64]
    ) -> Instances:
        """Draws and keeps the instances of R campaigns; requested ones (R,) where not -1."""
        instances = draw_instances(self.problem, keys, requested)
        for name, array in instances.items():
            if name not in self.instances:
                shape = (self.num_campaigns, *array.shape[1:])
                self.instances[name] = np.zeros(shape, array.dtype)
            self.instances[name][env_indices] = array
        if self._numbered:
            self.instance[env_indices] = self.problem.instance_numbers(instances)
        return instances

    def _draw_start(
        self, env_indices: EnvIndices, keys: NDArray[np.uint64], instances: Instances
    ) -> NDArray[np.float64]:
        """Measures and writes the starts of R campaigns; their best true values, (R,)."""
        problem = self.problem
        rngs = KeyedGenerator(keys, Stream.START)
        designs, count = self._start.draw(problem, instances, rngs)  # (R, n, *shape), (R,)
        self.designs[env_indices] = 0
        self.measurements[env_indices] = 0.0
        self.true_values[env_indices] = 0.0
        self.rounds[env_indices] = 0
        self.num_observed[env_indices] = self.num_from_start[env_indices] = count
        n = designs.shape[1]
        if not n:
            return np.full(len(keys), float(problem.reference))
        observed = np.arange(n) < count[:, None]  # (R, n)
        true_values, feasible = problem.true_values(instances, designs)  # (R, n) each
        counted = np.where(observed, true_values, -np.inf)
        check_optimum(problem, self.optimum[env_indices], counted, designs)
        measurements = self._measure(instances, designs, true_values, feasible, keys, 0)
        if not observed.all():
            in_use = observed.reshape(*observed.shape, *[1] * len(problem.design_space.shape))
            designs = np.where(in_use, designs, 0)
            true_values = np.where(observed, true_values, 0.0)
            measurements = np.where(observed, measurements, 0.0)
        self.designs[env_indices, :n] = designs
        self.true_values[env_indices, :n] = true_values
        self.measurements[env_indices, :n] = measurements
        best: NDArray[np.float64] = counted.max(axis=1)
        return best

    # --- rounds ---------------------------------------------------------------------------------

    def step(self, env_indices: EnvIndices, batch: Designs) -> Outcome:
        """Plays a round of R campaigns: measures their batches and scores them.

        Args:
            env_indices: R of the B campaigns, with rounds left.
            batch: (R, largest q, *shape) checked designs; those behind the plate are not looked at.

        Returns:
            Rewards, which campaigns finished, and infos.
        """
        return self.play(self.measure(env_indices, batch))

    def measure(self, env_indices: EnvIndices, batch: Designs) -> list[MeasuredBatches]:
        """What a round of R campaigns shows, for `play`, as of `step`; nothing is written."""
        smallest, largest = self.spec.batch_sizes
        if smallest == largest:
            return [self._measured_batches(env_indices, largest, batch)]
        indices = self._index[env_indices][:, 0]  # (R,)
        return [
            replace(self._measured_batches(indices[at], int(size), batch[at]), positions=at)
            for size, at in groups_alike(self._plates_left[env_indices, 0])
        ]

    def play(self, measured: list[MeasuredBatches]) -> Outcome:
        """Writes and scores a round that was measured."""
        return merge_rounds(measured, [self._play(each) for each in measured])

    def _measured_batches(
        self, env_indices: EnvIndices, size: int, batch: Designs
    ) -> MeasuredBatches:
        """What R batches of one size show; nothing is written."""
        instances = (
            self.instances
            if isinstance(env_indices, slice)
            else {name: array[env_indices] for name, array in self.instances.items()}
        )
        batch = batch[:, :size]
        true_values, feasible = self.problem.true_values(instances, batch)
        check_optimum(self.problem, self.optimum[env_indices], true_values, batch)
        wasted = self._wasted(env_indices, batch)
        if wasted is not None:
            true_values = np.where(wasted, 0.0, true_values)
        keys, rounds = self.keys[env_indices], self.round[env_indices] + 1
        measurements = self._measure(instances, batch, true_values, feasible, keys, rounds)
        return MeasuredBatches(env_indices, batch, true_values, measurements, feasible, wasted)

    def _play(self, batches: MeasuredBatches) -> Outcome:
        env_indices, true_values, wasted = batches.env_indices, batches.true_values, batches.wasted
        counted = true_values if wasted is None else np.where(wasted, -np.inf, true_values)
        best = counted.max(axis=1)  # (R,)
        so_far = np.maximum(self.best_value[env_indices], best)
        rounds = self.round[env_indices] + 1
        self.best_value[env_indices] = np.where(self.num_observed[env_indices] > 0, so_far, best)
        self.round[env_indices] = rounds
        self._plates_left[env_indices, :-1] = self._plates_left[env_indices, 1:]
        self._plates_left[env_indices, -1] = 0
        self._append(batches)

        horizon = self.horizon[env_indices]
        utilities, rewards = self.tracker.update(
            env_indices,
            true_values,
            best,
            rounds=rounds,
            horizon=horizon,
            best_mean=self._best_mean(env_indices),
        )
        finished = rounds == horizon
        infos = self._infos(env_indices)
        infos |= batches.infos(self.spec.batch_size)
        infos["utility"] = np.where(finished, utilities, 0.0), finished
        return Outcome(rewards, finished, infos)

    def _append(self, batches: MeasuredBatches) -> None:
        """Writes the batches behind what is observed, leaving out wasted slots."""
        env_indices, q = batches.env_indices, batches.designs.shape[1]
        designs, measurements = batches.designs, batches.measurements
        true_values, rounds = batches.true_values, self.round[env_indices][:, None]
        cells: tuple[NDArray[np.intp], ...]  # which campaigns, which rows of their datasets
        if batches.wasted is None:
            cells = self._index[env_indices], self.num_observed[env_indices][:, None] + np.arange(q)
            self.num_observed[env_indices] += q
        else:
            used = ~batches.wasted  # (R, q)
            index = np.broadcast_to(self._index[env_indices], used.shape)
            row = self.num_observed[env_indices][:, None] + np.cumsum(used, axis=1) - 1
            cells = index[used], row[used]
            designs, measurements, true_values = (
                designs[used],
                measurements[used],
                true_values[used],
            )
            rounds = np.broadcast_to(rounds, used.shape)[used]
            self.num_observed[env_indices] += used.sum(axis=1)
        self.designs[cells] = designs
        self.measurements[cells] = measurements
        self.true_values[cells] = true_values
        self.rounds[cells] = rounds

    # --- what is seen ---------------------------------------------------------------------------

    def observation(self, env_indices: EnvIndices = ALL) -> dict[str, NDArray[Any]]:
        """What an agent sees of R campaigns: fresh arrays with a leading R."""
        rounds_left = self.horizon[env_indices] - self.round[env_indices]  # (R,)
        return {
            "designs": self.designs[env_indices].astype(self._observed_dtype),
            "measurements": self.measurements[env_indices].copy(),
            "observed": (self._columns < self.num_observed[env_indices][:, None]).view(np.int8),
            "from_start": (self._columns < self.num_from_start[env_indices][:, None]).view(np.int8),
            "rounds_left": rounds_left[:, None].astype(np.float32),
            "plates": self._plates_left[env_indices].copy(),
        }

    def _draw_plates(
        self, env_indices: EnvIndices, keys: NDArray[np.uint64], options: ResetOptions
    ) -> None:
        """Lays down the sizes of all batches; with the horizon, the campaigns are begun."""
        horizon = draw_unless_requested(options.horizon, self.spec.horizons, keys, Stream.HORIZON)
        if self.spec.plates is not None:
            self.plates[env_indices] = self.spec.plates
        else:
            sizes = draw_unless_requested(
                options.batch_size, self.spec.batch_sizes, keys, Stream.BATCH_SIZE
            )
            within = np.arange(self.spec.horizon) < horizon[:, None]
            self.plates[env_indices] = np.where(within, sizes[:, None], 0)
        self._plates_left[env_indices] = self.plates[env_indices]
        self.horizon[env_indices] = horizon

    def _measure(
        self,
        instances: Instances,
        designs: Designs,
        true_values: NDArray[np.float64],
        feasible: NDArray[np.bool_] | None,
        keys: NDArray[np.uint64],
        rounds: NDArray[np.int64] | int,
    ) -> NDArray[np.float64]:
        """What a round's measurements show, (R, n); of infeasible designs the bare floor."""
        if self.noise_std == 0 and not self.problem.noisy:
            return true_values
        rngs = KeyedGenerator(keys, Stream.NOISE, rounds)
        problem, shape = self.problem, true_values.shape
        given = problem.measure(instances, designs, true_values, rngs)
        measured = checked_values(problem, "measure", given, shape)
        if feasible is not None:
            measured = np.where(feasible, measured, true_values)
        check_finite(problem, "measure", measured, designs)
        if self.noise_std > 0:
            noise = rngs.standard_normal(shape[1:])
            measured = measured + self.noise_std * noise
        return measured if feasible is None else np.where(feasible, measured, true_values)

    def _best_mean(self, env_indices: EnvIndices) -> NDArray[np.float64] | None:
        """Largest posterior mean of a design, (R,), for utilities that ask for it."""
        if not self.spec.utility.needs_posterior:
            return None
        observed = self._columns < self.num_observed[env_indices][:, None]
        assert self.spec.prior is not None
        means = self.spec.prior.posterior_means(
            self.designs[env_indices], self.measurements[env_indices], observed
        )
        best: NDArray[np.float64] = means.max(axis=1)
        return best

    def _wasted(self, env_indices: EnvIndices, batch: Designs) -> NDArray[np.bool_] | None:
        """Which slots repeat a measured design or earlier slot, (R, q); None: repeats are fine."""
        if self.problem.repeats is not Repeats.NEVER_AGAIN:
            return None
        in_use = self._columns < self.num_observed[env_indices][:, None]  # (R, capacity)
        return among(batch, self.designs[env_indices], in_use) | repeated(batch)

    def _find_optimum(self, env_indices: EnvIndices, instances: Instances) -> None:
        wanted = self.options.optimum[env_indices] | self.problem.optimum_known  # (R,)
        optimum = np.full(len(wanted), np.nan)
        if wanted.any():
            those = {name: array[wanted] for name, array in instances.items()}
            optimum[wanted] = checked_optimum(self.problem, those, int(wanted.sum()))
        self.optimum[env_indices] = optimum

    def _infos(self, env_indices: EnvIndices) -> Infos:
        best = self.best_value[env_indices].copy()
        everywhere = np.ones(len(best), bool)
        infos: Infos = {
            "round": (self.round[env_indices].copy(), everywhere),
            "best_value": (best, everywhere),
        }
        known = ~np.isnan(self.optimum[env_indices])
        if known.any():
            optimum = self.optimum[env_indices]
            infos["optimum"] = np.where(known, optimum, 0.0), known
            infos["regret"] = np.where(known, optimum - best, 0.0), known
            infos["optimum_exact"] = known & self.problem.optimum_exact, known
        return infos
