"""Packs what a release hands out beside the repository: large tables and pictures, and policies.

The tables, pictures and report in `results/suite`, and the trained policies in `runs`, go to
`build/results-VERSION.tar.gz`; pages and small tables are in docs/results.
"""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import tyro
from tqdm import tqdm

from ombo_agents.cli.arguments import report_errors

RESULTS = ("*.csv", "*.png", "config.json", "report.html", "figures/*.png")
POLICIES = ("*/*/config.json", "*/*/policy.safetensors")


@dataclass(frozen=True)
class Args:
    """Packs finished results; run `make suite` and `make studies` before."""

    results: Path = Path("results/suite")
    """Folder of the finished suite."""
    runs: Path = Path("runs")
    """Folder of the trained policies."""
    out: Path = Path("build")
    """Folder for the archive."""


def main(args: Args) -> None:
    """Writes the archive.

    Raises:
        FileNotFoundError: The suite was not played to its end.
    """
    if not (args.results / "summary.csv").is_file():
        raise FileNotFoundError(
            f"--results: expected the folder of a finished suite (`make suite`), got {args.results}"
        )
    archive = args.out / f"results-{version('ombo-gym')}.tar.gz"
    files = [*_found(args.results, RESULTS), *_found(args.runs, POLICIES)]
    args.out.mkdir(parents=True, exist_ok=True)
    # Without times and owners: the same files make the same archive.
    with (
        gzip.GzipFile(archive, "wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as tar,
    ):
        for name, file in tqdm(files, unit="file", desc="packing", disable=None):
            tar.add(file, name, filter=_without_times_and_owners)
    print(f"wrote {archive}: {len(files)} files, {archive.stat().st_size / 1e6:.1f} MB")


def _found(folder: Path, patterns: Sequence[str]) -> list[tuple[str, Path]]:
    """Files with the names that they have in the archive, sorted."""
    files = sorted(file for pattern in patterns for file in folder.glob(pattern))
    return [((Path(folder.name) / file.relative_to(folder)).as_posix(), file) for file in files]


def _without_times_and_owners(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args))
