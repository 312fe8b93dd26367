"""What a problem says of itself is looked at before campaigns are made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ombo_gym.arguments import is_whole, shown
from ombo_gym.design_spaces import DesignSpace
from ombo_gym.design_spaces.values import is_number
from ombo_gym.priors import Prior
from ombo_gym.problems.core.base import Problem
from ombo_gym.spec import Repeats


def _is_finite(given: Any) -> bool:
    return is_number(given) and math.isfinite(given)


def _is_truth(given: Any) -> bool:
    return isinstance(given, bool | np.bool_)


def _are(kind: type) -> Callable[[Any], bool]:
    """Whether it is a tuple or list of that kind."""
    return lambda given: (
        isinstance(given, tuple | list) and all(isinstance(each, kind) for each in given)
    )


def _is_range(given: Any) -> bool:
    pair = isinstance(given, tuple | list) and len(given) == 2 and all(map(is_whole, given))
    return pair and given[0] <= given[1]


_SPACE = (
    "a DesignSpace, set in __init__, for instance self.design_space = BoxDesigns(2) or "
    'design_space_of({"T": (20, 120), "base": ["A", "B"]}) of ombo_gym'
)
_EXPECTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "design_space": (_SPACE, lambda given: isinstance(given, DesignSpace)),
    "noise_std": ("a number of at least 0", lambda given: _is_finite(given) and given >= 0),
    "reference": ("a finite reference, a number", _is_finite),
    "floor": ("a finite number", _is_finite),
    "start": ('a dict, as {"kind": "random", "size": 4}', lambda given: isinstance(given, Mapping)),
    "surrogate": ('a dict, as {"kernel": "fit"}', lambda given: isinstance(given, Mapping)),
    "prior": ("a Prior or None", lambda given: given is None or isinstance(given, Prior)),
    "repeats": (
        "one of ombo_gym.Repeats, as Repeats.ALLOWED",
        lambda given: isinstance(given, Repeats),
    ),
    "splits": ('a tuple of names, as ("all", "train", "test")', _are(str)),
    "rounds": ("(low, high) with 1 <= low <= high", _is_range),
    "optimum_known": ("True or False", _is_truth),
    "optimum_exact": ("True or False", _is_truth),
    "cheap": ("True or False", _is_truth),
    "sources": ("a tuple of pathlib.Path", _are(Path)),
}


def check_attributes(problem: Problem) -> None:
    """Refuses a problem whose attributes are of another kind, or claim what no method gives.

    Raises:
        ValueError: `design_space` is none or was not set, another attribute is none of its kind,
            `optimum_known` or `optimum_exact` is claimed without an `optimum`, or there is an
            `instance_count` without numbered instances; says what to write.
    """
    name = type(problem).__name__
    for attribute, (expected, holds) in _EXPECTED.items():
        given = getattr(problem, attribute, None)
        if not holds(given):
            raise ValueError(f"{name}.{attribute}: expected {expected}, got {shown(given)}")
    claims = [each for each in ("optimum_known", "optimum_exact") if getattr(problem, each)]
    if claims and not _defines(problem, "optimum"):
        raise ValueError(
            f"{name}: {claims[0]} is true: expected a method optimum(self, instances) that returns "
            "the largest true value of each instance, (R,), got none; define it, or leave "
            f"{' and '.join(claims)} out"
        )
    if (count := problem.instance_count()) is None:
        return
    if not is_whole(count):
        raise ValueError(
            f"{name}.instance_count: expected a whole number of at least 1, or None, got "
            f"{shown(count)}"
        )
    for method in ("instances_numbered(self, numbers)", "instance_numbers(self, instances)"):
        if not _defines(problem, method.partition("(")[0]):
            raise ValueError(
                f"{name}: instance_count says that there are {count} instances: expected a method "
                f"{method}, got none; define it, or leave instance_count out"
            )


def _defines(problem: Problem, method: str) -> bool:
    """Whether a problem has another method than the one that every problem has."""
    function = getattr(getattr(problem, method), "__func__", None)
    return function is not getattr(Problem, method)
