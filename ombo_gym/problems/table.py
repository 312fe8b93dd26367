"""A spreadsheet as a campaign: what was measured in the laboratory, played again."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import CandidateDesigns
from ombo_gym.problems.data import DIRECTORY, REMEDY
from ombo_gym.problems.measured import Measured, Measurements, grouped
from ombo_gym.problems.spreadsheet import Spreadsheet

_MOST_LEVELS = 1000  # of a text column, each of which is a feature

EXAMPLE = DIRECTORY / "example.csv"


class Table(Measured):
    """The rows of a CSV file of your own: designs that were measured, and what came.

    A design is one of the distinct rows of the design columns, named by its index in their order of
    appearance; `env.unwrapped.game.problem.row(index)` gives its cells. Surrogates see a column of
    numbers scaled to [-1, 1] and a column of text as categories (one-hot, at squared distance 1
    from each other), all divided by the square root of the number of columns.

    The value of a design is a column of numbers, in its own units, maximised; with `minimise` its
    negative is. Rows that repeat a design are its replicates: the true value is their mean, and a
    measurement shows one of them, drawn at random, which is all the noise there is unless
    `noise_std` adds some. Rows without a value are left out, with a warning. Every design can be
    measured, as often as you like; the floor and `reference` are the lowest true value.

    A campaign starts with 4 random designs. There is one instance: campaigns differ in their starts
    and measurements. The optimum, which is score 1, is the highest true value of the table.

    The file is UTF-8 text with a header; commas, semicolons, tabs or bars separate cells, and
    decimal commas are understood where commas do not separate. Without `csv` it is an example that
    comes with the package: the electrical conductivity (S/cm) of composite films of the
    polymer P3HT and four kinds of carbon nanotubes (percentages of the five), 233 measurements of
    178 blends, the best of which has 838.31 on average.

    Args:
        csv: Path of the file; None: the example.
        value: Column that is maximised; None: the last one.
        designs: Columns that make a design; None: all but the value.
        categories: Design columns that are categories although they hold numbers.
        minimise: Whether low values are good: values, rewards and infos are then negative.
        delimiter: What separates cells; None: found out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: An unknown column, a cell that is no number where one is expected, or another
            defect of the file; names the row and what to do.

    References:
        The example: Bash et al., Multi-Fidelity High-Throughput Optimization of Electrical
        Conductivity in P3HT-CNT Composites, Advanced Functional Materials 31, 2021.

        Liang et al., Benchmarking the performance of Bayesian optimization across multiple
        experimental materials science domains, npj Computational Materials 7, 2021.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/Table-v0")  # or csv="my.csv", value="yield"
        >>> observation, info = env.reset(seed=0)
        >>> observation, reward, *_, info = env.step(env.action_space.sample())
    """

    domain: ClassVar[str] = "own"
    rounds: ClassVar[tuple[int, int]] = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 4}

    def __init__(
        self,
        *,
        csv: str | None = None,
        value: str | None = None,
        designs: Sequence[str] | None = None,
        categories: Sequence[str] = (),
        minimise: bool = False,
        delimiter: str | None = None,
    ) -> None:
        super().__init__()
        if csv is not None and not isinstance(csv, str | os.PathLike):
            raise ValueError(f"csv: expected the path of a file, got {csv!r}")
        if not isinstance(minimise, bool | np.bool_):
            raise ValueError(f"minimise: expected True or False, got {minimise!r}")
        if delimiter is not None and not (
            isinstance(delimiter, str) and len(delimiter) == 1 and delimiter not in '"\r\n\0'
        ):
            raise ValueError(
                f"delimiter: expected one character that is no quote or end of line, "
                f"got {delimiter!r}"
            )
        if csv is None and not EXAMPLE.exists():
            raise FileNotFoundError(f"{EXAMPLE} is missing: {REMEDY}")
        path = EXAMPLE if csv is None else Path(csv).absolute()
        sheet = Spreadsheet.read(path, delimiter)
        self.value = _chosen("value", [sheet.header[-1] if value is None else value], sheet)[0]
        others = [name for name in sheet.header if name != self.value]
        self.columns = _chosen("designs", others if designs is None else designs, sheet)
        if not self.columns or self.value in self.columns:
            raise ValueError(
                f"designs: expected columns of {path} beside the value, {self.value!r}, "
                f"got {self.columns}; the first row, {sheet.header}, is to hold the names of "
                f"columns, separated by the delimiter, {sheet.delimiter!r}"
            )
        text = set(_chosen("categories", categories, sheet))
        if not text <= set(self.columns):
            raise ValueError(f"categories: expected columns among {self.columns}, got {categories}")

        sheet = _measured_rows(sheet, self.value)
        numeric = [n for n in self.columns if n not in text and sheet.is_numeric(n)]
        numbers = sheet.as_numbers([*numeric, self.value])
        for name in self.columns:
            if name not in numeric and (levels := len(set(sheet.column(name)))) > _MOST_LEVELS:
                raise ValueError(
                    f"csv: {path}: column {name!r} has {levels:,} different texts, too many to be "
                    f"categories (at most {_MOST_LEVELS:,}); replace it by numbers that describe "
                    "them, or leave it out of designs"
                )
        self.sources = (path,)
        self._content = sheet.content
        self._arguments: dict[str, Any] = {
            "csv": None if csv is None else str(path),
            "value": self.value,
            "designs": self.columns,
            "categories": sorted(text),
            "minimise": bool(minimise),
            "delimiter": sheet.delimiter,
        }
        columns: list[Sequence[Any]] = [
            numbers[:, numeric.index(name)].tolist() if name in numeric else sheet.column(name)
            for name in self.columns
        ]
        keys = list(zip(*columns, strict=True))
        self._pool = list(dict.fromkeys(keys))  # (size, columns)
        if len(self._pool) < 2:
            raise ValueError(
                f"csv: {path}: expected at least two distinct designs, got one; the design columns "
                f"are {self.columns}"
            )
        index = {key: i for i, key in enumerate(self._pool)}
        rows = np.array([index[key] for key in keys])
        values = -numbers[:, -1] if minimise else numbers[:, -1]
        self._measurements = grouped(rows, values, len(self._pool))
        names = [
            ", ".join(f"{k}={_text(v)}" for k, v in self.row(i).items()) for i in index.values()
        ]
        self.design_space = CandidateDesigns(_features(self._pool), names=names)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles as the arguments: every process reads the file for itself."""
        return _read_again, (type(self), self._arguments, self._content)

    def load(self) -> Measurements:  # noqa: D102
        assert self._measurements is not None  # read with the designs
        return self._measurements

    def row(self, index: int) -> dict[str, float | str]:
        """A design by its index: what stands in its columns.

        Example:
            >>> Table().row(0)["P3HT content (%)"]
            45.0
        """
        return dict(zip(self.columns, self._pool[int(index)], strict=True))


