"""scikit-learn's Bayesian ridge regression."""

from __future__ import annotations

from time import process_time

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import BayesianRidge

from scripts.studies.surrogates.prediction import Prediction

Floats = NDArray[np.float64]


def predict(features: Floats, measurements: Floats, held_out: Floats) -> Prediction:
    """Fits a ridge regression to each data set, its penalty and its noise by evidence.

    Args:
        features: (D, n, k).
        measurements: (D, n).
        held_out: (D, H, k) features.
    """
    means, sds, seconds = [], [], []
    for x, y, at in zip(features, measurements, held_out, strict=True):
        shift, spread = y.mean(), y.std()
        scale = spread if spread > 1e-12 * np.abs(y).max() else 1.0
        begun = process_time()
        model = BayesianRidge().fit(x, (y - shift) / scale)
        seconds.append(process_time() - begun)
        mean, sd = model.predict(at, return_std=True)  # (H,) each
        means.append(shift + scale * mean)
        sds.append(scale * np.maximum(sd, 1e-12))
    return Prediction(np.stack(means), np.stack(sds), np.array(seconds))
