"""`ombo train --tasks`: what flags mean, and which do not go together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tyro

from ombo_agents.cli import train
from ombo_agents.cli.arguments import parse_env, report_errors
from ombo_agents.learned.over_tasks.validation import kept_rounds
from ombo_gym.evaluation.launch import Launch
from tests.agents.over_tasks.cases import TASKS, VALIDATE


def command(*words: str) -> None:
    train.main(tyro.cli(train.Args, args=words))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What training over tasks is called with; nothing is trained."""
    calls: list[dict[str, Any]] = []

    def noted(tasks: Any, **others: Any) -> dict[str, Any]:
        calls.append({"tasks": tasks, **others})
        return {"steps": 0, "seconds": 0.0, "new_steps": 0}

    monkeypatch.setattr("ombo_agents.learned.over_tasks.train_over_tasks", noted)
    monkeypatch.setattr("ombo_agents.learned.over_tasks.validation.kept_rounds", lambda folder: 9)
    return calls


def test_a_protocol_is_all_that_has_to_be_said(
    asked: list[dict[str, Any]], tmp_path: Path, capsys: Any
) -> None:
    command("--tasks", "ML-synthetic-v0:train", "--out", str(tmp_path))
    assert "kept the checkpoint after 9 rounds: " in capsys.readouterr().out
    (call,) = asked
    assert call["tasks"].name == "ML-synthetic-v0:train" and call["validate"] is None
    assert call["agent"] == "exploration" and call["surrogate"] is None and call["seed"] == 0
    assert call["launch"].backend == "loky"
    assert call["settings"].ppo.rounds_per_update >= 10  # the longest horizon


def test_flags_say_the_rest(asked: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text(json.dumps(TASKS))
    words = ["--tasks", str(file), "--validate", "ML-synthetic-v0:validation", "--seed", "4"]
    words += ["--steps", "3000", "--num-envs", "8", "--block", "4", "--validation-every", "3"]
    words += ["--validation-campaigns", "20", "--control", "exploration", "--backend", "dask"]
    words += ["--jobs", "2", "--env-kwargs", '{"surrogate": {"kernel": "isotropic"}}']
    command(*words, "--out", str(tmp_path / "run"))
    (call,) = asked
    settings = call["settings"]
    assert [task.env for task in call["tasks"]] == [task["env"] for task in TASKS]
    assert call["validate"] == "ML-synthetic-v0:validation" and call["seed"] == 4
    assert (settings.ppo.steps, settings.ppo.num_envs, settings.block) == (3000, 8, 4)
    assert (settings.validation_every, settings.validation_campaigns) == (3, 20)
    assert call["surrogate"] == {"kernel": "isotropic"} and call["launch"] == Launch("dask", 2)


REFUSED: dict[str, tuple[list[str], str]] = {
    "an environment beside tasks": (["--env", "Ombo/GP-v0"], "got --env too"),
    "rounds beside tasks": (["--horizon", "3", "--utility", "best"], "got --horizon, --utility"),
    "an agent of one space": (["--agent", "direct"], "--agent: expected one of ['exploration']"),
    "a control of no agent": (["--control", "candidates"], "--control: expected one of"),
    "agent and control apart": (
        ["--agent", "direct", "--control", "exploration"],
        "--control: direct acts through 'designs', got 'exploration'",
    ),
    "arguments of a problem": (["--env-kwargs", '{"dim": 3}'], "nothing but surrogate with"),
    "a backend that is none": (["--backend", "spark"], "backend: expected one of"),
    "no block": (["--block", "0"], "block: expected a whole number of at least 1"),
    "no validation": (["--validate", "ML-synthetic-v0:test"], "--validate: expected tasks that a"),
    "nothing to resume": (["--resume"], "begin without --resume"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_go_together_is_refused_in_a_line(case: str, tmp_path: Path) -> None:
    words, expected = REFUSED[case]
    out = tmp_path / "run"
    with pytest.raises(SystemExit) as caught, report_errors():
        command("--tasks", "ML-synthetic-v0:train", "--out", str(out), *words)
    message = str(caught.value.code)
    assert message.startswith("error: ") and expected in message and "\n" not in message
    assert not out.exists()


@pytest.mark.parametrize("flag", ["--validate", "--backend", "--jobs", "--block"])
def test_flags_of_tasks_need_tasks(flag: str, tmp_path: Path) -> None:
    value = "2" if flag in ("--jobs", "--block") else "loky"
    with pytest.raises(ValueError, match=f"^{flag}: expected --tasks beside it"):
        command("--out", str(tmp_path / "run"), flag, value)


@pytest.mark.parametrize("name", ["Ombo/Tasks-v0", "ombo_gym:Ombo/Tasks-v0"])
def test_campaigns_that_draw_their_problem_are_no_environment_of_one(name: str) -> None:
    with pytest.raises(ValueError, match=r"--env: .*draw theirs; ombo train --tasks"):
        parse_env(name)


@pytest.mark.filterwarnings("ignore:rich is experimental")
def test_a_run_from_the_command_line_can_be_resumed(tmp_path: Path, capsys: Any) -> None:
    for name, tasks in (("train", TASKS), ("validate", VALIDATE)):
        (tmp_path / f"{name}.json").write_text(json.dumps(tasks))
    words = ["--tasks", str(tmp_path / "train.json"), "--validate", str(tmp_path / "validate.json")]
    words += ["--num-envs", "4", "--validation-campaigns", "4", "--steps", "20"]
    words += ["--backend", "sequential", "--out", str(tmp_path / "run")]
    command(*words)
    printed = capsys.readouterr().out
    assert "--steps 20: rounded up to 64, in updates of 64" in printed
    assert "trained 64 rounds" in printed
    kept = kept_rounds(tmp_path / "run")
    assert (f"after {kept} rounds" if kept else "kept the untrained network") in printed
    command(*words, "--resume")
    assert "is finished already, with 64 rounds" in capsys.readouterr().out
