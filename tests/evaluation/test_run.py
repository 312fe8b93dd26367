"""Evaluation runs: the same campaigns however they are cut up, launched or told."""

from __future__ import annotations

import shutil
import zlib
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest
from small_runs import CAMPAIGNS, ENV, PLAN, POLICIES, SEED, text, write_policy

import ombo_agents
from ombo_gym.evaluation.cells import SEEDS, WEIGHT, Cell, play
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run

COLUMNS = [
    *("env", "env_kwargs", "policy", "method", "told_horizon", "horizon", "batch_size", "utility"),
    *("start", "campaign", "seed", "instance", "value", "best_value", "start_best", "auc"),
    *("distinct", "model_queries", "best_known", "score", "seen"),
]


@pytest.fixture
def results(kept):
    return kept.results


@pytest.fixture
def trained(tmp_path):
    return write_policy(tmp_path / "runs" / "one", seed=0)


def test_there_is_a_row_for_every_policy_horizon_campaign_and_word_in_the_plan_s_order(results):
    table = results.campaigns
    assert list(table) == COLUMNS
    assert len(table) == 2 * 4 * 2 * CAMPAIGNS
    order = list(dict.fromkeys(map(tuple, table[["told_horizon", "horizon", "policy"]].to_numpy())))
    assert order == [(t, n, p) for t in ("true", "one") for n in (1, 3) for p in POLICIES]
    for _, group in table.groupby(["told_horizon", "horizon", "policy"]):
        assert group["campaign"].tolist() == list(range(CAMPAIGNS))
        assert group["seed"].tolist() == list(range(SEED, SEED + CAMPAIGNS))
        assert (group["utility"] == "best").all() and (group["batch_size"] == 4).all()
        assert (group["env"] == ENV).all()
    assert table["value"].notna().all() and (table["value"] >= 0).all()


def test_the_size_of_the_blocks_changes_nothing(results):
    for block in (1, 250):
        again = run(replace(PLAN, block=block))
        assert text(again.campaigns) == text(results.campaigns), block
        assert text(again.exploration) == text(results.exploration), block


def test_two_processes_play_what_one_plays(results, tmp_path):
    again = run(PLAN, launch=Launch("loky", 2), folder=tmp_path)
    assert text(again.campaigns) == text(results.campaigns)
    assert text(again.exploration) == text(results.exploration)
    resumed = run(PLAN, folder=tmp_path, resume=True)
    assert text(resumed.campaigns) == text(results.campaigns)


def test_more_campaigns_leave_the_first_ones_as_they_are(results):
    more = run(replace(PLAN, campaigns=CAMPAIGNS + 1)).campaigns
    first = more[more["campaign"] < CAMPAIGNS].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, results.campaigns)


def test_other_policies_beside_it_leave_a_policy_s_campaigns_as_they_are(results):
    alone = run(replace(PLAN, policies=("thompson",), horizons=(3,))).campaigns
    table = results.campaigns
    same = table[(table["policy"] == "thompson") & (table["horizon"] == 3)].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, same)


def test_all_policies_begin_with_the_same_start(results):
    """At N = 1 all know the same, and the best of a campaign contains the best of its start."""
    table = results.campaigns
    starts = table["best_value"] - table["value"]  # utility "best" counts from the start's best
    for _, group in table.assign(start=starts).groupby("campaign"):
        np.testing.assert_allclose(group["start"], group["start"].iloc[0], atol=1e-12)


def test_a_value_is_what_the_single_env_of_that_seed_pays_played_by_hand():
    settings = {"batch_size": 2, "env_kwargs": {"noise_std": 0.1}, "seed": 17, "told": ["true"]}
    utilities = ["best", "last_mean"]
    table = run(
        EvaluationPlan(ENV, POLICIES, [3], utilities=utilities, campaigns=3, **settings)
    ).campaigns
    for (name, utility), group in table.groupby(["policy", "utility"]):
        env = gym.make(ENV, horizon=3, batch_size=2, utility=utility, noise_std=0.1)
        policy = ombo_agents.make(name, env)
        for campaign, value in enumerate(group["value"]):
            rng = np.random.default_rng([17, campaign, zlib.crc32(name.encode())])
            observation, _ = env.reset(seed=17 + campaign)
            over, total = False, 0.0
            while not over:
                batch = {key: array[None] for key, array in observation.items()}
                action = policy.act(batch, [rng])[0]
                observation, reward, over, _, info = env.step(action)
                total += reward
            assert value == info["utility"] == pytest.approx(total), (name, utility)
    assert len(table) == len(POLICIES) * len(utilities) * 3


