"""A Python function as a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.arguments import shown
from ombo_gym.design_spaces import Designs
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.problems.core.checks import is_number
from ombo_gym.problems.own.spaces import parse_space
from ombo_gym.randomness import BatchedGenerator

_KEPT = 2**17  # values that are remembered at most
_LARGEST = 1e38  # networks compute in float32


class Function(Problem):
    """A function of your own, which every campaign maximises.

    Each design is computed once, also when it is proposed again or in another campaign, and its
    value is remembered (at least the last 65,536 of them): the function should be deterministic.
    `noise_std` of the environment adds noise to what is shown. Pictures leave out the landscape
    behind the designs, which takes thousands of calls, unless the function is `cheap`.

    Args:
        objective: Takes a design in the units of `space`, an array, number or dict, and returns its
            value. An exception goes through, with the design in a note, and leaves the campaign as
            it was; what was computed before it is kept.
        space: A one-dimensional gymnasium Box with finite bounds, or a list of (low, high): designs
            are arrays (d,); a Discrete: whole numbers; a MultiDiscrete or MultiBinary: arrays of
            whole numbers, which are categories; a dict of parameters by name, each written as
            `ombo_gym.design_spaces.parse_parameters` reads it: designs are dicts; or a design space
            of `ombo_gym.design_spaces`.
        vectorized: Whether the objective takes n designs at once, (n, d) or a dict of (n,), and
            returns (n,). Values that are all numbers, all texts or all truth values come as arrays
            of such, others as arrays of objects.
        minimise: Whether low values are good. Values, rewards and infos are then negative.
        optimum: The best value there is, where it is known; a better one is then an error.
        floor: Value of designs that cannot be measured, for which the objective returns NaN; None:
            NaN is an error. Random starts then hold designs that can be measured only, and those
            that are drawn on the way are computed too: for a start of m at most 251 * m, after
            which the reset raises RuntimeError.
        reference: b0 of utility `best` for campaigns without a start.
        cheap: Whether a picture may call the objective 4,096 times.

    Raises:
        ValueError: A space or argument that is not as described.

    Example:
        >>> problem = Function(lambda x: -float((x**2).sum()), [(-5, 10), (0, 15)])
        >>> problem.to_units([-1, 1])
        array([-5., 15.])
        >>> screen = Function(lambda well: well["T"], {"T": (20, 100), "base": ["DBU", "TEA"]})
        >>> screen.to_design({"T": 37.2, "base": "TEA"})
        array([-0.57, -1.  ,  1.  ], dtype=float32)
    """

    rounds: ClassVar[tuple[int, int]] = (1, 20)

    def __init__(
        self,
        objective: Callable[[Any], Any],
        space: Any,
        *,
        vectorized: bool = False,
        minimise: bool = False,
        optimum: float | None = None,
        floor: float | None = None,
        reference: float = 0.0,
        cheap: bool = False,
    ) -> None:
        if not callable(objective):
            raise ValueError(f"objective: expected a function of a design, got {objective!r}")
        for name, flag in (("vectorized", vectorized), ("minimise", minimise), ("cheap", cheap)):
            if not isinstance(flag, bool | np.bool_):
                raise ValueError(f"{name}: expected True or False, got {flag!r}")
        for name, number in (("optimum", optimum), ("floor", floor), ("reference", reference)):
            missing = number is None and name != "reference"
            if not missing and not (is_number(number) and abs(float(number or 0)) <= _LARGEST):
                raise ValueError(f"{name}: expected a finite number, got {number!r}")
        self.design_space = parse_space(space)
        self.objective = objective
        self.vectorized = bool(vectorized)
        self._sign = -1.0 if minimise else 1.0
        self._optimum = None if optimum is None else self._sign * float(optimum)
        self.optimum_known = self.optimum_exact = optimum is not None
        self._may_fail = floor is not None
        self.floor = 0.0 if floor is None else self._sign * float(floor)
        self.reference = self._sign * float(reference)
        self.cheap = bool(cheap)
        self._known: dict[bytes, float] = {}  # by the design's bytes; NaN: cannot be measured

    def __getstate__(self) -> dict[str, Any]:
        """Pickles without what was computed."""
        return {**self.__dict__, "_known": {}}

    def to_units(self, design: Any) -> Any:
        """One design (*shape), as in actions and observations, in the units of the objective.

        Of the numbers that a float32 coordinate stands for it is the one with the fewest decimals.
        """
        space = self.design_space
        return space.units(space.canonical(np.asarray(design, space.dtype)))

    def to_design(self, units: Any) -> NDArray[Any]:
        """What actions and observations hold for a design that is given in the objective's units.

        Raises:
            ValueError: It is not in the space.
        """
        return self.design_space.parse(units)

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"function": np.zeros(len(rngs), np.int64)}  # the same for all

    @override
    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        flat = np.ascontiguousarray(designs).reshape(-1, *self.design_space.shape)
        keys = [design.tobytes() for design in flat]
        new = {key: i for i, key in enumerate(keys) if key not in self._known}
        if new and self.vectorized:
            values = self._call(flat[list(new.values())], len(new))
            self._known.update(zip(new, values, strict=True))
        else:
            for key, i in new.items():
                self._known[key] = self._call(flat[i], None)[0]
        values = [self._known[key] for key in keys]
        if len(self._known) > _KEPT:  # the older half is forgotten
            self._known = dict(list(self._known.items())[-_KEPT // 2 :])
        return self._sign * np.array(values).reshape(designs.shape[:2])

    @override
    def feasible(self, instances: Instances, designs: Designs) -> NDArray[np.bool_] | None:
        if not self._may_fail:
            return None
        measured: NDArray[np.bool_] = ~np.isnan(self.evaluate(instances, designs))
        return measured

    @override
    def optimum(self, instances: Instances) -> NDArray[np.float64] | None:
        if self._optimum is None:
            return None
        return np.full(len(instances["function"]), self._optimum)

    def _call(self, designs: NDArray[Any], count: int | None) -> list[float]:
        """Checked values of one design (count None) or several."""
        units = self.design_space.units(designs)
        try:
            given = self.objective(units)
        except Exception as error:
            error.add_note(f"raised by the objective at {shown(units)}")
            raise
        return self._checked(given, count, shown(units))

    def _checked(self, given: Any, count: int | None, design: str) -> list[float]:
        """What the objective returned, as numbers; the design, or designs, in messages."""
        if np.ma.is_masked(given):  # as an array they would be numbers like others
            raise ValueError(f"objective: expected numbers, got masked ones at {design}; give NaN")
        shape = () if count is None else (count,)
        expected = "a number" if count is None else f"an array of shape {shape}"
        try:
            values = np.asarray(given)
        except Exception as error:  # lists of different lengths; tensors that carry a gradient
            raise ValueError(
                f"objective: expected {expected}, got {shown(given)} at {design}, which is no "
                f"array of numbers ({error}); float() makes a number of a tensor"
            ) from error
        if values.dtype.kind == "b":
            raise ValueError(
                f"objective: expected {expected}, got {shown(given)} at {design}, a truth value; "
                "give 1.0 and 0.0 if they are meant"
            )
        if values.shape != shape or values.dtype.kind not in "iuf":
            raise ValueError(f"objective: expected {expected}, got {shown(given)} at {design}")
        values = values.astype(np.float64)
        if np.isnan(values).any() and not self._may_fail:
            raise ValueError(
                f"objective: expected numbers, got {shown(given)} at {design}; give a floor, the "
                "value of what cannot be measured, if NaN means that"
            )
        if (np.abs(values) > _LARGEST).any():
            floor = "" if self._may_fail else " and give a floor, the value of such designs,"
            raise ValueError(
                f"objective: expected finite numbers, got {shown(given)} at {design}; return NaN"
                f"{floor} where a design cannot be measured"
            )
        found: list[float] = values.reshape(-1).tolist()
        return found

    @override
    def in_units(self, value: float) -> float:
        return self._sign * value
