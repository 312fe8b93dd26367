"""What result pages say is what made-up campaigns say, computed by hand."""

from __future__ import annotations

import json
from pathlib import Path

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest

import ombo_agents
from ombo_gym.spec import campaign_spec
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate
from scripts.studies.adaptivity.page import gains as round_gains
from scripts.studies.misspecification.page import loss_table, planning_table
from scripts.studies.misspecification.plan import ENV, LENGTHSCALE, models
from scripts.studies.offline import fits
from scripts.studies.offline import page as offline_page
from scripts.studies.offline import plan as offline_plan
from scripts.studies.planning import page as planning_page
from scripts.studies.planning import plan as planning_plan
from scripts.studies.planning.differences import differences
from scripts.studies.truncation.plan import gains as shift_gains

STATIC = "explore_then_exploit:weights=3/1.5/0"


def width(values: np.ndarray, quantile: float) -> float:
    """Of a Student t interval."""
    return float(2 * quantile * values.std(ddof=1) / np.sqrt(len(values)))


# --- truncation and adaptivity --------------------------------------------------------------------


def test_truncation_gains_are_scores_with_the_shift_minus_without() -> None:
    rows = [
        (env, json.dumps({"split": "train", "surrogate": {"truncation": on}}), 1, "ucb", seed, s)
        for env, scores in {"A": ((0.1, 0.4), (0.2, 0.2)), "B": ((0.5, 0.3), (0.0, 1.0))}.items()
        for seed, (off, on_) in enumerate(scores)
        for on, s in ((False, off), (True, on_))
    ]
    columns = ["env", "env_kwargs", "horizon", "policy", "seed", "score"]
    table = shift_gains(pd.DataFrame(rows[::-1], columns=columns))
    assert table["gain"].tolist() == pytest.approx([0.3, 0.0, -0.2, 1.0])
    assert table["problem"].unique().tolist() == ["A train", "B train"]


def test_gains_of_rounds_are_paired() -> None:
    one, four = np.array([0.1, 0.5, 0.3]), np.array([0.4, 0.6, 0.5])
    scored = pd.DataFrame(
        {
            "problem": "P",
            "method": "m",
            "seed": [0, 1, 2, 2, 1, 0],
            "horizon": [1] * 3 + [4] * 3,
            "score": [*one, *four[::-1]],
        }
    )
    (row,) = round_gains(scored).itertuples()
    assert row.gain == pytest.approx((four - one).mean())
    assert row.high - row.low == pytest.approx(width(four - one, 4.302653), rel=1e-6)


# --- misspecification -----------------------------------------------------------------------------


def test_models_differ_in_what_they_know_and_in_nothing_else() -> None:
    surrogates = models(LENGTHSCALE)
    assert list(surrogates)[:2] == ["own", "fitted"] and len(surrogates) == 6
    starts, scales = [], {}
    for name, surrogate in surrogates.items():
        env = gym.make(ENV, surrogate=surrogate)
        observation, _ = env.reset(seed=3)
        starts.append(observation["measurements"])
        posterior = Posterior(
            make_surrogate(campaign_spec(env)),
            observation["designs"][None, :4].astype(float),
            observation["measurements"][None, :4],
        )
        scales[name] = (float(posterior.lengthscale[0]), float(posterior.outputscale[0]))
    for values in starts:
        np.testing.assert_array_equal(values, starts[0])
    assert scales["own"] == (LENGTHSCALE, 1.0) and scales["fitted"][1] != 1.0
    for factor in (0.25, 0.5, 2, 4):
        assert scales[f"lengthscale x {factor:g}"] == (pytest.approx(factor * LENGTHSCALE), 1.0)


