"""scikit-learn's random forest."""

from __future__ import annotations

from time import process_time

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from scripts.studies.surrogates.prediction import Prediction

Floats = NDArray[np.float64]

LEAST_SD = 0.05  # of predictions, in standard deviations of the data: trees may all agree


def predict(features: Floats, measurements: Floats, held_out: Floats) -> Prediction:
    """Fits 100 trees to each data set; their mean and their standard deviation.

    Args:
        features: (D, n, k).
        measurements: (D, n).
        held_out: (D, H, k) features.
    """
    means, sds, seconds = [], [], []
    for number, (x, y, at) in enumerate(zip(features, measurements, held_out, strict=True)):
        begun = process_time()
        forest = RandomForestRegressor(n_estimators=100, random_state=number, n_jobs=1).fit(x, y)
        seconds.append(process_time() - begun)
        trees = np.stack([tree.predict(at) for tree in forest.estimators_])  # (100, H)
        means.append(trees.mean(axis=0))
        sds.append(np.maximum(trees.std(axis=0), max(LEAST_SD * y.std(), 1e-12)))
    return Prediction(np.stack(means), np.stack(sds), np.array(seconds))
