"""The one state machine: B design campaigns as arrays, knowing no environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, among, repeated
from ombo_gym.outcomes import ALL, Infos, Outcome, Rows, together
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.reset_options import ResetOptions
from ombo_gym.settings import Settings, spec_of
from ombo_gym.spec import Repeats
from ombo_gym.starts import make_start
from ombo_gym.utilities import Progress


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
        self._utility = self.spec.utility
        self.capacity = self.spec.capacity
        space, rows = problem.design_space, num_campaigns
        self.designs = np.zeros((rows, self.capacity, *space.shape), space.dtype)
        self.measurements = np.zeros((rows, self.capacity))  # (B, capacity) as measured
        self.true_values = np.zeros((rows, self.capacity))  # (B, capacity) without noise
        self.rounds = np.zeros((rows, self.capacity), np.int64)  # (B, capacity) 0: the start
        self.count = np.zeros(rows, np.int64)  # (B,) rows of the dataset in use
        self.start_count = np.zeros(rows, np.int64)  # (B,) of these, the start's
        self.round = np.zeros(rows, np.int64)  # (B,) rounds played
        self.horizon = np.zeros(rows, np.int64)  # (B,) 0 before the first reset
        self.plates = np.zeros((rows, self.spec.horizon), np.int64)  # (B, largest N) batch sizes
        self._ahead = np.zeros((rows, self.spec.horizon), np.float32)  # of these, those to come
        self.keys = np.zeros(rows, np.uint64)  # (B,)
        self.instance = np.full(rows, -1)  # (B,) which of a collection; -1: it is none
        # (B,) best true value so far, the start included; the problem's reference while there is
        # none
        self.best_value = np.full(rows, float(problem.reference))
        self.optimum = np.full(rows, np.nan)  # (B,) NaN unless known or asked for
        self.options = ResetOptions.none(rows)
        self.instances: Instances = {}
        self._index = np.arange(rows)[:, None]  # (B, 1)
        self._columns = np.arange(self.capacity)  # (capacity,)
        self._observed_dtype = space.observation_space(1).dtype
        self._numbered = problem.instance_count() is not None
        self._base = np.zeros(rows)  # (B,) b0
        self._incumbent = np.zeros(rows)  # (B,) max(b0, best true value proposed)
        self._total = np.zeros(rows)  # (B,) sum of the true values proposed
        self._area = np.zeros(rows)  # (B,) sum over rounds of the incumbent minus b0
        self._utilities = np.zeros(rows)  # (B,) utility so far

    @property
    def finished(self) -> NDArray[np.bool_]:
        """Which campaigns have no round left, (B,); all, before the first reset."""
        return self.round >= self.horizon

    def reset(self, rows: Rows, keys: NDArray[np.uint64], options: ResetOptions) -> Infos:
        """Begins new campaigns in some rows.

        Args:
            rows: R rows.
            keys: (R,) one a campaign; everything random about the campaign is a function of it.
            options: Of the R rows.

        Returns:
            The infos of the R campaigns.
        """
        problem, space = self.problem, self.problem.design_space
        self.keys[rows] = keys
        self.round[rows] = 0
        self.horizon[rows] = 0  # not begun, should the problem raise an error on the way
        self.options.put(rows, options)

        drawn = problem.draw(KeyedGenerator(keys, Stream.INSTANCE))
        if not drawn:
            raise ValueError(
                f"{type(problem).__name__}.draw: expected at least one array with a row per "
                "campaign, got none; where all instances are alike, give their number"
            )
        if (asked := options.instance >= 0).any():
            chosen = problem.instances_numbered(options.instance[asked])
            drawn = {name: array.copy() for name, array in drawn.items()}
            for name, array in chosen.items():
                drawn[name][asked] = array
        for name, array in drawn.items():
            if name not in self.instances:
                shape = (self.num_campaigns, *array.shape[1:])
                self.instances[name] = np.zeros(shape, array.dtype)
            self.instances[name][rows] = array
        if self._numbered:
            self.instance[rows] = problem.instance_numbers(drawn)

        designs, count = self._start.draw(problem, drawn, KeyedGenerator(keys, Stream.START))
        size = designs.shape[1]
        self.designs[rows] = 0
        self.measurements[rows] = 0.0
        self.true_values[rows] = 0.0
        self.rounds[rows] = 0
        self.count[rows] = self.start_count[rows] = count
        best = np.full(len(keys), float(problem.reference))
        if size:
            observed = np.arange(size) < count[:, None]  # (R, size)
            true_values, feasible = problem.true_values(drawn, designs)
            measured = self._measure(drawn, designs, true_values, feasible, keys, 0)
            in_use = observed.reshape(*observed.shape, *[1] * len(space.shape))
            self.designs[rows, :size] = np.where(in_use, designs, 0)
            self.true_values[rows, :size] = np.where(observed, true_values, 0.0)
            self.measurements[rows, :size] = np.where(observed, measured, 0.0)
            best = np.where(observed, true_values, -np.inf).max(axis=1)
        self.best_value[rows] = self._base[rows] = self._incumbent[rows] = best
        self._total[rows] = 0.0
        self._area[rows] = 0.0
        self._utilities[rows] = 0.0
        self._find_optimum(rows, drawn)
        self._draw_plates(rows, keys, options)
        infos = self._infos(rows)
        if self._numbered:
            infos["instance"] = self.instance[rows].copy(), np.ones(len(keys), bool)
        return infos

    def step(self, rows: Rows, batch: Designs) -> Outcome:
        """Plays a round of some rows: measures their batches and scores them.

        Args:
            rows: R rows with rounds left.
            batch: (R, largest q, *shape) checked designs; those behind the plate are not looked at.

        Returns:
            Rewards, which campaigns finished, and infos.
        """
        smallest, largest = self.spec.batch_sizes
        if smallest == largest:
            return self._play(self._measured(rows, largest, batch))
        groups = list(self._by_plate(rows))
        # Campaigns with plates of different sizes: everybody measures before anything is written.
        measured = [self._measured(some, size, batch[at]) for at, some, size in groups]
        outcomes = [self._play(each) for each in measured]
        order = [at for at, _, _ in groups]
        return together(outcomes, order)

    def _by_plate(self, rows: Rows) -> Iterator[tuple[Any, Rows, int]]:
        """Rows with plates of the same size: where among R, which of B, and the size."""
        sizes = self._ahead[rows, 0]  # (R,)
        index = self._index[rows][:, 0]
        for size in np.unique(sizes):
            at = np.flatnonzero(sizes == size)
            yield at, index[at], int(size)

    def _measured(self, rows: Rows, size: int, batch: Designs) -> _Measured:
        """What R batches of one size show; nothing is written."""
        instances = (
            self.instances
            if isinstance(rows, slice)
            else {name: array[rows] for name, array in self.instances.items()}
        )
        batch = batch[:, :size]
        true_values, feasible = self.problem.true_values(instances, batch)
        wasted = self._wasted(rows, batch)
        if wasted is not None:
            true_values = np.where(wasted, 0.0, true_values)
        rounds = self.round[rows] + 1
        shown = self._measure(instances, batch, true_values, feasible, self.keys[rows], rounds)
        return _Measured(rows, batch, true_values, shown, feasible, wasted)

    def _play(self, plates: _Measured) -> Outcome:
        """Writes a round of R campaigns and scores it."""
        rows, true_values, wasted = plates.rows, plates.true_values, plates.wasted
        feasible = plates.feasible
        counted = true_values if wasted is None else np.where(wasted, -np.inf, true_values)
        best = counted.max(axis=1)  # (R,)
        so_far = np.maximum(self.best_value[rows], best)
        rounds = self.round[rows] + 1
        self.best_value[rows] = np.where(self.count[rows] > 0, so_far, best)
        self.round[rows] = rounds
        self._ahead[rows, :-1] = self._ahead[rows, 1:]
        self._ahead[rows, -1] = 0
        self._append(rows, plates.batch, plates.measured, true_values, wasted)

        best_before, utility_before = self._incumbent[rows].copy(), self._utilities[rows].copy()
        self._incumbent[rows] = np.maximum(best_before, best)
        self._total[rows] += true_values.sum(axis=1)
        self._area[rows] += self._incumbent[rows] - self._base[rows]
        finished = rounds == self.horizon[rows]
        utilities = self._utility.value(
            Progress(
                base=self._base[rows],
                best=self._incumbent[rows],
                total=self._total[rows],
                area=self._area[rows],
                batch=true_values,
                rounds=rounds,
                horizon=self.horizon[rows],
                utility_before=utility_before,
                best_before=best_before,
                best_mean=self._best_mean(rows),
            )
        )
        rewards = utilities - utility_before
        self._utilities[rows] = utilities

        infos = self._infos(rows)
        everywhere = np.ones(len(rewards), bool)
        infos["true_values"] = self._padded(true_values), everywhere
        infos["infeasible"] = (
            _per_row(None if feasible is None else ~feasible, len(rewards)),
            everywhere,
        )
        infos["wasted"] = _per_row(wasted, len(rewards)), everywhere
        infos["utility"] = np.where(finished, utilities, 0.0), finished
        return Outcome(rewards, finished, infos)

    def _padded(self, true_values: NDArray[np.float64]) -> NDArray[np.float64]:
        """With NaN behind the plate, (R, q) -> (R, largest q)."""
        rows, q = true_values.shape
        if q == self.spec.batch_size:
            return true_values
        padded = np.full((rows, self.spec.batch_size), np.nan)
        padded[:, :q] = true_values
        return padded

    def observation(self, rows: Rows = ALL) -> dict[str, NDArray[Any]]:
        """What an agent sees of R campaigns: fresh arrays with a leading R."""
        left = self.horizon[rows] - self.round[rows]  # (R,)
        return {
            "designs": self.designs[rows].astype(self._observed_dtype),
            "measurements": self.measurements[rows].copy(),
            "observed": (self._columns < self.count[rows][:, None]).view(np.int8),
            "from_start": (self._columns < self.start_count[rows][:, None]).view(np.int8),
            "rounds_left": left[:, None].astype(np.float32),
            "plates": self._ahead[rows].copy(),
        }

    def _draw_plates(self, rows: Rows, keys: NDArray[np.uint64], options: ResetOptions) -> None:
        """Lays down the sizes of all batches; with the horizon, the campaigns are begun."""
        horizon = _drawn(self.spec.horizons, keys, Stream.HORIZON, options.horizon)
        if self.spec.plates is not None:
            self.plates[rows] = self.spec.plates
        else:
            sizes = _drawn(self.spec.batch_sizes, keys, Stream.BATCH_SIZE, options.batch_size)
            within = np.arange(self.spec.horizon) < horizon[:, None]
            self.plates[rows] = np.where(within, sizes[:, None], 0)
        self._ahead[rows] = self.plates[rows]
        self.horizon[rows] = horizon

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
        measured = self.problem.measure(instances, designs, true_values, rngs)
        if self.noise_std > 0:
            noise = rngs.standard_normal(true_values.shape[1:])
            measured = measured + self.noise_std * noise
        return measured if feasible is None else np.where(feasible, measured, true_values)

    def _best_mean(self, rows: Rows) -> NDArray[np.float64] | None:
        """Largest posterior mean of a design, (R,), for utilities that ask for it."""
        if not self._utility.needs_posterior:
            return None
        observed = self._columns < self.count[rows][:, None]
        assert self.spec.prior is not None
        means = self.spec.prior.posterior_means(
            self.designs[rows], self.measurements[rows], observed
        )
        best: NDArray[np.float64] = means.max(axis=1)
        return best

    def _wasted(self, rows: Rows, batch: Designs) -> NDArray[np.bool_] | None:
        """Which slots repeat a measured design or earlier slot, (R, q); None: repeats are fine."""
        if self.problem.repeats is not Repeats.NEVER_AGAIN:
            return None
        in_use = self._columns < self.count[rows][:, None]  # (R, capacity)
        return among(batch, self.designs[rows], in_use) | repeated(batch)

    def _append(
        self,
        rows: Rows,
        batch: Designs,
        measured: NDArray[np.float64],
        true_values: NDArray[np.float64],
        wasted: NDArray[np.bool_] | None,
    ) -> None:
        """Writes the batches behind the rows in use, leaving out wasted slots."""
        rounds = self.round[rows][:, None]
        at: tuple[NDArray[np.intp], ...]
        if wasted is None:
            at = self._index[rows], self.count[rows][:, None] + np.arange(batch.shape[1])
            self.count[rows] += batch.shape[1]
        else:
            kept = ~wasted
            index = np.broadcast_to(self._index[rows], kept.shape)
            position = self.count[rows][:, None] + np.cumsum(kept, axis=1) - 1
            at = index[kept], position[kept]
            batch, measured, true_values = batch[kept], measured[kept], true_values[kept]
            rounds = np.broadcast_to(rounds, kept.shape)[kept]
            self.count[rows] += kept.sum(axis=1)
        self.designs[at] = batch
        self.measurements[at] = measured
        self.true_values[at] = true_values
        self.rounds[at] = rounds

    def _find_optimum(self, rows: Rows, drawn: Instances) -> None:
        wanted = self.options.optimum[rows] | self.problem.optimum_known  # (R,)
        optimum = np.full(len(wanted), np.nan)
        if wanted.any():
            found = self.problem.optimum({name: array[wanted] for name, array in drawn.items()})
            if found is not None:
                optimum[wanted] = found
        self.optimum[rows] = optimum

    def _infos(self, rows: Rows) -> Infos:
        best = self.best_value[rows].copy()
        everywhere = np.ones(len(best), bool)
        infos: Infos = {
            "round": (self.round[rows].copy(), everywhere),
            "best_value": (best, everywhere),
        }
        known = ~np.isnan(self.optimum[rows])
        if known.any():
            optimum = self.optimum[rows]
            infos["optimum"] = np.where(known, optimum, 0.0), known
            infos["regret"] = np.where(known, optimum - best, 0.0), known
            infos["optimum_exact"] = known & self.problem.optimum_exact, known
        return infos


@dataclass(frozen=True)
class _Measured:
    """Batches of R campaigns with plates of one size, and what they show."""

    rows: Rows
    batch: Designs  # (R, q, *shape)
    true_values: NDArray[np.float64]  # (R, q); 0 where wasted
    measured: NDArray[np.float64]  # (R, q)
    feasible: NDArray[np.bool_] | None  # (R, q); None: all
    wasted: NDArray[np.bool_] | None  # (R, q); None: none


def _drawn(
    limits: tuple[int, int],
    keys: NDArray[np.uint64],
    stream: Stream,
    asked: NDArray[np.int64],
) -> NDArray[np.int64]:
    """A whole number within limits for each campaign, (R,), or what was asked for (not 0)."""
    low, high = limits
    if low == high:
        return np.full(len(keys), low)
    drawn = KeyedGenerator(keys, stream).draw(lambda rng: rng.integers(low, high + 1))
    return np.where(asked > 0, asked, drawn)


def _per_row(mask: NDArray[np.bool_] | None, rows: int) -> NDArray[np.int64]:
    """How many slots of each row a mask (R, q) marks, (R,); None marks none."""
    return np.zeros(rows, np.int64) if mask is None else mask.sum(axis=1)
