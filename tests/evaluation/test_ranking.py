"""Ranks, profiles and improvement: by hand, against scipy and rliable."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pandas.util._decorators as decorators
import pytest
import scipy.stats
from scored_campaigns import RUNS, played
from statsmodels.stats.multitest import multipletests

from ombo_gym.evaluation.aggregates import rank_of
from ombo_gym.evaluation.ranking import improvement, profiles, ranks
from ombo_gym.evaluation.tables import paired, summarise

TABLES = (profiles, improvement, ranks)
few = pytest.mark.usefixtures("few_resamples")
# An end of a bootstrap interval of 2,000 resamples is known to 0.06 standard deviations of the
# estimate: sqrt(0.025 * 0.975 / 2000) / normal density at 1.96. Ours and rliable's differ by less
# than four times sqrt(2) as much; the interval is 3.92 such deviations wide.
WITHIN = 4 * math.sqrt(2) * 0.06 / 3.92


@pytest.fixture(scope="module")
def rliable():
    """rliable's library; `arch`, which it imports, decorates in a way that pandas 3 refuses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decorators, "deprecate_kwarg", lambda *_: lambda function: function)
        from rliable import library, metrics
    library.metrics = metrics
    np.random.seed(0)  # noqa: NPY002  (rliable draws from numpy's global generator)
    return library


@pytest.fixture(scope="module")
def three_problems():
    """Three methods on three problems of 400 campaigns that share no luck."""
    rng = np.random.default_rng(5)
    skill = {"random": 0.0, "good": 1.0, "better": 1.2}
    return played(
        {
            (policy, env): rng.exponential(1 + env, 400) + mean * (1 + env)
            for env in range(3)
            for policy, mean in skill.items()
        }
    )


def scores_of(campaigns):
    """Scores as rliable takes them: {method: (campaigns, settings)}."""
    return {
        method: group.pivot(index="campaign", columns="env", values="score").to_numpy()
        for method, group in campaigns.groupby("method", sort=False)
    }


# Ranks -------------------------------------------------------------------------------------------


def test_ranks_equal_scipys_with_the_mean_of_equal_ones():
    means = np.random.default_rng(0).integers(0, 4, (6, 50)).astype(float)
    expected = scipy.stats.rankdata(-means, method="average", axis=0)
    np.testing.assert_array_equal(rank_of(means), expected)


def test_the_tests_of_a_setting_equal_scipys_and_statsmodels(campaigns_of):
    campaigns = campaigns_of(horizons=[3], utilities=["best"], campaigns=40)
    for told in ("true", "one"):
        values = campaigns[campaigns["told_horizon"] == told].pivot(
            index="campaign", columns="policy", values="value"
        )
        frame = ranks(campaigns)
        frame = frame[frame["told_horizon"] == told].set_index("method")
        best = values.mean().idxmax()
        assert frame.index[0] == best and frame["rank"].tolist() == [1, 2, 3, 4, 5]
        assert (frame["methods"] == 5).all()
        others = frame.index[1:]
        tests = [scipy.stats.ttest_rel(values[best], values[name]) for name in others]
        p_values = [test.pvalue for test in tests]
        np.testing.assert_allclose(frame.loc[others, "p_value"], p_values, rtol=1e-6, atol=1e-12)
        _, adjusted, *_ = multipletests(p_values, method="holm")
        np.testing.assert_allclose(frame.loc[others, "p_holm"], adjusted, rtol=1e-6, atol=1e-12)
        assert (frame.loc[others, "tied"] == (adjusted >= 0.05)).all()
        np.testing.assert_allclose(frame["behind"], values[best].mean() - frame["mean"], atol=1e-12)
        low = [test.confidence_interval().low for test in tests]
        np.testing.assert_allclose(frame.loc[others, "ci_low"], low)
        assert frame.loc[best, ["behind", "ci_low", "ci_high"]].tolist() == [0, 0, 0]
        assert math.isnan(frame.loc[best, "p_value"]) and frame.loc[best, "tied"]


def test_a_method_of_several_runs_counts_with_their_mean(campaigns_of):
    campaigns = campaigns_of(["greedy", *RUNS], method=RUNS, utilities=["best"], horizons=[2])
    row = ranks(campaigns).set_index(["method", "told_horizon"]).loc[("runs/*", "true")]
    mine = campaigns[(campaigns["method"] == "runs/*") & (campaigns["told_horizon"] == "true")]
    assert row["methods"] == 2
    assert row["mean"] == pytest.approx(mine["value"].mean())


