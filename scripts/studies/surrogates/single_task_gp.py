"""BoTorch's `SingleTaskGP` by MAP, as its documentation builds one."""

from __future__ import annotations

import warnings
from time import process_time

import numpy as np
from numpy.typing import NDArray

from scripts.studies.surrogates.prediction import Prediction

Floats = NDArray[np.float64]


def predict(features: Floats, measurements: Floats, held_out: Floats) -> Prediction:
    """Fits a model to each data set and predicts what is held out.

    Kernel, priors, initial values and optimiser are BoTorch's own. Features are brought to the unit
    cube by their range over all designs that are drawn here, measurements to zero mean and unit
    variance. Where the optimiser gives up, the model is used as it was left.

    Args:
        features: (D, n, k).
        measurements: (D, n).
        held_out: (D, H, k) features.
    """
    import torch

    torch.set_num_threads(1)
    low = np.minimum(features.min(axis=(0, 1)), held_out.min(axis=(0, 1)))  # (k,)
    high = np.maximum(features.max(axis=(0, 1)), held_out.max(axis=(0, 1)))
    bounds = torch.as_tensor(np.stack([low, np.where(high > low, high, low + 1)]))  # (2, k)
    rows = [
        _predict_one(x, y, at, bounds)
        for x, y, at in zip(features, measurements, held_out, strict=True)
    ]
    means, sds, seconds = zip(*rows, strict=True)
    return Prediction(np.stack(means), np.stack(sds), np.array(seconds))


def _predict_one(
    features: Floats, measurements: Floats, held_out: Floats, bounds: object
) -> tuple[Floats, Floats, float]:
    """Mean and sd, (H,) each, and the processor time of the fit."""
    import torch
    from botorch import settings
    from botorch.exceptions import ModelFittingError
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.models.transforms import Normalize, Standardize
    from gpytorch.mlls import ExactMarginalLogLikelihood

    with warnings.catch_warnings(), settings.validate_input_scaling(False):
        warnings.simplefilter("ignore")  # of fits that end early, of values that are all the same
        begun = process_time()
        model = SingleTaskGP(
            torch.as_tensor(features),
            torch.as_tensor(measurements)[:, None],
            input_transform=Normalize(features.shape[1], bounds=bounds),
            outcome_transform=Standardize(m=1),
        )
        try:
            fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        except ModelFittingError:
            pass
        seconds = process_time() - begun
        with torch.no_grad():
            at = model.posterior(torch.as_tensor(held_out), observation_noise=True)
            mean, variance = at.mean[:, 0].numpy(), at.variance[:, 0].numpy()
    return mean, np.sqrt(variance), seconds
