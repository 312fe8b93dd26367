"""Scores over problems: by hand, against scipy, and unmoved by who else plays."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from scored_campaigns import RUNS, played, rescored

from ombo_gym.evaluation.leaderboard import (
    LEADERBOARD_COLUMNS,
    PROBLEM_COLUMNS,
    PlayedScores,
    leaderboard,
    problem_scores,
)
from ombo_gym.evaluation.ranking import improvement, profiles
from ombo_gym.evaluation.statistics import mean_interval

OWN = ["score", "score_low", "score_high", "median", "auc", "harm", "problems", "campaigns"]
TO_RANDOM = ["minus_random", "minus_random_low", "minus_random_high"]
TO_BASELINE = ["minus_baseline", "minus_baseline_low", "minus_baseline_high"]


def board_of(campaigns):
    return leaderboard(PlayedScores(campaigns))


def by_method(campaigns):
    """The leaderboard of one start, utility and horizon."""
    board = board_of(campaigns)
    assert len(board[["start", "utility", "horizon"]].drop_duplicates()) == 1
    return board.set_index("method")


def t_interval(values):
    """Scipy's 95% Student t interval of the mean of independent numbers."""
    values = np.asarray(values, float)
    ends = scipy.stats.t.interval(0.95, values.size - 1, values.mean(), scipy.stats.sem(values))
    return (values.mean(), *ends)


# Scores ------------------------------------------------------------------------------------------


def test_scores_by_hand():
    campaigns = played(
        {
            ("random", 0): [0.0, 0.2, 0.4],
            ("random", 1): [0.6, 0.6],
            ("a", 0): [0.3, 0.1, 0.8],
            ("a", 1): [0.5, 0.9],
        }
    )
    board = by_method(campaigns)
    assert board.index.tolist() == ["a", "random"] and board["place"].tolist() == [1, 2]
    row = board.loc["a"]
    assert row["score"] == pytest.approx((0.4 + 0.7) / 2)  # each problem weighs alike
    assert row["median"] == pytest.approx((0.3 + 0.7) / 2)
    assert row["auc"] == pytest.approx(row["score"] / 2)
    assert row["harm"] == pytest.approx((1 / 3 + 1 / 2) / 2)  # 0.1 < 0.2, 0.5 < 0.6
    assert row["minus_random"] == pytest.approx((0.2 + 0.1) / 2)
    assert (row["problems"], row["campaigns"]) == (2, 5)
    assert board.loc["random", [*TO_RANDOM, "harm"]].tolist() == [0, 0, 0, 0]
    assert board[TO_BASELINE].isna().all(axis=None)  # it did not play
    first = problem_scores(PlayedScores(campaigns)).set_index(["method", "env"]).loc[("a", "0")]
    assert (first["score"], first["median"], first["auc"]) == pytest.approx((0.4, 0.3, 0.2))
    assert first["harm"] == pytest.approx(1 / 3) and first["campaigns"] == 3


def test_a_trajectory_is_on_the_scale_of_the_score():
    campaigns = played({("a", 0): [1.0, 3.0]}, start_best=2.0, best_known=6.0, auc=1.0)
    assert by_method(campaigns).loc["a", "auc"] == 0.25  # from 2 to 6, on average at 3


def test_what_is_far_below_the_start_counts_as_minus_one():
    campaigns = played({("random", 0): [0.0, -3.0], ("a", 0): [0.5, -50.0]})
    row = by_method(campaigns).loc["a"]
    assert row["score"] == -0.25 and row["median"] == -0.25
    assert row["minus_random"] == pytest.approx(0.25)  # 0.5 and nothing
    assert row["harm"] == 0.5  # -50 is below -3


def test_over_problems_intervals_are_scipys_of_the_problems_means():
    rng = np.random.default_rng(0)
    values = {(name, p): rng.normal(0.2 * p, 0.2, 20) for p in range(4) for name in ("random", "a")}
    row = by_method(played(values)).loc["a"]
    means = [values["a", p].mean() for p in range(4)]
    found = row[["score", "score_low", "score_high"]].tolist()
    assert found == pytest.approx(t_interval(means))
    differences = [(values["a", p] - values["random", p]).mean() for p in range(4)]
    assert row[TO_RANDOM].tolist() == pytest.approx(t_interval(differences))


