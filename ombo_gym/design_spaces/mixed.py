"""Mixed designs: numbers and categories side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces.base import DesignSpace
from ombo_gym.design_spaces.box import RADIUS, BoxDesigns
from ombo_gym.design_spaces.categorical import CategoricalDesigns
from ombo_gym.design_spaces.category_features import category_effects
from ombo_gym.design_spaces.duplicates import Designs
from ombo_gym.design_spaces.finite import FiniteDesigns
from ombo_gym.design_spaces.layout import Layout, Part
from ombo_gym.design_spaces.parameters import (
    Choices,
    Levels,
    Parameters,
    read_parameters,
    warn_of_unscaled,
)
from ombo_gym.design_spaces.relaxations import Relaxation
from ombo_gym.quasirandom import shifted
from ombo_gym.randomness import BatchedGenerator, GeneratorBatch

GLOBAL = 192  # quasi-random candidates
LOCAL = 64  # candidates with the best design's categories, and numbers like its
MUTANTS = 128  # candidates that differ from one of the best designs in a category or level
PARENTS = 8
MUTATIONS = 1.5  # of categories and levels of a mutant, the one that is certain included
STEP = 0.1  # standard deviation of what a mutant's numbers change by

# A few values of many parameters fit any lengthscale, and the likeliest is often the smallest:
# nothing is learnt then. On functions of five parameters, drawn from additive processes, products
# and sums of both, this prior lowers the regret of "ucb" after 28 measurements by a tenth to a
# fifth.
LENGTHSCALE_PRIOR = (0.8, 0.5)


class MixedDesigns(DesignSpace):
    """Named parameters, some numbers and some categories, as float32 in [-1, 1]^D.

    A design holds a coordinate for each number, on its scale, and one for each level of a category:
    1 for the one that is meant, -1 for others. An action is a (q, D) array; the largest of a
    category's coordinates is meant, the first among equals, and numbers with steps are the nearest
    ones. Observations show designs in this, canonical, form, and duplicates are judged by it.

    A surrogate sees numbers as they are, and categories one-hot (or the descriptors of their
    levels), scaled so that the squared distance of two levels is 1, on average over descriptors.

    Args:
        parameters: As `ombo_gym.design_spaces.parameters.parse_parameters` reads them. Where all
            can be counted, the space is one of `FiniteDesigns`.

    Raises:
        ValueError: Parameters that are not written as they should be, numbers that are too close
            together to be told apart, or too many categories.

    Warns:
        UserWarning: Positive numbers span more than 3 decades, and no scale is written.

    Example:
        >>> space = MixedDesigns({"T": (20, 100), "solvent": ["DMF", "THF", "water"]})
        >>> space.parse({"T": 60, "solvent": "THF"}).tolist()
        [0.0, -1.0, 1.0, -1.0]
    """

    kind: ClassVar[str] = "mixed"
    kernel: ClassVar[str] = "matern52"
    lengthscale_prior: ClassVar[tuple[float, float] | None] = LENGTHSCALE_PRIOR
    parameters: Parameters

    def __new__(cls, parameters: Any = None) -> Self:
        """A space with an end of designs is of the class that counts them."""
        countable = parameters is not None and all(
            each.values is not None
            for each in read_parameters(parameters, "parameters")[0].varying.values()
        )
        if countable and cls is MixedDesigns:
            return object.__new__(CountableMixedDesigns)  # type: ignore[return-value]
        return object.__new__(cls)

    def __init__(self, parameters: Parameters | Mapping[str, Any]) -> None:
        self.parameters, unscaled = read_parameters(parameters, "parameters")
        self._layout = Layout(self.parameters)
        self._parts = self._layout.parts
        self.shape = (self._layout.width,)
        self.dtype = np.dtype(np.float32)
        self.cube = len(self._parts)
        self.has_categories = any(part.parameter.category for part in self._parts)
        self.ordered = not self.has_categories
        counts = [part.parameter.count for part in self._parts]
        self.size = 1
        for count in counts:
            self.size = None if count is None or self.size is None else self.size * count
        warn_of_unscaled(unscaled, "parameters")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles as the parameters."""
        return type(self), (self.parameters,)

    def __repr__(self) -> str:
        return f"MixedDesigns({self.summary})"

    @override
    def arguments(self) -> dict[str, Any]:
        return {"parameters": self.parameters.to_dict()}

    @classmethod
    @override
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(Parameters.from_dict(arguments["parameters"]))

    @property
    @override
    def summary(self) -> str:
        categories = sum(part.parameter.category for part in self._parts)
        counted = [(len(self._parts) - categories, "number"), (categories, "choice")]
        return " and ".join(f"{n} {word}{'s' * (n > 1)}" for n, word in counted if n)

    @property
    @override
    def typical_distance(self) -> float:
        return float(np.sqrt(len(self._parts) / 2))

    @property
    @override
    def feature_groups(self) -> NDArray[np.intp]:
        return self._layout.feature_groups

    @property
    @override
    def category_features(self) -> NDArray[np.bool_] | None:
        """Those of parameters without an order, where there are others beside them."""
        of_categories = np.array([part.parameter.category for part in self._parts])
        mixed = of_categories.any() and not of_categories.all()
        return of_categories[self._layout.feature_groups] if mixed else None

    # --- gym spaces, actions and observations ---------------------------------------------------

    @override
    def action_space(self, batch_size: int) -> spaces.Box:
        return spaces.Box(-1.0, 1.0, (batch_size, *self.shape), np.float32)

    @override
    def observation_space(self, capacity: int) -> spaces.Box:
        return spaces.Box(-1.0, 1.0, (capacity, *self.shape), np.float32)

    def designs(self, actions: NDArray[Any]) -> Designs:
        """The canonical designs that are meant, (R, q, D)."""
        return self.canonical(actions)

    @override
    def actions(self, designs: Designs) -> NDArray[Any]:
        return designs.astype(np.float32)

    def canonical(self, designs: Designs) -> Designs:
        """Numbers snapped and within the bounds, categories +1 and -1."""
        return self._layout.designs(self._layout.columns(designs))

    def _columns(self, designs: Designs) -> list[NDArray[Any]]:
        return self._layout.columns(designs)

    def _from_columns(self, columns: Any) -> Designs:
        return self._layout.designs(columns)

    # --- drawing and moving ---------------------------------------------------------------------

    def sample(self, rngs: BatchedGenerator, count: int) -> Designs:
        """Uniform on each number's scale, and over levels."""
        return self.from_unit_cube(rngs.random((count, len(self._parts))))

    @override
    def from_unit_cube(self, points: NDArray[np.float64]) -> Designs:
        columns = [_drawn(part, points[..., i]) for i, part in enumerate(self._parts)]
        return self._layout.designs(columns)

    def spread(self, rngs: BatchedGenerator, count: int) -> Designs:
        """Quasi-random designs with a random shift."""
        return self.from_unit_cube(shifted(rngs, count, len(self._parts)))

    @override
    def candidates(
        self, designs: Designs, values: NDArray[np.float64], extra: int, rngs: BatchedGenerator
    ) -> Designs:
        return self._drawn_candidates(designs, values, extra, rngs)

    def _drawn_candidates(
        self, designs: Designs, values: NDArray[np.float64], extra: int, rngs: BatchedGenerator
    ) -> Designs:
        """Quasi-random designs, those around the best one, and mutants of the best."""
        num_campaigns, n = values.shape
        points = shifted(rngs, GLOBAL + LOCAL, len(self._parts))
        if not n:
            return self.from_unit_cube(points)
        row = np.arange(num_campaigns)[:, None]
        parents = np.argsort(-values, axis=1, kind="stable")[:, :PARENTS]
        best = designs[row, parents[:, :1]]  # (R, 1, D)
        chosen = np.resize(parents.T, (MUTANTS + extra, num_campaigns)).T
        mutants = self.mutate(designs[row, chosen], rngs, mutations=MUTATIONS, step=STEP)
        local = self._around(best, 2 * points[:, :LOCAL] - 1)
        anywhere = self.from_unit_cube(points[:, LOCAL:])
        return np.concatenate([best, local[:, 1:], mutants, anywhere], axis=1)

    def _around(self, best: Designs, points: NDArray[np.float64]) -> Designs:
        """Designs with the same categories, and numbers that differ by up to RADIUS."""
        moved = np.repeat(best.astype(np.float64), points.shape[1], axis=1)
        for i, part in enumerate(self._parts):
            if not part.parameter.category:
                moved[..., part.columns.start] += RADIUS * points[..., i]
        return self.canonical(moved)

    def mutate(
        self, parents: Designs, rngs: BatchedGenerator, *, mutations: float, step: float
    ) -> Designs:
        """One category or level of every parent changes, others so that `mutations` do on average.

        A number with steps goes to another one near by; others move always.
        """
        parts, count = self._parts, parents.shape[1]
        discrete = [i for i, part in enumerate(parts) if part.parameter.values is not None]
        lots = rngs.random((count, 2 * len(parts) + 1))  # (R, m, 2P + 1)
        moves = step * rngs.standard_normal((count, len(parts)))
        sites = np.zeros((*lots.shape[:2], len(parts)), bool)
        if discrete:
            chance = (mutations - 1) / max(len(discrete) - 1, 1)
            sites[..., discrete] = lots[..., discrete] < chance
            certain = np.array(discrete)[(lots[..., -1] * len(discrete)).astype(np.intp)]
            np.put_along_axis(sites, certain[..., None], True, axis=-1)
        columns = []
        for i, (part, column) in enumerate(zip(parts, self._columns(parents), strict=True)):
            moved = _moved(part, column, lots[..., len(parts) + i], moves[..., i])
            is_discrete = part.parameter.values is not None
            columns.append(np.where(sites[..., i], moved, column) if is_discrete else moved)
        return self._layout.designs(columns)

    def recombine(self, first: Designs, second: Designs, rngs: BatchedGenerator) -> Designs:
        """Each parameter of either of both."""
        of_first = rngs.random((first.shape[1], len(self._parts))) < 0.5
        return np.where(of_first[..., self._layout.owners], first, second)

    @property
    @override
    def positions(self) -> NDArray[np.intp]:
        return self._layout.owners

    @property
    def free(self) -> NDArray[np.bool_] | None:
        """Those of numbers without steps."""
        return self._layout.free if self._layout.free.any() else None

    # --- as numbers -----------------------------------------------------------------------------

    @override
    def features(self, designs: Designs) -> NDArray[np.float64]:
        return self._layout.features(np.asarray(designs))

    @override
    def from_features(self, features: NDArray[np.float64]) -> Designs:
        return self._layout.from_features(features)

    def effects(self, designs: Designs) -> NDArray[np.float64]:
        """Numbers on their scale, and orthogonal contrasts of categories."""
        columns = self._columns(np.asarray(designs))
        return np.concatenate(
            [_effects(part, column) for part, column in zip(self._parts, columns, strict=True)],
            axis=-1,
        )

    @override
    def relaxation(self, *, softened: bool = True) -> Relaxation:
        return self._layout.relaxation(softened=softened)

    def text(self, design: NDArray[Any]) -> str:
        """Parameters by name: "T=60, solvent=THF"."""
        return self.parameters.text(self.units(design))


