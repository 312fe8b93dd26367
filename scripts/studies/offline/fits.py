"""Policies that remember what they fitted and found, for studies that play campaigns again.

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
from ombo_agents.offline.offline_policy import Dataset, OfflinePolicy
from ombo_agents.policy import Policy
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec

FITS = Path("runs/offline/fits")  # of all processes; the study empties it when it is done
# No number of a campaign comes from these.
_LEFT_OUT = ("ombo_agents/cli", "ombo_gym/evaluation", "ombo_gym/rendering", "ombo_gym/testing")


@cache
def code_digest() -> str:
    """A hash of the files that campaigns and fits come from."""
    digest = hashlib.sha256()
    for package in (ombo_agents, ombo_gym):
        root = Path(str(package.__file__)).parent
        for file in sorted([*root.rglob("*.py"), *root.rglob("*.toml")]):
            name = file.relative_to(root.parent).as_posix()
            if not name.startswith(_LEFT_OUT):
                digest.update(f"{name}\n".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def make(name: str, spec: CampaignSpec) -> Policy:
    """Builds a policy as `ombo_agents.make` does; offline methods remember."""
    policy = ombo_agents.make(name, spec)
    if isinstance(policy, OfflinePolicy):
        _remember(policy, name, FITS)
    return policy


def _remember(policy: OfflinePolicy[Any, Any], name: str, kept: Path) -> None:
    fit, search = policy.fit, policy.search

    def remembered_fit(data: Dataset, generator: torch.Generator) -> Any:
        return _kept(kept / _key(name, data, generator), lambda: fit(data, generator))

    def remembered_search(model: Any, data: Dataset, generator: torch.Generator, q: int) -> Designs:
        def searched() -> tuple[Designs, int]:
            return search(model, data, generator, q), model.queries

        designs: Designs
        key = f"{_key(name, data, generator)}-{q}"
        designs, model.queries = _kept(kept / key, searched)
        return designs

    policy.fit = remembered_fit  # type: ignore[method-assign]
    policy.search = remembered_search  # type: ignore[method-assign]


def _key(name: str, data: Dataset, generator: torch.Generator) -> str:
    text = hashlib.sha256(f"{code_digest()} {name} {generator.initial_seed()}".encode())
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