def test_over_one_problem_intervals_are_those_of_its_campaigns():
    rng = np.random.default_rng(1)
    values = {("random", 0): rng.normal(0.4, 0.2, 30), ("a", 0): rng.normal(0.6, 0.2, 30)}
    campaigns = played(values)
    row = by_method(campaigns).loc["a"]
    assert row[["score", "score_low", "score_high"]].tolist() == pytest.approx(
        t_interval(values["a", 0])
    )
    paired = t_interval(values["a", 0] - values["random", 0])
    assert row[TO_RANDOM].tolist() == pytest.approx(paired)
    instances = np.arange(30) // 5
    family = campaigns.assign(instance=pd.array(instances[campaigns["campaign"]], "Int64"))
    expected = mean_interval(values["a", 0], clusters=instances)
    found = by_method(family).loc["a", ["score", "score_low", "score_high"]].tolist()
    assert found == pytest.approx(tuple(expected))


@pytest.mark.parametrize("problems", [1, 2])
def test_batch_sizes_of_a_problem_weigh_alike_whatever_they_have_played(problems):
    few = played({("a", p): [0.2, 0.4] for p in range(problems)}, batch_size=1)
    many = played({("a", p): [0.9] * 50 for p in range(problems)}, batch_size=8)
    row = by_method(pd.concat([few, many], ignore_index=True)).loc["a"]
    assert row["score"] == pytest.approx((0.3 + 0.9) / 2)
    assert (row["problems"], row["campaigns"]) == (problems, 52 * problems)


def test_the_same_campaigns_at_two_batch_sizes_count_once():
    values = np.random.default_rng(2).normal(0.4, 0.2, 20)
    one = played({("a", 0): values})
    both = pd.concat([one, one.assign(batch_size=8)], ignore_index=True)
    ends = ["score", "score_low", "score_high"]
    np.testing.assert_allclose(
        by_method(both).loc["a", ends].to_list(), by_method(one).loc["a", ends].to_list()
    )


def test_the_unit_of_a_problem_does_not_matter():
    campaigns = played({("random", 0): [0.1, 0.5], ("a", 0): [0.7, 0.2]})
    scaled = campaigns.assign(
        value=100 * campaigns["value"], start_best=0.0, best_known=100.0, auc=100 * campaigns["auc"]
    )
    pd.testing.assert_frame_equal(board_of(scaled), board_of(campaigns))


def test_one_campaign_each_has_numbers_without_intervals():
    row = by_method(played({("random", 0): [0.1], ("a", 0): [0.4]})).loc["a"]
    assert (row["score"], row["median"], row["harm"]) == pytest.approx((0.4, 0.4, 0.0))
    assert row[["score_low", "score_high", *TO_RANDOM[1:]]].isna().all()


# Who else plays ----------------------------------------------------------------------------------


@settings(max_examples=6)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["random", "doe_then_ucb", "a", "b", "runs/*"]))
def test_no_row_moves_when_any_rival_is_taken_away(seed, rival):
    campaigns = uneven_campaigns(np.random.default_rng(seed))
    whole, by_problem = (table.set_index(KEY) for table in both_tables(campaigns))
    less, fewer = (
        table.set_index(KEY) for table in both_tables(campaigns[campaigns["method"] != rival])
    )
    gone = {"random": [*TO_RANDOM, "harm"], "doe_then_ucb": TO_BASELINE}.get(rival, [])
    columns = [name for name in [*OWN, *TO_RANDOM, *TO_BASELINE] if name not in gone]
    pd.testing.assert_frame_equal(less[columns], whole.loc[less.index, columns], check_exact=True)
    own = [name for name in OWN if name not in [*gone, "problems"]]
    key = [*KEY, "env"]
    fewer, all_of_them = (table.reset_index().set_index(key)[own] for table in (fewer, by_problem))
    pd.testing.assert_frame_equal(fewer, all_of_them.loc[fewer.index], check_exact=True)


KEY = ["start", "utility", "horizon", "method"]


def both_tables(campaigns):
    scores = PlayedScores(campaigns)
    return leaderboard(scores), problem_scores(scores)


