"""The few designs among many that may be worth listing, by beliefs that are cheap to work out.

Means are exact but for rounding; of standard deviations only an upper bound is needed, which the
nearest observation alone gives. Both take one kernel, in single precision, and no factor of the
covariances: what is short-listed is looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs
from ombo_gym.design_spaces.finite import in_strides
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior
from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.posterior import Posterior

Singles = NDArray[np.float32]

_WEIGHTS = (0.0, 1.0, 3.0)  # of the bound, for a quarter of the shortlist each
_PIECE = 4096  # candidates whose kernel is held at once
_NEVER = np.float32(-np.inf)
_LAST = np.float32(-1e30)  # of candidates that are worth nothing any more


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


def shortlist(group: CandidatePosterior, size: int) -> Shortlist:
    """At most `size` different candidates of each campaign, the most promising ones.

    A quarter each have the largest mean, mean + bound and mean + 3 bounds of the standard
    deviation; the last quarter are spread evenly over the candidates.

    Args:
        group: Of R campaigns.
        size: S.
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
        left[group.measured] += _LAST
    mean, bound = rough_beliefs(group)
    parts, quarter = [], size // 4
    scores = [mean + np.float32(weight) * bound for weight in _WEIGHTS]
    scores.append(_evenly(count)[None])
    for score, wanted in zip(scores, [quarter] * 3 + [size - 3 * quarter], strict=True):
        worth = score + left
        best = np.argpartition(worth, count - wanted, axis=1)[:, count - wanted :]
        best.sort(axis=1)
        parts.append(np.where(worth[row, best] > _NEVER, best, -1))
        left[row, best] = _NEVER
    picks = np.concatenate(parts, axis=1)  # (R, S)
    exists = picks >= 0
    picks = np.maximum(picks, 0)
    designs = group.candidates[row, picks]
    if drawn and group.space.size is None:
        exists &= ~copies(designs)
    return Shortlist(picks, exists, designs, measured[row, picks])


def rough_beliefs(group: CandidatePosterior) -> tuple[Singles, Singles]:
    """Means of C candidates and what their standard deviations are at most, (R, C) each."""
    posterior, candidates = group.posterior, group.candidates
    rows, count = candidates.shape[:2]
    if posterior.targets.shape[1] == 0:
        return np.zeros((rows, count), np.float32), np.ones((rows, count), np.float32)
    if posterior.correlation.weights is not None:  # of two kernels
        return group.marginals.mean.astype(np.float32), group.marginals.sd.astype(np.float32)
    listed = group.listed
    features = group.space.features(candidates) if listed is None else listed.features[None]
    weights = np.matmul(posterior.white[..., 0][:, None], posterior.whiten)  # (R, 1, n)
    mean = np.empty((rows, count), np.float32)
    nearest = np.empty((rows, count), np.float32)  # largest correlation with an observation
    points = _Points(posterior)
    for begin in range(0, count, _PIECE):
        piece = slice(begin, begin + _PIECE)
        kernel = points.correlations(features[:, piece].astype(np.float32))  # (R, n, P)
        mean[:, piece] = np.matmul(weights.astype(np.float32), kernel)[:, 0]
        nearest[:, piece] = kernel.max(axis=1)
    bound = np.sqrt(np.maximum(1.0 - nearest**2, np.float32(1e-6)))
    bound *= np.sqrt(posterior.outputscale).astype(np.float32)[:, None]
    return mean, bound


class _Points:
    """The observations of R campaigns, ready for distances to candidates.

    Args:
        posterior: Of one kernel.
    """

    def __init__(self, posterior: Posterior) -> None:
        unit = posterior.unit[:, None]  # (R, 1, 1 or k)
        scaled = posterior.features / unit  # (R, n, k)
        squares = np.einsum("rnk,rnk->rn", scaled, scaled)
        self._squares = squares[..., None].astype(np.float32)  # (R, n, 1)
        self._turned = (-2.0 * scaled / unit).astype(np.float32)  # (R, n, k)
        per_squared = np.broadcast_to(unit**-2, (len(unit), 1, scaled.shape[2]))
        self._per_squared = np.ascontiguousarray(per_squared.astype(np.float32))  # (R, 1, k)
        self._correlation: Correlation = replace(posterior.correlation)

    def correlations(self, features: Singles) -> Singles:
        """With candidates (R or 1, P, k), (R, n, P)."""
        turned = np.ascontiguousarray(features.swapaxes(1, 2))  # (R or 1, k, P)
        squared = np.matmul(self._turned, turned)
        squared += self._squares
        turned *= turned
        squared += np.matmul(self._per_squared, turned)
        np.maximum(squared, np.float32(0.0), out=squared)
        found: Singles = np.asarray(self._correlation.of([squared]), np.float32)
        return found


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
    order = np.argsort(hashes, axis=1, kind="stable")
    ordered = np.take_along_axis(hashes, order, axis=1)
    same = np.zeros((rows, count), bool)
    same[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    again = np.zeros((rows, count), bool)
    np.put_along_axis(again, order, same, axis=1)
    return again


def _evenly(count: int) -> Singles:
    """Scores that rank candidates such that any first ones are spread evenly, (count,)."""
    ranks = np.empty(count, np.float32)
    ranks[in_strides(count)] = -np.arange(count, dtype=np.float32)
    return ranks
