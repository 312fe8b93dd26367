"""Random numbers by campaign: each draws from a stream of its own, whatever its neighbours do.

Two sources, one interface (`BatchedGenerator`): `KeyedGenerator`, the counter-based streams of
campaigns, a pure function of (key, stream, round, call); and `GeneratorBatch`, one NumPy generator
per campaign, which is what policies are given.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym import philox

Rng = np.random.Generator | Sequence[np.random.Generator]

# From so many campaigns on, and up to so many numbers of each, arrays are faster than generators.
_MANY_CAMPAIGNS, _FEW_NUMBERS, _FEW_DISTINCT = 64, 32, 128
_FAR = 2**32  # more calls than anybody makes
_SPARSE = 50  # times as many to choose from: denser choices are drawn by another algorithm


class Stream(IntEnum):
    """What a campaign's key is split into. The numbers define campaigns: never change them."""

    HORIZON = 0
    INSTANCE = 1
    START = 2
    NOISE = 3
    CANDIDATES = 4
    BATCH_SIZE = 5
    TASK = 6


class BatchedGenerator(ABC):
    """Random numbers for R campaigns, each from a stream of its own."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of campaigns, R."""

    @abstractmethod
    def draw(self, function: Callable[[np.random.Generator], Any]) -> NDArray[Any]:
        """Stacks `function(rng)` over the campaigns.

        Args:
            function: Called once a campaign; must return values of one shape and dtype. The
                generator is valid during the call only.

        Returns:
            Array of shape (R, ...).
        """

    @abstractmethod
    def forget_calls(self) -> None:
        """Makes what is drawn next no matter of how many calls there were so far.

        Where campaigns are drawn for until the last of them has enough, the others make calls that
        they would not make alone.
        """

    def random(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Uniform numbers in [0, 1), (R, *shape)."""
        return self.draw(lambda rng: rng.random(shape))

    def standard_normal(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Standard normal numbers, (R, *shape)."""
        return self.draw(lambda rng: rng.standard_normal(shape))

    def below(self, end: int) -> NDArray[np.int64]:
        """A whole number from 0 to `end` - 1 for each campaign, (R,)."""
        return self.draw(lambda rng: rng.integers(end))

    def distinct_below(self, ends: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Different whole numbers from 0 to an end of each campaign - 1, (R,) -> (R, count)."""
        each = iter(ends.tolist())
        return self.draw(lambda rng: rng.choice(next(each), count, replace=False))

    if not TYPE_CHECKING:  # type checkers know what is there

        def __getattr__(self, name: str) -> Any:
            """Refuses other methods of NumPy's generators: says how they are called here."""
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            if not name.startswith("_") and hasattr(np.random.Generator, name):
                message += (
                    "; what each campaign draws from its own generator is "
                    f"rngs.draw(lambda rng: rng.{name}(...)), of which random and standard_normal "
                    "are here for short"
                )
            raise AttributeError(message)

    @staticmethod
    def _stack(values: Iterable[Any], num_campaigns: int) -> NDArray[Any]:
        stacked: NDArray[Any] | None = None
        for i, value in enumerate(values):
            if stacked is None:
                array = np.asarray(value)
                stacked = np.empty((num_campaigns, *array.shape), array.dtype)
            stacked[i] = value
        if stacked is None:
            raise ValueError("expected at least one campaign to draw for, got none")
        return stacked


class KeyedGenerator(BatchedGenerator):
    """Random numbers that depend on (key, stream, round, number of the call) alone.

    One counter-based generator is given the key of each campaign in turn, which costs 2 us a
    campaign, a fifth of seeding a new one.

    Args:
        keys: (R,) uint64, one per campaign.
        stream: What the numbers are for.
        rounds: (R,) round of each campaign, or one for all.
    """

    def __init__(self, keys: NDArray[np.uint64], stream: Stream, rounds: Any = 0) -> None:
        self._keys = keys
        self._stream = stream
        self._rounds = np.broadcast_to(np.asarray(rounds, np.uint64), keys.shape)
        self._calls = 0

    def __len__(self) -> int:
        return len(self._keys)

    @override
    def forget_calls(self) -> None:
        self._calls = _FAR * (1 + self._calls // _FAR)

    @override
    def draw(self, function: Callable[[np.random.Generator], Any]) -> NDArray[Any]:
        self._calls += 1
        return self._one_by_one(function, np.arange(len(self)))

    def _one_by_one(
        self, function: Callable[[np.random.Generator], Any], rows: NDArray[np.intp]
    ) -> NDArray[Any]:
        """As `draw`, of some of the campaigns, (S, ...)."""
        bits = np.random.Philox(0)
        generator = np.random.Generator(bits)
        state: Any = dict(bits.state)
        key = np.zeros(2, np.uint64)
        counter = np.zeros(4, np.uint64)  # the generator counts in the low words

        def values() -> Iterator[Any]:
            for campaign_key, campaign_round in zip(
                self._keys[rows], self._rounds[rows], strict=True
            ):
                key[0], key[1] = campaign_key, self._stream
                counter[2], counter[3] = self._calls, campaign_round
                state["state"] = {"counter": counter, "key": key}
                state["buffer_pos"], state["has_uint32"] = 4, 0
                bits.state = state
                yield function(generator)

        return self._stack(values(), len(rows))

    @override
    def random(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        count = math.prod(shape)
        if len(self) < _MANY_CAMPAIGNS or not 0 < count <= _FEW_NUMBERS:
            return super().random(shape)
        return philox.uniform(self._words(count)).reshape(len(self), *shape)

    @override
    def below(self, end: int) -> NDArray[np.int64]:
        if len(self) < _MANY_CAMPAIGNS or not 1 < end < 2**32:
            return super().below(end)
        found, again = philox.below(self._words(1)[:, 0] & np.uint64(2**32 - 1), np.int64(end))
        if (rows := np.flatnonzero(again)).size:
            found[rows] = self._one_by_one(lambda rng: rng.integers(end), rows)
        return found

    @override
    def distinct_below(self, ends: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        few = 1 < count <= _FEW_DISTINCT and (_SPARSE * count <= ends).all()
        if len(self) < _MANY_CAMPAIGNS or not few:
            return super().distinct_below(ends, count)
        drawn = philox.halves(self._words(count))[:, : 2 * count - 1]
        found, other = philox.without_replacement(drawn, ends, count)
        if (rows := np.flatnonzero(other)).size:
            each = iter(ends[rows].tolist())
            found[rows] = self._one_by_one(
                lambda rng: rng.choice(next(each), count, replace=False), rows
            )
        return found

    def _words(self, count: int) -> NDArray[np.uint64]:
        """The next call's numbers of 64 bits, (R, count)."""
        self._calls += 1
        return philox.words(self._keys, int(self._stream), self._calls, self._rounds, count)


class GeneratorBatch(BatchedGenerator):
    """One NumPy generator per campaign.

    Args:
        rng: A sequence of R generators, or one, from which R are spawned.
        num_campaigns: R.

    Raises:
        ValueError: A sequence of another length than `num_campaigns`, or no generators.
    """

    def __init__(self, rng: Rng, num_campaigns: int) -> None:
        if not isinstance(rng, np.random.Generator) and not hasattr(rng, "__len__"):
            raise ValueError(
                f"rng: expected {num_campaigns} generators (one per campaign) or a single one, "
                f"got {type(rng).__name__}; numpy.random.default_rng(seed) makes one of a seed"
            )
        self.generators: Sequence[np.random.Generator] = (
            rng.spawn(num_campaigns) if isinstance(rng, np.random.Generator) else rng
        )
        if len(self.generators) != num_campaigns:
            raise ValueError(
                f"rng: expected {num_campaigns} generators (one per campaign) or a single one, "
                f"got {len(self.generators)}"
            )

    def __len__(self) -> int:
        return len(self.generators)

    def take(self, env_indices: NDArray[np.intp]) -> GeneratorBatch:
        """The generators of some of the campaigns."""
        return GeneratorBatch([self.generators[i] for i in env_indices], len(env_indices))

    @override
    def forget_calls(self) -> None:
        """Nothing: generators of campaigns count no calls."""

    @override
    def draw(self, function: Callable[[np.random.Generator], Any]) -> NDArray[Any]:
        return self._stack(map(function, self.generators), len(self))