def uneven_campaigns(rng):
    """Methods that have played, and were told, different things; some best values unknown."""
    names = ["random", "doe_then_ucb", "a", "b", *list(RUNS)[:2]]
    frames = [
        played(
            {(name, p): np.round(rng.normal(0.4, 0.9, rng.integers(1, 6)), 1) for name in names},
            start=["random", "percentile"][p % 2],
        )
        for p in range(5)
    ]
    campaigns = pd.concat(frames, ignore_index=True)
    told = np.where((campaigns["policy"] == "b") & rng.integers(2), "one", "true")
    unknown = (campaigns["env"] == "1") & (campaigns["campaign"] == rng.integers(4))
    campaigns = campaigns.assign(told_horizon=told, score=campaigns["score"].mask(unknown))
    gone = (campaigns["policy"] == rng.choice(names)) & (campaigns["env"] == "2")
    return campaigns[~gone]


def test_starts_are_never_pooled():
    rows = {("random", 0): [0.1, 0.3], ("a", 0): [0.9, 0.7]}
    turned = {("random", 0): [0.9, 0.7], ("a", 0): [0.1, 0.3]}
    both = [
        played(rows, start="random", env_kwargs='{"start": {"kind": "random"}}'),
        played(turned, start="percentile"),
    ]
    board = board_of(pd.concat(both, ignore_index=True)).set_index(["start", "method"])
    assert (board["problems"] == 1).all() and len(board) == 4
    assert board.loc[("random", "a"), "place"] == 1
    assert board.loc[("percentile", "a"), "place"] == 2
    for start, frame in zip(("random", "percentile"), both, strict=True):
        alone = by_method(frame)
        pd.testing.assert_series_equal(board.loc[start]["score"], alone["score"])


def test_utilities_and_horizons_are_never_pooled():
    frames = [
        played({("a", 0): [score, score]}, horizon=horizon, utility=utility)
        for (horizon, utility), score in {
            (1, "best"): 0.1,
            (2, "best"): 0.2,
            (2, "auc"): 0.4,
        }.items()
    ]
    board = board_of(pd.concat(frames, ignore_index=True))
    assert board[["utility", "horizon", "score"]].to_numpy().tolist() == [
        ["best", 1, pytest.approx(0.1)],
        ["best", 2, pytest.approx(0.2)],
        ["auc", 2, pytest.approx(0.4)],
    ]


# Shared campaigns --------------------------------------------------------------------------------


def test_differences_and_harm_are_of_the_campaigns_that_both_have_played():
    values = {("random", 0): [0.5, 0.5, 0.5], ("doe_then_ucb", 0): [0.9, 0.2], ("a", 0): [1, 0, 1]}
    campaigns = played(values)
    gone = (campaigns["policy"] == "random") & (campaigns["campaign"] == 2)
    row = by_method(campaigns[~gone]).loc["a"]
    assert row["score"] == pytest.approx(2 / 3)
    assert row["harm"] == 0.5  # of two
    assert row[TO_RANDOM].tolist() == pytest.approx(t_interval([0.5, -0.5]))
    assert row[TO_BASELINE].tolist() == pytest.approx(t_interval([0.1, -0.2]))


def test_without_a_shared_campaign_there_is_no_difference_and_no_harm():
    campaigns = played({("random", 0): [0.5, 0.5], ("a", 0): [0.7, 0.1]})
    apart = campaigns["seed"] + 10 * (campaigns["policy"] == "a")
    row = by_method(campaigns.assign(seed=apart)).loc["a"]
    assert row["score"] == pytest.approx(0.4)
    assert row[[*TO_RANDOM, "harm"]].isna().all()


def test_problems_that_a_reference_did_not_play_have_no_part_in_the_difference():
    values = {("a", 0): [0.3, 0.5], ("a", 1): [0.9, 0.9], ("random", 0): [0.1, 0.6]}
    row = by_method(played(values)).loc["a"]
    assert row["score"] == pytest.approx(0.65)
    assert row["minus_random"] == pytest.approx(0.05)
    assert row["harm"] == 0.5


def test_an_equal_end_is_no_harm():
    assert by_method(played({("random", 0): [0.5], ("a", 0): [0.5]})).loc["a", "harm"] == 0


# Several runs, and what was not played -----------------------------------------------------------


def test_a_method_of_several_runs_has_the_mean_of_each_campaign_over_them():
    values = {("random", 0): [0.5, 0.5], ("runs/0", 0): [0.2, 0.8], ("runs/1", 0): [0.6, 1.0]}
    row = by_method(played(values)).loc["runs/*"]
    assert row[["score", "score_low", "score_high"]].tolist() == pytest.approx(
        t_interval([0.4, 0.9])
    )
    assert row["campaigns"] == 2 and row["harm"] == 0.25  # one of two runs on one of two
    campaigns = played(values)
    gone = (campaigns["policy"] == "runs/1") & (campaigns["campaign"] == 0)
    row = by_method(campaigns[~gone]).loc["runs/*"]
    assert (row["campaigns"], row["score"]) == (1, pytest.approx(0.9))


