"""Each round pays the change of what a campaign that ended now would be worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit, TransformReward
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

import ombo_gym
from ombo_gym.wrappers import DenseReward, ScoreReward
from tests.wrappers.cases import make, make_native
from tests.wrappers.test_score_reward import UTILITIES, played, value_spoken_of


def worth_now(name: str, batches: list[np.ndarray], start_best: float) -> float:
    """The utility of a campaign that has ended, by its definition."""
    value = value_spoken_of(name, batches, start_best)
    if name in ("best", "auc"):
        return value - start_best
    return value * sum(map(len, batches)) if name == "total" else value


@given(
    name=st.sampled_from(list(UTILITIES)),
    plates=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    shift=st.sampled_from([0.0, -9.4e9]),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_rounds_pay_the_change_and_the_return_is_the_utility(
    name: str, plates: list[int], shift: float, seed: int
) -> None:
    campaign = ombo_gym.make_campaign(
        lambda design: shift + np.sin(9 * design["x"]),
        {"x": (0.0, 1.0)},
        plates=plates,
        utility=UTILITIES[name],
    )
    rewards, batches, start_best, info = played(DenseReward(campaign), seed)
    worth = [worth_now(name, batches[: i + 1], start_best) for i in range(len(plates))]
    room = 1e-12 * max(1, abs(shift)) * sum(plates)
    np.testing.assert_allclose(rewards, np.diff(worth, prepend=0.0), atol=room)
    assert sum(rewards) == pytest.approx(info["utility"], rel=1e-12, abs=room)


@pytest.mark.parametrize("name", UTILITIES)
def test_in_scores_rounds_pay_the_change_of_the_score_in_either_order(name: str) -> None:
    def campaign() -> Any:
        return make("box", plates=[2, 1, 3], utility=UTILITIES[name])

    rewards, batches, start_best, info = played(ScoreReward(DenseReward(campaign())))
    twin = DenseReward(ScoreReward(campaign()))
    np.testing.assert_allclose(played(twin)[0], rewards, atol=1e-12)
    campaigns = twin.unwrapped.campaigns
    room = campaigns.problem.best_known(campaigns.instances)[0] - start_best
    scores = [
        (value_spoken_of(name, batches[: i + 1], start_best) - start_best) / room for i in range(3)
    ]
    np.testing.assert_allclose(rewards, np.diff(scores, prepend=0.0), atol=1e-12)
    assert info["score"] == pytest.approx(scores[-1])


def test_of_beliefs_the_best_posterior_mean_is_paid_as_it_changes() -> None:
    settings: dict[str, Any] = {"utility": "recommendation", "horizon": 4, "batch_size": 1}
    env = DenseReward(make("arms", **settings))
    env.reset(seed=1)
    before, total = 0.0, 0.0
    for _ in range(4):
        observation, reward, _, _, info = env.step(env.action_space.sample())
        prior = ombo_gym.campaign_spec(env).prior
        seen = observation["designs"][None], observation["measurements"][None]
        mean = prior.posterior_means(*seen, observation["observed"][None] == 1).max()
        assert reward == pytest.approx(mean - before)
        before, total = mean, total + reward
    assert total == pytest.approx(info["utility"])


def test_wasted_slots_are_worth_nothing_here_either() -> None:
    env = DenseReward(make("pool", utility="last_mean", batch_size=2, horizon=2))
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.array([3, 3]))
    assert info["wasted"] == 1 and reward == pytest.approx(info["true_values"][0] / 2)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_returns_of_campaigns_one_after_the_other_are_their_utilities(mode: str) -> None:
    settings: dict[str, Any] = {"horizon": [1, 3], "batch_size": [1, 3], "utility": "last_max"}
    envs = DenseReward(make_native("sequences", 4, mode, **settings))
    envs.reset(seed=0)
    envs.action_space.seed(0)
    returns, ended = np.zeros(4), 0
    for _ in range(12):
        _, rewards, over, _, infos = envs.step(envs.action_space.sample())
        returns += rewards
        last = infos.get("final_info", infos)
        for row in np.flatnonzero(over):
            assert returns[row] == pytest.approx(last["utility"][row])
            returns[row], ended = 0.0, ended + 1
    assert ended >= 12


class Patient(ombo_gym.Utility):
    """The best of the last batch, in tens, written as a gain."""

    name = "tens_of_the_last"
    last_round_only = True

    @override
    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        return np.where(np.asarray(rounds_left) > 1, 0.0, 10 * batch.max(axis=-1))

    @override
    def level(self, utility: Any, base: Any, measurements: int) -> Any:
        return utility / 10


def test_a_utility_of_one_s_own_is_asked_what_stopping_is_worth() -> None:
    def campaign() -> Any:
        return make("box", utility=Patient(), horizon=3, batch_size=2)

    rewards, batches, start_best, _ = played(DenseReward(campaign()))
    largest = [batch.max() for batch in batches]
    np.testing.assert_allclose(rewards, 10 * np.diff(largest, prepend=0.0))
    scored = ScoreReward(DenseReward(campaign()), best_known=7.0)
    expected = np.diff([(each - start_best) / (7.0 - start_best) for each in largest], prepend=0.0)
    np.testing.assert_allclose(played(scored)[0], expected)


def test_what_wrappers_between_pay_stays() -> None:
    def campaign() -> Any:
        return make("box", utility="last_mean", horizon=3)

    costly = DenseReward(TransformReward(campaign(), lambda reward: reward - 0.5))
    expected = np.array(played(DenseReward(campaign()))[0]) - 0.5
    np.testing.assert_allclose(played(costly)[0], expected, atol=1e-12)


def test_a_campaign_that_is_cut_short_was_paid_what_it_was_worth() -> None:
    env = DenseReward(TimeLimit(make("box", utility="last_mean", horizon=5), 2))
    env.reset(seed=0)
    steps = [env.step(env.action_space.sample()) for _ in range(2)]
    assert steps[-1][3] and not steps[-1][2]
    worth = steps[-1][4]["true_values"].mean()
    assert sum(step[1] for step in steps) == pytest.approx(worth)
    assert np.isfinite(env.reset(seed=1)[0]["measurements"]).all()


def test_rows_that_were_cut_short_begin_anew() -> None:
    rows = [lambda: TimeLimit(make("box", utility="last_mean", horizon=5), 2)] * 2
    envs = DenseReward(SyncVectorEnv(rows, autoreset_mode=AutoresetMode.NEXT_STEP))
    envs.reset(seed=0)
    for _ in range(2):
        steps = [envs.step(envs.action_space.sample()) for _ in range(3)]
        assert steps[1][3].all() and not steps[2][1].any()  # the third begins them anew
        worth = steps[1][4]["true_values"].mean(axis=1)
        np.testing.assert_allclose(steps[0][1] + steps[1][1], worth)


def test_whether_the_best_was_kept_is_not_lost_to_rounding() -> None:
    def value(design: Any) -> float:
        return 0.3 if design["x"] > 0 else -1000.0

    start = {"kind": "listed", "designs": [{"x": 1.0}]}
    env = ScoreReward(
        DenseReward(
            ombo_gym.make_campaign(
                value, {"x": (-1.0, 1.0)}, start=start, plates=[1, 1], utility="last_max"
            )
        ),
        best_known=0.3,
    )
    env.reset(seed=0)
    steps = [env.step(np.full((1, 1), x, np.float32)) for x in (-1, 1)]
    assert -1000.0 + (0.3 + 1000.0) < 0.3
    assert [step[1] for step in steps] == [0.0, 1.0]


def test_twice_is_refused() -> None:
    for env in (make("box"), make_native("box", 2, "NextStep")):
        with pytest.raises(ValueError, match="got DenseReward's"):
            DenseReward(ScoreReward(DenseReward(env)))
