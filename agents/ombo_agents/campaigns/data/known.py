"""All that a policy is shown of a real campaign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.data.reading import Rows
from ombo_agents.campaigns.data.values import Measured
from ombo_agents.campaigns.space.encoding import Encoding
from ombo_agents.campaigns.space.factors import Floats
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec, Observation


@dataclass(frozen=True)
class Known:
    """All that a policy is shown, and what belongs to it.

    Attributes:
        encoding: The design space.
        spec: Of the campaign.
        rows: In the order of measurement, the start first.
        designs: (n, *shape).
        values: (n,) scores, maximised; of wells that run what is expected of them.
        measured: Before any model of it, in the same order.
        num_start: How many rows are the start.
        fits: Of a pool, which candidates go together on one plate, where it has few values of some
            column; None: all do.
    """

    encoding: Encoding
    spec: CampaignSpec
    rows: Rows
    designs: Designs
    values: Floats
    measured: Measured
    num_start: int
    fits: NDArray[np.bool_] | None = None

    @property
    def predictable(self) -> bool:
        """Whether a value of a design can be expected: there are results, or a prior says."""
        learned = (self.spec.surrogate or {}).get("kernel") == "learned"
        return learned or self.measured.any_result


def observation_of(known: Known, plates_left: Sequence[int]) -> Observation:
    """The observation of a campaign whose designs are encoded."""
    return known.spec.observation(
        known.designs, known.values, list(plates_left), from_start=known.num_start
    )
