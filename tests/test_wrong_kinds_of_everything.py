"""Whatever a public function or class is given in place of its kind, it says what it expected."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
import ombo_gym
from ombo_gym import wrappers
from ombo_gym.evaluation.launch import Launch

HUGE = 10**400  # no float holds it
WRONG: tuple[Any, ...] = (
    *(True, np.bool_(True), None, "3", "", b"x", "\0", "é" * 5000, "9" * 400),
    *(float("nan"), float("inf"), -1, HUGE, -HUGE, complex(1, 1), np.float64("nan")),
    *([], [1], [None], (1, "a"), {}, {"a": 1}, {1: 2}, set(), np.array([1, 2]), np.array("x")),
    *(object(), int, len, lambda given: given),
)


def refused(
    call: Callable[[Any], Any], *, but: Callable[[Any], bool] = lambda given: False
) -> None:
    """All of them are, in a sentence; those that `but` names may be taken."""
    for given in WRONG:
        try:
            call(given)
        except (ValueError, TypeError) as error:
            assert "expected" in str(error).lower(), f"{given!r:.50}: {error}"
            assert "\n" not in str(error)
        else:
            assert but(given), f"{given!r:.50} was taken"


def env() -> Any:
    return gym.make("Ombo/GP-v0")


@pytest.mark.parametrize("name", wrappers.__all__)
def test_what_is_no_environment_is_not_wrapped(name: str) -> None:
    refused(getattr(wrappers, name))
    refused(lambda given: getattr(wrappers, name)(env=given))


def test_arguments_of_wrappers_are_checked() -> None:
    refused(
        lambda given: wrappers.FlatActions(env(), discrete=given),
        but=lambda given: isinstance(given, bool | np.bool_),
    )
    refused(lambda given: wrappers.StandardizeMeasurements(env(), limit=given))
    refused(
        lambda given: wrappers.ScoreReward(env(), best_known=given),
        but=lambda given: given is None or given == -1,
    )


@pytest.mark.parametrize("name", ["campaign_spec", "solve_campaign", "exact_value"])
def test_what_is_no_environment_and_no_spec_is_refused(name: str) -> None:
    if name == "campaign_spec":
        refused(ombo_gym.campaign_spec)
    elif name == "solve_campaign":
        refused(ombo_agents.solve_campaign)
    else:
        policy = ombo_agents.make("random", env())
        refused(lambda given: ombo_agents.exact_value(given, policy))


def test_what_is_no_spec_in_json_is_refused_in_every_place() -> None:
    refused(ombo_gym.CampaignSpec.from_json)
    written = json.loads(ombo_gym.campaign_spec(env()).to_json())
    for text in ("[" * 10**5, "{", "nan", "[1]", '"text"', "{}"):
        with pytest.raises(ValueError, match="spec: expected"):
            ombo_gym.CampaignSpec.from_json(text)
    for family in ("design_space", "prior"):
        for given in ([1], ["a"], "box", 3, True, {}, {"kind": None}, {"kind": ["box"]}):
            with pytest.raises(ValueError, match=f"{family}: expected a"):
                ombo_gym.CampaignSpec.from_json(json.dumps({**written, family: given}))


def test_numbers_that_no_float_holds_are_refused_wherever_a_number_is_expected() -> None:
    for name in ("optimum", "floor", "reference"):
        with pytest.raises(ValueError, match=f"{name}: expected a finite number"):
            ombo_gym.make_campaign(sum, [(0, 1)], **{name: HUGE})
    spec = ombo_gym.campaign_spec(env())
    for policy, setting in (("turbo", "length"), ("rollout", "explore"), ("rollout", "finish")):
        with pytest.raises(ValueError, match=f"{setting}: expected a number"):
            ombo_agents.make(policy, spec, **{setting: HUGE})


def test_names_of_policies_that_no_file_can_have_are_unknown_ones() -> None:
    spec = ombo_gym.campaign_spec(env())
    for name in ("x" * 5000, f"ucb{'/x' * 5000}", "x\0y"):
        for ask in (ombo_agents.make, ombo_agents.supports):
            with pytest.raises(ValueError, match="policy: expected one of"):
                ask(name, spec)


COUNTED = [
    *[("latin_hypercube", "candidates"), ("genetic", "population"), ("evolution", "population")],
    *[("expected_improvement", name) for name in ("num_samples", "num_restarts", "max_iterations")],
    *[("max_value_entropy", "maxima"), ("turbo", "candidates"), ("local_search", "neighbours")],
    *[("d_optimal", "candidates"), ("adalead", "queries")],
    *[("rollout", "num_samples"), ("binoculars", "sweeps"), ("doe_then_ucb", "least_start")],
]


@pytest.mark.parametrize(("policy", "setting"), COUNTED)
@pytest.mark.parametrize("count", [10**9, HUGE], ids=["a billion", "huge"])
def test_policies_count_to_what_a_machine_can_hold(policy: str, setting: str, count: int) -> None:
    played = gym.make("Ombo/Ehrlich-v0") if policy in ("d_optimal", "adalead") else env()
    most = f"{setting}: expected a whole number of at most [0-9]+,000"
    with pytest.raises(ValueError, match=most):
        ombo_agents.make(policy, played, **{setting: count})


def test_what_is_no_policy_and_no_field_of_an_observation_is_refused() -> None:
    refused(ombo_agents.Myopic)
    envs = gym.make_vec("Ombo/GP-v0", num_envs=3)
    observation, _ = envs.reset(seed=0)
    policy = ombo_agents.make("ucb", envs)
    rng = np.random.default_rng(0)
    refused(lambda given: policy.act(given, rng))
    for name in observation:
        refused(lambda given, name=name: policy.act({**observation, name: given}, rng))
        with pytest.raises(ValueError, match="of B campaigns"):
            policy.act({**observation, name: observation[name][:1]}, rng)


def test_a_backend_that_is_no_text_is_refused() -> None:
    refused(lambda given: Launch(backend=given))
    refused(lambda given: Launch(jobs=given))