def test_what_a_policy_draws_follows_from_seed_campaign_and_policy_alone():
    def of(**changes):
        cell = Cell(ENV, "random", "true", 1, 4, "last_mean", 5, 0, 6)
        return play(replace(cell, **changes)).columns["value"]

    np.testing.assert_array_equal(of(), of(horizon_shown="one"))
    np.testing.assert_array_equal(of()[2:], of(first=2, campaigns=4))
    assert (of(utility="last_max") > of()).all()  # of the same batches, however they are scored
    assert (of() != of(policy="sobol")).all()
    # Another seed for the same campaigns: the objectives stay, the draws are others.
    assert (of(seed=6)[:5] != of()[1:]).all()


# --- what is told -----------------------------------------------------------------------------


def make_myopic(name, spec):
    return ombo_agents.Myopic(ombo_agents.make(name, spec))


def test_rows_told_one_are_what_the_myopic_policy_plays(results):
    """Those derived for policies that do not listen, and those that were played."""
    table = results.campaigns
    as_last_round = table[table["told_horizon"] == "one"]
    for (name, horizon), group in as_last_round.groupby(["policy", "horizon"]):
        cell = Cell(
            *(ENV, name, "true", horizon, 4, "best", SEED, 0, CAMPAIGNS),
            maker=f"{__name__}:make_myopic",
        )
        expected = play(cell).columns["value"]
        np.testing.assert_array_equal(group["value"], expected, f"{name}, N = {horizon}")


def test_what_is_told_changes_nothing_but_for_who_listens_and_has_more_than_one_round(results):
    table = results.campaigns.set_index(["told_horizon", "policy", "horizon"])["value"]
    for name in POLICIES:
        for horizon in (1, 3):
            same = np.array_equal(table["true", name, horizon], table["one", name, horizon])
            assert same == (horizon == 1 or name != "explore_then_exploit")


def test_policies_that_do_not_listen_are_played_once(played):
    run(replace(PLAN, horizons=(2,), block=11))
    assert sorted((cell.policy, cell.horizon_shown) for cell in played) == sorted(
        [*((name, "true") for name in POLICIES), ("explore_then_exploit", "one")]
    )


@pytest.mark.parametrize("told", [("one",), ("true",), ("one", "true")])
def test_any_words_can_be_told_in_any_order(told, kept, tmp_path):
    folder = shutil.copytree(kept.folder, tmp_path / "cells")
    again = run(replace(PLAN, told=told), folder=folder, resume=True)
    assert list(dict.fromkeys(again.campaigns["told_horizon"])) == list(told)
    for word in told:
        table, expected = (
            each[each["told_horizon"] == word].reset_index(drop=True)
            for each in (again.campaigns, kept.results.campaigns)
        )
        pd.testing.assert_frame_equal(table, expected)
    assert set(again.exploration["policy"]) == {"ucb", "explore_then_exploit"}


# --- exploration weights ----------------------------------------------------------------------


def test_the_mean_weights_of_a_schedule_are_its_own(results):
    key = ["policy", "told_horizon", "horizon", "round"]
    weights = results.exploration.set_index(key).sort_index()
    mean = weights["weight_mean"]
    np.testing.assert_allclose(mean["explore_then_exploit", "true", 3], [2, 1, 0], atol=1e-5)
    np.testing.assert_allclose(mean["explore_then_exploit", "one", 3], [0, 0, 0], atol=1e-5)
    np.testing.assert_allclose(mean["ucb", "true", 3], [2, 2, 2], atol=1e-5)
    np.testing.assert_allclose(weights["weight_first"], weights["weight_last"])
    assert not weights.index.duplicated().any()


