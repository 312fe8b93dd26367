"""Beliefs about thousands of designs that all campaigns look at, a piece of the list at a time.

Squared distances are of features as they are, so that the list is prepared once, whatever the
lengthscales. How large a piece is hangs on the number of observations alone, so that a campaign's
numbers do not depend on others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.surrogates.kernels import lifted, squared_distances_of_lifted
from ombo_gym.surrogates.marginals import CandidateMarginals
from ombo_gym.surrogates.posterior import Posterior

Floats = NDArray[np.float64]

_CACHE = 2**17  # entries of an (R, n, C) array that stay in a processor's cache
_PIECE = (256, 4096)  # designs of a piece, at least and at most
_KEPT = 2**26  # entries of an (R, n, M) array that is kept and not worked out again for each pick


@dataclass(frozen=True)
class ListedDesigns:
    """Designs that all campaigns look at.

    Attributes:
        codes: (M,) their numbers in the space.
        designs: (M, *shape).
        features: (M, k).
        lifted: (k + 2, M) the features, see `ombo_gym.surrogates.kernels.lifted`.
    """

    codes: NDArray[np.int64]
    designs: Designs
    features: Floats
    lifted: Floats


def listed_designs(space: DesignSpace, turn: int) -> ListedDesigns | None:
    """What `DesignSpace.shared_candidates` says, ready for use; None: it says nothing."""
    codes = space.shared_candidates(0)
    same_in_every_turn = codes is None or len(codes) == space.size
    return _listed_designs(space, 0 if same_in_every_turn else turn)


@lru_cache(maxsize=2)
def _listed_designs(space: DesignSpace, turn: int) -> ListedDesigns | None:
    codes = space.shared_candidates(turn)
    if codes is None:
        return None
    designs = space.decode(codes)
    features = space.features(designs)
    return ListedDesigns(codes, designs, features, lifted(features[None])[0])


class ListedMarginals(CandidateMarginals):
    """As `CandidateMarginals`, of M designs that are the same in R campaigns.

    Args:
        posterior: Of R campaigns with n observations each.
        listed: The designs.
    """

    def __init__(self, posterior: Posterior, listed: ListedDesigns) -> None:
        self._listed = listed
        self._inputs = lifted(posterior.features)  # (R, k + 2, n)
        self._whiten = posterior.whiten
        self._per_squared = posterior.unit[:, None] ** -2  # (R, 1, 1 or k)
        rows, n = posterior.targets.shape
        size = len(listed.codes)
        kept = rows * n * size <= _KEPT
        white = np.empty((rows, n, size)) if kept else np.empty((rows, n, 0))
        self._kept = kept
        mean, variance = np.empty((rows, size)), np.empty((rows, size))  # (R, M) each
        super().__init__(
            posterior.correlation,
            posterior.noise,
            posterior.outputscale,
            self._inputs,
            mean,
            variance,
            white,
        )
        weights = posterior.white.swapaxes(1, 2)  # (R, 1, n)
        for part, piece in self._pieces():
            each = np.matmul(self._whiten[part], self._covariances(part, piece))  # (P, n, C)
            mean[part, piece] = np.matmul(weights[part], each)[:, 0]
            variance[part, piece] = 1.0 - np.einsum("rnm,rnm->rm", each, each)
            if kept:
                white[part, :, piece] = each
        np.maximum(variance, 1e-12, out=variance)

    def _pieces(self) -> Iterator[tuple[slice, slice]]:
        """A few campaigns and a stretch of the list at a time."""
        rows, n, size = len(self.mean), self._whiten.shape[1], self.mean.shape[1]
        length = int(np.clip(_CACHE // (4 * max(n, 1)), *_PIECE))
        count = max(1, _CACHE // (length * max(n, 1)))
        for first in range(0, rows, count):
            for begin in range(0, size, length):
                yield slice(first, first + count), slice(begin, begin + length)

    def _covariances(self, part: slice, piece: slice) -> Floats:
        """Of observations and listed designs, relative to the prior variance, (P, n, C)."""
        squared = self._squared(self._inputs[part], part, self._listed.lifted[:, piece])
        return self._correlation.of(squared, part)

    def _squared(self, points: Floats, rows: slice, listed: Floats) -> list[Floats]:
        """Of lifted points (P, k + 2, n) and (k + 2, C), scaled, (P, n, C) for each part."""
        weights = self._per_squared[rows]  # (P, 1, 1 or k)
        if weights.shape[2] == 1:
            squared = squared_distances_of_lifted(points, listed)
            squared *= weights
            return [squared]
        features, others = points[:, :-2].swapaxes(1, 2), listed[..., :-2, :]  # (P, n, k), (k, C)
        split = self._correlation.split
        parts = zip(split(features), split(others, -2), split(weights), strict=True)
        return [_weighted(*part) for part in parts]

    @override
    def _lifted_at(self, picks: NDArray[np.intp]) -> Floats:
        return self._listed.lifted[:, picks].T[..., None]

    @override
    def _white_at(self, picks: NDArray[np.intp]) -> Floats:
        if self._kept:
            return super()._white_at(picks)
        squared = self._squared(self._inputs, slice(None), self._lifted_at(picks))  # (R, n, 1)
        white: Floats = np.matmul(self._whiten, self._correlation.of(squared))[..., 0]
        return white

    @override
    def _prior_covariances(self, picked: Floats) -> Floats:
        squared = self._squared(picked, slice(None), self._listed.lifted)
        return self._correlation.of(squared)[:, 0]

    @override
    def _explained(self, white: Floats) -> Floats:
        if self._kept:
            return super()._explained(white)
        weights = np.matmul(white[:, None], self._whiten)  # (R, 1, n)
        explained = np.empty(self.mean.shape)  # (R, M)
        for part, piece in self._pieces():
            covariances = self._covariances(part, piece)
            explained[part, piece] = np.matmul(weights[part], covariances)[:, 0]
        return explained


def _weighted(features: Floats, others: Floats, weights: Floats) -> Floats:
    """Weighted squared distances, (P, n, k), (k, C) and (P, 1, k) -> (P, n, C)."""
    weighted: Floats = np.matmul(features * (-2.0 * weights), others)
    weighted += (features**2 * weights).sum(axis=2)[..., None]
    weighted += np.matmul(weights, others**2)
    np.maximum(weighted, 0.0, out=weighted)
    return weighted
