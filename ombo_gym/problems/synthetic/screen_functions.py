"""Random functions of numbers and categories that are made like what laboratories measure.

A latent function is a sum of waves over the coordinates of a design: waves of one parameter each
(main effects), of two (interactions), long ones of all (a smooth part) and short ones of all (a
rugged part). What is measured is a bent image of it, with zeros where designs do not work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.randomness import BatchedGenerator

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Functions = dict[str, NDArray[Any]]  # with one leading row per function

PARTS = 4  # main effects, interactions, smooth, rugged
WAVES = 32  # of each part
EMBEDDING = 3  # coordinates of a category's level: levels that are near each other act alike
_ENTRIES = 2**22  # of the arrays in an evaluation, for bounded memory

# What varies from function to function.
_SHARES = np.array([1.0, 1.0, 0.4, 1.6])  # of the variance, before they are normalised
_OF_WORKING = np.array([0.7, 0.3, 0.0, 0.0])  # likewise, of what decides which designs work
_UNEVEN = 2.0  # power of the exponential numbers that they are multiplied by
_SPARSITY = 2.0  # how much the logarithms of parameters' relevances differ, at most
_MOST_PAIRS = 6
_LENGTHS = (0.4, 4.0)  # of waves of one parameter or two, where numbers are from -1 to 1
_SMOOTH_LENGTHS = (0.5, 3.0)
_RUGGED_LENGTHS = (0.05, 0.4)
_SPREAD = 0.5  # standard deviation of a level's coordinates
_WITH_ZEROS = 0.3  # share of functions that have designs which do not work
_MOST_ZEROS = 0.7  # share of designs that do not work, at most
_BEND = 1.7  # of the exponential that measurements are of the latent function, at most
_FAR = 2.0  # standard deviations, beyond which the exponential goes on as a logarithm
_ROUNDED = 0.25  # share of functions with rounded values
_STEPS = (0.005, 0.2)  # of rounded values, beside their standard deviation


@dataclass(frozen=True)
class Coordinates:
    """What functions see of designs with P parameters: D coordinates.

    Attributes:
        counts: (P,) levels of each category, of which `EMBEDDING` coordinates are seen; 0: a
            number, which is one coordinate.
    """

    counts: tuple[int, ...]

    @cached_property
    def owners(self) -> NDArray[np.intp]:
        """(D,) which parameter each coordinate is of."""
        widths = [EMBEDDING if count else 1 for count in self.counts]
        return np.repeat(np.arange(len(self.counts)), widths)

    @property
    def num_levels(self) -> int:
        """Levels of all categories together."""
        return sum(self.counts)

    def seen(self, levels: Floats32, columns: Floats) -> Floats32:
        """The coordinates of designs.

        Args:
            levels: (R, num_levels, EMBEDDING) what each function sees of categories' levels.
            columns: (R, n, P): numbers from -1 to 1, and codes of categories.

        Returns:
            (R, n, D).
        """
        coordinates = np.empty((*columns.shape[:2], len(self.owners)), np.float32)
        row = np.arange(len(levels))[:, None]  # (R, 1)
        place = first = 0
        for parameter, count in enumerate(self.counts):
            column = columns[..., parameter]
            width = EMBEDDING if count else 1
            block = levels[row, first + column.astype(np.intp)] if count else column[..., None]
            coordinates[..., place : place + width] = block
            place, first = place + width, first + count
        return coordinates


def draw_functions(
    rngs: BatchedGenerator, coordinates: Coordinates, reference: Floats
) -> Functions:
    """Functions whose values vary with standard deviation 1 over a reference.

    Args:
        rngs: Of R functions.
        coordinates: What they see of P parameters.
        reference: (m, P) columns of designs from all over the design space.

    Returns:
        Arrays with R rows, for `values_of`.
    """
    num_parameters, owners = len(coordinates.counts), coordinates.owners
    num_waves = PARTS * WAVES
    own = rngs.random((PARTS + 8,))  # of the function itself
    of_parameters = rngs.random((2, num_parameters))
    of_pairs = rngs.random((2, _MOST_PAIRS))
    of_waves = rngs.random((5, num_waves))
    num_normals = len(owners) * num_waves + coordinates.num_levels * EMBEDDING
    normals = rngs.draw(lambda rng: rng.standard_normal(num_normals, dtype=np.float32))
    directions, levels = np.split(normals, [len(owners) * num_waves], axis=1)

    scales = _scales(own[:, PARTS:], of_parameters, of_pairs, of_waves[:, 0])  # (R, P, F)
    directions = directions.reshape(-1, len(owners), num_waves)
    signs = np.where(of_waves[:, 1] < 0.5, -1.0, 1.0)
    rayleigh = np.sqrt(-2 * np.log1p(-of_waves[:, 2:4]))  # (R, 2, F)
    functions: Functions = {
        "levels": np.float32(_SPREAD) * levels.reshape(len(own), -1, EMBEDDING),
        "frequencies": directions * scales[:, owners].astype(np.float32),  # (R, D, F)
        "phases": (2 * np.pi * of_waves[:, 4]).astype(np.float32),  # (R, F)
    }
    shares = _SHARES * (-np.log1p(-own[:, :PARTS])) ** _UNEVEN
    shares /= shares.sum(axis=1, keepdims=True)
    drawn = {
        "functions": functions,
        "amplitudes": np.stack([rayleigh[:, 0], signs * rayleigh[:, 1]], axis=-1),
        "shares": np.stack([shares, np.broadcast_to(_OF_WORKING, shares.shape)], axis=-1),
        "of_shapes": own[:, PARTS + 4 :],
    }
    step = max(1, _ENTRIES // (len(reference) * num_waves))
    scaled = [
        _scaled(coordinates, reference, **_rows(drawn, slice(first, first + step)))
        for first in range(0, len(own), step)
    ]
    return {name: np.concatenate([each[name] for each in scaled]) for name in scaled[0]}


def values_of(functions: Functions, coordinates: Coordinates, columns: Floats) -> Floats:
    """Values of designs, (R, n, P) columns -> (R, n); each does not depend on the others."""
    num_functions, n = columns.shape[:2]
    values = np.empty((num_functions, n))
    rows = max(1, _ENTRIES // (PARTS * WAVES))  # designs that are computed at once
    step = max(1, rows // max(n, 1))
    for first in range(0, num_functions, step):
        part = {name: array[first : first + step] for name, array in functions.items()}
        for begin in range(0, n, rows):
            some = columns[first : first + step, begin : begin + rows]
            waves = _waves(part, coordinates.seen(part["levels"], some))
            values[first : first + step, begin : begin + rows] = _measured(part, _sums(part, waves))
    return values


def _rows(arrays: dict[str, Any], rows: slice) -> dict[str, Any]:
    """Some of the rows of arrays, and of dicts of arrays."""
    return {
        name: _rows(each, rows) if isinstance(each, dict) else each[rows]
        for name, each in arrays.items()
    }


def _scaled(
    coordinates: Coordinates,
    reference: Floats,
    functions: Functions,
    amplitudes: Floats,
    shares: Floats,
    of_shapes: Floats,
) -> Functions:
    """Functions whose parts have their shares, (R, parts, 2), of the variance of a reference."""
    everywhere = np.broadcast_to(reference, (len(of_shapes), *reference.shape))
    waves = _waves(functions, coordinates.seen(functions["levels"], everywhere))  # (R, m, F)
    both = [
        _of_unit_variance(waves, amplitudes[..., i], shares[..., i])  # (R, F)
        for i in range(2)
    ]
    functions = {**functions, "amplitudes": np.stack(both, axis=-1)}  # (R, F, 2)
    return {**functions, **_shapes(of_shapes, _sums(functions, waves))}


def _waves(functions: Functions, seen: Floats32) -> Floats32:
    """Cosines of coordinates, (R, n, D) -> (R, n, F)."""
    # One product per design: BLAS rounds by shape, and a design has one value.
    angles: Floats32 = np.matmul(seen[:, :, None], functions["frequencies"][:, None])[:, :, 0]
    angles += functions["phases"][:, None]
    return np.cos(angles, out=angles)


def _sums(functions: Functions, waves: Floats32) -> Floats32:
    """The latent function, and what decides which designs work, (R, n, F) -> (R, n, 2)."""
    sums: Floats32 = np.matmul(waves[:, :, None], functions["amplitudes"][:, None])[:, :, 0]
    return sums


def _scales(own: Floats, of_parameters: Floats, of_pairs: Floats, of_waves: Floats) -> Floats:
    """How fast each wave changes along each parameter, from uniform numbers.

    Args:
        own: (R, 8) of which the first 4 are used.
        of_parameters: (R, 2, P).
        of_pairs: (R, 2, pairs).
        of_waves: (R, F).

    Returns:
        (R, P, F), 0 where a wave does not depend on a parameter.
    """
    num_functions, _, num_parameters = of_parameters.shape
    row = np.arange(num_functions)[:, None]
    logistic = np.log((of_parameters[:, 0] + 1e-6) / (1 + 1e-6 - of_parameters[:, 0]))
    relevance = np.exp(_SPARSITY * own[:, :1] * (logistic - logistic.max(axis=1, keepdims=True)))
    odds = relevance / relevance.sum(axis=1, keepdims=True)  # (R, P)
    of_main, of_pair = of_waves[:, :WAVES], of_waves[:, WAVES : 2 * WAVES]

    which = np.arange(num_parameters)[:, None]  # (P, 1)
    main = which == _chosen(odds, of_main)[:, None]  # (R, P, W)
    firsts = _chosen(odds, of_pairs[:, 0])  # (R, pairs)
    again = np.arange(num_parameters) == firsts[..., None]  # (R, pairs, P)
    others = np.where(again, 1e-12, odds[:, None] + 1e-9)
    others /= others.sum(axis=-1, keepdims=True)  # (R, pairs, P)
    seconds = _chosen(others.reshape(-1, num_parameters), of_pairs[:, 1].reshape(-1, 1))
    seconds = seconds.reshape(firsts.shape)
    in_use = 1 + np.floor(_MOST_PAIRS * own[:, 1:2])
    slot = np.floor(in_use * of_pair).astype(np.intp)  # (R, W)
    pair = (which == firsts[row, slot][:, None]) | (which == seconds[row, slot][:, None])

    lengths = _between(_LENGTHS, of_parameters[:, 1])[..., None]  # (R, P, 1)
    weights = np.sqrt(relevance / relevance.sum(axis=1, keepdims=True))[..., None]
    smooth = weights / _between(_SMOOTH_LENGTHS, own[:, 2, None, None])
    rugged = 1 / _between(_RUGGED_LENGTHS, own[:, 3, None, None])
    every = np.ones((num_functions, num_parameters, WAVES))
    return np.concatenate(
        [main / lengths, 2 * pair / lengths, smooth * every, rugged * every], axis=-1
    )


def _chosen(odds: Floats, uniform: Floats) -> NDArray[np.intp]:
    """Which of P things uniform numbers fall on, (R, P) and (R, m) -> (R, m)."""
    ends = np.cumsum(odds, axis=1)
    found: NDArray[np.intp] = (ends[:, None, :-1] <= uniform[..., None]).sum(axis=-1)
    return found


def _between(ends: tuple[float, float], uniform: Floats) -> Floats:
    """Log-uniform numbers."""
    low, high = ends
    numbers: Floats = low * (high / low) ** uniform
    return numbers


def _of_unit_variance(waves: Floats32, amplitudes: Floats, shares: Floats) -> Floats32:
    """Amplitudes (R, F) by which each part has its share of the variance over the reference."""
    by_part = waves * amplitudes[:, None]
    by_part = by_part.reshape(*waves.shape[:2], PARTS, WAVES).sum(axis=-1)  # (R, m, parts)
    deviations = by_part.std(axis=1)  # (R, parts)
    scaled = np.sqrt(shares) / np.where(deviations > 1e-9, deviations, 1.0)
    found: Floats32 = (amplitudes * np.repeat(scaled, WAVES, axis=1)).astype(np.float32)
    return found


def _shapes(uniform: Floats, sums: Floats32) -> Functions:
    """How measurements come from the latent function, from uniform numbers and its values.

    Args:
        uniform: (R, 4).
        sums: (R, m, 2) the latent function and what decides which designs work.
    """
    reference = sums.astype(np.float64)
    middles, deviations = reference.mean(axis=1), reference.std(axis=1)  # (R, 2) each
    deviations = np.where(deviations > 1e-9, deviations, 1.0)
    zeros = _MOST_ZEROS * np.maximum(uniform[:, 0] / _WITH_ZEROS, 0) * (uniform[:, 0] < _WITH_ZEROS)
    angle = np.pi / 2 * uniform[:, 1:2]  # 0: what would be low does not work; pi / 2: whatever
    side = 2 * uniform[:, 2:3] - 1
    functions: Functions = {
        "middles": middles,
        "deviations": deviations,
        "angle": angle,
        "bend": _BEND * side * np.abs(side) ** 0.5,
        "cut": np.full((len(sums), 1), -np.inf),
        "lowest": np.zeros((len(sums), 1)),
        "unit": np.ones((len(sums), 1)),
        "step": np.zeros((len(sums), 1)),
    }
    _, hurdle = _standardised(functions, reference)
    ordered = np.sort(hurdle, axis=1)  # (R, m)
    place = np.floor(zeros * hurdle.shape[1]).astype(np.intp)[:, None]  # so many are below
    functions["cut"] = np.where(zeros[:, None] > 0, np.take_along_axis(ordered, place, 1), -np.inf)
    bent = _bent(functions, reference)
    functions["lowest"] = bent.min(axis=1, keepdims=True)
    spread = _measured(functions, reference).std(axis=1, keepdims=True)
    functions["unit"] = np.where(spread > 1e-9, spread, 1.0)
    steps = _between(_STEPS, uniform[:, 3:4] / _ROUNDED)
    functions["step"] = np.where(uniform[:, 3:4] < _ROUNDED, steps, 0.0)
    return functions


def _standardised(functions: Functions, sums: NDArray[np.floating[Any]]) -> tuple[Floats, Floats]:
    """The latent function, and what has to reach `cut` for a design to work, (R, n) each."""
    scaled = (sums - functions["middles"][:, None]) / functions["deviations"][:, None]
    latent, working = scaled[..., 0], scaled[..., 1]
    angle = functions["angle"]
    return latent, np.cos(angle) * latent + np.sin(angle) * working


def _bent(functions: Functions, sums: NDArray[np.floating[Any]]) -> Floats:
    """The latent function, longer on one side; how much further it goes grows slowly at last."""
    side = np.where(functions["bend"] < 0, -1.0, 1.0)
    steepness = np.maximum(np.abs(functions["bend"]), 1e-3)
    outwards = side * _standardised(functions, sums)[0]
    within = np.expm1(steepness * np.minimum(outwards, _FAR)) / steepness
    beyond = np.exp(steepness * _FAR) * np.log1p(np.maximum(outwards - _FAR, 0.0))
    bent: Floats = side * (within + beyond)
    return bent


def _measured(functions: Functions, sums: NDArray[np.floating[Any]]) -> Floats:
    """Values of designs, (R, n, 2) -> (R, n)."""
    values = (_bent(functions, sums) - functions["lowest"]) / functions["unit"]
    step = functions["step"]
    values = np.where(step > 0, step * np.round(values / np.where(step > 0, step, 1.0)), values)
    cut = functions["cut"]
    fails = _standardised(functions, sums)[1] < cut
    return np.where(fails, 0.0, np.where(cut > -np.inf, np.maximum(values, 0.0), values))
