"""A spreadsheet as a campaign: what was measured in the laboratory, played again."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import CandidateDesigns
from ombo_gym.design_spaces.parameters import parse_parameter
from ombo_gym.problems.core.checks import is_number
from ombo_gym.problems.core.measured import Measured, Measurements, group_replicates
from ombo_gym.problems.data import DIRECTORY, REMEDY
from ombo_gym.problems.own.columns import Column
from ombo_gym.problems.own.spreadsheet import Spreadsheet

EXAMPLE = DIRECTORY / "example.csv"


class Table(Measured):
    """The rows of a CSV file of your own: designs that were measured, and what came.

    A design is one of the distinct rows of the design columns, named by its index in their order of
    appearance; `env.unwrapped.problem.row(index)` gives its cells. Surrogates see a column of
    numbers scaled to [-1, 1] and a column of text as categories (one-hot, at squared distance 1
    from each other), all divided by the square root of the number of columns. `log` and
    `parameters` say so of columns that are to be seen otherwise.

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
        log: Design columns of numbers above 0 of which the logarithm is scaled to [-1, 1].
        parameters: Design columns that are not what they look like, by name, as
            `ombo_gym.design_spaces.parse_parameters` reads them: a range or a list of levels brings
            its own ends and scale, choices may have descriptors. As JSON lists are levels, ranges
            are best written `{"range": [low, high]}`.
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
        log: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
        minimise: bool = False,
        delimiter: str | None = None,
    ) -> None:
        super().__init__()
        _check_arguments(csv, minimise, delimiter)
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
        columns = self._read_columns(sheet, categories, log, parameters)
        sheet = _measured_rows(sheet, self.value)
        numeric = [column.name for column in columns if column.is_numeric(sheet)]
        numbers = sheet.as_numbers([*numeric, self.value])
        self.sources = (path,)
        self._content = sheet.content
        self._arguments: dict[str, Any] = {
            "csv": None if csv is None else str(path),
            "value": self.value,
            "designs": self.columns,
            "categories": sorted(categories),
            "log": list(log),
            "parameters": None if parameters is None else dict(parameters),
            "minimise": bool(minimise),
            "delimiter": sheet.delimiter,
        }
        self._list_designs(sheet, columns, numeric, numbers)

    def _list_designs(
        self,
        sheet: Spreadsheet,
        columns: Sequence[Column],
        numeric: Sequence[str],
        numbers: NDArray[np.float64],
    ) -> None:
        """Makes a pool of the distinct rows, and a table of what was measured.

        Args:
            sheet: Its rows have a value each.
            columns: Of the designs.
            numeric: Names of those columns that hold numbers.
            numbers: (rows, numeric + 1) what these columns hold and, behind them, the values.
        """
        cells = [
            column.values(sheet, numbers[:, numeric.index(column.name)])
            if column.name in numeric
            else column.values(sheet, None)
            for column in columns
        ]
        keys = list(zip(*cells, strict=True))
        self._pool = list(dict.fromkeys(keys))  # (size, columns)
        if len(self._pool) < 2:
            raise ValueError(
                f"csv: {sheet.path}: expected at least two distinct designs, got one; the design "
                f"columns are {self.columns}"
            )
        index = {key: i for i, key in enumerate(self._pool)}
        codes = np.array([index[key] for key in keys])  # (rows,)
        values = -numbers[:, -1] if self._arguments["minimise"] else numbers[:, -1]
        self._measurements = group_replicates(codes, values, len(self._pool))
        names = [
            ", ".join(f"{k}={_text(v)}" for k, v in self.row(i).items()) for i in index.values()
        ]
        values_of_columns = zip(columns, zip(*self._pool, strict=True), strict=True)
        parts = [column.features(values) for column, values in values_of_columns]
        features = np.concatenate(parts, axis=1) / np.sqrt(len(parts))
        self.design_space = CandidateDesigns(features, names=names)

    def _read_columns(
        self, sheet: Spreadsheet, categories: Any, log: Any, parameters: Any
    ) -> list[Column]:
        """What each design column is."""
        if parameters is not None and not isinstance(parameters, Mapping):
            raise ValueError(
                f"parameters: expected a dict of column: parameter, got {parameters!r}"
            )
        named_in: dict[str, str] = {}
        given = {"categories": categories, "log": log, "parameters": list(parameters or {})}
        for argument, names in given.items():
            for name in _chosen(argument, names, sheet):
                if name not in self.columns:
                    raise ValueError(
                        f"{argument}: expected columns among {self.columns}, got {names}"
                    )
                if name in named_in:
                    raise ValueError(
                        f"{argument}: expected {name!r} in one of categories, log and parameters, "
                        f"got it in {named_in[name]} too"
                    )
                named_in[name] = argument
        found = []
        for name in self.columns:
            parameter = None
            if parameters is not None and name in parameters:
                try:
                    parameter = parse_parameter(parameters[name])
                except ValueError as error:
                    raise ValueError(f"parameters: {name!r}: {error}") from None
            found.append(Column(name, parameter, log=name in log, text=name in categories))
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles as the arguments: every process reads the file for itself."""
        return _read_again, (type(self), self._arguments, self._content)

    @override
    def load(self) -> Measurements:
        assert self._measurements is not None  # read with the designs
        return self._measurements

    def row(self, index: int) -> dict[str, Any]:
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


def _check_arguments(csv: Any, minimise: Any, delimiter: Any) -> None:
    if csv is not None and not isinstance(csv, str | os.PathLike):
        raise ValueError(f"csv: expected the path of a file, got {csv!r}")
    if not isinstance(minimise, bool | np.bool_):
        raise ValueError(f"minimise: expected True or False, got {minimise!r}")
    if delimiter is not None and not (
        isinstance(delimiter, str) and len(delimiter) == 1 and delimiter not in '"\r\n\0'
    ):
        raise ValueError(
            f"delimiter: expected one character that is no quote or end of line, got {delimiter!r}"
        )
    if csv is None and not EXAMPLE.exists():
        raise FileNotFoundError(f"{EXAMPLE} is missing: {REMEDY}")


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
        how_many = "one row is" if sum(empty) == 1 else f"{sum(empty)} rows are"
        warnings.warn(
            f"{sheet.path}: {how_many} left out, since nothing stands in column {value!r} (row "
            f"{sheet.numbers[empty.index(True)]} is the first)",
            stacklevel=2,
        )
    return sheet.without(empty)


def _text(cell: Any) -> str:
    return f"{cell:.10g}" if is_number(cell) else str(cell)
