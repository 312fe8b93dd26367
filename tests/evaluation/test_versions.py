"""Results folders say the versions of what their numbers depend on."""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest

from ombo_gym.evaluation.evaluate import PACKAGES, evaluate, versions
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.registration import PROBLEMS, problem_class

# Of the extras that numbers come from: what starts processes, writes files or draws.
NO_NUMBERS = {"joblib", "pygame-ce", "safetensors"}


def required(extra: str) -> set[str]:
    """Distributions that an extra asks for."""
    lines = [line for line in requires("ombo-gym") or [] if f"extra == '{extra}'" in line]
    return {re.split(r"[<>=\[; ]", line)[0].lower() for line in lines}


def installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def test_every_simulator_and_every_library_of_policies_is_named() -> None:
    simulators = {problem_class(name).extra for name in PROBLEMS} - {None}
    assert simulators >= {"energy", "rna", "robotics", "synthetic"}
    needed = {"gymnasium", "numpy"}
    for extra in (*simulators, "agents", "botorch"):
        needed |= required(str(extra)) - NO_NUMBERS
    assert needed <= set(PACKAGES)
    assert set(versions()) >= {name for name in needed if installed(name)} | {"python"}
    assert versions()["numpy"] == version("numpy")


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ombo_gym.evaluation.evaluate.PACKAGES", ("numpy", "no-such-package"))
    assert set(versions()) == {"python", "numpy"}


def test_a_results_folder_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ombo_gym.evaluation.evaluate.write_report", lambda folder: None)  # seconds
    plan = EvaluationPlan(env="Ombo/Bandit-v0", policies=("random",), horizons=(1,), campaigns=2)
    evaluate(plan, out=tmp_path, launch=Launch(backend="sequential"), command="none")
    assert json.loads((tmp_path / "config.json").read_text())["versions"] == versions()
