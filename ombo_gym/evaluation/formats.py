"""Numbers and names as plain text, for the terminal and (escaped) for the report."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from ombo_gym.evaluation.plates import batch_words

MISSING = "\N{EN DASH}"
SEEN = "seen"  # beside the name of a policy where a problem is one that it has met
SEEN_MEANS = "the policy was trained, or chosen, on this problem or on instances of it: no test"
MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"


def decimals(values: Iterable[float]) -> int:
    """Decimals that show four digits of the largest of these numbers."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return 3 if largest == 0 else min(8, max(0, 3 - math.floor(math.log10(largest))))


def number(value: float, decimals: int) -> str:
    """A number with a true minus sign, or a dash where there is none."""
    if not math.isfinite(value):
        return MISSING
    text = f"{value:.{decimals}f}"
    return text[1:] if float(text) == 0 and text[0] == "-" else text.replace("-", MINUS)


def count_range(counts: Iterable[int]) -> str:
    """The smallest and the largest of some counts."""
    values = sorted({int(count) for count in counts})
    ends = [values[0]] if len(values) == 1 else [values[0], values[-1]]
    return " to ".join(f"{value:,}" for value in ends)


def one_line(name: str) -> str:
    """A name without line breaks."""
    return " ".join(name.split())


def compact(value: Any) -> str:
    """A setting of config.json on one line."""
    if isinstance(value, str):
        return value
    return f"{value:.6g}" if isinstance(value, float) else json.dumps(value)


def problem_name(env: str, env_kwargs: str) -> str:
    """A problem in words: its id and, in parentheses, the keyword arguments that it was made with.

    Args:
        env: An environment's id.
        env_kwargs: Keyword arguments as JSON text, `{}` for none.

    Example:
        >>> problem_name("Ombo/GP-v0", '{"dim": 2, "split": "test"}')
        'Ombo/GP-v0 (dim=2, split=test)'
    """
    try:
        kwargs = json.loads(env_kwargs)
    except ValueError:
        kwargs = env_kwargs
    if not isinstance(kwargs, dict):
        return f"{env} ({env_kwargs})"
    if not kwargs:
        return env
    words = (
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in kwargs.items()
    )
    return f"{env} ({', '.join(words)})"


def cell_name(row: Mapping[Hashable, Any]) -> str:
    """A cell in words, on one line, with all that tells it from others.

    Args:
        row: Of `errors.csv`, or the same of a cell that is played.
    """
    shown = ", told 1" if row["told_horizon"] == "one" else ""
    last = row["first"] + row["campaigns"] - 1
    return (
        f"{one_line(row['policy'])} on {problem_name(row['env'], row['env_kwargs'])}, "
        f"N = {row['horizon']}, q = {batch_words(row['env_kwargs'], row['batch_size'])}, "
        f"{row['utility']}{shown}, campaigns {row['first']} to {last}"
    )
