"""Arrays of designs and their values as a pool of candidates."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import members, shown
from ombo_gym.design_spaces import CandidateDesigns, CategoryPool
from ombo_gym.design_spaces.category_features import MOST_CATEGORIES
from ombo_gym.design_spaces.finite import LISTED
from ombo_gym.design_spaces.scales import warn_of_wide_spans
from ombo_gym.problems.core.measured import Measurements, group_replicates
from ombo_gym.problems.own.array_files import GivenArray, check_finite, check_rows, read_array

X_KINDS = ("numbers", "categories")

_BY_DTYPE = {"f": "numbers", **dict.fromkeys("biuUS", "categories")}
_LISTED_COLUMNS = 8  # in messages


@dataclass(frozen=True)
class ArrayPool:
    """What arrays of n measured designs say.

    Attributes:
        design_space: The m different rows of x, in their order of appearance.
        measurements: What came of them.
        rows: (m, d) as they stand in x.
        columns: Names of the d columns, x0, x1 and so on.
        kind: "numbers" or "categories".
        sources: The files.
        digest: Changes with what is in the arrays.
        arguments: What makes it again, as JSON holds it.
        description: A few lines in print.
    """

    design_space: CandidateDesigns
    measurements: Measurements
    rows: NDArray[Any]
    columns: list[str]
    kind: str
    sources: tuple[Path, ...]
    digest: str
    arguments: dict[str, Any]
    description: str


def check_arrays_alone(csv: Any, x: Any, y: Any, others: Mapping[str, Any]) -> None:
    """Refuses arrays beside a CSV file, or beside arguments that describe one.

    Args:
        csv: As given.
        x: As given.
        y: As given.
        others: Arguments that describe a file, by name.

    Raises:
        ValueError: There is such a thing; names it.
    """
    if csv is not None:
        raise ValueError(
            f"csv, x, y: expected a file, csv={csv!r}, or the arrays x and y, got both; leave one "
            "of them out"
        )
    for name, given, other in (("x", x, "y"), ("y", y, "x")):
        if given is None:
            raise ValueError(f"{name}: expected an array beside {other}, got None")
    given_too = [name for name, each in others.items() if each is not None and not _is_empty(each)]
    if given_too:
        raise ValueError(
            f"{', '.join(given_too)}: expected nothing beside x and y, since these describe a "
            "csv file; say what arrays hold by x_kind, log and minimise"
        )


def _is_empty(given: Any) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str) and len(given) == 0


def read_array_pool(
    x: Any, y: Any, *, x_kind: str | None, log: Sequence[str], minimise: bool
) -> ArrayPool:
    """Reads x, (n, d) designs, and y, (n,) or (n, 1) values.

    Args:
        x: Path, list of paths, array or nested list.
        y: Likewise.
        x_kind: One of `X_KINDS`; None: floats are numbers, everything else categories.
        log: Columns of numbers above 0 of which the logarithm is seen, "x0" or others.
        minimise: Whether low values are good.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: An array that is not as described, or too large; says what to do.
    """
    if x_kind is not None and (not isinstance(x_kind, str) or x_kind not in X_KINDS):
        raise ValueError(f"x_kind: expected one of {list(X_KINDS)} or None, got {shown(x_kind)}")
    designs, values = read_array("x", x), read_array("y", y)
    kind = _checked_designs(designs, x_kind)
    _check_values(values)
    check_rows(designs, values)
    check_finite(designs)
    check_finite(values)
    rows = _as_kind(designs, kind)  # (n, d)
    measured = values.whole(np.float64).reshape(-1)  # (n,)
    first, codes = _different(rows)  # (m,), (n,)
    if not 2 <= len(first) <= LISTED:
        raise ValueError(
            f"x: expected from two to {LISTED:,} different designs, got {len(first):,} among "
            f"{len(rows):,} rows"
        )
    digest = hashlib.sha256(f"{rows.dtype}{rows.shape}".encode())
    digest.update(np.ascontiguousarray(rows).data)
    digest.update(measured.data)
    came = -measured if minimise else measured
    pool = rows if len(first) == len(rows) else rows[first]
    columns = [f"x{number}" for number in range(rows.shape[1])]
    space = _design_space(pool, kind, _log_columns(log, columns, kind))
    arguments = {
        "x": designs.written,
        "y": values.written,
        "x_kind": kind,
        "log": list(log),
        "minimise": bool(minimise),
    }
    return ArrayPool(
        design_space=space,
        measurements=group_replicates(codes, came, len(first)),
        rows=pool,
        columns=columns,
        kind=kind,
        sources=designs.sources + values.sources,
        digest=digest.hexdigest(),
        arguments=arguments,
        description=_description(designs, pool, space, measured, minimise),
    )


def _checked_designs(x: GivenArray, x_kind: str | None) -> str:
    """What x holds, after a look at shapes, dtypes and sizes, and at no entry."""
    x.check_kind("".join(_BY_DTYPE), "numbers or categories")
    for name, part in zip(x.names, x.parts, strict=True):
        if part.ndim != 2 or part.shape[1] == 0:
            more = "; one-hot designs and logits (n, L, V) become categories by x.argmax(axis=2)"
            raise ValueError(
                f"{name}: expected designs (n, d), a row each, got an array of shape {part.shape}"
                f"{more if part.ndim == 3 else ''}"
            )
    shapes = {part.shape[1]: name for name, part in zip(x.names, x.parts, strict=True)}
    kinds = {_BY_DTYPE[part.dtype.kind]: name for name, part in zip(x.names, x.parts, strict=True)}
    for what, found in (("as many columns", shapes), ("the same kind of entries", kinds)):
        if len(found) > 1:
            each = ", ".join(f"{value} in {name}" for value, name in found.items())
            raise ValueError(f"x: expected {what} in all shards, got {each}")
    kind = x_kind or next(iter(kinds))
    if kind == "numbers":
        x.check_kind("fiub", "numbers (or x_kind='categories')")
    if len(x) == 0:
        raise ValueError("x: expected at least two designs, got none")
    x.check_size(8 if kind == "numbers" else None)
    return kind


def _check_values(y: GivenArray) -> None:
    y.check_kind("fiu", "values that are numbers")
    for name, part in zip(y.names, y.parts, strict=True):
        if part.ndim != 1 and part.shape[1:] != (1,):
            raise ValueError(
                f"{name}: expected one value a design, (n,) or (n, 1), got an array of shape "
                f"{part.shape}"
            )
    y.check_size(8)


def _as_kind(x: GivenArray, kind: str) -> NDArray[Any]:
    """All rows of x, (n, d): float64, or whole numbers or texts of their own dtype."""
    if kind == "numbers":
        found = x.whole(np.float64)
        found += 0.0  # -0.0 is 0.0
        return found
    found = x.whole()
    if found.dtype.kind == "f":
        if (odd := found != np.rint(found)).any():
            row, column = np.argwhere(odd)[0].tolist()
            raise ValueError(
                f"x: expected whole numbers, as x_kind='categories' says, got "
                f"{found[row, column]} in row {row}, column {column}, counted from 0"
            )
        found = found.astype(np.int64)
    return found


def _different(rows: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where different rows appear first, (m,), and which of them each row is, (n,)."""
    packed = np.ascontiguousarray(rows)
    as_bytes = packed.view(np.dtype((np.void, packed.dtype.itemsize * packed.shape[1])))[:, 0]
    _, first, which = np.unique(as_bytes, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")  # of appearance
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[which.reshape(-1)]


def _log_columns(log: Any, columns: Sequence[str], kind: str) -> list[int]:
    """Numbers of the columns that are named."""
    names = [] if isinstance(log, str) else members(log)
    number = {name: i for i, name in enumerate(columns)}
    if (
        isinstance(log, str)
        or names is None
        or not all(isinstance(name, str) and name in number for name in names)
    ):
        raise ValueError(
            f"log: expected columns among {columns[0]!r} .. {columns[-1]!r}, got {shown(log)}"
        )
    if names and kind != "numbers":
        raise ValueError(f"log: expected numbers in x, which holds {kind}; got {shown(log)}")
    return [number[name] for name in names]


def _design_space(pool: NDArray[Any], kind: str, log: Sequence[int]) -> CandidateDesigns:
    if kind == "categories":
        return CategoryPool(_category_codes(pool))
    for column in log:
        if (low := pool[:, column].min()) <= 0:
            raise ValueError(
                f"log: expected columns of numbers above 0, got {low:g} in 'x{column}'"
            )
    others = np.setdiff1d(np.arange(pool.shape[1]), log).tolist()
    warn_of_wide_spans(
        {f"x{column}": pool[:, column] for column in others if pool[:, column].min() > 0},
        argument="x",
        remedy="name them in log=[...], or scale x before it is saved",
    )
    if not log:
        return CandidateDesigns(pool, scale="linear")
    chosen = set(log)
    scales = ["log" if column in chosen else "linear" for column in range(pool.shape[1])]
    return CandidateDesigns(pool, scale=scales)


def _category_codes(pool: NDArray[Any]) -> NDArray[np.integer[Any]]:
    """Numbers from 0 of the categories of each position, those that occur, ascending, (m, L)."""
    codes = np.empty(pool.shape, np.int32)
    total = 0
    for position in range(pool.shape[1]):
        codes[:, position] = _ranks(pool[:, position])
        total += int(codes[:, position].max()) + 1
        if total > MOST_CATEGORIES:
            raise ValueError(
                f"x: expected at most {MOST_CATEGORIES:,} categories in all columns together, got "
                f"more in the first {position + 1}; whole numbers are taken as categories: where "
                "they are numbers, say x_kind='numbers'"
            )
    return codes


def _ranks(column: NDArray[Any]) -> NDArray[np.integer[Any]]:
    """Which of the different entries, ascending, each entry is, (n,)."""
    if column.dtype.kind in "iu":
        low, high = int(column.min()), int(column.max())
        if high - low < MOST_CATEGORIES:  # counting is faster than sorting
            unsigned = column.astype(np.uint64)  # whose differences go round and do not overflow
            offsets = (unsigned - np.full(1, low % 2**64, np.uint64)).astype(np.intp)
            ranks = np.cumsum(np.bincount(offsets) > 0) - 1
            found: NDArray[np.integer[Any]] = ranks[offsets]
            return found
    return np.unique(column, return_inverse=True)[1].reshape(-1)


def _description(
    x: GivenArray,
    pool: NDArray[Any],
    space: CandidateDesigns,
    values: NDArray[np.float64],
    minimise: bool,
) -> str:
    """What was understood, in three lines."""
    names = [path.name for path in x.sources]
    where = "arrays" if not names else names[0] if len(names) == 1 else f"{names[0]} and further"
    d = pool.shape[1]
    if not isinstance(space, CategoryPool):
        low, high = pool.min(axis=0), pool.max(axis=0)  # (d,) each
        what = f"{d:,} numbers, {int((high > low).sum()):,} of which vary"
    else:
        counts = space.categories.max(axis=0).astype(int) + 1  # (d,)
        few, many = counts.min(), counts.max()
        of = f"{few:,} each" if few == many else f"{few:,} to {many:,}"
        what = f"{d:,} categories, of {of} that occur"
    verb = "minimised" if minimise else "maximised"
    return (
        f"{where}: {len(values):,} rows, {len(pool):,} designs\n"
        f"  x  {what}\n"
        f"  y  the value, {verb}: {len(values):,} measured from {values.min():.10g} to "
        f"{values.max():.10g}"
    )
