"""What result pages need in Markdown: tables, and estimates with their intervals.

Numbers follow one pattern everywhere, `0.123 [0.100, 0.150]`; differences carry their sign,
`+0.023 [+0.004, +0.042]`, and are bold where their interval says which side of 0 they are on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ombo_gym.evaluation.statistics import mean_interval, paired_difference

MISSING = "-"
Bold = Literal["decided", "above", "never"]
_BAR = re.compile(r"(?<!\\)\|")  # a vertical bar that is not escaped yet
_RULES = {"-": "---", "l": ":---", "r": "---:", "c": ":---:"}


def table(
    headings: Sequence[object], rows: Iterable[Sequence[object]], *, alignment: str | None = None
) -> str:
    """A Markdown table.

    Args:
        headings: One per column.
        rows: Rows of cells; a cell is shown as `str` shows it, on one line, with its bars escaped.
        alignment: A letter per column: `l` left, `r` right, `c` centred, `-` as the reader's
            program likes; None: `-` for all.

    Returns:
        Lines joined by line breaks, without one at the end.

    Raises:
        ValueError: A row or the alignment does not have one entry per heading, or a letter of the
            alignment is none of the four.

    Example:
        >>> print(table(["policy", "score"], [["`ucb`", 0.5]], alignment="lr"))
        | policy | score |
        |:---|---:|
        | `ucb` | 0.5 |
    """
    width = len(headings)
    letters = "-" * width if alignment is None else alignment
    if len(letters) != width or set(letters) - set(_RULES):
        raise ValueError(
            f'alignment must be {width} letters out of "l", "r", "c" and "-", one per heading, '
            f"got {alignment!r}"
        )
    lines = [_line(headings), f"|{'|'.join(_RULES[letter] for letter in letters)}|"]
    for row in rows:
        if len(row) != width:
            raise ValueError(f"a row must have {width} cells, one per heading, got {list(row)}")
        lines.append(_line(row))
    return "\n".join(lines)


def _line(cells: Sequence[object]) -> str:
    texts = (_BAR.sub(r"\|", " ".join(str(cell).split())) for cell in cells)
    return f"| {' | '.join(texts)} |"


def frame_table(
    frame: pd.DataFrame,
    *,
    digits: int | Mapping[str, int] = 3,
    headings: Mapping[str, str] | None = None,
) -> str:
    """A data frame as a Markdown table, text to the left and numbers to the right.

    Args:
        frame: Its columns are shown in their order, without the index.
        digits: Decimals of numbers with a fraction; a mapping names columns (others have 3).
        headings: Headings of columns that are not headed by their names.

    Returns:
        The table; whole numbers have their thousands separated, truth values are yes and no, and
        what is missing is a dash.
    """
    decimals = digits if isinstance(digits, Mapping) else dict.fromkeys(frame.columns, digits)
    numeric = [
        pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
        for dtype in frame.dtypes
    ]
    columns = [
        [_value(value, decimals.get(name, 3)) for value in frame[name]] for name in frame.columns
    ]
    return table(
        [(headings or {}).get(name, name) for name in frame.columns],
        list(zip(*columns, strict=True)),
        alignment="".join("r" if number else "l" for number in numeric),
    )


def _value(value: Any, digits: int) -> str:
    if pd.isna(value):
        return MISSING
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return f"{value:.{digits}f}" if isinstance(value, float | np.floating) else str(value)


def cross_table(
    frame: pd.DataFrame, row: str, column: str, text: str, *, heading: str | None = None
) -> str:
    """A Markdown table with a row per value of one column and a column per value of another.

    Args:
        frame: At most one row per pair; rows and columns come in the order of first appearance.
        row: The column whose values head the rows.
        column: The column whose values head the columns.
        text: The column that holds the cells.
        heading: The heading of the first column; None: `row`.

    Returns:
        The table, with a dash where the frame has no such pair.

    Raises:
        ValueError: A pair appears twice.
    """
    pairs = list(zip(frame[row], frame[column], strict=True))
    cells = dict(zip(pairs, frame[text], strict=True))
    if len(cells) < len(pairs):
        twice = next(pair for pair in pairs if pairs.count(pair) > 1)
        raise ValueError(f"{row} and {column} must name a row of the frame each; twice: {twice}")
    names = list(dict.fromkeys(frame[column]))
    return table(
        [row if heading is None else heading, *names],
        [
            [name, *(cells.get((name, other), MISSING) for other in names)]
            for name in dict.fromkeys(frame[row])
        ],
    )


def estimate(
    value: float, low: float, high: float, digits: int = 3, *, signed: bool = False
) -> str:
    """An estimate with its interval: `0.123 [0.100, 0.150]`.

    Args:
        value: The estimate; nan is shown as a dash.
        low: The interval's lower end; where an end is nan, only the estimate is shown.
        high: The upper end.
        digits: Decimals of all three.
        signed: Whether positive numbers carry a plus.

    Example:
        >>> estimate(0.1234, 0.1, 0.15)
        '0.123 [0.100, 0.150]'
    """
    if math.isnan(value):
        return MISSING
    form = f"{'+' if signed else ''}.{digits}f"
    if math.isnan(low) or math.isnan(high):
        return f"{value:{form}}"
    return f"{value:{form}} [{low:{form}}, {high:{form}}]"


def difference(
    value: float, low: float, high: float, digits: int = 3, *, bold_where: Bold = "decided"
) -> str:
    """A difference with its interval: `+0.023 [-0.004, +0.050]`.

    Args:
        value: The estimate.
        low: The interval's lower end.
        high: The upper end.
        digits: Decimals of all three.
        bold_where: What is bold: `decided`, an interval that excludes 0; `above`, one that lies
            above 0; `never`.

    Example:
        >>> difference(0.023, 0.004, 0.042)
        '**+0.023 [+0.004, +0.042]**'
    """
    text = estimate(value, low, high, digits, signed=True)
    decided = low > 0 or (high < 0 and bold_where == "decided")
    return bold(text) if decided and bold_where != "never" else text


def mean_estimate(
    values: npt.ArrayLike,
    digits: int = 3,
    *,
    clusters: npt.ArrayLike | None = None,
    signed: bool = False,
) -> str:
    """The mean of values with its 95% Student t interval (`statistics.mean_interval`).

    Args:
        values: One number per campaign, shape (campaigns,).
        digits: Decimals.
        clusters: A label per campaign: which of them count together; None: all are independent.
        signed: Whether positive numbers carry a plus.
    """
    return estimate(*mean_interval(values, clusters=clusters), digits, signed=signed)


def paired_estimate(
    a: npt.ArrayLike, b: npt.ArrayLike, digits: int = 3, *, bold_where: Bold = "decided"
) -> str:
    """The mean of a - b over the same campaigns, with its 95% Student t interval.

    Args:
        a: One number per campaign, shape (campaigns,).
        b: The other policy's number on the same campaigns, in the same order.
        digits: Decimals.
        bold_where: As in `difference`.
    """
    return difference(*paired_difference(a, b), digits, bold_where=bold_where)


def bold(text: str) -> str:
    """Text in bold."""
    return f"**{text}**"


def code(text: object) -> str:
    """Text in the typeface of code: names of policies, utilities, arguments."""
    return f"`{text}`"


def section(title: str, *blocks: str, level: int = 2) -> str:
    """A heading with blocks of text below it, a blank line between them."""
    return "\n\n".join([f"{'#' * level} {title}", *blocks])


def page(*blocks: str) -> str:
    """Blocks of text as a file's content: a blank line between them, a line break at the end."""
    return "\n\n".join(blocks) + "\n"
