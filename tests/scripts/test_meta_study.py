"""docs/results/meta.md: its tables say what the suite's and the campaigns' numbers say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ombo_agents.learned.meta import Rule
from ombo_agents.learned.meta.context import KINDS
from scripts.studies.meta import plan
from scripts.studies.meta.page import known_table, page
from scripts.studies.meta.plan import Args, Findings, known_plans, test_scores
from scripts.studies.meta.tables import by_cell, strongest, wide_scores

test_scores.__test__ = False  # type: ignore[attr-defined]
METHODS = ("meta", "ucb", "doe_then_ucb", "explore_then_exploit", "rollout", "absent")
GRID = """
version: 1
campaigns: 2
policies: [all]
budget: 4
horizons: [1, 2]
utilities: [best]
problems:
  - env: Ombo/Reaction-v0
    test: true
  - env: Ombo/CrossedBarrel-v0
    test: true
  - env: Ombo/SnAr-v0
"""


def scores() -> pd.DataFrame:
    """A row per problem, cell and method; `absent` plays one problem alone."""
    rng = np.random.default_rng(0)
    rows = [
        (start, utility, horizon, env, json.dumps({"start": {"kind": start}}), method, score)
        for start in ("random", "percentile")
        for utility in ("best", "last_mean")
        for horizon in (1, 2)
        for env in ("Ombo/Reaction-v0", "Ombo/CrossedBarrel-v0", "Ombo/SnAr-v0")
        for method, score in zip(METHODS, rng.uniform(size=len(METHODS)), strict=True)
        if method != "absent" or env == "Ombo/SnAr-v0"
    ]
    columns = ["start", "utility", "horizon", "env", "env_kwargs", "method", "score"]
    return pd.DataFrame(rows, columns=columns)


def test_a_cell_compares_with_the_best_that_played_every_problem() -> None:
    table = scores()
    cells = by_cell(table, "meta", ("ucb", "doe_then_ucb"))
    assert len(cells) == 8 and (cells["problems"] == 3).all()
    for row in cells.itertuples():
        same = (table["start"] == row.start) & (table["utility"] == row.utility)
        part = table[same & (table["horizon"] == row.horizon)]
        means = part.groupby("method")["score"].mean()
        assert row.score == pytest.approx(means["meta"])
        assert row.best_score == pytest.approx(means.drop(["meta", "absent"]).max())
        assert row.baseline == means[["ucb", "doe_then_ucb"]].idxmax()
        assert row.difference == pytest.approx(means["meta"] - means[row.baseline])
        assert row.low < row.difference < row.high
        assert "absent" not in wide_scores(part)


def test_the_strongest_baseline_is_that_of_the_highest_mean_over_all_cells() -> None:
    table = scores()
    name, differences = strongest(table, "meta", ("ucb", "doe_then_ucb"))
    means = table.groupby("method")["score"].mean()
    assert name == means[["ucb", "doe_then_ucb"]].idxmax()
    assert differences.mean() == pytest.approx(means["meta"] - means[name])
    assert list(differences) == sorted(differences)


def test_only_test_problems_count_and_a_suite_without_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text(GRID)
    scores().to_csv(tmp_path / "problem_scores.csv", index=False)
    args = Args(suite=tmp_path, grid=tmp_path / "grid.yaml")
    found = test_scores(args)
    assert set(found["env"]) == {"Ombo/Reaction-v0", "Ombo/CrossedBarrel-v0"}
    assert set(found["env_kwargs"]) == {"{}"}, "a problem counts once, whatever its starts"
    without = scores()
    without[without["method"] != "meta"].to_csv(tmp_path / "problem_scores.csv", index=False)
    with pytest.raises(ValueError, match="expected results of the suite with the policy meta"):
        test_scores(args)


def test_every_policy_plays_the_known_prior_and_differences_are_paired() -> None:
    full, few = known_plans(Args())
    assert full.campaigns == 4000 and few.policies == ["rollout"]
    assert full.policies[0] == "meta" and "ucb" in full.policies
    campaigns = pd.DataFrame(
        [
            ("best", 2, policy, seed, seed + bonus)
            for policy, bonus in (("meta", 0.5), ("ucb", 0.0))
            for seed in range(4)
        ],
        columns=["utility", "horizon", "policy", "seed", "value"],
    )
    (row,) = known_table(campaigns)[lambda t: t["policy"] == "ucb"].itertuples()
    assert (row.difference, row.low, row.high) == (0.5, 0.5, 0.5) and row.campaigns == 4


def test_the_page_holds_what_was_learnt_and_what_was_not(tmp_path: Path) -> None:
    campaigns = pd.DataFrame(
        [
            (utility, horizon, policy, seed, float(seed * horizon + len(policy) % 3))
            for utility in plan.UTILITIES
            for horizon in plan.KNOWN_HORIZONS
            for policy in (plan.META, plan.STATIC, *plan.ONE_ROUND, plan.PLANNER)
            for seed in range(3)
        ],
        columns=["utility", "horizon", "policy", "seed", "value"],
    )
    line = {
        "kind": 4,
        "line": "weights in the last round",
        "steps": [{"final_first": 0.5, "final_last": 0.5}],
        "gains": [0.02],
        "best": 0,
        "interval": [0.02, 0.01, 0.03],
        "made": True,
    }
    look = {"kind": 4, "difference": 0.02, "low": 0.01, "high": 0.03, "kept": True, "row": [0.5]}
    config = {
        "tasks": {"tasks": [{"env": "Ombo/Screens-v0"}]},
        "validate": "ML-screens-v0:validation",
        "campaigns": 1234,
        "seed": 0,
        "seconds": 120.0,
        "settings": {"confidence": 0.99},
        "steps": [line],
        "validation": [look],
    }
    rule = Rule().moved(4, {"final_first": 0.5, "final_last": 0.5})
    findings = Findings(scores(), campaigns, Rule(rule.table, config), [])
    made = page(findings, Args(out=tmp_path))
    assert "1,234" in made.text and "nan" not in made.text
    assert f"| {KINDS[4]} |  |  | +0.50 | +0.50 |  |  |" in made.text
    assert "`final_first` +0.50, `final_last` +0.50" in made.text and ", kept." in made.text
    for file, write in made.files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file)
        assert file.stat().st_size > 0
