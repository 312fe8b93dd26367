"""Learning a prior of a kind: its basis, and what is chosen by the instances that were left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.learned.priors.bases import (
    MOST_LOADINGS,
    Functions,
    Interpolated,
    Standardised,
    Tables,
    fitted_kernel,
    mean_spread_loadings,
    standardised,
)
from ombo_agents.learned.priors.families import Family
from ombo_agents.learned.priors.judging import Fold, Judgement, judge
from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.learned_basis import Identity, TableBasis
from ombo_gym.surrogates.learned_prior import LearnedPrior
from ombo_gym.surrogates.learned_scale import ScalePrior

Floats = NDArray[np.float64]

_TOLD_APART = 1_024  # designs at which loadings are told apart
_SWEEPS = 2
_CURVATURES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
_GRIDS: dict[str, tuple[float, ...]] = {
    "share": (0.3, 0.6, 1.0, 1.4),
    "residual": (0.02, 0.05, 0.1, 0.2, 0.4, 0.7),
    "stretch": (0.5, 1.0, 2.0, 4.0),
    "even": (0.05, 0.2, 0.5, 1.0),
    "noise": (1e-4, 1e-3, 1e-2, 5e-2, 2e-1),
}


@dataclass(frozen=True)
class Choice:
    """What is chosen by the instances that were left out.

    Attributes:
        share: Of the covariance over training instances, what a further one's is.
        residual: Variance of what is an instance's own.
        stretch: Of the residual kernel's lengthscales.
        even: Of that variance, what is the same everywhere; the rest is large where training
            instances differ.
        noise: Variance of a measurement.
    """

    share: float = 1.0
    residual: float = 0.2
    stretch: float = 1.0
    even: float = 0.5
    noise: float = 1e-3


@dataclass(frozen=True)
class Learned:
    """A prior of one kind.

    Attributes:
        kind: Its name.
        config: What `config.json` says of it.
        tensors: Its numbers.
        judgement: On instances that were left out, before it is calibrated.
        scale: What is known of scales and offsets.
        upside: (D,) mean and standard deviation of the family's training designs, (D, 2).
    """

    kind: str
    config: Mapping[str, Any]
    tensors: Mapping[str, NDArray[Any]]
    judgement: Judgement
    scale: ScalePrior
    upside: Floats


def best_curvature(
    family: Family,
    folds: Sequence[Fold],
    scales: Floats,
    rng: np.random.Generator,
    most_loadings: int = MOST_LOADINGS,
) -> float:
    """Of the warp that bad values are drawn in by.

    Args:
        family: Training instances.
        folds: Groups of them that are left out.
        scales: (I,) in which densities are.
        rng: Chooses designs.
        most_loadings: How many are kept.
    """
    state, scores = rng.bit_generator.state, []
    for curvature in _CURVATURES:
        rng.bit_generator.state = state
        values = standardised(family.values, curvature, family.train)
        kernel, noise = fitted_kernel(family, values.values, rng)
        functions: Functions = (
            Tables(values.values)
            if family.shared
            else Interpolated(family, values.values, kernel, noise, rng)
        )
        chooser = _Chooser(family, values, folds, scales, functions, kernel, rng, most_loadings)
        scores.append(chooser.judge(Choice()).log_score)
    return _CURVATURES[int(np.argmax(scores))]


def learn_basis(
    kind: str,
    family: Family,
    small: Family,
    curvature: float,
    folds: Sequence[Fold],
    scales: Floats,
    rng: np.random.Generator,
    most_loadings: int = MOST_LOADINGS,
) -> Learned:
    """Learns "tables" or "interp".

    Args:
        kind: Which.
        family: Training instances.
        small: The same with not so many designs.
        curvature: Of the warp.
        folds: Groups of instances that are left out, met at designs of `small`.
        scales: (I,) in which densities are.
        rng: Chooses designs.
        most_loadings: How many are kept.
    """
    values = standardised(small.values, curvature, small.train)
    kernel, noise = fitted_kernel(small, values.values, rng)
    functions: Functions = Tables(values.values)
    if kind != "tables":
        functions = Interpolated(small, values.values, kernel, noise, rng)
    chooser = _Chooser(small, values, folds, scales, functions, kernel, rng, most_loadings)
    choice, judgement = chooser.choose()
    tensors: dict[str, NDArray[Any]] = {"lengthscales": kernel.unit[0] * choice.stretch}
    if kernel.weights is not None:
        tensors["weights"] = kernel.weights[0]
    everybody = np.arange(len(values.values))
    if isinstance(functions, Interpolated):
        numbers = mean_spread_loadings(
            functions, everybody, chooser.told_apart, choice.share, choice.even, most_loadings
        )
        at_train = functions.at_designs(numbers, family.designs[family.train])
        tensors["anchors"], tensors["coefficients"] = functions.anchors, numbers.T
        tensors["anchor_lengthscales"] = kernel.unit[0]
    else:
        whole = Tables(values.of(family.values))
        told_apart = np.sort(rng.permutation(family.train)[:_TOLD_APART])
        numbers = mean_spread_loadings(
            whole, everybody, told_apart, choice.share, choice.even, most_loadings
        )
        at_train = numbers[:, family.train]
        tensors["numbers"] = numbers.T.astype(np.float32)
    sd = np.sqrt((at_train[2:] ** 2).sum(axis=0) + choice.residual * at_train[1] ** 2)
    config = {
        "kernel": kernel.kernel,
        "residual_variance": choice.residual,
        "noise": choice.noise,
        "share": choice.share,
        "stretch": choice.stretch,
        "even": choice.even,
        "loadings": len(numbers) - 2,
    }
    upside = np.stack([at_train[0], sd], axis=1)
    return Learned(kind, config, tensors, judgement, values.scale_prior(), upside)


class _Chooser:
    """Chooses by coordinate ascent on grids.

    Args: As `learn_basis`.
    """

    def __init__(
        self,
        family: Family,
        values: Standardised,
        folds: Sequence[Fold],
        scales: Floats,
        functions: Functions,
        kernel: Correlation,
        rng: np.random.Generator,
        most_loadings: int,
    ) -> None:
        self._most_loadings = most_loadings
        self._family, self._values, self._folds, self._scales = family, values, folds, scales
        self._functions, self._kernel = functions, kernel
        self.told_apart = np.sort(rng.permutation(family.train)[:_TOLD_APART])
        self._features = family.space.features(family.designs[family.probes])
        self._at_probes = [self._numbers(fold) for fold in folds]

    def _numbers(self, fold: Fold) -> Floats:
        """Mean, spread and loadings of a fold's rest at the probes, unshrunk, (P, 2 + r)."""
        functions, family = self._functions, self._family
        numbers = mean_spread_loadings(
            functions, fold.rest, self.told_apart, 1.0, 0.0, self._most_loadings
        )
        return functions.at(numbers, family.probes).T

    def choose(self) -> tuple[Choice, Judgement]:
        """The best choice, and how it was."""
        best = Choice()
        judged = self.judge(best)
        for _ in range(_SWEEPS):
            before = best
            for name, grid in _GRIDS.items():
                for value in grid:
                    other = replace(best, **{name: value})
                    if other == best:
                        continue
                    found = self.judge(other)
                    if found.log_score > judged.log_score:
                        best, judged = other, found
            if best == before:
                break
        return best, judged

    def judge(self, choice: Choice) -> Judgement:
        """How a choice is."""
        return judge(self._family, self._folds, self._scales, self._prior_of(choice))

    def _prior_of(self, choice: Choice) -> Callable[[Fold], LearnedPrior]:
        """How a fold's prior is made."""
        kernel = replace(self._kernel, unit=self._kernel.unit * choice.stretch)
        values = self._values

        def prior_of(fold: Fold) -> LearnedPrior:
            at = next(i for i, each in enumerate(self._folds) if each is fold)
            numbers = self._at_probes[at].copy()
            numbers[:, 1] = np.sqrt(choice.even + (1 - choice.even) * numbers[:, 1] ** 2)
            numbers[:, 2:] *= np.sqrt(choice.share)
            rest = values.some(fold.rest)
            nothing = self._family.designs[:0]
            return LearnedPrior(
                basis=TableBasis(self._features, numbers),
                embedding=Identity(self._features.shape[1]),
                residual=kernel,
                residual_variance=choice.residual,
                noise=choice.noise,
                calibration=1.0,
                scale=rest.scale_prior(),
                climbing_unit=kernel.unit[0],
                promising=nothing,
                portfolio=nothing,
            )

        return prior_of