def test_losses_and_differences_of_models_are_paired() -> None:
    rng = np.random.default_rng(0)
    rows = [
        ("best", horizon, policy, model, seed, rng.normal())
        for horizon in (1, 2)
        for policy in ("rollout", "greedy", "ucb", "explore_then_exploit", "random")
        for model in (("own",) if policy == "random" else ("own", "fitted", "lengthscale x 4"))
        for seed in rng.permutation(5)
    ]
    columns = ["utility", "horizon", "policy", "model", "seed", "value"]
    played = pd.DataFrame(rows, columns=columns)

    def values(policy: str, model: str) -> np.ndarray:
        chosen = played[(played["horizon"] == 2) & (played["policy"] == policy)]
        return chosen[chosen["model"] == model].sort_values("seed")["value"].to_numpy()

    losses = loss_table(played).set_index(["horizon", "policy", "model"])
    row = losses.loc[(2, "ucb", "fitted")]
    assert row["value"] == pytest.approx(values("ucb", "fitted").mean())
    loss = values("ucb", "own") - values("ucb", "fitted")
    assert row["loss"] == pytest.approx(loss.mean())
    assert row["loss_high"] - row["loss_low"] == pytest.approx(width(loss, 2.776445), rel=1e-6)
    planned = planning_table(played).set_index(["horizon", "model", "rival"])
    assert set(planned.index.get_level_values("horizon")) == {2}
    assert planned.loc[(2, "fitted", "ucb"), "difference"] == pytest.approx(
        (values("rollout", "fitted") - values("ucb", "fitted")).mean()
    )


# --- planning -------------------------------------------------------------------------------------


def planning_campaigns() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    above = {"rollout": 1.0, "ucb": 0.0, "random": 0.99, STATIC: 2.0, "botorch_multistep": -1.0}
    rows = [
        ("best", policy, seed, above[policy] + 0.1 * rng.normal())
        for policy in above
        for seed in rng.permutation(4 if policy == "botorch_multistep" else 9)
    ]
    return pd.DataFrame(rows, columns=["utility", "policy", "seed", "value"])


def test_differences_are_paired_and_of_the_campaigns_that_both_played() -> None:
    played = planning_campaigns()
    table = differences(played)

    def values(policy: str) -> np.ndarray:
        return played[played["policy"] == policy].sort_values("seed")["value"].to_numpy()

    by_policy = table.set_index("policy")
    assert by_policy.index[0] == STATIC and by_policy.loc["rollout", "difference"] == 0
    row, difference = by_policy.loc["ucb"], values("rollout") - values("ucb")
    assert row["difference"] == pytest.approx(difference.mean())
    interval = row["difference_high"] - row["difference_low"]
    assert interval == pytest.approx(width(difference, 2.306004), rel=1e-6)
    row = by_policy.loc["botorch_multistep"]
    assert row["campaigns"] == 4
    assert row["planner_mean"] == pytest.approx(values("rollout")[:4].mean())
    assert by_policy["knows_horizon"].to_dict() == {
        STATIC: True,
        "rollout": True,
        "random": False,
        "ucb": False,
        "botorch_multistep": True,
    }
    comparison = planning_plan.Comparison(table, differences(played), {"best": STATIC})
    page = planning_page.page(comparison, planning_plan.Args(command="a command")).text
    assert "above 1 of 2 policies that ignore N, not `random`" in page
    assert "    a command\n" in page and "on 9 other campaigns" in page and "nan" not in page
    assert "`best`: 3 / 1.5 / 0" in page
    assert f"| **{by_policy.loc['ucb', 'difference']:+.3f} [" in page


def test_those_who_came_nearest_play_again() -> None:
    nearest = planning_plan.finalists(differences(planning_campaigns()), {"best": STATIC})
    assert nearest == {"best": ["rollout", STATIC, "random", "ucb"]}  # not BoTorch's: too slow


