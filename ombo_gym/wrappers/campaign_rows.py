"""The campaigns behind an environment, whichever way it holds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.campaign import Campaigns

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CampaignRows:
    """Some of an environment's rows, and the campaigns that they play.

    Attributes:
        campaigns: Of one problem.
        rows: (R,) which of these campaigns.
        env_rows: (R,) where they stand in the environment.
    """

    campaigns: Campaigns
    rows: NDArray[np.intp]
    env_rows: NDArray[np.intp]

    def among(self, mask: NDArray[np.bool_]) -> CampaignRows:
        """Those whose rows of the environment are marked, (B,)."""
        kept = mask[self.env_rows]  # (R,)
        return CampaignRows(self.campaigns, self.rows[kept], self.env_rows[kept])


def campaign_rows(env: Any) -> list[CampaignRows]:
    """Which campaigns the rows of an environment play, wrapped or not.

    An environment with campaigns of several problems says so by a method of this name.

    Raises:
        ValueError: Its campaigns are out of reach, or it is none of this package's.
    """
    unwrapped = env.unwrapped
    if hasattr(unwrapped, "campaign_rows"):
        listed: list[CampaignRows] = unwrapped.campaign_rows()
        return listed
    if (envs := getattr(unwrapped, "envs", None)) is not None:
        single = np.zeros(1, np.intp)
        return [
            CampaignRows(group.campaigns, single, single + row)
            for row, each in enumerate(envs)
            for group in campaign_rows(each)
        ]
    campaigns = getattr(unwrapped, "campaigns", None)
    if not isinstance(campaigns, Campaigns):
        raise ValueError(
            "env: expected an environment of ombo_gym whose campaigns are in this process, got "
            f"{env}; wrap the environments that an AsyncVectorEnv is made of, each by itself"
        )
    rows = np.arange(campaigns.num_campaigns)
    return [CampaignRows(campaigns, rows, rows)]


def gathered(
    groups: list[CampaignRows], count: int, value_of: Callable[[Campaigns], NDArray[Any]]
) -> NDArray[Any]:
    """A number of each of an environment's campaigns, (B,).

    Args:
        groups: Of the environment.
        count: B.
        value_of: Gives it of the campaigns of a group.
    """
    found: NDArray[Any] | None = None
    for group in groups:
        values = value_of(group.campaigns)
        if found is None:
            found = np.zeros(count, values.dtype)  # (B,)
        found[group.env_rows] = values[group.rows]
    return np.zeros(count) if found is None else found


@dataclass(frozen=True)
class PlayedRound:
    """What a step was for B campaigns.

    Attributes:
        groups: The campaigns, as they are now.
        playing: (B,) which of them played a round; the others were begun anew, or are over.
        rewards: (B,) as they come from the environment.
        utilities: (B,) of the campaigns that are over, NaN of others.
    """

    groups: list[CampaignRows]
    playing: NDArray[np.bool_]
    rewards: Floats
    utilities: Floats

    @property
    def over(self) -> NDArray[np.bool_]:
        """(B,) which campaigns are over with this round."""
        return self.playing & ~np.isnan(self.utilities)

    def values(
        self, value_of: Callable[[Campaigns], NDArray[Any]], final: NDArray[Any]
    ) -> NDArray[Any]:
        """A number of each campaign, (B,).

        Args:
            value_of: Gives it of campaigns.
            final: (B,) what it is of those that are over, which may have been begun anew.
        """
        now = gathered(self.groups, len(self.rewards), value_of)
        return np.where(self.over, final, now)
