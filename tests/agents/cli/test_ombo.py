"""The command `ombo`: its subcommands, their help, and what it says where something is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import ombo_agents
from ombo_agents.cli import main as cli
from ombo_agents.cli.arguments import typed
from ombo_agents.cli.evaluate import Args, plans_of
from ombo_gym import command
from ombo_gym.evaluation import evaluate as evaluate_module
from tests.commands import ROOT


def ombo(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["ombo", *words])
    command.main()


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_help_has_an_example_that_its_own_parser_takes(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit, match="0"):
        ombo(monkeypatch, name, "--help")
    printed = capsys.readouterr().out
    (example,) = [line for line in printed.splitlines() if "For instance: ombo" in line]
    _, _, words = example.partition("ombo ")
    said: list[object] = []
    monkeypatch.setattr(cli.COMMANDS[name], "main", said.append)
    ombo(monkeypatch, *words.split())
    assert type(said[0]) is cli.COMMANDS[name].Args


def test_a_mistake_of_the_user_ends_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"error: --env: got .*expected one of .*Ombo/GP-v0"):
        ombo(monkeypatch, "exact", "--env", "Ombo/GPP-v0")


def test_without_extras_the_command_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("ombo_agents")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(SystemExit, match=r'pip install "ombo-gym\[all\]"'):
        ombo(monkeypatch, "list")


def test_policies_that_suit_an_environment_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ombo(monkeypatch, "list", "--policies-for", "Ombo/Bandit-v0")
    listed = capsys.readouterr().out.split()
    assert {"thompson", "random"} <= set(listed) and "turbo" not in listed


def test_from_a_clone_it_is_a_script_of_the_same_name() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "scripts.list", "--no-cost", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert len(json.loads(printed)) == 25


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("/somewhere/bin/ombo", "ombo evaluate --seed 1"),
        ("/somewhere/scripts/evaluate.py", "python -m scripts.evaluate --seed 1"),
    ],
)
def test_what_repeats_a_run_is_what_was_typed(
    program: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--seed", "1"] if program.endswith(".py") else ["evaluate", "--seed", "1"]
    monkeypatch.setattr(sys, "argv", [program, *words])
    assert typed("evaluate") == expected


def test_without_policies_all_that_suit_are_meant() -> None:
    for policies in (None, "all"):
        (plan,) = plans_of(Args(env="Ombo/Bandit-v0", policies=policies, horizons="2"))
        suiting = [name for name in ombo_agents.names() if name in plan.policies]
        assert list(plan.policies) == suiting and "thompson" in suiting
        assert "turbo" not in suiting and "all" not in suiting
    (plan,) = plans_of(Args(env="Ombo/Bandit-v0", policies="random,all"))
    assert list(plan.policies).count("random") == 1


def test_all_policies_that_suit_are_evaluated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ombo_agents, "names", lambda: ["random", "turbo", "greedy"])
    monkeypatch.setattr(evaluate_module, "write_report", lambda folder: None)  # takes seconds
    flags = "--env Ombo/Bandit-v0 --horizons 1 --batch-size 1 --campaigns 2 --backend sequential"
    ombo(monkeypatch, "evaluate", *flags.split(), "--told", "true", "--out", str(tmp_path))
    played = set(pd.read_csv(tmp_path / "campaigns.csv")["policy"])
    assert played == {"random", "greedy"}
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["command"].startswith("ombo evaluate --env Ombo/Bandit-v0")


def test_modules_of_one_s_own_are_found_in_the_folder_that_it_is_called_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "own_still.py").write_text(
        "from ombo_agents import DesignsPolicy\n"
        "class Still(DesignsPolicy):\n"
        "    def propose(self, observation, rngs, q):\n"
        "        return self.space.sample(rngs, q)\n"
    )
    words = "--env Ombo/Bandit-v0 --policy own_still:Still --horizon 1"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from ombo_gym.command import main; main()",
            "exact",
            *words.split(),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["policy"] == "own_still:Still"
