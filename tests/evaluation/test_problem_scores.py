"""Problem scores: 0 is the start's best value, 1 the best value known."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.problem_scores import problem_scores
from ombo_gym.evaluation.run import run
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.scores import score


@pytest.mark.parametrize(
    ("utility", "worth", "expected"),
    [
        ("best", 3.0, 0.5),  # from 2 to 5
        ("last_max", 5.0, 0.5),
        ("last_mean", 1.0, -1 / 6),
        ("recommendation", 8.0, 1.0),
        ("last_quantile:quantile=0.9", 5.0, 0.5),
        ("auc", 3.0, 0.5),  # of the mean over rounds, from 2 to 5
        ("total", 12 * 5.0, 0.5),  # 12 proposals of 5 on average
    ],
)
def test_a_score_is_the_share_of_the_way_from_the_start_to_the_best(
    utility: str, worth: float, expected: float
) -> None:
    ends = np.array([2.0]), np.array([8.0])
    found = score(utility, np.array([worth]), *ends, measurements=12)
    assert found == pytest.approx([expected], abs=1e-12)


def test_a_start_that_holds_the_best_is_kept_or_lost() -> None:
    ends = np.full(2, 8.0), np.full(2, 8.0)
    found = score("last_max", np.array([8.0, 7.0]), *ends, measurements=1)
    assert found.tolist() == [1.0, 0.0]


def test_campaigns_are_scored_by_their_own_start_and_optimum() -> None:
    plans = [
        EvaluationPlan(
            "Ombo/TFBinding-v0", ["random"], [1, 3], ["best", "last_mean"], 2, campaigns=5
        ),
        EvaluationPlan("Ombo/GP-v0", ["random"], [2], campaigns=3, seed=10, env_kwargs={"dim": 1}),
    ]
    frame = problem_scores(run(plans).campaigns)
    assert len(frame) == 2 * 5 * 2 * 2 + 3 * 2
    for row in frame.itertuples():
        dim = {"dim": 1} if row.env == "Ombo/GP-v0" else {}
        env = gym.make(row.env, **dim)
        _, info = env.reset(seed=row.seed, options={"optimum": True})
        start, top = info["best_value"], info["optimum"]
        reached = row.best_value if row.utility == "best" else row.value
        assert row.problem_score == pytest.approx((reached - start) / (top - start), abs=1e-9)


def test_the_total_of_plates_is_scored_by_all_they_hold() -> None:
    plan = EvaluationPlan(
        "Ombo/TFBinding-v0", ["random"], plates=[5, 2, 1], utilities=["total"], campaigns=3
    )
    for row in problem_scores(run(plan).campaigns).itertuples():
        env = gym.make(row.env)
        _, info = env.reset(seed=row.seed)
        start, mean = info["best_value"], row.value / 8
        assert row.problem_score == pytest.approx((mean - start) / (1.0 - start), abs=1e-9)


def test_without_a_best_value_there_is_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GP, "best_known", lambda self, instances: None)
    plan = EvaluationPlan("Ombo/GP-v0", ["random"], [1], campaigns=2)
    assert problem_scores(run(plan).campaigns)["problem_score"].isna().all()
