"""Returns in scores are the scores of reports, whatever the utility, and nothing else changes."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AsyncVectorEnv
from gymnasium.wrappers import TransformReward
from hypothesis import given, settings
from hypothesis import strategies as st

import ombo_gym
from ombo_gym.scores import score
from ombo_gym.testing import assert_same
from ombo_gym.wrappers import DenseReward, ScoreReward
from tests.wrappers.cases import make, make_native

UTILITIES: dict[str, Any] = {
    "best": "best",
    "auc": "auc",
    "total": "total",
    "last_max": "last_max",
    "last_mean": "last_mean",
    "last_median": "last_median",
    "last_quantile": {"name": "last_quantile", "quantile": 0.7},
}


def played(env: Any, seed: int = 0) -> tuple[list[float], list[np.ndarray], float, dict[str, Any]]:
    """Rewards, true values of each batch, the start's best, and the last info."""
    _, info = env.reset(seed=seed)
    start_best, rewards, batches, over = info["best_value"], [], [], False
    env.action_space.seed(seed)
    while not over:
        _, reward, over, _, info = env.step(env.action_space.sample())
        assert type(reward) is float
        rewards.append(reward)
        batches.append(info["true_values"][~np.isnan(info["true_values"])])
    return rewards, batches, start_best, info


def value_spoken_of(name: str, batches: list[np.ndarray], start_best: float) -> float:
    """What a utility places on the scale, by its definition."""
    if name == "best":
        return max(start_best, *np.concatenate(batches))
    if name == "auc":
        best = [max(start_best, *np.concatenate(batches[: i + 1])) for i in range(len(batches))]
        return float(np.mean(best))
    if name == "total":
        return float(np.concatenate(batches).mean())
    of_last = {
        "last_max": np.max,
        "last_mean": np.mean,
        "last_median": np.median,
        "last_quantile": lambda batch: np.quantile(batch, 0.7),
    }
    return float(of_last[name](batches[-1]))


