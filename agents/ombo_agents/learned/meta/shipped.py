"""The meta-policy that comes with the package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ombo_agents.learned.meta.policy import Meta
from ombo_agents.learned.meta.rule import Rule, read_rule
from ombo_gym.spec import CampaignSpec

CHECKPOINT = Path(__file__).parents[1] / "checkpoints" / "meta"


def meta(spec: CampaignSpec) -> Meta:
    """The policy for some campaigns, as `make train-meta` trained it."""
    return Meta(spec, shipped_rule())


@cache
def shipped_rule() -> Rule:
    """What it learnt; its `config` says from which tasks."""
    return read_rule(CHECKPOINT)
