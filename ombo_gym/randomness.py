"""Random numbers by row: every campaign draws from streams of its own, whatever its neighbours do.

Two sources, one interface (`BatchedGenerator`): `KeyedGenerator`, the counter-based streams of
campaigns, a pure function of (key, stream, round, call); and `GeneratorBatch`, one NumPy generator
per campaign, which is what policies are given.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

Rng = np.random.Generator | Sequence[np.random.Generator]


class Stream(IntEnum):
    """What a campaign's key is split into. The numbers define campaigns: never change them."""

    HORIZON = 0
    INSTANCE = 1
    START = 2
    NOISE = 3
    CANDIDATES = 4
    BATCH_SIZE = 5


class BatchedGenerator(ABC):
    """Random numbers for R rows, each from a stream of its own."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of rows, R."""

    @abstractmethod
    def draw(self, function: Callable[[np.random.Generator], Any]) -> NDArray[Any]:
        """Stacks `function(rng)` over the rows.

        Args:
            function: Called once a row; must return values of one shape and dtype. The generator is
                valid during the call only.

        Returns:
            Array of shape (R, ...).
        """

    def random(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Uniform numbers in [0, 1), (R, *shape)."""
        return self.draw(lambda rng: rng.random(shape))

    def standard_normal(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Standard normal numbers, (R, *shape)."""
        return self.draw(lambda rng: rng.standard_normal(shape))

    @staticmethod
    def _stack(values: Any, rows: int) -> NDArray[Any]:
        stacked: NDArray[Any] | None = None
        for i, value in enumerate(values):
            if stacked is None:
                array = np.asarray(value)
                stacked = np.empty((rows, *array.shape), array.dtype)
            stacked[i] = value
        if stacked is None:
            raise ValueError("expected at least one row to draw for, got none")
        return stacked


class KeyedGenerator(BatchedGenerator):
    """Draws that depend on (key, stream, round, number of the call) alone.

    Re-keying one Philox generator costs 2 us a row, a fifth of seeding a new one.

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
    def draw(self, function: Callable[[np.random.Generator], Any]) -> NDArray[Any]:
        self._calls += 1
        philox = np.random.Philox(0)
        generator = np.random.Generator(philox)
        state: Any = dict(philox.state)
        key = np.zeros(2, np.uint64)
        counter = np.zeros(4, np.uint64)  # the generator counts in the low words

        def values() -> Any:
            for row_key, row_round in zip(self._keys, self._rounds, strict=True):
                key[0], key[1] = row_key, self._stream
                counter[2], counter[3] = self._calls, row_round
                state["state"] = {"counter": counter, "key": key}
                state["buffer_pos"], state["has_uint32"] = 4, 0
                philox.state = state
                yield function(generator)

        return self._stack(values(), len(self))


class GeneratorBatch(BatchedGenerator):
    """One NumPy generator per row.

    Args:
        rng: A sequence of R generators, or one, from which R are spawned.
        rows: R.

    Raises:
        ValueError: A sequence of another length than `rows`.
    """

    def __init__(self, rng: Rng, rows: int) -> None:
        self.generators: Sequence[np.random.Generator] = (
            rng.spawn(rows) if isinstance(rng, np.random.Generator) else rng
        )
        if len(self.generators) != rows:
            raise ValueError(
                f"rng: expected {rows} generators (one per campaign) or a single one, "
                f"got {len(self.generators)}"
            )

    def __len__(self) -> int:
        return len(self.generators)

    def take(self, rows: NDArray[np.intp]) -> GeneratorBatch:
        """The generators of some of the rows."""
        return GeneratorBatch([self.generators[i] for i in rows], len(rows))

    @override
    def draw(self, function: Callable[[np.random.Generator], Any]) -> NDArray[Any]:
        return self._stack(map(function, self.generators), len(self))
