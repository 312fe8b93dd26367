"""BoTorch models that know what the environment's surrogate knows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import Surrogate

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float64]

HYPERPARAMETERS = ("fitted", "surrogate")

_NOISE_MARGIN = (
    1 + 1e-9
)  # of noise variances, whose mean may else fall below the least that is allowed


def require_botorch() -> None:
    """Raises an ImportError that names the extra, where BoTorch is not installed."""
    try:
        import botorch  # noqa: F401
    except ImportError as error:
        raise ImportError(
            'policies named botorch_* need BoTorch: pip install "ombo-gym[botorch]"'
        ) from error


def make_model(
    surrogate: Surrogate,
    features: Floats,
    values: Floats,
    hyperparameters: str,
    bounds: torch.Tensor,
    *,
    shift: float | None = None,
    scale: float | None = None,
) -> Any:
    """A `SingleTaskGP` on one campaign's dataset.

    Args:
        surrogate: What is known: where its kernel is given, the model has that kernel, zero mean
            and that noise, and nothing is fitted.
        features: (n, k), n of at least 1.
        values: (n,).
        hyperparameters: What a surrogate that chooses its kernel by marginal likelihood stands
            for: "fitted": BoTorch's own choice, a lengthscale for each feature and its priors;
            "surrogate": the kernel parameters that the surrogate chooses.
        bounds: (2, k) of the features; what BoTorch fits is of them scaled to the unit cube, which
            its priors are made for.
        shift: What the surrogate takes for the mean of all values; None: the mean of these.
        scale: Likewise for the standard deviation.

    Returns:
        The model, in the values' units.
    """
    if surrogate.standardise and hyperparameters == "fitted":
        return _fitted_model(features, values, bounds)
    if surrogate.learned is not None:
        raise ValueError(
            'hyperparameters: expected "fitted" beside a learned prior, which BoTorch\'s models do '
            f"not have, got {hyperparameters!r}"
        )
    posterior = Posterior(
        surrogate,
        features[None],
        values[None],
        shift=None if shift is None else np.array([shift]),
        scale=None if scale is None else np.array([scale]),
        mean_variance=None if shift is None else np.zeros(1),
    )
    return _given_model(surrogate, posterior, features, values)


def _fitted_model(features: Floats, values: Floats, bounds: torch.Tensor) -> Any:
    """With hyperparameters that BoTorch fits, of standardised values and features in a cube."""
    import torch
    from botorch import settings
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.models.transforms import Normalize, Standardize
    from gpytorch.mlls import ExactMarginalLogLikelihood

    with warnings.catch_warnings(), settings.validate_input_scaling(False):
        # Few rows may have a spread of zero; and fits of few rows may end early.
        warnings.filterwarnings("ignore", category=UserWarning)
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        model = SingleTaskGP(
            torch.as_tensor(features, dtype=torch.float64),
            torch.as_tensor(values, dtype=torch.float64)[:, None],
            outcome_transform=Standardize(m=1),
            input_transform=Normalize(features.shape[1], bounds=bounds),
        )
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    return model


def _given_model(
    surrogate: Surrogate, posterior: Posterior, features: Floats, values: Floats
) -> Any:
    """With the hyperparameters of a posterior, of which there is one."""
    import torch
    from botorch import settings
    from botorch.models import SingleTaskGP
    from gpytorch.means import ConstantMean, ZeroMean

    x = torch.as_tensor(features, dtype=torch.float64)  # (n, k)
    y = torch.as_tensor(values, dtype=torch.float64)[:, None]  # (n, 1)
    variance = float(posterior.outputscale[0] * posterior.scale[0] ** 2)
    mean: Any = ZeroMean()
    if surrogate.standardise:
        mean = ConstantMean().to(x)
        mean.constant.data.fill_(float(posterior.shift[0]))
    with settings.validate_input_scaling(False):  # which is for priors, and there are none
        return SingleTaskGP(
            train_X=x,
            train_Y=y,
            train_Yvar=torch.full_like(y, float(posterior.noise[0]) * variance * _NOISE_MARGIN),
            covar_module=_kernel(posterior.correlation, variance),
            mean_module=mean,
            outcome_transform=None,
        )


def _kernel(correlation: Correlation, variance: float) -> Any:
    """The covariance function of a campaign, of which there is one."""
    import torch
    from gpytorch.kernels import MaternKernel, RBFKernel, ScaleKernel

    def stationary(columns: NDArray[np.intp] | None) -> Any:
        unit = torch.as_tensor(correlation.unit, dtype=torch.float64)  # (1, 1 or k)
        unit = unit if columns is None else unit[:, columns]
        settings: dict[str, Any] = {"ard_num_dims": unit.shape[1]} if unit.shape[1] > 1 else {}
        if columns is not None:
            settings["active_dims"] = tuple(columns.tolist())
        matern = correlation.kernel == "matern52"
        kernel = MaternKernel(nu=2.5, **settings) if matern else RBFKernel(**settings)
        kernel.to(torch.float64).lengthscale = unit
        return kernel

    def scaled(kernel: Any, factor: float) -> Any:
        found = ScaleKernel(kernel).to(torch.float64)
        found.outputscale = factor
        return found

    if correlation.categories is None or correlation.weights is None:
        return scaled(stationary(None), variance)
    of_numbers, of_categories, of_product = (variance * correlation.weights[0]).tolist()
    numbers, categories = (
        stationary(np.flatnonzero(columns))
        for columns in (~correlation.categories, correlation.categories)
    )
    product = scaled(numbers * categories, of_product)
    return scaled(numbers, of_numbers) + scaled(categories, of_categories) + product


def unit_box(dim: int) -> torch.Tensor:
    """Bounds of a box of designs, (2, d)."""
    import torch

    return torch.tensor([[-1.0] * dim, [1.0] * dim], dtype=torch.float64)
