"""The dataset a campaign begins with."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.arguments import is_whole, shown
from ombo_gym.design_spaces import Designs, repeated
from ombo_gym.design_spaces.returned import checked_designs
from ombo_gym.design_spaces.values import is_number
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.problems.core.values import feasible_mask
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.spec import Origin, Repeats

_RANDOM = 1024  # random designs that a percentile start is sliced from where none can be listed
_TRIES = 250  # redraws of infeasible designs before giving up
_DOUBLINGS = 12  # of evenly spread designs, until enough of them can be measured
_COVERED = 20  # draws per design of a finite space: one is left out with probability e^-20


class Start(ABC):
    """Draws the starts of R campaigns.

    Attributes:
        capacity: Rows of the largest start.
        origin: How its designs are chosen, which players are told.
    """

    capacity: int
    origin: Origin

    @abstractmethod
    def draw(
        self, problem: Problem, instances: Instances, rngs: BatchedGenerator
    ) -> tuple[Designs, NDArray[np.int64]]:
        """Returns zero-padded designs (R, capacity, *shape), and how many of them count, (R,)."""


class NoStart(Start):
    """An empty dataset."""

    capacity = 0
    origin = Origin("none")

    def __init__(self, problem: Problem) -> None:
        """Takes no settings."""

    @override
    def draw(
        self, problem: Problem, instances: Instances, rngs: BatchedGenerator
    ) -> tuple[Designs, NDArray[np.int64]]:
        space, num_campaigns = problem.design_space, len(rngs)
        designs = np.zeros((num_campaigns, 0, *space.shape), space.dtype)
        return designs, np.zeros(num_campaigns, np.int64)


class RandomStart(Start):
    """`size` feasible designs, uniformly, without replacement on finite spaces."""

    origin = Origin("random")

    def __init__(self, problem: Problem, *, size: int = 4) -> None:
        self.capacity = _available_size(size, problem)

    @override
    def draw(
        self, problem: Problem, instances: Instances, rngs: BatchedGenerator
    ) -> tuple[Designs, NDArray[np.int64]]:
        size = self.capacity
        designs = feasible_designs(problem, instances, rngs, size)
        return designs, np.full(len(rngs), size, np.int64)


class PercentileStart(Start):
    """The visible slice of offline optimization: rows at or below a percentile of value.

    All of them or `size` without replacement, in random order. Where designs cannot be listed, in
    boxes and very large spaces, the listing is 1,024 random designs.
    """

    def __init__(
        self, problem: Problem, *, percentile: float = 50, size: int | None = None
    ) -> None:
        if not is_number(percentile) or not 0 <= percentile <= 100:
            raise ValueError(f"start: expected a percentile from 0 to 100, got {shown(percentile)}")
        size = None if size is None else _checked_size(size)
        if not problem.design_space.listable:
            smallest = largest = int((_RANDOM - 1) * percentile / 100) + 1
        else:
            smallest, largest = problem.visible_sizes(percentile)
        if size is not None and size > smallest:
            raise ValueError(
                f"start: expected a size of at most {smallest}, the rows at or below percentile "
                f"{percentile}, got {shown(size)}"
            )
        self._percentile, self._size = percentile, size
        self.origin = Origin("percentile", float(percentile))
        self.capacity = largest if size is None else size

    @override
    def draw(
        self, problem: Problem, instances: Instances, rngs: BatchedGenerator
    ) -> tuple[Designs, NDArray[np.int64]]:
        visible = problem.visible(instances, self._percentile)
        if visible is None:
            visible = self._slice_random(problem, instances, rngs)
        space, capacity = problem.design_space, self.capacity
        count = np.minimum([len(listed) for listed in visible], capacity)  # (R,)
        if self._size is not None and (count < capacity).any():
            raise ValueError(
                f"start: expected a size of at most {count.min()}, the rows at or below percentile "
                f"{self._percentile} of a campaign, got {self._size}"
            )

        if (count == capacity).all():
            sizes = np.array([len(listed) for listed in visible])  # (R,)
            picks = rngs.distinct_below(sizes, capacity)  # (R, capacity)
            return _taken(visible, picks).astype(space.dtype, copy=False), count
        slices = iter(visible)

        def shuffled(rng: np.random.Generator) -> Designs:
            listed = next(slices)  # (n, *shape)
            size = min(len(listed), capacity)
            padded = np.zeros((capacity, *space.shape), space.dtype)
            padded[:size] = listed[rng.choice(len(listed), size, replace=False)]
            return padded

        return rngs.draw(shuffled), count

    def _slice_random(
        self, problem: Problem, instances: Instances, rngs: BatchedGenerator
    ) -> list[Designs]:
        designs = feasible_designs(problem, instances, rngs, _RANDOM)
        if feasible_mask(problem, instances, designs) is not None:
            rngs.forget_calls()  # neighbours may have needed more
        values, _ = problem.true_values(instances, designs)
        count = int((_RANDOM - 1) * self._percentile / 100) + 1
        lowest = np.argsort(values, axis=1, kind="stable")[:, :count]
        return list(designs[np.arange(len(designs))[:, None], lowest])


def _taken(visible: Sequence[Designs], picks: NDArray[np.int64]) -> Designs:
    """Some of each campaign's designs, R times (n_i, *shape) and (R, m) -> (R, m, *shape)."""
    rows_of: dict[int, list[int]] = {}  # campaigns of one instance have the same list
    for row, listed in enumerate(visible):
        rows_of.setdefault(id(listed), []).append(row)
    taken = np.empty((*picks.shape, *visible[0].shape[1:]), visible[0].dtype)
    for rows in rows_of.values():
        taken[rows] = visible[rows[0]].take(picks[rows], axis=0)
    return taken


