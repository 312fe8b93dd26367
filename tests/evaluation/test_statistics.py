"""Numbers against scipy, exhaustive enumeration and hand computation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ombo_gym.evaluation import statistics
from ombo_gym.evaluation.statistics import (
    bootstrap_interval,
    holm,
    iqm,
    mean_interval,
    paired_difference,
    paired_p_value,
    student_t_p_value,
    student_t_quantile,
    wins_interval,
)


def mean_of(values):
    return values.mean(-1)


def ratio_of_means(a, b):
    return a.mean(-1) / b.mean(-1)


@pytest.mark.parametrize("degrees", [1, 2, 3, 5, 10, 99, 100, 999, 10_000, 10_001, 99_999])
@pytest.mark.parametrize("probability", [0.5, 0.75, 0.95, 0.975, 0.9995])
def test_student_t_quantile_is_where_scipy_s_distribution_reaches_it(degrees, probability):
    quantile = student_t_quantile(probability, degrees)
    assert quantile == pytest.approx(scipy.stats.t.ppf(probability, degrees), rel=1e-12, abs=1e-12)
    assert scipy.stats.t.cdf(quantile, degrees) == pytest.approx(probability, rel=1e-12)


@pytest.mark.parametrize(
    ("degrees", "printed"), [(1, 12.706205), (2, 4.302653), (10, 2.228139), (120, 1.979930)]
)
def test_student_t_quantile_is_the_one_of_printed_tables(degrees, printed):
    assert student_t_quantile(0.975, degrees) == pytest.approx(printed, abs=5e-7)
    assert student_t_p_value(printed, degrees) == pytest.approx(0.05, abs=1e-7)


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


@pytest.mark.parametrize("degrees", [1, 2, 3, 10, 99, 100, 9_999, 10_001, 10**6])
@pytest.mark.parametrize("t", [0.0, 0.3, -1.0, 2.0, 5.0, 40.0])
def test_student_t_p_value_equals_scipys(t, degrees):
    expected = 2 * scipy.stats.t.sf(abs(t), degrees)
    assert student_t_p_value(t, degrees) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_student_t_p_value_at_the_ends():
    assert student_t_p_value(math.inf, 5) == student_t_p_value(-math.inf, 10**5) == 0.0
    assert math.isnan(student_t_p_value(math.nan, 5))


@pytest.mark.parametrize("n", [2, 7, 200])
def test_paired_p_value_equals_scipys(n):
    a, b = np.random.default_rng(n).normal(0.1, 1.0, (2, n))
    assert paired_p_value(a - b) == pytest.approx(scipy.stats.ttest_rel(a, b).pvalue, rel=1e-7)


def test_paired_p_value_where_nothing_varies():
    assert paired_p_value([0.0, 0.0]) == 1.0
    assert paired_p_value([0.5, 0.5]) == 0.0
    assert math.isnan(paired_p_value([0.5]))


def test_holm_by_hand():
    # sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, never falling
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values):
    rejected = set()
    for step, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[i] * (len(p_values) - step) >= 0.05:
            break
        rejected.add(i)
    assert set(np.flatnonzero(holm(p_values) < 0.05)) == rejected


def test_holm_leaves_out_what_is_no_comparison():
    adjusted = holm([0.02, math.nan, 0.03])
    assert adjusted[[0, 2]] == pytest.approx([0.04, 0.04])
    assert math.isnan(adjusted[1])


def test_wins_by_hand():
    # 2 wins, 1 loss, 1 tie; with one more of each: mean 3.5 / 6, sum of squares 3.25
    share, low, high = wins_interval([1.0, 1.0, 0.0, 0.5], [0.0, 0.0, 1.0, 0.5])
    assert share == 0.625
    half = scipy.stats.t.ppf(0.975, 5) * math.sqrt((3.25 - 3.5**2 / 6) / 5 / 6)
    assert (low, high) == pytest.approx((3.5 / 6 - half, 1.0))


def test_wins_everywhere_are_no_certainty():
    share, low, high = wins_interval(np.ones(50), np.zeros(50))
    assert share == high == 1.0
    assert 0.9 < low < 0.98  # Clopper and Pearson's, for 50 of 50: 0.929
    assert wins_interval([1.0], [0.0]).estimate == 1.0
    assert math.isnan(wins_interval([1.0], [0.0]).low)
    assert math.isnan(wins_interval([1.0, math.nan], [0.0, 0.0]).estimate)
