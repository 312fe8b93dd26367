"""Scales of inputs: logarithms where they are asked for, a warning where they should have been."""

from __future__ import annotations

import json
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import ombo_agents
import ombo_gym
from ombo_gym import CampaignSpec
from ombo_gym.design_spaces import (
    CandidateDesigns,
    MixedDesigns,
    design_space_from_dict,
    design_space_of,
    parse_parameters,
)
from ombo_gym.design_spaces.parameters import Integers, Range
from ombo_gym.design_spaces.scales import warn_of_wide_spans
from ombo_gym.surrogates.kernels import rbf, squared_distances
from tests.design_spaces.strategies import some_designs

WIDE: list[Any] = [
    (1e-7, 1e-1),
    {"range": [1e-7, 1e-1]},
    {"range": [1, 5001], "step": 5},
    {"integer": [1, 5000]},
    [1e-4, 1e-2, 1.0],
    {"levels": [1, 100, 10_000]},
]

READERS: dict[str, Callable[[Any], Any]] = {
    "parse_parameters": parse_parameters,
    "design_space_of": design_space_of,
    "MixedDesigns": MixedDesigns,
    "CampaignSpec": CampaignSpec,
    "make_campaign": lambda space: ombo_gym.make_campaign(lambda x: 0.0, space),
    "make_campaign, vector": lambda space: ombo_gym.make_campaign(lambda x: 0.0, space, num_envs=2),
}


