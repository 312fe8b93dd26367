"""What the benchmark reports, and that every part of it runs; no timing is judged here."""

from __future__ import annotations

import json
import os
import time
from typing import ClassVar

import gymnasium as gym
import numpy as np
import pytest
import tyro

from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate
from scripts import evaluate
from scripts.benchmark import __main__ as benchmark
from scripts.benchmark import (
    environments,
    evaluation,
    policies,
    problems,
    source_loops,
    ucb,
)
from scripts.benchmark.arguments import BOTORCH_ROUNDS, ENV, Args
from scripts.benchmark.rows import Row, Stopwatch, format_number, format_rows, verdict

TINY = Args(
    num_envs=3,
    control_envs=2,
    repetitions=2,
    single_campaigns=2,
    ucb_campaigns=4,
    fit_campaigns=2,
    campaigns=0,
    planning_campaigns=0,
    policy_campaigns=0,
    scale_campaigns=25,
    seed=5,
)


def test_every_part_but_botorch_s_is_measured_printed_and_written(tmp_path, capsys, monkeypatch):
    """At scale too, but for the command that evaluates, which the next tests start."""
    few = ("GP", "TFBind8", *source_loops.LOOPS)  # of the rest none is measured in a way of its own
    monkeypatch.setattr(problems, "PROBLEMS", few)
    monkeypatch.setattr(problems, "SECONDS", 0.01)
    monkeypatch.setattr(evaluation, "_SMALL_CELLS", 10)
    monkeypatch.setattr(evaluation, "_CELLS", 4)
    monkeypatch.setattr(evaluation, "large_evaluation", lambda *_: (2.0, evaluation.GIB))
    timed = {"random": (3.0, evaluation.GIB), "ucb": (4.0, 2 * evaluation.GIB)}
    monkeypatch.setattr(policies, "large_evaluation", lambda name, *_, dim: timed[name])
    monkeypatch.setattr(policies, "BATCHED", tuple(timed))
    out = tmp_path / "new" / "benchmark.json"
    rows = benchmark.main(Args(**{**TINY.__dict__, "out": out, "policy_campaigns": 2}))
    assert all(np.isfinite(row.measured) and row.measured > 0 for row in rows)
    written = json.loads(out.read_text())
    assert [each["name"] for each in written["rows"]] == [row.name for row in rows]
    assert [each["measured"] for each in written["rows"]] == [row.measured for row in rows]
    assert written["args"]["seed"] == 5 and "numpy" in written["versions"]
    printed = capsys.readouterr().out
    assert all(row.name in printed for row in rows)
    found = {row.name: row for row in rows}
    for name, (seconds, _) in timed.items():
        row = found[f"{name}, 2 campaigns in 6-D, wall"]
        assert (row.target, row.sense, row.measured) == (60, "<=", seconds)
    memory = found["largest memory of these, all processes"]
    assert (memory.target, memory.sense, memory.measured) == (4, "<=", 2)
    assert found["evaluation of 25 campaigns, wall"].measured == 2
    assert found["its largest memory, all processes"].measured == 1


class Command:
    """In place of the process of a command: parses its words and leaves a page."""

    pid, status = os.getpid(), 0
    played: ClassVar[list[evaluate.Args]] = []

    def __init__(self, words, **_):
        assert words[1:3] == ["-m", "scripts.evaluate"]
        args = tyro.cli(evaluate.Args, args=words[3:])
        self.played.append(args)
        (args.out / "report.html").write_text("")

    def wait(self):
        time.sleep(0.3)  # its memory is looked at five times a second
        return self.status


