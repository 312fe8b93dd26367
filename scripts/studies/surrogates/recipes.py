"""This package's surrogates, all data sets together."""

from __future__ import annotations

from time import process_time

import numpy as np

from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.conditioning import condition
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate
from scripts.studies.surrogates.data_sets import DataSets
from scripts.studies.surrogates.prediction import Prediction


def predict(spec: CampaignSpec, data: DataSets) -> Prediction:
    """Fits the spec's recipe to every data set and predicts what is held out."""
    posterior, seconds = fit(spec, data)
    marginals = posterior.at(spec.design_space.features(data.held_out))
    scale = posterior.scale[:, None]  # (D, 1)
    noise = (posterior.noise * posterior.outputscale)[:, None]
    return Prediction(
        posterior.shift[:, None] + scale * marginals.mean,
        scale * np.sqrt(marginals.sd**2 + noise),
        np.full(len(scale), seconds),
    )


def fit(spec: CampaignSpec, data: DataSets) -> tuple[Posterior, float]:
    """The posteriors of all data sets, and the processor time that each of them took."""
    surrogate, starts = make_surrogate(spec), np.full(len(data.designs), data.start_size)
    begun = process_time()
    posterior, _ = condition(surrogate, spec.design_space, data.designs, data.measurements, starts)
    return posterior, (process_time() - begun) / len(data.designs)
