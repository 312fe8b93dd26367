"""Search for the best design of any space, for many instances at once: the best of mutants."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.randomness import BatchedGenerator

Evaluate = Callable[[Designs], NDArray[np.float64]]  # (R, n, *shape) -> (R, n)

_FIRST, _LAST = 0.5, 1e-4  # standard deviation of what numbers of a mutant change by
_MUTATIONS = 1.5  # categories of a mutant that change, on average


def climb_by_mutation(
    evaluate: Evaluate,
    space: DesignSpace,
    rngs: BatchedGenerator,
    *,
    scatter: int,
    climbers: int,
    mutants: int,
    iterations: int,
) -> NDArray[np.float64]:
    """The best values found, (R,): from below.

    From the best of random designs, each climber goes to the best of its mutants where that is
    better, while numbers of mutants change less and less.

    Args:
        evaluate: The objectives, elementwise in designs.
        space: Where designs live.
        rngs: Of R instances.
        scatter: Random designs.
        climbers: How many of the best of them are improved.
        mutants: Of each climber in an iteration.
        iterations: How often.
    """
    num_campaigns = len(rngs)
    row = np.arange(num_campaigns)[:, None]  # (R, 1)
    designs = space.sample(rngs, scatter)
    values = evaluate(designs)
    top = np.argsort(-values, axis=1, kind="stable")[:, :climbers]
    x, value = designs[row, top], values[row, top]  # (R, climbers, *shape), (R, climbers)
    shape = num_campaigns, x.shape[1], mutants
    for step in np.geomspace(_FIRST, _LAST, iterations):
        parents = np.repeat(x, mutants, axis=1)
        offspring = space.mutate(parents, rngs, mutations=_MUTATIONS, step=float(step))
        # Mutants differ in a category at least; half of them give back half of their parameters.
        half = np.arange(parents.shape[1]) % 2 == 0
        offspring[:, half] = space.recombine(offspring[:, half], parents[:, half], rngs)
        offspring_values = evaluate(offspring).reshape(shape)
        best = offspring_values.argmax(axis=2)  # (R, climbers)
        found = np.take_along_axis(offspring_values, best[..., None], axis=2)[..., 0]
        better = found > value
        x = np.where(
            better.reshape(*better.shape, *(1,) * (x.ndim - 2)),
            offspring[row, best + mutants * np.arange(shape[1])],
            x,
        )
        value = np.where(better, found, value)
    best_found: NDArray[np.float64] = value.max(axis=1)
    return best_found