class CountableMixedDesigns(FiniteDesigns, MixedDesigns):
    """Mixed designs whose numbers have steps, so that there is an end of them."""

    @override
    def sample_distinct(self, rngs: BatchedGenerator, count: int) -> Designs:
        weighted = [part.parameter.weights for part in self._parts]
        if all(each is None for each in weighted) or count > self.size // 2:
            return super().sample_distinct(rngs, count)
        return rngs.draw(lambda rng: self._sample_until_distinct(GeneratorBatch([rng], 1), count))

    _drawn_candidates = MixedDesigns._drawn_candidates

    @override
    def decode(self, codes: NDArray[np.integer[Any]]) -> Designs:
        columns, rest = [], np.asarray(codes, np.int64)
        for part in reversed(self._parts):
            rest, column = np.divmod(rest, part.parameter.count or 1)
            columns.append(column)
        return self._layout.designs(columns[::-1])

    def encode(self, designs: Designs) -> NDArray[np.int64]:
        """Numbers of the designs, the last parameter counting fastest, (..., D) -> (...,)."""
        codes = np.zeros(designs.shape[:-1], np.int64)
        for part, column in zip(self._parts, self._columns(designs), strict=True):
            codes = codes * (part.parameter.count or 1) + column
        return codes


def design_space_of(
    parameters: Parameters | Mapping[str, Any], *, argument: str = "parameters"
) -> DesignSpace:
    """The design space that holds the parameters which vary.

    Args:
        parameters: As `parse_parameters` reads them.
        argument: What messages call it.

    Returns:
        Of ranges without steps a box; of lists alone, levels or choices, `CategoricalDesigns`; of
        anything else mixed designs.

    Raises:
        ValueError: Parameters that are not written as they should be, or of too many categories.

    Warns:
        UserWarning: Positive numbers span more than 3 decades, and no scale is written.

    Example:
        >>> design_space_of({"T": (20, 100), "pressure": (1, 5), "vessel": "vial"})
        BoxDesigns(dim=2)
    """
    parameters, unscaled = read_parameters(parameters, argument)
    varying = parameters.varying.values()
    space: DesignSpace
    if all(each.values is None for each in varying):
        space = BoxDesigns.of(parameters)
    elif all(isinstance(each, Levels | Choices) for each in varying):
        space = CategoricalDesigns.of(parameters)
    else:
        space = MixedDesigns(parameters)
    warn_of_unscaled(unscaled, argument)
    return space


