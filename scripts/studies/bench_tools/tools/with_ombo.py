"""Asks `ombo_agents.campaigns.Campaign` for a plate, as `ombo suggest` does."""

from __future__ import annotations

from typing import Any

from ombo_agents.campaigns import Campaign

PACKAGES = ("ombo-gym",)


def suggest(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The next plate by the policy `auto`; the request is as in `answering`."""
    space: dict[str, Any] = {"parameters": request["parameters"]}
    if request["mixture"]:
        space |= {"mixture": request["mixture"], "sum": 100}
    campaign = Campaign.from_csv(
        request["rows"], space, target=request["target"], round_column="round"
    )
    plate = campaign.suggest(request["plates_left"], seed=request["seed"])
    return [dict(well.design) for well in plate.wells]
