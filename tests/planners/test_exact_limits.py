"""What cannot be planned, how large plans are, and the command that solves a campaign."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import tyro

import ombo_agents
from ombo_agents.cli import exact
from ombo_agents.cli.arguments import report_errors
from ombo_agents.cli.exact import Args, main, solve
from ombo_agents.planners import reachable_states
from ombo_agents.planners.belief_mdp.counting import beta_binomial
from ombo_agents.planners.dynamic_programming import TooManyStates, exact_value, solve_campaign
from ombo_gym.spec import campaign_spec
from tests.evaluation.test_progress import Terminal
from tests.planners.brute_cases import Arms
from tests.planners.players import (
    BANDIT,
    EXACT_POLICIES,
    LANDSCAPES,
    RULES,
    bandit,
    close,
    dataset,
    env_of,
    generators,
    landscapes,
)

ROOT = Path(__file__).parents[2]

# --- what cannot be planned ----------------------------------------------------------------------


NEVER = [
    *[("tent8", [(0, value)], "shows at design 0") for value in (0.3, -1.0, np.nan, np.inf)],
    ("tent8", [(0, 1.0), (7, 1.0)], "some landscape shows"),
    ("tent8", [(0, 0.5), (0, 0.5)], "once"),
    ("tent8", [(0, 0.0), (1, 0.25), (0, 0.0)], "once"),
    ("tent8", [(0, 0.5), (0, 1.0)], "once"),
    *[("tent8", [(design, 0.5)], "0 to 7") for design in (8, -1)],
    *[("bandit", [(0, value)], "0 or 1") for value in (0.5, -1.0, 2.0, np.nan, np.inf)],
    *[("bandit", [(0, 1), (design, 1)], "0 to 3") for design in (4, -1)],
    ("bandit", [(2, 1)], "never"),
    ("bandit", [(0, 1), (3, 0)], "always"),
]


@pytest.mark.parametrize(("problem", "rows", "message"), NEVER)
@pytest.mark.parametrize("name", ["bayes_optimal", "one_step:ties=uniform"])
def test_datasets_that_the_problem_cannot_show_are_refused(problem, rows, message, name):
    env = landscapes(4, name="tent8") if problem == "tent8" else bandit(4, arms=2, known=[0.0, 1.0])
    policy = ombo_agents.make(name, env)
    with pytest.raises(ValueError, match=message):
        policy.act(dataset(env, *rows), generators(1))


def test_more_rounds_than_the_environment_has_are_planned_all_the_same():
    env, longer = bandit(2, arms=2, known=[0.6]), bandit(9, arms=2, known=[0.6])
    told = dataset(env, (0, 1.0), left=8)
    for name in EXACT_POLICIES:
        np.testing.assert_array_equal(
            ombo_agents.make(name, env).act(told, generators(1)),
            ombo_agents.make(name, longer).act(told, generators(1)),
        )


UNSUITED = [
    ("Ombo/GP-v0", {"start": {"kind": "none"}}, "Bandit"),
    ("Ombo/TFBind8-v0", {"start": {"kind": "none"}}, "Bandit"),
    (BANDIT, {"utility": "total", "noise_std": 0.1}, "noise_std"),
    (LANDSCAPES, {"noise_std": 0.5}, "noise_std"),
    (BANDIT, {"utility": "best"}, "utility"),
    (BANDIT, {"utility": "last_max"}, "utility"),
    (LANDSCAPES, {"control": "exploration"}, "control"),
    (LANDSCAPES, {"control": "candidates"}, "control"),
]


@pytest.mark.parametrize(("env_id", "arguments", "reason"), UNSUITED)
@pytest.mark.parametrize("name", EXACT_POLICIES)
def test_what_cannot_be_planned_is_not_supported_and_refused(name, env_id, arguments, reason):
    env = gym.make(env_id, **arguments)
    assert not ombo_agents.supports(name, env)
    with pytest.raises(ValueError, match=r"control" if reason == "control" else r"suit"):
        ombo_agents.make(name, env)
    with pytest.raises(ValueError, match=reason):
        exact_value(env, ombo_agents.make("random", gym.make(LANDSCAPES)))
    if reason != "control":
        with pytest.raises(ValueError, match=reason):
            solve_campaign(campaign_spec(env))


@pytest.mark.parametrize(
    "name",
    [
        "one_step:ties=random",
        "one_step:ties=1",
        "one_step:lookahead=2",
        "bayes_optimal:lookahead=2",
        "rolling_2:ties=",
        "rolling_2:lookahead=0",
        "rolling_2:lookahead=1.5",
        "rolling_2:lookahead=3",
        "rolling_2:lookahead=null",
        "rolling_2:max_states=0",
        "rolling_2:max_states=true",
        "rolling_0",
        "rolling_",
        "rolling_x",
        "rolling_-1",
        "rolling_02",
    ],
)
def test_settings_that_make_no_sense_are_refused(name):
    with pytest.raises(ValueError):
        ombo_agents.make(name, landscapes(2))


@pytest.mark.parametrize(
    "arguments",
    [
        {"horizon": [1, 4]},
        {"batch_size": [1, 2]},
        {"start": {"kind": "random", "size": 2}},
        {"control": "exploration"},
    ],
)
def test_exact_values_need_one_horizon_one_batch_size_no_start_and_designs(arguments):
    settings = {"horizon": 3, "batch_size": 1, "utility": "best", **arguments}
    with pytest.raises(ValueError, match="exact_value needs control"):
        exact_value(gym.make(LANDSCAPES, **settings), None)


# --- sizes ---------------------------------------------------------------------------------------


def test_states_are_counted_up_to_symmetry():
    one = Fraction(1)
    for arms, q, rounds in [(2, 1, 6), (3, 1, 4), (2, 3, 3), (4, 2, 2)]:
        case = Arms(q, "total", priors=[(one, one)] * arms)
        found = solve(Args(env_kwargs=f'{{"arms": {arms}}}', horizon=rounds, batch_size=q))
        assert found["states"] == case.states(rounds)
    mixed = Arms(1, "total", priors=[(one, one), (2 * one, one), (one, one)], known=[one / 2])
    assert solve_campaign(campaign_spec(env_of(mixed, 4))).states == mixed.states(4)


@pytest.mark.parametrize("utility", ["total", "recommendation"])
@pytest.mark.parametrize(
    ("arguments", "q", "horizon"),
    [({"arms": 2}, 1, 6), ({"arms": 3}, 2, 3), ({"arms": 1, "known": [0.5]}, 3, 4)],
)
def test_the_states_that_the_error_asks_for_are_enough_and_what_it_calls_feasible_is(
    utility, arguments, q, horizon
):
    def planned(n: int, most: int) -> int:
        env = bandit(n, q, utility, **arguments)
        return solve_campaign(campaign_spec(env), max_states=most).states

    with pytest.raises(TooManyStates) as caught:
        planned(horizon, 20)
    needed = int(re.search(r"needs ([\d,]+) states", str(caught.value))[1].replace(",", ""))
    feasible = int(re.search(r"N <= (\d+)", str(caught.value))[1])
    assert needed > 20
    assert planned(horizon, needed) <= needed
    with pytest.raises(TooManyStates):
        planned(horizon, needed - 1)
    assert planned(feasible, 20) <= 20
    with pytest.raises(TooManyStates):
        planned(feasible + 1, 20)


@pytest.mark.parametrize(("name", "states"), [("signpost", 277), ("clique", 727)])
def test_enumeration_gives_up_within_a_layer_as_it_does_after_it(name, states, monkeypatch):
    spec = campaign_spec(gym.make("Ombo/Landscapes-v0", name=name, horizon=3, batch_size=2))
    assert solve_campaign(spec).states == states
    said = []
    for entries in (reachable_states.CHUNK_ENTRIES, 1):  # states that are held before duplicates go
        monkeypatch.setattr(reachable_states, "CHUNK_ENTRIES", entries)
        assert solve_campaign(spec, max_states=states).states == states
        with pytest.raises(TooManyStates) as caught:
            solve_campaign(spec, max_states=states - 1)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_a_policy_over_its_limit_says_so_when_it_is_made():
    with pytest.raises(TooManyStates, match=r"298,065 states.*N <= 6.*raise max_states"):
        ombo_agents.make("bayes_optimal:max_states=100", bandit(60, arms=2))
    ombo_agents.make("one_step:max_states=100", bandit(60, arms=2))  # needs no plan that long
    with pytest.raises(TooManyStates, match=r"datasets after round \d+.*feasible"):
        env = bandit(20, arms=2)
        exact_value(env, ombo_agents.make("one_step", env), max_states=100)


def test_beta_binomial_probabilities_hold_for_extreme_priors():
    cases = [(1, 1.0, 1e-10), (2, 1e-8, 3.0), (30, 0.5, 0.25), (80, 1e6, 1.0), (80, 1.0, 1e6)]
    for n, a, b in [*cases, (500, 1000.0, 1.0)]:
        found = beta_binomial(n, np.array([a, 1.0]), np.array([b, 1.0]))
        np.testing.assert_allclose(found[1], 1 / (n + 1), rtol=1e-12)
        term, terms = Fraction(1), [Fraction(1)]  # relative to the first
        for k in range(n):
            term *= Fraction(n - k, k + 1) * (Fraction(a) + k) / (Fraction(b) + n - k - 1)
            terms.append(term)
        expected = [float(each / sum(terms)) for each in terms]
        np.testing.assert_allclose(found[0], expected, rtol=1e-12, atol=1e-300)


def test_nothing_is_gained_by_a_bet_of_any_size_on_an_arm_that_is_all_but_known():
    # The value of information about Beta(10^6, 1) is at most its distance from the known arm.
    found = solve(
        Args(
            env_kwargs='{"arms": 1, "prior": [1000000, 1], "known": [0.5]}',
            horizon=2,
            batch_size=60,
        )
    )
    assert close(found["optimum"], 120 * 1e6 / (1e6 + 1))
    assert close(found["one_step_worst"], 120 * 1e6 / (1e6 + 1))


# --- the command ---------------------------------------------------------------------------------


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.exact", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=300,
    )


KEYS = {"optimum", "one_step_worst", "one_step_uniform", "one_step_best", "first_actions"}
KEYS |= {"states", "seconds"}


def test_the_command_prints_one_json_object():
    task = ["--env", LANDSCAPES, "--env-kwargs", '{"name": "tent8"}', "--utility", "best"]
    done = run(*task, "--horizon", "3", "--batch-size", "1", "--policy", "rolling_2:ties=worst")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    found = json.loads(done.stdout)
    assert found.keys() >= {*KEYS, "policy_value"}
    assert close(found["optimum"], 0.75) and close(found["policy_value"], Fraction(71, 96))
    assert found["first_actions"] == [[3], [4]]
    assert isinstance(found["states"], int) and found["seconds"] >= 0


def test_a_plan_tells_of_every_state_that_it_finds_and_plans_for():
    told: list[list[Any]] = []

    def progress(words, total):
        told.append([words, total, 0])
        return lambda count: told[-1].__setitem__(2, told[-1][2] + count)

    spec = campaign_spec(bandit(4, q=2, arms=2))
    states = solve_campaign(spec, progress=progress).states
    assert told == [["finding states", None, states - 1], ["planning", states, states]]


@pytest.mark.parametrize(("patience", "shown"), [(0.0, True), (60.0, False)])
def test_a_terminal_sees_what_the_command_does_once_it_takes_long(monkeypatch, patience, shown):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(exact, "PATIENCE", patience)
    solve(Args(policy="random"))
    for words in ("optimum: finding", "one step ahead: planning", "random: asking"):
        assert (words in terminal.getvalue()) == shown


def test_without_a_policy_there_is_no_value_of_one():
    assert solve(Args()).keys() == KEYS
    assert solve(Args(policy="random")).keys() == {*KEYS, "policy", "policy_value", "policy_exact"}


def test_too_large_a_task_ends_with_an_error_that_says_what_would_do(capsys):
    task = ["--env", BANDIT, "--env-kwargs", '{"arms": 2}', "--horizon", "60", "--utility", "total"]
    words = [*task, "--batch-size", "1", "--max-states", "1000"]
    message = r"^error: .*298,065 states.*1,000 states.*N <= 13"
    with pytest.raises(SystemExit, match=message), report_errors():
        main(tyro.cli(Args, args=words))
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"env": "Ombo/GP-v0"}, "Bandit or Landscapes"),
        ({"env": "Ombo/None-v0"}, "--env"),
        ({"env_kwargs": '{"noise_std": 0.1}'}, "noise_std"),
        ({"env_kwargs": "[]"}, "--env-kwargs"),
        ({"env_kwargs": '{"start": {"kind": "random", "size": 1}}'}, "start"),
        ({"utility": "last_max"}, "utility"),
        ({"utility": "most"}, "utility"),
        ({"horizon": 0}, "horizon"),
        ({"batch_size": 0}, "batch_size"),
        ({"policy": "best"}, "policy"),
        ({"policy": "one_step:ties=any"}, "ties"),
        ({"horizon": 60, "max_states": 1000}, "max_states"),
    ],
)
def test_a_task_that_cannot_be_solved_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        solve(Args(**arguments))


def test_every_tie_rule_is_known_to_the_registry():
    env = bandit(2, arms=2)
    values = [exact_value(env, ombo_agents.make("one_step", env, ties=ties)) for ties in RULES]
    assert all(close(value, Fraction(13, 12)) for value in values)
