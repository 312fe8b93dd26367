"""The one state machine: B design campaigns as arrays, knowing no environments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, among, repeated
from ombo_gym.problems.base import Instances, Problem
from ombo_gym.randomness import KeyedRows, Stream
from ombo_gym.starts import make_start
from ombo_gym.utilities import NEEDS_POSTERIOR, Progress, utility_named

Rows = slice | NDArray[np.intp]  # which campaigns; a slice avoids copies where all are meant
Infos = dict[
    str, tuple[NDArray[Any], NDArray[np.bool_]]
]  # name -> values (R, ...), which rows have it (R,)

ALL = slice(None)
_LOUDEST = 1e30  # noise that observations, which are float32, have room for


@dataclass(frozen=True)
class Settings:
    """What a campaign is, the problem aside. The arguments that every environment takes.

    Raises:
        ValueError: An argument out of range; says what was expected.
    """

    horizon: int | Sequence[int] = 5
    batch_size: int = 4
    utility: str = "best"
    start: dict[str, Any] | None = None
    noise_std: float | None = None

    @property
    def horizons(self) -> tuple[int, int]:
        """The smallest and the largest horizon."""
        low, high = _low_and_high(self.horizon)
        return int(low), int(high)

    def __post_init__(self) -> None:
        pair = _low_and_high(self.horizon)
        if (
            len(pair) != 2
            or not all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in pair)
            or not 1 <= pair[0] <= pair[1]
        ):
            raise ValueError(
                "horizon: expected a whole number of at least 1, or [low, high] with "
                f"1 <= low <= high, got {self.horizon!r}"
            )
        q = self.batch_size
        if isinstance(q, bool) or not isinstance(q, int | np.integer) or q < 1:
            raise ValueError(f"batch_size: expected a whole number of at least 1, got {q!r}")
        std = self.noise_std
        if std is not None and (
            isinstance(std, bool)
            or not isinstance(std, int | float | np.integer | np.floating)
            or not 0 <= std <= _LOUDEST
        ):
            raise ValueError(
                f"noise_std: expected a number of at least 0, {_LOUDEST:g} at most, got {std!r}"
            )


def _low_and_high(horizon: Any) -> tuple[Any, ...]:
    """A range as it was given, or a single horizon twice."""
    given = horizon.tolist() if isinstance(horizon, np.ndarray | np.generic) else horizon
    return tuple(given) if isinstance(given, Sequence) else (given, given)


@dataclass(frozen=True)
class Outcome:
    """What a round brought to R campaigns."""

    rewards: NDArray[np.float64]  # (R,)
    finished: NDArray[np.bool_]  # (R,)
    infos: Infos


class Campaigns:
    """B campaigns of one problem: draw, start, propose, measure, score.

    Args:
        problem: What is being designed.
        settings: Horizon, batch size, utility, start, noise.
        rows: B.
    """

    def __init__(self, problem: Problem, settings: Settings, rows: int) -> None:
        self.problem = problem
        self.settings = settings
        self.rows = rows
        self.batch_size = int(settings.batch_size)
        self.noise_std = float(
            problem.noise_std if settings.noise_std is None else settings.noise_std
        )
        self._worth_of = utility_named(settings.utility)
        self._asks_posterior = settings.utility in NEEDS_POSTERIOR
        if self._asks_posterior and (not problem.exact_posterior or self.noise_std > 0):
            raise ValueError(
                f"utility: {settings.utility!r} needs a problem whose posterior is known exactly, "
                "without Gaussian noise (noise_std=0), such as Bandit and Landscapes; got "
                f"{type(problem).__name__} with noise_std={self.noise_std:g}"
            )
        self._start = make_start(
            problem.start if settings.start is None else settings.start, problem
        )
        self._low, self._high = settings.horizons
        self.capacity = self._start.capacity + self._high * self.batch_size

        space = problem.design_space
        self.designs = np.zeros((rows, self.capacity, *space.shape), space.dtype)
        self.values = np.zeros((rows, self.capacity))  # (B, capacity) as measured
        self.true_values = np.zeros((rows, self.capacity))  # (B, capacity) without noise
        self.rounds = np.zeros((rows, self.capacity), np.int64)  # (B, capacity) 0: the start
        self.count = np.zeros(rows, np.int64)  # (B,) rows of the dataset in use
        self.round = np.zeros(rows, np.int64)  # (B,) rounds played
        self.horizon = np.zeros(rows, np.int64)  # (B,) 0 before the first reset
        self.keys = np.zeros(rows, np.uint64)  # (B,)
        # (B,) best true value so far, the start included; the problem's reference while there is
        # none
        self.best_value = np.full(rows, float(problem.reference))
        self.optimum = np.full(rows, np.nan)  # (B,) NaN unless known or asked for
        self.wants_optimum = np.zeros(rows, bool)  # (B,)
        self.instances: Instances = {}
        self._index = np.arange(rows)[:, None]  # (B, 1)
        self._slots = np.arange(self.batch_size)  # (q,)
        self._columns = np.arange(self.capacity)  # (capacity,)
        self._base = np.zeros(rows)  # (B,) b0
        self._incumbent = np.zeros(rows)  # (B,) max(b0, best true value proposed)
        self._total = np.zeros(rows)  # (B,) sum of the true values proposed
        self._worth = np.zeros(rows)  # (B,) utility so far

    @property
    def finished(self) -> NDArray[np.bool_]:
        """Which campaigns have no round left, (B,); all, before the first reset."""
        return self.round >= self.horizon

    def reset(
        self, rows: Rows, keys: NDArray[np.uint64], wants_optimum: NDArray[np.bool_]
    ) -> Infos:
        """Begins new campaigns in some rows.

        Args:
            rows: R rows.
            keys: (R,) one a campaign; everything random about the campaign is a function of it.
            wants_optimum: (R,) whether to search for the optimum where it is not known.

        Returns:
            The infos of the R campaigns.
        """
        problem, space = self.problem, self.problem.design_space
        self.keys[rows] = keys
        self.round[rows] = 0
        self.horizon[rows] = 0  # not begun, should the problem raise an error on the way
        self.wants_optimum[rows] = wants_optimum

        drawn = problem.draw(KeyedRows(keys, Stream.INSTANCE))
        if not drawn:
            raise ValueError(
                f"{type(problem).__name__}.draw: expected at least one array with a row per "
                "campaign, got none; where all instances are alike, give their number"
            )
        for name, array in drawn.items():
            if name not in self.instances:
                self.instances[name] = np.zeros((self.rows, *array.shape[1:]), array.dtype)
            self.instances[name][rows] = array

        designs, count = self._start.draw(problem, drawn, KeyedRows(keys, Stream.START))
        size = designs.shape[1]
        self.designs[rows] = 0
        self.values[rows] = 0.0
        self.true_values[rows] = 0.0
        self.rounds[rows] = 0
        self.count[rows] = count
        best = np.full(len(keys), float(problem.reference))
        if size:
            observed = np.arange(size) < count[:, None]  # (R, size)
            true_values, feasible = problem.true_values(drawn, designs)
            measured = self._measure(drawn, designs, true_values, feasible, keys, 0)
            in_use = observed.reshape(*observed.shape, *[1] * len(space.shape))
            self.designs[rows, :size] = np.where(in_use, designs, 0)
            self.true_values[rows, :size] = np.where(observed, true_values, 0.0)
            self.values[rows, :size] = np.where(observed, measured, 0.0)
            best = np.where(observed, true_values, -np.inf).max(axis=1)
        self.best_value[rows] = self._base[rows] = self._incumbent[rows] = best
        self._total[rows] = 0.0
        self._worth[rows] = 0.0
        self._find_optimum(rows, drawn)
        self.horizon[rows] = self._draw_horizons(keys)
        return self._infos(rows)

    def step(self, rows: Rows, batch: Designs) -> Outcome:
        """Plays a round of some rows: measures their batches and scores them.

        Args:
            rows: R rows with rounds left.
            batch: (R, q, *shape) checked designs.

        Returns:
            Rewards, which campaigns finished, and infos.
        """
        instances = (
            self.instances
            if rows is ALL
            else {name: array[rows] for name, array in self.instances.items()}
        )
        true_values, feasible = self.problem.true_values(instances, batch)
        wasted = self._wasted(rows, batch)
        counted = true_values
        if wasted is not None:
            true_values = np.where(wasted, 0.0, true_values)
            counted = np.where(wasted, -np.inf, true_values)
        best = counted.max(axis=1)  # (R,)
        so_far = np.maximum(self.best_value[rows], best)
        rounds = self.round[rows] + 1
        measured = self._measure(instances, batch, true_values, feasible, self.keys[rows], rounds)
        # Nothing was written so far: whatever the problem raised, the campaigns are as they were.
        self.best_value[rows] = np.where(self.count[rows] > 0, so_far, best)
        self.round[rows] = rounds
        self._append(rows, batch, measured, true_values, wasted)

        self._incumbent[rows] = np.maximum(self._incumbent[rows], best)
        self._total[rows] += true_values.sum(axis=1)
        finished = rounds == self.horizon[rows]
        worth = self._worth_of(
            Progress(
                self._base[rows],
                self._incumbent[rows],
                self._total[rows],
                true_values,
                finished,
                self._best_mean(rows),
            )
        )
        rewards = worth - self._worth[rows]
        self._worth[rows] = worth

        infos = self._infos(rows)
        everywhere = np.ones(len(rewards), bool)
        infos["true_values"] = true_values, everywhere
        infos["infeasible"] = (
            _per_row(None if feasible is None else ~feasible, len(rewards)),
            everywhere,
        )
        infos["wasted"] = _per_row(wasted, len(rewards)), everywhere
        infos["utility"] = np.where(finished, worth, 0.0), finished
        return Outcome(rewards, finished, infos)

    def observation(self, rows: Rows = ALL) -> dict[str, NDArray[Any]]:
        """What an agent sees of R campaigns: fresh arrays with a leading R."""
        count = self.count[rows]
        return {
            "designs": self.designs[rows].copy(),
            "values": self.values[rows].astype(np.float32),
            "observed": (self._columns < count[:, None]).view(np.int8),
            "rounds_left": (self.horizon[rows] - self.round[rows])[:, None].astype(np.float32),
        }

    def _draw_horizons(self, keys: NDArray[np.uint64]) -> NDArray[np.int64] | int:
        low, high = self._low, self._high
        if low == high:
            return low
        return KeyedRows(keys, Stream.HORIZON).draw(lambda rng: rng.integers(low, high + 1))

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
        draws = KeyedRows(keys, Stream.NOISE, rounds)
        measured = self.problem.measure(instances, designs, true_values, draws)
        if self.noise_std > 0:
            noise = draws.standard_normal(true_values.shape[1:])
            measured = measured + self.noise_std * noise
        return measured if feasible is None else np.where(feasible, measured, true_values)

    def _best_mean(self, rows: Rows) -> NDArray[np.float64] | None:
        """Largest posterior mean of a design, (R,), for utilities that ask for it."""
        if not self._asks_posterior:
            return None
        observed = self._columns < self.count[rows][:, None]
        means = self.problem.posterior_means(self.designs[rows], self.values[rows], observed)
        assert means is not None
        best: NDArray[np.float64] = means.max(axis=1)
        return best

    def _wasted(self, rows: Rows, batch: Designs) -> NDArray[np.bool_] | None:
        """Which slots repeat a measured design or earlier slot, (R, q); None: repeats are fine."""
        if self.problem.repeats:
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
            at = self._index[rows], self.count[rows][:, None] + self._slots
            self.count[rows] += self.batch_size
        else:
            kept = ~wasted
            index = np.broadcast_to(self._index[rows], kept.shape)
            position = self.count[rows][:, None] + np.cumsum(kept, axis=1) - 1
            at = index[kept], position[kept]
            batch, measured, true_values = batch[kept], measured[kept], true_values[kept]
            rounds = np.broadcast_to(rounds, kept.shape)[kept]
            self.count[rows] += kept.sum(axis=1)
        self.designs[at] = batch
        self.values[at] = measured
        self.true_values[at] = true_values
        self.rounds[at] = rounds

    def _find_optimum(self, rows: Rows, drawn: Instances) -> None:
        wanted = self.wants_optimum[rows] | self.problem.optimum_known  # (R,)
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


def _per_row(mask: NDArray[np.bool_] | None, rows: int) -> NDArray[np.int64]:
    """How many slots of each row a mask (R, q) marks, (R,); None marks none."""
    return np.zeros(rows, np.int64) if mask is None else mask.sum(axis=1)