def test_a_large_evaluation_is_that_of_the_command_with_its_time_and_memory(monkeypatch):
    monkeypatch.setattr(evaluation.subprocess, "Popen", Command)
    seconds, memory = evaluation.large_evaluation("ucb", 9, {"horizon": 5, "batch_size": 8}, dim=6)
    (args,) = Command.played
    assert (args.env, args.policies, args.campaigns, args.jobs) == (ENV, "ucb", 9, 2)
    assert (args.horizons, args.batch_size, args.told) == ("5", 8, "true")
    assert json.loads(args.env_kwargs) == {"dim": 6}
    assert 0.3 <= seconds < 30 and 0.01 < memory / evaluation.GIB < 4
    monkeypatch.setattr(Command, "status", 1)
    with pytest.raises(RuntimeError, match="ucb on 9 campaigns ended with 1"):
        evaluation.large_evaluation("ucb", 9, {"horizon": 5, "batch_size": 8})


@pytest.mark.slow
def test_policies_are_timed_by_the_command_itself(monkeypatch):
    monkeypatch.setattr(policies, "BATCHED", ("random",))
    rows = {row.name: row for row in policies.batched_policies(Args(policy_campaigns=2))}
    assert rows["random, 2 campaigns in 6-D, wall"].measured > 0
    assert 0.01 < rows["largest memory of these, all processes"].measured < 4


def test_the_targets_are_the_promised_ones():
    promised = {  # the words of the acceptance, as numbers
        "native vector env is faster than SyncVectorEnv": (">=", 10, 20),
        "single env, a step beyond its objective": ("<=", 150, None),
        "native step: the rest": ("<=", 8, None),
    }
    rows = environments.native_against_sync(TINY)
    rows += environments.single_step(TINY) + environments.native_step_apart(TINY)
    found = {row.name: (row.sense, row.target, row.aim) for row in rows if row.target is not None}
    assert found == promised


def test_environments_that_play_different_campaigns_are_not_compared(monkeypatch):
    other = environments.native_env

    def native_env(rows):
        env = other(rows)
        env.reset = lambda seed: type(env).reset(env, seed=seed + 1)
        return env

    monkeypatch.setattr(environments, "native_env", native_env)
    with pytest.raises(RuntimeError, match="same campaigns"):
        environments.native_against_sync(TINY)


def test_a_stopwatch_sums_the_cpu_time_of_the_methods_it_is_around(monkeypatch):
    problem, idle, clock = GP(), GP(), [0.0]
    monkeypatch.setattr("scripts.benchmark.rows.process_time", lambda: clock[0])
    watch = Stopwatch()

    def busy(seconds):
        clock[0] += seconds
        return seconds

    problem.first, problem.second, idle.first = busy, busy, busy
    watch.around(problem, "first").around(problem, "second")
    assert (problem.first(0.02), problem.second(0.03), idle.first(0.04)) == (0.02, 0.03, 0.04)
    assert watch.lap() == pytest.approx(0.05)
    assert watch.lap() == 0


@pytest.mark.parametrize(
    ("sense", "measured", "met"),
    [
        (">=", 9.99, False),
        (">=", 10.0, True),
        ("<=", 10.0, True),
        ("<=", 10.01, False),
        ("<", 10.0, False),
        ("<", 9.99, True),
        ("<", float("nan"), False),
    ],
)
def test_a_target_is_met_or_missed(sense, measured, met):
    row = Row("a ratio", measured, "times", target=10, sense=sense)
    assert row.met is met
    assert ("MISSED" in format_rows([row])) is not met
    assert verdict([row]) == ("every target is met" if met else "MISSED: a ratio")


def test_the_table_is_aligned_and_a_row_without_a_target_is_not_judged():
    rows = [
        Row("long name of a thing", 1234.6, "us"),
        Row("ratio", 12.345, "times", target=10, aim=20),
    ]
    assert format_rows(rows).splitlines() == [
        "                      measured        target",
        "long name of a thing     1,235 us",
        "ratio                     12.3 times  >= 10 (aim 20)  met",
    ]
    assert rows[0].met is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.00123456, "0.00123"),
        (-0.0456, "-0.0456"),
        (4.5678, "4.57"),
        (2345.6, "2,346"),
        (float("nan"), "nan"),
    ],
)
def test_numbers_have_three_significant_digits(number, text):
    assert format_number(number) == text


