"""Intervals by instance: against statsmodels, by hand, and how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.api as sm

from ombo_gym.evaluation import resampling
from ombo_gym.evaluation.clusters import codes_of
from ombo_gym.evaluation.leaderboard import PlayedScores, leaderboard
from ombo_gym.evaluation.ranking import improvement, profiles, ranks
from ombo_gym.evaluation.resampling import bootstrap_iqm, bootstrap_runs, draw_clusters
from ombo_gym.evaluation.statistics import mean_interval, paired_p_value, wins_interval
from ombo_gym.evaluation.tables import paired, read_table, summarise, training_seeds


def board(campaigns):
    return leaderboard(PlayedScores(campaigns))


TABLES = (summarise, paired, training_seeds, ranks, board, profiles, improvement)
RUNS = {"runs/a": "runs/*", "runs/b": "runs/*"}


def uneven(rng, clusters=9):
    """Values whose clusters differ in mean and size, and their labels."""
    sizes = rng.integers(1, 8, clusters)
    labels = rng.permutation(np.repeat(100 + 7 * np.arange(clusters), sizes))
    return rng.normal(0, 1, clusters)[(labels - 100) // 7] + rng.normal(0, 0.5, labels.size), labels


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_and_p_value_are_statsmodels_of_a_regression_on_a_constant(seed):
    values, labels = uneven(np.random.default_rng(seed))
    fitted = sm.OLS(values, np.ones_like(values)).fit(
        cov_type="cluster", cov_kwds={"groups": labels}, use_t=True
    )
    estimate, low, high = mean_interval(values, clusters=labels)
    assert estimate == pytest.approx(fitted.params[0])
    assert (low, high) == pytest.approx(tuple(fitted.conf_int()[0]))
    assert paired_p_value(values, clusters=labels) == pytest.approx(fitted.pvalues[0], rel=1e-6)


def test_clusters_of_one_size_count_as_their_means():
    values = np.random.default_rng(0).normal(size=(12, 5))
    labels = np.repeat(np.arange(12), 5)
    means = values.mean(axis=1)
    expected = scipy.stats.t.interval(0.95, 11, means.mean(), scipy.stats.sem(means))
    assert mean_interval(values.ravel(), clusters=labels)[1:] == pytest.approx(expected)
    assert paired_p_value(values.ravel(), clusters=labels) == pytest.approx(
        scipy.stats.ttest_1samp(means, 0).pvalue, rel=1e-6
    )


def test_an_interval_by_hand():
    # mean 2; residuals -1, 0, 1 sum to -1 and 1; sqrt(2 * 2) / 3 times t(0.975, 1) = 12.706205
    estimate, low, high = mean_interval([1.0, 2.0, 3.0], clusters=["a", "a", "b"])
    assert (estimate, high - estimate, estimate - low) == pytest.approx((2, 8.470803, 8.470803))


@pytest.mark.parametrize("labels", [np.arange(30)[::-1], np.full(30, 4), -np.arange(30)])
def test_clusters_of_one_and_one_cluster_alone_leave_every_digit_as_it_is(labels):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 30))
    assert mean_interval(a, clusters=labels) == mean_interval(a)
    assert wins_interval(a, b, clusters=labels) == wins_interval(a, b)
    assert paired_p_value(a, clusters=labels) == paired_p_value(a)
    both = np.stack([a, b])
    np.testing.assert_array_equal(bootstrap_iqm(both, clusters=labels), bootstrap_iqm(both))
    assert bootstrap_runs(both, clusters=labels) == bootstrap_runs(both)


def test_the_order_of_campaigns_and_the_names_of_clusters_do_not_matter():
    values, labels = uneven(np.random.default_rng(3))
    order = np.random.default_rng(4).permutation(values.size)
    found = mean_interval(values[order], clusters=labels[order])
    assert found == pytest.approx(mean_interval(values, clusters=labels))
    renamed = mean_interval(values, clusters=[f"{-label}" for label in labels])
    assert renamed == pytest.approx(found)
    assert codes_of([7, 3, 7, 9]).tolist() == [0, 1, 0, 2]


def test_wins_on_clusters_are_the_wins_with_one_won_and_one_lost_added():
    a, labels = uneven(np.random.default_rng(1))
    wins = np.append((a > 0.2) + 0.0, [0.0, 1.0])
    expected = sm.OLS(wins, np.ones_like(wins)).fit(
        cov_type="cluster", cov_kwds={"groups": np.append(labels, [-1, -2])}, use_t=True
    )
    low, high = expected.conf_int()[0]
    found = wins_interval(a, np.full(a.size, 0.2), clusters=labels)
    assert found == pytest.approx((wins[:-2].mean(), max(low, 0), min(high, 1)))


def test_resamples_draw_clusters_whole_and_weigh_alike():
    codes = np.array([0, 0, 0, 1, 2, 2])
    counts = draw_clusters(np.random.default_rng(0), codes, 400)
    np.testing.assert_allclose(counts.sum(axis=0), 6)
    assert (counts[0] == counts[1]).all() and (counts[4] == counts[5]).all()
    assert (counts[0] != counts[4]).any()


def nested(rng, shape, clusters, size):
    """Values (repetitions, clusters * size) of standard deviation 1, half of the variance shared.

    The truth of every mean and median is 0.
    """
    shared = np.repeat(rng.normal(0, math.sqrt(0.5), (*shape, clusters)), size, axis=-1)
    return shared + rng.normal(0, math.sqrt(0.5), shared.shape)


def covered(ends):
    low, high = np.moveaxis(np.asarray(ends), -1, 0)
    return np.mean((low <= 0) & (0 <= high))


def test_the_interval_of_a_mean_covers_where_campaigns_share_instances():
    values = nested(np.random.default_rng(20), (2000,), 20, 5)
    labels = np.repeat(np.arange(20), 5)
    assert 0.935 < covered([mean_interval(row, clusters=labels)[1:] for row in values]) < 0.965
    assert covered([mean_interval(row)[1:] for row in values]) < 0.8


def test_the_interval_of_an_interquartile_mean_covers_where_campaigns_share_instances(monkeypatch):
    monkeypatch.setattr(resampling, "RESAMPLES", 500)
    values = nested(np.random.default_rng(21), (1000,), 30, 4)
    labels = np.repeat(np.arange(30), 4)
    assert 0.93 < covered(bootstrap_iqm(values, clusters=labels)) < 0.97
    assert covered(bootstrap_iqm(values)) < 0.85


# --- in the tables ----------------------------------------------------------------------------


@pytest.fixture
def family(campaigns_of):
    """Campaigns on 12 instances of a family, some policies runs of one method."""
    names = ["random", "greedy", "ucb", *RUNS]
    frame = campaigns_of(names, method=RUNS, campaigns=60, horizons=[2, 3])
    instance = np.random.default_rng(0).integers(12, size=60)[frame["campaign"]]
    better = (0.5 * np.random.default_rng(1).normal(size=(12, len(names))))[
        instance, [names.index(name) for name in frame["policy"]]
    ]
    return frame.assign(
        value=frame["value"] + better,
        score=frame["score"] + better / 3,
        instance=pd.array(instance, "Int64"),
    )


def test_summaries_and_pairs_have_the_intervals_of_their_instances(family):
    one = family[(family["utility"] == "best") & (family["horizon"] == 3)]
    shown = one[one["told_horizon"] == "true"].set_index("policy")
    row = summarise(one).query("policy == 'ucb' and told_horizon == 'true'").iloc[0]
    values, labels = shown.loc["ucb", "value"].to_numpy(), shown.loc["ucb", "instance"].to_numpy()
    assert tuple(row[["mean", "ci_low", "ci_high"]]) == mean_interval(values, clusters=labels)
    pair = paired(one).query("policy_a == 'greedy' and policy_b == 'ucb' and told_b == 'true'")
    difference = shown.loc["greedy", "value"].to_numpy() - values
    found = pair.iloc[0][["difference", "ci_low", "ci_high"]]
    assert tuple(found) == mean_interval(difference, clusters=labels)
    assert found["ci_high"] - found["ci_low"] > 1.5 * np.ptp(mean_interval(difference)[1:])


def test_a_test_in_a_setting_is_the_paired_test_by_instance(family):
    one = family[(family["utility"] == "best") & (family["horizon"] == 3)]
    one = one[one["method"] != "runs/*"]
    shown = one[one["told_horizon"] == "true"].set_index("policy")
    rows = ranks(one).query("told_horizon == 'true'").set_index("method")
    best, other = rows.index[:2]
    difference = shown.loc[best, "value"].to_numpy() - shown.loc[other, "value"].to_numpy()
    expected = paired_p_value(difference, clusters=shown.loc[other, "instance"].to_numpy())
    assert rows.loc[other, "p_value"] == pytest.approx(expected)
    assert expected > paired_p_value(difference)


@pytest.mark.usefixtures("few_resamples")
@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_as_without_instances_where_each_campaign_has_its_own(table, family):
    without = family.drop(columns="instance")
    for instance in (pd.array([pd.NA] * len(family), "Int64"), 10**6 - family["campaign"], 3):
        own = family.assign(instance=instance)
        pd.testing.assert_frame_equal(table(own), table(without), check_exact=True)


@pytest.mark.usefixtures("few_resamples")
@pytest.mark.parametrize("table", [summarise, training_seeds, board, improvement])
def test_every_interval_widens_where_campaigns_share_instances(table, family):
    low, high = {board: ("score_low", "score_high"), improvement: ("low", "high")}.get(
        table, ("ci_low", "ci_high")
    )
    by_instance, alone = (
        (frame[high] - frame[low]).mean()
        for frame in (table(family), table(family.drop(columns="instance")))
    )
    assert by_instance > 1.1 * alone


def test_instances_are_whole_numbers_on_disk_however_large(tmp_path, family):
    large = pd.array([2**62 + 1, pd.NA, 0] * (len(family) // 3), "Int64")
    family.assign(instance=large).to_csv(tmp_path / "campaigns.csv", index=False)
    text = (tmp_path / "campaigns.csv").read_text().splitlines()
    place = text[0].split(",").index("instance")
    assert [line.split(",")[place] for line in text[1:4]] == [str(2**62 + 1), "", "0"]
    pd.testing.assert_extension_array_equal(
        read_table(tmp_path / "campaigns.csv")["instance"].array, large
    )
