"""The interface of design spaces."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ombo_gym.design_spaces.duplicates import Designs, among, repeated
from ombo_gym.design_spaces.parameters import Parameters
from ombo_gym.design_spaces.relaxations import Relaxation
from ombo_gym.design_spaces.values import numbers
from ombo_gym.kinds import OfKind, from_dict
from ombo_gym.randomness import BatchedGenerator, GeneratorBatch

_NEAR = 0.1  # of numbers from -1 to 1, how far neighbours are that cannot be listed


class DesignSpace(OfKind):
    """A set of designs.

    Subclasses register themselves by their `kind`, so that specs find them again after JSON.

    Attributes:
        kind: Its name, in JSON and in files of settings.
        kernel: Name of the kernel that `{"kernel": "fit"}` chooses the parameters of.
        lengthscale_prior: Median, in units of `typical_distance`, and standard deviation of the
            logarithm of a lengthscale before any value is seen; None: all are as probable.
        ordered: Whether a difference of two designs has a direction.
        levels: Of each position what its entries amount to, where they are levels of a quantity;
            empty: nothing is said of any.
        has_categories: Whether some of a design are categories without an order.
        parameters: What the user calls a design's numbers; None: nothing.
        pool_features: (n, k) of the candidates, where a design is nothing but one of a list.
        cube: Sides of the unit cube that `from_unit_cube` takes points of; None: it takes none.
        shape: Shape of one design.
        dtype: Type of its entries, in actions and wherever designs are computed with.
        size: Number of designs, None where there is no end of them.
    """

    kernel: ClassVar[str]
    lengthscale_prior: ClassVar[tuple[float, float] | None] = None
    ordered: bool = True
    levels: Sequence[Sequence[float] | None] = ()
    has_categories: bool = False
    parameters: Parameters | None = None
    pool_features: NDArray[np.float64] | None = None
    cube: int | None = None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    size: int | None

    # --- what it is -----------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, DesignSpace)
            and type(self) is type(other)
            and self.to_dict() == other.to_dict()
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.shape, self.size))

    @property
    @abstractmethod
    def summary(self) -> str:
        """In a few words: "box 13-D", "4^8 sequences", "600 candidates"."""

    @property
    @abstractmethod
    def typical_distance(self) -> float:
        """Scale of distances between the features of uniform designs, 1 for boxes with d = 2."""

    @property
    def feature_groups(self) -> NDArray[np.intp]:
        """Which parameter each feature belongs to, (k,): those of one share a lengthscale.

        All are one parameter's, unless a space says otherwise.
        """
        rng = GeneratorBatch([np.random.default_rng(0)], 1)
        return np.zeros(self.features(self.sample(rng, 1)).shape[-1], np.intp)

    @property
    def category_features(self) -> NDArray[np.bool_] | None:
        """Which features are categories', (k,), where a surrogate has a kernel for these.

        None where it has one kernel for all features.
        """
        return None

    # --- gym spaces, actions and observations ---------------------------------------------------

    @abstractmethod
    def action_space(self, batch_size: int) -> spaces.Space[Any]:
        """The action space of a batch of `batch_size` designs."""

    @abstractmethod
    def observation_space(self, capacity: int) -> spaces.Box:
        """The space of `capacity` zero-padded designs, (capacity, *shape)."""

    def designs(self, actions: NDArray[Any]) -> Designs:
        """Batches of designs from actions, (R, ...) -> (R, q, *shape)."""
        return actions.reshape(len(actions), -1, *self.shape)

    def actions(self, designs: Designs) -> NDArray[Any]:
        """Actions from batches of designs, (R, q, *shape) -> (R, ...), the inverse of `designs`."""
        return designs.astype(self.dtype).reshape(len(designs), -1)

    def canonical(self, designs: Designs) -> Designs:
        """The one way to write each design that is meant, (..., *shape)."""
        return designs

    # --- drawing and moving ---------------------------------------------------------------------

    @abstractmethod
    def sample(self, rngs: BatchedGenerator, count: int) -> Designs:
        """Uniform designs, with replacement, (R, count, *shape)."""

    def sample_distinct(self, rngs: BatchedGenerator, count: int) -> Designs:
        """Uniform designs without replacement (where designs can be counted), (R, count, *shape).

        Raises:
            ValueError: More designs asked for than there are.
        """
        return self.sample(rngs, count)

    @abstractmethod
    def spread(self, rngs: BatchedGenerator, count: int) -> Designs:
        """Designs that fill the space evenly, (R, count, *shape), distinct where countable."""

    @property
    def looks_at_everything(self) -> bool:
        """Whether `candidates` are all designs, so that none are drawn."""
        return False

    def shared_candidates(self, turn: int) -> NDArray[np.int64] | None:
        """Numbers of the many designs that policies look at in all campaigns, (M,).

        All candidates of a pool of up to 100,000, of a larger one 100,000 at a time; all designs of
        another finite space of up to 16,384: in larger ones mutants of the best are looked at.

        Args:
            turn: Of a pool that is too large, others are looked at in every turn.

        Returns:
            None where policies look at `candidates`.
        """
        return None

    @abstractmethod
    def candidates(
        self, designs: Designs, values: NDArray[np.float64], extra: int, rngs: BatchedGenerator
    ) -> Designs:
        """What surrogate-based choices are made from: global designs, and some around the best.

        Args:
            designs: (R, n, *shape) observed.
            values: (R, n).
            extra: How many more than usual, for wide batches; on finite spaces only.
            rngs: Randomness of the R campaigns.

        Returns:
            (R, M, *shape); the best observed design is among them, but for pools that are only
            sampled.
        """

    @abstractmethod
    def mutate(
        self, parents: Designs, rngs: BatchedGenerator, *, mutations: float, step: float
    ) -> Designs:
        """Designs near others, (R, m, *shape) -> (R, m, *shape).

        Args:
            parents: Each becomes one.
            rngs: Randomness of the R campaigns.
            mutations: Of categories: positions that change on average, at least 1.
            step: Of numbers: standard deviation of the change, for coordinates from -1 to 1.
        """

    def recombine(self, first: Designs, second: Designs, rngs: BatchedGenerator) -> Designs:
        """Uniform crossover of pairs of designs, (R, m, *shape): each number of either of both."""
        return np.where(rngs.random(first.shape[1:]) < 0.5, first, second)

    @property
    def positions(self) -> NDArray[np.intp]:
        """(d,) which choice each number of a design belongs to, where they come one by one.

        Methods that cross designs over do not tear apart the numbers of one choice.
        """
        return np.arange(self.shape[0])

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
        """Unmeasured neighbours of measured designs that are worth climbing from.

        Where neighbours can be listed, they are those of peaks: of measured designs without a
        better measured neighbour. Elsewhere they are drawn around the best designs.

        Args:
            designs: (R, n, *shape) measured, n at least 1.
            values: (R, n).
            rngs: Randomness of the R campaigns.
            leaders: Among how many of the best designs peaks are looked for.
            count: How many neighbours.
            neighbours: Of a candidate in a pool.

        Returns:
            (R, m, *shape), m at most `count`, those of the best design first, and which of them are
            unmeasured neighbours at all, (R, m).
        """
        row = np.arange(len(designs))[:, None]
        best = np.argsort(-values, axis=1, kind="stable")[:, :leaders]  # (R, K)
        parents = designs[row, np.repeat(best, count, axis=1)]
        found = self.mutate(parents, rngs, mutations=1.0, step=_NEAR)
        good = ~(repeated(found) | self.among(found, designs))
        order = np.argsort(~good, axis=1, kind="stable")[:, :count]
        return found[row, order], good[row, order]

    def from_unit_cube(self, points: NDArray[np.float64]) -> Designs:
        """Designs of points in the unit cube, (..., cube) -> (..., *shape).

        Uniform points make uniform designs, and equal slices of a side equally many designs.
        """
        raise TypeError(f"{self!r} is no image of a cube")

    @property
    def free(self) -> NDArray[np.bool_] | None:
        """(k,) features that can move by steps as small as you like; None: there are none.

        Where there are some, `from_features` is the inverse of `features`.
        """
        return None

    def from_features(self, features: NDArray[np.float64]) -> Designs:
        """The designs that have such features, or the nearest to it, (..., k) -> (..., *shape)."""
        raise TypeError(f"{self!r} has no designs between others")

    # --- as numbers -----------------------------------------------------------------------------

    @abstractmethod
    def features(self, designs: Designs) -> NDArray[np.float64]:
        """What a surrogate sees, (..., k); squared Euclidean distance measures difference."""

    def differing(self, first: Designs, second: Designs) -> NDArray[np.float64] | None:
        """In how many positions designs differ, (R, m, *shape) and (R, n, *shape) -> (R, m, n).

        None where that is not the squared distance of their features.
        """
        return None

    @abstractmethod
    def effects(self, designs: Designs) -> NDArray[np.float64]:
        """Regressors of a linear model, beside the intercept, (..., *shape) -> (..., p).

        Over all designs they have mean 0 and variance 1.
        """

    @abstractmethod
    def relaxation(self, *, softened: bool = True) -> Relaxation:
        """Designs as points of a real vector space, for methods that move through one.

        Args:
            softened: Of categories: whether their logits are relative to the first category, of
                probabilities that are not 0, as networks like them; or 1 and 0, one for each.
        """

    # --- in words -------------------------------------------------------------------------------

    @abstractmethod
    def text(self, design: NDArray[Any]) -> str:
        """One design in print."""

    def units(self, designs: Designs) -> Any:
        """Designs in the user's units, as `Parameters.units` gives them: the caller's own.

        Args:
            designs: One (*shape), or many (n, *shape).

        Returns:
            Without parameters an array as it was.
        """
        if self.parameters is None:
            return np.array(designs)
        return self.parameters.units(self._columns(np.asarray(designs)))

    def describe(self, design: NDArray[Any]) -> Any:
        """One design in the user's units, as plain Python: what is said in files and sheets."""
        units = self.units(design)
        return units.tolist() if isinstance(units, np.ndarray) else units

    def parse(self, given: Any) -> Designs:
        """The design (*shape) that is meant by what somebody wrote.

        Args:
            given: In the user's units, as `describe` says it and `units` gives it. Where these are
                a dict, the numbers of a design will do too.

        Raises:
            ValueError: There is none; says what was expected.
        """
        parameters = self.parameters
        if parameters is not None and (isinstance(given, Mapping) or parameters.form != "dict"):
            return self._from_columns([np.array(each) for each in parameters.columns(given)])
        found = numbers(given)
        found = found[None] if found.ndim == 0 and self.shape == (1,) else found
        expected = f"numbers of shape {self.shape}"
        if parameters is not None:
            expected = f"a dict with {list(parameters.each)}, or {expected}"
        if found.shape != self.shape:
            raise ValueError(f"design: expected {expected}, got {given!r}")
        inside = self.observation_space(1)
        with np.errstate(invalid="ignore"):
            design = found.astype(self.dtype)
        whole = bool((design == found).all()) if self.dtype.kind == "i" else True
        if not whole or not ((design >= inside.low[0]) & (design <= inside.high[0])).all():
            raise ValueError(
                f"design: expected {'whole ' if self.dtype.kind == 'i' else ''}numbers from "
                f"{inside.low[0].tolist()} to {inside.high[0].tolist()}, got {given!r}"
            )
        return self.canonical(design)

    def _columns(self, designs: Designs) -> list[NDArray[Any]]:
        """Coordinates or codes of each parameter, (..., *shape) -> (...,) each."""
        return [designs[..., position] for position in range(self.shape[0])]

    def _from_columns(self, columns: Sequence[NDArray[Any]]) -> Designs:
        """The inverse of `_columns`."""
        return np.stack(columns, axis=-1).astype(self.dtype)

    def grid(self, side: int) -> Designs | None:
        """Designs that show a whole landscape in a picture, (m, *shape); None: it has no room.

        Args:
            side: Points along each of two dimensions.
        """
        return None

    # --- which of many --------------------------------------------------------------------------

    @property
    def listable(self) -> bool:
        """Whether there are so few designs that all of them can be listed."""
        return False

    def decode(self, codes: NDArray[np.integer[Any]]) -> Designs:
        """Designs from their numbers 0 .. size - 1, (...,) -> (..., *shape); finite spaces only."""
        raise TypeError(f"{self!r} has no finite list of designs")

    def encode(self, designs: Designs) -> NDArray[np.int64]:
        """The inverse of `decode`, (..., *shape) -> (...,)."""
        raise TypeError(f"{self!r} has no finite list of designs")

    def marked(self, listed: Designs, in_use: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Of all designs, by number, which are in a list, (R, n, *shape) -> (R, size).

        Args:
            listed: Designs of a listable space.
            in_use: (R, n) which entries of the list count; None: all.
        """
        raise TypeError(f"{self!r} has no finite list of designs")

    def among(
        self, designs: Designs, listed: Designs, in_use: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """Which designs are in a list, (R, m, *shape) and (R, n, *shape) -> (R, m).

        Args:
            designs: To look for.
            listed: Where to look.
            in_use: (R, n) which entries of the list count; None: all.
        """
        return among(designs, listed, in_use)


def design_space_from_dict(given: Mapping[str, Any]) -> DesignSpace:
    """A design space from `DesignSpace.to_dict`.

    Raises:
        ValueError: An unknown kind; lists the known ones.
    """
    return from_dict(DesignSpace, given, "design_space")  # type: ignore[type-abstract]