class SpaceFillingStart(Start):
    """`size` feasible designs that are spread over the space as evenly as can be.

    Designs that cannot be measured make room for further ones of the same kind.
    """

    origin = Origin("space_filling")

    def __init__(self, problem: Problem, *, size: int = 4) -> None:
        self.capacity = _available_size(size, problem)

    @override
    def draw(
        self, problem: Problem, instances: Instances, rngs: BatchedGenerator
    ) -> tuple[Designs, NDArray[np.int64]]:
        size, available, num_campaigns = self.capacity, problem.design_space.size, len(rngs)
        index, num_spread = np.arange(num_campaigns)[:, None], size  # (R, 1)
        count = np.full(num_campaigns, size, np.int64)
        missing, found = np.ones(num_campaigns, bool), None  # (R,)
        for _ in range(_DOUBLINGS):
            designs = problem.design_space.spread(rngs, num_spread)  # (R, num_spread, *shape)
            feasible = feasible_mask(problem, instances, designs)
            if feasible is None:
                return designs[:, :size], count
            first = np.argsort(~feasible, axis=1, kind="stable")[:, :size]  # (R, size)
            chosen = designs[index, first]
            found = chosen if found is None else found
            found[missing] = chosen[missing]  # who has enough keeps them, whatever others need
            missing &= feasible.sum(axis=1) < size
            if not missing.any():
                return found, count
            if num_spread == available:
                break
            num_spread = 2 * num_spread if available is None else min(2 * num_spread, available)
        raise RuntimeError(
            f"start: found no {size} designs that can be measured among {num_spread:,}; ask for "
            "fewer, or for another kind of start"
        )


class ListedStart(Start):
    """The designs that somebody lists, in their order; all campaigns have the same.

    Designs that cannot be measured are among them with the problem's floor, as they would be if
    they were proposed.
    """

    origin = Origin("listed")

    def __init__(self, problem: Problem, *, designs: Sequence[Any]) -> None:
        if not isinstance(designs, Sequence | np.ndarray) or isinstance(designs, str):
            raise ValueError(f"start: expected a list of designs, got {shown(designs)}")
        if not len(designs):
            raise ValueError('start: expected at least one design; {"kind": "none"} has none')
        space, parsed = problem.design_space, []
        for number, given in enumerate(designs):
            try:
                parsed.append(space.parse(given))
            except ValueError as error:
                raise ValueError(f"start: design {number}: {error}") from None
        self._designs = np.stack(parsed).astype(space.dtype)  # (n, *shape)
        again = repeated(self._designs[None])[0]
        if problem.repeats is Repeats.NEVER_AGAIN and again.any():
            number = int(again.argmax())
            raise ValueError(
                f"start: expected different designs, got design {number} for a second time, "
                f"{shown(designs[number])}"
            )
        self.capacity = len(parsed)

    @override
    def draw(
        self, problem: Problem, instances: Instances, rngs: BatchedGenerator
    ) -> tuple[Designs, NDArray[np.int64]]:
        num_campaigns, n = len(rngs), self.capacity
        designs = np.repeat(self._designs[None], num_campaigns, axis=0)  # (R, n, *shape)
        return designs, np.full(num_campaigns, n, np.int64)


