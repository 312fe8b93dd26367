"""Families of finitely many landscapes, each with something to show about planning ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from ombo_gym.problems.core.checks import is_number, is_whole, numbers


@dataclass(frozen=True)
class Family:
    """Landscapes, their prior weights and their noise, as `Landscapes` takes them.

    Attributes:
        matrix: (H, M) values.
        weights: (H,); None: all equal.
        noise: Finite noise; None: there is none.
    """

    matrix: Any
    weights: Any = None
    noise: Mapping[str, Any] | None = None


def signpost(*, K: int = 6) -> Family:
    """Design 0 reads j/100 where the prize of 1 is at design j in 1..K; the others are 0.

    Looking at the sign is worth next to nothing today and everything tomorrow (with K beyond 100
    the sign itself can read more than the prize).
    """
    prizes = _whole("K", K)
    matrix = np.zeros((prizes, prizes + 1))
    where = np.arange(1, prizes + 1)
    matrix[:, 0] = where / 100
    matrix[where - 1, where] = 1.0
    return Family(matrix)


def blurred_signpost(*, K: int = 6, blur: float = 0.5) -> Family:
    """A signpost that is misread by one prize with probability `blur`, to either side alike.

    One look narrows the prize down to at most three designs: it still pays to look, but not in the
    round before the last one alone.
    """
    if not is_number(blur) or not 0 < blur < 1:
        raise ValueError(f"blur: expected a number between 0 and 1, got {blur!r}")
    noise = {"values": [-0.01, 0.0, 0.01], "probabilities": [blur / 2, 1 - blur, blur / 2]}
    return Family(signpost(K=K).matrix, noise=noise)


def tent8() -> Family:
    """Tents max(0, 1 - |x - c| / w) on x = 0..7, centre c in 0..7 and width w in {1, 2, 4}.

    Small enough for paper, and looking two rounds ahead can be worse than looking one ahead.
    """
    x = np.arange(8)
    return Family([np.maximum(0.0, 1 - abs(x - c) / w) for c in range(8) for w in (1, 2, 4)])


def clique(*, p_clique: float = 0.25, p_single: float = 0.3) -> Family:
    """Hits (1) and misses (0): designs 0-3 hit all together, designs 4-7 each for itself.

    A single is likelier to hit, but one look at the clique tells about three more designs. Meant
    for utility `total`, the number of hits.
    """
    for name, p in (("p_clique", p_clique), ("p_single", p_single)):
        if not is_number(p) or not 0 <= p <= 1:
            raise ValueError(f"{name}: expected a probability, got {p!r}")
    hits = list(product((0, 1), repeat=5))  # of the clique, then of each single
    matrix = [[clique_hits] * 4 + singles for clique_hits, *singles in hits]
    odds = np.array([p_clique] + 4 * [p_single])
    weights = [np.where(np.array(hit) == 1, odds, 1 - odds).prod() for hit in hits]
    return Family(matrix, weights)


def gp(
    *, draws: int = 64, lengthscale: float = 1.5, rounding: float = 0.5, seed: int = 0
) -> Family:
    """Draws of a Gaussian process on 0..7, squared-exponential kernel, unit variance, rounded.

    What the large environments are like, in miniature.
    """
    count = _whole("draws", draws)
    for name, number in (("lengthscale", lengthscale), ("rounding", rounding)):
        if not is_number(number) or not 0 < number < np.inf:
            raise ValueError(f"{name}: expected a positive number, got {number!r}")
    if not is_whole(seed) or seed < 0:
        raise ValueError(f"seed: expected a whole number of at least 0, got {seed!r}")
    x = np.arange(8.0)
    kernel = np.exp(-0.5 * ((x[:, None] - x) / lengthscale) ** 2)
    lower = np.linalg.cholesky(kernel + 1e-9 * np.eye(8))
    normals = np.random.default_rng(seed).standard_normal((count, 8))
    return Family(np.round(normals @ lower.T / rounding) * rounding + 0.0)  # no negative zeros


def dose(*, levels: int = 8, harm: float = 0.0) -> Family:
    """Dose x has effect (x + 1) / levels while it is tolerated, and none, or does harm, beyond.

    The largest tolerated dose is uniform, from none to all: batches bracket it.
    """
    count = _whole("levels", levels)
    if not is_number(harm) or not 0 <= harm < np.inf:
        raise ValueError(f"harm: expected a number of at least 0, got {harm!r}")
    x = np.arange(count)
    effect = (x + 1) / count
    return Family([np.where(x < tolerated, effect, 0.0 - harm) for tolerated in range(count + 1)])


def independent(*, probabilities: Any = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)) -> Family:
    """Hits (1) and misses (0), each design for itself: nothing to learn, so nothing to plan.

    Under utility `total` the one-round optimum is optimal for every N: the control experiment.
    """
    odds = numbers(probabilities)
    if odds.ndim != 1 or not 1 <= len(odds) <= 12 or not ((odds >= 0) & (odds <= 1)).all():
        raise ValueError(f"probabilities: expected 1 to 12 probabilities, got {probabilities!r}")
    hits = np.array(list(product((0.0, 1.0), repeat=len(odds))))  # (2^M, M)
    return Family(hits, np.where(hits == 1, odds, 1 - odds).prod(axis=1))


FAMILIES: dict[str, Callable[..., Family]] = {
    "signpost": signpost,
    "blurred_signpost": blurred_signpost,
    "tent8": tent8,
    "clique": clique,
    "gp": gp,
    "dose": dose,
    "independent": independent,
}


def _whole(name: str, number: Any) -> int:
    if not is_whole(number) or number < 1:
        raise ValueError(f"{name}: expected a whole number of at least 1, got {number!r}")
    return int(number)
