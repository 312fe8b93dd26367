"""Beliefs about thousands of designs that all campaigns look at, a piece of the list at a time.

Squared distances are of features as they are, so that the list is prepared once, whatever the
lengthscales. How large a piece is hangs on the number of observations alone, so that a campaign's
numbers do not depend on others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

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
class Halves:
    """A list of all pairs of a first and a second half, between which squared distances add up.

    Attributes:
        columns: Which features are of the first halves, and of the second.
        features: (A, k_1) and (B, k_2) of these.
        order: (M,) which pair each design of the list is, A B of them, the second half fastest.
    """

    columns: tuple[NDArray[np.intp], NDArray[np.intp]]
    features: tuple[NDArray[np.float32], NDArray[np.float32]]
    order: NDArray[np.int64]


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

    @property
    def bytes(self) -> int:
        """Memory that it takes, with what is worked out from it, at most."""
        own = self.codes.nbytes + self.designs.nbytes + self.features.nbytes + self.lifted.nbytes
        return own + self.features.nbytes  # twice in single precision

    @cached_property
    def varying(self) -> NDArray[np.intp]:
        """Which features are not the same in all designs, (k',)."""
        return np.flatnonzero((self.features != self.features[:1]).any(axis=0))

    @cached_property
    def single_features(self) -> NDArray[np.float32]:
        """Those that vary, in single precision, (M, k')."""
        return self.features[:, self.varying].astype(np.float32)

    @cached_property
    def halves(self) -> Halves | None:
        """How the list falls into halves; None: it does not."""
        size = len(self.codes)
        ordered = np.empty_like(self.single_features)  # by number
        if np.bincount(self.codes, minlength=size).max() > 1 or self.codes.max() >= size:
            return None  # no list of all designs
        ordered[self.codes] = self.single_features
        for count in sorted(_divisors(size), key=lambda each: abs(each - size / each)):
            grid = ordered.reshape(count, size // count, -1)  # (A, B, k)
            of_first = (grid == grid[:, :1]).all(axis=(0, 1))  # (k,)
            of_second = (grid == grid[:1]).all(axis=(0, 1))
            if (of_first | of_second).all():
                features = grid[:, 0, of_first], grid[0][:, ~of_first]
                columns = self.varying[of_first], self.varying[~of_first]
                return Halves(columns, features, self.codes)
        return None


def _divisors(number: int) -> list[int]:
    """Those but for 1 and the number itself."""
    return [each for each in range(2, number) if number % each == 0]


def listed_designs(space: DesignSpace, turn: int) -> ListedDesigns | None:
    """What `DesignSpace.shared_candidates` says, ready for use; None: it says nothing."""
    codes = space.shared_candidates(0)
    same_in_every_turn = codes is None or len(codes) == space.size
    return None if codes is None else _lists.of(space, 0 if same_in_every_turn else turn)


class RecentLists:
    """The lists that were asked for last, as many as fit.

    Args:
        most: Bytes of all together; one list is kept in any case.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[DesignSpace, int], ListedDesigns] = OrderedDict()

    def of(self, space: DesignSpace, turn: int) -> ListedDesigns:
        """The list of a space in a turn, as kept or made."""
        found = self._kept.pop((space, turn), None)
        if found is None:
            found = _listed_designs(space, turn)
        self._kept[space, turn] = found  # the latest is the last
        while len(self._kept) > 1 and sum(each.bytes for each in self._kept.values()) > self._most:
            self._kept.popitem(last=False)
        return found


_lists = RecentLists(2**28)


def _listed_designs(space: DesignSpace, turn: int) -> ListedDesigns:
    codes = space.shared_candidates(turn)
    assert codes is not None
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
