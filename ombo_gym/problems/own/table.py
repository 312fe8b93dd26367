"""A spreadsheet or arrays as a campaign: what was measured once, played again."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from ombo_gym.design_spaces import CandidateDesigns
from ombo_gym.design_spaces.parameters import Parameter, parse_parameter
from ombo_gym.design_spaces.scales import warn_of_wide_spans
from ombo_gym.problems.core.measured import Measured, Measurements, group_replicates
from ombo_gym.problems.data import DIRECTORY, REMEDY
from ombo_gym.problems.own.array_pool import ArrayPool, check_arrays_alone, read_array_pool
from ombo_gym.problems.own.columns import Column, informative, printed
from ombo_gym.problems.own.rows import Rows, read_rows
from ombo_gym.spreadsheets.cells import clean
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet, listed

EXAMPLE = DIRECTORY / "example.csv"

_MOST_BYTES = 2**30  # of features
_OFFLINE = {"kind": "percentile", "percentile": 50}  # start of arrays, as of Design-Bench


class Table(Measured):
    """The rows of a CSV file or of arrays of your own: designs that were measured, and what came.

    A design is one of the distinct rows of the design columns, named by its index in their order of
    appearance; `env.unwrapped.problem.row(index)` gives its cells, and
    `print(env.unwrapped.problem.describe())` says which columns hold numbers, ordered levels and
    categories. Surrogates see a column of numbers scaled to [-1, 1] and a column of text as
    categories (one-hot, at squared distance 1 from each other), all divided by the square root of
    the number of columns; columns that never change, and copies of others, count for nothing. `log`
    and `parameters` say so of columns that are to be seen otherwise. A warning names columns of
    positive numbers that span more than 3 decades where neither does.

    Numbers are read as people write them: `-78` with any minus sign, `1e-3`, `80 °C` where all
    cells of the column have the same unit, decimal commas. A column holds numbers or texts: where
    both stand in one column, or nothing, the file is refused with the row and what to do.

    The value of a design is a column of numbers, in its own units, maximised; with `minimise` its
    negative is. Rows that repeat a design are its replicates: the true value is their mean, and a
    measurement shows one of them, drawn at random, which is all the noise there is unless
    `noise_std` adds some. Every design can be measured, as often as you like, but those whose value
    is a word of `failed` in all their rows: they are infeasible. The floor and `reference` are the
    lowest true value. Rows whose value is a word of `pending` were not measured yet: nobody can say
    what would come, so they are left out of the designs. Any other text there, or nothing, is an
    error; `""` among the words stands for nothing.

    A campaign starts with 4 random designs. There is one instance: campaigns differ in their starts
    and measurements. The optimum, which is score 1, is the highest true value of the table.

    Arrays, `x` and `y` in place of `csv`, are the form of Design-Bench's tasks: `.npy` files, or
    lists of such files that are shards of one array. Rows of floats are numbers, each column of
    which is seen from -1 to 1; rows of whole numbers, truth values or letters are categories,
    one-hot; `x_kind` says so where the dtype does not. The columns are called x0, x1 and so on.
    Rows of `x` that are equal are replicates. A campaign then starts with all designs at or below
    the median of the true values, as an offline task does.

    The file is text with a header, UTF-8 or UTF-16 with a byte order mark; commas, semicolons, tabs
    or bars separate cells. Without `csv` it is an example that comes with the package: the
    electrical conductivity (S/cm) of composite films of the polymer P3HT and four kinds of carbon
    nanotubes (percentages of the five), 233 measurements of 178 blends, the best of which has
    838.31 on average.

    Args:
        csv: Path of the file; None: the example.
        x: Designs (n, d) instead of a file: the path of a `.npy` file, a list of such paths (shards
            of one array), or an array or nested list of at most 1,048,576 entries.
        y: Their values, (n,) or (n, 1), likewise.
        x_kind: "numbers" or "categories"; None: floats are numbers, all others categories.
        value: Column that is maximised; None: the last one.
        designs: Columns that make a design; None: all but the value.
        categories: Design columns that are categories although they hold numbers.
        log: Design columns of numbers above 0 of which the logarithm is scaled to [-1, 1]; of
            arrays `["x0"]` and so on.
        parameters: Design columns that are not what they look like, by name, as
            `ombo_gym.design_spaces.parse_parameters` reads them: a range or a list of levels brings
            its own ends and scale, choices may have descriptors. As JSON lists are levels, ranges
            are best written `{"range": [low, high]}`.
        failed: Words in the value column for designs that could not be measured, in large or small
            letters, such as `["failed", "exploded"]`.
        pending: Words in the value column for rows that are not measured yet.
        minimise: Whether low values are good: values, rewards and infos are then negative.
        delimiter: What separates cells; None: found out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: An unknown column, a cell that is not what its column holds, or another defect
            of the file or the arrays; names the row, the column and what to do.

    References:
        The example: Bash et al., Multi-Fidelity High-Throughput Optimization of Electrical
        Conductivity in P3HT-CNT Composites, Advanced Functional Materials 31, 2021.

        Liang et al., Benchmarking the performance of Bayesian optimization across multiple
        experimental materials science domains, npj Computational Materials 7, 2021.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/Table-v0")  # or csv="my.csv", value="yield"; or x="x.npy", y=...
        >>> observation, info = env.reset(seed=0)
        >>> observation, reward, *_, info = env.step(env.action_space.sample())
    """

    domain: ClassVar[str] = "own"
    rounds: ClassVar[tuple[int, int]] = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 4}
    _arguments: dict[str, Any]
    _pool: Any  # (size, columns)

    def __init__(
        self,
        *,
        csv: str | None = None,
        x: Any = None,
        y: Any = None,
        x_kind: str | None = None,
        value: str | None = None,
        designs: Sequence[str] | None = None,
        categories: Sequence[str] = (),
        log: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
        failed: Sequence[str] = (),
        pending: Sequence[str] = (),
        minimise: bool = False,
        delimiter: str | None = None,
    ) -> None:
        super().__init__()
        _check_arguments(csv, minimise, delimiter)
        if x is not None or y is not None or x_kind is not None:
            of_files = {
                "value": value,
                "designs": designs,
                "categories": categories,
                "parameters": parameters,
                "failed": failed,
                "pending": pending,
                "delimiter": delimiter,
            }
            check_arrays_alone(csv, x, y, of_files)
            self._take(read_array_pool(x, y, x_kind=x_kind, log=log, minimise=minimise))
            return
        path = EXAMPLE if csv is None else Path(csv).absolute()
        sheet = Spreadsheet.read(path, delimiter)
        self.value = _chosen("value", [sheet.header[-1] if value is None else value], sheet)[0]
        self.columns = self._design_columns(designs, sheet)
        columns = self._read_columns(sheet, categories, log, parameters)
        words = {"failed": failed, "pending": pending}
        rows = self._read_rows(sheet, columns, value_chosen=value is not None, **words)
        self.column_kinds = rows.kinds
        self.sources = (path,)
        self._content = sheet.content
        self._arguments = {
            "csv": None if csv is None else str(path),
            "value": self.value,
            "designs": self.columns,
            "categories": sorted(categories),
            "log": list(log),
            "parameters": None if parameters is None else dict(parameters),
            "failed": list(failed),
            "pending": list(pending),
            "minimise": bool(minimise),
            "delimiter": sheet.delimiter,
        }
        self._list_designs(rows)

    def _take(self, pool: ArrayPool) -> None:
        """Plays arrays."""
        self.value, self.columns = "y", pool.columns
        self.column_kinds = dict.fromkeys(pool.columns, pool.kind)
        self.sources = pool.sources
        self.start = dict(_OFFLINE)  # type: ignore[misc]  # that of files is another
        self._content = pool.digest
        self._arguments = pool.arguments
        self._pool = pool.rows  # (size, columns)
        self._measurements = pool.measurements
        self.design_space = pool.design_space
        self._description = pool.description

    def _design_columns(self, designs: Sequence[str] | None, sheet: Spreadsheet) -> list[str]:
        """The columns that make a design: those that were chosen, or all but the value."""
        others = [name for name in sheet.header if name != self.value]
        columns = _chosen("designs", others if designs is None else designs, sheet)
        if not columns or self.value in columns:
            raise ValueError(
                f"designs: expected columns of {sheet.path} beside the value, {self.value!r}, "
                f"got {columns}; the first row, {listed(sheet.header)}, is to hold the names "
                f"of columns, separated by the delimiter, {sheet.delimiter!r}"
            )
        return columns

    def _read_rows(
        self, sheet: Spreadsheet, columns: Sequence[Column], *, value_chosen: bool, **words: Any
    ) -> Rows:
        """As `read_rows`; an error says so where nobody chose the value's column."""
        try:
            return read_rows(sheet, columns, self.value, **words)
        except ValueError as error:
            if value_chosen:
                raise
            raise ValueError(
                f"{error} ({self.value!r}, the last column, was taken since value= names none)"
            ) from None

    def _list_designs(self, rows: Rows) -> None:
        """Makes a pool of the distinct rows, and a table of what was measured."""
        path = rows.sheet.path
        known = np.flatnonzero(~rows.pending)
        designs = [rows.designs[row] for row in known]
        self._pool = list(dict.fromkeys(designs))  # (size, columns)
        if len(self._pool) < 2:
            raise ValueError(
                f"csv: {path}: expected at least two distinct designs, got one; the design "
                f"columns are {listed(self.columns)}"
            )
        index = {design: i for i, design in enumerate(self._pool)}
        codes = np.array([index[design] for design in designs])  # (known,)
        came = ~rows.failed[known]  # (known,)
        values = rows.values[known][came]
        values = -values if self._arguments["minimise"] else values
        self._measurements = group_replicates(codes[came], values, len(self._pool))
        columns = list(zip(rows.columns, map(list, zip(*self._pool, strict=True)), strict=True))
        warn_of_wide_spans(
            {each.name: each.numbers_among(values) for each, values in columns if each.unscaled},
            argument=f"csv: {path}",
            remedy='name them in log=[...], or choose a "scale" in parameters=, "log" or "linear"',
        )
        _check_size(path, columns, len(self._pool))
        parts = informative([column.features(values) for column, values in columns])
        features = np.concatenate(parts, axis=1) / np.sqrt(len(parts))
        texts = [
            [f"{column.name}={printed(value)}" for value in values] for column, values in columns
        ]
        self.design_space = CandidateDesigns(
            features, names=list(map(", ".join, zip(*texts, strict=True))), scale="none"
        )
        self._description = rows.description(
            self.value, columns, minimise=self._arguments["minimise"]
        )

    def _read_columns(
        self, sheet: Spreadsheet, categories: Any, log: Any, parameters: Any
    ) -> list[Column]:
        """What each design column is."""
        if parameters is not None and not isinstance(parameters, Mapping):
            raise ValueError(
                f"parameters: expected a dict of column: parameter, got {parameters!r}"
            )
        named_in: dict[str, str] = {}  # the argument, by column
        written = {clean(str(name)): each for name, each in (parameters or {}).items()}
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
            parameter, chosen = None, False
            if name in written:
                try:
                    parameter = parse_parameter(written[name])
                except ValueError as error:
                    raise ValueError(f"parameters: {name!r}: {error}") from None
                chosen = isinstance(written[name], Parameter) or (
                    isinstance(written[name], Mapping) and "scale" in written[name]
                )
            argument = named_in.get(name, "")
            found.append(
                Column(
                    name,
                    parameter,
                    log=argument == "log",
                    text=argument == "categories",
                    scale_chosen=chosen,
                )
            )
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
        cells = self._pool[int(index)]
        cells = cells.tolist() if isinstance(cells, np.ndarray) else cells
        return dict(zip(self.columns, cells, strict=True))

    def describe(self) -> str:
        """Which columns are numbers, ordered levels and categories, and what was measured.

        Example:
            >>> print(Table(designs=["D1 content (%)", "D2 content (%)"]).describe())
        """
        return self._description


