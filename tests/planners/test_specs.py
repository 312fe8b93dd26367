"""Exact plans from what a spec says, without an environment."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import ombo_agents
from ombo_agents.planners.belief_mdp import why_not_planned
from ombo_agents.planners.dynamic_programming import exact_value, solve_campaign
from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns
from ombo_gym.priors import BernoulliArms, FiniteLandscapes, GaussianProcess
from ombo_gym.spec import CampaignSpec, Repeats
from tests.planners.brute_cases import Arms, Surfaces
from tests.planners.players import close, generators

ARMS_BY_HAND = CampaignSpec(
    CandidateDesigns(np.eye(3)),
    plates=(1, 3, 1),
    utility="total",  # type: ignore[arg-type]
    repeats=Repeats.ALLOWED,
    noise_std=0.0,
    prior=BernoulliArms(beta=np.array([[1.0, 1.0], [1.0, 2.0]]), known=np.array([0.5])),
)
SURFACES_BY_HAND = CampaignSpec(
    CandidateDesigns(np.eye(4)),
    plates=(1, 2),
    repeats=Repeats.NEVER_AGAIN,
    noise_std=0.0,
    prior=FiniteLandscapes(
        np.array([[0.25, 1, 0, 0], [0.5, 0, 1, 0], [0.75, 0, 0, 1]]),
        np.array([0.5, 0.25, 0.25]),
        np.zeros(1),
        np.ones(1),
    ),
)


def test_a_spec_built_by_hand_is_planned_for():
    one, half = Fraction(1), Fraction(1, 2)
    arms = Arms(0, "total", priors=[(one, one), (one, 2 * one)], known=[half])
    rows = [[one / 4, one, 0, 0], [half, 0, one, 0], [3 * one / 4, 0, 0, one]]
    surfaces = Surfaces(
        0,
        "best",
        matrix=[[Fraction(value) for value in row] for row in rows],
        weights=[2 * one, one, one],
    )
    for spec, case in ((ARMS_BY_HAND, arms), (SURFACES_BY_HAND, surfaces)):
        assert spec.plates is not None
        assert close(solve_campaign(spec).value(), case.optimum(spec.plates))
        assert why_not_planned(spec) is None
        for name in ("bayes_optimal", "one_step", "rollout", "thompson"):
            assert ombo_agents.supports(name, spec)
            policy = ombo_agents.make(name, spec)
            found = exact_value(spec, policy, samples=4)
            assert found <= float(case.optimum(spec.plates)) + 1e-12
            assert name != "bayes_optimal" or close(found, case.optimum(spec.plates))
    told = SURFACES_BY_HAND.observation([[0]], [0.5], [2], from_start=0)
    action = ombo_agents.make("bayes_optimal", SURFACES_BY_HAND).act(told, generators(1))
    assert 2 in action[0]  # where the sign points


@pytest.mark.parametrize(
    ("spec", "changes", "reason"),
    [
        (ARMS_BY_HAND, {"prior": None}, "prior"),
        (ARMS_BY_HAND, {"prior": GaussianProcess("rbf", 0.3)}, "prior"),
        (ARMS_BY_HAND, {"noise_std": None}, "noise_std.*unknown"),
        (ARMS_BY_HAND, {"noise_std": 0.1}, r"noise_std.*0\.1"),
        (ARMS_BY_HAND, {"utility": "best"}, "utility"),
        (ARMS_BY_HAND, {"utility": "auc"}, "utility"),
        (ARMS_BY_HAND, {"repeats": Repeats.DISTINCT_IN_BATCH}, "repeats"),
        (ARMS_BY_HAND, {"design_space": CandidateDesigns(np.eye(2))}, "design_space"),
        (SURFACES_BY_HAND, {"repeats": Repeats.ALLOWED}, "repeats"),
        (SURFACES_BY_HAND, {"design_space": CategoricalDesigns([2, 2])}, "design_space"),
    ],
)
def test_what_a_spec_lacks_for_exact_plans_is_said(spec, changes, reason):
    lacking = replace(spec, **changes)
    assert re.search(reason, why_not_planned(lacking) or "")
    assert not ombo_agents.supports("bayes_optimal", lacking)
    with pytest.raises(ValueError, match=reason):
        solve_campaign(lacking)
