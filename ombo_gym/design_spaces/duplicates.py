"""Which designs are the same."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Designs = NDArray[Any]  # (..., *shape) of the space's dtype

_MANY = 32  # designs of a batch that are told apart by sorting
_FEW = 1 / 64  # share of pairs of designs that are looked at one by one


def among(
    designs: Designs, listed: Designs, in_use: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Which designs are in a list, (R, m, *shape) and (R, n, *shape) -> (R, m).

    Args:
        designs: To look for.
        listed: Where to look.
        in_use: (R, n) which entries of the list count; None: all.
    """
    # One entry of the designs after the other: few have even the first ones in common.
    width = math.prod(designs.shape[2:])
    sought = designs.reshape(*designs.shape[:2], width).transpose(2, 0, 1)  # (width, R, m)
    known = listed.reshape(*listed.shape[:2], width).transpose(2, 0, 1)  # (width, R, n)
    # The longer of both innermost, where comparing is one run through memory.
    outer = 1 if sought.shape[2] >= known.shape[2] else 2  # axis of the list
    of_sought = np.s_[:, None] if outer == 1 else np.s_[:, :, None]
    of_known = np.s_[:, None] if outer == 2 else np.s_[:, :, None]
    first, other = np.ascontiguousarray(sought[0]), np.ascontiguousarray(known[0])
    same = first[of_sought] == other[of_known]  # (R, n, m) or (R, m, n)
    if in_use is not None:
        same &= in_use[of_known]
    for entry in range(1, width):
        if np.count_nonzero(same) < _FEW * same.size:
            return _among_few(same, sought, known, outer)
        same &= sought[entry][of_sought] == known[entry][of_known]
    found: NDArray[np.bool_] = same.any(axis=outer)
    return found


def _among_few(
    same: NDArray[np.bool_], sought: Designs, known: Designs, outer: int
) -> NDArray[np.bool_]:
    """As `among`, where few pairs have the first entry in common: only these are looked at."""
    found = np.zeros(sought.shape[1:], bool)  # (R, m)
    pairs = np.flatnonzero(same)
    if pairs.size:
        row, *others = np.unravel_index(pairs, same.shape)
        listed, asked = others if outer == 1 else others[::-1]
        equal = (sought[:, row, asked] == known[:, row, listed]).all(axis=0)
        found[row[equal], asked[equal]] = True
    return found


def repeated(batch: Designs) -> NDArray[np.bool_]:
    """Which slots repeat an earlier slot of their batch, (R, q, *shape) -> (R, q)."""
    flat = batch.reshape(*batch.shape[:2], math.prod(batch.shape[2:]))
    if flat.shape[1] > _MANY:
        return _repeated_among_many(flat)
    again = np.zeros(flat.shape[:2], bool)
    for slot in range(1, flat.shape[1]):
        again[:, slot] = among(flat[:, slot, None], flat[:, :slot])[:, 0]
    return again


def _repeated_among_many(flat: Designs) -> NDArray[np.bool_]:
    """As `repeated`, (R, n, k) -> (R, n): by sorting, not by comparing every two."""
    plain = np.ascontiguousarray(flat + flat.dtype.type(0))  # -0.0 is 0.0
    keys = plain.view(np.dtype((np.void, plain.shape[-1] * plain.itemsize)))[..., 0]
    again = np.ones(keys.shape, bool)
    for row, key in zip(again, keys, strict=True):
        row[np.unique(key, return_index=True)[1]] = False  # the first of each kind
    return again
