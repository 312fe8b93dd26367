"""Functions of three numbers and two choices of four levels, drawn from Gaussian processes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym import MixedDesigns
from ombo_gym.problems.core.base import Problem
from ombo_gym.quasirandom import kronecker
from ombo_gym.randomness import BatchedGenerator

Floats = NDArray[np.float64]

LENGTHSCALE = 1.0  # of each number, in a box of side 2
CORRELATION = 0.5  # of two levels of a choice
SHARES = {"additive": (1.0, 0.0), "product": (0.0, 1.0), "both": (0.5, 0.5)}  # of the variance

_LEVELS, _WAVES = 4, 256
_GRID, _TOPS, _CLIMBS, _AROUND = 1500, 12, 25, 8  # of the search for the optimum


class MixedProcess(Problem):
    """A sum of a function of each parameter, a product process of all, or half of each.

    Numbers have a squared-exponential kernel, by 256 random waves.

    Args:
        kind: A key of `SHARES`.
    """

    def __init__(self, kind: str) -> None:
        choice = ["w", "x", "y", "z"]
        numbers = {"a": (0, 1), "b": (10, 20), "c": {"range": [1, 100], "scale": "log"}}
        self.design_space = MixedDesigns({**numbers, "s": choice, "t": choice})
        self._additive, self._product = np.sqrt(SHARES[kind])
        same = CORRELATION + (1 - CORRELATION) * np.eye(_LEVELS)
        self._one, self._two = np.linalg.cholesky(same), np.linalg.cholesky(np.kron(same, same))

    def draw(self, rngs: BatchedGenerator) -> dict[str, NDArray[Any]]:
        pairs = _LEVELS**2
        return {
            "waves": rngs.standard_normal((pairs, _WAVES, 3)) / LENGTHSCALE,
            "phases": 2 * np.pi * rngs.random((pairs, _WAVES)),
            "lone_waves": rngs.standard_normal((3, _WAVES)) / LENGTHSCALE,
            "lone_phases": 2 * np.pi * rngs.random((3, _WAVES)),
            "levels": rngs.standard_normal((2, _LEVELS)) @ self._one.T,
        }

    def evaluate(self, instances: dict[str, NDArray[Any]], designs: NDArray[Any]) -> Floats:
        x = designs[..., :3].astype(np.float64)
        first, second = (designs[..., i : i + 4].argmax(axis=-1) for i in (3, 7))
        values = np.empty(designs.shape[:2])
        for row in range(len(designs)):
            every = self._values({k: v[row] for k, v in instances.items()}, x[row])
            values[row] = every[np.arange(len(every)), _LEVELS * first[row] + second[row]]
        return values

    def _values(self, instance: dict[str, NDArray[Any]], x: Floats) -> Floats:
        """Values of n numbers (n, 3) with every pair of levels, (n, 16)."""
        unit = np.sqrt(2 / _WAVES)
        lone = sum(
            unit
            * np.cos(x[:, i, None] * instance["lone_waves"][i] + instance["lone_phases"][i]).sum(
                axis=1
            )
            for i in range(3)
        )
        first, second = instance["levels"]
        alone = (np.asarray(lone)[:, None] + (first[:, None] + second).ravel()) / np.sqrt(5)
        waves = np.stack(
            [
                unit * np.cos(x @ wave.T + phase).sum(axis=1)
                for wave, phase in zip(instance["waves"], instance["phases"], strict=True)
            ],
            axis=1,
        )
        return self._additive * alone + self._product * waves @ self._two.T

    def optimum(self, instances: dict[str, NDArray[Any]]) -> Floats:
        """By a dense grid, and climbs from its best points."""
        corners = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1).T
        grid = np.concatenate([2 * kronecker(_GRID, 3) - 1, corners])
        rng, best = np.random.default_rng(0), []
        for row in range(len(instances["waves"])):
            instance = {name: array[row] for name, array in instances.items()}
            values = self._values(instance, grid)
            tops = np.argsort(-values.ravel())[:_TOPS]
            x, pair, top = grid[tops // 16], tops % 16, values.ravel()[tops]
            for climb in range(_CLIMBS):
                steps = 0.12 * 0.85**climb * rng.standard_normal((_TOPS, _AROUND, 3))
                near = np.clip(x[:, None] + steps, -1, 1)
                near_values = self._values(instance, near.reshape(-1, 3)).reshape(
                    _TOPS, _AROUND, 16
                )
                near_values = near_values[np.arange(_TOPS), :, pair]
                higher = near_values.max(axis=1) > top
                x = np.where(higher[:, None], near[np.arange(_TOPS), near_values.argmax(axis=1)], x)
                top = np.maximum(top, near_values.max(axis=1))
            best.append(top.max())
        return np.array(best)
