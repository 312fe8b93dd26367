"""Grids: files of problems and policies, budgets, and cells that fail."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest
import tyro

import ombo_agents
import ombo_gym
from ombo_agents.cli.arguments import report_errors
from ombo_agents.policy import DesignsPolicy
from ombo_gym.evaluation import evaluate as evaluate_module
from ombo_gym.evaluation import grid as grid_module
from ombo_gym.evaluation.grid import read_grid
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.report import read_results, render
from ombo_gym.evaluation.run import run
from ombo_gym.evaluation.tables import read_table
from scripts import evaluate

PLAN = EvaluationPlan(env="Ombo/GP-v0", policies=["random", "greedy"], horizons=[1, 2], campaigns=5)


pytestmark = pytest.mark.usefixtures("few_resamples")


@pytest.fixture
def grid(tmp_path):
    def write(text):
        file = tmp_path / "grid.yaml"
        file.write_text(text)
        return file

    return write


# --- files ------------------------------------------------------------------------------------


def test_a_problem_s_own_settings_stand_over_the_grid_s(grid):
    gp, wide, tf = read_grid(
        grid(
            "campaigns: 20\nhorizons: [1, 3]\npolicies: [random, greedy]\ntold: [true, one]\n"
            "problems:\n"
            "- {env: Ombo/GP-v0}\n"
            "- {env: Ombo/GP-v0, env_kwargs: {dim: 6}, horizons: [2], campaigns: 7}\n"
            "- {env: Ombo/TFBinding-v0, policies: genetic, budget: 12, utilities: [total]}\n"
        )
    )
    assert gp == EvaluationPlan(
        "Ombo/GP-v0", ["random", "greedy"], [1, 3], campaigns=20, told=["true", "one"]
    )
    assert wide.env_kwargs == {"dim": 6} and wide.horizons == [2] and wide.campaigns == 7
    assert tf.policies == ["genetic"] and tf.utilities == ["total"]
    assert [tf.batch_size_at(n) for n in tf.horizons] == [12, 4]


def test_all_stands_for_every_policy_that_suits_and_every_id_that_is_not_named(grid):
    file = grid(
        "policies: all\nwithout: [random]\nhorizons: [2]\ncampaigns: 1\nproblems:\n"
        "- {env: Ombo/GP-v0, without: [thompson]}\n- {env: Ombo/Bandit-v0, utilities: [total]}\n"
        "- {env: Ombo/Bandit-v0, env_kwargs: {arms: 3}, utilities: [total, best]}\n"
        "- {env: all}\n"
    )
    read = read_grid(file)
    plans = {plan.env: plan for plan in reversed(read)}
    assert set(plans) == set(ombo_gym.env_ids())
    of_learned_priors = {"portfolio", "portfolio_then_ei"}
    every = set(ombo_agents.names()) - {"random"} - of_learned_priors
    exact = {"one_step", "rolling_2", "bayes_optimal"}
    boxes = {"sobol", "latin_hypercube", "greedy_refined", "turbo"}
    boxes |= {"botorch_kg", "botorch_multistep"}
    sequences, finite, ordered = {"adalead"}, {"d_optimal"}, {"evolution"}
    box = every - exact - sequences - finite
    assert set(plans["Ombo/GP-v0"].policies) == box - {"thompson"}
    assert set(plans["Ombo/TFBind8-v0"].policies) == every - exact - boxes - ordered
    assert set(plans["Ombo/Bandit-v0"].policies) == every - boxes - sequences
    assert set(read[2].policies) == every - boxes - sequences - exact  # none exact for "best"


def test_what_is_new_is_picked_up(grid, monkeypatch):
    file = grid("policies: all\nhorizons: [1]\nproblems: [{env: all}]\n")
    monkeypatch.setattr(ombo_agents, "names", lambda: ["random", "brand_new"])
    monkeypatch.setattr(ombo_agents, "supports", lambda name, spec: True)
    monkeypatch.setattr(grid_module.ombo_gym, "env_ids", lambda: ["Ombo/GP-v0", "Ombo/Bandit-v0"])
    plans = read_grid(file)
    assert [plan.env for plan in plans] == ["Ombo/GP-v0", "Ombo/Bandit-v0"]
    assert all(plan.policies == ["random", "brand_new"] for plan in plans)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "expected a grid with keys and values"),
        ("horizons: [1]\n", "problems: expected a list of entries, got None"),
        ("horizon: [1]\nproblems: [{env: Ombo/GP-v0}]", r"a grid has the keys .*got \['horizon'\]"),
        ("problems: [{env: Ombo/GP-v0, q: 4}]", r"a problem has the keys .*got \['q'\]"),
        ("problems: [{horizons: [1]}]", "expected an env in every problem"),
        ("problems: [{env: Ombo/GP-v0}]", "horizons"),
        ("problems: {", "expected YAML"),
        ("problems: [{env: Ombo/GP-v0, horizons: [3], budget: 10}]", "budget: .*got 10.*3"),
        ("problems: [{env: Ombo/GP-v0, horizons: [1], told: [two]}]", "told: expected 'true'"),
    ],
)
def test_a_grid_that_cannot_be_read_says_why(text, message, grid):
    with pytest.raises(ValueError, match=message):
        read_grid(grid(text))


# --- several plans in one run -----------------------------------------------------------------


def test_plans_in_one_run_have_the_rows_that_they_have_alone():
    other = replace(PLAN, env="Ombo/Landscapes-v0", env_kwargs={"name": "gp"}, batch_size=1)
    third = replace(other, env_kwargs={"name": "clique"})
    together = run([PLAN, other, third])
    alone = [run(plan) for plan in (PLAN, other, third)]
    for name in ("campaigns", "exploration"):
        expected = pd.concat([getattr(each, name) for each in alone], ignore_index=True)
        pd.testing.assert_frame_equal(getattr(together, name), expected)
    assert together.campaigns["env_kwargs"].unique().tolist() == [
        "{}",
        '{"name": "gp"}',
        '{"name": "clique"}',
    ]


def test_what_two_plans_have_in_common_is_played_and_shown_once():
    deeper = replace(PLAN, horizons=[2, 3], policies=["greedy", "ucb"])
    table = run([PLAN, deeper]).campaigns
    key = ["policy", "told_horizon", "horizon", "campaign"]
    assert not table.duplicated(key).any()
    assert len(table) == 2 * 5 * (2 * 2 + 2 * 2 - 1)


@pytest.mark.parametrize("changes", [{"campaigns": 6}, {"seed": 1}, {"block": 2}])
def test_two_plans_that_play_the_same_differently_are_refused(changes):
    with pytest.raises(ValueError, match="plans: expected the same seed, campaigns and block"):
        run([PLAN, replace(PLAN, **changes)])


def test_a_budget_keeps_the_number_of_designs():
    table = run(replace(PLAN, horizons=[1, 2, 4], budget=8)).campaigns
    assert (table["horizon"] * table["batch_size"] == 8).all()
    assert set(table["horizon"]) == {1, 2, 4}


# --- cells that fail --------------------------------------------------------------------------


class FailsOften(DesignsPolicy):
    """Raises at N = 2 on campaigns from the third on."""

    def propose(self, observation, rngs, q):
        rounds = observation["rounds_left"]
        if rounds.max() > 1 and len(rounds) < 3:
            raise RuntimeError("out of\npaper <b>")
        return rngs.random((q, 2)) * 2 - 1


def test_a_cell_that_fails_is_recorded_and_stops_nothing(tmp_path):
    bad = f"{__name__}:FailsOften"
    plan = replace(PLAN, policies=["random", bad], block=3, told=["true"])
    results = run(plan, folder=tmp_path)
    assert results.errors.drop(columns="traceback").to_dict("records") == [
        {
            "env": "Ombo/GP-v0",
            "env_kwargs": "{}",
            "policy": bad,
            "told_horizon": "true",
            "horizon": 2,
            "batch_size": 4,
            "utility": "best",
            "first": 3,
            "campaigns": 2,
            "error": "RuntimeError: out of paper <b>",
        }
    ]
    assert "propose" in results.errors["traceback"][0]
    counts = results.campaigns.groupby(["policy", "horizon"]).size()
    assert counts.to_dict() == {("random", 1): 5, ("random", 2): 5, (bad, 1): 5, (bad, 2): 3}
    again = run(plan, folder=tmp_path, resume=True)  # what failed is tried again
    pd.testing.assert_frame_equal(again.errors, results.errors)


def command(*arguments):
    with report_errors():
        evaluate.main(tyro.cli(evaluate.Args, args=list(map(str, arguments))))


def test_the_exit_status_says_that_cells_failed_and_everything_else_is_there(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(evaluate_module, "write_report", lambda folder: None)  # takes seconds
    bad = f"{__name__}:FailsOften"
    common = ("--horizons", "1,2", "--campaigns", 4, "--block", 2, "--backend", "sequential")
    with pytest.raises(SystemExit, match=r"error: 2 cells failed, the rest is there; see .*errors"):
        command("--policies", f"random,{bad}", *common, "--told", "true", "--out", tmp_path)
    summary = read_table(tmp_path / "summary.csv")
    assert set(zip(summary["policy"], summary["horizon"], strict=True)) == {
        *(("random", 1), ("random", 2), (bad, 1)),
    }
    page = render(read_results(tmp_path))
    assert "out of paper &lt;b&gt;" in page and "paper <b>" not in page
    none = tmp_path / "none"
    with pytest.raises(SystemExit, match="all 2 cells failed, the first with RuntimeError: out of"):
        command("--policies", bad, *common, "--horizons", "2", "--told", "true", "--out", none)
    assert len(read_table(none / "errors.csv")) == 2


# --- the command ------------------------------------------------------------------------------


def test_a_grid_and_a_budget_from_the_command_line(tmp_path, grid, capsys, monkeypatch):
    monkeypatch.setattr(evaluate_module, "write_report", lambda folder: None)  # takes seconds
    file = grid(
        "campaigns: 30\nhorizons: [1, 2]\npolicies: [random, greedy]\n"
        "problems: [{env: Ombo/GP-v0}, {env: Ombo/Bandit-v0, utilities: [total]}]\n"
    )
    common = ("--campaigns", 4, "--backend", "sequential", "--out", tmp_path / "out")
    command("--grid", file, "--seed", 5, *common)
    config = json.loads((tmp_path / "out/config.json").read_text())
    assert [plan["env"] for plan in config["plans"]] == ["Ombo/GP-v0", "Ombo/Bandit-v0"]
    assert {plan["campaigns"] for plan in config["plans"]} == {4}
    campaigns = read_table(tmp_path / "out/campaigns.csv")
    assert set(campaigns["seed"]) == {5, 6, 7, 8}
    for csv in (tmp_path / "out").glob("*.csv"):
        packed = pd.read_parquet(csv.with_suffix(".parquet"))
        pd.testing.assert_frame_equal(
            packed, read_table(csv), check_dtype=False, check_column_type=False, check_exact=False
        )
    command("--policies", "random", "--horizons", "1,2", "--budget", 6, *common)
    campaigns = read_table(tmp_path / "out/campaigns.csv")
    assert set(campaigns["horizon"] * campaigns["batch_size"]) == {6}


def test_policies_and_a_grid_do_not_go_together(tmp_path):
    with pytest.raises(SystemExit, match=r"error: .*--policies.*--grid"):
        command("--policies", "random", "--grid", "x.yaml", "--out", tmp_path)


def test_replays_hold_the_first_campaigns_round_by_round():
    plan = replace(PLAN, horizons=[2], batch_size=3, env_kwargs={"noise_std": 0.1})
    results = run(plan)
    plays, scenes = results.replays["plays"], results.replays["scenes"]
    assert [(play["policy"], play["campaign"]) for play in plays] == [
        (policy, number) for policy in ("random", "greedy") for number in range(3)
    ]
    for play in plays:
        assert play["rounds"] == [0] * 4 + [1] * 3 + [2] * 3
        assert len(play["designs"]) == len(play["values"]) == len(play["true_values"]) == 10
        best = max(play["true_values"]) - play["start"]["best"]
        assert play["value"] == pytest.approx(best, abs=1e-3)
        assert play["values"] != play["true_values"]
    assert json.loads(json.dumps(results.replays)) == results.replays
    assert [scene["campaign"] for scene in scenes] == [0, 1, 2]
    env = gym.make("Ombo/GP-v0")
    env.reset(seed=0)
    problem, instances = env.unwrapped.problem, env.unwrapped.campaigns.instances
    grid = np.array([[[-1, 1], [1, 1], [1, -1]]], np.float32)
    values = problem.true_values(instances, grid)[0][0]
    landscape = scenes[0]["landscape"]
    pixels = np.frombuffer(base64.b64decode(landscape["pixels"]), np.uint8)
    corners = pixels.reshape(64, 64)[[0, 0, -1], [0, -1, -1]]
    span = landscape["high"] - landscape["low"]
    np.testing.assert_allclose(landscape["low"] + corners / 255 * span, values, atol=span / 250)


def test_a_large_start_is_left_out_of_replays():
    plan = EvaluationPlan(
        "Ombo/TFBinding-v0",
        ["random"],
        [1],
        campaigns=1,
        env_kwargs={"start": {"kind": "percentile", "size": 65}},
    )
    (play,) = run(plan).replays["plays"]
    assert play["start"]["size"] == 65 and play["rounds"] == [1] * 4
    assert all(len(design) == 8 and set(design) <= set("ACGT") for design in play["designs"])