@pytest.mark.usefixtures("few_resamples")
def test_who_did_not_play_everything_comes_last_and_without_a_place():
    values = {(name, p): [0.1 * p, 0.2] for p in range(3) for name in ("random", "a", "b")}
    campaigns = played(values)
    better = rescored(campaigns, campaigns["value"] + (campaigns["policy"] == "b"))
    less = better[(better["policy"] != "b") | (better["env"] != "2")]
    board = board_of(less)
    assert board["method"].tolist()[-1] == "b"
    assert board["complete"].tolist() == [True, True, False]
    assert board["place"].tolist()[:2] == [1, 2] and math.isnan(board["place"].iloc[2])
    assert board["problems"].tolist() == [3, 3, 2]
    assert board["score"].iloc[2] > 1
    assert set(profiles(less)["method"]) == {"random", "a"}
    assert improvement(less)[["method_a", "method_b"]].to_numpy().tolist() == [["random", "a"]]


def test_a_method_one_of_whose_runs_is_missing_somewhere_is_incomplete():
    campaigns = played({(name, p): [0.1, 0.2] for p in range(2) for name in ("random", *RUNS)})
    less = campaigns[(campaigns["policy"] != "runs/1") | (campaigns["env"] != "1")]
    assert board_of(campaigns)["complete"].all()
    assert board_of(less).set_index("method")["complete"].to_dict() == {
        "random": True,
        "runs/*": False,
    }


def test_campaigns_without_a_best_value_are_left_out_for_all_alike():
    campaigns = played({("random", 0): [0.1, 0.5, 0.3], ("a", 0): [0.7, 0.4, 0.2]})
    unknown = campaigns["campaign"] == 1
    partly = campaigns.assign(score=campaigns["score"].mask(unknown))
    pd.testing.assert_frame_equal(board_of(partly), board_of(campaigns[~unknown]))
    other = campaigns.assign(env="unknown", score=math.nan, best_known=math.nan)
    both = pd.concat([campaigns, other], ignore_index=True)
    pd.testing.assert_frame_equal(board_of(both), board_of(campaigns))
    scores = PlayedScores(other)
    assert list(leaderboard(scores)) == LEADERBOARD_COLUMNS and leaderboard(scores).empty
    assert list(problem_scores(scores)) == PROBLEM_COLUMNS and problem_scores(scores).empty
    assert profiles(other).empty


# What is shown the horizon -----------------------------------------------------------------------


def test_methods_count_as_told_the_true_horizon_and_else_as_told_one():
    true = played({("random", 0): [0.1, 0.1], ("a", 0): [0.8, 0.6]})
    one = played({("a", 0): [0.3, 0.1], ("b", 0): [0.5, 0.7]}, told_horizon="one")
    board = by_method(pd.concat([true, one], ignore_index=True))
    assert board["score"].to_dict() == pytest.approx({"a": 0.7, "b": 0.6, "random": 0.1})
    only = true.assign(told_horizon="one")
    pd.testing.assert_frame_equal(board_of(only), board_of(true))


# What is refused ---------------------------------------------------------------------------------


def test_bad_tables_are_refused():
    campaigns = played({("a", 0): [0.1, 0.2]})
    for name in ("score", "start", "auc", "start_best", "best_known"):
        with pytest.raises(ValueError, match=rf"lacks the columns \['{name}'\]"):
            PlayedScores(campaigns.drop(columns=name))
    with pytest.raises(ValueError, match="no rows"):
        PlayedScores(campaigns.iloc[:0])
    with pytest.raises(ValueError, match="appears twice"):
        PlayedScores(pd.concat([campaigns, campaigns.iloc[:1]]))


def test_the_order_of_rows_changes_nothing_but_the_order_of_equal_ones():
    rng = np.random.default_rng(3)
    values = {(name, p): rng.normal(size=8) for p in range(3) for name in ("random", "a", *RUNS)}
    campaigns = played(values)
    shuffled = campaigns.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(board_of(shuffled), board_of(campaigns))
