"""How the meta-policy is trained."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MetaSettings:
    """Of a search along lines.

    Attributes:
        passes: Over all lines of a kind of campaign.
        settings: Tasks with N and q that the steps of a line are compared on, drawn for each line.
        campaigns: Of each of these.
        confidence: Of the paired interval, over settings, that has to be above 0 for a step.
        validation_settings: That a kind's changes are validated on.
        validation_campaigns: Of each of these.
    """

    passes: int = 1
    settings: int = 32
    campaigns: int = 8
    confidence: float = 0.99
    validation_settings: int = 40
    validation_campaigns: int = 10

    def __post_init__(self) -> None:
        for name in ("passes", "settings", "campaigns"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        for name in ("settings", "validation_settings"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name}: expected at least 2, got {getattr(self, name)}")
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence: expected between 0 and 1, got {self.confidence}")


SETTINGS = MetaSettings()
