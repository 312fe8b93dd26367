"""The exact planner against brute force in fractions, on many small campaigns."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import ombo_agents
from ombo_agents.planners.dynamic_programming import exact_value, solve_campaign
from ombo_agents.planners.evaluation import evaluate_policy
from ombo_gym.spec import campaign_spec
from tests.planners.brute_cases import (
    ARM_UTILITIES,
    NOISY,
    SURFACE_UTILITIES,
    Arms,
    Surfaces,
    arms,
    every_other,
    fractions,
    surfaces,
)
from tests.planners.brute_force import Batch, BruteForce, Data, Rounds
from tests.planners.players import (
    RULES,
    Lots,
    SecretLots,
    Told,
    arguments_of,
    at_random,
    close,
    env_of,
    lots_at_random,
    play,
    rounds_of,
    value,
)

F = Fraction
# --- the oracle itself ---------------------------------------------------------------------------


@pytest.mark.parametrize("utility", ["total", "recommendation", "last_mean"])
def test_brute_force_on_the_bare_tree_says_the_same_as_with_merged_orders(utility):
    for priors, known, q, rounds in [("1,1 1,1", "", 1, 3), ("1/2,2 1,1", "3/5", 1, 2)]:
        merged, bare = (arms(q, utility, priors, known, merge=m) for m in (True, False))
        assert merged.optimum(rounds) == bare.optimum(rounds)
        for lookahead in (1, 2):
            for ties in RULES:
                worth = merged.rolling(rounds, lookahead, ties)
                assert worth == bare.rolling(rounds, lookahead, ties)


def test_brute_force_plays_its_own_plan_to_the_value_that_it_planned():
    case = Surfaces(
        2,
        "best",
        matrix=[fractions("0", "1", "2", "-1"), fractions("1", "1", "0", "3"), [F(0)] * 4],
        weights=fractions("1", "2", "1"),
        noise=[(F(0), F(1)), (F(1), F(3))],
    )

    def optimal(data: Data, left: int) -> Batch:
        batch = case.tied(data, left)[0]
        return (*batch, *(0,) * (2 - len(batch)))

    for rounds in (1, 2, 3):
        assert case.value_of(optimal, rounds) == case.optimum(rounds)


# --- planning ------------------------------------------------------------------------------------


def assert_planned_like(case: BruteForce, rounds: Rounds) -> None:
    """Plans and policies of any lookahead, under any tie rule, are worth what they must be."""
    env = env_of(case, rounds)
    spec = campaign_spec(env)
    optimum = solve_campaign(spec)
    assert close(optimum.value(), case.optimum(rounds))
    assert optimum.states == case.states(rounds)
    root = optimum.layers[0]
    first = [batch for batch, tied in zip(root.options, root.tied[0], strict=True) if tied]
    assert first == case.first_batches(rounds)
    for ties in ("worst", "uniform", "best"):
        assert close(optimum.value(ties), case.optimum(rounds))
    for ties in ("uniform", "first"):
        assert close(value(f"bayes_optimal:ties={ties}", env), case.optimum(rounds))
    for lookahead in range(1, min(4, len(case.sizes(rounds)))):
        plan = solve_campaign(spec, lookahead=lookahead)
        assert plan.states == optimum.states
        for ties in ("worst", "uniform", "best"):
            assert close(plan.value(ties), case.rolling(rounds, lookahead, ties))
        for ties in RULES:
            worth = value(f"rolling_{lookahead}:ties={ties}", env)
            assert close(worth, case.rolling(rounds, lookahead, ties))


def test_looking_further_than_the_campaign_goes_changes_nothing():
    env = env_of(arms(1, "total", "1,1 1,2", "1/2"), 2)
    spec = campaign_spec(env)
    for lookahead in (2, 3, 7, None):
        plan = solve_campaign(spec, lookahead=lookahead)
        assert [close(plan.value(ties), solve_campaign(spec).value()) for ties in RULES[:3]] == [
            True
        ] * 3
        assert plan.layers[0].tied.tolist() == solve_campaign(spec).layers[0].tied.tolist()


ARMS = [  # priors, known, q, rounds
    ("1,1", "", 2, 2),
    ("", "1/2 1/4", 2, 2),
    ("", "1/2 1/2", 2, 2),
    ("1,1 1,1", "", 1, 4),
    ("1,1 1,1", "", 3, 3),
    ("1,1 1,1 1,1", "", 1, 3),
    ("1,1 1,1 1,1", "", 2, 2),
    ("1,1 2,1 1,1", "", 1, 3),
    ("1,2 1,1 2,2", "", 2, 2),
    ("1/2,1/2 3/4,1/4", "", 2, 3),
    ("1/2,3/2 1/4,3/4 1,3", "", 1, 3),
    ("1,1", "1/2", 1, 4),
    ("1,1", "1/2 1/2", 2, 2),
    ("2,2 1,1", "1/2 0", 1, 3),
    ("1,1", "1", 2, 2),
    ("1,1", "0 1", 1, 3),
    ("3,2 3,2", "3/5 3/5", 1, 3),
    ("1,1 1,1", "3/5", 2, 2),
    ("1,1 1,1", "2/3", 1, 4),
]


@pytest.mark.parametrize(
    ("utility", "priors", "known", "q", "rounds"), every_other(ARM_UTILITIES, ARMS)
)
def test_arms(utility, priors, known, q, rounds):
    assert_planned_like(arms(q, utility, priors, known), rounds)


SMALL = st.sampled_from(fractions("1/4", "1/2", "1", "3/2", "2", "3"))
PRIORS = st.one_of(st.tuples(SMALL, SMALL), st.sampled_from([(F(1), F(1)), (F(2), F(1))]))
KNOWN = st.sampled_from(fractions("0", "1", "1/2", "1/2", "1/3", "2/3", "3/5"))


@settings(max_examples=25, derandomize=True)
@given(
    priors=st.lists(PRIORS, max_size=3),
    known=st.lists(KNOWN, max_size=2),
    q=st.integers(1, 3),
    rounds=st.integers(1, 3),
    utility=st.sampled_from(ARM_UTILITIES),
)
def test_random_arms(priors, known, q, rounds, utility):
    assume(1 <= len(priors) + len(known) <= 3)
    assume(q * rounds <= (4 if len(priors) + len(known) == 3 else 6))
    assert_planned_like(Arms(q, utility, priors=priors, known=known), rounds)


SURFACES = [  # matrix, weights, noise, q, rounds
    ("0 1 0, 0 0 1, 1 0 0", "", "0,1", 1, 2),
    ("1/4 1 0 0, 1/2 0 1 0, 3/4 0 0 1", "3 1 2", "0,1", 2, 2),
    ("-1 -2 -1, -2 -1 -3", "", "0,1", 2, 2),
    ("-1 1 -2, 2 -1 -3, 0 0 0", "1 0 1", "0,1", 1, 3),
    ("0 1 0, 0 1 0, 1 0 1", "1 1 2", "0,1", 1, 2),
    ("0 2 0, 1 0 1, 0 0 3", "2 1 1", NOISY, 2, 2),
    ("0 1 -1, 1 0 1/2", "", "-1,1 0,2 1,1", 1, 3),
    ("0 1 2, 2 1 0", "", "-1/2,1 1/2,1", 2, 2),
    ("0 1, 1 0", "", "0,1", 3, 2),
    ("1 0 2, 0 1 0", "", "0,1", 2, 3),
    ("1 0 2, 0 1 0", "", NOISY, 2, 2),
    ("1 -1 2, -2 1 1", "", "0,1", 3, 3),
    ("5 -1 2 0, -2 1 1 4", "", "0,1", 3, 1),
    ("1, 2, 3", "", NOISY, 1, 3),
    ("0 0 1 1 2, 1 0 2 1 0, 2 1 1 0 0, 0 2 0 1 1", "", "0,1", 2, 2),
]


@pytest.mark.parametrize(
    ("utility", "matrix", "weights", "noise", "q", "rounds"),
    every_other(SURFACE_UTILITIES, SURFACES),
)
def test_surfaces(utility, matrix, weights, noise, q, rounds):
    assert_planned_like(surfaces(q, utility, matrix, weights, noise), rounds)


@st.composite
def random_surfaces(draw: Any) -> tuple[Surfaces, int]:
    designs, count = draw(st.integers(2, 5)), draw(st.integers(2, 5))
    values = st.sampled_from(
        draw(
            st.sampled_from(
                [
                    fractions("0", "1"),
                    fractions("-1", "0", "1"),
                    fractions("-2", "-1", "-1/2"),
                    fractions("-3/2", "1/4", "1/2", "2", "3"),
                ]
            )
        )
    )
    rows = [[draw(values) for _ in range(designs)] for _ in range(count)]
    if draw(st.booleans()):
        rows[-1] = list(rows[0])
    if draw(st.booleans()):
        rows = [[*row[:-1], row[0]] for row in rows]
    weights = [draw(st.sampled_from(fractions("0", "1", "1", "2"))) for _ in rows]
    assume(any(weights))
    noise = draw(st.sampled_from(["0,1", "0,1", "0,1 1,3", "-1/2,1 1/2,2"]))
    q, rounds = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    noisy = noise != "0,1"
    assume(min(q * rounds, designs) <= (3 if noisy else 4))
    pairs = [tuple(fractions(*pair.split(","))) for pair in noise.split()]
    case = Surfaces(
        q,
        draw(st.sampled_from(SURFACE_UTILITIES)),
        matrix=rows,
        weights=weights,
        noise=pairs,  # type: ignore[arg-type]
    )
    return case, rounds


@settings(max_examples=40, derandomize=True)
@given(random_surfaces())
def test_random_surfaces(drawn):
    assert_planned_like(*drawn)


# --- any policy ----------------------------------------------------------------------------------


POLICY_CASES = [
    *[(arms(2, utility, "1,1 1/2,2"), 2) for utility in ARM_UTILITIES],
    *[(arms(1, utility, "1,1", "1/2 1"), 3) for utility in ARM_UTILITIES],
    *[
        (surfaces(2, utility, "0 1 -2 1/2, 1 0 3 0, -1 -1 -1 0", "1 2 1"), 2)
        for utility in SURFACE_UTILITIES
    ],
    *[(surfaces(1, utility, "0 1 2, 1 0 -1", "", NOISY), 3) for utility in SURFACE_UTILITIES],
    *[(surfaces(3, utility, "0 1 2, 1 0 -1", "", "0,1"), 2) for utility in SURFACE_UTILITIES],
    *[(arms(0, utility, "1,1 1/2,2"), (1, 2)) for utility in ARM_UTILITIES],
    *[
        (surfaces(0, utility, "0 1 -2 1/2, 1 0 3 0, -1 -1 -1 0", "1 2 1"), (2, 1))
        for utility in SURFACE_UTILITIES
    ],
]
every_case = pytest.mark.parametrize(("case", "rounds"), POLICY_CASES)


@every_case
def test_a_policy_that_looks_at_the_order_of_the_dataset(case, rounds):
    env = env_of(case, rounds)
    for seed in range(4):
        choose = at_random(case, rounds, seed)
        found = evaluate_policy(env, Told(env, choose))
        assert found.exact
        assert close(found.value, case.value_of(choose, rounds))


@every_case
def test_a_policy_that_draws_lots_and_tells_how(case, rounds):
    env = env_of(case, rounds)
    choose = lots_at_random(case, rounds, 1)
    found = evaluate_policy(env, Lots(env, choose))
    assert found.exact
    assert close(found.value, case.value_of(choose, rounds))


@pytest.mark.parametrize(
    ("case", "rounds"),
    [POLICY_CASES[i] for i in (4, 14, -1)],  # arms, noise, plates
)
def test_a_policy_that_keeps_its_lots_secret_is_estimated_without_bias(case, rounds):
    env = env_of(case, rounds)
    choose = lots_at_random(case, rounds, 5)
    policy = SecretLots(env, choose)
    first = evaluate_policy(env, policy, samples=8, seed=0)
    assert not first.exact
    assert first == evaluate_policy(env, policy, samples=8, seed=0)
    found = np.array([exact_value(env, policy, samples=8, seed=s) for s in range(30)])
    assert found.std() > 0
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - float(case.value_of(choose, rounds))) < 4 * error


@pytest.mark.parametrize("utility", SURFACE_UTILITIES)
def test_slots_that_are_wasted_on_purpose_are_worth_nothing(utility):
    case = surfaces(3, utility, "1 2 3 -1, 2 1 -3 0", "1 3")
    env = env_of(case, 2)
    for first, second in [
        ((0, 0, 0), (0, 0, 0)),  # nothing at all is measured in the last round
        ((0, 1, 0), (1, 2, 2)),
        ((2, 2, 3), (3, 2, 0)),
        ((3, 3, 3), (3, 2, 2)),
    ]:

        def choose(data, left, batches=(second, first)):
            return batches[left - 1]

        assert close(exact_value(env, Told(env, choose)), case.value_of(choose, 2))


def test_wasting_a_slot_beats_every_batch_of_unmeasured_designs_that_do_harm():
    # The optimum is that of campaigns that use all their slots; a policy may do better by not.
    case = surfaces(1, "total", "1 -1 -2, 1 -2 -1")
    env = env_of(case, 3)
    assert close(solve_campaign(campaign_spec(env)).value(), F(1) - F(3, 2) - F(3, 2))
    assert close(exact_value(env, Told(env, lambda data, left: (0,))), F(1))


def test_rows_of_a_dataset_are_shown_in_the_order_in_which_they_were_proposed():
    case = arms(2, "total", "1,1 1,1")
    env, seen = env_of(case, 3), set()

    def choose(data: Data, left: int) -> Batch:
        seen.add(data)
        return (1, 0)

    assert close(exact_value(env, Told(env, choose)), F(3))
    assert {len(data) for data in seen} == {0, 2, 4}
    assert len(seen) == 1 + 4 + 16
    assert all([design for design, _ in data] == [1, 0] * (len(data) // 2) for data in seen)


class Spy(Told):
    """Remembers what it was shown."""

    def act(self, observation: Any, rng: Any) -> Any:
        self.asked = [*getattr(self, "asked", []), observation]
        return super().act(observation, rng)


def test_a_policy_is_asked_with_what_the_environment_could_show_it():
    for case, rounds in [POLICY_CASES[0], POLICY_CASES[6], POLICY_CASES[14], POLICY_CASES[-1]]:
        env = env_of(case, rounds)
        spy, space = Spy(env, at_random(case, rounds, 3)), env.observation_space
        exact_value(env, spy)
        plates = case.sizes(rounds)
        left = {float(each["rounds_left"][0, 0]) for each in spy.asked}
        assert left == set(range(1, len(plates) + 1))
        for observation in spy.asked:
            assert set(observation) == set(space)
            for name, array in observation.items():
                assert array.dtype == space[name].dtype
                assert array.shape[1:] == space[name].shape
                assert all(row in space[name] for row in array)
            campaign_spec(env).check_observation(observation)
            to_come = plates[-int(observation["rounds_left"][0, 0]) :]
            assert (observation["plates"][:, : len(to_come)] == to_come).all()


# --- heuristics ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["random", "greedy", "ucb"])
@pytest.mark.parametrize(
    ("case", "rounds"),
    [
        (arms(2, "total", "1,1 1,2", "1/2"), 3),
        (surfaces(1, "best", "1/4 1 0 0, 1/2 0 1 0, 3/4 0 0 1"), 2),
        (surfaces(2, "total", "0 1 2 0 1, 1 0 -1 2 0", "", NOISY), 2),
    ],
)
def test_heuristics_are_worth_what_they_get_in_the_environment(name, case, rounds):
    env = env_of(case, rounds)
    found = evaluate_policy(env, ombo_agents.make(name, env), samples=64)
    settings = {**arguments_of(case), **rounds_of(case, rounds)}
    mean, error = play(settings.pop("id"), name, 2000, **settings)
    # What is estimated from 64 proposals in each situation is off as well, by much less.
    assert abs(found.value - mean) < 4 * error + (0 if found.exact else 0.02)
    assert found.value <= float(case.optimum(rounds)) + (1e-12 if found.exact else 0.02)


def test_random_is_worth_the_mean_over_designs():
    case = arms(1, "total", "1,1 3,1", "1/4")
    env = env_of(case, 4)
    found = np.array(
        [
            exact_value(env, ombo_agents.make("random", env), samples=16, seed=seed)
            for seed in range(20)
        ]
    )
    expected = float(4 * (F(1, 2) + F(3, 4) + F(1, 4)) / 3)
    assert abs(found.mean() - expected) < 4 * found.std(ddof=1) / np.sqrt(20)
