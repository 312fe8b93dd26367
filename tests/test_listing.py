"""`python -m ombo_gym`: a tidy line for every environment, installed or not."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ombo_gym
from ombo_gym import catalogue
from ombo_gym.__main__ import _count, main
from ombo_gym.design_spaces import BoxDesigns, CandidateDesigns, CategoricalDesigns
from ombo_gym.problems import data
from ombo_gym.problems.biology import antibody
from ombo_gym.problems.own.function import Function
from ombo_gym.problems.synthetic.gp import GP

FIND = importlib.util.find_spec


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main(arguments)
    return capsys.readouterr().out


def test_it_lists_every_environment_in_aligned_columns_when_piped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "seconds_per_design", lambda *_, **__: 3e-6)  # takes seconds
    text = listed(capsys)
    table = text.split("\n\n")[0].splitlines()
    heading, lines = table[0], table[1:]
    assert heading.split() == "id domain designs size rounds optimum cost needs".split()
    assert [row.split()[0] for row in lines] == ombo_gym.env_ids()
    assert all(row[heading.index("domain") - 1] == " " for row in lines)
    assert max(map(len, text.splitlines())) <= 120
    assert " us" in table[1] and "own" not in table[1].split()


def test_json_holds_the_facts(capsys: pytest.CaptureFixture[str]) -> None:
    found = {entry["id"]: entry for entry in json.loads(listed(capsys, "--json", "--no-cost"))}
    assert list(found) == ombo_gym.env_ids()
    dna = found["Ombo/TFBind8-v0"]
    assert dna["size"] == 4**8 and dna["designs"] == "4^8 sequences" and dna["domain"] == "DNA"
    assert dna["optimum"] == "known" and dna["installed"] and dna["seconds"] is None
    assert found["Ombo/GP-v0"]["optimum"] == "searched"
    assert found["Ombo/Gait-v0"]["optimum"] == "best known"
    assert found["Ombo/RNAFold-v0"]["optimum"] == "bound"
    assert found["Ombo/TFBinding-v0"]["splits"] == ["all", "test", "train"]


def test_costs_are_left_out_when_they_are_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    assert "cost" not in listed(capsys, "--no-cost")


def test_what_is_not_installed_is_listed_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden(name: str, *arguments: Any) -> Any:
        return FIND(name, *arguments) if name.startswith("ombo_gym") else None

    monkeypatch.setattr(importlib.util, "find_spec", hidden)
    found = json.loads(listed(capsys, "--json", "--no-cost"))
    assert [entry["id"] for entry in found] == ombo_gym.env_ids()
    for entry in found:
        assert entry["installed"] == (entry["extra"] is None), entry
        assert entry["installed"] or "pip install" in entry["missing"]
    lines = listed(capsys, "--no-cost").splitlines()
    for entry in found:
        (line,) = [line for line in lines if line.startswith(entry["id"] + " ")]
        assert line.endswith("not installed") == (not entry["installed"])


def test_a_damaged_table_is_told_with_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for table in data.TABLES:
        shutil.copy(data.table_file(table), tmp_path)
    (tmp_path / "antibody.npz").write_bytes(b"PK")  # read when a design is evaluated
    monkeypatch.setattr(data, "DIRECTORY", tmp_path)
    antibody.affinities.cache_clear()
    text = listed(capsys, "--no-cost")
    (line,) = [line for line in text.splitlines() if line.startswith("Ombo/Antibody-v0 ")]
    assert line.endswith("not installed") and text.count("not installed") == 1
    assert re.search(r"antibody\.npz is damaged .*reinstall", text.split("\n\n")[1])


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (BoxDesigns(13), "box 13-D"),
        (CategoricalDesigns([4] * 8, alphabet="ACGT"), "4^8 sequences"),
        (CategoricalDesigns([4, 22, 3]), "4x22x3 choices"),
        (CategoricalDesigns([5] * 6), "5^6 choices"),
        (CategoricalDesigns([2] * 11), "11 bits"),
        (CandidateDesigns(np.zeros((1600, 2))), "1,600 candidates"),
    ],
)
def test_design_spaces_are_told_in_a_few_words(space: Any, words: str) -> None:
    assert space.summary == words


def test_the_cost_is_that_of_a_design() -> None:
    def sleeps(x: Any) -> np.ndarray:
        import time

        time.sleep(2e-4 * len(x))
        return np.zeros(len(x))

    problem = Function(sleeps, [(0, 1)] * 3, vectorized=True)
    assert 2e-4 <= catalogue.seconds_per_design(problem, 0.05) < 1e-3
    assert catalogue.seconds_per_design(GP(), 0.01) < 1e-3


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (None, "infinite"),
        (65_536, "65,536"),
        (2**25, "3.4e7"),
        (32**32, "1.5e48"),
        (10**400, "1.0e400"),
    ],
)
def test_sizes_are_rounded(size: int | None, words: str) -> None:
    assert _count(size) == words


def test_a_reader_that_leaves_early_sees_no_traceback() -> None:
    program = f"{sys.executable} -W error -m ombo_gym --no-cost"
    done = subprocess.run(
        ["bash", "-c", f"{program} | true; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr == "" and done.returncode == 0
