"""Pools of given candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.arguments import members, shown
from ombo_gym.design_spaces.duplicates import Designs
from ombo_gym.design_spaces.feature_scaling import on_one_scale
from ombo_gym.design_spaces.finite import (
    LOOKED_AT,
    WHOLE,
    FiniteDesigns,
    in_strides,
    smallest_signed,
)
from ombo_gym.design_spaces.local_optima import (
    around_peaks_of_pools,
    nearest_others,
    nearest_others_of,
)
from ombo_gym.design_spaces.relaxations import PoolFeatures, Relaxation
from ombo_gym.design_spaces.scales import warn_of_wide_spans
from ombo_gym.design_spaces.values import check_writable
from ombo_gym.randomness import BatchedGenerator

_TABLE = 2**13  # candidates up to which the nearest others of all of them are kept
_FAR = 1e3  # how far features of a pool may be from 0, beside how far apart they are
_TOLD_APART = 64  # features up to which each has a lengthscale of its own
_SCALES = ("linear", "log", "none")


class CandidateDesigns(FiniteDesigns):
    """A pool of n given candidates; a design is an index, (1,) int64.

    Features may be in any units: surrogates see each column from -1 to 1, and all by one factor so
    that the mean squared distance of two candidates is 2 / 3, which is what a lengthscale in a
    surrogate's recipe refers to. Columns that do not change and copies of others, in these or other
    units, change nothing.

    Args:
        pool_features: (n, k) finite features of the candidates.
        names: What each candidate is called in print; None: its index.
        scale: "linear", or "log" where ratios of a feature matter and not differences: of all
            features, or a list with one for each; None: linear, with a warning of positive ones
            that span more than 3 decades. "none": features are seen as they are, as those that an
            embedding computes may be meant; beside how far apart they are, they must not be far
            from 0.
        groups: (k,) which parameter each feature is of, 0 .. p - 1, where features are seen as they
            are: those of one parameter share a lengthscale. None: each is a parameter of its own,
            of up to 64, or all are one.
        is_category: (k,) which features are categories' beside others, likewise: a surrogate then
            has a kernel of their own for them. None: there is one kernel.

    Attributes:
        pool_features: (n, k') what surrogates see of the candidates.
        given_features: (n, k) as they were given.

    Raises:
        ValueError: Features, names, a scale, groups or categories that are none of that.

    Warns:
        UserWarning: Positive features span more than 3 decades, and no scale was chosen.

    Example:
        >>> molecules = CandidateDesigns(np.array([[180.16, 63.6], [194.19, 58.4], [46.07, 20.2]]))
        >>> molecules.size, molecules.pool_features.shape
        (3, (3, 2))
    """

    kind: ClassVar[str] = "pool"
    kernel: ClassVar[str] = "rbf"
    groups: tuple[int, ...] | None = None
    is_category: tuple[bool, ...] | None = None
    pool_features: NDArray[np.float64]

    def __init__(
        self,
        pool_features: NDArray[np.float64],
        *,
        names: Sequence[str] | None = None,
        scale: str | Sequence[str] | None = None,
        groups: Sequence[int] | None = None,
        is_category: Sequence[bool] | None = None,
    ) -> None:
        self.given_features = _checked_features(pool_features)
        self.scale = scale if isinstance(scale, str | None) else tuple(members(scale) or [scale])
        self.pool_features = _as_seen(self.given_features, self.scale)
        self.names = names
        self.groups = self._of_features("groups", groups)
        of_categories = self._of_features("is_category", is_category)
        self.is_category = None if of_categories is None else tuple(map(bool, of_categories))
        self.shape = (1,)
        self.dtype = np.dtype(np.int64)
        self.size = len(self.pool_features)
        self._check_names()
        self._nearest: dict[int, NDArray[np.intp]] = {}  # worked out when they are asked for

    def __getstate__(self) -> dict[str, Any]:
        """Pickles without what can be worked out again."""
        return {**self.__dict__, "_nearest": {}}

    def __repr__(self) -> str:
        return f"CandidateDesigns({self.size} candidates, {self.pool_features.shape[1]} features)"

    @override
    def arguments(self) -> dict[str, Any]:
        found: dict[str, Any] = {"pool_features": self.given_features.tolist()}
        if self.names is not None:
            found["names"] = list(self.names)
        if self.scale is not None:
            found["scale"] = self.scale if isinstance(self.scale, str) else list(self.scale)
        if self.groups is not None:
            found["groups"] = list(self.groups)
        if self.is_category is not None:
            found["is_category"] = list(self.is_category)
        return found

    @classmethod
    @override
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        scale = arguments.get("scale")
        found = cls(**{**arguments, "scale": scale or "linear"})  # who built it first was warned
        found.scale = tuple(scale) if isinstance(scale, list) else scale
        return found

    def _of_features(self, name: str, given: Any) -> tuple[int, ...] | None:
        """Whole numbers from 0, one a feature, where features are seen as they are."""
        if given is None:
            return None
        numbers = members(given) or []
        whole = all(isinstance(each, int) and each >= 0 for each in numbers)
        if name == "groups" and whole:
            whole = set(numbers) == set(range(len(set(numbers))))
        if self.scale != "none" or len(numbers) != self.pool_features.shape[1] or not whole:
            raise ValueError(
                f"{name}: expected one for each of {self.pool_features.shape[1]} features, with "
                f'scale="none", got {shown(given)} with scale={self.scale!r}'
            )
        return tuple(map(int, numbers))

    def _check_names(self) -> None:
        if self.names is None:
            return
        if isinstance(self.names, str) or len(self.names) != self.size:
            raise ValueError(
                f"names: expected a list of {self.size} texts, one a candidate, got "
                f"{len(self.names)} in {type(self.names).__name__}"
            )
        for name in self.names:
            check_writable("names", name)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CandidateDesigns)
            and self.scale == other.scale
            and (self.groups, self.is_category) == (other.groups, other.is_category)
            and np.array_equal(self.given_features, other.given_features)
            and (self.names if self.names is None else list(self.names))
            == (other.names if other.names is None else list(other.names))
        )

    def __hash__(self) -> int:
        return super().__hash__()

    @property
    @override
    def summary(self) -> str:
        return f"{self.size:,} candidates"

    @property
    @override
    def typical_distance(self) -> float:
        return float(np.sqrt(1 / 2))

    @property
    @override
    def feature_groups(self) -> NDArray[np.intp]:
        if self.groups is not None:
            return np.array(self.groups, np.intp)
        count = self.pool_features.shape[1]
        return np.arange(count) if count <= _TOLD_APART else np.zeros(count, np.intp)

    @property
    @override
    def category_features(self) -> NDArray[np.bool_] | None:
        of_categories = np.array(self.is_category or (), bool)
        return of_categories if of_categories.any() and not of_categories.all() else None

    @override
    def action_space(self, batch_size: int) -> spaces.MultiDiscrete:
        return spaces.MultiDiscrete(np.full(batch_size, self.size))

    def observation_space(self, capacity: int) -> spaces.Box:
        """In the smallest signed integers that hold every index."""
        return spaces.Box(0, self.size - 1, (capacity, 1), smallest_signed(self.size - 1).type)

    @override
    def sample(self, rngs: BatchedGenerator, count: int) -> Designs:
        size = len(self.pool_features)
        return rngs.draw(lambda rng: rng.integers(size, size=(count, 1)))

    @override
    def shared_candidates(self, turn: int) -> NDArray[np.int64] | None:
        if self.size <= LOOKED_AT:  # their features are there already
            return in_strides(self.size) if self.size > WHOLE else None
        return in_strides(self.size, turn * LOOKED_AT, LOOKED_AT)

    def mutate(
        self, parents: Designs, rngs: BatchedGenerator, *, mutations: float, step: float
    ) -> Designs:
        """Uniform candidates: a pool has no neighbours in reach."""
        return self.sample(rngs, parents.shape[1])

    @override
    def around_peaks(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        rngs: BatchedGenerator,
        *,
        leaders: int,
        count: int,
        neighbours: int,
    ) -> tuple[Designs, NDArray[np.bool_]]:
        if self.size > _TABLE:
            pool = self.pool_features
            return around_peaks_of_pools(
                lambda some: nearest_others_of(pool, some, neighbours),
                self.size,
                designs,
                values,
                leaders=leaders,
                count=count,
            )
        if neighbours not in self._nearest:
            self._nearest[neighbours] = nearest_others(self.pool_features, neighbours)
        return around_peaks_of_pools(
            self._nearest[neighbours].__getitem__,
            self.size,
            designs,
            values,
            leaders=leaders,
            count=count,
        )

    @override
    def features(self, designs: Designs) -> NDArray[np.float64]:
        features: NDArray[np.float64] = self.pool_features[np.asarray(designs)[..., 0]]
        return features

    @override
    def effects(self, designs: Designs) -> NDArray[np.float64]:
        mean, spread = self._moments
        found: NDArray[np.float64] = (self.pool_features[designs[..., 0]] - mean) / spread
        return found

    @cached_property
    def _moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of each feature, 1 where it does not change, (k,) each."""
        spread = self.pool_features.std(axis=0)
        return self.pool_features.mean(axis=0), np.where(spread > 0, spread, 1.0)

    @override
    def relaxation(self, *, softened: bool = True) -> Relaxation:
        return PoolFeatures(self.pool_features)

    def text(self, design: NDArray[np.integer[Any]]) -> str:
        """What the candidate is called."""
        index = int(design[0])
        return str(index) if self.names is None else self.names[index]

    def units(self, designs: Designs) -> Any:
        """Indices: a whole number for one design, (n,) for many."""
        indices = np.array(designs)[..., 0]
        return indices.item() if indices.ndim == 0 else indices

    def describe(self, design: NDArray[Any]) -> Any:
        """What the candidate is called."""
        return self.units(design) if self.names is None else self.text(design)

    def parse(self, given: Any) -> Designs:
        """The candidate of a name, or an index."""
        if isinstance(given, str) and self.names is not None and given in self.names:
            return np.array([list(self.names).index(given)], self.dtype)
        if isinstance(given, str) and self.names is not None:
            raise ValueError(
                f"design: expected a candidate's name, such as {self.names[0]!r}, or an index from "
                f"0 to {self.size - 1}, got {shown(given)}"
            )
        return super().parse(given)

    def grid(self, side: int) -> Designs:
        """All candidates."""
        return self.decode(np.arange(self.size))

    @override
    def decode(self, codes: NDArray[np.integer[Any]]) -> Designs:
        return np.asarray(codes, np.int64)[..., None]

    def encode(self, designs: Designs) -> NDArray[np.int64]:
        """Indices in the pool, (..., 1) -> (...,)."""
        return np.asarray(designs, np.int64)[..., 0]


def _checked_features(features: Any) -> NDArray[np.float64]:
    try:
        found = np.asarray(features, np.float64)
    except (TypeError, ValueError) as error:  # texts, complex numbers, rows of different lengths
        raise ValueError(
            f"pool_features: expected (n, k) numbers, got {shown(features)} ({error})"
        ) from error
    if found.ndim != 2 or len(found) == 0:
        raise ValueError(f"pool_features: expected (n, k) numbers, got an array {found.shape}")
    if not np.isfinite(found).all():
        row, column = np.argwhere(~np.isfinite(found))[0]
        raise ValueError(
            f"pool_features: expected finite numbers, got {found[row, column]} for feature "
            f"{column} of candidate {row}"
        )
    return found


def _as_seen(
    given: NDArray[np.float64], scale: str | tuple[str, ...] | None
) -> NDArray[np.float64]:
    """What surrogates see of features that were given, (n, k) -> (n, k')."""
    width = given.shape[1]
    chosen = (scale or "linear",) * width if isinstance(scale, str | None) else scale
    if scale == "none":
        _check_distance_from_zero(given)
        return given
    if len(chosen) != width or not all(each in ("linear", "log") for each in chosen):
        raise ValueError(
            f"scale: expected one of {list(_SCALES)}, or 'linear' or 'log' for each of {width} "
            f"features, got {shown(scale)}"
        )
    log = np.array([each == "log" for each in chosen], bool)  # (k,)
    if (given[:, log] <= 0).any():
        row, column = np.argwhere(log & (given <= 0))[0]
        raise ValueError(
            f"pool_features: expected numbers above 0 on a logarithmic scale, got "
            f"{given[row, column]} for feature {column} of candidate {row}"
        )
    features = np.where(log, np.log(np.where(log, given, 1.0)), given)
    found = on_one_scale(features)
    if scale is None:
        warn_of_wide_spans(
            {f"feature {column}": given[:, column] for column in range(width)},
            argument="pool_features",
            remedy='give scale="log" (of all, or in a list of each feature\'s), or "linear"',
        )
    return found


def _check_distance_from_zero(found: NDArray[np.float64]) -> None:
    low, high = found.min(axis=0, initial=np.inf), found.max(axis=0, initial=-np.inf)
    far = np.maximum(abs(low), abs(high)) > _FAR * max(1.0, (high - low).max(initial=0.0))
    if far.any():
        column = int(far.argmax())
        raise ValueError(
            "pool_features: expected features that are not far from 0 beside how far apart they "
            "are, since squared distances lose their digits there, got feature "
            f"{column} from {low[column]:.9g} to {high[column]:.9g}; subtract its mean"
        )
