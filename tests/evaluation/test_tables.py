"""The tables of campaigns: by hand, against scipy, and whatever the order of the rows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from ombo_gym.evaluation.leaderboard import (
    LEADERBOARD_COLUMNS,
    PROBLEM_COLUMNS,
    PlayedScores,
    leaderboard,
    problem_scores,
)
from ombo_gym.evaluation.ranking import (
    IMPROVEMENT_COLUMNS,
    PROFILES_COLUMNS,
    RANKS_COLUMNS,
    improvement,
    profiles,
    ranks,
)
from ombo_gym.evaluation.tables import (
    PAIRED_COLUMNS,
    SUMMARY_COLUMNS,
    TRAINING_SEEDS_COLUMNS,
    paired,
    read_table,
    summarise,
    training_seeds,
)

RUNS = {"runs/a": "runs/*", "runs/b": "runs/*", "runs/c": "runs/*"}


def board(campaigns):
    return leaderboard(PlayedScores(campaigns))


def by_problem(campaigns):
    return problem_scores(PlayedScores(campaigns))


TABLES = {
    summarise: SUMMARY_COLUMNS,
    paired: PAIRED_COLUMNS,
    training_seeds: TRAINING_SEEDS_COLUMNS,
    ranks: RANKS_COLUMNS,
    board: LEADERBOARD_COLUMNS,
    by_problem: PROBLEM_COLUMNS,
    profiles: PROFILES_COLUMNS,
    improvement: IMPROVEMENT_COLUMNS,
}


def tiny_campaigns():
    """Two policies, two campaigns, told both ways, with values to compute by hand."""
    values = {
        ("a", "true"): (3.0, 5.0),
        ("a", "one"): (1.0, 2.0),
        ("b", "true"): (2.0, 2.0),
        ("b", "one"): (2.0, 2.0),
    }
    rows = [
        {"env": "E", "policy": policy, "told_horizon": told, "horizon": 2, "batch_size": 4}
        | {"utility": "best", "campaign": i, "seed": 0, "value": value, "distinct": i + 1.0}
        for (policy, told), pair in values.items()
        for i, value in enumerate(pair)
    ]
    return pd.DataFrame(rows)


def test_summary_of_two_campaigns_by_hand():
    summary = summarise(tiny_campaigns())
    assert list(summary) == SUMMARY_COLUMNS
    row = summary[(summary["policy"] == "a") & (summary["told_horizon"] == "true")].iloc[0]
    assert (row["campaigns"], row["mean"], row["iqm"], row["distinct"]) == (2, 4.0, 4.0, 1.5)
    assert row["ci_high"] - row["mean"] == pytest.approx(
        12.706205
    )  # t(0.975, 1) * sqrt(2) / sqrt(2)


def test_paired_rows_are_a_minus_b_for_all_documented_pairs():
    frame = paired(tiny_campaigns())
    assert list(frame) == PAIRED_COLUMNS
    found = {
        (row.policy_a, row.told_a, row.policy_b, row.told_b): row.difference
        for row in frame.itertuples()
    }
    assert found == {
        ("a", "true", "b", "true"): 2.0,
        ("a", "true", "a", "one"): 2.5,
        ("a", "true", "b", "one"): 2.0,
        ("b", "true", "a", "one"): 0.5,
        ("b", "true", "b", "one"): 0.0,
    }


def test_rows_pair_by_campaign_whatever_their_order():
    campaigns = tiny_campaigns()
    shuffled = campaigns.iloc[[1, 0, *range(2, len(campaigns))]]
    pd.testing.assert_frame_equal(paired(campaigns), paired(shuffled))


def test_only_shared_campaigns_are_compared():
    campaigns = tiny_campaigns()
    less = campaigns.drop(index=0)  # a, told true, campaign 0
    row = paired(less).iloc[0]
    assert (row["campaigns"], row["difference"]) == (1, 3.0)
    assert math.isnan(row["ci_low"])
    other = campaigns.assign(seed=np.where(campaigns["policy"] == "a", 0, 1))
    pairs = paired(other)  # other seeds are other campaigns
    assert (pairs["policy_a"] == pairs["policy_b"]).all()


def test_settings_are_kept_apart_and_names_keep_their_order(campaigns_of):
    campaigns = campaigns_of(horizons=(5, 1), campaigns=4)
    summary = summarise(campaigns)
    assert list(summary["utility"].unique()) == ["last_mean", "best"]
    assert list(summary["horizon"].unique()) == [1, 5]
    assert list(summary["policy"].unique()) == list(campaigns["policy"].unique())
    assert len(summary) == 5 * 2 * 2 * 2
    assert (summary["campaigns"] == 4).all()
    assert len(paired(campaigns)) == (10 + 25) * 2 * 2


def test_one_campaign_each_has_nan_intervals(campaigns_of):
    campaigns = campaigns_of(campaigns=1)
    ends = ["ci_low", "ci_high", "iqm_low", "iqm_high"]
    assert summarise(campaigns)[ends].isna().all(axis=None)
    ends = ["ci_low", "ci_high", "wins_low", "wins_high"]
    assert paired(campaigns)[ends].isna().all(axis=None)


def test_a_single_policy_told_once_has_no_pairs(campaigns_of):
    frame = paired(campaigns_of(["random"], told=["true"], campaigns=3))
    assert frame.empty
    assert list(frame) == PAIRED_COLUMNS


@pytest.mark.parametrize("function", [summarise, paired])
def test_bad_campaign_tables_are_refused(function):
    campaigns = tiny_campaigns()
    with pytest.raises(ValueError, match=r"lacks the columns \['value'\]"):
        function(campaigns.drop(columns="value"))
    with pytest.raises(ValueError, match="no rows"):
        function(campaigns.iloc[:0])
    with pytest.raises(ValueError, match=r"appears twice.*'policy': 'a'"):
        function(pd.concat([campaigns, campaigns.iloc[:1]]))


def test_a_table_read_back_gives_the_same_pairs_and_a_careless_reading_is_refused(tmp_path):
    campaigns = tiny_campaigns().query("told_horizon == 'true'").replace({"a": "NA", "b": "007"})
    path = tmp_path / "campaigns.csv"
    campaigns.to_csv(path, index=False)
    pd.testing.assert_frame_equal(paired(read_table(path)), paired(campaigns))
    with pytest.raises(ValueError, match=r"must be the text .* got \[.*True.*read_table"):
        paired(pd.read_csv(path))


def test_policies_that_were_only_told_one_are_paired_with_each_other(campaigns_of):
    campaigns = campaigns_of()
    only = campaigns[campaigns["told_horizon"] == "one"]
    table = paired(only)
    assert len(table) and set(table["told_a"]) == set(table["told_b"]) == {"one"}


def test_the_interquartile_mean_and_its_interval_agree_with_scipys_bootstrap(campaigns_of):
    campaigns = campaigns_of(["random"], campaigns=400, horizons=[3], told=["true"])
    row = summarise(campaigns).iloc[0]
    values = campaigns.loc[campaigns["utility"] == row["utility"], "value"].to_numpy()
    assert row["iqm"] == pytest.approx(scipy.stats.trim_mean(values, 0.25))
    assert row["median"] == np.median(values)
    expected = scipy.stats.bootstrap(
        (values,), lambda x, axis: scipy.stats.trim_mean(x, 0.25, axis=axis),
        n_resamples=4000, method="percentile", rng=0,
    )  # fmt: skip
    # An end of 2,000 resamples is known to 0.06 standard deviations, of 4,000 to 0.04.
    within = 4 * 0.075 * expected.standard_error
    assert row["iqm_low"] == pytest.approx(expected.confidence_interval.low, abs=within)
    assert row["iqm_high"] == pytest.approx(expected.confidence_interval.high, abs=within)


def test_wins_are_counted_on_the_same_campaigns():
    rows = paired(tiny_campaigns()).set_index(["policy_a", "told_a", "policy_b", "told_b"])
    assert rows.loc[("a", "true", "a", "one"), "wins"] == 1.0
    assert rows.loc[("b", "true", "a", "one"), "wins"] == 0.75  # 2 against 1, and a tie
    assert rows.loc[("b", "true", "b", "one"), "wins"] == 0.5


def test_arguments_of_the_environment_make_another_problem(campaigns_of):
    both = [
        campaigns_of(["a", "b"], campaigns=3, utilities=["best"], horizons=[2], env_kwargs=text)
        for text in ("{}", '{"dim": 3}')
    ]
    summary = summarise(pd.concat(both, ignore_index=True))
    assert list(summary["env_kwargs"].unique()) == ["{}", '{"dim": 3}']
    assert (summary["campaigns"] == 3).all()


def test_tables_without_arguments_and_methods_get_the_plain_ones():
    summary = summarise(tiny_campaigns())
    assert set(summary["env_kwargs"]) == {"{}"}
    assert list(summary["method"]) == list(summary["policy"])


def test_training_seeds_by_hand():
    values = {"runs/a": [0.0, 2.0], "runs/b": [4.0, 2.0], "random": [9.0, 9.0]}
    rows = [
        {"env": "E", "policy": policy, "told_horizon": "true", "horizon": 1, "batch_size": 1}
        | {"utility": "best", "campaign": i, "seed": i, "value": value, "distinct": 1.0}
        | {"env_kwargs": "{}", "method": RUNS.get(policy, policy)}
        for policy, pair in values.items()
        for i, value in enumerate(pair)
    ]
    frame = training_seeds(pd.DataFrame(rows))
    assert list(frame) == TRAINING_SEEDS_COLUMNS
    (row,) = frame.to_dict("records")
    assert (row["method"], row["runs"], row["campaigns"], row["mean"]) == ("runs/*", 2, 2, 2.0)
    assert (row["lowest"], row["highest"]) == (1.0, 3.0)
    assert (row["ci_low"], row["ci_high"]) == (0.0, 4.0)  # one run and one campaign drawn twice


def test_the_interval_over_training_seeds_knows_that_runs_differ(campaigns_of):
    campaigns = campaigns_of(["greedy", *RUNS], method=RUNS, utilities=["best"], horizons=[3])
    assert set(training_seeds(campaigns)["method"]) == {"runs/*"}
    alike = training_seeds(campaigns).iloc[0]
    spread = {"runs/a": -1.0, "runs/b": 0.0, "runs/c": 1.0}
    moved = campaigns.assign(value=campaigns["value"] + campaigns["policy"].map(spread).fillna(0))
    apart = training_seeds(moved).iloc[0]
    assert apart["mean"] == pytest.approx(alike["mean"])
    assert apart["ci_high"] - apart["ci_low"] > 5 * (alike["ci_high"] - alike["ci_low"])


def test_campaigns_that_a_run_has_not_played_are_left_out_of_all_runs(campaigns_of):
    campaigns = campaigns_of([*RUNS], method=RUNS, campaigns=10, utilities=["best"], horizons=[1])
    less = campaigns[(campaigns["policy"] != "runs/b") | (campaigns["campaign"] >= 3)]
    row = training_seeds(less).iloc[0]
    common = less[(less["campaign"] >= 3) & (less["told_horizon"] == "true")]
    assert (row["runs"], row["campaigns"]) == (3, 7)
    assert row["mean"] == pytest.approx(common["value"].mean())


def test_without_several_runs_of_a_method_there_are_columns_and_no_rows(campaigns_of):
    frame = training_seeds(campaigns_of(campaigns=2))
    assert frame.empty
    assert list(frame) == TRAINING_SEEDS_COLUMNS


def test_parquet_and_csv_hold_the_same_table(tmp_path, campaigns_of):
    summary = summarise(campaigns_of(["NA", "007"], campaigns=3))
    summary.to_csv(tmp_path / "summary.csv", index=False)
    summary.to_parquet(tmp_path / "summary.parquet")
    for name in ("summary.csv", "summary.parquet"):
        pd.testing.assert_frame_equal(read_table(tmp_path / name), summary, check_dtype=False)


@pytest.mark.parametrize("table", TABLES)
def test_tables_have_the_documented_columns_with_and_without_rows(table, campaigns_of):
    lone = campaigns_of(["random"], campaigns=1, horizons=[1], told=["true"], utilities=["best"])
    for campaigns in (lone, campaigns_of(campaigns=3)):
        assert list(table(campaigns)) == TABLES[table]
    assert improvement(lone).empty


@pytest.mark.parametrize("value", [math.nan, -math.inf])
@pytest.mark.parametrize("policy", ["random", "greedy", "runs/b"])
def test_values_that_are_not_finite_give_no_warning_and_spoil_no_other_method(
    campaigns_of, value, policy
):
    campaigns = campaigns_of(
        ["random", "greedy", "ucb", *RUNS], method=RUNS, campaigns=20, horizons=[2]
    )
    one = (campaigns["policy"] == policy) & (campaigns["campaign"] == 3)
    spoilt = campaigns.assign(
        **{name: campaigns[name].mask(one, value) for name in ("value", "auc", "score")}
    )
    for table in TABLES:
        assert len(table(spoilt)) == len(table(campaigns))
    rows = ranks(spoilt).set_index("method")
    assert np.isfinite(rows.loc["ucb", "mean"]).all()
    assert not np.isfinite(rows.loc[RUNS.get(policy, policy), "mean"]).any()