def warned(build: Callable[[], Any]) -> list[str]:
    """The warnings that something gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        build()
    assert all(each.category is UserWarning for each in caught)
    return [str(each.message) for each in caught]


@pytest.mark.parametrize("written", WIDE, ids=str)
@pytest.mark.parametrize("reader", READERS)
def test_wide_numbers_without_a_scale_are_warned_of_once_by_name(reader: str, written: Any) -> None:
    space = {"conc": written, "T": (20, 100), "dose": (1e-3, 2.0)}
    (message,) = warned(lambda: READERS[reader](space))
    assert "positive values span more than 3 decades and no scale was chosen" in message
    assert (
        "'conc' from " in message and "'dose' from 0.001 to 2" in message and "'T'" not in message
    )
    assert '"scale": "log"' in message and '"scale": "linear"' in message


@pytest.mark.parametrize(
    "written",
    [
        {"range": [1e-7, 1e-1], "scale": "linear"},
        {"range": [1e-7, 1e-1], "scale": "log"},
        {"integer": [1, 5000], "scale": "linear"},
        {"integer": [1, 5000], "scale": "log"},
        {"levels": [1, 100, 10_000], "scale": "linear"},
        {"choices": [1, 100, 10_000]},
        (0, 1e6),
        (-1e6, 1.0),
        (1e-3, 1.0),
        [0, 1, 10_000],
        Range(1e-7, 1e-1),
    ],
    ids=str,
)
@pytest.mark.parametrize("reader", READERS)
def test_a_chosen_scale_and_numbers_that_have_none_are_not_warned_of(
    reader: str, written: Any
) -> None:
    assert warned(lambda: READERS[reader]({"conc": written, "T": (20, 100)})) == []


@pytest.mark.parametrize(
    "space", [[(1e-7, 1e-1), (0, 1)], spaces.Box(np.float32([1e-7, 0]), np.float32([1e-1, 1]))]
)
def test_bounds_without_names_are_warned_of_with_a_way_to_choose(space: Any) -> None:
    (message,) = warned(lambda: ombo_gym.make_campaign(lambda x: 0.0, space))
    assert "space: " in message and "'number 0' from 1e-07 to 0.1" in message
    assert "dict of parameters by name" in message


def test_what_is_refused_is_refused_and_not_warned_of() -> None:
    for reader in READERS.values():
        if reader is parse_parameters:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ValueError, match="'k': expected numbers that can be told apart"):
                reader({"k": [1e-9, 1e-8, 1.0], "T": (0, 1)})


def test_of_many_numbers_a_few_next_to_zero_are_no_reason_to_warn() -> None:
    uniform = np.random.default_rng(0).random(5000)
    assert uniform.max() / uniform.min() > 1e3
    columns = {"uniform": uniform, "decades": 10 ** (-6 * uniform), "few": [1e-7, 1e-4, 0.1]}
    (message,) = warned(
        lambda: warn_of_wide_spans(columns, argument="csv: a.csv", remedy="log=[...]")
    )
    assert message.startswith("csv: a.csv: ") and message.endswith("log=[...]")
    assert "'decades' from " in message and "'few' from 1e-07 to 0.1" in message
    assert "uniform" not in message
    nothing = {"empty": [], "zero": [0, 1e-9, 1.0], "one": [1e-9]}
    assert not warned(lambda: warn_of_wide_spans(nothing, argument="csv", remedy=""))


def test_a_space_that_is_read_again_is_not_warned_of_again() -> None:
    with pytest.warns(UserWarning, match="'conc'"):
        space = design_space_of({"conc": (1e-7, 1e-1), "s": ["a", "b"]})
    with pytest.warns(UserWarning, match="'feature 0'"):
        pool = CandidateDesigns(np.logspace(-7, -1, 12)[:, None])
    for each in (space, pool):
        text = json.dumps(each.to_dict())
        assert warned(lambda text=text: design_space_from_dict(json.loads(text))) == []
        assert warned(lambda each=each: pickle.loads(pickle.dumps(each))) == []
        assert design_space_from_dict(json.loads(text)) == each


# --- logarithms -----------------------------------------------------------------------------------

LOGARITHMIC: list[tuple[Any, list[float]]] = [
    ({"range": [1e-7, 1e-1], "scale": "log"}, [1e-7, 1e-5, 1e-3, 1e-1]),
    ({"range": [1, 1001], "step": 1, "scale": "log"}, [1, 10, 100, 1000]),
    ({"integer": [1, 1000], "scale": "log"}, [1, 10, 100, 1000]),
    ({"levels": [1e-6, 1e-4, 1e-2, 1.0], "scale": "log"}, [1e-6, 1e-4, 1e-2, 1.0]),
]


@pytest.mark.parametrize(("written", "values"), LOGARITHMIC, ids=str)
@pytest.mark.parametrize("more", [{}, {"T": (20, 100)}, {"s": ["a", "b"]}], ids=str)
def test_ratios_are_distances_and_the_objective_gets_units(
    written: Any, values: list[float], more: dict[str, Any]
) -> None:
    seen = []
    rest = {"T": 60.0} if "T" in more else {"s": "a"} if more else {}
    env = ombo_gym.make_campaign(
        lambda x: seen.append(x) or 0.0,
        {"conc": written, **more},
        start={"kind": "none"},
        batch_size=len(values),
    )
    problem = env.unwrapped.problem
    designs = np.array([problem.to_design({"conc": value, **rest}) for value in values])
    features = problem.design_space.features(designs)[:, None]  # (n, 1, k)
    apart = np.linalg.norm(np.diff(features[:, 0], axis=0), axis=1)
    np.testing.assert_allclose(apart, apart[0], rtol=1e-3)
    env.reset(seed=0)
    env.step(problem.design_space.actions(designs[None])[0])
    assert [x["conc"] for x in seen] == values, "to the last digit"
    spec = env.unwrapped.campaign_spec
    assert CampaignSpec.from_json(spec.to_json()) == spec


def test_whole_numbers_on_a_logarithmic_scale_are_drawn_evenly_on_it() -> None:
    space = MixedDesigns({"n": {"integer": [1, 1000], "scale": "log"}, "x": (0, 1)})
    drawn = space.units(some_designs(space, 0, 2000)[0])["n"]
    assert drawn.dtype.kind == "i" and 0.5 < (drawn <= 31).mean() < 0.62  # .53, and all of 1
    assert Integers(1, 1000, "log").to_dict() == {"integer": [1, 1000], "scale": "log"}
    with pytest.raises(ValueError, match="'n': expected numbers above 0 on a logarithmic scale"):
        parse_parameters({"n": {"integer": [0, 9], "scale": "log"}})


def regret(space: Any, policy: str) -> float:
    """Mean regret after three plates of three, where a decade matters."""

    def objective(x: Any) -> Any:
        return -np.abs(np.log10(x["conc"]) + 5.3)

    envs = ombo_gym.make_campaign(
        objective, space, num_envs=40, vectorized=True, horizon=3, batch_size=3, optimum=0.0,
        autoreset_mode="Disabled",
    )  # fmt: skip
    player = ombo_agents.make(policy, envs)
    observation, infos = envs.reset(seed=0)
    for _ in range(3):
        observation, *_, infos = envs.step(player.act(observation, envs.np_random))
    return float(infos["regret"].mean())


def test_on_the_right_scale_a_policy_finds_a_concentration() -> None:
    scaled = {"conc": {"range": [1e-7, 1e-1], "scale": "log"}}
    assert regret(scaled, "ucb") < 0.2 * regret(scaled, "random")


# --- pools ----------------------------------------------------------------------------------------


def molecules(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights, polar surfaces, ring counts, charges and logP of molecules; and a value of these."""
    rng = np.random.default_rng(0)
    weight, surface = rng.gamma(20, 18, count), rng.gamma(4, 20, count)
    rings, charge = rng.integers(1, 6, count), rng.normal(0, 0.05, count)
    logp = rng.normal(2.5, 1.5, count)
    features = np.stack([weight, surface, rings, charge, logp], axis=1)  # (n, 5)
    return features, logp + 20 * charge