@pytest.mark.parametrize("wrong", [{"num_envs": 0}, {"campaigns": 1}, {"campaigns": -1}])
def test_a_run_without_campaigns_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Args(**wrong)


def test_a_policy_with_more_than_one_weight_is_not_compared():
    cell = ucb.ucb_cell(Args(policy="explore_then_exploit"), 2)
    with pytest.raises(ValueError, match="single exploration weight"):
        ucb.weight_of(cell)
    assert ucb.weight_of(ucb.ucb_cell(Args(policy="ucb:weight=1.5"), 2)) == 1.5


@pytest.mark.bench
class TestAgainstBoTorch:
    def test_the_comparison_runs_and_reports_regrets_of_the_same_campaigns(self):
        pytest.importorskip("botorch")
        args = Args(**{**TINY.__dict__, "campaigns": 3})
        rows = {row.name: row for row in ucb.ucb_against_botorch(args)}
        assert all(np.isfinite(row.measured) for row in rows.values())
        ours, theirs, difference, low, high = (row.measured for row in list(rows.values())[-5:])
        assert difference == pytest.approx(ours - theirs)
        assert low < difference < high
        targets = [(r.sense, r.target) for r in rows.values() if r.target is not None]
        assert targets == [(">=", 2000), ("<", 0.05)]

    @pytest.mark.parametrize("weight", [0.0, 0.5, 3.0])
    def test_botorch_s_first_design_has_our_largest_bound_of_the_same_weight(self, weight):
        """On a fine grid; beta = weight or beta = weight^4 would miss it by .01 to .3."""
        pytest.importorskip("botorch")
        env = gym.make(ENV, **BOTORCH_ROUNDS)
        spec = env.unwrapped.campaign_spec
        side = np.linspace(-1, 1, 201)
        grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(1, -1, 2)
        for seed in range(3):
            observation, _ = env.reset(seed=seed)
            n = int(observation["observed"].sum())
            designs = observation["designs"][None, :n].astype(float)
            values = observation["measurements"][None, :n]
            posterior = Posterior(make_surrogate(spec), designs, values)

            def largest_bound(at, posterior=posterior):
                marginals = posterior.at(at)
                return (marginals.mean + weight * marginals.sd).max()

            batch = ucb.botorch_ucb(spec, weight)(observation, seed)
            assert batch.shape == (4, 2) and batch.dtype == np.float32
            first = largest_bound(batch[None, :1].astype(float))
            assert first == pytest.approx(largest_bound(grid), abs=2e-3)

    def test_a_batch_depends_on_the_seed_alone(self):
        pytest.importorskip("botorch")
        env = gym.make(ENV, **BOTORCH_ROUNDS)
        propose = ucb.botorch_ucb(env.unwrapped.campaign_spec, 1.0)
        ends = [ucb.play_alone(env, propose, 3)[1] for _ in range(2)]
        assert ends[0]["best_value"] == ends[1]["best_value"]
        assert np.array_equal(ends[0]["true_values"], ends[1]["true_values"])


def test_rollout_and_botorch_s_lookahead_play_the_same_campaigns(monkeypatch):
    brief = "botorch_multistep:maxiter=2;raw_samples=4;restarts=1;fantasies=2/1/1"
    monkeypatch.setattr(policies, "THEIRS", brief)
    monkeypatch.setattr(policies, "BOTORCH_ROUNDS", {"horizon": 2, "batch_size": 2})
    rows = {row.name: row for row in policies.rollout_against_botorch(Args(planning_campaigns=2))}
    ours, theirs = rows["value of rollout, 2 campaigns"], rows[f"value of {brief} on the same"]
    assert rows["its value minus ours, mean"].measured == pytest.approx(
        theirs.measured - ours.measured
    )
    times = rows[f"rollout is cheaper than {brief}"]
    assert times.target == 100 and times.sense == ">="
    assert times.measured == pytest.approx(
        rows[f"{brief}, a campaign"].measured / rows["rollout, a campaign"].measured
    )
