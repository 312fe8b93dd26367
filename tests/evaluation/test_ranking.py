"""Scores, ranks, leaderboard, profiles and improvement: by hand, against scipy and rliable."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pandas.util._decorators as decorators
import pytest
import scipy.stats
from statsmodels.stats.multitest import multipletests

from ombo_gym.evaluation.aggregates import rank_of
from ombo_gym.evaluation.ranking import improvement, leaderboard, normalised, profiles, ranks
from ombo_gym.evaluation.tables import paired, summarise

TABLES = (leaderboard, profiles, improvement, ranks)
few = pytest.mark.usefixtures("few_resamples")
RUNS = {f"runs/{i}": "runs/*" for i in range(3)}
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


def played(values, **same):
    """Campaigns from {(policy, problem): one value per campaign}, told the true horizon."""
    rows = [
        {"env": str(env), "env_kwargs": "{}", "policy": policy, "told_horizon": "true"}
        | {"method": RUNS.get(policy, policy), "horizon": 2, "batch_size": 4, "utility": "best"}
        | {"campaign": i, "seed": i, "value": float(value), "distinct": 1.0, **same}
        for (policy, env), column in values.items()
        for i, value in enumerate(column)
    ]
    return pd.DataFrame(rows)


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
    """Normalised scores as rliable takes them: {method: (campaigns, settings)}."""
    frame = normalised(campaigns)
    return {
        method: group.pivot(index="campaign", columns="env", values="score").to_numpy()
        for method, group in frame.groupby("method", sort=False)
    }


# Scores ------------------------------------------------------------------------------------------


def test_scores_by_hand():
    campaigns = played({("random", 0): [1, 3], ("a", 0): [2, 10], ("b", 0): [0, 2]})
    # random's mean 2 is 0, a's mean 6 is 1, since a is best on both; b is below random
    assert normalised(campaigns)["score"].tolist() == [-0.25, 0.25, 0.0, 2.0, -0.5, 0.0]
    without = normalised(campaigns[campaigns["policy"] != "random"])  # b's mean 1 is 0
    assert without["score"].tolist() == pytest.approx([0.2, 1.8, -0.2, 0.2])


def test_one_is_what_the_best_on_each_campaign_reached():
    campaigns = played({("random", 0): [0, 0], ("a", 0): [4, 0], ("b", 0): [0, 2]})
    assert normalised(campaigns)["score"].tolist() == pytest.approx([0, 0, 4 / 3, 0, 0, 2 / 3])
    partly = campaigns.drop(index=3)  # a's second campaign failed
    assert normalised(partly)["score"].tolist() == pytest.approx([0, 0, 4 / 3, 0, 2 / 3])


def test_those_told_one_are_measured_on_the_same_scale():
    true = played({("random", 0): [0, 0], ("a", 0): [1, 1]})
    one = played({("random", 0): [5, 5], ("a", 0): [2, 2]}, told_horizon="one")
    scores = normalised(pd.concat([true, one], ignore_index=True))["score"]
    assert scores.tolist() == pytest.approx([0, 0, 0.2, 0.2, 1, 1, 0.4, 0.4])


def test_where_nobody_beats_random_all_scores_are_zero():
    campaigns = played({("random", 0): [2, 4], ("a", 0): [1, 1]})
    assert normalised(campaigns)["score"].tolist() == [0.0] * 4
    assert (leaderboard(campaigns)["score"] == 0).all()


@few
def test_the_unit_of_a_problem_does_not_matter(three_problems):
    factor = three_problems["env"].map({"0": 1.0, "1": 1000.0, "2": 0.01})
    other = three_problems.assign(value=three_problems["value"] * factor - 7)
    pd.testing.assert_frame_equal(leaderboard(other), leaderboard(three_problems))


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


# Leaderboard -------------------------------------------------------------------------------------


def test_scores_and_their_intervals_are_rliables(three_problems, rliable):
    scores = scores_of(three_problems)
    estimate, ends = rliable.get_interval_estimates(
        scores, lambda x: np.array([rliable.metrics.aggregate_iqm(x)]), reps=2000
    )
    frame = leaderboard(three_problems).set_index("method")
    assert frame.index.tolist() == ["better", "good", "random"]
    for method, row in frame.iterrows():
        assert row["score"] == pytest.approx(estimate[method][0])
        assert row["score_mean"] == pytest.approx(scores[method].mean())
        low, high = ends[method].ravel()
        found = (row["score_low"], row["score_high"])
        assert found == pytest.approx((low, high), abs=WITHIN * (high - low))


def test_ranks_over_settings_are_the_mean_of_each_settings(three_problems):
    every = ranks(three_problems).groupby("method")["rank"].mean()
    frame = leaderboard(three_problems).set_index("method")
    assert frame["rank"].to_dict() == every.to_dict()
    assert (frame["rank_low"] <= frame["rank"]).all()
    assert (frame["rank"] <= frame["rank_high"]).all()
    assert frame.loc["random", "rank_low"] == 3.0  # far behind in every resample
    assert frame["place"].tolist() == [1, 2, 3]


def test_the_first_is_tested_against_the_others_by_the_paired_test_in_one_problem(campaigns_of):
    campaigns = campaigns_of(horizons=[1, 3], utilities=["best"], told=["true"], campaigns=30)
    frame = leaderboard(campaigns).set_index("method")
    scores = normalised(campaigns).pivot_table(index="campaign", columns="method", values="score")
    first, *others = frame.index
    p_values = [scipy.stats.ttest_rel(scores[first], scores[name]).pvalue for name in others]
    _, adjusted, *_ = multipletests(p_values, method="holm")
    np.testing.assert_allclose(frame.loc[others, "p_holm"], adjusted, rtol=1e-6, atol=1e-12)
    assert math.isnan(frame.loc[first, "p_holm"])


def test_the_test_over_two_problems_is_welchs(campaigns_of):
    rng = np.random.default_rng(3)
    sizes = (30, 45)
    values = {("a", i): rng.normal(0.3, 1 + i, n) for i, n in enumerate(sizes)}
    campaigns = played(values | {("b", i): rng.normal(0, 1, n) for i, n in enumerate(sizes)})
    frame = leaderboard(campaigns).set_index("method")
    one, two = (
        group.pivot(index="campaign", columns="method", values="score").eval("a - b")
        for _, group in normalised(campaigns).groupby("env")
    )
    # mean(one) + mean(two) = 0 is what Welch's test asks of one and -two; we round its degrees
    expected = scipy.stats.ttest_ind(one, -two, equal_var=False)
    below = 2 * scipy.stats.t.sf(abs(expected.statistic), math.floor(expected.df))
    assert frame["p_holm"].iloc[1] == pytest.approx(below, rel=1e-6)


def test_settings_of_one_problem_are_resampled_together(campaigns_of):
    """Played twice over, the same campaigns say nothing new; other campaigns would."""
    again = campaigns_of(["random", "a"], utilities=["best"], horizons=[3], told=["true"])
    both = pd.concat([again, again.assign(batch_size=8)], ignore_index=True)
    pd.testing.assert_frame_equal(
        leaderboard(both).drop(columns="settings"), leaderboard(again).drop(columns="settings"),
        rtol=0.03,
    )  # fmt: skip
    apart = leaderboard(pd.concat([again, again.assign(env="other")], ignore_index=True))
    width = (apart["score_high"] - apart["score_low"]) / (
        leaderboard(again)["score_high"] - leaderboard(again)["score_low"]
    )
    assert width.to_numpy() == pytest.approx(math.sqrt(0.5), rel=0.12)


def test_settings_count_alike_however_many_campaigns_they_have():
    few, many = [0.0, 1.0, 2.0, 3.0], [10.0, 11.0, 12.0, 13.0] * 25
    frame = leaderboard(
        played({("random", 0): [0] * 4, ("a", 0): few, ("random", 1): [0] * 100, ("a", 1): many})
    ).set_index("method")
    assert frame.loc["a", "score_mean"] == pytest.approx(1.0)
    assert frame.loc["a", "settings"] == 2
    # scores 0, 2/3, 4/3, 2 of weight 1/8 each, about 1 of weight 1/2: what is left is about 1
    assert frame.loc["a", "score"] == pytest.approx(1.0, abs=0.03)


@few
def test_methods_that_did_not_play_everything_come_last_and_without_a_place(three_problems):
    less = three_problems[(three_problems["policy"] != "better") | (three_problems["env"] != "2")]
    frame = leaderboard(less).set_index("method")
    assert frame.index.tolist() == ["good", "random", "better"]
    assert frame["complete"].tolist() == [True, True, False]
    assert frame["settings"].tolist() == [3, 3, 2]
    assert frame.loc["better", ["rank", "rank_low", "p_holm", "place"]].isna().all()
    assert frame.loc["better", "score_low"] < frame.loc["better", "score_high"]
    assert set(profiles(less)["method"]) == {"random", "good"}
    assert improvement(less)[["method_a", "method_b"]].to_numpy().tolist() == [["random", "good"]]


def test_a_method_one_of_whose_runs_is_missing_somewhere_is_incomplete(campaigns_of):
    campaigns = campaigns_of(["random", *RUNS], method=RUNS, campaigns=8)
    less = campaigns[(campaigns["policy"] != "runs/1") | (campaigns["horizon"] != 5)]
    assert leaderboard(campaigns)["complete"].all()
    assert set(leaderboard(less).query("not complete")["method"]) == {"runs/*"}


def test_runs_are_resampled_within_their_method(campaigns_of):
    campaigns = campaigns_of(["random", *RUNS], method=RUNS, utilities=["best"], horizons=[3])
    spread = campaigns["policy"].map({"runs/0": -0.3, "runs/2": 0.3}).fillna(0.0)
    apart = campaigns.assign(value=campaigns["value"] + spread)

    def width(frame, low, high):
        row = frame[frame["method"] == "runs/*"].iloc[0]
        return row[high] - row[low]

    for table in (leaderboard(campaigns), leaderboard(apart)):
        assert table["method"].tolist() == ["runs/*", "random"]
    ours = [width(leaderboard(each), "score_low", "score_high") for each in (campaigns, apart)]
    assert ours[1] > 2 * ours[0]


def test_all_utilities_together_have_a_leaderboard_where_there_are_several(campaigns_of):
    campaigns = campaigns_of(campaigns=10, horizons=[1, 3])
    frame = leaderboard(campaigns)
    assert list(frame["utility"].unique()) == ["last_mean", "best", "all"]
    assert frame.groupby("utility")["settings"].first().to_dict() == dict(
        last_mean=2, best=2, all=4
    )
    one = leaderboard(campaigns[campaigns["utility"] == "best"])
    assert list(one["utility"].unique()) == ["best"]


@few
def test_where_nobody_was_told_the_horizon_those_told_one_are_ranked(campaigns_of):
    campaigns = campaigns_of(campaigns=10, horizons=[1, 3])
    only = campaigns[campaigns["told_horizon"] == "one"]
    for table in TABLES:
        pd.testing.assert_frame_equal(
            table(only), table(only.assign(told_horizon="true")).replace("true", "one")
        )


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


def test_campaigns_that_one_method_lacks_are_left_out_for_it_alone(three_problems):
    gone = (three_problems["policy"] == "good") & (three_problems["campaign"] < 100)
    frame = leaderboard(three_problems[~gone]).set_index("method")
    assert frame["complete"].all()
    whole = leaderboard(three_problems).set_index("method")
    assert frame.loc["good", "score"] != whole.loc["good", "score"]
    assert (frame["score_low"] < frame["score"]).all()
