"""The pseudo-Boolean functions of the IOHprofiler: landscapes over bit strings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import CategoricalDesigns
from ombo_gym.problems.core.base import Instances
from ombo_gym.problems.synthetic.ioh_suites import Suite, ioh_problem

_NAMES = (
    "OneMax LeadingOnes Linear OneMaxDummy1 OneMaxDummy2 OneMaxNeutrality OneMaxEpistasis "
    "OneMaxRuggedness1 OneMaxRuggedness2 OneMaxRuggedness3 LeadingOnesDummy1 LeadingOnesDummy2 "
    "LeadingOnesNeutrality LeadingOnesEpistasis LeadingOnesRuggedness1 LeadingOnesRuggedness2 "
    "LeadingOnesRuggedness3 LABS IsingRing IsingTorus IsingTriangular MIS NQueens ConcatenatedTrap "
    "NKLandscapes"
).split()
_ONE_MAX, _LABS, _MIS, _QUEENS, _TRAP, _NK = 1, 18, 22, 23, 24, 25
_SQUARE = (20, 21, _QUEENS)  # bits are the cells of a square
_BLOCK = 5  # bits of a trap
_SMALLEST_BOARD = 4  # on smaller ones queens attack each other

# The lowest energy of binary sequences of length 1 to 66, by exhaustive search (Packebusch and
# Mertens, Low autocorrelation binary sequences, J. Phys. A 49, 2016; OEIS A102780).
_LOWEST_ENERGIES = tuple(
    int(energy)
    for energy in (
        "0 1 1 2 2 7 3 8 12 13 5 10 6 19 15 24 32 25 29 26 26 39 47 36 36 45 37 50 62 59 67 64 64 "
        "65 73 82 86 87 99 108 108 101 109 122 118 131 135 140 136 153 153 166 170 175 171 192 188 "
        "197 205 218 226 235 207 208 240 257"
    ).split()
)
_FLIPS = 2**18  # tried in a step of the search for a high value


class PBO(Suite):
    """Functions of bit strings, of which each campaign draws one in one instance.

    A design is a string of `dim` bits. The value is the function of the suite, without unit,
    maximised, without noise (unless `noise_std` is given) and feasible everywhere.

    The functions, by number: 1 OneMax and 2 LeadingOnes, 4 to 10 and 11 to 17 of which are made
    harder by dummy bits, neutrality, epistasis and ruggedness; 3 a linear function; 18 low
    autocorrelation of binary sequences (LABS); 19 to 21 Ising models on a ring, a torus and a
    triangular lattice; 22 maximum independent set (MIS); 23 queens on a board; 24 concatenated
    traps; 25 an NK landscape. 20, 21 and 23 need a square `dim`, 23 one of at least 16, and 24 one
    that 5 divides. Functions that `dim` does not allow are drawn only if they are named, which is
    an error then; the default, 25, allows all.

    Instance 1 is the function as published. The others scale and shift its values, by 0.2 to 5 and
    -1000 to 1000; 2 to 50 flip some of the bits, 51 to 100 shuffle them. Instances 1 to 100 are
    equally likely. With `split_by="instance"` "test" has the 20 that 5 divides, "train" the other
    80; with `split_by="function"` "test" has 19, 20, 21, 23 and 24, "train" the rest.

    The optimum is known and exact, and score 1, for all but two: LABS with more than 66 bits and NK
    landscapes, which are drawn only if they are named. What counts as the best known value of
    these is what steepest ascents find that start in fixed random strings: a bound from below. A
    campaign starts with 8 uniform strings; without a start `reference` is 0, which means little
    here.

    Args:
        dim: Bits, 4 to 1000.
        function: A number from 1 to 25, or a name such as "LeadingOnes": this one alone.
        functions: Numbers or names of those to draw from; by default all of known optimum.
        instances: Numbers of the instances to draw from, instead of a split of them.
        split: "all", "train" or "test".
        split_by: "instance" or "function": what "train" and "test" have different ones of.

    Raises:
        ValueError: An argument out of range, a function that `dim` does not allow, or a split of
            what was chosen by hand.
        ImportError: ioh is not installed: `pip install "ombo-gym[synthetic]"`.

    References:
        Doerr et al., Benchmarking Discrete Optimization Heuristics with IOHprofiler, Applied Soft
        Computing 88, 2020. De Nobel et al., IOHexperimenter, Evolutionary Computation 32, 2024.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/PBO-v0", dim=16, function="LeadingOnes", instances=[1])
        >>> observation, info = env.reset(seed=0)
        >>> info["optimum"]
        16.0
    """

    suite: ClassVar[str] = "PBO"
    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 8}
    dims: ClassVar[tuple[int, int]] = (4, 1000)
    names: ClassVar[Mapping[int, str]] = dict(enumerate(_NAMES, start=1))
    test_functions: ClassVar[tuple[int, ...]] = (19, *_SQUARE, _TRAP, _NK)

    def __init__(
        self,
        *,
        dim: int = 25,
        function: int | str | None = None,
        functions: Sequence[int | str] | None = None,
        instances: Sequence[int] | None = None,
        split: str = "all",
        split_by: str = "instance",
    ) -> None:
        super().__init__(dim, function, functions, instances, split, split_by)
        self.design_space = CategoricalDesigns([2] * self.dim, alphabet="01")
        self.optimum_known = all(map(self._known, self.functions))

    def _known(self, function: int) -> bool:
        """Whether a function's optimum is."""
        return function != _NK and (function != _LABS or self.dim <= len(_LOWEST_ENERGIES))

    @override
    def default(self, function: int) -> bool:
        return self._known(function) and not self._missing(function)

    @override
    def check(self, function: int) -> None:
        if missing := self._missing(function):
            raise ValueError(
                f"dim: function {function}, {self.names[function]}, needs {missing}, got {self.dim}"
            )

    def _missing(self, function: int) -> str:
        """What a function asks of `dim` that is not so; empty where nothing."""
        side = math.isqrt(self.dim)
        if function in _SQUARE and side**2 != self.dim:
            return "a square number"
        if function == _QUEENS and side < _SMALLEST_BOARD:
            return f"at least {_SMALLEST_BOARD**2}"
        if function == _TRAP and self.dim % _BLOCK:
            return f"a multiple of {_BLOCK}"
        return ""

    @override
    def optimum_of(self, function: int, instance: int) -> float:
        if not self._known(function):
            return math.nan
        if function == _LABS:
            return _scaled(self.dim**2 / (2 * _LOWEST_ENERGIES[self.dim - 1]), instance)
        if function == _MIS:  # ioh scales this one twice
            return _scaled(self.ioh(_MIS, 1).optimum.y, instance)
        return float(self.ioh(function, instance).optimum.y)

    def best_known(self, instances: Instances) -> NDArray[np.float64]:
        """The optimum; where it is not known, the best that ascents found."""
        best = self.optimum(instances)
        for row in np.flatnonzero(np.isnan(best)):
            climbed = _climbed(int(instances["function"][row]), self.dim)
            best[row] = _scaled(climbed, int(instances["instance"][row]))
        return best


