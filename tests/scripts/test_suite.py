"""The suite's page: rivals that leave, halves that agree, and the choice of the quick suite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from ombo_gym.evaluation.leaderboard import PlayedScores, problem_scores
from scripts.studies.suite.agreement import kept_when_one_leaves, split_halves
from scripts.studies.suite.quick import agreement, choose, quick_grid, with_problems

SKILL = {"random": 0.0, "a": 0.2, "b": 0.4, "c": 0.6, "d": 0.8, "e": 1.0}


def campaigns(problems: int, noise: float, *, odd_one: int | None = None) -> pd.DataFrame:
    """Policies of known order on problems of one start; on the odd one the order is turned."""
    rng = np.random.default_rng(0)
    rows = []
    for problem in range(problems):
        luck = rng.normal(0, 0.2, 20)
        for policy, skill in SKILL.items():
            skill_here = 1 - skill if problem == odd_one else skill
            for seed in range(20):
                score = 0.3 * skill_here + luck[seed] + rng.normal(0, noise)
                rows.append((f"P{problem}", policy, seed, score))
    frame = pd.DataFrame(rows, columns=["env", "policy", "seed", "score"])
    return frame.assign(
        env_kwargs='{"start": {"kind": "random"}}',
        told_horizon="true",
        horizon=1,
        batch_size=4,
        utility="best",
        start="random",
        campaign=frame["seed"],
        value=frame["score"],
        auc=frame["score"],
        start_best=0.0,
        best_known=1.0,
        distinct=4.0,
    )


def timings(frame: pd.DataFrame, seconds: float) -> pd.DataFrame:
    keys = ["env", "env_kwargs", "policy", "horizon"]
    return frame[keys].drop_duplicates().assign(campaigns=30, cpu_seconds=seconds)


def test_no_number_of_the_others_moves_when_one_leaves() -> None:
    assert kept_when_one_leaves(campaigns(3, 0.1)) == 0.0


def test_halves_agree_on_all_pairs_that_are_far_apart_and_on_half_of_those_that_are_not() -> None:
    apart = split_halves(campaigns(6, 0.01)).iloc[0]
    assert apart["decided"] == apart["agreed"] == 2 * 15
    equal = campaigns(6, 0.3)
    equal["score"] = np.random.default_rng(1).normal(size=len(equal))
    nothing = split_halves(equal).iloc[0]
    assert nothing["agreed"] < 0.9 * nothing["decided"] or nothing["decided"] < 4


def test_the_quick_suite_leaves_out_the_problem_whose_order_is_another() -> None:
    played = campaigns(4, 0.001, odd_one=2)
    scores = problem_scores(PlayedScores(played))
    choice = choose(scores, timings(played, 1.0), seconds=7.0)  # one problem: six policies
    assert len(choice.problems) == 1 and choice.problems[0] != ("P2", "{}")
    assert choice.tau_tested > 0.99 and choice.seconds == 6.0
    assert agreement(with_problems(scores), [("P2", "{}")], list(SKILL)) < -0.99


def test_the_quick_grid_has_the_chosen_problems_and_keeps_what_is_held_out(tmp_path: Path) -> None:
    grid = tmp_path / "suite.yaml"
    grid.write_text(
        "version: 2\ncampaigns: 60\nhorizons: [1, 2]\nproblems:\n"
        "  - {env: P0, test: true}\n  - {env: P1, env_kwargs: {dim: 3}}\n  - {env: P1}\n"
    )
    played = campaigns(2, 0.01)
    scores = problem_scores(PlayedScores(played))
    choice = choose(scores, timings(played, 1.0))._replace(problems=[("P1", '{"dim": 3}')])
    text = quick_grid(grid, choice)
    found = yaml.safe_load(text)
    assert found["problems"] == [{"env": "P1", "env_kwargs": {"dim": 3}}]
    assert found["version"] == 2 and found["campaigns"] == 30 and found["horizons"] == [1, 5]
    assert f"tau {choice.tau_tested:.2f}" in text


@pytest.mark.parametrize("seconds", [0.5, 5.0])
def test_nothing_is_chosen_that_takes_too_long(seconds: float) -> None:
    played = campaigns(3, 0.01)
    scores = problem_scores(PlayedScores(played))
    assert choose(scores, timings(played, 1.0), seconds=seconds).problems == []
