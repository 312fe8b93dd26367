"""The archive of a release holds what is too large for the repository, the same every time."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from scripts.release_results import Args, main


def test_it_packs_tables_pictures_and_policies_the_same_every_time(tmp_path: Path) -> None:
    results, runs = tmp_path / "results" / "suite", tmp_path / "runs"
    args = Args(results, runs, tmp_path / "build")
    with pytest.raises(FileNotFoundError, match="make suite"):
        main(args)
    for file in (
        *(results / "summary.csv", results / "figures" / "a.png", results / "campaigns.parquet"),
        *(runs / "exact" / "gp-0" / "policy.safetensors", runs / "exact" / "cells" / "x.npz"),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(file.name)
    main(args)
    (archive,) = (tmp_path / "build").iterdir()
    with tarfile.open(archive) as tar:
        packed = tar.getnames()
    assert packed == [
        "suite/figures/a.png",
        "suite/summary.csv",
        "runs/exact/gp-0/policy.safetensors",
    ]
    first = archive.read_bytes()
    (results / "summary.csv").touch()
    main(args)
    assert archive.read_bytes() == first
