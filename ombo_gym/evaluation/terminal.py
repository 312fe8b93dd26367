"""The summary of an evaluation, and what failed, as plain text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from ombo_gym.evaluation.formats import (
    SEEN,
    cell_name,
    count_range,
    decimals,
    one_line,
    problem_name,
)
from ombo_gym.evaluation.plates import batch_words
from ombo_gym.evaluation.tables import PROBLEM

_SHOWN_FAILURES, _LONGEST_LINE = 10, 200


def format_table(summary: pd.DataFrame) -> str:
    """The summary as aligned plain text, for a terminal.

    Args:
        summary: The frame of `summary.csv`.

    Returns:
        Per problem, utility and batch size a table: a row per policy, best first at the
        largest horizon, a column per horizon with mean and half the width of the 95% interval,
        and the distinct designs per batch at the largest horizon. A policy told every round that
        it is the last has its own row, unless that changes none of its means.
    """
    blocks = []
    groups = summary.groupby([*PROBLEM, "utility", "batch_size"], sort=False)
    for (env, env_kwargs, utility, batch_size), group in groups:
        horizons = sorted(int(n) for n in group["horizon"].unique())
        digits = decimals(group["mean"])
        final = group[group["horizon"] == horizons[-1]]
        players = {  # best first at the largest horizon
            (row["policy"], row["told_horizon"]): None
            for _, row in final.sort_values("mean", ascending=False, kind="stable").iterrows()
        } | dict.fromkeys(group[["policy", "told_horizon"]].itertuples(index=False, name=None))
        cells = group.set_index(["policy", "told_horizon", "horizon"])
        table = [["policy", *(f"N={n}" for n in horizons), f"distinct (N={horizons[-1]})"]]
        for policy, horizon_shown in players:
            rows = {
                n: cells.loc[key]
                for n in horizons
                if (key := (policy, horizon_shown, n)) in cells.index
            }
            if horizon_shown == "one" and all(
                (policy, "true", n) in cells.index
                and math.isclose(row["mean"], cells.loc[(policy, "true", n), "mean"])
                for n, row in rows.items()
            ):
                continue
            mark = f" ({SEEN})" if any(row.get("seen", False) for row in rows.values()) else ""
            line = [one_line(policy) + mark + (" (told 1)" if horizon_shown == "one" else "")]
            line += [_plus_minus(rows[n], digits) if n in rows else "-" for n in horizons]
            distinct = rows[horizons[-1]]["distinct"] if horizons[-1] in rows else math.nan
            line.append(f"{distinct:.2f}" if math.isfinite(distinct) else "-")
            table.append(line)
        blocks.append(
            f"{problem_name(env, env_kwargs)}, utility {utility}, "
            f"q={batch_words(env_kwargs, batch_size)}, "
            f"{count_range(group['campaigns'])} campaigns: "
            f"mean +- half the width of its 95% interval\n{_aligned(table)}"
        )
    return "\n\n".join(blocks)


def failed_cells(errors: pd.DataFrame) -> str:
    """The first cells that failed, a line each, and how many more there are.

    Args:
        errors: The frame of `errors.csv`.
    """
    lines = [
        f"  {cell_name(row)}: {row['error'][:_LONGEST_LINE]}"
        for row in errors.head(_SHOWN_FAILURES).to_dict("records")
    ]
    more = len(errors) - len(lines)
    return "\n".join(lines + ([f"  and {more} more"] if more else []))


def _plus_minus(row: Any, decimals: int) -> str:
    if not math.isfinite(row["mean"]):
        return "-"
    half = (row["ci_high"] - row["ci_low"]) / 2
    text = f"{row['mean']:.{decimals}f}"
    return f"{text} +-{half:.{decimals}f}" if math.isfinite(half) else text


def _aligned(table: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    )
