"""Finitely many landscapes over M designs, one of which is the truth: small, and exactly solved."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import CandidateDesigns, Designs
from ombo_gym.priors import FiniteLandscapes
from ombo_gym.problems.core.base import Instances, Problem, collection_size
from ombo_gym.problems.core.checks import numbers
from ombo_gym.problems.synthetic.landscape_families import FAMILIES, Family
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.spec import Repeats

_LARGEST = 1e38  # what landscapes show is told apart in float32


class Landscapes(Problem):
    """One of finitely many landscapes over few designs: planning with correlation, solved.

    A design is one of M, named by its number from 0. Each campaign draws one of H landscapes with
    their prior weights; it says what every design is worth (without a unit; from 0 to 1 in all
    families but `gp`), so that measuring one design tells of others. A design can be measured once:
    a slot that names a measured design is wasted, and more than M measurements make no sense.
    Measurements are exact or have noise that takes finitely many values.

    A campaign starts with nothing measured; `reference` is 0. The optimum, which is score 1, is the
    largest value of the landscape.

    The posterior is known exactly, so that utility `recommendation` can be had, and small campaigns
    are solved by dynamic programming: `ombo_agents` has the optimal policy (`bayes_optimal`), and
    `scripts.exact` evaluates any other exactly. The families each show something about planning
    ahead:

    - `signpost` (K=6): design 0 is worth next to nothing and tells which of the others holds the
      prize of 1: exploring pays in the next round.
    - `blurred_signpost` (K=6, blur=0.5): the sign is misread by one with probability `blur`.
    - `tent8`: tents of three widths at eight places; looking two rounds ahead can be worse than
      looking one ahead.
    - `clique` (p_clique=0.25, p_single=0.3): designs 0 to 3 hit all together, 4 to 7 each for
      itself; meant for utility `total`.
    - `gp` (draws=64, lengthscale=1.5, rounding=0.5, seed=0): draws of a Gaussian process on a line.
    - `dose` (levels=8, harm=0): effects grow with the dose up to an unknown limit, then are gone.
    - `independent` (probabilities): hits and misses, each design for itself: nothing to plan.

    Args:
        name: A family, by default "signpost": see `ombo_gym.problems.synthetic.landscape_families`.
        matrix: (H, M) values of landscapes of your own, instead of a family.
        weights: (H,) prior weights that go with `matrix`, equal by default.
        noise: {"values": [...], "probabilities": [...]} added to each measurement independently,
            with probabilities in proportion to those given; by default the family's, which mostly
            is none.
        **parameters: The family's own, for instance `K=6` of "signpost".

    Raises:
        ValueError: An unknown family, or arrays that do not go together.
        TypeError: A parameter that the family lacks.

    Example:
        >>> import gymnasium as gym, numpy as np, ombo_gym
        >>> own = gym.make("Ombo/Landscapes-v0", matrix=[[0, 1, 0], [0, 0, 1], [0.5, 0, 0]])
        >>> env = gym.make("Ombo/Landscapes-v0", name="signpost", horizon=2, batch_size=1)
        >>> observation, info = env.reset(seed=0)
        >>> observation, reward, *_, info = env.step(np.array([0]))  # reads the sign
    """

    domain: ClassVar[str] = "synthetic"
    rounds: ClassVar[tuple[int, int]] = (1, 8)
    start: ClassVar[dict[str, Any]] = {"kind": "none"}
    repeats = Repeats.NEVER_AGAIN
    optimum_known = optimum_exact = True

    def __init__(
        self,
        *,
        name: str | None = None,
        matrix: Sequence[Sequence[float]] | None = None,
        weights: Sequence[float] | None = None,
        noise: Mapping[str, Sequence[float]] | None = None,
        **parameters: Any,
    ) -> None:
        if matrix is None:
            if weights is not None:
                raise ValueError("weights: they go with a matrix of your own, got them without one")
            family = _family("signpost" if name is None else name, parameters)
        elif parameters:
            raise TypeError(
                f"Landscapes got an unexpected keyword argument {min(parameters)!r}: a matrix goes "
                f"without the parameters of a family, got {parameters}"
            )
        elif name is not None:
            raise ValueError(f"matrix: it goes without a family, got name={name!r}")
        else:
            family = Family(matrix, weights)
        values = _finite("matrix", family.matrix, dimensions=2)  # (H, M)
        if not values.size:
            raise ValueError(f"matrix: expected at least one row and column, got {matrix!r}")
        equal = np.ones(len(values))
        chances = _distribution(
            "weights", equal if family.weights is None else family.weights, len(equal)
        )  # (H,)
        noise_values, noise_weights = _checked_noise(family.noise if noise is None else noise)
        self.prior: FiniteLandscapes = FiniteLandscapes(
            values, chances, noise_values, noise_weights
        )
        self.design_space = CandidateDesigns(_features(values, chances), scale="none")

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"landscape": _pick(self.prior.weights, rngs.random(()))}

    @override
    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        values: NDArray[np.float64] = self.prior.matrix[
            instances["landscape"][:, None], designs[..., 0]
        ]
        return values

    @override
    def measure(
        self,
        instances: Instances,
        designs: Designs,
        true_values: NDArray[np.float64],
        rngs: BatchedGenerator,
    ) -> NDArray[np.float64]:
        noise_values = self.prior.noise_values
        if len(noise_values) == 1:
            return np.asarray(true_values + noise_values[0])
        noise = _pick(self.prior.noise_weights, rngs.random(true_values.shape[1:]))
        measured: NDArray[np.float64] = true_values + noise_values[noise]
        return measured

    @override
    def optimum(self, instances: Instances) -> NDArray[np.float64]:
        best: NDArray[np.float64] = self.prior.matrix.max(axis=1)[instances["landscape"]]
        return best

    def instance_count(self) -> int | None:
        """The number of landscapes, H, where there are several."""
        return collection_size(len(self.prior.matrix))

    @override
    def instances_numbered(self, numbers: NDArray[np.int64]) -> Instances:
        return {"landscape": numbers.astype(np.intp)}

    @override
    def instance_numbers(self, instances: Instances) -> NDArray[np.int64]:
        return instances["landscape"].astype(np.int64)


def _family(name: str, parameters: dict[str, Any]) -> Family:
    if not isinstance(name, str) or name not in FAMILIES:
        raise ValueError(f"name: expected one of {sorted(FAMILIES)}, or a matrix, got {name!r}")
    known = list(inspect.signature(FAMILIES[name]).parameters)
    if unknown := sorted(set(parameters) - set(known)):
        raise TypeError(
            f"Landscapes got an unexpected keyword argument {unknown[0]!r}: {name} takes the "
            f"parameters {known}, beside name, matrix, weights and noise, got {unknown}"
        )
    return FAMILIES[name](**parameters)


def _pick(weights: NDArray[np.float64], uniform: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices with probabilities `weights` from uniform numbers in [0, 1), elementwise."""
    edges = np.cumsum(weights)
    index: NDArray[np.intp] = np.searchsorted(edges / edges[-1], uniform, side="right")
    return index


