"""What environments there are, in facts: the listing of `python -m ombo_gym`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.problems.core.base import Problem
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.registration import NAMESPACE, PROBLEMS, make_problem, problem_class

_DESIGNS = 4  # of a campaign, for the measured cost: a batch
_MOST_CAMPAIGNS = 1024  # likewise
_PATIENCE = 10.0  # seconds that a first design may take before one is enough


@dataclass(frozen=True)
class Entry:
    """An environment with its default arguments.

    Attributes:
        id: Of `gym.make`.
        domain: What field it is from.
        designs: Its design space in words; None where it is not installed.
        size: Number of designs; None where they are continuous or it is not installed.
        rounds: The smallest and the largest horizon that make sense.
        optimum: "known", "estimated" (from below, always there), "searched" (likewise, when asked
            for at reset), "best known" (there is a good value that scores refer to), "bound" (they
            refer to one from above) or "unknown".
        splits: Values of `split`.
        extra: Of `pip install "ombo-gym[EXTRA]"`; None: it needs none.
        installed: Whether it can be played here.
        missing: Why not.
        seconds: Of evaluating a design among many, measured here; None: not measured.
    """

    id: str
    domain: str
    designs: str | None
    size: int | None
    rounds: tuple[int, int]
    optimum: str
    splits: tuple[str, ...]
    extra: str | None
    installed: bool
    missing: str | None
    seconds: float | None


def entries(*, budget: float | None = 0.2) -> Iterator[Entry]:
    """All environments, one after the other.

    Args:
        budget: Seconds to measure the cost of each in, about; None: it is not measured.
    """
    for name in PROBLEMS:
        yield entry(name, budget=budget)


def entry(name: str, *, budget: float | None = None) -> Entry:
    """The facts of one problem, with its default arguments.

    Args:
        name: As in the id.
        budget: As in `entries`.
    """
    kind = problem_class(name)
    problem, seconds, missing = None, None, None
    try:
        problem = make_problem(name)
        if budget is not None:
            seconds = seconds_per_design(problem, budget)
        elif problem.extra is None:
            _timed(problem, np.zeros(1, np.uint64), 1)  # reads tables
    except (ImportError, FileNotFoundError, ValueError) as error:  # an extra or a table is missing
        problem, missing = None, str(error)
    space = None if problem is None else problem.design_space
    return Entry(
        id=f"{NAMESPACE}/{name}-v0",
        domain=kind.domain,
        designs=None if space is None else space.summary,
        size=None if space is None else space.size,
        rounds=kind.rounds,
        optimum=what_is_known(kind if problem is None else problem),
        splits=kind.splits,
        extra=kind.extra,
        installed=missing is None,
        missing=missing,
        seconds=seconds,
    )


def what_is_known(problem: Problem | type[Problem]) -> str:
    """How much is known of the optimum, see `Entry`."""
    kind = problem if isinstance(problem, type) else type(problem)
    if problem.optimum_known:
        return "known" if problem.optimum_exact else "estimated"
    if kind.optimum is not Problem.optimum:
        return "searched"
    if kind.best_known is Problem.best_known:
        return "unknown"
    return "bound" if kind.best_known_is_bound else "best known"


def seconds_per_design(problem: Problem, budget: float) -> float:
    """How long a design takes, evaluated in batches of 4 of up to 1,024 campaigns.

    The first design, which also reads tables and builds simulators, does not count. Then
    campaigns double until the budget is used up; the least of what was measured counts.
    """
    best, begun = np.inf, time.perf_counter()
    _timed(problem, np.zeros(1, np.uint64), 1)
    if (first := time.perf_counter() - begun) > _PATIENCE:
        return first  # a second one would take too long
    begun = time.perf_counter()
    for num_campaigns in 2 ** np.arange(int(np.log2(_MOST_CAMPAIGNS)) + 1):
        count = 1 if num_campaigns == 1 else min(_DESIGNS, problem.design_space.size or _DESIGNS)
        keys = np.arange(num_campaigns, 2 * num_campaigns, dtype=np.uint64)  # others every time
        best = min(best, _timed(problem, keys, count))
        next_cost = best * _DESIGNS * 2 * num_campaigns
        if next_cost > budget - (time.perf_counter() - begun):
            break
    return best


def _timed(problem: Problem, keys: NDArray[np.uint64], count: int) -> float:
    """Seconds per design of one evaluation: `count` designs of each campaign, (R,) keys."""
    instances = problem.draw(KeyedGenerator(keys, Stream.INSTANCE))
    designs = problem.sample(instances, KeyedGenerator(keys, Stream.START), count)
    begun = time.perf_counter()
    problem.true_values(instances, designs)
    return (time.perf_counter() - begun) / (len(keys) * count)