def test_slow_policies_play_all_where_few_campaigns_leave_it_open() -> None:
    played = planning_campaigns()
    few = played[(played["policy"] == "rollout") & (played["seed"] < 4)]
    rivals = [
        few.assign(policy="botorch_logei", value=few["value"] + [0.1, -0.2, 0.1, 0.1]),
        few.assign(policy="coms", value=few["value"] - [0.9, 1.0, 1.0, 1.0]),
        few.assign(policy="botorch_multistep", value=few["value"]),  # it knows N
    ]
    table = differences(pd.concat([played[played["policy"] != "botorch_multistep"], *rivals]))
    assert planning_plan.undecided(table) == {"best": ["botorch_logei"]}


def test_everybody_who_can_plays() -> None:
    for utility in planning_plan.UTILITIES:
        players = {*planning_plan.fast(utility), *planning_plan.slow(utility)}
        assert {"rollout", "turbo", "cmaes", "coms", "botorch_logei", "binoculars"} <= players
        assert not {"adalead", "d_optimal", "bayes_optimal"} & players
    assert "botorch_multistep" in planning_plan.slow("best")
    constants = planning_plan.constants()
    assert "ucb:weight=0" in constants and "ucb:weight=2" not in constants


# --- offline --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gradient_mean", "reinforce", "random"])
def test_policies_that_remember_propose_the_same_from_one_fit(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fits, "FITS", tmp_path)
    for q in (3, 5):
        for utility in ("last_max", "last_median"):
            env = gym.make(
                "Ombo/TFBinding-v0",
                horizon=1,
                batch_size=q,
                utility=utility,
                start={"kind": "percentile", "size": 20},
            )
            observation, _ = env.reset(seed=2)
            batch = {key: array[None] for key, array in observation.items()}
            rng = [np.random.default_rng(7)]
            expected, details = ombo_agents.make(name, env).explain(batch, rng)
            for _ in range(2):
                policy = fits.make(name, campaign_spec(env))
                proposed, queries = policy.explain(batch, [np.random.default_rng(7)])
                np.testing.assert_array_equal(proposed, expected)
                assert queries == details
    kept = len(list(tmp_path.iterdir()))
    assert kept == (0 if name == "random" else 3)  # a fit, and a search for each q


def test_everything_published_that_is_there_is_played_beside_random() -> None:
    methods = offline_plan.known_methods()
    assert methods[0] == "random" and "ensemble_greedy" in methods
    assert set(offline_plan.PUBLISHED) - {"cmaes"} <= set(methods)


def test_the_offline_page_says_who_is_within_and_who_is_above_random() -> None:
    scores = {
        "random": (0.94, 0.44),
        "gradient_mean": (0.98, 0.6),
        "coms": (0.80, 0.44),
        "mins": (0.94, 0.40),
    }
    rows = [
        {
            "batch_size": q,
            "policy": name,
            "utility": utility,
            "campaign": trial,
            "value": score + 0.01 * ((trial * 7 + len(name)) % 5 - 2),
            "distinct": q,
        }
        for q in offline_plan.BATCH_SIZES
        for name, pair in scores.items()
        for utility, score in zip(offline_plan.UTILITIES, pair, strict=True)
        for trial in range(20)
    ]
    table = offline_plan.summary(pd.DataFrame(rows), list(scores), 20)
    row = table[(table["batch_size"] == 128) & (table["method"] == "gradient_mean")].iloc[0]
    assert row["last_median_above"] == pytest.approx(0.16, abs=0.02)
    assert row["last_median_above_low"] < row["last_median_above"] < row["last_median_above_high"]
    assert row["last_max"] == pytest.approx(0.98, abs=0.01)
    page = offline_page.page(table, offline_plan.Args(trials=20)).text
    assert "Within two published standard deviations: `gradient_mean`, `mins`." in page
    assert "`coms`, which is below" in page
    assert page.count("Above random on both: `gradient_mean`.") == 3
    assert page.count("Not above random on either: `coms`, `mins`.") == 3
    assert page.count("Below random on one or both: `coms`, `mins`.") == 3
    assert "| `random` | 0.9" in page and "`bo_qei`" in page