def _features(matrix: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Features of the designs, (M, M): how differently two of them behave, a priori.

    Squared distances are expected squared differences of value, relative to their average.
    """
    # Neither what is added to all values of a landscape nor what they are multiplied by matters,
    # but of values far from 0 beside how far they are apart, squares would lose their digits.
    spread = float(np.ptp(matrix, axis=1).max())
    largest = float(np.abs(matrix).max())
    if spread <= 1e-12 * largest:
        return np.zeros((matrix.shape[1],) * 2)
    differences = (matrix - matrix[:, :1] if largest > 100 * spread else matrix) / spread  # (H, M)
    products = (differences.T * weights) @ differences  # (M, M)
    variances, directions = np.linalg.eigh(products)
    squared = np.add.outer(np.diag(products), np.diag(products)) - 2 * products
    average = float(squared.sum() / max(1, squared.size - len(squared)))
    features: NDArray[np.float64] = directions * np.sqrt(np.maximum(variances, 0.0))
    return features / np.sqrt(average) if average > 1e-12 else np.zeros_like(features)


def _finite(name: str, given: Any, *, dimensions: int) -> NDArray[np.float64]:
    array = numbers(given)
    if array.ndim != dimensions or not (np.abs(array) <= _LARGEST).all():
        shape = "a matrix" if dimensions == 2 else "a list"
        raise ValueError(
            f"{name}: expected {shape} of numbers from {-_LARGEST:g} to {_LARGEST:g}, got {given!r}"
        )
    return array


def _distribution(name: str, weights: Any, count: int) -> NDArray[np.float64]:
    """Probabilities in proportion to weights, (count,)."""
    array = _finite(name, weights, dimensions=1)
    if len(array) != count or (array < 0).any() or array.sum() <= 0:
        raise ValueError(
            f"{name}: expected {count} numbers of at least 0, not all 0, got {weights!r}"
        )
    probabilities: NDArray[np.float64] = array / array.sum()
    return probabilities


def _checked_noise(
    noise: Mapping[str, Any] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and probabilities of the noise, (E,) each; none at all is one value, 0."""
    if noise is None:
        return np.zeros(1), np.ones(1)
    if not isinstance(noise, Mapping) or set(noise) != {"values", "probabilities"}:
        raise ValueError(
            f'noise: expected {{"values": [...], "probabilities": [...]}}, got {noise!r}'
        )
    values = _finite("noise values", noise["values"], dimensions=1)
    if not len(values) or any(a >= b for a, b in pairwise(values)):
        raise ValueError(f"noise values: expected ascending numbers, got {noise['values']!r}")
    return values, _distribution("noise probabilities", noise["probabilities"], len(values))