def _read_again(kind: type[Table], arguments: dict[str, Any], content: str) -> Table:
    """A table that was pickled.

    Raises:
        ValueError: Its file has changed since.
    """
    table = kind(**arguments)
    if table._content != content:
        raise ValueError(
            f"csv: {table.sources[0]} has changed since this table was pickled; put the file back, "
            "or make the environment anew"
        )
    return table


def _chosen(argument: str, names: Any, sheet: Spreadsheet) -> list[str]:
    """Names that are columns of the file, each once."""
    listed = isinstance(names, Sequence) and not isinstance(names, str)
    header = sheet.header
    unknown = [names]
    if listed:
        unknown = [name for name in names if not isinstance(name, str) or name not in header]
    if unknown:
        raise ValueError(
            f"{argument}: expected columns of {sheet.path}, {header}, got {unknown[0]!r}"
        )
    if len(set(names)) < len(names):
        raise ValueError(f"{argument}: expected each column once, got {list(names)}")
    return list(names)


def _measured_rows(sheet: Spreadsheet, value: str) -> Spreadsheet:
    """The rows that have a value; a warning says how many do not."""
    empty = [not cell for cell in sheet.column(value)]
    if all(empty):
        raise ValueError(f"csv: {sheet.path}: column {value!r} is empty: expected measured values")
    if any(empty):
        rows = "one row is" if sum(empty) == 1 else f"{sum(empty)} rows are"
        warnings.warn(
            f"{sheet.path}: {rows} left out, since nothing stands in column {value!r} (row "
            f"{sheet.numbers[empty.index(True)]} is the first)",
            stacklevel=2,
        )
    return sheet.without(empty)


def _features(pool: Sequence[Sequence[float | str]]) -> NDArray[np.float64]:
    """Columns on comparable scales, (size, k)."""
    parts = []
    for column in zip(*pool, strict=True):
        if isinstance(column[0], float):
            numbers = np.array(column)
            low, high = numbers.min(), numbers.max()
            scale = (high - low) / 2 or 1.0  # a column that does not change tells nothing
            parts.append((numbers[:, None] - (low + high) / 2) / scale)
        else:
            levels = sorted(set(column))
            parts.append(np.sqrt(0.5) * (np.array(column)[:, None] == levels))
    features: NDArray[np.float64] = np.concatenate(parts, axis=1) / np.sqrt(len(parts))
    return features


def _text(cell: float | str) -> str:
    return cell if isinstance(cell, str) else f"{cell:.10g}"
