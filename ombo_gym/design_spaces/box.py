"""Boxes of continuous designs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.arguments import is_whole, shown
from ombo_gym.design_spaces.base import DesignSpace
from ombo_gym.design_spaces.duplicates import Designs
from ombo_gym.design_spaces.parameters import Parameters
from ombo_gym.design_spaces.relaxations import Coordinates, Relaxation
from ombo_gym.quasirandom import shifted
from ombo_gym.randomness import BatchedGenerator

GLOBAL = 192  # quasi-random candidates of a box
LOCAL = 64  # candidates around the best design

# Half side of the local box. Boxes of several sizes serve no schedule better (last_mean, best:
# within 0.3%); only pure exploitation gains by finer ones (greedy, N = 3, last_mean: 1.24 with this
# one, 1.31 with five sizes).
RADIUS = 0.2


class BoxDesigns(DesignSpace):
    """Continuous designs in [-1, 1]^d, as float32. An action is a (q, d) array.

    Args:
        dim: d.
        parameters: Ranges, one a dimension, where designs have units; see `of`.

    Raises:
        ValueError: A dimension that is no whole number of at least 1.
    """

    kind: ClassVar[str] = "box"
    kernel: ClassVar[str] = "matern52"

    def __init__(self, dim: int, *, parameters: Parameters | None = None) -> None:
        self.dim = self.cube = _checked_dim(dim)
        self.parameters = parameters
        self.shape = (self.dim,)
        self.dtype = np.dtype(np.float32)
        self.size = None

    def __repr__(self) -> str:
        return f"BoxDesigns(dim={self.dim})"

    @classmethod
    def of(cls, parameters: Parameters) -> Self:
        """The box of ranges without steps."""
        return cls(len(parameters.varying), parameters=parameters)

    @override
    def arguments(self) -> dict[str, Any]:
        if self.parameters is None:
            return {"dim": self.dim}
        return {"dim": self.dim, "parameters": self.parameters.to_dict()}

    @property
    @override
    def summary(self) -> str:
        return f"box {self.dim}-D"

    @property
    @override
    def typical_distance(self) -> float:
        return float(np.sqrt(self.dim / 2))

    @property
    @override
    def feature_groups(self) -> NDArray[np.intp]:
        return np.arange(self.dim)

    @override
    def action_space(self, batch_size: int) -> spaces.Box:
        return spaces.Box(-1.0, 1.0, (batch_size, self.dim), np.float32)

    @override
    def observation_space(self, capacity: int) -> spaces.Box:
        return spaces.Box(-1.0, 1.0, (capacity, self.dim), np.float32)

    @override
    def actions(self, designs: Designs) -> NDArray[Any]:
        return designs.astype(np.float32)

    @override
    def sample(self, rngs: BatchedGenerator, count: int) -> Designs:
        return (2.0 * rngs.random((count, self.dim)) - 1.0).astype(np.float32)

    def spread(self, rngs: BatchedGenerator, count: int) -> Designs:
        """Quasi-random designs with a random shift."""
        return (2.0 * shifted(rngs, count, self.dim) - 1.0).astype(np.float32)

    @override
    def candidates(
        self, designs: Designs, values: NDArray[np.float64], extra: int, rngs: BatchedGenerator
    ) -> Designs:
        num_campaigns, n = values.shape
        best = (
            designs[np.arange(num_campaigns), values.argmax(axis=1)]
            if n
            else np.zeros((num_campaigns, self.dim), np.float32)
        )
        # Every stretch of the sequence is spread evenly.
        points = shifted(rngs, GLOBAL + LOCAL, self.dim)
        points *= 2.0
        points -= 1.0
        local = best[:, None].astype(np.float64) + RADIUS * points[:, :LOCAL]
        points[:, :LOCAL] = np.clip(local, -1.0, 1.0)
        points[:, 0] = best
        return points.astype(np.float32)

    @override
    def mutate(
        self, parents: Designs, rngs: BatchedGenerator, *, mutations: float, step: float
    ) -> Designs:
        moved = parents + step * rngs.standard_normal(parents.shape[1:])
        return np.clip(moved, -1, 1).astype(np.float32)

    @override
    def from_unit_cube(self, points: NDArray[np.float64]) -> Designs:
        return np.clip(2 * points - 1, -1, 1).astype(np.float32)

    @property
    def free(self) -> NDArray[np.bool_]:
        """All of them."""
        return np.ones(self.dim, bool)

    @override
    def features(self, designs: Designs) -> NDArray[np.float64]:
        return np.asarray(designs, np.float64)

    @override
    def from_features(self, features: NDArray[np.float64]) -> Designs:
        return features.astype(np.float32)

    @override
    def effects(self, designs: Designs) -> NDArray[np.float64]:
        scaled: NDArray[np.float64] = np.sqrt(3.0) * np.asarray(designs, np.float64)
        return scaled

    @override
    def relaxation(self, *, softened: bool = True) -> Relaxation:
        return Coordinates(self.dim)

    @override
    def text(self, design: NDArray[Any]) -> str:
        if self.parameters is not None:
            return self.parameters.text(self.units(design))
        return ", ".join(f"{x:.3g}" for x in design.tolist())

    def grid(self, side: int) -> Designs | None:
        """Of one or two dimensions; four times as fine along one."""
        if self.dim > 2:
            return None
        points = np.linspace(-1, 1, side if self.dim == 2 else 4 * side, dtype=np.float32)
        axes = np.meshgrid(*[points] * self.dim, indexing="ij")
        return np.stack(axes, axis=-1).reshape(-1, self.dim)

    @classmethod
    @override
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        parameters = arguments.get("parameters")
        return cls(
            int(arguments["dim"]),
            parameters=None if parameters is None else Parameters.from_dict(parameters),
        )


def _checked_dim(dim: Any) -> int:
    if not is_whole(dim):
        raise ValueError(
            f"dim: expected a whole number of at least 1, got {shown(dim)}; ranges in units are "
            'ombo_gym.design_space_of({"T": (20, 80), ...})'
        )
    return int(dim)
