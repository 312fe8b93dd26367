"""Compares pins with published advisories, without the internet.

`make audit DATABASE=folder` reads a clone (bare or not) or an unpacked archive of
https://github.com/pypa/advisory-database and looks each pin of the constraints files up.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
import yaml
from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import Version

from ombo_agents.cli.arguments import report_errors

ROOT = Path(__file__).parents[1]
# Advisories that do not concern us, and why; SECURITY.md says it at length.
EXPLAINED = {
    "PYSEC-2023-163": "numexpr evaluates strings that somebody else wrote: nobody here hands it any"
}


@dataclass(frozen=True)
class Args:
    """Compares pins with advisories; status 1 where one concerns a pin and nobody explained why."""

    database: Path
    """Folder of the database: a clone, bare or not, or what its archive unpacks to."""
    constraints: tuple[Path, ...] = tuple(sorted(ROOT.glob("constraints*.txt")))
    """Files with pins, `name==version` each in a line."""


def main(args: Args) -> None:
    """Says which advisories concern a pin.

    Raises:
        ValueError: There is no such database, or a file of it cannot be read.
        SystemExit: With status 1 where an advisory is not explained.
    """
    pinned = {path.name: pins(path) for path in args.constraints}
    names = {name for versions in pinned.values() for name in versions}
    advisories = read_advisories(args.database, names)
    new = False
    for file, versions in pinned.items():
        for name, version in versions.items():
            for advisory in advisories.get(name, ()):
                if not concerns(advisory, name, version):
                    continue
                aliases = ", ".join(advisory.get("aliases", ()))
                why = EXPLAINED.get(advisory["id"])
                new |= why is None
                print(f"{file}: {name} {version}: {advisory['id']} ({aliases}): {why or 'new'}")
    count = sum(map(len, pinned.values()))
    print(f"compared {count} pins of {len(pinned)} files with the advisories of {args.database}")
    sys.exit(1 if new else 0)


def pins(path: Path) -> dict[str, Version]:
    """The versions of a constraints file, by the canonical name of the package."""
    lines = re.findall(r"^([\w.-]+)(?:\[.*\])?==([^\s;#]+)", path.read_text(), re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in lines}


def read_advisories(database: Path, names: set[str]) -> dict[str, list[dict[str, Any]]]:
    """The advisories of some packages that were not withdrawn, by canonical name.

    Raises:
        ValueError: There is no such database, or a file of it cannot be read.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    count = 0
    for path, text in _files(database):
        count += 1
        name = canonicalize_name(Path(path).parent.name)
        if name not in names:
            continue
        try:
            advisory = yaml.safe_load(text)
            if not advisory.get("withdrawn"):
                found.setdefault(name, []).append(advisory)
        except (yaml.YAMLError, AttributeError) as error:
            raise ValueError(f"--database: {path}: expected an advisory, got: {error}") from None
    if not count:
        raise ValueError(
            f"--database: expected a clone of https://github.com/pypa/advisory-database, got "
            f"{database}, where no vulns/PACKAGE/ADVISORY.yaml is"
        )
    return found


def _files(database: Path) -> Iterator[tuple[str, str]]:
    """Paths and texts of all advisories, of files or of what a bare clone holds."""
    if (database / "vulns").is_dir():
        for path in sorted(database.glob("vulns/*/*.yaml")):
            yield str(path), path.read_text(encoding="utf-8")
        return
    command = ["git", "-C", str(database), "archive", "HEAD", "vulns"]
    packed = subprocess.run(command, capture_output=True, check=False)
    if packed.returncode:
        return
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
        for entry in tar:
            if entry.isfile() and entry.name.endswith(".yaml"):
                content = tar.extractfile(entry)
                assert content is not None
                yield entry.name, content.read().decode()


def concerns(advisory: Mapping[str, Any], name: str, version: Version) -> bool:
    """Whether a version of a package is among those that an advisory lists or has in a range.

    Reference:
        Open Source Vulnerability format, "Evaluation": https://ossf.github.io/osv-schema/#evaluation
    """
    version = Version(version.public)  # without "+cpu"
    for affected in advisory.get("affected", ()):
        if canonicalize_name(affected["package"]["name"]) != name:
            continue
        listed = {canonicalize_version(str(each)) for each in affected.get("versions", ())}
        if canonicalize_version(version) in listed:
            return True
        ranges = [each for each in affected.get("ranges", ()) if each["type"] == "ECOSYSTEM"]
        if any(_within(each["events"], version) for each in ranges):
            return True
    return False


def _within(events: Sequence[Mapping[str, Any]], version: Version) -> bool:
    """Whether the last of the events up to a version lets it be affected."""
    affected = False
    kinds = [(_begin(text), kind) for event in events for kind, text in event.items()]
    for limit, kind in sorted(kinds, key=lambda each: each[0]):
        if kind == "introduced" and version >= limit:
            affected = True
        elif (kind == "fixed" and version >= limit) or (
            kind == "last_affected" and version > limit
        ):
            affected = False
    return affected


def _begin(text: Any) -> Version:
    return Version("0.dev0") if str(text) == "0" else Version(str(text))


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args, description=__doc__))
