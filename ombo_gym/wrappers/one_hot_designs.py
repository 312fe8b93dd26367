"""Designs as numbers from -1 to 1, for networks that know no categories."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.arguments import shown
from ombo_gym.design_spaces import CategoryPool, Designs, DesignSpace
from ombo_gym.design_spaces.feature_scaling import from_minus_one_to_one
from ombo_gym.memory import LIMIT, largest_bytes
from ombo_gym.spec import campaign_spec
from ombo_gym.wrappers.base import (
    AnyEnv,
    AnyVectorEnv,
    Infos,
    ObservationMap,
    ObservationMapVectorWrapper,
    ObservationMapWrapper,
    OneOrMany,
)

Encoded = NDArray[np.float32]

_NUMBER = 4 + 2 * (4 + 1)  # bytes of a number, and of its bounds in a space


class DesignEncoding(ABC):
    """Designs as numbers.

    Attributes:
        low: (k,) the least that a number is.
    """

    low: Encoded

    @abstractmethod
    def __call__(self, designs: Designs) -> Encoded:
        """Designs (..., entries) as numbers up to 1, (..., k)."""


class Coordinates(DesignEncoding):
    """Numbers from -1 to 1 already, as those of boxes and mixed designs.

    Args:
        width: k.
    """

    def __init__(self, width: int) -> None:
        self.low = np.full(width, -1, np.float32)

    @override
    def __call__(self, designs: Designs) -> Encoded:
        return np.asarray(designs, np.float32)


class Positions(DesignEncoding):
    """Positions one after the other: of categories 1 at the one that is meant; levels in order.

    Args:
        first: (L,) the smallest number at each position.
        counts: (L,) how many there are.
        levels: What levels amount to, (n,) at each position; None where there is no order.
    """

    def __init__(
        self,
        first: NDArray[np.int64],
        counts: NDArray[np.int64],
        levels: list[NDArray[np.float64] | None],
    ) -> None:
        nominal = np.array([each is None for each in levels])  # (L,)
        widths = np.where(nominal, counts, 1)  # (L,) columns of each position
        starts = np.cumsum(widths) - widths  # (L,)
        self.low = np.repeat(np.where(nominal, 0, -1), widths).astype(np.float32)  # (k,)
        self._first, self._nominal = first, nominal
        self._columns = starts[nominal] - first[nominal]  # (categories,) before what is meant
        self._levels = [
            (position, int(starts[position]), _from_minus_one(each))
            for position, each in enumerate(levels)
            if each is not None
        ]

    @override
    def __call__(self, designs: Designs) -> Encoded:
        found = np.zeros((*designs.shape[:-1], len(self.low)), np.float32)  # (..., k)
        meant = designs[..., self._nominal].astype(np.int64) + self._columns
        np.put_along_axis(found, meant, 1, axis=-1)
        for position, column, table in self._levels:
            found[..., column] = table[designs[..., position] - self._first[position]]
        return found


class PoolRows(DesignEncoding):
    """Candidates as their features, each from -1 to 1 over the pool.

    Args:
        pool_features: (n, k) what surrogates see of the candidates.
    """

    def __init__(self, pool_features: NDArray[np.float64]) -> None:
        self._table = from_minus_one_to_one(pool_features).astype(np.float32)  # (n, k)
        self.low = np.full(self._table.shape[1], -1, np.float32)

    @override
    def __call__(self, designs: Designs) -> Encoded:
        found: Encoded = self._table[designs[..., 0]]
        return found


class CategoryRows(DesignEncoding):
    """Candidates as the categories that they are rows of: 1 at each that is there.

    Args:
        pool: Of such candidates.
    """

    def __init__(self, pool: CategoryPool) -> None:
        self._pool = pool
        self.low = np.zeros(pool.width, np.float32)

    @override
    def __call__(self, designs: Designs) -> Encoded:
        return (self._pool.features(designs) > 0).astype(np.float32)


def encoding_of(space: DesignSpace) -> DesignEncoding:
    """How designs of a space are shown as numbers."""
    if space.dtype.kind == "f":
        return Coordinates(math.prod(space.shape))
    if isinstance(space, CategoryPool):
        return CategoryRows(space)
    if space.pool_features is not None:
        return PoolRows(space.pool_features)
    one = space.observation_space(1)
    first = one.low.astype(np.int64).reshape(-1)  # (L,)
    counts = one.high.astype(np.int64).reshape(-1) - first + 1  # (L,)
    levels: list[NDArray[np.float64] | None] = [None] * len(first)
    if space.levels:
        levels = [None if each is None else np.array(each, np.float64) for each in space.levels]
    elif space.ordered:
        levels = [np.arange(count, dtype=np.float64) for count in counts]
    return Positions(first, counts, levels)


def _from_minus_one(levels: NDArray[np.float64]) -> Encoded:
    scaled = from_minus_one_to_one(levels[:, None])[:, 0]  # (n,)
    return scaled.astype(np.float32)


class OneHotEncoding(ObservationMap):
    """Observations with designs as numbers.

    Args:
        space: Of one campaign's observations.
        design_space: Where designs live.
        count: B, campaigns at a time.

    Raises:
        ValueError: There are no designs in the observation, or they take too much memory.
    """

    def __init__(self, space: spaces.Space[Any], design_space: DesignSpace, count: int) -> None:
        fields = dict(space.spaces) if isinstance(space, spaces.Dict) else {}
        if not {"designs", "observed"} <= set(fields):
            raise ValueError(
                "env: expected observations with designs, as control='designs' has them, in a "
                f"Dict (put FlatObservation around OneHotDesigns), got {shown(space)}"
            )
        capacity = fields["observed"].shape[0]  # type: ignore[index]
        if fields["designs"] != design_space.observation_space(capacity):
            raise ValueError(
                "env: expected designs as the campaign shows them, "
                f"{design_space.observation_space(capacity)}, got {fields['designs']}; put one "
                "OneHotDesigns around the environment"
            )
        self._encoding = encoding_of(design_space)
        width = len(self._encoding.low)
        _check_memory(count, capacity, width)
        low = np.broadcast_to(self._encoding.low, (capacity, width))
        fields["designs"] = spaces.Box(low, np.ones_like(low), dtype=np.float32)
        self.space = spaces.Dict(fields)

    @override
    def __call__(self, observation: Any) -> tuple[dict[str, NDArray[Any]], Infos]:
        observed = observation["observed"] == 1  # (B, capacity)
        rows = observation["designs"].reshape(*observed.shape, -1)  # (B, capacity, entries)
        designs = self._encoding(rows)  # (B, capacity, k)
        return {**observation, "designs": np.where(observed[..., None], designs, 0)}, {}


def _check_memory(count: int, capacity: int, width: int) -> None:
    """Refuses numbers that would take more memory than is allowed, before any are there."""
    limit, needed = largest_bytes(), _NUMBER * count * capacity * width
    if limit is not None and needed > limit:
        raise ValueError(
            f"env: expected designs that take at most {limit / 2**30:.3g} GiB as numbers, got "
            f"about {needed / 2**30:.3g} GiB for {count:,} campaigns of up to {capacity:,} designs "
            f"of {width:,} numbers; ask for less, or raise the limit by the environment variable "
            f"{LIMIT}, in GiB"
        )


class OneHotVectorDesigns(ObservationMapVectorWrapper):
    """`OneHotDesigns` for B campaigns.

    Args:
        env: B campaigns.
    """

    def __init__(self, env: AnyVectorEnv) -> None:
        space = campaign_spec(env).design_space
        super().__init__(env, OneHotEncoding(env.single_observation_space, space, env.num_envs))


class OneHotDesigns(OneOrMany, ObservationMapWrapper, RecordConstructorArgs):
    """Shows designs as numbers from -1 to 1, `designs` (capacity, k) float32.

    | designs | shown as |
    |---|---|
    | numbers, mixed parameters | as they are: coordinates, and +1 / -1 for levels of a category |
    | categories | one number a category: 1 for the one that is meant, 0 for others |
    | ordered levels | one number, from -1 for the lowest to 1 for the highest |
    | a pool | the features of the candidate (`design_space.features`), each from -1 to 1 |
    | a pool of rows of categories | one number for each category that occurs, 1 or 0 |

    Rows that are not in use are 0 throughout. Positions stand one after the other. Actions stay as
    they are.

    Args:
        env: One campaign with `control="designs"`; of B campaigns, the vector wrapper of the same
            name is made.

    Raises:
        ValueError: An observation without designs, or one that is wrapped already, or more numbers
            than memory is allowed for.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> from ombo_gym.wrappers import OneHotDesigns
        >>> env = OneHotDesigns(gym.make("Ombo/TFBinding-v0", start={"kind": "none"}))
        >>> env.observation_space["designs"].shape  # 20 designs of 8 letters of 4
        (20, 32)
    """

    vector_wrapper = OneHotVectorDesigns

    def __init__(self, env: AnyEnv) -> None:
        RecordConstructorArgs.__init__(self)
        space = campaign_spec(env).design_space
        super().__init__(env, OneHotEncoding(env.observation_space, space, 1))
