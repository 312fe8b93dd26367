"""What the meta-policy's rule reads of a campaign: few numbers, without units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.controls.campaign_features import CAMPAIGN, CampaignFeatures
from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior

Floats = NDArray[np.float64]

CONTEXT = (
    "always",  # 1
    "is_last_round",
    "log_rounds_left",
    "log_next_plate",
    "share_below_percentile",  # rows of the dataset that are a truncated start's
    "leave_one_out_correlation",
    "noise_to_spread",
    "can_move",  # whether designs are, or have, numbers that move freely
    "can_move_in_last_round",
    "pays_last_batch",  # whether the utility is of the last batch alone
    "pays_last_batch_now",  # and this is the last round
)
_COLUMN = {name: column for column, name in enumerate(CAMPAIGN)}


class Context:
    """The numbers of `CONTEXT`, of campaigns.

    Args:
        spec: Of the campaigns.
    """

    def __init__(self, spec: CampaignSpec) -> None:
        self._features = CampaignFeatures(spec)
        self._can_move = spec.design_space.free is not None
        self._pays_last = pays_last_batch(spec)
        self._truncated = spec.start_origin.percentile is not None

    def of(self, group: CandidatePosterior, observation: Observation) -> Floats:
        """Of R campaigns, (R, len(CONTEXT)).

        Args:
            group: Beliefs about these campaigns.
            observation: Of all campaigns, that the group was made from.
        """
        seen = self._features.of(group, observation)  # (R, len(CAMPAIGN))
        is_last = seen[:, _COLUMN["is_last_round"]]
        columns: dict[str, float | Floats] = {
            "always": 1.0,
            "is_last_round": is_last,
            "log_rounds_left": seen[:, _COLUMN["log_rounds_left"]],
            "log_next_plate": seen[:, _COLUMN["log_next_plate"]],
            "share_below_percentile": self._truncated * seen[:, _COLUMN["share_from_start"]],
            "leave_one_out_correlation": seen[:, _COLUMN["leave_one_out_correlation"]],
            "noise_to_spread": np.minimum(seen[:, _COLUMN["noise_to_spread"]], 2.0),
            "can_move": float(self._can_move),
            "can_move_in_last_round": self._can_move * is_last,
            "pays_last_batch": float(self._pays_last),
            "pays_last_batch_now": self._pays_last * is_last,
        }
        context = np.empty((len(seen), len(CONTEXT)))
        for column, name in enumerate(CONTEXT):
            context[:, column] = columns[name]
        return context


def pays_last_batch(spec: CampaignSpec) -> bool:
    """Whether the values of the last batch, and no others, are what a campaign is worth."""
    return spec.utility.last_round_only and not spec.utility.needs_posterior
