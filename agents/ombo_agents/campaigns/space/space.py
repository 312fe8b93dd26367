"""The space of a real campaign: which designs there may be, in the user's units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.space.candidate_list import CandidateFactor
from ombo_agents.campaigns.space.factors import Columns, Factor, Floats
from ombo_agents.campaigns.space.rules import Rule
from ombo_agents.campaigns.space.sequence import SequenceFactor
from ombo_gym.design_spaces.parameters import Parameter
from ombo_gym.quasirandom import shifted
from ombo_gym.randomness import GeneratorBatch

MOST_LISTED = 100_000  # designs of a space with constraints that are all looked at
SAMPLED = 20_000  # designs that are looked at where there are more, or no end of them
_MOST_PARTIAL = 2**22  # combinations on the way to all feasible designs
_MOST_FEATURES = 2**25  # numbers of all designs that are looked at, 256 MiB
_BATCH = 2**14  # designs that are drawn at once
_MOST_DRAWN = 2**19  # designs that are drawn in all
_ZERO = 1e-12  # numbers that are nearer to 0 are 0
_STEPS = (0.25, 0.1, 0.03, 0.01)  # of what numbers span, how far designs around the best are


@dataclass(frozen=True)
class Space:
    """Which designs there may be.

    Attributes:
        factors: What designs are made of, in the user's order.
        rules: Conditions that designs keep.
        plate: The most different values that a plate may have of a column, 1 where it is shared.
        units: Of columns, where they are said.
        written: The space file as data.
        tables: The tables that it names, by file name: header and rows.
        variety: The fewest different values that a plate should have of a column.
    """

    factors: tuple[Factor, ...]
    rules: tuple[Rule, ...] = ()
    plate: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    written: Any = None
    tables: Mapping[str, Any] = field(default_factory=dict)
    variety: Mapping[str, int] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the user's columns, in order."""
        return tuple(name for factor in self.factors for name in factor.columns)

    @property
    def values(self) -> dict[str, Sequence[Any] | None]:
        """The texts that a column may hold; None: it holds numbers."""
        return {name: each for f in self.factors for name, each in f.values.items()}

    @property
    def size(self) -> int | None:
        """Designs without a look at rules; None: no end of them."""
        size = 1
        for factor in self.factors:
            if factor.count is None:
                return None
            size *= factor.count
        return size

    @property
    def parameters(self) -> dict[str, Parameter] | None:
        """What policies see where designs need not be listed; None: they have to be."""
        if self.rules or self.plate or self.variety:
            return None
        found: dict[str, Parameter] = {}
        for factor in self.factors:
            if factor.parameters is None:
                return None
            found |= factor.parameters
        return found

    @property
    def without_rules(self) -> Space:
        """The same factors, whatever goes together in a design or on a plate."""
        return replace(self, rules=(), plate={}, variety={})

    @property
    def snaps(self) -> bool:
        """Whether what is measured between steps or levels is taken for the nearest.

        Where designs are listed, and there is room for more, it stays as it is.
        """
        few = self.size is not None and self.size <= MOST_LISTED
        return self.parameters is not None and only_candidates(self) is None and not few

    def read(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        """The design that is meant by the cells of a row.

        Raises:
            Outside: There is none, rules aside.
        """
        return {name: v for f in self.factors for name, v in f.read(cells).items()}

    def keeps_rules(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Which of n designs keep all rules, (n,)."""
        found = np.ones(count_of(columns), bool)
        for rule in self.rules:
            found &= rule.keeps(columns)
        return found

    def on_grid(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Which of n designs can be proposed as they are, steps and levels considered, (n,)."""
        found = np.ones(count_of(columns), bool)
        for factor in self.factors:
            found &= factor.on_grid(columns)
        return found

    def feature_groups(self, columns: Mapping[str, NDArray[Any]]) -> list[tuple[int, bool]]:
        """Of each feature, which parameter it is of, and whether that is a category."""
        found: list[tuple[int, bool]] = []
        first = 0
        for factor in self.factors:
            some = {name: columns[name][:1] for name in factor.columns}
            groups = factor.groups(factor.features(some).shape[1])
            found += [(first + int(group), factor.category) for group in groups]
            first += int(groups.max(initial=-1)) + 1
        return found

    def features(self, columns: Mapping[str, NDArray[Any]]) -> Floats:
        """What a surrogate sees of n designs, (n, k), with a mean squared distance of about 2/3."""
        weight = max(sum(factor.weight for factor in self.factors), 1)
        parts = [factor.features(columns) for factor in self.factors]
        found: Floats = np.concatenate(parts, axis=1) / np.sqrt(weight)
        return found

    def room(self, count: int) -> int:
        """How many designs of so many there is room for, by what a surrogate sees of each."""
        points = np.full((1, max(sum(factor.cube for factor in self.factors), 1)), 0.5)
        width = int(self.features(self.drawn(points)).shape[1])
        return min(count, _MOST_FEATURES // max(width, 1))

    # --- all designs, or many -------------------------------------------------------------------

    def listed(self) -> Columns | None:
        """All designs that keep the rules; None where they are too many, or without an end."""
        if any(f.count is None or f.count > _MOST_PARTIAL for f in self.factors):
            return None
        every = [factor.listed() for factor in self.factors]
        index = np.zeros((1, 0), np.int32)  # (n, factors so far)
        names: set[str] = set()
        for j, (factor, values) in enumerate(zip(self.factors, every, strict=True)):
            count = count_of(values)
            if len(index) * count > _MOST_PARTIAL:
                return None
            new = np.tile(np.arange(count, dtype=np.int32), len(index))[:, None]
            index = np.concatenate([np.repeat(index, count, axis=0), new], axis=1)
            before = set(names)
            names |= set(factor.columns)
            keep = np.ones(len(index), bool)
            for rule in self.rules:
                if rule.names <= names and not rule.names <= before:
                    spoken = _taken(self.factors[: j + 1], every, index, rule.names)
                    keep &= rule.keeps(spoken) if spoken else True
            index = index[keep]
        if len(index) > self.room(MOST_LISTED):
            return None
        return _taken(self.factors, every, index, set(self.columns))

    def sampled(self, count: int, rng: np.random.Generator, around: Columns | None) -> Columns:
        """Designs that keep the rules: spread evenly, and some near others.

        Args:
            count: How many are spread evenly.
            rng: Where they come from.
            around: Good designs, from the best on; a fifth more designs are near these.

        Raises:
            ValueError: Not one was found; says which rule excludes most.
        """
        spread = self._spread(count, rng, around)
        if around is None or not count_of(around):
            return distinct(spread)
        return distinct(joined([spread, self.near(around, count // 5, rng)]))

    def near(self, around: Columns, count: int, rng: np.random.Generator) -> Columns:
        """Designs that keep the rules near others, at most so many, from wide to narrow."""
        start = taken(around, np.arange(max(count // len(_STEPS), 1)) % count_of(around))
        parts = [self._moved(start, rng, step) for step in _STEPS]
        return joined([taken(part, np.flatnonzero(self._proposable(part))) for part in parts])

    def _spread(self, count: int, rng: np.random.Generator, around: Columns | None) -> Columns:
        cube = max(sum(factor.cube for factor in self.factors), 1)
        rngs = GeneratorBatch([rng], 1)
        found: list[Columns] = []
        kept = drawn = 0
        fewest = np.inf
        while kept < count and drawn < _MOST_DRAWN:
            columns = self.drawn(shifted(rngs, _BATCH, cube)[0])
            good = np.flatnonzero(self._proposable(columns))
            drawn += _BATCH
            kept += len(good)
            fewest = min(fewest, len(good))
            found.append(taken(columns, good))
            if drawn >= 4 * _BATCH and kept and kept / drawn < count / _MOST_DRAWN:
                break
        if around is not None and not kept:
            found.append(taken(around, np.flatnonzero(self._proposable(around))))
        some = joined(found)
        if not count_of(some):
            raise ValueError(self._why_none())
        if count_of(some) < count:
            return self._grown(some, count, rng)
        return taken(some, np.arange(count))

    def _grown(self, some: Columns, count: int, rng: np.random.Generator) -> Columns:
        """More designs by steps from those found, where the rules leave little room."""
        everything = distinct(some)
        for turn in range(40):
            if count_of(everything) >= count:
                break
            start = taken(everything, rng.integers(count_of(everything), size=_BATCH // 2))
            near = self._moved(start, rng, _STEPS[turn % len(_STEPS)])
            good = taken(near, np.flatnonzero(self._proposable(near)))
            everything = distinct(joined([everything, good]))
        return everything

    def drawn(self, points: Floats) -> Columns:
        """Designs at points of the unit cube, (n, sides of all factors), rules aside."""
        found: Columns = {}
        side = 0
        for factor in self.factors:
            found |= factor.drawn(points[:, side : side + factor.cube])
            side += factor.cube
        return found

    def _moved(self, columns: Columns, rng: np.random.Generator, step: float) -> Columns:
        """Designs near others: each factor of each moves with probability a half, or more."""
        found: Columns = {}
        movable = [factor for factor in self.factors if factor.cube]
        chance = max(0.5, 1 / max(len(movable), 1))
        for factor in self.factors:
            own = {name: columns[name] for name in factor.columns}
            if not factor.cube:
                found |= own
                continue
            moves = rng.random(count_of(columns)) < chance
            moved = factor.moved(own, rng, step)
            found |= {name: np.where(moves, moved[name], own[name]) for name in factor.columns}
        return found

    def _proposable(self, columns: Columns) -> NDArray[np.bool_]:
        return self.keeps_rules(columns) & self.on_grid(columns)

    def _why_none(self) -> str:
        rng = np.random.default_rng(0)
        cube = sum(factor.cube for factor in self.factors)
        columns = self.drawn(rng.random((_BATCH, cube)))
        shares = [(float(rule.keeps(columns).mean()), rule.text) for rule in self.rules]
        least = min(shares, default=(0.0, ""))
        return (
            "constraints: expected designs that keep all of them, found none among "
            f"{_MOST_DRAWN:,}; {least[1]!r} alone keeps {least[0]:.2%}; loosen it, and write an "
            "equality of numbers as a mixture"
        )


def count_of(columns: Mapping[str, NDArray[Any]]) -> int:
    """How many designs there are."""
    return len(next(iter(columns.values()))) if columns else 0


def taken(columns: Mapping[str, NDArray[Any]], rows: Any) -> Columns:
    """Some of the designs."""
    return {name: column[rows] for name, column in columns.items()}


def joined(parts: Sequence[Columns]) -> Columns:
    """Designs one behind the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def keys_of(columns: Mapping[str, NDArray[Any]]) -> list[tuple[Any, ...]]:
    """What tells designs apart, (n,): numbers that differ by rounding are the same."""
    lists = [
        column.tolist() if column.dtype == object else _rounded(column).tolist()
        for column in columns.values()
    ]
    return list(zip(*lists, strict=True))


def _rounded(numbers: NDArray[Any]) -> Floats:
    """Numbers with nine digits, each by itself; zero is one number."""
    numbers = numbers.astype(np.float64)
    size = np.where(np.abs(numbers) > _ZERO, np.abs(numbers), 1.0)
    power = 10.0 ** (8 - np.floor(np.log10(size)))
    found: Floats = np.rint(numbers * power) / power + 0.0
    return found


def distinct(columns: Columns) -> Columns:
    """Each design once, in order."""
    first: dict[tuple[Any, ...], int] = {}
    for row, key in enumerate(keys_of(columns)):
        first.setdefault(key, row)
    return taken(columns, np.array(list(first.values()), np.intp))


def _taken(
    factors: Sequence[Factor], every: Sequence[Columns], index: NDArray[np.int32], names: Any
) -> Columns:
    """The columns of some names of combinations, (n, factors) of indices."""
    found: Columns = {}
    for j, factor in enumerate(factors):
        for name in factor.columns:
            if name in names:
                found[name] = every[j][name][index[:, j]]
    return found


def only_candidates(space: Space) -> CandidateFactor | None:
    """The list that a space is nothing but."""
    (first, *others) = space.factors
    return first if not others and isinstance(first, CandidateFactor) else None


def only_sequence(space: Space) -> SequenceFactor | None:
    """The sequence that a space is nothing but."""
    (first, *others) = space.factors
    return first if not others and isinstance(first, SequenceFactor) else None