@given(
    name=st.sampled_from(list(UTILITIES)),
    plates=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    shift=st.sampled_from([0.0, -9.4e3]),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_the_return_is_the_score_by_its_definition(
    name: str, plates: list[int], scale: float, shift: float, seed: int
) -> None:
    campaign = ombo_gym.make_campaign(
        lambda design: shift + scale * np.sin(9 * design["x"]),
        {"x": (0.0, 1.0)},
        plates=plates,
        utility=UTILITIES[name],
    )
    top = shift + scale * 1.5
    rewards, batches, start_best, info = played(ScoreReward(campaign, best_known=top), seed)
    value = value_spoken_of(name, batches, start_best)
    expected = (value - start_best) / (top - start_best)
    tolerance = 1e-9 * (1 + abs(shift / scale))
    assert sum(rewards) == pytest.approx(expected, abs=tolerance, rel=1e-9)
    assert info["score"] == pytest.approx(expected, abs=tolerance, rel=1e-9)
    if name.startswith("last_"):
        assert rewards[:-1] == [0.0] * (len(plates) - 1)
    if name == "total":
        each = [(b.sum() - len(b) * start_best) / (top - start_best) / sum(plates) for b in batches]
        np.testing.assert_allclose(rewards, each, rtol=1e-6, atol=tolerance)


@pytest.mark.parametrize("utility", [*UTILITIES.values(), "recommendation"])
@pytest.mark.parametrize("dense", [False, True])
def test_the_return_is_what_reports_hold(utility: Any, dense: bool) -> None:
    env = make("arms", horizon=3, batch_size=1, utility=utility)
    rewards, _, start_best, info = played(ScoreReward(DenseReward(env) if dense else env), seed=2)
    each = (np.array([number]) for number in (info["utility"], start_best, info["optimum"]))
    reported = score(utility, *each, measurements=3)[0]
    assert info["score"] == pytest.approx(reported, abs=1e-12)
    assert sum(rewards) == pytest.approx(reported, abs=1e-12)


@pytest.mark.parametrize(
    "env_id", ["Ombo/GP-v0", "Ombo/BBOB-v0", "Ombo/PBO-v0", "Ombo/Ehrlich-v0", "Ombo/RNAFold-v0"]
)
def test_problems_say_themselves_what_has_the_score_one(env_id: str) -> None:
    pytest.importorskip("ioh" if "BO-" in env_id or "BBOB" in env_id else "numpy")
    pytest.importorskip("RNA" if "RNA" in env_id else "numpy")
    env = ScoreReward(gym.make(env_id, horizon=2, batch_size=2))
    rewards, batches, start_best, _ = played(env)
    campaigns = env.unwrapped.campaigns
    top = campaigns.problem.best_known(campaigns.instances)[0]
    expected = (value_spoken_of("best", batches, start_best) - start_best) / (top - start_best)
    assert sum(rewards) == pytest.approx(expected, abs=1e-9)


def test_rows_of_other_horizons_have_scores_of_their_own() -> None:
    settings: dict[str, Any] = {"horizon": [1, 4], "batch_size": [1, 3], "utility": "total"}
    envs = ScoreReward(make_native("box", 6, "SameStep", **settings))
    envs.reset(seed=3)
    start_best = envs.campaigns.best_value.copy()
    problem = envs.campaigns.problem
    tops = problem.best_known(envs.campaigns.instances)
    returns, sums, counts = np.zeros(6), np.zeros(6), np.zeros(6)
    seen = np.zeros(6, bool)
    for _ in range(4):
        _, rewards, over, _, infos = envs.step(envs.action_space.sample())
        last = infos.get("final_info", {})
        for row in np.flatnonzero(~seen):
            source = last if over[row] else infos
            values = source["true_values"][row]
            returns[row] += rewards[row]
            sums[row] += np.nansum(values)
            counts[row] += np.isfinite(values).sum()
        for row in np.flatnonzero(over & ~seen):
            assert last["score"][row] == pytest.approx(returns[row])
        seen |= over
    assert seen.all() and len(set(counts.tolist())) > 1
    np.testing.assert_allclose(returns, (sums / counts - start_best) / (tops - start_best))


@pytest.mark.parametrize("below", [0.0, 3.0])
@pytest.mark.parametrize("utility", ["best", "last_mean", "total"])
def test_where_the_start_holds_the_best_known_the_last_round_says_whether_it_was_kept(
    utility: str, below: float
) -> None:
    settings: dict[str, Any] = {"horizon": 3, "batch_size": 2, "utility": utility}
    top = make("choices", **settings).reset(seed=0)[1]["best_value"] - below
    for seed in range(3):  # of actions; some keep it and some do not
        env = ScoreReward(make("choices", **settings), best_known=top)
        _, info = env.reset(seed=0)
        env.action_space.seed(seed)
        steps = [env.step(env.action_space.sample()) for _ in range(3)]
        batches = [step[4]["true_values"] for step in steps]
        kept = value_spoken_of(utility, batches, info["best_value"]) >= top
        assert [step[1] for step in steps] == [0.0, 0.0, float(kept)]


def test_campaigns_and_infos_stay_as_they_are() -> None:
    settings = {"horizon": 2, "batch_size": 2, "noise_std": 0.1}
    plain, env = make("box", **settings), ScoreReward(make("box", **settings))
    for options in (None, {"optimum": True}):
        for twin in (plain, env):
            twin.action_space.seed(0)
        assert_same(env.reset(seed=4, options=options), plain.reset(seed=4, options=options))
        for _ in range(2):
            action = plain.action_space.sample()
            observation, _, *rest, info = env.step(action)
            info.pop("score", None)
            expected = plain.step(action)
            assert_same((observation, *rest, info), (expected[0], *expected[2:]))
        assert_same(env.reset(), plain.reset())  # what was asked for is kept
        assert ("optimum" in env.reset()[1]) is ("optimum" in plain.reset()[1])


def test_what_other_wrappers_pay_in_the_problem_s_units_is_put_in_scores() -> None:
    env = make("pool", horizon=3, batch_size=1)
    costly = ScoreReward(TransformReward(make("pool", horizon=3, batch_size=1), lambda r: r - 0.01))
    rewards, _, start_best, _ = played(ScoreReward(env))
    spent, *_ = played(costly)
    top = env.unwrapped.campaigns.optimum[0]
    expected = np.array(rewards) - 0.01 / (top - start_best)
    np.testing.assert_allclose(spent, expected, atol=1e-12)


def test_no_best_value_is_a_sentence_that_says_what_to_do() -> None:
    env = ScoreReward(make("mixed"))
    expected = r"expected a finite best value .*, got nan from .*best_known=\.\.\.\), or give"
    with pytest.raises(ValueError, match=expected):
        env.reset(seed=0)
    with pytest.raises(ResetNeeded):  # nothing was begun that could be paid
        env.step(env.action_space.sample())
    assert np.isfinite(played(ScoreReward(make("mixed"), best_known=9))[0]).all()


@pytest.mark.parametrize("given", [np.nan, np.inf, True, "1", [1.0], 1j])
def test_a_best_value_that_is_none_is_refused(given: Any) -> None:
    for env in (make("box"), make_native("box", 2, "NextStep")):
        with pytest.raises(ValueError, match="best_known: expected None or a finite number"):
            ScoreReward(env, best_known=given)


def test_what_cannot_be_wrapped_is_refused() -> None:
    with pytest.raises(ValueError, match="expected rewards in the problem's units"):
        ScoreReward(ScoreReward(make("box")))
    with pytest.raises(ValueError, match="expected an environment of ombo_gym"):
        ScoreReward(gym.make("CartPole-v1"))
    apart = AsyncVectorEnv([lambda: make("box")])
    with pytest.raises(ValueError, match="wrap the environments that an AsyncVectorEnv is made of"):
        ScoreReward(apart)
    apart.close()


def test_a_campaign_that_the_wrapper_did_not_begin_is_not_paid_by_guess() -> None:
    inner = make("pool", batch_size=1)
    inner.reset(seed=0)
    env = ScoreReward(inner)
    with pytest.raises(ResetNeeded, match=r"campaigns \[0\] were not begun by the wrapper"):
        env.step(env.action_space.sample())


def test_a_bad_action_changes_nothing() -> None:
    env, twin = (ScoreReward(make("pool", batch_size=1, horizon=2)) for _ in range(2))
    env.reset(seed=0), twin.reset(seed=0)
    with pytest.raises(ValueError, match="action: expected"):
        env.step(None)
    for action in (np.array([1]), np.array([2])):
        assert_same(env.step(action), twin.step(action))
