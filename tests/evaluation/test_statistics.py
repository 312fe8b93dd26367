"""Numbers against scipy, exhaustive enumeration and hand computation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ombo_gym.evaluation import statistics
from ombo_gym.evaluation.statistics import (
    bootstrap_interval,
    iqm,
    mean_interval,
    paired_difference,
)
from ombo_gym.evaluation.student_t import student_t_quantile
from ombo_gym.evaluation.tables import (
    PAIRED_COLUMNS,
    SUMMARY_COLUMNS,
    paired,
    read_table,
    summarise,
)


def mean_of(values):
    return values.mean(-1)


def ratio_of_means(a, b):
    return a.mean(-1) / b.mean(-1)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 10, 99, 100, 999, 10_000, 10_001, 99_999])
@pytest.mark.parametrize("probability", [0.5, 0.75, 0.95, 0.975, 0.9995])
def test_student_t_quantile_equals_scipys(degrees, probability):
    expected = scipy.stats.t.ppf(probability, degrees)
    assert student_t_quantile(probability, degrees) == pytest.approx(expected, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("probability", "degrees"), [(0.4, 3), (1.0, 3), (0.9, 0)])
def test_student_t_quantile_refuses_what_it_cannot_answer(probability, degrees):
    with pytest.raises(ValueError, match="expected probability"):
        student_t_quantile(probability, degrees)


@pytest.mark.parametrize("n", [2, 3, 40])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_mean_interval_equals_scipys(n, confidence):
    values = np.random.default_rng(n).normal(3.0, 2.0, n)
    expected = scipy.stats.t.interval(confidence, n - 1, values.mean(), scipy.stats.sem(values))
    found = mean_interval(values, confidence=confidence)
    assert found.estimate == pytest.approx(values.mean())
    assert found[1:] == pytest.approx(expected)


def test_mean_interval_by_hand():
    # mean 2, standard deviation 1, t(0.975, 2) = 4.302653 from printed tables
    estimate, low, high = mean_interval([1.0, 2.0, 3.0])
    assert (estimate, low, high) == pytest.approx((2.0, 2 - 2.484138, 2 + 2.484138), abs=1e-6)


def test_one_campaign_has_a_mean_and_no_interval_and_no_warning():
    for estimate, low, high in (mean_interval([2.5]), bootstrap_interval(mean_of, [2.5])):
        assert estimate == 2.5
        assert math.isnan(low)
        assert math.isnan(high)


def test_a_nan_among_the_values_is_never_hidden():
    values = [0.0, 1.0, 2.0, math.nan]
    assert math.isnan(mean_interval(values).estimate)
    assert math.isnan(iqm(values))  # sorting puts it where the cut would take it away
    assert math.isnan(paired_difference(values, [0.0] * 4).estimate)


def test_infinite_values_give_no_warning():
    assert mean_interval([-math.inf, 0.0, 1.0]).estimate == -math.inf
    assert math.isnan(paired_difference([-math.inf, 1.0], [-math.inf, 0.0]).estimate)


@pytest.mark.parametrize("values", [[], [[1.0, 2.0]], 3.0])
def test_a_column_of_numbers_is_asked_for(values):
    for function in (mean_interval, iqm, lambda x: bootstrap_interval(mean_of, x)):
        with pytest.raises(ValueError, match="at least one number per campaign"):
            function(values)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95])
def test_confidence_lies_inside_zero_and_one(confidence):
    with pytest.raises(ValueError, match=f"inside .0, 1., got {confidence}"):
        mean_interval([1.0, 2.0], confidence=confidence)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_iqm_is_scipys_trimmed_mean(values):
    expected = scipy.stats.trim_mean(values, 0.25)
    assert iqm(values) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_iqm_is_not_moved_by_one_extreme_campaign():
    assert iqm([0.0, 1.0, 2.0, 3.0]) == iqm([-1e9, 1.0, 2.0, 1e9]) == 1.5


def test_paired_difference_is_a_minus_b_and_equals_scipys_paired_test():
    rng = np.random.default_rng(0)
    luck = rng.normal(0, 5, 30)
    a, b = luck + rng.normal(1, 1, 30), luck + rng.normal(0, 1, 30)
    expected = scipy.stats.ttest_rel(a, b).confidence_interval(0.95)
    estimate, low, high = paired_difference(a, b)
    assert estimate == pytest.approx(a.mean() - b.mean())
    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert low > 0  # which the two separate intervals could not say
    assert mean_interval(a).low < mean_interval(b).high


def test_paired_difference_refuses_unequal_lengths():
    with pytest.raises(ValueError, match="got 2 and 3 values"):
        paired_difference([1.0, 2.0], [1.0, 2.0, 3.0])


def test_bootstrap_comes_near_the_exhaustive_bootstrap_of_a_ratio():
    a, b = np.array([1.0, 2.0, 4.0, 9.0]), np.array([1.0, 1.5, 2.0, 4.0])
    rows = np.array(list(itertools.product(range(4), repeat=4)))  # all 256 resamples
    every = a[rows].mean(1) / b[rows].mean(1)
    t = scipy.stats.t.ppf(0.9, 3) * math.sqrt(4 / 3)  # expanded percentiles, Hesterberg 2015
    expected = np.quantile(every, scipy.stats.norm.cdf([-t, t]))
    found = bootstrap_interval(ratio_of_means, a, b, resamples=40_000, confidence=0.8)
    assert found.estimate == pytest.approx(16.0 / 8.5)
    assert found[1:] == pytest.approx(expected, rel=0.01)


def test_bootstrap_resamples_rows_whole():
    a = np.random.default_rng(0).exponential(1, 50)
    low, high = bootstrap_interval(ratio_of_means, 3 * a, a)[1:]
    assert low == pytest.approx(3.0)
    assert high == pytest.approx(3.0)


def test_bootstrap_is_seeded_and_does_not_depend_on_its_chunks(monkeypatch):
    values = np.random.default_rng(0).normal(0, 1, 31)
    whole = bootstrap_interval(mean_of, values, resamples=500, seed=3)
    assert bootstrap_interval(mean_of, values, resamples=500, seed=4) != whole
    monkeypatch.setattr(statistics, "CHUNK", 31 * 7)
    assert bootstrap_interval(mean_of, values, resamples=500, seed=3) == whole


def test_bootstrap_says_what_it_expects():
    with pytest.raises(ValueError, match="at least one column"):
        bootstrap_interval(mean_of)
    with pytest.raises(ValueError, match=r"one length, got \[2, 3\]"):
        bootstrap_interval(ratio_of_means, [1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="reduce the last axis"):
        bootstrap_interval(np.mean, [1.0, 2.0])
    with pytest.raises(ValueError, match="resamples"):
        bootstrap_interval(mean_of, [1.0, 2.0], resamples=0)


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(1)
    samples = rng.exponential(1.0, (2000, 50)) - 1.0  # skewed, mean 0
    inside = [low <= 0 <= high for _, low, high in map(mean_interval, samples)]
    assert 0.92 < np.mean(inside) < 0.965
    normal = rng.normal(0, 1, (400, 50))
    intervals = [bootstrap_interval(mean_of, row, resamples=400) for row in normal]
    assert 0.90 < np.mean([low <= 0 <= high for _, low, high in intervals]) < 0.98


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
    assert summarise(campaigns)[["ci_low", "ci_high"]].isna().all(axis=None)
    assert paired(campaigns)[["ci_low", "ci_high"]].isna().all(axis=None)


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
