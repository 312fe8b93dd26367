"""Values that are known: by hand, published, or solved exactly elsewhere."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import ombo_agents
from ombo_agents.cli.exact import Args, solve
from ombo_agents.planners.dynamic_programming import exact_value
from tests.planners.brute_cases import Arms
from tests.planners.players import (
    Opening,
    bandit,
    close,
    landscapes,
    opening,
    play,
    value,
)

ONE_STEP = {rule: f"one_step:ties={rule}" for rule in ("worst", "uniform", "best")}


def agrees(found: float, expected: str) -> bool:
    """Fractions hold to 1e-12, decimals to the digits that are given."""
    if "/" in expected or "." not in expected:
        return close(found, Fraction(expected))
    digits = len(expected.partition(".")[2])
    if digits > 12:
        return close(found, float(expected))
    return abs(found - float(expected)) <= 0.5 * 10.0**-digits + 1e-12


def solved(env: str, horizon: int, q: int, utility: str, **more: Any) -> dict[str, Any]:
    policy = more.pop("policy", None)
    return solve(Args(f"Ombo/{env}-v0", json.dumps(more), horizon, q, utility, policy))


# --- Bernoulli arms of which nothing is known ----------------------------------------------------

TWO, THREE, FIVE = {"arms": 2}, {"arms": 3}, {"arms": 5}
PUBLISHED = "38.562343246635564"  # P. Jacko, BinaryBandit: two uniform arms, 60 pulls
NOVEL = [
    (TWO, 1, 2, "13/12", {"worst": "13/12", "uniform": "13/12", "best": "13/12"}),
    (TWO, 1, 3, "5/3", {"worst": "5/3", "uniform": "5/3", "best": "5/3"}),
    (TWO, 1, 5, "26/9", {"worst": "2.88056", "uniform": "2.88472", "best": "26/9"}),
    (TWO, 2, 2, "13/6", {"worst": "13/6", "uniform": "13/6", "best": "13/6"}),
    (TWO, 2, 3, "17/5", {"worst": "101/30", "best": "17/5"}),
    (THREE, 1, 3, "41/24", {}),
    (THREE, 2, 2, "9/4", {}),
    (FIVE, 1, 10, "6.659988", {"worst": "6.5684", "uniform": "6.6052", "best": "6.6575"}),
    (TWO, 1, 60, PUBLISHED, {"worst": "38.0028", "uniform": "38.1158", "best": "38.1956"}),
    pytest.param(
        *(TWO, 10, 6, "37.570699", {"worst": "36.6942", "best": "37.5474"}),
        marks=pytest.mark.slow,
    ),
    (TWO, 1, 12, "7.292408", {"uniform": "7.269533"}),
    (TWO, 4, 3, "6.988095", {}),
]
RECOMMENDED = [
    *[(TWO, 1, 2, "7/12"), (TWO, 1, 3, "11/18"), (TWO, 1, 5, "5/8"), (TWO, 2, 2, "37/60")],
    *[(TWO, 2, 3, "113/180"), (THREE, 1, 3, "23/36"), (THREE, 2, 2, "53/80")],
    *[(TWO, 1, 12, ".6445540"), (TWO, 4, 3, ".6445276")],
]
# All optimal first batches, where they follow by hand: identical arms, so all of a kind.
ALL_FIRST = {
    (2, 1): [[0], [1]],
    (3, 1): [[0], [1], [2]],
    (5, 1): [[0], [1], [2], [3], [4]],
}


@pytest.mark.parametrize(("arms", "q", "horizon", "optimum", "one_step"), NOVEL)
def test_total_of_novel_arms(arms, q, horizon, optimum, one_step):
    found = solved("Bandit", horizon, q, "total", **arms)
    assert agrees(found["optimum"], optimum)
    for rule, expected in one_step.items():
        assert agrees(found[f"one_step_{rule}"], expected)
    if q * horizon < 60:  # where evaluating policies is quick
        env = bandit(horizon, q, **arms)
        for rule, expected in one_step.items():
            assert agrees(value(ONE_STEP[rule], env), expected)
        assert agrees(value("bayes_optimal", env), optimum)
    if first := ALL_FIRST.get((arms["arms"], q)):
        assert found["first_actions"] == first


@pytest.mark.parametrize(("arms", "q", "horizon", "optimum"), RECOMMENDED)
def test_recommendation_of_novel_arms(arms, q, horizon, optimum):
    found = solved("Bandit", horizon, q, "recommendation", policy="bayes_optimal", **arms)
    assert agrees(found["optimum"], optimum)
    assert agrees(found["policy_value"], optimum) and found["policy_exact"]
    if first := ALL_FIRST.get((arms["arms"], q)):
        assert found["first_actions"] == first


@cache
def myopic_in_fractions(arms: tuple[tuple[int, int], ...], rounds: int, identical_once: bool):
    """One pull a round of the largest posterior mean, ties uniform: over beliefs, or over arms.

    Args:
        arms: Beta parameters, sorted: which arm is which changes no value.
        rounds: Left.
        identical_once: Whether arms of which the same is believed count once in a tie.
    """
    if rounds == 0:
        return Fraction(0)
    means = [Fraction(a, a + b) for a, b in arms]
    tied = [arm for arm, mean in zip(arms, means, strict=True) if mean == max(means)]
    if identical_once:
        tied = sorted(set(tied))
    total = Fraction(0)
    for a, b in tied:
        others = list(arms)
        others.remove((a, b))
        hit = myopic_in_fractions(tuple(sorted([*others, (a + 1, b)])), rounds - 1, identical_once)
        miss = myopic_in_fractions(tuple(sorted([*others, (a, b + 1)])), rounds - 1, identical_once)
        p = Fraction(a, a + b)
        total += p + p * hit + (1 - p) * miss
    return total / len(tied)


def test_uniform_ties_are_between_beliefs_and_not_between_arms():
    # Five arms, ten pulls: an unpulled arm as often as one that is known to tie with it, however
    # many there are of either; picking among arms would be worth more.
    five = ((1, 1),) * 5
    belief_mdp, arms = (myopic_in_fractions(five, 10, once) for once in (True, False))
    assert agrees(float(belief_mdp), "6.6052") and agrees(float(arms), "6.626225")
    assert close(solved("Bandit", 10, 1, "total", arms=5)["one_step_uniform"], belief_mdp)
    assert close(value(ONE_STEP["uniform"], bandit(10, arms=5)), belief_mdp)
    # With two arms that tie there is no difference; the recursion is brute force's.
    two = ((1, 1),) * 2
    slow = Arms(1, "total", priors=[(Fraction(1), Fraction(1))] * 3).rolling(4, 1, "uniform")
    assert myopic_in_fractions(((1, 1),) * 3, 4, True) == slow
    assert myopic_in_fractions(two, 5, True) == myopic_in_fractions(two, 5, False)


# --- a known arm against an unknown one ----------------------------------------------------------

INCUMBENT = [
    # One pull a round: 12.253929 is what rolling is worth if ties go to the incumbent.
    (0.55, 1, 20, "12.384015", "11", "12.253929", "first"),
    (0.55, 5, 4, "12.087575", "11", "12.023264", "first"),
    (0.6, 1, 20, "12.990106", "12", "12", "first"),
    (0.6, 5, 4, "12.678485", "12", "12.678485", "first"),
    (0.6, 10, 2, "12.3", "12", "12.3", "first"),
]


@pytest.mark.parametrize(
    ("p0", "q", "horizon", "optimum", "one_step", "rolling", "ties"), INCUMBENT
)
def test_total_against_an_incumbent(p0, q, horizon, optimum, one_step, rolling, ties):
    settings = {"arms": 1, "known": [p0]}
    policy = f"rolling_2:ties={ties}"
    found = solved("Bandit", horizon, q, "total", policy=policy, **settings)
    assert agrees(found["optimum"], optimum)
    assert agrees(found["policy_value"], rolling) and found["policy_exact"]
    env = bandit(horizon, q, **settings)
    for rule, name in ONE_STEP.items():  # the incumbent is never given up, so there are no ties
        assert agrees(found[f"one_step_{rule}"], one_step)
        assert agrees(value(name, env), one_step)
    if optimum == rolling:
        assert close(found["policy_value"], found["optimum"])
    assert agrees(value("bayes_optimal", env), optimum)
    assert opening(env) == [[1] * q]
    assert all(batch != [1] * q for batch in found["first_actions"])


@cache
def against_incumbent(p0: Fraction, a: int, b: int, rounds: int) -> tuple[Fraction, Fraction]:
    """Optimal values of pulling an arm of Beta(a, b), and of pulling the known one, first."""
    if rounds == 0:
        return Fraction(0), Fraction(0)
    p = Fraction(a, a + b)
    hit, miss, same = (
        max(against_incumbent(p0, *after, rounds - 1)) for after in ((a + 1, b), (a, b + 1), (a, b))
    )
    return p + p * hit + (1 - p) * miss, p0 + same


@cache
def rolling_against_incumbent(
    p0: Fraction, a: int, b: int, rounds: int, lookahead: int, ties: str
) -> Fraction:
    if rounds == 0:
        return Fraction(0)
    p, planned = Fraction(a, a + b), against_incumbent(p0, a, b, min(lookahead, rounds))
    hit, miss, same = (
        rolling_against_incumbent(p0, *after, rounds - 1, lookahead, ties)
        for after in ((a + 1, b), (a, b + 1), (a, b))
    )
    played = p + p * hit + (1 - p) * miss, p0 + same
    tied = [v for v, plan in zip(played, planned, strict=True) if plan == max(planned)]
    rules = {"worst": min, "best": max, "first": lambda vs: vs[-1]}  # the known arm
    return sum(tied) / len(tied) if ties == "uniform" else rules[ties](tied)


@pytest.mark.parametrize("ties", ["worst", "uniform", "best", "first"])
def test_looking_ahead_against_an_incumbent_under_every_tie_rule(ties):
    # Beta(7, 6), for instance, ties with 11/20 two rounds ahead.
    p0 = Fraction(11, 20)
    env = bandit(20, arms=1, known=[float(p0)])
    for lookahead in (2, 3, 20):
        expected = rolling_against_incumbent(p0, 1, 1, 20, lookahead, ties)
        assert close(value(f"rolling_{lookahead}:ties={ties}", env), expected)
    assert max(against_incumbent(p0, 1, 1, 20)) == expected


def test_how_ties_are_broken_is_worth_something_two_rounds_ahead_too():
    p0 = Fraction(11, 20)
    worst, best, first = (
        float(rolling_against_incumbent(p0, 1, 1, 20, 2, ties))
        for ties in ("worst", "best", "first")
    )
    assert agrees(worst, "12.253929") and agrees(best, "12.254804") and first == worst


@pytest.mark.parametrize(("horizon", "optimum"), [(2, "6/5"), (3, "9/5"), (4, "73/30")])
def test_a_novel_arm_is_worth_a_pull_only_when_four_are_left(horizon, optimum):
    found = solved("Bandit", horizon, 1, "total", arms=1, known=[0.6])
    assert agrees(found["optimum"], optimum)
    # With three left, by hand: 1/2 + 1/2 (2/3 + 2/3 * 3/4 + 1/3 * 3/5) + 1/2 (2 * 3/5) = 107/60 for
    # a look at the novel arm, which is less than 9/5.
    assert found["first_actions"] == {2: [[1]], 3: [[1]], 4: [[0]]}[horizon]


def test_a_first_batch_is_worth_what_it_is_by_hand():
    env = bandit(3, 2, arms=1, known=[0.6])
    optimal = ombo_agents.make("bayes_optimal", env)
    for batch, expected in [([1, 1], "18/5"), ([0, 1], "11/3"), ([0, 0], "541/150")]:
        for ordered in (batch, batch[::-1]):
            assert agrees(exact_value(env, Opening(env, ordered, optimal)), expected)
    found = solved("Bandit", 3, 2, "total", arms=1, known=[0.6])
    assert agrees(found["optimum"], "11/3") and found["first_actions"] == [[0, 1]]


# --- landscapes ----------------------------------------------------------------------------------

SIGNPOST, TENT8 = {"name": "signpost", "K": 6}, {"name": "tent8"}
PAIRS = [[i, j] for i in range(1, 7) for j in range(i + 1, 7)]
LANDSCAPES = [
    (SIGNPOST, "best", 1, 2, "1", "1/3", [[0]], [[i] for i in range(1, 7)]),
    (SIGNPOST, "best", 2, 2, "1", "2/3", [[0, i] for i in range(1, 7)], PAIRS),
    (TENT8, "best", 1, 2, "9/16", "25/48", [[1], [6]], [[3], [4]]),
    (TENT8, "best", 1, 3, "3/4", "3/4", [[3], [4]], [[3], [4]]),
    (TENT8, "total", 1, 2, "23/32", "11/16", None, [[3], [4]]),
]


@pytest.mark.parametrize(
    ("family", "utility", "q", "horizon", "optimum", "one_step", "first", "short_sighted"),
    LANDSCAPES,
)
def test_landscapes(family, utility, q, horizon, optimum, one_step, first, short_sighted):
    found = solved("Landscapes", horizon, q, utility, policy="bayes_optimal", **family)
    assert agrees(found["optimum"], optimum)
    assert agrees(found["policy_value"], optimum)
    assert first is None or found["first_actions"] == first
    env = landscapes(horizon, q, utility, **family)
    for rule, name in ONE_STEP.items():
        assert agrees(found[f"one_step_{rule}"], one_step)
        assert agrees(value(name, env), one_step)
    assert opening(env) == short_sighted


def test_looking_further_can_be_worse_than_not_looking():
    env = landscapes(3, name="tent8")
    assert agrees(value("rolling_2", env), "71/96")
    assert agrees(value("rolling_2:ties=worst", env), "71/96")
    assert agrees(value("rolling_2:ties=best", env), "71/96")
    assert agrees(value("one_step:ties=worst", env), "3/4")
    assert agrees(value("rolling_3", env), "3/4")


# --- one round of independent designs ------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "known"), [(2, 0.564190), (4, 1.029375), (8, 1.423600), (16, 1.765991)]
)
def test_one_round_of_independent_normal_designs_is_worth_the_largest_of_q(q, known):
    def density(x):  # of the largest of q, times x
        return x * q * norm.pdf(x) * norm.cdf(x) ** (q - 1)

    expected = quad(density, -12, 12, epsabs=1e-10)[0]
    assert abs(expected - known) < 1e-6
    # So short a lengthscale that random designs are as good as independent.
    arguments = {"dim": 6, "kernel": "rbf", "lengthscale": 1e-3, "start": {"kind": "none"}}
    mean, error = play(
        "Ombo/GP-v0", "random", 4000, horizon=1, batch_size=q, utility="last_max", **arguments
    )
    assert error < 0.02
    assert abs(mean - expected) < 4 * error


def test_the_best_of_independent_hits_needs_no_planning():
    # Independent designs and utility total: the one-round optimum is optimal for every N.
    arguments = {"name": "independent", "probabilities": [0.1, 0.4, 0.4, 0.3]}
    found = solved("Landscapes", 2, 1, "total", **arguments)
    for name in ("optimum", "one_step_worst", "one_step_uniform", "one_step_best"):
        assert close(found[name], 0.8)
    assert found["first_actions"] == [[1], [2]]


def test_numbers_in_what_is_printed_are_plain():
    found = solved("Landscapes", 2, 1, "best", **TENT8)
    assert json.loads(json.dumps(found)) == found
    assert np.isfinite([found[key] for key in ("optimum", "one_step_worst", "seconds")]).all()
    assert gym.make("Ombo/Landscapes-v0", **TENT8).spec is not None
