"""A deep kernel: features that a network makes, and a stationary kernel of these.

Reference:
    Wistuba and Grabocka, Few-shot Bayesian optimization with deep kernel surrogates, ICLR 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from ombo_agents.learned.priors.bases import Standardised, standardised
from ombo_agents.learned.priors.families import Family
from ombo_agents.learned.priors.judging import Fold, judge
from ombo_agents.learned.priors.learning import Learned
from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.learned_basis import Network, NoBasis
from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.learned_prior import LearnedPrior

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_WIDTHS = (32, 32, 8)
_STEPS, _BATCH, _CONTEXT = 400, 8, 48  # of Adam, instances and designs of each
_RATE = 3e-3
_FOLDS = 3  # that it is judged on
_ROWS = 32  # of an instance that hopes rest on


@dataclass(frozen=True)
class DeepKernel:
    """A network and what its kernel has.

    Attributes:
        weights, biases: Of the layers.
        variance: Of the kernel, whose lengthscales are 1.
        noise: Of a measurement.
    """

    weights: list[Floats]
    biases: list[Floats]
    variance: float
    noise: float


def suits_deep(family: Family) -> bool:
    """Whether all features are numbers."""
    space = family.space
    if space.pool_features is not None:
        return True
    return space.free is not None and bool(space.free.all())


def learn_deep(
    family: Family, curvature: float, folds: Sequence[Fold], scales: Floats, seed: int
) -> Learned:
    """Learns a deep kernel, judged on the first few folds that are left out.

    Args:
        family: Training instances.
        curvature: Of the warp.
        folds: Groups of them that are left out.
        scales: (I,) in which densities are.
        seed: Of weights and of what is drawn.
    """
    values = standardised(family.values, curvature, family.train)
    few = list(folds[:_FOLDS])
    fitted = {id(fold): fit(family, values.values[fold.rest], seed) for fold in few}

    def prior_of(fold: Fold) -> LearnedPrior:
        return _prior(family, fitted[id(fold)], values.some(fold.rest))

    judged = judge(family, few, scales, prior_of)
    kernel = fit(family, values.values, seed)
    tensors: dict[str, NDArray[np.floating]] = {"lengthscales": np.ones(_WIDTHS[-1])}
    for number, (weight, bias) in enumerate(zip(kernel.weights, kernel.biases, strict=True)):
        tensors[f"weight_{number}"], tensors[f"bias_{number}"] = weight, bias
    config = {
        "kernel": "matern52",
        "residual_variance": kernel.variance,
        "noise": kernel.noise,
        "widths": list(_WIDTHS),
    }
    upside = _upside(family, values, kernel)
    return Learned("deep", config, tensors, judged, values.scale_prior(), upside)


def _prior(family: Family, kernel: DeepKernel, values: Standardised) -> LearnedPrior:
    nothing = family.designs[:0]
    return LearnedPrior(
        basis=NoBasis(),
        embedding=Network(kernel.weights, kernel.biases),
        residual=Correlation("matern52", np.ones((1, _WIDTHS[-1]))),
        residual_variance=kernel.variance,
        noise=kernel.noise,
        calibration=1.0,
        scale=values.scale_prior(),
        climbing_unit=np.full(1, 0.5 * family.space.typical_distance),
        promising=nothing,
        portfolio=nothing,
    )


def _upside(family: Family, values: Standardised, kernel: DeepKernel) -> Floats:
    """Mean and spread over training instances, (D, 2), of what some of each tell of all designs."""
    rng = np.random.default_rng(0)
    prior = _prior(family, kernel, values)
    features = family.space.features(family.designs[family.train])[None]
    means = []
    for row in family.values[:, family.train]:
        known = rng.permutation(np.flatnonzero(~np.isnan(row)))[:_ROWS]
        posterior = LearnedPosterior(prior, features[:, known], row[None, known])
        means.append(posterior.at(features).mean)
    return np.stack([np.mean(means, axis=(0, 1)), np.std(means, axis=(0, 1))], axis=1)


def fit(family: Family, values: Floats, seed: int) -> DeepKernel:
    """Maximises the marginal likelihood of random parts of the instances.

    Args:
        family: Whose designs.
        values: (I, E) standardised.
        seed: Of weights and of what is drawn.
    """
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    features = torch.as_tensor(family.space.features(family.designs), dtype=torch.float64)
    targets = torch.as_tensor(np.nan_to_num(values), dtype=torch.float64)
    known = [np.intersect1d(family.train, np.flatnonzero(~np.isnan(row))) for row in values]
    count = min(_CONTEXT, min(len(each) for each in known))
    widths = (features.shape[1], *_WIDTHS)
    layers = [
        (torch.randn(a, b, generator=generator, dtype=torch.float64) / a**0.5).requires_grad_()
        for a, b in pairwise(widths)
    ]
    biases = [torch.zeros(b, dtype=torch.float64, requires_grad=True) for b in widths[1:]]
    log_variance = torch.zeros((), dtype=torch.float64, requires_grad=True)
    log_noise = torch.full((), -4.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([*layers, *biases, log_variance, log_noise], lr=_RATE)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(_STEPS):
            instances = rng.integers(len(values), size=_BATCH)
            rows = np.stack([rng.permutation(known[i])[:count] for i in instances])
            z = features[rows]  # (b, c, k)
            for number, (weight, bias) in enumerate(zip(layers, biases, strict=True)):
                z = z @ weight + bias
                z = z if number == len(layers) - 1 else torch.tanh(z)
            y = targets[instances[:, None], rows]
            optimizer.zero_grad()
            loss = _negative_log_likelihood(z, y, log_variance.exp(), log_noise.exp() + 1e-4)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    finally:
        torch.set_num_threads(threads)
    return DeepKernel(
        [each.detach().numpy() for each in layers],
        [each.detach().numpy() for each in biases],
        log_variance.exp().item(),
        log_noise.exp().item() + 1e-4,
    )


def _negative_log_likelihood(
    z: torch.Tensor, y: torch.Tensor, variance: torch.Tensor, noise: torch.Tensor
) -> torch.Tensor:
    """Of values (b, c) under a Matern-5/2 kernel of embedded designs (b, c, k')."""
    squared = ((z[:, :, None] - z[:, None]) ** 2).sum(-1)
    s = (5.0 * squared + 1e-12).sqrt()
    kernel = variance * (1 + s + 5.0 / 3.0 * squared) * (-s).exp()
    matrix = kernel + noise * torch.eye(y.shape[1], dtype=y.dtype)
    lower = torch.linalg.cholesky(matrix)
    white = torch.linalg.solve_triangular(lower, y[..., None], upper=False)[..., 0]
    logs = torch.diagonal(lower, dim1=1, dim2=2).log().sum(-1)
    loss: torch.Tensor = (0.5 * (white**2).sum(-1) + logs).mean() / y.shape[1]
    return loss