def test_the_kernel_of_a_pool_does_not_depend_on_units() -> None:
    raw, _ = molecules(200)
    units = np.array([1e-3, 1e4, 1.0, -25.7, 3.0])
    shifts = np.array([0.0, 1e5, -3.0, 100.0, 1e9])
    given = raw, raw * units + shifts
    one, other = (CandidateDesigns(each, scale="linear").pool_features for each in given)
    kernels = [rbf(squared_distances(each[None], each[None])) for each in (one, other)]
    np.testing.assert_allclose(kernels[0], kernels[1], atol=1e-6)
    spans = np.ptp(one, axis=0)
    np.testing.assert_allclose(spans, spans[0])
    squared = squared_distances(one[None], one[None])[0]
    assert squared.mean() == pytest.approx(2 / 3), "as of uniform numbers"


def plate_of(policy: str, features: np.ndarray, values: np.ndarray) -> float:
    """The mean value of what is proposed after 40 random measurements."""
    envs = ombo_gym.make_campaign(
        lambda candidates: values[candidates],
        CandidateDesigns(features, scale="linear"),
        num_envs=6, vectorized=True, horizon=1, batch_size=8, start={"kind": "random", "size": 40},
        autoreset_mode="Disabled",
    )  # fmt: skip
    player = ombo_agents.make(policy, envs)
    observation, _ = envs.reset(seed=0)
    *_, infos = envs.step(player.act(observation, envs.np_random))
    return float(infos["true_values"].mean())


def test_greedy_reads_molecules_in_raw_units() -> None:
    features, values = molecules(5000)
    random, greedy = (plate_of(policy, features, values) for policy in ("random", "greedy"))
    assert greedy > random + 0.5 * (values.max() - random), (random, greedy)


def test_a_feature_can_be_seen_by_its_logarithm_or_all_as_they_are() -> None:
    doses = np.array([[1.0, 20.0], [10.0, 60.0], [1000.0, 100.0]])
    for scale in (["log", "linear"], ("log", "linear")):
        pool = CandidateDesigns(doses, scale=scale)
        shares = (pool.pool_features - pool.pool_features[0]) / np.ptp(pool.pool_features, axis=0)
        np.testing.assert_allclose(shares, [[0, 0], [1 / 3, 0.5], [1, 1]])
        np.testing.assert_array_equal(pool.given_features, doses)
        again = design_space_from_dict(json.loads(json.dumps(pool.to_dict())))
        assert again == pool != CandidateDesigns(doses, scale="linear")
        np.testing.assert_array_equal(again.pool_features, pool.pool_features)
    everything = CandidateDesigns(doses, scale="log").pool_features
    assert np.ptp(everything, axis=0)[0] == pytest.approx(np.ptp(everything, axis=0)[1])
    np.testing.assert_array_equal(CandidateDesigns(doses, scale="none").pool_features, doses)


@pytest.mark.parametrize(
    ("features", "scale", "message"),
    [
        ([[1.0], [2.0]], "logarithmic", r"scale: expected one of \['linear', 'log', 'none'\]"),
        ([[1.0], [2.0]], ["log", "log"], "for each of 1 features"),
        ([[1.0], [2.0]], ["none"], "for each of 1 features"),
        ([[1.0], [0.0]], "log", "above 0 on a logarithmic scale, got 0.0 for feature 0 of candid"),
        ([[1.0], [2.0]], 3, "scale: expected one of"),
    ],
)
def test_scales_of_a_pool_that_are_none_are_refused(
    features: Any, scale: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        CandidateDesigns(np.array(features), scale=scale)