def _read_again(kind: type[Table], arguments: dict[str, Any], content: str) -> Table:
    """A table that was pickled.

    Raises:
        ValueError: Its file has changed since.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they were given when it was made
        table = kind(**arguments)
    if table._content != content:
        raise ValueError(
            f"{'csv' if 'csv' in arguments else 'x, y'}: {', '.join(map(str, table.sources))} has "
            "changed since this table was pickled; put the file back, or make the environment anew"
        )
    return table


def _check_arguments(csv: Any, minimise: Any, delimiter: Any) -> None:
    if csv is not None and (not isinstance(csv, str | os.PathLike) or "\0" in str(csv)):
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
    """Names that are columns of the file, each once, as the file has them."""
    in_list = isinstance(names, Sequence) and not isinstance(names, str)
    known = set(sheet.header)
    unknown = [names]
    if in_list:
        unknown = [name for name in names if not isinstance(name, str) or clean(name) not in known]
    if unknown:
        raise ValueError(
            f"{argument}: expected columns of {sheet.path}, {listed(sheet.header)}, got "
            f"{unknown[0]!r}"
        )
    chosen = [clean(name) for name in names]
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"{argument}: expected each column once, got {list(names)}")
    return chosen


def _check_size(path: Path, columns: Sequence[tuple[Column, Sequence[Any]]], size: int) -> None:
    """The features of all designs fit into memory.

    Raises:
        ValueError: They do not; names the columns that make the most of them.
    """
    widths = {column.name: column.width(values) for column, values in columns}
    needed = 8 * size * sum(widths.values())
    if needed > _MOST_BYTES:
        widest = sorted(widths, key=lambda name: -widths[name])[:3]
        raise ValueError(
            f"csv: {path}: expected features of at most {_MOST_BYTES / 2**20:,.0f} MiB, got "
            f"{size:,} designs with {sum(widths.values()):,} features each "
            f"({needed / 2**20:,.0f} MiB), most of them the categories of {listed(widest)}; "
            "describe these by numbers, or leave columns or rows out"
        )
