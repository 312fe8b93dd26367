"""How the meta-policy is trained, and what it begins as."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MetaSettings:
    """Of training by CMA-ES.

    Attributes:
        generations: Of the search distribution.
        population: Rules of a generation.
        sigma: First step size of weights.
        settings: Tasks with N, q and a utility that a generation is judged on.
        campaigns: Of each of these.
        validation_every: Generations between two looks at validation tasks.
        validation_settings: How many of these a look plays, always the same.
        validation_campaigns: Campaigns of each.
    """

    generations: int = 60
    population: int = 12
    sigma: float = 0.3
    settings: int = 12
    campaigns: int = 10
    validation_every: int = 10
    validation_settings: int = 32
    validation_campaigns: int = 16

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(f"{name}: expected more than 0, got {value}")
        if self.population < 4:
            raise ValueError(f"population: expected at least 4 rules, got {self.population}")


SETTINGS = MetaSettings()
