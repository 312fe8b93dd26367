"""Which designs surrogate-based choices are made from: global ones, and some around the best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns, Designs, DesignSpace
from ombo_gym.quasirandom import shifted
from ombo_gym.randomness import RowDraws

GLOBAL = 192  # quasi-random designs of a box
LOCAL = 64  # designs around the best one of a box
WHOLE = 1024  # finite spaces up to this size are looked at whole
RANDOM = 128  # uniform designs of a larger finite space
MUTANTS = 384  # mutants of the best designs of a categorical space
PARENTS = 8
MUTATIONS = 1.5  # expected mutations per mutant, the one that is certain included

# Half side of the local box. Boxes of several sizes serve no schedule better (last_mean, best:
# within 0.3%); only pure exploitation gains by finer ones (greedy, N = 3, last_mean: 1.24 with this
# one, 1.31 with five sizes).
RADIUS = 0.2


def looks_at_everything(space: DesignSpace) -> bool:
    """Whether the candidates are all designs, so that none are drawn."""
    return space.size is not None and space.size <= WHOLE


def candidates(
    space: DesignSpace, designs: Designs, values: NDArray[np.float64], extra: int, draws: RowDraws
) -> Designs:
    """Candidates for R campaigns with n observations each.

    Args:
        space: Where the designs live.
        designs: (R, n, *shape) observed.
        values: (R, n).
        extra: How many more than usual, for wide batches; on finite spaces only.
        draws: Randomness of the R campaigns.

    Returns:
        (R, M, *shape); the best observed design is among them, but for pools that are only sampled.
    """
    rows, n = values.shape
    if isinstance(space, BoxDesigns):
        best = (
            designs[np.arange(rows), values.argmax(axis=1)]
            if n
            else np.zeros((rows, space.dim), np.float32)
        )
        return _box(space, best, draws)
    assert space.size is not None
    if looks_at_everything(space):
        everything = space.decode(np.arange(space.size))
        return np.broadcast_to(everything, (rows, *everything.shape))
    if isinstance(space, CategoricalDesigns) and n:
        parents = np.argsort(-values, axis=1, kind="stable")[:, :PARENTS]
        mutants = mutate(
            space,
            designs[np.arange(rows)[:, None], np.resize(parents.T, (MUTANTS + extra, rows)).T],
            MUTATIONS,
            draws,
        )
        mutants[:, 0] = designs[np.arange(rows), parents[:, 0]]
        return np.concatenate([mutants, space.sample(draws, RANDOM)], axis=1)
    return space.sample(draws, RANDOM + MUTANTS + extra)


def _box(space: BoxDesigns, best: NDArray[np.float32], draws: RowDraws) -> Designs:
    """Shifted quasi-random points: global ones, and local ones in a box around the best."""
    dim = space.dim
    points = shifted(draws, GLOBAL + LOCAL, dim)  # every stretch of the sequence is spread evenly
    points *= 2.0
    points -= 1.0
    local = best[:, None].astype(np.float64) + RADIUS * points[:, :LOCAL]
    points[:, :LOCAL] = np.clip(local, -1.0, 1.0)
    points[:, 0] = best
    return points.astype(np.float32)


def mutate(
    space: CategoricalDesigns, parents: Designs, mutations: float, draws: RowDraws
) -> Designs:
    """Changes one position of every parent, and others so that `mutations` change on average.

    Args:
        space: Of the designs.
        parents: (R, m, L).
        mutations: At least 1.
        draws: Randomness of the R campaigns.

    Returns:
        (R, m, L).
    """
    count, length = parents.shape[1], space.length
    numbers = draws.random((count, 2 * length + 1))  # (R, m, 2L + 1)
    sites = numbers[..., :length] < (mutations - 1) / max(length - 1, 1)
    certain = (numbers[..., -1] * length).astype(np.intp)
    np.put_along_axis(sites, certain[..., None], True, axis=-1)
    steps = 1 + (numbers[..., length:-1] * (space.categories - 1)).astype(np.int64)
    return np.where(sites, (parents + steps) % space.categories, parents)
