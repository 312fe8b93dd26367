"""BoTorch models that know what the environment's surrogate knows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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
    posterior = Posterior(
        surrogate,
        features[None],
        values[None],
        shift=None if shift is None else np.array([shift]),
        scale=None if scale is None else np.array([scale]),
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
    from gpytorch.kernels import MaternKernel, RBFKernel, ScaleKernel
    from gpytorch.means import ConstantMean, ZeroMean

    x = torch.as_tensor(features, dtype=torch.float64)  # (n, k)
    y = torch.as_tensor(values, dtype=torch.float64)[:, None]  # (n, 1)
    unit = torch.as_tensor(posterior.unit, dtype=torch.float64)  # (1, 1 or k)
    ard = {"ard_num_dims": unit.shape[1]} if unit.shape[1] > 1 else {}
    base = MaternKernel(nu=2.5, **ard) if surrogate.kernel == "matern52" else RBFKernel(**ard)
    kernel = ScaleKernel(base).to(x)
    variance = float(posterior.outputscale[0] * posterior.scale[0] ** 2)
    kernel.outputscale = variance
    kernel.base_kernel.lengthscale = unit
    mean: Any = ZeroMean()
    if surrogate.standardise:
        mean = ConstantMean().to(x)
        mean.constant.data.fill_(float(posterior.shift[0]))
    with settings.validate_input_scaling(False):  # which is for priors, and there are none
        return SingleTaskGP(
            train_X=x,
            train_Y=y,
            train_Yvar=torch.full_like(y, float(posterior.noise[0]) * variance * _NOISE_MARGIN),
            covar_module=kernel,
            mean_module=mean,
            outcome_transform=None,
        )


def unit_box(dim: int) -> torch.Tensor:
    """Bounds of a box of designs, (2, d)."""
    import torch

    return torch.tensor([[-1.0] * dim, [1.0] * dim], dtype=torch.float64)