def test_mean_weights_are_means_over_campaigns_whatever_the_blocks(trained):
    plan = EvaluationPlan(env=ENV, policies=[str(trained)], horizons=[2], campaigns=7, block=3)
    weights = run(plan).exploration
    cell = plan.cells()[0]
    whole = play(replace(cell, campaigns=7)).weights
    mine = weights[weights["told_horizon"] == "true"]
    np.testing.assert_allclose(
        mine[["weight_first", "weight_last", "weight_mean"]], whole * WEIGHT / 7
    )


# --- trained policies -------------------------------------------------------------------------


def test_a_trained_policy_s_folder_is_a_policy_s_name(trained):
    plan = EvaluationPlan(env=ENV, policies=["greedy", str(trained)], horizons=[1, 2], campaigns=3)
    results = run(plan)
    assert set(results.campaigns["policy"]) == {"greedy", str(trained)}
    table = results.campaigns.set_index(["policy", "told_horizon", "horizon"])["value"]
    assert np.array_equal(table[str(trained), "true", 1], table[str(trained), "one", 1])
    assert len(results.exploration[results.exploration["policy"] == str(trained)]) == 3 + 2


def test_what_policies_ask_their_own_models_is_counted_over_all_rounds():
    plan = EvaluationPlan(
        env="Ombo/TFBind8-v0",
        policies=["ensemble_greedy:hidden=8;members=2;epochs=1", "random"],
        horizons=[2],
        campaigns=2,
        told=["true"],
        env_kwargs={"start": {"kind": "percentile", "size": 16}},
    )
    asked = run(plan).campaigns.groupby("policy")["model_queries"].unique()
    assert asked["random"] == [0]
    assert asked[plan.policies[0]] == [2 * 4**8]


# --- what is refused, before anything is played -----------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"policies": []}, "policies: expected .*at least one"),
        ({"policies": ["ucb", "ucb"]}, "policies: .*each once"),
        ({"horizons": []}, "horizons: expected at least one"),
        ({"utilities": []}, "utilities: expected at least one"),
        ({"told": ["true", "false"]}, "told: expected 'true', 'one' or both"),
        ({"campaigns": 0}, "at least 1 campaign"),
        ({"seed": -1}, "seeds from 0 below 2147483648"),
        ({"seed": SEEDS - CAMPAIGNS + 1}, "seeds from 0 below 2147483648"),
        ({"env_kwargs": {"dim": 1, "utility": "total"}}, "env_kwargs: .*'utility'.*utilities"),
        ({"block": 0}, "block: expected at least 1"),
        ({"block": -4}, "block: expected at least 1"),
    ],
)
def test_a_plan_that_cannot_be_played_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(PLAN, **changes)
    assert replace(PLAN, seed=SEEDS - CAMPAIGNS).cells()[-1].campaigns == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"policies": ("random", "gredy")}, r"expected one of \['random', .*'gredy'"),
        ({"utilities": ("best", "wurst")}, r"utility: expected one of \['auc', 'best', .*'wurst'"),
        ({"horizons": (3, 0)}, "horizon: expected a whole number of at least 1"),
        ({"batch_size": 0}, "batch_size: expected a whole number of at least 1"),
        ({"env": "Ombo/TFBind8-v0", "policies": ("random", "sobol")}, "sobol does not suit"),
        ({"env_kwargs": {"start": {"kind": "pervcentile"}}}, "start: expected"),
    ],
)
def test_mistakes_show_before_anything_is_played(changes, message, played, tmp_path):
    with pytest.raises(ValueError, match=message):
        run(replace(PLAN, **changes), folder=tmp_path / "cells")
    assert not played and not (tmp_path / "cells").exists()


@pytest.mark.parametrize("key", ["num_envs", "autoreset_mode"])
def test_what_the_evaluation_sets_itself_is_refused(key):
    with pytest.raises(ValueError, match=key):
        replace(PLAN, env_kwargs={key: 2})