def test_equal_methods_share_a_rank_and_are_tied():
    frame = ranks(played({("a", 0): [1, 2, 3], ("b", 0): [1, 2, 3], ("c", 0): [0, 0, 0]}))
    assert frame["rank"].tolist() == [1.5, 1.5, 3.0]
    assert frame["tied"].tolist()[:2] == [True, True]
    assert frame["p_value"].iloc[1] == 1.0


# Profiles ----------------------------------------------------------------------------------------


def test_profiles_and_their_bands_are_rliables(three_problems, rliable):
    scores = scores_of(three_problems)
    frame = profiles(three_problems)
    taus = frame["score"].unique()
    assert len(taus) == 51
    share, ends = rliable.create_performance_profile(scores, taus, reps=2000)
    for method, rows in frame.groupby("method"):
        np.testing.assert_allclose(rows["share"], share[method], atol=1e-12)
        low, high = ends[method]
        within = WITHIN * (high - low) + 1 / 1200  # shares are counts of 1,200 campaigns
        assert (np.abs(rows["low"] - low) <= within).all()
        assert (np.abs(rows["high"] - high) <= within).all()


def test_a_share_falls_from_nearly_all_to_nearly_none(three_problems):
    for _, rows in profiles(three_problems).groupby("method"):
        assert (rows["share"].diff().dropna() <= 0).all()
        assert rows["low"].between(0, rows["share"]).all()
        assert rows["high"].between(rows["share"], 1).all()


def test_a_score_equal_to_tau_is_not_above_it():
    frame = profiles(played({("random", 0): [0, 0], ("a", 0): [0, 2]}))
    rows = frame[frame["method"] == "a"].set_index("score")["share"]
    assert rows.loc[0.0] == 0.5  # scores 0 and 2


# Improvement -------------------------------------------------------------------------------------


def test_the_probability_of_improvement_is_rliables_with_its_interval(three_problems, rliable):
    scores = scores_of(three_problems)
    frame = improvement(three_problems)
    assert len(frame) == 3 and (frame["settings"] == 3).all()
    for row in frame.itertuples():
        pair = [scores[row.method_a], scores[row.method_b]]
        expected = rliable.metrics.probability_of_improvement(*pair)
        assert row.probability == pytest.approx(expected)
        _, ends = rliable.get_interval_estimates(
            {"pair": pair},
            lambda x, y: np.array([rliable.metrics.probability_of_improvement(x, y)]),
            reps=150,
        )
        low, high = ends["pair"].ravel()
        # rliable's end of 150 resamples is known to 0.22 standard deviations, and it draws the
        # two methods apart: the correlation of 1,200 unpaired campaigns adds 0.03 at most twice
        within = (4 * 0.22 + 2 * 0.03) / 3.92 * (high - low)
        assert (row.low, row.high) == pytest.approx((low, high), abs=within)


def test_ties_are_half_an_improvement():
    a, b = [0, 0, 1, 2], [0, 1, 1, 3]
    (row,) = improvement(played({("a", 0): a, ("b", 0): b})).to_dict("records")
    pairs = list(itertools.product(a, b))
    assert row["probability"] == sum((x > y) + (x == y) / 2 for x, y in pairs) / 16
    statistic = scipy.stats.mannwhitneyu(a, b).statistic
    assert row["probability"] == statistic / 16


def test_a_certain_improvement_has_the_interval_of_wins_everywhere():
    (row,) = improvement(played({("a", 0): [2] * 20, ("b", 0): [1] * 20})).to_dict("records")
    expected = scipy.stats.binomtest(20, 20).proportion_ci(0.95).low
    assert (row["probability"], row["high"]) == (1.0, 1.0)
    assert row["low"] == pytest.approx(expected)


@few
def test_the_other_way_round_it_is_one_minus(three_problems):
    turned = three_problems.iloc[::-1].reset_index(drop=True)
    forward = improvement(three_problems).set_index(["method_a", "method_b"])
    for (a, b), row in improvement(turned).set_index(["method_a", "method_b"]).iterrows():
        other = forward.loc[(b, a)]
        assert row["probability"] == pytest.approx(1 - other["probability"])
        assert (row["low"], row["high"]) == pytest.approx((1 - other["high"], 1 - other["low"]))


# Rows that are shuffled or missing ---------------------------------------------------------------


@few
def test_the_order_of_rows_within_a_policy_changes_nothing(three_problems):
    order = np.random.default_rng(0).permuted(np.arange(3600).reshape(9, 400), axis=1)
    shuffled = three_problems.iloc[order.ravel()]
    assert not shuffled["campaign"].equals(three_problems["campaign"])
    for table in (*TABLES, summarise, paired):
        left, right = (
            each.sort_values([*each.columns], ignore_index=True)
            for each in (table(three_problems), table(shuffled))
        )
        pd.testing.assert_frame_equal(left, right)
