"""The 24 noiseless functions of the Black-Box Optimization Benchmarking workshops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import BoxDesigns, Designs
from ombo_gym.problems.synthetic.ioh_suites import Suite

_HALF_SIDE = 5.0  # of the box that the functions are defined on
_NAMES = (
    "Sphere Ellipsoid Rastrigin BuecheRastrigin LinearSlope AttractiveSector StepEllipsoid "
    "Rosenbrock RosenbrockRotated EllipsoidRotated Discus BentCigar SharpRidge DifferentPowers "
    "RastriginRotated Weierstrass Schaffers10 Schaffers1000 GriewankRosenbrock Schwefel "
    "Gallagher101 Gallagher21 Katsuura LunacekBiRastrigin"
).split()


class BBOB(Suite):
    """Continuous test functions of five kinds, of which each campaign draws one in one instance.

    A design is a point of [-5, 5]^dim, given in [-1, 1]^dim (`to_units` scales it): the numbers
    have no unit. The value is minus the function of the benchmark, which is minimised there: it is
    maximised here, in raw units, without noise (unless `noise_std` is given) and feasible
    everywhere.

    The functions, by number: 1 to 5 are separable, 6 to 9 of low or moderate conditioning, 10 to 14
    ill-conditioned, 15 to 19 multimodal with a global structure and 20 to 24 with a weak one. An
    instance moves, and for most functions rotates, the function and shifts its values. Values span
    from 1 to 10^9 over functions, and over many orders of magnitude within some (2, 10, 11, 12): a
    surrogate that standardises values sees mostly the worst of them.

    Instances are those of numbers 1 to 100, all equally likely. With `split_by="instance"` "test"
    has the 20 that 5 divides, "train" the other 80; with `split_by="function"` "test" has functions
    5, 6, 13, 14, 17, 18, 21 and 22, from all five kinds and without a near relative among the
    16 "train" ones.

    The optimum is minus the benchmark's f*, exactly; score 1 is this optimum. Designs are float32,
    so that the best of them may be below the optimum: by 1e-3 (Katsuura), 1e-4 (sharp ridge) or
    2e-5 (others) at most. A campaign starts with 8 uniform designs; without a start `reference` is
    0, which means little here.

    Args:
        dim: 2 to 40.
        function: A number from 1 to 24, or a name such as "Rastrigin": this one alone.
        functions: Numbers or names of those to draw from; by default all.
        instances: Numbers of the instances to draw from, instead of a split of them.
        split: "all", "train" or "test".
        split_by: "instance" or "function": what "train" and "test" have different ones of.

    Raises:
        ValueError: An argument out of range, or a split of what was chosen by hand.
        ImportError: ioh is not installed: `pip install "ombo-gym[synthetic]"`.

    References:
        Hansen et al., Real-Parameter Black-Box Optimization Benchmarking 2009: Noiseless Functions
        Definitions, INRIA RR-6829. De Nobel et al., IOHexperimenter, Evolutionary Computation 32,
        2024.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/BBOB-v0", dim=3, function="Rastrigin", split="test")
        >>> observation, info = env.reset(seed=0)
        >>> bool(info["best_value"] < info["optimum"])
        True
    """

    suite: ClassVar[str] = "BBOB"
    sign: ClassVar[float] = -1.0
    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 8}
    dims: ClassVar[tuple[int, int]] = (2, 40)
    names: ClassVar[Mapping[int, str]] = dict(enumerate(_NAMES, start=1))
    test_functions: ClassVar[tuple[int, ...]] = (5, 6, 13, 14, 17, 18, 21, 22)
    design_space: BoxDesigns

    def __init__(
        self,
        *,
        dim: int = 5,
        function: int | str | None = None,
        functions: Sequence[int | str] | None = None,
        instances: Sequence[int] | None = None,
        split: str = "all",
        split_by: str = "instance",
    ) -> None:
        super().__init__(dim, function, functions, instances, split, split_by)
        self.design_space = BoxDesigns(self.dim)

    @staticmethod
    def to_units(designs: Designs) -> NDArray[np.float64]:
        """Points of [-5, 5]^dim from designs, (..., dim)."""
        return _HALF_SIDE * np.asarray(designs, np.float64)

    @staticmethod
    def from_units(points: Any) -> NDArray[np.float32]:
        """Designs from points of [-5, 5]^dim, (..., dim)."""
        return (np.asarray(points, np.float64) / _HALF_SIDE).astype(np.float32)

    @override
    def points(self, designs: Designs) -> NDArray[np.float64]:
        return self.to_units(designs)

    @override
    def optimum_of(self, function: int, instance: int) -> float:
        return -float(self.ioh(function, instance).optimum.y)
