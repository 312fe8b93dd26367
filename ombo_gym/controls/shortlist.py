"""The few designs among many that may be worth listing, by beliefs that are cheap to work out.

Means are exact but for rounding; of standard deviations only an upper bound is needed, which the
nearest observation alone gives. Both take one kernel, in single precision, and no factor of the
covariances: what is short-listed is looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs
from ombo_gym.design_spaces.finite import in_strides
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior
from ombo_gym.surrogates.kernels import squared_distances
from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.listed_marginals import Halves
from ombo_gym.surrogates.posterior import Posterior

Singles = NDArray[np.float32]

_WEIGHTS = (0.0, 2.0)  # of the sd, for three eighths of the shortlist each
_CACHE = 2**17  # entries of an (R, n, C) array that stay in a processor's cache
_PIECE = (256, 4096)  # candidates of a piece, at least and at most
_NEVER = np.float32(-np.inf)
LAST = np.float32(-1e30)  # of candidates that are worth nothing any more


@dataclass(frozen=True)
class Shortlist:
    """S candidates of R campaigns.

    Attributes:
        picks: (R, S) which candidates of the group.
        exists: (R, S) whether it is one, or only fills a row of which there are fewer.
        designs: (R, S, *shape).
        measured: (R, S) whether it is worth nothing any more.
    """

    picks: NDArray[np.intp]
    exists: NDArray[np.bool_]
    designs: Designs
    measured: NDArray[np.bool_]


def shortlist(group: CandidatePosterior, size: int, mean: Singles, sd: Singles) -> Shortlist:
    """At most `size` different candidates of each campaign, the most promising ones.

    Three eighths each have the largest mean, and the largest mean + 2 standard deviations; the last
    quarter are spread evenly over the candidates.

    Args:
        group: Of R campaigns.
        size: S.
        mean: (R, C) what is believed of the candidates.
        sd: (R, C) likewise, or upper bounds.
    """
    rows, count = group.candidates.shape[:2]
    row = np.arange(rows)[:, None]
    drawn = group.listed is None and not group.space.looks_at_everything
    measured = group.measured if group.measured is not None else np.zeros((rows, count), bool)
    if count <= size:
        picks = np.broadcast_to(np.arange(count), (rows, count))
        exists = ~copies(group.candidates) if drawn else np.ones((rows, count), bool)
        return Shortlist(picks, exists, np.asarray(group.candidates), measured)
    left = np.zeros((rows, count), np.float32)  # added to scores
    if drawn and group.space.size is not None:
        left[copies(group.candidates)] = _NEVER
    if group.measured is not None:
        left[group.measured] += LAST
    spread = in_strides(count)[: size // 4]
    parts = [np.broadcast_to(spread, (rows, len(spread)))]
    there = [left[:, spread] > _NEVER]
    left[:, spread] = _NEVER
    most = (size - len(spread) + 1) // 2
    for weight, wanted in zip(_WEIGHTS, (most, size - len(spread) - most), strict=True):
        worth = mean + np.float32(weight) * sd
        worth += left
        best = np.argpartition(worth, count - wanted, axis=1)[:, count - wanted :]
        best.sort(axis=1)
        parts.append(best)
        there.append(left[row, best] > _NEVER)
        left[row, best] = _NEVER
    picks, exists = np.concatenate(parts, axis=1), np.concatenate(there, axis=1)  # (R, S) each
    designs = group.candidates[row, picks]
    if drawn and group.space.size is None:
        exists &= ~copies(designs)
    return Shortlist(picks, exists, designs, measured[row, picks])


def rough_beliefs(group: CandidatePosterior) -> tuple[Singles, Singles]:
    """Means of C listed candidates and what their standard deviations are at most, (R, C) each."""
    posterior, candidates = group.posterior, group.candidates
    rows, count = candidates.shape[:2]
    learned = isinstance(posterior, LearnedPosterior)
    if posterior.targets.shape[1] == 0 and not learned:
        return np.zeros((rows, count), np.float32), np.ones((rows, count), np.float32)
    if learned or posterior.correlation.weights is not None:  # of two kernels
        return group.marginals.mean.astype(np.float32), group.marginals.sd.astype(np.float32)
    weights = np.matmul(posterior.white[..., 0][:, None], posterior.whiten).astype(np.float32)
    mean = np.empty((rows, count), np.float32)
    nearest = np.empty((rows, count), np.float32)  # largest correlation with an observation
    assert group.listed is not None
    halves = group.listed.halves
    found = _correlations(group) if halves is None else _correlations_of_pairs(posterior, halves)
    for part, piece, kernel in found:  # (P, n, L)
        mean[part, piece] = np.matmul(weights[part], kernel)[:, 0]
        nearest[part, piece] = kernel.max(axis=1)
    if halves is not None:
        mean, nearest = mean.take(halves.order, axis=1), nearest.take(halves.order, axis=1)
    nearest *= nearest
    nearest /= (1.0 + posterior.noise).astype(np.float32)[:, None]
    bound = np.sqrt(np.maximum(1.0 - nearest, np.float32(1e-6)))
    bound *= np.sqrt(posterior.outputscale).astype(np.float32)[:, None]
    return mean, bound


def _correlations(group: CandidatePosterior) -> Iterator[tuple[slice, slice, Any]]:
    """Of observations and listed candidates, (P, n, L): some campaigns and a stretch at a time."""
    rows, n = group.posterior.targets.shape
    listed, correlation = group.listed, group.posterior.correlation
    assert listed is not None
    count = len(listed.codes)
    length = int(np.clip(_CACHE // (4 * n), *_PIECE))
    several = max(1, _CACHE // (min(length, count) * n))
    lifted, known = _with_squares(listed.features), _points(group.posterior)
    for begin in range(0, rows, several):
        part = slice(begin, begin + several)
        for first in range(0, count, length):
            piece = slice(first, first + length)
            squared = np.matmul(known[part], lifted[:, piece])  # (P, n, L)
            np.maximum(squared, np.float32(0.0), out=squared)
            yield part, piece, correlation.of([squared])


def _correlations_of_pairs(
    posterior: Posterior, halves: Halves
) -> Iterator[tuple[slice, slice, Any]]:
    """Likewise where the list has halves, in the order of their pairs: one campaign at a time."""
    correlation, inputs = posterior.correlation, posterior.features  # (R, n, k)
    # The exponential of a sum is a product: of its factors there are few.
    product = correlation.kernel == "rbf"
    of_halves: list[Any] = []  # (R, n, A) and (R, n, B)
    for columns, features in zip(halves.columns, halves.features, strict=True):
        unit = np.broadcast_to(posterior.unit, inputs.shape[::2])[:, None, columns]
        scaled = (inputs[..., columns] / unit).astype(np.float32)
        each: Any = squared_distances(scaled, features / unit.astype(np.float32))  # type: ignore[arg-type]
        of_halves.append(correlation.of([each]) if product else each)
    first, second = of_halves
    n, width = inputs.shape[1], second.shape[2]
    step = max(1, int(np.clip(_CACHE // (4 * n), *_PIECE)) // width)
    for row in range(len(inputs)):
        part = slice(row, row + 1)
        for begin in range(0, first.shape[2], step):
            some, others = first[part, :, begin : begin + step, None], second[part, :, None]
            joined = (some * others if product else some + others).reshape(1, n, -1)
            piece = slice(begin * width, begin * width + joined.shape[2])
            yield part, piece, joined if product else correlation.of([joined])


def _with_squares(features: NDArray[np.float64]) -> Singles:
    """Coordinates in rows, their squares and 1 below them, (C, k) -> (2 k + 1, C)."""
    count, k = features.shape
    lifted = np.empty((2 * k + 1, count), np.float32)
    lifted[:k] = features.T
    np.square(lifted[:k], out=lifted[k : 2 * k])
    lifted[2 * k] = 1.0
    return lifted


def _points(posterior: Posterior) -> Singles:
    """The observations, whose products with `_with_squares` are squared scaled distances.

    (R, n, 2 k + 1): |x - y|^2 in units u is (-2 x / u^2, 1 / u^2, |x / u|^2) . (y, y^2, 1).
    """
    unit = posterior.unit[:, None]  # (R, 1, 1 or k)
    scaled = posterior.features / unit  # (R, n, k)
    rows, n, k = scaled.shape
    points = np.empty((rows, n, 2 * k + 1), np.float32)
    points[..., :k] = -2.0 * scaled / unit
    points[..., k : 2 * k] = unit**-2
    points[..., 2 * k] = np.einsum("rnk,rnk->rn", scaled, scaled)
    return points


def copies(designs: Designs) -> NDArray[np.bool_]:
    """Which designs come earlier in their row, (R, C, *shape) -> (R, C): told apart by a hash."""
    rows, count = designs.shape[:2]
    flat = np.ascontiguousarray(designs.reshape(rows, count, -1))
    flat = flat + flat.dtype.type(0)  # -0.0 is 0.0
    words = flat.view(np.uint32 if flat.dtype.itemsize == 4 else np.uint64).astype(np.uint64)
    hashes = np.zeros((rows, count), np.uint64)
    for entry in range(words.shape[2]):
        hashes ^= words[..., entry]
        hashes *= np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
    return again(hashes)


def again(numbers: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which numbers come earlier in their row, (R, C) -> (R, C).

    The place of a number is written behind it, over as many of the first bits as that takes, which
    are of no matter: so sorting need not say where numbers come from.
    """
    rows, count = numbers.shape
    bits = np.uint64(max(count - 1, 1).bit_length())
    ordered = numbers << bits
    ordered |= np.arange(count, dtype=np.uint64)
    ordered.sort(axis=1)
    same = np.zeros((rows, count), bool)
    same[:, 1:] = (ordered[:, 1:] >> bits) == (ordered[:, :-1] >> bits)
    found = np.zeros((rows, count), bool)
    if same.any():
        places = (ordered & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.intp)
        np.put_along_axis(found, places, same, axis=1)
    return found
