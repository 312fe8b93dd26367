"""A plan: which policies play which campaigns of one problem."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ombo_gym.arguments import is_whole, shown
from ombo_gym.evaluation.cells import SEEDS, Cell
from ombo_gym.evaluation.code_names import own_utility
from ombo_gym.evaluation.plates import KEY as PLATES
from ombo_gym.evaluation.sizes import check_tables
from ombo_gym.settings import BATCH_SIZE
from ombo_gym.utilities import make_utility

BLOCK = 250  # campaigns per cell
REPLACED_BY_PLATES = ("horizons", "batch_size", "budget")
SEVERAL = ("policies", "horizons", "utilities", "plates", "told")  # or one value that stands alone
# Arguments of gymnasium's own functions, beside those of the environment.
OF_GYMNASIUM = {
    *("num_envs", "autoreset_mode", "vectorization_mode", "vector_kwargs", "wrappers"),
    *("max_episode_steps", "disable_env_checker"),
}
_EXPECTED = {
    "env": "expected an environment's id",
    "maker": 'expected "module:function"',
    "policies": "expected names or folders of policies, at least one, each once",
    "told": "expected 'true', 'one' or both",
}


@dataclass(frozen=True)
class EvaluationPlan:
    """Which policies play which campaigns; every combination is played on the same campaigns.

    Where several values are expected, one value may stand alone: `horizons=3` is `horizons=[3]`.

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
        ValueError: A value that is none of its kind, nothing to play, seeds that belong to
            training, a budget that a horizon does not divide, plates beside what they replace, or
            more than fits into memory (`OMBO_MAX_GIB`).
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
        for name in SEVERAL:
            object.__setattr__(self, name, _one_or_more(getattr(self, name)))
        self._check_kinds()
        texts = [str(make_utility(given)) for given in self.utilities]
        object.__setattr__(self, "utilities", texts)
        self._check_plates()
        for name in ("policies", "utilities", "told", *(() if self.plates else ("horizons",))):
            given = getattr(self, name)
            if not given or len(set(given)) < len(given):
                remedy = "; write horizons: [1, 2, 5], or plates: [24, 24, 8] in place of them"
                raise ValueError(
                    f"{name}: expected at least one, each once, got {shown(list(given or ()))}"
                    + (remedy if name == "horizons" and not given else "")
                )
        if unknown := set(self.told) - {"true", "one"}:
            raise ValueError(f"told: expected 'true', 'one' or both, got {shown(sorted(unknown))}")
        self._check_arguments()
        if self.budget is not None:
            odd = [n for n in self.horizons if n < 1 or self.budget < n or self.budget % n]
            if odd:
                raise ValueError(
                    f"budget: expected a number of designs that every horizon divides, got "
                    f"{shown(self.budget)} for horizons {shown(odd)}"
                )
        if self.block < 1:
            raise ValueError(f"block: expected at least 1 campaign, got {self.block}")
        if self.campaigns < 1 or not 0 <= self.seed <= SEEDS - self.campaigns:
            raise ValueError(
                f"campaigns, seed: expected at least 1 campaign and seeds from 0 below {SEEDS} "
                f"(above are training's), got {shown(self.campaigns)} from {shown(self.seed)}"
            )
        check_tables([self])

    def _check_kinds(self) -> None:
        """Refuses what is no text, no whole number or no dict where one is expected."""
        for name in ("env", "policies", "told", "maker"):
            given = getattr(self, name)
            texts = [given] if name in ("env", "maker") else given
            if not texts or not all(isinstance(text, str) and text for text in texts):
                raise ValueError(f"{name}: {_EXPECTED[name]}, got {shown(given)}")
        if self.utilities is None:
            raise ValueError("utilities: expected at least one, got None")
        for name in ("horizons", "batch_size", "budget", "campaigns", "seed", "block"):
            given = getattr(self, name)
            optional = name in ("batch_size", "budget")
            for number in (given or ()) if name == "horizons" else [given]:
                whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
                if not whole and not (number is None and optional):
                    raise ValueError(f"{name}: expected a whole number, got {shown(number)}")
            if isinstance(given, np.integer):
                object.__setattr__(self, name, int(given))
        if not isinstance(self.env_kwargs, Mapping | None):
            raise ValueError(
                f"env_kwargs: expected names with values, such as {{dim: 3}}, got "
                f"{shown(self.env_kwargs)}"
            )

    def _check_plates(self) -> None:
        if self.plates is None:
            return
        given = {name: getattr(self, name) for name in REPLACED_BY_PLATES}
        clashes = {name: value for name, value in given.items() if value not in (None, (), [])}
        if clashes:
            raise ValueError(
                f"plates: they lay down rounds and batch sizes, which go without "
                f"{', '.join(REPLACED_BY_PLATES)}; got plates={shown(self.plates)} together with "
                f"{shown(clashes)}"
            )
        if not self.plates or not all(map(is_whole, self.plates)):
            raise ValueError(
                f"plates: expected batch sizes of at least 1, one a round, got {shown(self.plates)}"
            )

    def _check_arguments(self) -> None:
        given = (self.env_kwargs or {}).keys()
        if reserved := sorted(OF_GYMNASIUM & given):
            raise ValueError(f"env_kwargs: {reserved} are set by the evaluation itself")
        try:
            json.dumps(self.env_kwargs, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                f"env_kwargs: expected what JSON can hold, got {shown(self.env_kwargs)}: {error}"
            ) from error
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
                utility_class=own_utility(make_utility(utility)),
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


def _one_or_more(given: Any) -> Any:
    """Several values as they are, one that stands alone as a list; None as it is."""
    if given is None or (isinstance(given, Sequence) and not isinstance(given, str | bytes)):
        return given
    return given.tolist() if isinstance(given, np.ndarray) else [given]
