"""What the names in a cell stand for: files whose content results depend on."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

_OF_ONE_RUN = ("seed", "seconds")  # in the configuration of a trained policy


def fingerprint(policy: str, env_id: str, sources: Sequence[Path] = ()) -> str:
    """Hash of a trained policy's files, of own source files and of a problem's tables.

    Args:
        policy: A folder, `module:Class` or a name of the package, which stands for no file.
        env_id: Likewise: `module:id` of an own environment.
        sources: Files that the problem's values are read from.
    """
    files = [*_trained(policy), *_source(policy), *_source(env_id), *sources]
    return "-".join(map(_digest, files))


def methods(policies: Iterable[str]) -> dict[str, str]:
    """Names of methods: runs that differ only in their training seed have one in common.

    Returns:
        The method of each policy: the policy itself, or for several runs the letters that their
        folders begin with and a star, as in `runs/gp-*`.
    """
    policies = list(policies)
    alike: dict[str, list[str]] = {}
    for policy in policies:
        alike.setdefault(_configuration(policy), []).append(policy)
    found = {policy: policy for policy in policies}
    for runs in alike.values():
        if len(runs) > 1:
            name = _common_letters(runs) + "*"
            taken = name in found.values()
            found |= dict.fromkeys(runs, " & ".join(runs) if taken else name)
    return found


def _common_letters(names: Sequence[str]) -> str:
    """What all names begin with."""
    shortest = min(names, key=len)
    different = (i for i, letter in enumerate(shortest) if any(n[i] != letter for n in names))
    return shortest[: next(different, len(shortest))]


def _configuration(policy: str) -> str:
    """What a run was trained for and how; of a policy that is code, its name."""
    file = Path(policy) / "config.json"
    if not file.is_file():
        return policy
    try:
        config: dict[str, Any] = json.loads(file.read_text())
    except ValueError:
        return policy
    if "seed" not in config:
        return policy
    return json.dumps({k: v for k, v in config.items() if k not in _OF_ONE_RUN}, sort_keys=True)


def _trained(policy: str) -> list[Path]:
    folder = Path(policy)
    if not (folder / "config.json").is_file():
        return []
    return [*sorted(folder.glob("*.safetensors")), folder / "config.json"]


def _source(name: str) -> list[Path]:
    """The file that `module:name` stands in; none for names of this package."""
    module, _, rest = name.partition(":")
    if not rest or "=" in rest or not all(part.isidentifier() for part in module.split(".")):
        return []
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return []
    return [Path(spec.origin)]


def _digest(file: Path) -> str:
    status = file.stat()
    return _content(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1024)
def _content(file: Path, changed: int, size: int) -> str:
    """Hash of a file's content, read again when the file was written to."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