def feasible_designs(
    problem: Problem, instances: Instances, rngs: BatchedGenerator, count: int
) -> Designs:
    """Random designs that can be measured, (R, count, *shape), distinct where countable.

    At most 251 * count designs of a campaign are looked at, of a small finite space fewer.

    Raises:
        RuntimeError: There are too few of them to be found.
        ValueError: `feasible` of the problem gives no truth values, or `sample` no such designs;
            names it.
    """
    index = np.arange(len(rngs))[:, None]  # (R, 1)
    designs = _sampled(problem, instances, rngs, count)
    size, tries = problem.design_space.size, _TRIES
    if size is not None and _COVERED * size < _TRIES * count:
        tries = -(-_COVERED * size // count)
    for _ in range(tries):
        feasible = feasible_mask(problem, instances, designs)
        if feasible is None or feasible[:, :count].all():
            return designs[:, :count]
        # Top up: feasible new designs first, in the order they were drawn.
        more = _sampled(problem, instances, rngs, count)
        designs = np.concatenate([designs[:, :count], more], axis=1)
        feasible = feasible_mask(problem, instances, designs)
        assert feasible is not None
        usable = feasible if size is None else feasible & ~repeated(designs)
        designs = designs[index, np.argsort(~usable, axis=1, kind="stable")]
    raise RuntimeError(
        f"start: found no {count} designs that can be measured among {(1 + tries) * count:,}; ask "
        "for fewer, or for another kind of start"
    )


def _sampled(problem: Problem, instances: Instances, rngs: BatchedGenerator, count: int) -> Designs:
    """What the problem samples, (R, count, *shape)."""
    designs = problem.sample(instances, rngs, count)
    source = f"{type(problem).__name__}.sample"
    return checked_designs(source, designs, len(rngs), count, problem.design_space)


STARTS: dict[str, Callable[..., Start]] = {
    "none": NoStart,
    "random": RandomStart,
    "percentile": PercentileStart,
    "space_filling": SpaceFillingStart,
    "listed": ListedStart,
}


def make_start(config: Mapping[str, Any], problem: Problem) -> Start:
    """Builds a start from its configuration, for instance `{"kind": "random", "size": 4}`.

    Raises:
        ValueError: An unknown kind or setting, or one out of range; says what is known.
    """
    kind = config.get("kind") if isinstance(config, Mapping) else None
    if not isinstance(kind, str) or kind not in STARTS:
        raise ValueError(
            f'start: expected {{"kind": one of {sorted(STARTS)}, ...}}, got {shown(config)}'
        )
    settings = {key: value for key, value in config.items() if key != "kind"}
    known = list(inspect.signature(STARTS[kind]).parameters)[1:]
    if unknown := [key for key in settings if key not in known]:
        raise ValueError(f"start: {kind!r} takes the settings {known}, got {shown(unknown)}")
    try:
        return STARTS[kind](problem, **settings)
    except TypeError:
        raise ValueError(
            f"start: {kind!r} takes the settings {known}, got {shown(settings)}"
        ) from None


def _available_size(size: Any, problem: Problem) -> int:
    checked, available = _checked_size(size), problem.design_space.size
    if available is not None and checked > available:
        raise ValueError(
            f"start: expected a size of at most {available}, the number of designs, got "
            f'{shown(checked)}; start={{"kind": "random", "size": 1}} takes fewer, {{"kind": '
            '"none"} begins without'
        )
    return checked


def _checked_size(size: Any) -> int:
    if not is_whole(size):
        raise ValueError(f"start: expected a size of at least 1, got {shown(size)}")
    return int(size)
