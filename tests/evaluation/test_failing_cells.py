"""Cells whose policy misbehaves: they fail by name, are never ranked, and the rest is there."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tyro
from frail_functions import deaths_left

from ombo_agents.cli.arguments import report_errors
from ombo_agents.policy import DesignsPolicy
from ombo_gym.evaluation import run as run_module
from ombo_gym.evaluation.cells import Cell, check_played, play
from ombo_gym.evaluation.evaluate import evaluate
from ombo_gym.evaluation.failures import failure_of
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from ombo_gym.evaluation.tables import read_table
from ombo_gym.evaluation.terminal import failed_cells
from ombo_gym.problems.synthetic.bbob import BBOB
from scripts import evaluate as command

PLAN = EvaluationPlan("Ombo/GP-v0", ["random"], [2], campaigns=4, block=2, told=["true"])


class Uniform(DesignsPolicy):
    """What the others here are made of."""

    def propose(self, observation, rngs, q):
        return rngs.random((q, 2)) * 2 - 1


class RaisesAnything(Uniform):
    """Raises what `error` makes."""

    def propose(self, observation, rngs, q):
        raise self.error()


class Unspeakable(Exception):
    """Its words are errors themselves."""

    def __str__(self):
        raise SystemExit(7)

    __repr__ = __str__


class Unpicklable(Exception):
    """No other process can take it."""

    def __reduce__(self):
        raise TypeError("stays here")


ERRORS = {
    "exits": (lambda: SystemExit(0), "SystemExit: 0"),
    "interrupts": (lambda: KeyboardInterrupt(), "KeyboardInterrupt: "),
    "unspeakable": (Unspeakable, "Unspeakable: (no message: its str() raised SystemExit)"),
    "unpicklable": (Unpicklable, "Unpicklable: "),
    "unwritable": (lambda: ValueError("\ud800\0<b>"), "ValueError: \\ud800\\x00<b>"),
    "endless": (lambda: ValueError("x" * 10**6), f"ValueError: {'x' * 2000} ..."),
    "exhausts": (MemoryError, "MemoryError: "),
    "stops": (GeneratorExit, "GeneratorExit: "),
    "a group": (lambda: ExceptionGroup("two", [OSError(), KeyError()]), "ExceptionGroup: two (2"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_whatever_a_policy_raises_is_a_failure_of_its_cells(name, monkeypatch):
    error, expected = ERRORS[name]
    monkeypatch.setattr(RaisesAnything, "error", staticmethod(error), raising=False)
    bad = f"{__name__}:RaisesAnything"
    results = run(replace(PLAN, policies=[bad, "random"]))
    assert results.errors["policy"].tolist() == [bad] * 2
    assert results.errors["error"].str.startswith(expected).all()
    assert results.errors["traceback"].str.contains("in propose|no traceback").all()
    assert set(results.campaigns["policy"]) == {"random"}


def test_any_words_of_an_error_can_be_kept_in_every_file(monkeypatch, tmp_path):
    error, expected = ERRORS["unwritable"]
    monkeypatch.setattr(RaisesAnything, "error", staticmethod(error), raising=False)
    plan = replace(PLAN, policies=[f"{__name__}:RaisesAnything", "random"])
    evaluate(plan, out=tmp_path, launch=Launch(), command="")
    for file in ("errors.csv", "errors.parquet"):
        assert read_table(tmp_path / file)["error"].tolist() == [expected] * 2
    assert set(read_table(tmp_path / "summary.csv")["policy"]) == {"random"}
    assert "RaisesAnything" in (tmp_path / "report.html").read_text()


def test_what_is_noted_beside_an_error_is_said_with_it():
    error = ValueError("no signal")
    error.add_note("raised by the objective at {'pH': 7.5}")
    assert failure_of(error).error == (
        "ValueError: no signal (raised by the objective at {'pH': 7.5})"
    )


class CannotBeBuilt(Uniform):
    """Exits before it has begun."""

    def __init__(self, spec):
        raise SystemExit("no licence")


class CannotBeBuiltEither(Uniform):
    """A mistake of its own code, not of who names it."""

    def __init__(self, spec):
        super().__init__(spec)
        self.spec.nothing_of_that_name()


@pytest.mark.parametrize("name", ["CannotBeBuilt", "CannotBeBuiltEither"])
def test_a_policy_that_cannot_be_built_fails_cell_by_cell(name):
    results = run(replace(PLAN, policies=[f"{__name__}:{name}", "random"]))
    assert len(results.errors) == 2 and set(results.campaigns["policy"]) == {"random"}


def test_a_problem_that_fails_costs_its_cells_and_scenes_and_nothing_else(monkeypatch, capsys):
    drawn, values = run_module.scenes, BBOB.true_values

    def failing(self, instances, designs):
        raise SystemExit("the simulator's licence has ended")

    monkeypatch.setattr(BBOB, "true_values", failing)
    results = run([replace(PLAN, env="Ombo/BBOB-v0"), PLAN])
    assert set(results.errors["env"]) == {"Ombo/BBOB-v0"} and len(results.errors) == 2
    assert set(results.campaigns["env"]) == {"Ombo/GP-v0"}
    assert {scene["env"] for scene in results.replays["scenes"]} == {"Ombo/GP-v0"}

    def undrawable(env_id, *arguments):
        monkeypatch.setattr(BBOB, "true_values", failing if "BBOB" in env_id else values)
        return drawn(env_id, *arguments)

    monkeypatch.setattr(BBOB, "true_values", values)
    monkeypatch.setattr(run_module, "scenes", undrawable)
    results = run([replace(PLAN, env="Ombo/BBOB-v0"), PLAN])
    assert results.errors.empty and len(results.replays["plays"]) == 4
    assert {scene["env"] for scene in results.replays["scenes"]} == {"Ombo/GP-v0"}
    assert "no scenes of Ombo/BBOB-v0: SystemExit: the simulator" in capsys.readouterr().err


def test_a_policy_whose_file_is_no_python_is_refused_before_anything_is_played(
    tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "no_python_at_all.py").write_text("class Mine(:\n")
    with pytest.raises(
        ValueError,
        match=r"policy 'no_python_at_all:Mine': .*SyntaxError: invalid syntax",
    ):
        run(replace(PLAN, policies=["no_python_at_all:Mine"]), folder=tmp_path / "cells")
    assert not (tmp_path / "cells").exists()


@pytest.fixture
def listens():
    """Ctrl-C is listened to, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_cells_that_failed_are_told_apart_by_arguments_and_by_what_was_told():
    setting = {"env": "Ombo/GP-v0", "policy": "ucb", "batch_size": 4, "utility": "best"}
    part = {"first": 0, "campaigns": 3, "error": "ValueError: no"}
    told = {"env_kwargs": '{"dim": 3}', "horizon": 2, "told_horizon": "true"}
    plates = {"env_kwargs": '{"plates": [4, 2]}', "horizon": 2, "told_horizon": "one"}
    errors = pd.DataFrame([setting | told | part, setting | plates | part])
    assert failed_cells(errors).splitlines() == [
        "  ucb on Ombo/GP-v0 (dim=3), N = 2, q = 4, best, campaigns 0 to 2: ValueError: no",
        "  ucb on Ombo/GP-v0 (plates=[4, 2]), N = 2, q = 4/2, best, told 1, campaigns 0 to 2: "
        "ValueError: no",
    ]


