"""Problems for `brute_force`: Bernoulli arms, and finitely many landscapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import combinations, combinations_with_replacement
from math import prod
from statistics import median
from typing import Any

import pytest

from tests.planners.brute_force import ONE, ZERO, Batch, BruteForce, Data, Outcome, Proposals

F = Fraction
QUANTILE = "last_quantile:quantile=0.75"
SURFACE_UTILITIES = (
    *("best", "total", "recommendation", "last_max", "last_median", "last_mean"),
    *("auc", QUANTILE),
)
ARM_UTILITIES = ("total", "recommendation", "last_mean")
NOISY = "0,1 1,1"


def every_other(utilities: Sequence[str], cases: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Every second pair of a utility and a case: each meets half of the others.

    Of the pairs of a case every second one is slow, but every case has one that is not.
    """
    pairs = []
    for j, case in enumerate(cases):
        met = [utility for i, utility in enumerate(utilities) if (i + j) % 2 == 0]
        for k, utility in enumerate(met):
            seldom = len(met) > 1 and (k + j // 2) % 2
            pairs.append(pytest.param(utility, *case, marks=pytest.mark.slow if seldom else ()))
    return pairs


@dataclass
class Arms(BruteForce):
    """Bernoulli arms.

    Args:
        priors: Beta parameters (a, b) of the unknown arms, which come first.
        known: Success probabilities of the known arms.
    """

    priors: Sequence[tuple[Fraction, Fraction]] = field(default=(), kw_only=True)
    known: Sequence[Fraction] = field(default=(), kw_only=True)

    @property
    def size(self) -> int:
        return len(self.priors) + len(self.known)

    def outcomes(self, design: int) -> Sequence[Outcome]:
        return 0, 1

    def _rank(self, batch: Batch) -> Batch:
        return tuple(batch.count(arm) for arm in range(self.size))

    def _counts(self, data: Data, arm: int) -> tuple[int, int]:
        return data.count((arm, 1)), data.count((arm, 0))

    def _beliefs(self, data: Data, arm: int) -> tuple[Fraction, Fraction]:
        a, b = self.priors[arm]
        successes, failures = self._counts(data, arm)
        return a + successes, b + failures

    def _mean(self, data: Data, arm: int) -> Fraction:
        if arm >= len(self.priors):
            return self.known[arm - len(self.priors)]
        a, b = self._beliefs(data, arm)
        return a / (a + b)

    def likelihood(self, data: Data) -> Fraction:
        chance = ONE
        for arm in range(self.size):
            successes, failures = self._counts(data, arm)
            if arm < len(self.priors):
                chance *= _sequence(*self.priors[arm], successes, failures)
            else:
                p = self.known[arm - len(self.priors)]
                chance *= p**successes * (1 - p) ** failures
        return chance

    def batches(self, data: Data, q: int) -> list[Batch]:
        return list(combinations_with_replacement(range(self.size), q))

    def counted(self, data: Data, batch: Batch, q: int) -> Proposals:
        return tuple(batch)

    def worth(self, data: Data, proposals: Sequence[Proposals]) -> Fraction:
        means = [self._mean(data, arm) for arm in range(self.size)]
        if self.utility == "total":
            utility = sum((means[arm] for batch in proposals for arm in batch), ZERO)
        elif self.utility == "last_mean":
            utility = sum((means[arm] for arm in proposals[-1]), ZERO) / len(proposals[-1])
        else:
            assert self.utility == "recommendation"
            utility = max(means)
        return self.likelihood(data) * utility

    def kind(self, data: Data, design: int) -> Any:
        if design >= len(self.priors):
            return "known", self.known[design - len(self.priors)]
        return "unknown", *self._beliefs(data, design)

    def symmetric(self, data: Data) -> Any:
        return tuple(
            sorted((prior, self._counts(data, arm)) for arm, prior in enumerate(self.priors))
        )


@dataclass
class Surfaces(BruteForce):
    """Finitely many landscapes, of which one is the truth; a design is measured once.

    Args:
        matrix: (H, M) values.
        weights: (H,) prior weights.
        noise: Pairs (value, weight).
    """

    matrix: Sequence[Sequence[Fraction]] = field(default=(), kw_only=True)
    weights: Sequence[Fraction] = field(default=(), kw_only=True)
    noise: Sequence[tuple[Fraction, Fraction]] = field(default=((ZERO, ONE),), kw_only=True)

    @property
    def size(self) -> int:
        return len(self.matrix[0])

    def outcomes(self, design: int) -> Sequence[Outcome]:
        return sorted({row[design] + value for row in self.matrix for value, _ in self.noise})

    def _joint(self, data: Data) -> list[Fraction]:
        """Probabilities of every landscape together with the data."""
        whole = sum(self.weights, ZERO), sum((weight for _, weight in self.noise), ZERO)
        joint = []
        for row, weight in zip(self.matrix, self.weights, strict=True):
            chance = weight / whole[0]
            for design, outcome in data:
                chance *= sum((w for v, w in self.noise if row[design] + v == outcome), ZERO)
                chance /= whole[1]
                if not chance:
                    break
            joint.append(chance)
        return joint

    def likelihood(self, data: Data) -> Fraction:
        return sum(self._joint(data), ZERO)

    def batches(self, data: Data, q: int) -> list[Batch]:
        measured = {design for design, _ in data}
        left = [design for design in range(self.size) if design not in measured]
        return list(combinations(left, min(q, len(left))))

    def counted(self, data: Data, batch: Batch, q: int) -> Proposals:
        met = {design for design, _ in data}
        counted: list[int | None] = []
        for design in batch:
            counted.append(None if design in met else design)
            met.add(design)
        return (*counted, *[None] * (q - len(batch)))

    def worth(self, data: Data, proposals: Sequence[Proposals]) -> Fraction:
        joint = self._joint(data)
        if self.utility == "recommendation":
            return max(
                sum((j * row[x] for j, row in zip(joint, self.matrix, strict=True)), ZERO)
                for x in range(self.size)
            )
        return sum(
            (
                j * self._utility(row, proposals)
                for j, row in zip(joint, self.matrix, strict=True)
                if j
            ),
            ZERO,
        )

    def _utility(self, row: Sequence[Fraction], proposals: Sequence[Proposals]) -> Fraction:
        """The utility of a campaign whose landscape is known."""
        if self.utility == "best":
            return max([ZERO, *(row[x] for batch in proposals for x in batch if x is not None)])
        if self.utility == "total":
            return sum((row[x] for batch in proposals for x in batch if x is not None), ZERO)
        if self.utility == "auc":
            reached = [ZERO]
            for batch in proposals:
                reached.append(max([reached[-1], *(row[x] for x in batch if x is not None)]))
            return sum(reached, ZERO) / len(proposals)
        last = [ZERO if x is None else row[x] for x in proposals[-1]]
        if self.utility.startswith("last_quantile"):
            return _quantile(last, Fraction(self.utility.partition("=")[2]))
        if self.utility == "last_max":
            return max(last)
        if self.utility == "last_median":
            return median(last)
        assert self.utility == "last_mean"
        return sum(last, ZERO) / len(last)

    def kind(self, data: Data, design: int) -> Any:
        return design

    def symmetric(self, data: Data) -> Any:
        return tuple(sorted(data))


def _quantile(values: Sequence[Fraction], quantile: Fraction) -> Fraction:
    """On a line through the sorted values, the smallest at 0 and the largest at 1."""
    ordered, place = sorted(values), quantile * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@cache
def _sequence(a: Fraction, b: Fraction, successes: int, failures: int) -> Fraction:
    """How likely one sequence of pulls is under Beta(a, b): B(a + s, b + f) / B(a, b)."""
    rising = [
        prod((x + i for i in range(n)), start=ONE)
        for x, n in ((a, successes), (b, failures), (a + b, successes + failures))
    ]
    return rising[0] * rising[1] / rising[2]


def fractions(*numbers: str) -> list[Fraction]:
    return [F(number) for number in numbers]


def arms(q: int, utility: str, priors: str = "", known: str = "", **more: Any) -> Arms:
    """Arms from "1,1 1/2,2" and "3/5 0"."""
    pairs = [tuple(fractions(*pair.split(","))) for pair in priors.split()]
    return Arms(q, utility, priors=pairs, known=fractions(*known.split()), **more)  # type: ignore[arg-type]


def surfaces(q: int, utility: str, matrix: str, weights: str = "", noise: str = "0,1") -> Surfaces:
    """Landscapes from "0 1/2 1, 1 0 0"; noise from "value,weight value,weight"."""
    rows = [fractions(*row.split()) for row in matrix.split(",")]
    chances = fractions(*weights.split()) if weights else [F(1)] * len(rows)
    pairs = [tuple(fractions(*pair.split(","))) for pair in noise.split()]
    return Surfaces(q, utility, matrix=rows, weights=chances, noise=pairs)  # type: ignore[arg-type]
