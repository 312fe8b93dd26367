"""Pins are compared with advisories, and those that concern us are explained."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.version import Version

from scripts.audit import EXPLAINED, Args, concerns, main
from tests.pages import ROOT


def advisory(name: str = "box", **affected: Any) -> dict[str, Any]:
    package = {"name": name, "ecosystem": "PyPI"}
    return {"id": "PYSEC-1", "aliases": ["CVE-1"], "affected": [{"package": package, **affected}]}


def ranged(*events: dict[str, str]) -> dict[str, Any]:
    return advisory(ranges=[{"type": "ECOSYSTEM", "events": list(events)}])


TWICE = ({"introduced": "4"}, {"fixed": "4.2"}, {"introduced": "0"}, {"fixed": "3"})


@pytest.mark.parametrize(
    ("written", "version", "concerned"),
    [
        (ranged({"introduced": "0"}), "3.1", True),
        (ranged({"introduced": "0"}, {"fixed": "3.1"}), "3.0.9", True),
        (ranged({"introduced": "0"}, {"fixed": "3.1"}), "3.1", False),
        (ranged({"introduced": "0"}, {"fixed": "3.1"}), "3.1rc1", True),
        (ranged({"introduced": "2"}, {"last_affected": "3.1"}), "3.1", True),
        (ranged({"introduced": "2"}, {"last_affected": "3.1"}), "3.1.1", False),
        (ranged({"introduced": "2"}, {"fixed": "3"}), "1.9", False),
        (ranged(*TWICE), "4.1", True),
        (ranged(*TWICE), "3.5", False),
        (ranged({"introduced": "0"}, {"last_affected": "3.1"}), "3.1+cpu", True),
        (advisory(versions=["1.0", "dev-build"]), "1.0", True),
        (advisory(versions=["1.0"]), "1", True),
        (advisory(versions=["2.13.0"]), "2.13.0+cpu", True),
        (advisory(versions=["1.0"]), "1.0.1", False),
        (advisory("Other", versions=["1.0"]), "1.0", False),
        (advisory(ranges=[{"type": "GIT", "events": [{"introduced": "0"}]}]), "1.0", False),
    ],
)
def test_a_version_is_concerned_where_it_is_listed_or_in_a_range(
    written: dict[str, Any], version: str, concerned: bool
) -> None:
    assert concerns(written, "box", Version(version)) is concerned


def database(folder: Path, *advisories: dict[str, Any]) -> Path:
    for number, each in enumerate(advisories):
        path = folder / "vulns" / each["affected"][0]["package"]["name"] / f"{number}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(each))
    return folder


def status(folder: Path, pins: Path) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(Args(folder, (pins,)))
    return ended.value.code


def test_it_ends_with_status_1_where_an_advisory_is_not_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pins = tmp_path / "constraints.txt"
    pins.write_text('# a comment\nBox_Two==1.0 ; sys_platform == "linux"\nother[x]==2.0\n')
    folder = database(tmp_path / "db", advisory("box-two", versions=["1.0"]))
    assert status(folder, pins) == 1
    assert "constraints.txt: box-two 1.0: PYSEC-1 (CVE-1): new" in capsys.readouterr().out
    monkeypatch.setitem(EXPLAINED, "PYSEC-1", "nobody calls it")
    assert status(folder, pins) == 0
    said = capsys.readouterr().out
    assert "nobody calls it" in said and "compared 2 pins of 1 files" in said
    database(folder, {**advisory("box-two", versions=["1.0"]), "withdrawn": "2024-01-01"})
    monkeypatch.delitem(EXPLAINED, "PYSEC-1")
    assert status(folder, pins) == 0


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_bare_clone_is_read_as_its_files_are(tmp_path: Path) -> None:
    pins = tmp_path / "constraints.txt"
    pins.write_text("box==1.0\n")
    folder = database(tmp_path / "db", advisory(versions=["1.0"]))
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@y", "-C", str(folder)]
    for words in (["init", "-q"], ["add", "vulns"], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *words], check=True)
    bare = folder / ".git"
    assert status(bare, pins) == 1


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--database: expected a clone of https://github"):
        main(Args(tmp_path))


def test_what_is_explained_is_explained_to_readers_and_left_out_by_pip_audit() -> None:
    left_out = re.findall(r"--ignore-vuln (\S+)", (ROOT / "Makefile").read_text())
    assert left_out == list(EXPLAINED)
    page = (ROOT / "SECURITY.md").read_text()
    assert all(name in page for name in EXPLAINED)