@pytest.mark.usefixtures("listens")
def test_ctrl_c_stops_the_run_though_a_policy_s_own_interrupt_does_not(monkeypatch, tmp_path):
    def pressed(cell):
        if cell.first == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return play(cell)

    monkeypatch.setattr(run_module, "play", pressed)
    earlier = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(PLAN, folder=tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 1  # what was finished is kept
    assert signal.getsignal(signal.SIGINT) is earlier
    monkeypatch.setattr(run_module, "play", play)
    assert len(run(PLAN, folder=tmp_path, resume=True).campaigns) == 4


# --- numbers that are none ------------------------------------------------------------------------


class Answers(Uniform):
    """Acts as `answer` says, of what a policy of its kind would do."""

    def explain(self, observation, rng):
        actions, details = super().explain(observation, rng)
        return self.answer(actions, details)


def with_details(**details):
    return lambda actions, _: (
        actions,
        {name: make(len(actions)) for name, make in details.items()},
    )


ANSWERS = {
    "nan": (lambda a, d: (a * np.nan, d), "action: .*nan"),
    "one inf": (lambda a, d: (np.where(np.arange(4)[:, None] == 2, np.inf, a), d), "action: .*inf"),
    "wrong shape": (lambda a, d: (a[:, :2], d), r"action: .*got shape \(2, 2, 2\)"),
    "one campaign": (lambda a, d: (a[:1], d), r"action: .*got shape \(1, 4, 2\)"),
    "truth values": (lambda a, d: (a > 0, d), "action: .*got dtype bool"),
    "objects": (lambda a, d: (a.astype(object), d), "action: .*got dtype object"),
    "complex": (lambda a, d: (a + 0j, d), "action: .*got dtype complex"),
    "nothing": (lambda a, d: (None, d), "action: "),
    "actions alone": (lambda a, d: a, "explain: expected .actions, details., got ndarray"),
    "no details": (lambda a, d: (a, None), "explain: expected .actions, details."),
    "weights nan": (
        with_details(exploration_weights=lambda b: np.full((b, 2), np.nan)),
        "exploration_weights: expected finite numbers up to 1e.06, got nan",
    ),
    "weights inf": (
        with_details(exploration_weights=lambda b: np.full((b, 2), np.inf)),
        "exploration_weights: .*got inf",
    ),
    "weights beyond whole numbers": (
        with_details(exploration_weights=lambda b: np.full((b, 2), 1e30)),
        "exploration_weights: .*got 1e.30",
    ),
    "weights of another shape": (
        with_details(exploration_weights=lambda b: np.ones((b, 3))),
        r"exploration_weights: expected numbers of shape \(2, 2\)",
    ),
    "queries nan": (
        with_details(model_queries=lambda b: np.full(b, np.nan)),
        "model_queries: .*got nan",
    ),
    "queries of words": (
        with_details(model_queries=lambda b: np.array(["many"] * b)),
        r"model_queries: expected numbers of shape \(2,\), got <U4",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_that_are_none_fail_the_cell_and_are_never_ranked(name, monkeypatch):
    answer, message = ANSWERS[name]
    monkeypatch.setattr(Answers, "answer", staticmethod(answer), raising=False)
    bad = f"{__name__}:Answers"
    results = run(replace(PLAN, policies=[bad, "random"]))
    assert results.errors["policy"].tolist() == [bad] * 2
    assert results.errors["error"].str.match(f"ValueError: {message}").all(), results.errors[
        "error"
    ]
    assert set(results.campaigns["policy"]) == {"random"}


def test_a_number_for_all_campaigns_may_stand_for_each(monkeypatch):
    answer = with_details(
        exploration_weights=lambda b: [3.0, 1.0], model_queries=lambda b: np.int64(5)
    )
    monkeypatch.setattr(Answers, "answer", staticmethod(answer), raising=False)
    results = run(replace(PLAN, policies=[f"{__name__}:Answers"]))
    assert results.campaigns["model_queries"].tolist() == [10] * 4
    assert results.exploration["weight_first"].tolist() == [3, 3]


@pytest.mark.parametrize("name", ["value", "best_value", "distinct", "model_queries"])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_campaigns_that_are_worth_no_number_are_none(name, number):
    cell = Cell("Ombo/GP-v0", "random", "true", 1, 4, "best", 5, 2, 3)
    played = play(cell)
    check_played(cell, played)
    played.columns[name][1] = number
    with pytest.raises(ValueError, match=rf"^{name}: expected finite numbers, got .* campaign 3$"):
        check_played(cell, played)


# --- processes that die ---------------------------------------------------------------------------


def test_a_process_that_dies_under_a_cell_twice_costs_that_cell_and_nothing_else():
    deaths = {name: deaths_left(os.getpid(), name) for name in ("twice", "never")}
    deaths["twice"].write_text("2")
    deaths["never"].write_text("0")
    plan = replace(
        PLAN, policies=list(deaths), horizons=[1], campaigns=2, maker="frail_functions:make"
    )
    results = run(plan, launch=Launch("loky", 1))
    assert [file.read_text() for file in deaths.values()] == ["0", "0"]
    for file in deaths.values():
        file.unlink()
    assert results.campaigns.groupby("policy").size().to_dict() == {"never": 2}
    ((policy, error),) = results.errors[["policy", "error"]].to_numpy()
    assert policy == "twice" and "EXIT(9)" in error
    assert error.startswith("ProcessDied: the process that played it ended twice")


# --- what the command says --------------------------------------------------------------------


def test_the_last_lines_of_the_command_name_the_cells_that_failed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(RaisesAnything, "error", staticmethod(Unspeakable), raising=False)
    monkeypatch.setattr("ombo_gym.evaluation.evaluate.write_report", lambda folder: None)
    bad = f"{__name__}:RaisesAnything"
    words = f"--policies {bad},random --horizons 1,2 --campaigns 12 --block 1 --told true"
    words += f" --backend sequential --out {tmp_path}"
    with pytest.raises(SystemExit) as stopped, report_errors():
        command.main(tyro.cli(command.Args, args=words.split()))
    first, *cells, last = str(stopped.value).splitlines()
    assert first == f"error: 24 cells failed, the rest is there; see {tmp_path / 'errors.csv'}:"
    assert cells[0] == (
        f"  {bad} on Ombo/GP-v0, N = 1, q = 4, best, campaigns 0 to 0: "
        "Unspeakable: (no message: its str() raised SystemExit)"
    )
    assert len(cells) == 10 and last == "  and 14 more"
    assert json.loads((tmp_path / "config.json").read_text())["policies"] == [bad, "random"]


@pytest.mark.usefixtures("listens")
def test_ctrl_c_ends_the_command_with_a_line_that_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    def pressed(cell):
        os.kill(os.getpid(), signal.SIGINT)
        return play(cell)

    monkeypatch.setattr(run_module, "play", pressed)
    words = f"--policies random --campaigns 2 --backend sequential --out {tmp_path}"
    with pytest.raises(SystemExit) as stopped, report_errors():
        command.main(tyro.cli(command.Args, args=words.split()))
    assert stopped.value.code == 130
    assert "stopped: finished cells are kept; --resume goes on with the rest" in (
        capsys.readouterr().err
    )
