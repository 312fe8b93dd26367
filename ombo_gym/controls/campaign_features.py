"""What is known of a campaign, as numbers that mean the same in every problem.

No unit of designs or measurements is left in them, and there are as many of them whatever the
design space, the horizon and the batch size, so that one network reads all campaigns.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import DesignSpace
from ombo_gym.observations import Observation
from ombo_gym.spec import ORIGINS, CampaignSpec, Repeats
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior

Floats = NDArray[np.float64]

LIMIT = 10.0  # features are clipped to [-10, 10]
SPACE_KINDS = ("box", "categorical", "pool", "category_pool", "mixed", "other")
UTILITIES = (
    *("best", "auc", "total", "last_max", "last_median", "last_mean", "last_quantile"),
    *("recommendation", "other"),
)
_OF_ROUNDS = (
    "is_last_round",
    "is_first_round",
    "share_of_rounds_left",  # r / (r + 4) of r rounds left
    "log_rounds_left",
    "log_next_plate",
    "log_wells_left",
    "log_observed",
    "share_from_start",
)
_OF_MEASUREMENTS = (
    "best_observed",  # in the surrogate's units: of the prior, or standardised
    "leave_one_out_correlation",
    "skewness",
    "largest_z",
    "noise_to_spread",
    "latest_best_z",
)
_OF_SPEC = (
    *(f"start_{kind}" for kind in ORIGINS),
    "start_percentile",
    *(f"space_{kind}" for kind in SPACE_KINDS),
    "space_is_finite",
    "log_log_size",
    "log_parameters",
    *(f"utility_{name}" for name in UTILITIES),
    "quantile",
    *(f"repeats_{each.value}" for each in Repeats),
    "noise_is_known",
)
CAMPAIGN = (*_OF_ROUNDS, *_OF_MEASUREMENTS, *_OF_SPEC)
_FLAT = 1e-12  # spread beside the largest value that is none


class CampaignFeatures:
    """Features of campaigns, in the order of `CAMPAIGN`.

    Args:
        spec: Of the campaigns.
    """

    def __init__(self, spec: CampaignSpec) -> None:
        self._noise_std = spec.noise_std
        self._of_spec = features_of_spec(spec)

    def of(self, group: CandidatePosterior, observation: Observation) -> Floats:
        """Of R campaigns, (R, len(CAMPAIGN)), all from -10 to 10.

        Args:
            group: Beliefs about these campaigns.
            observation: Of all B campaigns, that the group was made from.
        """
        rows, n = group.env_indices, group.num_observed
        rounds_left = group.rounds_left.astype(np.float64)  # (R,)
        wells = group.plates.sum(axis=1)  # (R,)
        starts = observation["from_start"][rows].sum(axis=1, dtype=np.int64)  # (R,)
        known, ones = np.zeros((len(rows), len(CAMPAIGN))), np.ones(len(rows))
        columns = [
            rounds_left == 1,
            starts == n,
            rounds_left / (rounds_left + 4.0),
            np.log(np.maximum(rounds_left, 1)),  # 0: finished, and answered nonetheless
            np.log(group.batch_size) * ones,
            np.log(np.maximum(wells, 1)),
            np.log1p(n) * ones,
            starts / max(n, 1),
            *self._of_measurements(group, observation["measurements"][rows, :n], starts),
        ]
        for column, each in enumerate(columns):
            known[:, column] = each
        known[:, len(columns) :] = self._of_spec
        return np.clip(known, -LIMIT, LIMIT)

    def _of_measurements(
        self, group: CandidatePosterior, measurements: Floats, starts: NDArray[np.int64]
    ) -> list[Floats]:
        """Features of `_OF_MEASUREMENTS`, (R,) each; 0 where they are not known.

        Args:
            group: Beliefs about R campaigns.
            measurements: (R, n).
            starts: (R,) how many of them are the start's.
        """
        rows, n = measurements.shape
        if n == 0:
            return [np.zeros(rows) for _ in _OF_MEASUREMENTS]
        z, spread = standardised(measurements)  # (R, n), (R,)
        correlation = np.nan_to_num(group.posterior.leave_one_out_correlation)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            noise = np.where(spread > 0, (self._noise_std or 0.0) / spread, 0.0)
        later = np.arange(n) >= starts[:, None]  # (R, n)
        latest = np.where(later, z, -np.inf).max(axis=1)
        return [
            group.best,
            correlation,
            np.ascontiguousarray(z**3).mean(axis=1),
            z.max(axis=1),
            np.minimum(noise, LIMIT),
            np.where(later.any(axis=1), latest, 0.0),
        ]


def standardised(measurements: Floats) -> tuple[Floats, Floats]:
    """Measurements (R, n), n of at least 1, in their own standard deviations from their mean.

    Returns:
        (R, n), zeros where they are all the same; and the standard deviations, (R,), 0 there.
    """
    largest = np.abs(measurements).max(axis=1)  # (R,)
    unit = np.where(largest > 0, largest, 1.0)
    moderate = measurements / unit[:, None]  # squares of it do not overflow
    centred = moderate - moderate.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.ascontiguousarray(centred**2).mean(axis=1))
    varies = spread > _FLAT
    z: Floats = np.where(varies[:, None], centred / np.where(varies, spread, 1.0)[:, None], 0.0)
    return z, np.where(varies, spread * unit, 0.0)


def features_of_spec(spec: CampaignSpec) -> Floats:
    """What does not change from campaign to campaign, (len(_OF_SPEC),)."""
    origin, space = spec.start_origin, spec.design_space
    kind = space.kind if space.kind in SPACE_KINDS else "other"
    # A utility of one's own may be called what it likes, but not as one of the package's.
    utility = spec.utility.name if spec.utility.name in UTILITIES[:-1] else "other"
    found = [
        *(origin.kind == each for each in ORIGINS),
        0.0 if origin.percentile is None else origin.percentile / 100,
        *(kind == each for each in SPACE_KINDS),
        space.size is not None,
        0.0 if space.size is None else math.log1p(math.log(space.size)),
        math.log(parameters_of(space)),
        *(utility == each for each in UTILITIES),
        float(getattr(spec.utility, "quantile", 0.0)) if utility == "last_quantile" else 0.0,
        *(spec.repeats is each for each in Repeats),
        spec.noise_std is not None,
    ]
    return np.array(found, np.float64)


def parameters_of(space: DesignSpace) -> int:
    """How many parameters a design has; of a pool, how many features, or positions."""
    groups = space.feature_groups  # (k,), all 0 where they are too many to be told apart
    if space.kind == "pool":
        return max(1, len(groups))
    return max(1, len(np.unique(space.positions)), len(np.unique(groups)))
