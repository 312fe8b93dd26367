"""Sequences, recipes, bit strings, settings with levels: categories at each of some positions."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces.category_features import (
    category_effects,
    check_names,
    check_number_of_categories,
    checked_categories,
    checked_levels,
    level_effects,
    on_scale,
    one_hot,
)
from ombo_gym.design_spaces.duplicates import Designs
from ombo_gym.design_spaces.finite import (
    MUTANTS,
    MUTATIONS,
    PARENTS,
    RANDOM,
    FiniteDesigns,
    smallest_signed,
)
from ombo_gym.design_spaces.local_optima import around_peaks_of_positions
from ombo_gym.design_spaces.parameters import Choices, Number, Parameters
from ombo_gym.design_spaces.relaxations import (
    Levels,
    OneHotLogits,
    Relaxation,
    SideBySide,
    SoftenedLogits,
)
from ombo_gym.randomness import BatchedGenerator

_SHORT = 3  # characters of a label that has room in a picture's cell
_LISTED_NEIGHBOURS = 2**22  # of leaders, above which they are drawn


class CategoricalDesigns(FiniteDesigns):
    """L positions, each with categories 0 .. n - 1: sequences, recipes, bit strings, levels.

    An action is the q designs one after the other, a `MultiDiscrete` of length q * L. Features are
    one-hot, scaled so that the squared distance of two designs is the number of positions in which
    they differ (Hamming). A position whose categories are levels of a quantity has one number,
    scaled so that the mean squared distance of uniform designs is the same; so are the descriptors
    of categories that have some.

    Args:
        categories: n for each of the L positions.
        alphabet: Letters of the categories, for designs that are strings; only for printing.
        labels: Names of each position's categories, where they differ; likewise.
        separator: What stands between the labels of a design in print.
        levels: Of each position, what its categories amount to, ascending, where they are levels of
            a quantity; None at the others. None: there is no such position.
        ordinal: Whether all positions are levels, evenly spaced: short for such `levels`.
        parameters: What positions and categories are called, where they have units; see `of`.

    Raises:
        ValueError: Categories that are no list of whole numbers of at least 1, letters, labels or
            levels that do not go with them, levels that do not ascend, or more than 65,536
            categories without an order in all.
    """

    kind: ClassVar[str] = "categorical"
    kernel: ClassVar[str] = "rbf"

    def __init__(
        self,
        categories: Sequence[int],
        *,
        alphabet: str | None = None,
        labels: Sequence[Sequence[str]] | None = None,
        separator: str = " | ",
        levels: Sequence[Sequence[float] | None] | None = None,
        ordinal: bool = False,
        parameters: Parameters | None = None,
    ) -> None:
        self.parameters = parameters
        self.categories = checked_categories(categories)  # (L,)
        check_names(self.categories, alphabet, labels)
        if ordinal and levels is None:
            levels = [range(n) for n in self.categories.tolist()]
        self.levels = checked_levels(levels, self.categories)
        self.is_level = np.array([each is not None for each in self.levels])  # (L,)
        self._described = {} if parameters is None else _described(parameters)
        nominal = ~self.is_level  # (L,) positions that surrogates see one-hot
        nominal[list(self._described)] = False
        check_number_of_categories("categories", self.categories[~self.is_level].tolist())
        varying = self.categories > 1  # (L,) where there is one category only, nothing is seen
        seen = varying if varying.any() else np.ones_like(varying)
        self._nominal, self._level = nominal & seen, self.is_level & seen
        self._varying = max(int(varying.sum()), 1)
        self.ordered = bool(self.is_level.all())
        self.has_categories = not self.ordered
        self.alphabet = alphabet
        self.labels = labels
        self.separator = separator
        self.length = len(self.categories)
        self.shape = (self.length,)
        self.dtype = np.dtype(np.int64)
        self.size = 1
        for n in self.categories.tolist():  # Python integers do not overflow
            self.size *= n
        self._steps = [
            None if each is None else on_scale(np.array(each, np.float64)) for each in self.levels
        ]

    @classmethod
    def of(cls, parameters: Parameters) -> Self:
        """Positions that are parameters of levels or choices."""
        varying = list(parameters.varying.values())
        return cls(
            [each.count or 0 for each in varying],
            labels=[[each.text(value) for value in each.values or ()] for each in varying],
            levels=[each.on_scale if isinstance(each, Number) else None for each in varying],
            parameters=parameters,
        )

    def __repr__(self) -> str:
        return f"CategoricalDesigns({self.categories.tolist()})"

    @override
    def arguments(self) -> dict[str, Any]:
        if self.parameters is not None:
            return {"parameters": self.parameters.to_dict()}
        found: dict[str, Any] = {"categories": self.categories.tolist()}
        if self.is_level.any():
            found["levels"] = [None if each is None else list(each) for each in self.levels]
        if self.alphabet is not None:
            found["alphabet"] = self.alphabet
        if self.labels is not None:
            found["labels"] = [list(names) for names in self.labels]
            found["separator"] = self.separator
        return found

    @classmethod
    @override
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        if "parameters" in arguments:
            return cls.of(Parameters.from_dict(arguments["parameters"]))
        return cls(**arguments)

    @property
    @override
    def summary(self) -> str:
        counts = self.categories.tolist()
        if len(set(counts)) > 1:
            return "x".join(map(str, counts)) + " choices"
        if counts[0] == 2:
            return f"{len(counts)} bits"
        return f"{counts[0]}^{len(counts)} " + ("sequences" if self.alphabet else "choices")

    @property
    @override
    def typical_distance(self) -> float:
        return float(np.sqrt(self._varying / 2))

    @property
    @override
    def feature_groups(self) -> NDArray[np.intp]:
        positions = [
            np.full(table.shape[-1], position) for position, table in self._described.items()
        ]
        nominal, level = np.flatnonzero(self._nominal), np.flatnonzero(self._level)
        if len(nominal):
            categories = self.categories[nominal]
            width = one_hot(np.zeros((1, len(nominal)), np.intp), categories).shape[-1]
            padded = width == len(nominal) * int(categories.max())
            sizes = np.full(len(nominal), categories.max()) if padded else categories
            positions.insert(0, np.repeat(nominal, sizes))
        positions.append(level)
        owners = np.concatenate(positions).astype(np.intp)  # (k,) positions
        return np.unique(owners, return_inverse=True)[1].astype(np.intp)

    @override
    def action_space(self, batch_size: int) -> spaces.MultiDiscrete:
        return spaces.MultiDiscrete(np.tile(self.categories, batch_size))

    def observation_space(self, capacity: int) -> spaces.Box:
        """In the smallest signed integers that hold every category."""
        dtype = smallest_signed(int(self.categories.max()) - 1)
        high = np.broadcast_to(self.categories - 1, (capacity, self.length)).astype(dtype)
        return spaces.Box(np.zeros_like(high), high, dtype=dtype.type)

    # --- drawing and moving ---------------------------------------------------------------------

    @override
    def sample(self, rngs: BatchedGenerator, count: int) -> Designs:
        categories = self.categories
        return rngs.draw(lambda rng: rng.integers(categories, size=(count, len(categories))))

    def _drawn_candidates(
        self, designs: Designs, values: NDArray[np.float64], extra: int, rngs: BatchedGenerator
    ) -> Designs:
        """Mutants of the best designs, and uniform ones."""
        num_campaigns, n = values.shape
        if not n:
            return super()._drawn_candidates(designs, values, extra, rngs)
        parents = np.argsort(-values, axis=1, kind="stable")[:, :PARENTS]
        chosen = np.resize(parents.T, (MUTANTS + extra, num_campaigns)).T
        mutants = self.mutate(
            designs[np.arange(num_campaigns)[:, None], chosen], rngs, mutations=MUTATIONS, step=0.0
        )
        mutants[:, 0] = designs[np.arange(num_campaigns), parents[:, 0]]
        return np.concatenate([mutants, self.sample(rngs, RANDOM)], axis=1)

    def mutate(
        self, parents: Designs, rngs: BatchedGenerator, *, mutations: float, step: float
    ) -> Designs:
        """One position of every parent changes, and others so that `mutations` do on average."""
        count, length = parents.shape[1], self.length
        numbers = rngs.random((count, 2 * length + 1))  # (R, m, 2L + 1)
        sites = numbers[..., :length] < (mutations - 1) / max(length - 1, 1)
        certain = (numbers[..., -1] * length).astype(np.intp)
        np.put_along_axis(sites, certain[..., None], True, axis=-1)
        steps = 1 + (numbers[..., length:-1] * (self.categories - 1)).astype(np.int64)
        return np.where(sites, (parents + steps) % self.categories, parents)

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
        shape = min(leaders, values.shape[1]), self.length, int(self.categories.max())
        if math.prod(shape) > _LISTED_NEIGHBOURS:
            return super().around_peaks(
                designs, values, rngs, leaders=leaders, count=count, neighbours=neighbours
            )
        return around_peaks_of_positions(
            self.categories, self.is_level, designs, values, rngs.random(shape), count=count
        )

    # --- as numbers -----------------------------------------------------------------------------

    @override
    def features(self, designs: Designs) -> NDArray[np.float64]:
        designs = np.asarray(designs)
        if self.ordered:
            return self._level_features(designs)
        nominal = self._nominal
        if nominal.all():
            return one_hot(designs, self.categories)
        parts = [table[designs[..., position]] for position, table in self._described.items()]
        if nominal.any():
            parts.insert(0, one_hot(designs[..., nominal], self.categories[nominal]))
        if self._level.any():
            parts.append(self._level_features(designs))
        return np.concatenate(parts, axis=-1)

    def _level_features(self, designs: Designs) -> NDArray[np.float64]:
        """One number for each position of levels, (..., L) -> (..., levels)."""
        columns = [
            steps[designs[..., position]]
            for position, steps in enumerate(self._steps)
            if steps is not None and self._level[position]
        ]
        return np.stack(columns, axis=-1)

    def differing(self, first: Designs, second: Designs) -> NDArray[np.float64] | None:
        """Hamming distances, without the features; None where they measure otherwise."""
        if self.is_level.any() or self._described:
            return None
        distances = np.zeros((len(first), first.shape[1], second.shape[1]))  # (R, m, n)
        for position in range(self.length):
            distances += first[:, :, None, position] != second[:, None, :, position]
        return distances

    def effects(self, designs: Designs) -> NDArray[np.float64]:
        """Main effects: orthogonal contrasts of each position's categories, ordered ones too.

        More than 1,024 levels have one linear effect.
        """
        columns = [
            category_effects(designs[..., position], n)
            if (steps := self._steps[position]) is None
            else level_effects(designs[..., position], steps)
            for position, n in enumerate(self.categories.tolist())
        ]
        return np.concatenate(columns, axis=-1)

    @override
    def relaxation(self, *, softened: bool = True) -> Relaxation:
        logits = SoftenedLogits if softened else OneHotLogits
        if self.ordered:
            return Levels(self.categories)
        if not self.is_level.any():
            return logits(self.categories)
        nominal, level = np.flatnonzero(~self.is_level), np.flatnonzero(self.is_level)
        parts: list[tuple[Relaxation, NDArray[np.intp]]] = [
            (logits(self.categories[nominal]), nominal),
            (Levels(self.categories[level]), level),
        ]
        return SideBySide(parts, self.length)

    # --- which of many --------------------------------------------------------------------------

    @override
    def decode(self, codes: NDArray[np.integer[Any]]) -> Designs:
        designs = np.empty((*codes.shape, self.length), np.int64)
        rest = np.asarray(codes, np.int64)
        for position in reversed(range(self.length)):
            rest, designs[..., position] = np.divmod(rest, self.categories[position])
        return designs

    def encode(self, designs: Designs) -> NDArray[np.int64]:
        """Numbers of the designs, the last position counting fastest, (..., L) -> (...,)."""
        codes = np.zeros(designs.shape[:-1], np.int64)
        for position, n in enumerate(self.categories):
            codes = codes * n + designs[..., position]
        return codes

    # --- in words -------------------------------------------------------------------------------

    def letter(self, position: int, category: int) -> str:
        """A category in a few characters: its letter, its label where all are short, its number."""
        if self.alphabet is not None:
            return self.alphabet[category]
        if self.labels is not None and max(map(len, self.labels[position])) <= _SHORT:
            return self.labels[position][category]
        return str(category)

    def text(self, design: NDArray[np.integer[Any]]) -> str:
        """The design as a string of the alphabet, its labels, or its categories with hyphens."""
        if self.parameters is not None:
            return self.parameters.text(self.units(design))
        if self.labels is not None:
            names = (self.labels[i][c] for i, c in enumerate(design))
            return self.separator.join(names)
        if self.alphabet is None:
            return "-".join(str(c) for c in design)
        return "".join(self.alphabet[c] for c in design)

    def describe(self, design: NDArray[Any]) -> Any:
        """Without parameters: a string of the alphabet, a list of labels, or of categories."""
        if self.parameters is None and self.labels is not None:
            return [self.labels[i][c] for i, c in enumerate(design)]
        if self.parameters is None and self.alphabet is not None:
            return self.text(design)
        return super().describe(design)

    @override
    def parse(self, given: Any) -> Designs:
        names = self.labels or ([self.alphabet] * self.length if self.alphabet else None)
        texts = isinstance(given, str | list | tuple) and all(isinstance(c, str) for c in given)
        if self.parameters is not None or names is None or not texts:
            return super().parse(given)
        known = len(given) == self.length and all(map(operator.contains, names, given))
        if not known:
            expected = f"{self.length} letters of {self.alphabet!r}"
            if self.labels is not None:
                expected = f"a label of each of {self.length} positions"
            raise ValueError(f"design: expected {expected}, got {given!r}")
        return np.array(
            [labels.index(c) for labels, c in zip(names, given, strict=True)], self.dtype
        )


def _described(parameters: Parameters) -> dict[int, NDArray[np.float64]]:
    """Features of the categories (n, k) by position, where descriptors stand for them."""
    return {
        position: each.table
        for position, each in enumerate(parameters.varying.values())
        if isinstance(each, Choices) and each.descriptors
    }
