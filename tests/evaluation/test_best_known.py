"""Scores of campaigns, and the best values known that they are measured by."""

from __future__ import annotations

import json
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest
from small_runs import text

from ombo_gym.evaluation import best_known as best_known_module
from ombo_gym.evaluation import evaluate as evaluate_module
from ombo_gym.evaluation.best_known import Search, find
from ombo_gym.evaluation.evaluate import evaluate
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.scores import score
from ombo_gym.utilities import Auc

GP_PLAN = EvaluationPlan("Ombo/GP-v0", ["random"], [2], campaigns=3, env_kwargs={"dim": 1})
TABLE_PLAN = EvaluationPlan("Ombo/TFBinding-v0", ["random", "d_optimal"], [1, 2], campaigns=4)


@pytest.fixture
def searched(monkeypatch):
    """Every search from here on."""
    searches = []

    def recording(search):
        searches.append(search)
        return find(search)

    monkeypatch.setattr(best_known_module, "find", recording)
    return searches


# Scores ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("utility", "worth", "expected"),
    [
        ("best", 3.0, 0.5),  # from 2 to 5
        ("last_max", 5.0, 0.5),
        ("last_mean", 1.0, -1 / 6),
        ("recommendation", 8.0, 1.0),
        ("last_quantile:quantile=0.9", 5.0, 0.5),
        ("auc", 3.0, 0.5),  # of the mean over rounds, from 2 to 5
        ("total", 12 * 5.0, 0.5),  # 12 proposals of 5 on average
    ],
)
def test_a_score_is_the_share_of_the_way_from_the_start_to_the_best(utility, worth, expected):
    ends = np.array([2.0]), np.array([8.0])
    found = score(utility, np.array([worth]), *ends, measurements=12)
    assert found == pytest.approx([expected], abs=1e-12)


def test_a_start_that_holds_the_best_is_kept_or_lost():
    ends = np.full(2, 8.0), np.full(2, 8.0)
    found = score("last_max", np.array([8.0, 7.0]), *ends, measurements=1)
    assert found.tolist() == [1.0, 0.0]


def test_campaigns_are_scored_by_their_own_start_and_optimum():
    plans = [
        EvaluationPlan(
            "Ombo/TFBinding-v0", ["random"], [1, 3], ["best", "last_mean"], 2, campaigns=3
        ),
        replace(GP_PLAN, seed=10),
    ]
    frame = run(plans).campaigns
    assert len(frame) == 2 * 3 * 2 * 2 + 3 * 2
    for row in frame.itertuples():
        env = gym.make(row.env, **json.loads(row.env_kwargs))
        _, info = env.reset(seed=row.seed, options={"optimum": True})
        assert (row.start_best, row.best_known) == (info["best_value"], info["optimum"])
        assert row.start == env.unwrapped.campaign_spec.start_origin.kind
        reached = row.best_value if row.utility == "best" else row.value
        share = (reached - row.start_best) / (row.best_known - row.start_best)
        assert row.score == pytest.approx(share, abs=1e-9)


def test_the_trajectory_is_worth_what_the_utility_auc_pays_on_the_same_campaigns():
    plans = [
        replace(TABLE_PLAN, utilities=("best", "last_mean", "auc")),
        EvaluationPlan("Ombo/GP-v0", ["ucb"], [3], ["best", "auc"], campaigns=3),
        EvaluationPlan(
            "Ombo/GP-v0", ["random"], [2], ["total", "auc"], campaigns=3,
            env_kwargs={"start": {"kind": "none"}},
        ),
    ]  # fmt: skip
    frame = run(plans).campaigns
    key = ["env", "env_kwargs", "policy", "told_horizon", "horizon", "batch_size", "seed"]
    paid = frame[frame["utility"] == "auc"].set_index(key)
    for utility, rows in frame.groupby("utility"):
        shared = paid.loc[rows.set_index(key).index]
        assert rows["auc"].to_list() == pytest.approx(shared["value"].to_list()), utility
    np.testing.assert_allclose(
        score("auc", paid["auc"], paid["start_best"], paid["best_known"], measurements=1),
        paid["score"],
    )


def test_the_total_of_plates_is_scored_by_all_they_hold():
    plan = EvaluationPlan(
        "Ombo/TFBinding-v0", ["random"], plates=[5, 2, 1], utilities=["total"], campaigns=3
    )
    for row in run(plan).campaigns.itertuples():
        env = gym.make(row.env)
        _, info = env.reset(seed=row.seed)
        start, mean = info["best_value"], row.value / 8
        assert row.score == pytest.approx((mean - start) / (1.0 - start), abs=1e-9)


# Best values -------------------------------------------------------------------------------------


def test_without_a_best_value_there_is_no_score(monkeypatch, capsys):
    monkeypatch.setattr(GP, "best_known", lambda self, instances: None)
    frame = run(GP_PLAN).campaigns
    assert frame[["best_known", "score"]].isna().all(axis=None)
    assert frame["auc"].notna().all() and (frame["start"] != "").all()
    assert "no scores" not in capsys.readouterr().err


def test_the_best_value_is_asked_for_once_whoever_plays_how_long(searched):
    run(replace(TABLE_PLAN, utilities=("best", "last_mean"), block=3))
    assert [(search.seed, search.campaigns) for search in searched] == [(0, 3), (3, 1)]


