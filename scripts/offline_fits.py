"""Policies that remember what they fitted and found, for tables that play campaigns again.

What an offline method fits depends on the dataset and a seed alone, and what it finds on the number
of designs as well; both are the same whatever the utility. A campaign that is played for three
batch sizes and two utilities needs one fit and three searches, not six of each. Nothing else is
kept, and no number depends on it.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch

import ombo_agents
import ombo_gym
from ombo_agents.offline import METHODS
from ombo_agents.offline.one_shot import Dataset, OneShot
from ombo_agents.policy import Policy
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec

RUNS = Path("runs/offline")


@cache
def folder(*, offline: bool) -> Path:
    """Where results of policies as they are now are kept: by a hash of the files they come from.

    Args:
        offline: Of the offline methods; else of all other policies, which do not depend on them.
    """
    agents, gym = (Path(str(package.__file__)).parent for package in (ombo_agents, ombo_gym))
    files = [*gym.glob("*.py")]
    for package in ("design_spaces", "surrogates"):
        files += (gym / package).glob("*.py")
    if offline:
        files += [
            agents / "policy.py",
            agents / "unmeasured.py",
            agents / "model_free" / "pools.py",
            *(agents / "offline").glob("*.py"),
        ]
        files += [agents / "hyperparameters" / f"{name}.toml" for name in METHODS]
    else:
        found = [*agents.rglob("*.py"), *agents.rglob("*.toml")]
        files += [file for file in found if file.parent.name != "offline"]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.name}\n".encode())
        digest.update(file.read_bytes())
    return RUNS / digest.hexdigest()[:16]


def make(name: str, spec: CampaignSpec) -> Policy:
    """Builds a policy as `ombo_agents.make` does; offline methods remember."""
    policy = ombo_agents.make(name, spec)
    if isinstance(policy, OneShot):
        _remember(policy, name, folder(offline=True) / "fits")
    return policy


def _remember(policy: OneShot, name: str, kept: Path) -> None:
    fit, search = policy.fit, policy.search

    def remembered_fit(data: Dataset, generator: torch.Generator) -> Any:
        return _kept(kept / _key(name, data, generator), lambda: fit(data, generator))

    def remembered_search(model: Any, data: Dataset, generator: torch.Generator, q: int) -> Designs:
        key = f"{_key(name, data, generator)}-{q}"

        def searched() -> tuple[Designs, int]:
            return search(model, data, generator, q), model.queries

        found: Designs
        found, model.queries = _kept(kept / key, searched)
        return found

    policy.fit = remembered_fit  # type: ignore[method-assign]
    policy.search = remembered_search  # type: ignore[method-assign]


def _key(name: str, data: Dataset, generator: torch.Generator) -> str:
    text = hashlib.sha256(f"{name} {generator.initial_seed()}".encode())
    text.update(data.designs.tobytes())
    text.update(data.raw_values.tobytes())
    return text.hexdigest()[:32]


def _kept(file: Path, make: Callable[[], Any]) -> Any:
    """What the file holds, or what is made and put there."""
    if not file.is_file():
        made = pickle.dumps(make())
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}.draft")
        draft.write_bytes(made)
        draft.replace(file)  # another process may have written it meanwhile
    return pickle.loads(file.read_bytes())  # written by this very code
