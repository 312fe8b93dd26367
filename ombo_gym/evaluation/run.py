"""Runs many cells: in parallel, with progress, and so that a run that was stopped can go on."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ombo_gym.evaluation.cells import SEEDS, Cell, Played, make_env, make_policy, play

try:
    from joblib import Parallel, delayed, parallel_config
    from tqdm import tqdm
except ImportError as error:
    raise ImportError(
        'ombo_gym.evaluation needs joblib and tqdm: pip install "ombo-gym[evaluation]"'
    ) from error

BLOCK = 250  # campaigns per cell
_EXPLORATION_KEYS = ["env", "policy", "told_horizon", "horizon", "utility", "round"]


@dataclass(frozen=True)
class Plan:
    """Which policies play which campaigns; every combination is played on the same campaigns.

    Attributes:
        env: Id of the environment.
        policies: As the policy factory takes them.
        horizons, utilities: Of the campaigns.
        batch_size: q.
        campaigns: Per combination.
        seed: Of campaign 0.
        told: What policies are told: "true", "one" or both.
        env_kwargs: Further arguments of the environment.
        maker: "module:function" that builds policies.
        block: Campaigns per cell.

    Raises:
        ValueError: Nothing to play, or seeds that belong to training.
    """

    env: str
    policies: Sequence[str]
    horizons: Sequence[int]
    utilities: Sequence[str] = ("best",)
    batch_size: int = 4
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
        if self.block < 1:
            raise ValueError(f"block: expected at least 1 campaign, got {self.block}")
        if self.campaigns < 1 or not 0 <= self.seed <= SEEDS - self.campaigns:
            raise ValueError(
                f"campaigns, seed: expected at least 1 campaign and seeds from 0 below {SEEDS} "
                f"(above are training's), got {self.campaigns} from {self.seed}"
            )

    def cells(self) -> list[Cell]:
        """All cells, told the truth; see `derived` for the others."""
        return [
            Cell(
                env=self.env,
                policy=policy,
                told_horizon="true",
                horizon=horizon,
                batch_size=self.batch_size,
                utility=utility,
                seed=self.seed,
                first=first,
                campaigns=min(self.block, self.campaigns - first),
                env_kwargs=json.dumps(self.env_kwargs or {}, sort_keys=True),
                maker=self.maker,
                fingerprint=_fingerprint(policy) + _source(policy) + _source(self.env),
            )
            for utility in self.utilities
            for horizon in self.horizons
            for policy in self.policies
            for first in range(0, self.campaigns, self.block)
        ]


class Results(NamedTuple):
    """What came of a plan."""

    campaigns: pd.DataFrame
    exploration: pd.DataFrame


def run(plan: Plan, *, folder: Path | None = None, jobs: int = 1, resume: bool = False) -> Results:
    """Plays a plan.

    Args:
        plan: What to play.
        folder: Where finished cells are kept, one file each; None keeps nothing.
        jobs: Processes.
        resume: Take finished cells from the folder instead of playing them again.

    Returns:
        One row per campaign, in the order of the plan, and mean exploration weights by round.

    Raises:
        ValueError: A policy that does not suit the environment, or an argument that it lacks;
            before anything is played.
    """
    cells = plan.cells()
    aware = _horizon_aware(cells)
    told_one = [cell.told("one") for cell in cells if aware[cell.policy] and cell.horizon > 1]
    wanted = [cell for cell in cells if "true" in plan.told or _same_told_one(cell, aware)]
    wanted += told_one if "one" in plan.told else []
    played = _play_all(wanted, folder, jobs, resume)
    parts = []
    for told in plan.told:
        for cell in cells:
            if told == "one" and not _same_told_one(cell, aware):
                parts.append(played[cell.told("one").key])
            else:  # what it is told makes no difference: the same campaigns, played once
                again = told == "one" and "true" in plan.told
                parts.append(_relabel(played[cell.key], told, weights=not again))
    campaigns = pd.concat([part.campaigns for part in parts], ignore_index=True)
    sums = pd.concat([part.exploration for part in parts], ignore_index=True)
    return Results(campaigns, _mean_weights(sums))


def _same_told_one(cell: Cell, aware: dict[str, bool]) -> bool:
    return cell.horizon == 1 or not aware[cell.policy]


def _relabel(played: Played, told: str, *, weights: bool) -> Played:
    """A cell told something else that makes no difference, with its weights or without."""
    campaigns, exploration = (
        table.assign(told_horizon=told) if len(table) else table for table in played
    )
    return Played(campaigns, exploration if weights else pd.DataFrame())


def _horizon_aware(cells: Sequence[Cell]) -> dict[str, bool]:
    """Whether each policy reads the rounds left.

    Builds each policy and each kind of campaign, so that mistakes show at once.
    """
    aware: dict[str, bool] = {}
    seen: set[tuple[int, str]] = set()
    for cell in cells:
        kind = cell.horizon, cell.utility
        if cell.policy not in aware or kind not in seen:
            env = make_env(replace(cell, campaigns=1))
            aware[cell.policy] = bool(getattr(make_policy(cell, env), "horizon_aware", True))
            seen.add(kind)
            env.close()
    return aware


def _play_all(
    cells: Sequence[Cell], folder: Path | None, jobs: int, resume: bool
) -> dict[str, Played]:
    played: dict[str, Played] = {}
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        if not resume:
            for file in [*folder.glob("*.json"), *folder.glob("*.tmp")]:
                file.unlink()
        kept = {cell.key: _read(folder, cell) for cell in cells}
        played = {key: each for key, each in kept.items() if each is not None}
    missing = [cell for cell in cells if cell.key not in played]
    with parallel_config("loky" if jobs > 1 else "sequential", n_jobs=jobs, **_threads(jobs)):
        outcomes: Iterable[tuple[str, Played]] = Parallel(return_as="generator_unordered")(
            delayed(_play_and_keep)(cell, folder) for cell in missing
        )
        bar = tqdm(outcomes, total=len(missing), unit="cell", desc="playing", disable=None)
        played.update(bar)
    return played


def _threads(jobs: int) -> dict[str, int]:
    return {"inner_max_num_threads": 1} if jobs > 1 else {}


def _play_and_keep(cell: Cell, folder: Path | None) -> tuple[str, Played]:
    played = play(cell)
    if folder is not None:
        _write(folder, cell, played)
    return cell.key, played


def _file(folder: Path, cell: Cell) -> Path:
    return folder / f"{cell.key}.json"


def _write(folder: Path, cell: Cell, played: Played) -> None:
    """Writes a finished cell in one step, so that a file that is there is whole."""
    tables = {name: table.to_dict("list") for name, table in played._asdict().items()}
    file = _file(folder, cell)
    temporary = file.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps(tables))
    temporary.replace(file)


def _read(folder: Path, cell: Cell) -> Played | None:
    """A finished cell; None where there is none, or only a damaged file: it is played again."""
    try:
        tables = json.loads(_file(folder, cell).read_text())
        played = Played(*(pd.DataFrame(tables[name]) for name in Played._fields))
        whole = len(played.campaigns) == cell.campaigns
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return played if whole else None


def _mean_weights(sums: pd.DataFrame) -> pd.DataFrame:
    """Mean exploration weights by round, from sums over the campaigns of each cell."""
    columns = [*_EXPLORATION_KEYS, "weight_first", "weight_last", "weight_mean"]
    if sums.empty:
        return pd.DataFrame(columns=columns)
    total = sums.groupby(_EXPLORATION_KEYS, sort=False, as_index=False).sum()
    for name in columns[len(_EXPLORATION_KEYS) :]:
        total[name] /= total["campaigns"]
    return total[columns]


def _source(name: str) -> str:
    """Hash of the file that `module:name` stands in; empty for names of this package."""
    module, _, rest = name.partition(":")
    if not rest or "=" in rest or not all(part.isidentifier() for part in module.split(".")):
        return ""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return ""
    return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()[:16]


def _fingerprint(policy: str) -> str:
    """Hash of a trained policy's files; empty for a policy that is code."""
    folder = Path(policy)
    if not (folder / "config.json").is_file():
        return ""
    digest = hashlib.sha256()
    for file in [*sorted(folder.glob("*.safetensors")), folder / "config.json"]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