def test_the_best_value_does_not_depend_on_how_campaigns_are_cut_into_blocks():
    whole = find(Search("Ombo/GP-v0", '{"dim": 2}', 5, 4))
    parts = [find(Search("Ombo/GP-v0", '{"dim": 2}', 5 + i, 1)) for i in range(4)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda instances: 1 / 0, "ZeroDivisionError"),
        (lambda instances: np.zeros(2), r"expected 3 finite numbers .* shape \(2,\)"),
        (lambda instances: np.full(3, np.inf), "expected 3 finite numbers"),
    ],
)
def test_a_problem_that_raises_or_answers_nonsense_has_no_scores_and_says_so(
    answer, words, monkeypatch, capsys, tmp_path
):
    monkeypatch.setattr(GP, "best_known", lambda self, instances: answer(instances))
    results = run([GP_PLAN, TABLE_PLAN], folder=tmp_path)
    frame = results.campaigns
    known = frame["env"] == "Ombo/TFBinding-v0"
    assert frame.loc[~known, ["best_known", "score"]].isna().all(axis=None)
    assert frame.loc[known, "score"].notna().all()
    assert results.errors.empty and frame["value"].notna().all()
    assert (frame["start"] != "").all()
    said = capsys.readouterr().err
    assert said.count("no scores of Ombo/GP-v0") == 1
    pd.testing.assert_series_equal(pd.Series([said]).str.contains(words), pd.Series([True]))
    monkeypatch.undo()  # the next run asks again
    again = run([GP_PLAN, TABLE_PLAN], folder=tmp_path, resume=True).campaigns
    assert again["score"].notna().all()


def test_a_utility_of_ones_own_whose_level_raises_has_no_scores_and_loses_nothing(
    monkeypatch, capsys
):
    def level(self, *arguments):
        raise KeyError("level")

    monkeypatch.setattr(Auc, "level", level)
    frame = run(replace(GP_PLAN, utilities=("auc", "best"))).campaigns
    mine = frame["utility"] == "auc"
    assert frame.loc[mine, "score"].isna().all() and frame.loc[~mine, "score"].notna().all()
    assert frame["value"].notna().all()
    assert "no scores of utility auc: KeyError" in capsys.readouterr().err


# Kept values -------------------------------------------------------------------------------------


def test_kept_values_are_taken_and_the_same_to_the_digit(searched, tmp_path):
    first = run(TABLE_PLAN, folder=tmp_path)
    count = len(searched)
    assert count == 1
    again = run(TABLE_PLAN, folder=tmp_path, resume=True)
    assert len(searched) == count
    assert text(again.campaigns) == text(first.campaigns)
    assert text(again.timings) == text(first.timings)
    run(TABLE_PLAN, folder=tmp_path)
    assert len(searched) == count + 1


@pytest.mark.parametrize("change", ["values", "key", "cut"])
def test_kept_values_that_are_not_what_was_written_are_found_again(
    change, searched, tmp_path, capsys
):
    first = run(TABLE_PLAN, folder=tmp_path)
    (file,) = tmp_path.glob("best-*.json")
    kept = json.loads(file.read_text())
    if change == "values":
        kept["values"][0] = 2.0
    elif change == "key":
        kept["key"] = "best-other"
    file.write_text(json.dumps(kept) if change != "cut" else file.read_text()[:-5])
    again = run(TABLE_PLAN, folder=tmp_path, resume=True)
    assert len(searched) == 2
    assert text(again.campaigns) == text(first.campaigns)
    assert "found again" in capsys.readouterr().err
    assert run(TABLE_PLAN, folder=tmp_path, resume=True) and len(searched) == 2


def test_values_that_are_not_known_are_kept_too(monkeypatch, searched, tmp_path):
    monkeypatch.setattr(GP, "best_known", lambda self, instances: np.array([1.0, np.nan, 3.0]))
    first = run(GP_PLAN, folder=tmp_path)
    again = run(GP_PLAN, folder=tmp_path, resume=True)
    assert len(searched) == 1
    assert text(again.campaigns) == text(first.campaigns)
    assert first.campaigns["best_known"].isna().sum() == 2  # told N and told one


# Tables on disk ----------------------------------------------------------------------------------


@pytest.fixture
def unreported(monkeypatch):
    """Pictures take long, and are not looked at."""
    monkeypatch.setattr(evaluate_module, "write_report", lambda folder: None)


def evaluated(out, **settings):
    evaluate(TABLE_PLAN, out=out, launch=Launch(), command="repeat it", **settings)
    return {file.name: file.read_bytes() for file in out.glob("*.csv")}


@pytest.mark.usefixtures("few_resamples", "unreported")
def test_two_runs_have_the_same_tables_but_for_their_timings(tmp_path):
    first, second = (evaluated(tmp_path / name) for name in ("first", "second"))
    assert {"timings.csv", "problem_scores.csv", "leaderboard.csv"} <= set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] in ([], ["timings.csv"])
    timings = pd.read_csv(tmp_path / "first" / "timings.csv")
    assert len(timings) == 2 * 2  # policies that do not listen play once, whatever they are told
    assert np.isfinite(timings[["cpu_seconds", "ms_per_round"]]).all(axis=None)
    rounds = timings["campaigns"] * timings["horizon"]
    assert (1e3 * timings["cpu_seconds"] / rounds).to_list() == pytest.approx(
        timings["ms_per_round"].to_list()
    )
    resumed = evaluated(tmp_path / "first", resume=True)
    assert resumed == first
