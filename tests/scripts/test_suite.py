"""The suite: its grid covers everything there is, and its page says what the campaigns say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ombo_agents
import ombo_gym
from ombo_agents.offline import METHODS
from ombo_gym.evaluation.evaluate import evaluate
from ombo_gym.evaluation.grid import read_grid
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.problem_scores import problem_scores
from ombo_gym.evaluation.tables import read_table
from scripts.score_tables import rank_table, score_table
from scripts.suite import BEGIN, END, between_marks, keep
from scripts.suite_page import write_page
from tests.commands import ROOT


def test_the_suite_plays_every_environment_and_every_policy_that_is_fast() -> None:
    plans = read_grid(ROOT / "grids" / "suite.yaml")
    assert {plan.env for plan in plans} == set(ombo_gym.env_ids())
    played = {policy for plan in plans for policy in plan.policies}
    slow = [*METHODS, "botorch_logei", "botorch_kg", "botorch_multistep"]
    assert set(ombo_agents.names()) - set(slow) <= played and not played & set(slow)
    fixed = [plan for plan in plans if plan.utilities == ["best"]]
    assert {plan.env for plan in fixed} == set(ombo_gym.env_ids())
    for plan in fixed:
        assert plan.horizons == [1, 2, 5, 10] and plan.budget == 20
        assert {"random", "genetic", "ucb", "greedy", "explore_then_exploit"} <= set(plan.policies)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("suite") / "results"
    policies = ["random", "greedy", "explore_then_exploit"]
    plans = [
        EvaluationPlan(env, policies, [1, 2, 4], budget=4, campaigns=6, env_kwargs=arguments)
        for env, arguments in (("Ombo/TFBinding-v0", {"split": "test"}), ("Ombo/GP-v0", {"dim": 1}))
    ]
    evaluate(plans, out=out, launch=Launch(), command="none")
    return out


def test_scores_and_ranks_are_those_of_the_campaigns(finished: Path) -> None:
    scored = problem_scores(read_table(finished / "campaigns.csv"))
    told = scored[scored["told_horizon"] == "true"].assign(problem=scored["env"])
    table = score_table(told)
    assert len(table) == 2 * 3 * 3
    for row in table.itertuples():
        mask = (told["problem"] == row.problem) & (told["horizon"] == row.horizon)
        own = told.loc[mask & (told["method"] == row.method), "problem_score"]
        assert row.campaigns == 6 and row.score == pytest.approx(own.mean())
        assert row.low <= row.score <= row.high
        means = told[mask].groupby("method")["problem_score"].mean()
        assert row.rank == means.rank(ascending=False)[row.method]
    ranks = rank_table(table)
    for row in ranks.itertuples():
        own = table[(table["method"] == row.method) & (table["horizon"] == row.horizon)]
        assert row.rank == pytest.approx(own["rank"].mean()) and row.problems == 2
        assert row.low <= row.rank <= row.high


def test_the_page_holds_every_table_and_picture(finished: Path, tmp_path: Path) -> None:
    docs = tmp_path / "suite"
    keep(finished, docs)
    write_page(finished, docs)
    page = (tmp_path / "suite.md").read_text()
    for title in ("TFBinding (split=test)", "GP (dim=1)", "### N = 4, q = 1", "Rank by horizon"):
        assert title in page
    assert "q x N = 4" in page and "nan" not in page
    for name in ("rank_by_horizon.png", "problem_scores.png", "leaderboard.png"):
        assert (docs / name).stat().st_size > 5_000
    table = read_table(docs / "problem_scores.csv")
    assert np.isfinite(table[["score", "low", "high", "rank"]].to_numpy(float)).all()


def test_what_stands_between_the_marks_is_replaced() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert between_marks(text, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    with pytest.raises(ValueError, match="expected the marks"):
        between_marks("no marks", "new")