def _drawn(part: Part, uniform: NDArray[np.float64]) -> NDArray[Any]:
    """Coordinates or codes at uniform numbers in [0, 1)."""
    count, weights = part.parameter.count, part.parameter.weights
    if count is None:
        return 2 * uniform - 1
    if weights is None:
        return np.minimum((uniform * count).astype(np.intp), count - 1)
    return np.searchsorted(np.cumsum(weights)[:-1], uniform, side="right")


def _moved(
    part: Part, column: NDArray[Any], uniform: NDArray[np.float64], move: NDArray[np.float64]
) -> NDArray[Any]:
    """Another level for every one, a coordinate that is moved."""
    count = part.parameter.count
    if count is None:
        return column + move
    if part.table is None or part.bounds is None:
        return (column + 1 + (uniform * (count - 1)).astype(np.intp)) % count
    nearest = np.searchsorted(part.bounds, part.table[column] + move)
    up = np.where((uniform < 0.5) & (column > 0) | (column == count - 1), -1, 1)
    return np.where(nearest == column, column + up, nearest)


def _effects(part: Part, column: NDArray[Any]) -> NDArray[np.float64]:
    parameter = part.parameter
    if parameter.category:
        return category_effects(column, parameter.count or 1)
    if (levels := parameter.coordinates) is None:
        scaled: NDArray[np.float64] = np.sqrt(3.0) * column.astype(np.float64)
        return scaled[..., None]
    mean = np.average(levels, weights=parameter.weights)
    spread = np.sqrt(np.average((levels - mean) ** 2, weights=parameter.weights))
    found: NDArray[np.float64] = (levels[column] - mean) / (spread or 1.0)
    return found[..., None]