def _scaled(value: float, instance: int) -> float:
    """What an instance makes of a value of instance 1.

    As all functions are scaled alike, it is read off OneMax, whose optimum in m bits is m scaled.
    """
    bits = max(1, math.floor(value))
    low, high = (ioh_problem("PBO", _ONE_MAX, instance, bits + i).optimum.y for i in (0, 1))
    return float(low + (value - bits) * (high - low))


@lru_cache
def _climbed(function: int, dim: int) -> float:
    """The best value of instance 1 that steepest ascents end with."""
    objective = ioh_problem("PBO", function, 1, dim)
    climbers = min(256, max(1, _FLIPS // dim**2))
    strings = np.random.default_rng(0).integers(2, size=(climbers, dim))
    values = np.array(objective(strings.tolist()))
    while True:
        around = strings[:, None] ^ np.eye(dim, dtype=np.int64)  # (climbers, dim, dim)
        neighbour_values = np.array(objective(around.reshape(-1, dim).tolist())).reshape(-1, dim)
        best = neighbour_values.argmax(axis=1)
        higher = neighbour_values[np.arange(len(best)), best] > values
        if not higher.any():
            return float(values.max())
        strings[higher] = around[higher, best[higher]]
        values[higher] = neighbour_values[higher, best[higher]]
