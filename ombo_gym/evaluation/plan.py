"""A plan: which policies play which campaigns of one problem."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ombo_gym.evaluation.cells import SEEDS, Cell

BLOCK = 250  # campaigns per cell


@dataclass(frozen=True)
class Plan:
    """Which policies play which campaigns; every combination is played on the same campaigns.

    Attributes:
        env: Id of the environment.
        policies: As the policy factory takes them.
        horizons, utilities: Of the campaigns.
        batch_size: q.
        budget: Designs in all, in place of `batch_size`: q = budget / N at every horizon N.
        campaigns: Per combination.
        seed: Of campaign 0.
        told: What policies are told: "true", "one" or both.
        env_kwargs: Further arguments of the environment.
        maker: "module:function" that builds policies.
        block: Campaigns per cell.

    Raises:
        ValueError: Nothing to play, seeds that belong to training, or a budget that a horizon does
            not divide.
    """

    env: str
    policies: Sequence[str]
    horizons: Sequence[int]
    utilities: Sequence[str] = ("best",)
    batch_size: int = 4
    budget: int | None = None
    campaigns: int = 1000
    seed: int = 0
    told: Sequence[str] = ("true", "one")
    env_kwargs: dict[str, Any] | None = None
    maker: str = "ombo_agents:make"
    block: int = BLOCK

    def __post_init__(self) -> None:
        for name in ("policies", "horizons", "utilities", "told"):
            given = list(getattr(self, name))
            if not given or len(set(given)) < len(given):
                raise ValueError(f"{name}: expected at least one, each once, got {given}")
        if unknown := set(self.told) - {"true", "one"}:
            raise ValueError(f"told: expected 'true', 'one' or both, got {sorted(unknown)}")
        if reserved := sorted({"num_envs", "autoreset_mode"} & (self.env_kwargs or {}).keys()):
            raise ValueError(f"env_kwargs: {reserved} are set by the evaluation itself")
        own = {"horizon": "horizons", "batch_size": "batch_size", "utility": "utilities"}
        if taken := sorted(own.keys() & (self.env_kwargs or {}).keys()):
            raise ValueError(
                f"env_kwargs: expected further arguments, got {taken}, which the plan says itself "
                f"({', '.join(own[name] for name in taken)})"
            )
        if self.budget is not None:
            odd = [n for n in self.horizons if n < 1 or self.budget < n or self.budget % n]
            if odd:
                raise ValueError(
                    f"budget: expected a number of designs that every horizon divides, got "
                    f"{self.budget} for horizons {odd}"
                )
        if self.block < 1:
            raise ValueError(f"block: expected at least 1 campaign, got {self.block}")
        if self.campaigns < 1 or not 0 <= self.seed <= SEEDS - self.campaigns:
            raise ValueError(
                f"campaigns, seed: expected at least 1 campaign and seeds from 0 below {SEEDS} "
                f"(above are training's), got {self.campaigns} from {self.seed}"
            )

    def batch_size_at(self, horizon: int) -> int:
        """Designs a round, q, of campaigns of N rounds."""
        return self.batch_size if self.budget is None else self.budget // horizon

    @property
    def arguments(self) -> str:
        """The environment's further arguments as text that does not depend on their order."""
        return json.dumps(self.env_kwargs or {}, sort_keys=True)

    def cells(self) -> list[Cell]:
        """All cells, told the truth; `Cell.told` gives the others."""
        return [
            Cell(
                env=self.env,
                policy=policy,
                told_horizon="true",
                horizon=horizon,
                batch_size=self.batch_size_at(horizon),
                utility=utility,
                seed=self.seed,
                first=first,
                campaigns=min(self.block, self.campaigns - first),
                env_kwargs=self.arguments,
                maker=self.maker,
            )
            for utility in self.utilities
            for horizon in self.horizons
            for policy in self.policies
            for first in range(0, self.campaigns, self.block)
        ]

    def described(self) -> dict[str, Any]:
        """The plan as JSON, for `config.json`."""
        found = asdict(self) | {"env_kwargs": self.env_kwargs or {}}
        left_out = {"maker", "block", "batch_size" if self.budget is not None else "budget"}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
            if name not in left_out
        }
