"""The tables of the page and of the terminal hold the numbers of the files."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from pages_apart import ERROR, EVIL, headings, shown

from ombo_gym.evaluation.report import read_results
from ombo_gym.evaluation.tables import read_table, summarise
from ombo_gym.evaluation.terminal import format_table

pytestmark = pytest.mark.usefixtures("few_resamples", "undrawn")


def test_the_tables_hold_the_numbers_of_the_csv_files_best_policy_first(
    tmp_path, campaigns_of, results_in
):
    results_in(tmp_path, campaigns_of(campaigns=30, horizons=[3], utilities=["best"]))
    _, page = shown(tmp_path)
    summary = pd.read_csv(tmp_path / "summary.csv")
    summary = summary[summary["told_horizon"] == "true"].sort_values("mean", ascending=False)
    rows = page.rows("policy", "IQM")
    assert [row[0] for row in rows] == list(summary["policy"])
    assert rows[0][1] == f"{summary['mean'].iloc[0]:.3f}"
    assert rows[0][4] == f"{summary['iqm'].iloc[0]:.3f}"
    assert rows[0][2] == f"[{summary['ci_low'].iloc[0]:.3f}, {summary['ci_high'].iloc[0]:.3f}]"


def test_the_value_of_planning_stands_beside_the_gain_over_the_best_one_round_policy(
    tmp_path, campaigns_of, results_in
):
    results_in(tmp_path, campaigns_of(campaigns=50, horizons=[3], utilities=["best"]))
    _, page = shown(tmp_path)
    pairs = read_table(tmp_path / "paired.csv").set_index(
        ["policy_a", "told_a", "policy_b", "told_b"]
    )["difference"]
    summary = pd.read_csv(tmp_path / "summary.csv")
    as_last_round = summary[summary["told_horizon"] == "one"]
    best = as_last_round.loc[as_last_round["mean"].idxmax(), "policy"]
    rows = page.rows("value of planning", "minus the best told 1")
    assert len(rows) == 5
    for policy, _, _, planning, gain in rows:
        for text, other in ((planning, policy), (gain, best)):
            number = float(text.split(" ")[0].replace("\N{MINUS SIGN}", "-"))
            assert number == pytest.approx(pairs[policy, "true", other, "one"], abs=6e-4)
    signs = {policy: planning[0] for policy, _, _, planning, _ in rows}
    assert signs["explore_then_exploit"] == "+"
    assert signs["greedy"] == "0"  # it does not listen to N


def test_the_schedule_table_shows_the_mean_weights(
    tmp_path, campaigns_of, exploration_of, results_in
):
    weights = exploration_of(utilities=["best"])
    results_in(tmp_path, campaigns_of(campaigns=2, utilities=["best"]), weights)
    _, page = shown(tmp_path)
    rows = {(row[0], row[1]): row[2:] for row in page.rows("policy", "N", "round 1")}
    ours = weights[(weights["policy"] == "runs/demo") & (weights["horizon"] == 3)]
    assert rows["runs/demo", "3"] == [*(f"{w:.2f}" for w in ours["weight_mean"]), "", ""]


def test_a_policy_without_a_told_one_run_has_a_gap_not_a_number(tmp_path, campaigns_of, results_in):
    campaigns = campaigns_of(["random", "greedy"], campaigns=3, horizons=[2], utilities=["best"])
    gone = (campaigns["policy"] == "random") & (campaigns["told_horizon"] == "one")
    results_in(tmp_path, campaigns[~gone])
    _, page = shown(tmp_path)
    rows = {row[0]: row[1:] for row in page.rows("value of planning", "minus the best told 1")}
    assert rows["random"][1:3] == ["\N{EN DASH}", "\N{EN DASH}"]
    assert rows["random"][3].startswith("\N{MINUS SIGN}")


def test_one_policy_alone_has_no_leaderboard(tmp_path, campaigns_of, results_in):
    campaigns = campaigns_of(["random"], campaigns=5, horizons=[3], utilities=["best"])
    text, _ = shown(results_in(tmp_path, campaigns))
    assert "<b>1 policy</b>" in text
    assert not {"Leaderboard", "Rank table", "Performance profiles"} & set(headings(text))


def test_one_policy_told_one_thing_has_no_answer_only_its_numbers(
    tmp_path, campaigns_of, results_in
):
    campaigns = campaigns_of(["random"], campaigns=5, horizons=[3], told=["true"])
    text, page = shown(results_in(tmp_path, campaigns))
    assert headings(text) == [
        "What was asked",
        "Problem by problem",
        "What was run, and how to repeat it",
    ]
    assert [row[0] for row in page.rows("policy", "IQM")] == ["random"]


def test_the_leaderboard_holds_the_csv_files_numbers_in_the_order_of_places(
    tmp_path, campaigns_of, results_in
):
    results_in(tmp_path, campaigns_of(campaigns=30, utilities=["best"]))
    _, page = shown(tmp_path)
    board = read_table(tmp_path / "leaderboard.csv").sort_values(["horizon", "place"])
    rows = page.rows("policy", "place", "score", "minus random", "median", "auc", "harm")
    assert [row[0] for row in rows] == list(board["method"])
    assert [(int(row[1]), int(row[2])) for row in rows] == [
        (n, place) for n in (1, 2, 3, 5) for place in (1, 2, 3, 4, 5)
    ]
    for row, entry in zip(rows, board.to_dict("records"), strict=True):
        assert row[3] == written(entry, "score")
        assert row[5] == written(entry, "minus_random")
        assert [row[6], row[7]] == [f"{entry[name]:.3f}" for name in ("median", "auc")]
        assert row[8] == f"{entry['harm']:.2f}"
        assert row[9] == "1"
    with pytest.raises(AssertionError, match="no table"):  # who did not play has no column
        page.rows("minus doe_then_ucb")


def written(entry, name):
    """A number and its interval as the page has them."""
    number, low, high = (f"{entry[name + end]:.3f}" for end in ("", "_low", "_high"))
    return f"{number} [{low}, {high}]".replace("-", "\N{MINUS SIGN}")


def test_every_start_has_a_table_of_its_own(tmp_path, campaigns_of, results_in):
    frames = [
        campaigns_of(campaigns=4, utilities=["best"], horizons=[2], env=start, start=start)
        for start in ("random", "percentile")
    ]
    text, _ = shown(results_in(tmp_path, pd.concat(frames, ignore_index=True)))
    assert "start random, utility best" in text
    assert "The same for start percentile, utility best" in text


def test_a_method_that_missed_a_problem_is_last_without_a_place(tmp_path, campaigns_of, results_in):
    frames = [
        campaigns_of(campaigns=8, utilities=["best"], horizons=[2], env=env) for env in ("A", "B")
    ]
    campaigns = pd.concat(frames, ignore_index=True)
    gone = (campaigns["policy"] == "runs/demo") & (campaigns["env"] == "B")
    _, page = shown(results_in(tmp_path, campaigns[~gone]))
    last = page.rows("policy", "place", "score")[-1]
    assert (last[0], last[2], last[-1]) == ("runs/demo", "incomplete", "1")


def test_what_has_no_best_value_is_left_out_and_named(tmp_path, campaigns_of, results_in):
    known = campaigns_of(["random", "a"], campaigns=2, horizons=[2])
    unknown = known.assign(env="Own/<b>-v0", score=np.nan, best_known=np.nan)
    partly = known.assign(score=known["score"].mask(known["utility"] == "last_mean"))
    _, page = shown(results_in(tmp_path / "some", pd.concat([partly, unknown])))
    left_out = "Ombo/GP-v0 (utility last_mean), Own/<b>-v0."
    assert f"Left out, since no best value is known: {left_out}" in page.text
    assert page.rows("policy", "place", "score")
    text, page = shown(results_in(tmp_path / "none", unknown))
    assert "Leaderboard" in headings(text) and "Performance profiles" not in headings(text)
    assert "No best value is known of these problems" in page.text


def test_ties_with_the_best_are_marked_as_in_the_csv_file(tmp_path, campaigns_of, results_in):
    results_in(tmp_path, campaigns_of(campaigns=20))
    _, page = shown(tmp_path)
    ranks = read_table(tmp_path / "ranks.csv")
    rows = page.rows("policy", "rank", "behind the best")
    assert len(rows) == len(ranks) == 80
    marks = {
        (row[0], row[3], int(row[4]), {"N": "true", "1": "one"}[row[6]]): row[10] for row in rows
    }
    for _, row in ranks.iterrows():
        mark = marks[row["method"], row["utility"], row["horizon"], row["told_horizon"]]
        expected = "tied with the best" if row["p_holm"] >= 0.05 else ""
        assert mark == ("best" if row["rank"] == 1 else expected)
    assert {"best", "tied with the best", ""} == set(marks.values())


def test_what_failed_is_said_with_its_traceback(tmp_path, campaigns_of, results_in):
    errors = pd.DataFrame([ERROR, {**ERROR, "policy": "greedy", "told_horizon": "true"}])
    _, page = shown(results_in(tmp_path, campaigns_of(campaigns=3), errors=errors))
    rows = page.rows("policy", "campaigns", "error")
    assert [row[0] for row in rows] == [f"{EVIL} (told 1)", "greedy"]
    assert rows[0][5] == "0 to 2"
    assert rows[0][6] == ERROR["error"] + ERROR["traceback"]


def test_tables_read_from_csv_equal_those_written(tmp_path, campaigns_of, results_in):
    campaigns = campaigns_of(["NA", "007", "null", "1.0"], campaigns=1)
    results = read_results(results_in(tmp_path, campaigns))
    pd.testing.assert_frame_equal(
        results.summary, summarise(campaigns), check_dtype=False, check_exact=False
    )


# --- the terminal -------------------------------------------------------------------------------


def test_the_terminal_table_is_aligned_and_best_first(campaigns_of):
    text = format_table(summarise(campaigns_of(campaigns=40)))
    first, second = text.split("\n\n")
    assert "utility last_mean, q=4, 40 campaigns" in first
    assert "utility best" in second
    lines = first.splitlines()[1:]
    assert re.split(r"  +", lines[0]) == ["policy", "N=1", "N=2", "N=3", "N=5", "distinct (N=5)"]
    assert len({len(line) for line in lines}) == 1
    names = [re.split(r"  +", line)[0] for line in lines[1:]]
    assert names[0] == "runs/demo"
    assert names[-1] == "random"
    assert "runs/demo (told 1)" in names
    assert "greedy (told 1)" not in names  # it would repeat the row of greedy


def test_the_terminal_tells_problems_apart_by_their_arguments(campaigns_of):
    parts = [
        campaigns_of(["a"], campaigns=2, utilities=["best"], env_kwargs=json.dumps({"dim": dim}))
        for dim in (1, 2)
    ]
    first, second = format_table(summarise(pd.concat(parts))).split("\n\n")
    assert first.startswith("Ombo/GP-v0 (dim=1), utility best, q=4")
    assert second.startswith("Ombo/GP-v0 (dim=2), utility best, q=4")


def test_the_terminal_table_leaves_gaps_for_what_was_not_played(campaigns_of):
    campaigns = campaigns_of(["a", "b"], campaigns=1, told=["true"], utilities=["best"])
    campaigns = campaigns[(campaigns["policy"] == "a") | (campaigns["horizon"] != 5)]
    lines = format_table(summarise(campaigns)).splitlines()
    assert lines[-1].startswith("b ")
    assert re.split(r"  +", lines[-1])[-2:] == ["-", "-"]
    assert "nan" not in "\n".join(lines)
