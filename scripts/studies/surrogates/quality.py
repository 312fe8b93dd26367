"""How good predictions are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from scripts.studies.surrogates.data_sets import DataSets
from scripts.studies.surrogates.prediction import Prediction

Floats = NDArray[np.float64]

LEVEL = 0.9  # of the intervals whose coverage is looked at
GUARD = 0.01  # share of what is held out in a guarded prediction


def quality(prediction: Prediction, data: DataSets) -> pd.DataFrame:
    """A row per data set.

    Args:
        prediction: Of what is held out.
        data: The data sets.

    Returns:
        `spearman` of predicted means and true values (0 where one of them does not vary),
        `log_score`, the mean log predictive density of held-out measurements in units of the
        held-out values' standard deviation, `guarded_log_score`, the same of a prediction that is
        mixed with 1% of what is held out, so that no single design can outweigh all others,
        `coverage` of measurements by 90% intervals, and `seconds`.
    """
    units = data.held_out_values.std(axis=1, keepdims=True)  # (D, 1)
    units = np.where(units > 0, units, 1.0)
    errors = (data.held_out_measurements - prediction.mean) / prediction.sd  # (D, H)
    density = norm.logpdf(errors) - np.log(prediction.sd / units)
    middle = data.held_out_values.mean(axis=1, keepdims=True)
    marginal = norm.logpdf((data.held_out_measurements - middle) / units)  # (D, H)
    guarded = np.logaddexp(np.log(1 - GUARD) + density, np.log(GUARD) + marginal)
    return pd.DataFrame(
        {
            "data_set": np.arange(len(units)),
            "spearman": spearman(prediction.mean, data.held_out_values),
            "log_score": density.mean(axis=1),
            "guarded_log_score": guarded.mean(axis=1),
            "coverage": (np.abs(errors) <= norm.ppf((1 + LEVEL) / 2)).mean(axis=1),
            "seconds": prediction.seconds,
        }
    )


def spearman(a: Floats, b: Floats) -> Floats:
    """Rank correlation of rows, (D, H) each -> (D,); 0 where a row has but one value."""
    ranks = [rankdata(values, axis=1) for values in (a, b)]
    first, second = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    norms = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))  # (D,)
    return np.where(norms > 0, (first * second).sum(axis=1) / np.maximum(norms, 1e-300), 0.0)
