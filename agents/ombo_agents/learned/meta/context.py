"""What the meta-policy's rule reads of a campaign: which kind it is, and how good the model is."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior

Floats = NDArray[np.float64]

PAYS = ("best value pays", "last batch pays")
STARTS = ("start not chosen by value", "start chosen by value")
DESIGNS = ("designs stay", "designs can move")
KINDS = tuple(", ".join(each) for each in product(PAYS, STARTS, DESIGNS))
TYPICAL_QUALITY = 0.4  # leave-one-out correlation in the middle of a campaign, about


def kind_of(spec: CampaignSpec) -> int:
    """Which of `KINDS` campaigns are."""
    by_value = spec.start_origin.percentile is not None
    can_move = spec.design_space.free is not None
    return 4 * pays_last_batch(spec) + 2 * by_value + can_move


def pays_last_batch(spec: CampaignSpec) -> bool:
    """Whether the values of the last batch, and no others, are what a campaign is worth."""
    return spec.utility.last_round_only and not spec.utility.needs_posterior


def quality(group: CandidatePosterior) -> Floats:
    """How well the surrogate foretells what it leaves out, (R,), beside `TYPICAL_QUALITY`.

    From -0.4 to 0.6: a correlation below 0 counts as 0, and so does one that is not known.
    """
    if group.num_observed == 0:
        return np.zeros(len(group.env_indices))
    correlation = np.nan_to_num(group.posterior.leave_one_out_correlation)
    found: Floats = np.clip(correlation, 0.0, 1.0) - TYPICAL_QUALITY
    return found
