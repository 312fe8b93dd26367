"""Features and contrasts of categories and of ordered levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import is_whole, members, shown
from ombo_gym.design_spaces.duplicates import Designs

Floats = NDArray[np.float64]

MOST_CATEGORIES = 2**16  # of all parameters of a design, each of which is a number a surrogate sees

_CANDIDATES = 512  # that a surrogate sees at once
_PADDED = 2**12  # one-hot columns up to which all positions have as many
_CONTRASTED = 2**10  # categories up to which contrasts are kept in a table; of more levels, none


def checked_categories(categories: Any) -> NDArray[np.int64]:
    """Numbers of categories as an array, (L,).

    Raises:
        ValueError: They are no list of whole numbers of at least 1; shows how one is written.
    """
    counts = None if isinstance(categories, str) else members(categories)
    if not counts or not all(map(is_whole, counts)):
        raise ValueError(
            "categories: expected a list of whole numbers of at least 1, how many categories there "
            f"are at each position ([4, 4, 4]: three positions of four), got {shown(categories)}"
        )
    return np.array(counts, np.int64)


def check_names(
    categories: NDArray[np.int64],
    alphabet: str | None,
    labels: Sequence[Sequence[str]] | None,
) -> None:
    """Refuses letters or labels that do not go with the categories.

    Raises:
        ValueError: Fewer letters than categories, or another number of labels than of positions or
            of a position's categories; says which.
    """
    most = int(categories.max())
    if alphabet is not None and not (isinstance(alphabet, str) and len(alphabet) >= most):
        raise ValueError(
            f"alphabet: expected a text of at least {most} letters, one a category, got "
            f"{shown(alphabet)}"
        )
    if labels is None:
        return
    if len(labels) != len(categories):
        raise ValueError(
            f"labels: expected a list for each of {len(categories)} positions, got {len(labels)}"
        )
    for position, (n, names) in enumerate(zip(categories.tolist(), labels, strict=True)):
        if isinstance(names, str) or len(names) != n:
            raise ValueError(
                f"labels: expected a list of {n} texts, one a category, at position {position}, "
                f"got {shown(names)}"
            )


def check_number_of_categories(argument: str, counts: Sequence[int]) -> None:
    """Refuses categories that make one-hot features too large to compute with.

    Args:
        argument: What messages begin with.
        counts: Numbers of categories of the parameters without an order.

    Raises:
        ValueError: They are more than 65,536 together; says what they would take.
    """
    if (total := sum(counts)) > MOST_CATEGORIES:
        needed = 8 * _CANDIDATES * total / 2**30
        raise ValueError(
            f"{argument}: expected at most {MOST_CATEGORIES:,} categories in a design, each of "
            f"which a surrogate sees as a number, got {total:,}: {needed:,.1f} GiB for the "
            f"{_CANDIDATES} designs that are looked at at once; write numbers as an integer range "
            "or as levels, which have an order, or make a pool of candidates that have features"
        )


def one_hot(designs: Designs, categories: NDArray[np.int64]) -> Floats:
    """Positions of categories as features, (..., L) -> (..., k); two differ at distance 1.

    Every position has as many columns as the one with the most categories, unless that would be
    many more than there are categories.

    Args:
        designs: (..., L) categories.
        categories: (L,) how many there are at each position.
    """
    most, total = int(categories.max()), int(categories.sum())
    if len(categories) * most <= max(_PADDED, 2 * total):
        hot = np.arange(most) == designs[..., None]  # (..., L, most)
        flat = hot.reshape(*hot.shape[:-2], hot.shape[-2] * hot.shape[-1])
        return np.where(flat, np.sqrt(0.5), 0.0)
    found = np.zeros((*designs.shape[:-1], total))
    first = np.concatenate([[0], np.cumsum(categories)[:-1]])  # (L,)
    np.put_along_axis(found, first + designs, np.sqrt(0.5), axis=-1)
    return found


def on_scale(levels: Floats) -> Floats:
    """Levels as features, (n,): of mean squared distance (n - 1) / n, as one-hot categories have.

    Two of n levels differ with probability (n - 1) / n.
    """
    n = len(levels)
    if n == 1:
        return np.zeros(1)
    if (levels == np.arange(n)).all():  # (n^2 - 1) / 6 is their mean squared distance in steps
        scaled: Floats = levels * np.sqrt(6 / (n * (n + 1)))
        return scaled
    spread = (levels - levels[0]) / (levels[-1] - levels[0])
    scaled = spread * np.sqrt((n - 1) / n / (2 * spread.var()))
    return scaled


def checked_levels(
    levels: Sequence[Sequence[float] | None] | None, categories: NDArray[np.int64]
) -> tuple[tuple[float, ...] | None, ...]:
    """What categories amount to at each position; None at those without an order.

    Raises:
        ValueError: They do not go with the categories, or do not ascend.
    """
    if levels is None:
        return (None,) * len(categories)
    if len(levels) != len(categories):
        raise ValueError(
            f"levels: expected them for each of {len(categories)} positions (None at those without "
            f"an order), got {len(levels)}"
        )
    checked: list[tuple[float, ...] | None] = []
    for n, each in zip(categories.tolist(), levels, strict=True):
        if each is None:
            checked.append(None)
            continue
        numbers = np.asarray(each, np.float64)
        rises = (
            numbers.shape == (n,) and np.isfinite(numbers).all() and (np.diff(numbers) > 0).all()
        )
        if not rises:
            raise ValueError(f"levels: expected {n} finite, ascending numbers, got {shown(each)}")
        checked.append(tuple(each))
    return tuple(checked)


def contrasts(categories: int) -> Floats:
    """Orthogonal contrasts of n categories with mean square 1, (n, n - 1)."""
    return _contrasts(np.arange(categories), categories)


def category_effects(codes: NDArray[np.integer[Any]], categories: int) -> Floats:
    """Rows of `contrasts` of n categories, (...,) from 0 to n - 1 -> (..., n - 1)."""
    if categories <= _CONTRASTED:
        found: Floats = contrasts(categories)[codes]
        return found
    return _contrasts(codes, categories)


def _contrasts(codes: NDArray[np.integer[Any]], categories: int) -> Floats:
    k = np.arange(1, categories)  # (n - 1,) each contrasts category k with those before it
    code = np.asarray(codes)[..., None]
    signs = np.where(code < k, 1.0, np.where(code == k, -1.0 * k, 0.0))
    scaled: Floats = signs * np.sqrt(categories / (k * (k + 1.0)))
    return scaled


def level_effects(codes: NDArray[np.integer[Any]], levels: Floats) -> Floats:
    """Regressors of ordered levels: contrasts of a few, one linear effect of many.

    Args:
        codes: (...,) from 0 to n - 1.
        levels: (n,) what they amount to.

    Returns:
        (..., n - 1) or, of more than 1,024 levels, (..., 1); of mean square 1.
    """
    if len(levels) <= _CONTRASTED:
        return category_effects(codes, len(levels))
    standard: Floats = ((levels - levels.mean()) / levels.std())[codes]
    return standard[..., None]
