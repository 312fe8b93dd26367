"""Where designs in the user's units meet a design space that policies understand.

A space without constraints is a box, categories or mixed designs, as in every environment. Others
are pools of candidates: of all feasible designs where these are at most 100,000, else of many,
drawn anew for each plate.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.space.factors import Columns, Floats, ParameterFactor
from ombo_agents.campaigns.space.space import (
    SAMPLED,
    Space,
    count_of,
    distinct,
    joined,
    keys_of,
    only_candidates,
    only_sequence,
    taken,
)
from ombo_gym.design_spaces import (
    CandidateDesigns,
    CategoryPool,
    Designs,
    DesignSpace,
    design_space_of,
)
from ombo_gym.design_spaces.parameters import Levels, Number, Parameter, Parameters
from ombo_gym.design_spaces.part import PartOfDesigns

_SMALLEST = 1e-12  # variance of a feature, relative to the largest, that is none
_MEAN_SQUARED = 2 / 3  # distance of two candidates, as of every pool
_LEVELS_OF_A_PLATE = 24  # values that are looked at for what is shared by a plate and is continuous


@dataclass(frozen=True)
class Encoding:
    """A design space, and what its designs are in the user's units.

    Attributes:
        space: The user's.
        design_space: The policies'.
        pool: The candidates where it is a pool; else None.
        exact: Whether the pool is all there is.
    """

    space: Space
    design_space: DesignSpace
    pool: Columns | None = None
    exact: bool = True

    def encode(self, columns: Mapping[str, NDArray[Any]]) -> Designs:
        """Designs (n, *shape) of the design space.

        Raises:
            ValueError: One is not in the pool.
        """
        n = count_of(columns)
        if self.pool is not None:
            index = {key: i for i, key in enumerate(keys_of(self.pool))}
            given = keys_of({name: columns[name] for name in self.pool})
            return np.array([index[key] for key in given], np.int64).reshape(n, 1)
        seen: Columns = {}
        for factor in self.space.factors:
            seen |= factor.in_parameters(columns)
        parameters = self.design_space.parameters
        assert parameters is not None
        each = [_coordinates(p, seen[name]) for name, p in parameters.varying.items()]
        found: Designs = self.design_space._from_columns(each)
        return found.reshape(n, *self.design_space.shape)

    def decode(self, designs: Designs) -> Columns:
        """Columns (n,) of designs (n, *shape)."""
        if self.pool is not None:
            return taken(self.pool, designs[:, 0])
        units = {
            name: np.asarray(column) for name, column in self.design_space.units(designs).items()
        }
        found: Columns = {}
        for factor in self.space.factors:
            found |= factor.from_parameters(units)
        return found


def _coordinates(parameter: Parameter, column: NDArray[Any]) -> NDArray[Any]:
    """Coordinates of numbers, or codes of values that can be counted, (n,)."""
    if isinstance(parameter, Number) and parameter.values is None:
        return parameter.position(column.astype(np.float64))
    values = column.tolist()
    codes = {value: parameter.column(value) for value in dict.fromkeys(values)}
    return np.array([codes[value] for value in values], np.intp)


def encoding_of(
    space: Space,
    rows: Columns,
    best_first: NDArray[np.intp],
    seed: int,
    *,
    snap: bool = False,
    whole: bool = False,
) -> Encoding:
    """The design space of a campaign, as far as it has come.

    Args:
        space: The user's.
        rows: Designs that are measured or pending.
        best_first: Which of them are measured, from the best on.
        seed: Of what is drawn.
        snap: Whether what is measured between steps is taken for the nearest wherever it can be, so
            that the design space does not depend on what was measured.
        whole: Whether a pool's features are those of the space without rules, wherever that is one
            design space, so that what was learnt of it holds.

    Raises:
        ValueError: There are no feasible designs.
    """
    parameters = space.parameters
    if parameters is not None and only_candidates(space) is None:
        off_grid = count_of(rows) and not space.on_grid(rows).all()
        if snap or space.snaps or not off_grid:
            return Encoding(space, _quietly(parameters))
    feasible = _feasible(space)
    exact = feasible is not None
    if feasible is None:
        narrowed = _with_levels_of_plates(space, rows, best_first)
        rng = np.random.default_rng([seed, count_of(rows)])
        around = taken(rows, best_first[: max(len(best_first) // 5, 5)]) if count_of(rows) else None
        feasible = narrowed.sampled(space.room(SAMPLED), rng, around)
    _check_some(space, feasible)
    pool = feasible
    if count_of(rows):
        known = set(keys_of(feasible))
        new = [
            i for i, key in enumerate(keys_of(taken_in_order(rows, feasible))) if key not in known
        ]
        if new:
            pool = joined([feasible, distinct(taken(taken_in_order(rows, feasible), new))])
    if whole and space.without_rules != space and (part := _part_of_all(space, pool)) is not None:
        return Encoding(space, part, pool, exact)
    return Encoding(space, _pool_of(space, pool), pool, exact)


def _part_of_all(space: Space, pool: Columns) -> PartOfDesigns | None:
    """A pool as some of the designs of the space without rules; None: they are not all of it."""
    free = space.without_rules
    parameters = free.parameters
    if parameters is not None and only_candidates(free) is None:
        everything = Encoding(free, _quietly(parameters))
    elif (listed := _feasible(free)) is not None:
        everything = Encoding(free, _pool_of(free, listed), listed)
        known = set(keys_of(listed))
        if not known.issuperset(keys_of(taken_in_order(pool, listed))):
            return None  # measured between steps
    else:
        return None
    return PartOfDesigns(everything.design_space, everything.encode(pool))


def check_feasible(space: Space) -> None:
    """Refuses constraints that rule out every design.

    Raises:
        ValueError: They do; lists them, or says which excludes most.
    """
    if not space.rules:
        return
    feasible = _feasible(space)
    if feasible is None:
        space.sampled(1, np.random.default_rng(0), None)
    else:
        _check_some(space, feasible)


def _check_some(space: Space, feasible: Columns) -> None:
    if not count_of(feasible):
        rules = ", ".join(repr(rule.text) for rule in space.rules)
        raise ValueError(
            f"constraints: expected designs that keep all of {rules}, got none; loosen one of them"
        )


def _quietly(parameters: Mapping[str, Parameter]) -> DesignSpace:
    """The design space of parameters; what there is to say of wide ranges, `check` says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return design_space_of(Parameters(parameters))


