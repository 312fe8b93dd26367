"""In how many ways pulls and batches can come about, and how probably."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import comb, factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def orders(batch: Sequence[int]) -> float:
    """In how many orders a batch can be proposed."""
    ways = factorial(len(batch))
    for count in Counter(batch).values():
        ways //= factorial(count)
    return float(ways)


def beta_binomial(n: int, a: Floats, b: Floats) -> Floats:
    """Probabilities of 0 .. n successes in n pulls of S arms, (S, n + 1), by ratios of terms."""
    # As mantissas and exponents: the first term may be smaller than any float, others not.
    terms, exponents = np.ones((len(a), n + 1)), np.zeros((len(a), n + 1), np.int64)
    for k in range(n):
        term = terms[:, k] * ((n - k) / (k + 1)) * (a + k) / (b + (n - k - 1))
        terms[:, k + 1], steps = np.frexp(term)
        exponents[:, k + 1] = exponents[:, k] + steps
    pmf: Floats = np.ldexp(terms, exponents - exponents.max(axis=1, keepdims=True))
    normalized: Floats = pmf / pmf.sum(axis=1, keepdims=True)
    return normalized


def products_of_binomials(pulls: NDArray[np.intp], successes: NDArray[np.int64]) -> Floats:
    """Sequences with the same successes of each arm, (E,)."""
    tables = [np.array([comb(int(n), k) for k in range(n + 1)], np.float64) for n in pulls]
    products: Floats = np.prod([t[successes[:, arm]] for arm, t in enumerate(tables)], axis=0)
    return products


def multisets(arms: int, pulls: int) -> list[int]:
    """Multisets of `arms` pairs (successes, failures), by their sum 0 .. pulls."""
    # ways[k][n]: multisets of k arms with n pulls in all.
    ways = [[0] * (pulls + 1) for _ in range(arms + 1)]
    ways[0][0] = 1
    for m in range(pulls + 1):  # m pulls of an arm can go m + 1 ways: add arms with m pulls each
        before = [by_sum.copy() for by_sum in ways]
        for added in range(1, arms + 1):
            if added * m > pulls:
                break
            kinds = comb(m + added, added)
            for placed in range(arms + 1 - added):
                for used in range(pulls + 1 - added * m):
                    if before[placed][used]:
                        ways[placed + added][used + added * m] += kinds * before[placed][used]
    return ways[arms]


def convolved(x: Sequence[int], y: Sequence[int]) -> list[int]:
    """Ways that sum up, by the sum, from those of two parts."""
    return [sum(x[i] * y[n - i] for i in range(n + 1)) for n in range(len(x))]
