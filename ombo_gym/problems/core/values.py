"""What problems give is checked where it comes in: instances, true values, measurements, optima.

Whatever a problem of one's own returns by mistake, a scalar that carries a gradient, a column too
many, infinity for a failure, is refused with its name and what was expected; nothing is guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.design_spaces import Designs
from ombo_gym.randomness import KeyedGenerator, Stream

if TYPE_CHECKING:
    from ombo_gym.problems.core.base import Instances, Problem

_ROOM = 1e-6  # above the optimum, relative where it is large, that rounding may bring a value
_FLOOR = "`feasible` says which cannot, and `floor` what they are worth"


def as_numbers(what: str, given: Any, expected: str) -> NDArray[Any]:
    """Real numbers as an array, of whatever type and shape they are.

    Args:
        what: Gave them; in messages.
        given: Anything.
        expected: What should have come; in messages.

    Raises:
        ValueError: It is none; says what came.
    """
    if np.ma.is_masked(given):  # as an array they would be numbers like others
        raise ValueError(f"{what}: expected {expected}, got masked ones")
    try:
        array = np.asarray(given)
    except Exception as error:  # lists of different lengths; tensors that carry a gradient
        raise ValueError(
            f"{what}: expected {expected}, got {type(given).__name__}, which is no array of "
            f"numbers ({error})"
        ) from error
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{what}: expected {expected}, got {shown(given)}")
    return array


def checked_values(
    problem: Problem, method: str, given: Any, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """What a method of a problem gives as numbers of a shape.

    Args:
        problem: Whose method it is.
        method: Its name.
        given: Anything.
        shape: (R, n) or (R,).

    Raises:
        ValueError: It is none; names problem and method.
    """
    what, expected = f"{type(problem).__name__}.{method}", f"numbers of shape {shape}"
    array = as_numbers(what, given, expected)
    if array.shape != shape:
        raise ValueError(f"{what}: expected {expected}, got shape {array.shape}")
    return np.asarray(array, np.float64)


def check_finite(
    problem: Problem, method: str, values: NDArray[np.float64], designs: Designs
) -> None:
    """Refuses values of designs that can be measured and have no number.

    Args:
        problem: Whose method it is.
        method: Its name.
        values: (R, n).
        designs: (R, n, *shape).

    Raises:
        ValueError: NaN or infinity; says what to do where a design cannot be measured.
    """
    if (finite := np.isfinite(values)).all():
        return
    design = problem.design_space.describe(designs[~finite][0])
    raise ValueError(
        f"{type(problem).__name__}.{method}: expected finite numbers for designs that can be "
        f"measured, got {values[~finite][0]} for {shown(design)}; {_FLOOR}"
    )


def feasible_mask(
    problem: Problem, instances: Instances, designs: Designs
) -> NDArray[np.bool_] | None:
    """Which designs a problem can measure, (R, n); None: all.

    Args:
        problem: Says so.
        instances: R of them.
        designs: (R, n, *shape).

    Raises:
        ValueError: It says anything else than truth values of that shape.
    """
    given, shape = problem.feasible(instances, designs), designs.shape[:2]
    if given is None:
        return None
    mask = given if isinstance(given, np.ndarray) else np.asarray(None)
    if mask.dtype != np.bool_ or mask.shape != shape:
        came = f"{mask.dtype} {mask.shape}" if mask is given else shown(given)
        raise ValueError(
            f"{type(problem).__name__}.feasible: expected None or truth values of shape {shape}, "
            f"got {came}"
        )
    return mask


def check_optimum(
    problem: Problem,
    optimum: NDArray[np.float64],
    true_values: NDArray[np.float64],
    designs: Designs,
) -> None:
    """Refuses an optimum that is beaten, by which a regret would be negative.

    Args:
        problem: Says whether the optimum is exact; one that is not may be beaten.
        optimum: (R,), NaN where it is not known.
        true_values: (R, n), -inf where a slot does not count.
        designs: (R, n, *shape).

    Raises:
        ValueError: A value is above the optimum; says both, and of which design.
    """
    if not problem.optimum_exact:
        return
    room = _ROOM * np.maximum(1.0, np.abs(optimum))
    beaten = true_values > (optimum + room)[:, None]  # (R, n), false for NaN
    if not beaten.any():
        return
    row, slot = np.argwhere(beaten)[0]
    claimed, found = (problem.in_units(float(v)) for v in (optimum[row], true_values[row, slot]))
    design = shown(problem.design_space.describe(designs[row, slot]))
    side = "above" if problem.in_units(1.0) > 0 else "below"
    remedy = "give the right optimum or, where it is not known, none"
    if true_values[row, slot] == problem.floor:  # what cannot be measured is worth that
        remedy = (
            f"where it cannot be measured, `floor` = {problem.floor:g} is too high; else {remedy}"
        )
    raise ValueError(
        f"optimum: expected no value of {type(problem).__name__} {side} the optimum "
        f"{claimed:.10g}, got {found:.10g} for {design}; {remedy}"
    )


def checked_optimum(problem: Problem, instances: Instances, count: int) -> NDArray[np.float64]:
    """The optimum of each instance, (R,), NaN where the problem cannot tell.

    Args:
        problem: Whose optimum it is.
        instances: R of them.
        count: R.

    Raises:
        ValueError: It is no number for each; names the problem.
    """
    found = problem.optimum(instances)
    if found is None and problem.optimum_known:
        raise ValueError(
            f"{type(problem).__name__}.optimum: expected numbers of shape ({count},), the largest "
            "true value of each instance, got None; where it is not known, leave optimum_known out"
        )
    if found is None:
        return np.full(count, np.nan)
    optimum = checked_values(problem, "optimum", found, (count,))
    if np.isinf(optimum).any():
        raise ValueError(
            f"{type(problem).__name__}.optimum: expected finite numbers, or NaN where it is not "
            f"known, got {shown(optimum.tolist())}"
        )
    return optimum


def draw_instances(
    problem: Problem, keys: NDArray[np.uint64], requested: NDArray[np.int64]
) -> Instances:
    """Draws the instances of R campaigns.

    Args:
        problem: A family of instances.
        keys: (R,) of the campaigns.
        requested: (R,) numbers of those that were asked for; -1: drawn.

    Raises:
        ValueError: The problem draws no arrays with a row for each campaign.
    """
    instances = problem.draw(KeyedGenerator(keys, Stream.INSTANCE))
    name = type(problem).__name__
    if not isinstance(instances, dict) or not instances:
        drawn = "none" if isinstance(instances, dict) else shown(instances)
        raise ValueError(
            f"{name}.draw: expected at least one array with a row per campaign, in a dict by name, "
            f"got {drawn}; where all instances are alike, give their number"
        )
    for key, array in instances.items():
        if not isinstance(array, np.ndarray) or array.shape[:1] != keys.shape:
            came = array.shape if isinstance(array, np.ndarray) else shown(array)
            raise ValueError(
                f"{name}.draw: expected arrays with a row for each of {len(keys)} campaigns, got "
                f"{came} of {key!r}"
            )
    if (chosen := requested >= 0).any():
        numbered = problem.instances_numbered(requested[chosen])
        instances = {key: array.copy() for key, array in instances.items()}
        for key, array in numbered.items():
            instances[key][chosen] = array
    return instances
