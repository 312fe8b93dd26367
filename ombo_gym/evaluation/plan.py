"""A plan: which policies play which campaigns of one problem."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ombo_gym.evaluation.cells import SEEDS, Cell
from ombo_gym.evaluation.plates import KEY as PLATES
from ombo_gym.settings import BATCH_SIZE, is_whole
from ombo_gym.utilities import make_utility

BLOCK = 250  # campaigns per cell
REPLACED_BY_PLATES = ("horizons", "batch_size", "budget")


@dataclass(frozen=True)
class EvaluationPlan:
    """Which policies play which campaigns; every combination is played on the same campaigns.

    Attributes:
        env: Id of the environment.
        policies: As the policy factory takes them.
        horizons: Of the campaigns.
        utilities: Of the campaigns: names, `NAME:key=value` or dicts; kept as text.
        batch_size: q; 4 where neither it nor a budget nor plates are given.
        budget: Designs in all, in place of `batch_size`: q = budget / N at every horizon N.
        plates: Batch sizes round by round, in place of `horizons`, `batch_size` and `budget`.
        campaigns: Per combination.
        seed: Of campaign 0.
        told: What policies are told: "true", "one" or both.
        env_kwargs: Further arguments of the environment.
        maker: "module:function" that builds policies.
        block: Campaigns per cell.

    Raises:
        ValueError: Nothing to play, seeds that belong to training, a budget that a horizon does not
            divide, or plates beside what they replace.
    """

    env: str
    policies: Sequence[str]
    horizons: Sequence[int] = ()
    utilities: Sequence[Any] = ("best",)
    batch_size: int | None = None
    budget: int | None = None
    plates: Sequence[int] | None = None
    campaigns: int = 1000
    seed: int = 0
    told: Sequence[str] = ("true", "one")
    env_kwargs: dict[str, Any] | None = None
    maker: str = "ombo_agents:make"
    block: int = BLOCK

    def __post_init__(self) -> None:
        texts = [str(make_utility(given)) for given in self.utilities]
        object.__setattr__(self, "utilities", texts)
        self._check_plates()
        for name in ("policies", "utilities", "told", *(() if self.plates else ("horizons",))):
            given = list(getattr(self, name))
            if not given or len(set(given)) < len(given):
                raise ValueError(f"{name}: expected at least one, each once, got {given}")
        if unknown := set(self.told) - {"true", "one"}:
            raise ValueError(f"told: expected 'true', 'one' or both, got {sorted(unknown)}")
        self._check_arguments()
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

    def _check_plates(self) -> None:
        if self.plates is None:
            return
        given = {name: getattr(self, name) for name in REPLACED_BY_PLATES}
        clashes = {name: value for name, value in given.items() if value not in (None, (), [])}
        if clashes:
            raise ValueError(
                f"plates: they lay down rounds and batch sizes, which go without "
                f"{', '.join(REPLACED_BY_PLATES)}; got plates={list(self.plates)} together with "
                f"{clashes}"
            )
        if not self.plates or not all(map(is_whole, self.plates)):
            raise ValueError(
                f"plates: expected batch sizes of at least 1, one a round, got {self.plates!r}"
            )

    def _check_arguments(self) -> None:
        given = (self.env_kwargs or {}).keys()
        if reserved := sorted({"num_envs", "autoreset_mode"} & given):
            raise ValueError(f"env_kwargs: {reserved} are set by the evaluation itself")
        replaced_by = {
            "horizon": "horizons",
            "batch_size": "batch_size",
            "utility": "utilities",
            PLATES: "plates",
        }
        if taken := sorted(replaced_by.keys() & given):
            raise ValueError(
                f"env_kwargs: expected further arguments, got {taken}, which the plan says itself "
                f"({', '.join(replaced_by[name] for name in taken)})"
            )

    @property
    def rounds(self) -> list[tuple[int, int]]:
        """Horizon and batch size (the largest, where they differ) of each kind of campaign."""
        if self.plates is not None:
            return [(len(self.plates), max(self.plates))]
        return [(horizon, self.batch_size_at(horizon)) for horizon in self.horizons]

    def batch_size_at(self, horizon: int) -> int:
        """Designs a round, q, of campaigns of N rounds."""
        if self.budget is not None:
            return self.budget // horizon
        return BATCH_SIZE if self.batch_size is None else self.batch_size

    @property
    def arguments(self) -> str:
        """The environment's further arguments, plates too, as text whatever their order."""
        plates = {} if self.plates is None else {PLATES: [int(size) for size in self.plates]}
        return json.dumps({**(self.env_kwargs or {}), **plates}, sort_keys=True)

    def cells(self) -> list[Cell]:
        """All cells, shown the true horizon; `Cell.showing` gives the others."""
        return [
            Cell(
                env=self.env,
                policy=policy,
                horizon_shown="true",
                horizon=horizon,
                batch_size=batch_size,
                utility=utility,
                seed=self.seed,
                first=first,
                campaigns=min(self.block, self.campaigns - first),
                env_kwargs=self.arguments,
                maker=self.maker,
            )
            for utility in self.utilities
            for horizon, batch_size in self.rounds
            for policy in self.policies
            for first in range(0, self.campaigns, self.block)
        ]

    def described(self) -> dict[str, Any]:
        """The plan as JSON, for `config.json`."""
        found = asdict(self) | {"env_kwargs": self.env_kwargs or {}}
        if self.plates is not None:
            left_out = set(REPLACED_BY_PLATES)
        elif self.budget is not None:
            left_out = {"plates", "batch_size"}
        else:
            left_out = {"plates", "budget"}
            found["batch_size"] = self.batch_size_at(1)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
            if name not in left_out | {"maker", "block"}
        }