def _feasible(space: Space) -> Columns | None:
    """All designs; None where they are too many. Of long lists, policies look at parts."""
    candidates = only_candidates(space)
    return candidates.listed() if candidates and not space.rules else space.listed()


def taken_in_order(rows: Columns, like: Columns) -> Columns:
    """The same columns in the order of others."""
    return {name: rows[name] for name in like}


def restricted(encoding: Encoding, keep: NDArray[np.bool_]) -> Encoding:
    """A pool with some of its candidates, features as they were."""
    assert encoding.pool is not None
    design_space = encoding.design_space
    assert isinstance(design_space, CandidateDesigns)
    if isinstance(design_space, PartOfDesigns):
        pool = taken(encoding.pool, np.flatnonzero(keep))
        return Encoding(encoding.space, design_space.some(keep), pool, exact=encoding.exact)
    smaller = CandidateDesigns(
        design_space.pool_features[keep],
        scale="none",
        groups=design_space.feature_groups.tolist(),
        is_category=design_space.is_category,
    )
    pool = taken(encoding.pool, np.flatnonzero(keep))
    return Encoding(encoding.space, smaller, pool, exact=encoding.exact)


def _pool_of(space: Space, pool: Columns) -> CandidateDesigns:
    candidates = only_candidates(space)
    if candidates is not None and not space.rules:
        rows = [candidates.index[name] for name in pool[candidates.name].tolist()]
        scale = candidates.scale or "linear"
        return CandidateDesigns(
            candidates.table[rows], scale=scale if isinstance(scale, str) else list(scale)
        )
    if (sequence := only_sequence(space)) is not None:
        return CategoryPool(sequence.codes(pool[sequence.name].tolist()))
    return _pool_of_features(space.features(pool), space.feature_groups(pool))


def _pool_of_features(features: Floats, each: list[tuple[int, bool]]) -> CandidateDesigns:
    """A pool as mixed designs are seen: without constants, each parameter with a lengthscale.

    Args:
        features: (n, k).
        each: Of each feature, which parameter it is of, and whether that is a category.
    """
    variances = features.var(axis=0)
    kept = np.flatnonzero(variances > _SMALLEST * variances.max(initial=0.0))
    if not len(kept):
        return CandidateDesigns(np.zeros((len(features), 1)), scale="none")
    some = features[:, kept] - features[:, kept].mean(axis=0)
    groups = np.unique([each[i][0] for i in kept], return_inverse=True)[1]
    return CandidateDesigns(
        some * np.sqrt(_MEAN_SQUARED / (2 * variances[kept].sum())),
        scale="none",
        groups=groups.tolist(),
        is_category=[each[i][1] for i in kept],
    )


def _with_levels_of_plates(space: Space, rows: Columns, best_first: NDArray[np.intp]) -> Space:
    """The space with few values of those columns that a plate has few values of.

    Wells of a plate can only have one temperature if many candidates have it.
    """
    factors = list(space.factors)
    for j, factor in enumerate(factors):
        named = isinstance(factor, ParameterFactor) and factor.name in space.plate
        if not named or not isinstance(factor, ParameterFactor):
            continue
        parameter = factor.parameter
        many = parameter.count is None or parameter.count > _LEVELS_OF_A_PLATE
        if isinstance(parameter, Number) and many:
            shares = (np.arange(_LEVELS_OF_A_PLATE) + 0.5) / _LEVELS_OF_A_PLATE
            even = factor.drawn(shares[:, None])[factor.name]
            best = rows[factor.name][best_first[:5]] if count_of(rows) else even[:0]
            ends = np.array([parameter.low, parameter.high])
            levels = np.unique(np.concatenate([even, best, ends]).astype(np.float64))
            factors[j] = replace(factor, parameter=Levels(tuple(levels.tolist()), parameter.scale))
    return replace(space, factors=tuple(factors))
