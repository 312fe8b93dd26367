"""Observations: measurements keep their digits, and what no campaign shows is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import ombo_gym
from ombo_gym import BoxDesigns, CampaignSpec, CandidateDesigns, CategoricalDesigns, DesignSpace
from ombo_gym.design_spaces import Designs
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.randomness import BatchedGenerator
from tests.envs.cases import IDS, make_native, settings_of

Observation = dict[str, Any]


# --- digits and types ----------------------------------------------------------------------------


class Offset(Problem):
    """Small differences on top of a large number."""

    OFFSET, SPREAD = -1_234_567.891, 0.1

    def __init__(self) -> None:
        self.design_space = BoxDesigns(1)

    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"slope": 0.5 + rngs.random(())}

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        return self.OFFSET + self.SPREAD * instances["slope"][:, None] * designs[..., 0]


def test_measurements_keep_differences_that_float32_would_lose() -> None:
    env = CampaignEnv(Offset(), horizon=1)
    observation, info = env.reset(seed=0)
    values = observation["measurements"][:4]
    assert values.dtype == np.float64 and len(set(values.tolist())) == 4
    assert len(set(np.float32(values).tolist())) == 1
    assert values.max() == info["best_value"]
    observation, _, _, _, info = env.step(np.float32([[-1], [0], [0.5], [1]]))
    np.testing.assert_array_equal(observation["measurements"][4:], info["true_values"])
    assert np.argmax(observation["measurements"]) == 7


@pytest.mark.parametrize(
    ("levels", "dtype"),
    [
        *((2, "int8"), (127, "int8"), (128, "int8"), (129, "int16")),
        *((32_767, "int16"), (32_768, "int16"), (32_769, "int32")),
    ],
)
def test_categories_and_indices_are_shown_in_the_smallest_integers_that_hold_them(
    levels: int, dtype: str
) -> None:
    for space in (
        CategoricalDesigns([levels, 2]),
        CandidateDesigns(np.linspace(0, 1, levels)[:, None]),
    ):
        spec = CampaignSpec(space, start_capacity=2)
        assert spec.observation_space["designs"].dtype == dtype
        assert spec.action_space.dtype == np.int64
        last = space.decode(np.array([space.size - 1, 0]))
        shown = spec.observation(last, [1.0, 2.0], [1])
        assert shown["designs"].dtype == dtype
        np.testing.assert_array_equal(shown["designs"][0, :2], last)


# --- what campaigns show is accepted -------------------------------------------------------------


def shown(env_id: str, **rounds: Any) -> Iterator[tuple[CampaignSpec, Observation]]:
    env = make_native(env_id, 3, AutoresetMode.NEXT_STEP, noise_std=0.1, **rounds)
    env.action_space.seed(0)
    spec = env.unwrapped.campaign_spec
    yield spec, env.reset(seed=0)[0]
    for _ in range(5):
        yield spec, env.step(env.action_space.sample())[0]


@pytest.mark.parametrize("rounds", [{"horizon": [1, 3], "batch_size": [1, 3]}, {"plates": [2, 1]}])
@pytest.mark.parametrize("env_id", ombo_gym.env_ids())
def test_what_environments_show_is_accepted_finished_rows_too(
    env_id: str, rounds: dict[str, Any]
) -> None:
    over = False
    for spec, observation in shown(env_id, **rounds):
        spec.check_observation(observation)
        spec.check_observation({name: array.tolist() for name, array in observation.items()})
        over |= bool((observation["rounds_left"] == 0).any())
    assert over


@pytest.mark.parametrize("env_id", IDS)
def test_an_observation_made_by_hand_of_what_was_shown_is_the_same(env_id: str) -> None:
    env = gym.make(env_id, **settings_of(env_id, plates=[3, 1, 2]))
    spec = env.unwrapped.campaign_spec
    env.action_space.seed(0)
    observation, over = env.reset(seed=0)[0], False
    while not over:
        n, left = int(observation["observed"].sum()), int(observation["rounds_left"][0])
        by_hand = spec.observation(
            observation["designs"][:n],
            observation["measurements"][:n],
            observation["plates"][:left].astype(int),
            from_start=int(observation["from_start"].sum()),
        )
        for name, array in observation.items():
            assert by_hand[name].dtype == array.dtype
            np.testing.assert_array_equal(by_hand[name][0], array)
        observation, _, over, _, _ = env.step(env.action_space.sample())


# --- what none shows is refused ------------------------------------------------------------------

SPACES: dict[str, DesignSpace] = {
    "box": BoxDesigns(2),
    "categories": CategoricalDesigns([3, 4, 2]),
    "pool": CandidateDesigns(np.eye(5)),
}


def good(space: DesignSpace) -> tuple[CampaignSpec, Observation]:
    """Two campaigns of up to 3 rounds of up to 2 designs, one of them over."""
    spec = CampaignSpec(space, horizons=(1, 3), batch_sizes=(1, 2), start_capacity=2)
    rng = np.random.default_rng(0)
    shape = (2, spec.capacity, *space.shape)
    low, high = space.observation_space(1).low[0], space.observation_space(1).high[0]
    designs = rng.uniform(low, high, shape) if space.size is None else rng.integers(0, 2, shape)
    observed = np.arange(spec.capacity) < np.array([[3], [6]])
    designs[~observed] = 0
    observation = {
        "designs": designs.astype(spec.observation_space["designs"].dtype),
        "measurements": np.where(observed, rng.normal(50, 10, (2, spec.capacity)), 0.0),
        "observed": observed.astype(np.int8),
        "from_start": (np.arange(spec.capacity) < np.array([[2], [2]])).astype(np.int8),
        "rounds_left": np.array([[2], [0]], np.float32),
        "plates": np.array([[2, 1, 0], [0, 0, 0]], np.float32),
    }
    spec.check_observation(observation)
    return spec, observation


def put(observation: Observation, name: str, index: Any, value: Any) -> Observation:
    array = observation[name].copy()
    array[index] = value
    return {**observation, name: array}


BREAKS = {
    "a missing field": lambda o: ({k: v for k, v in o.items() if k != "plates"}, "fields"),
    "a field too many": lambda o: ({**o, "values": o["measurements"]}, "fields"),
    "no dict": lambda o: ([*o.values()], "a dict, got list"),
    "no leading axis": lambda o: ({k: v[0] for k, v in o.items()}, "rounds_left: .*B campaigns"),
    "another capacity": lambda o: ({**o, "observed": o["observed"][:, 1:]}, "observed: .*shape"),
    "designs of another shape": lambda o: ({**o, "designs": o["designs"][..., None]}, "designs"),
    "fewer measurements": lambda o: ({**o, "measurements": o["measurements"][:1]}, "measurements"),
    "plates of another horizon": lambda o: ({**o, "plates": o["plates"][:, :2]}, "plates: .*shape"),
    "a measurement that is NaN": lambda o: (
        put(o, "measurements", (0, 1), np.nan),
        "measurements: .*finite.*nan",
    ),
    "an infinite measurement": lambda o: (put(o, "measurements", (1, 5), np.inf), "measurements"),
    "a measurement in text": lambda o: (
        {**o, "measurements": o["measurements"].astype(str)},
        "measurements: expected numbers",
    ),
    "NaN behind the rows in use": lambda o: (
        put(o, "measurements", (0, 5), np.nan),
        "measurements: .*zeros behind",
    ),
    "numbers behind the rows in use": lambda o: (
        put(o, "designs", (0, 4), 1),
        "designs: .*zeros behind",
    ),
    "designs out of bounds": lambda o: (put(o, "designs", (0, 0), 60), "designs: .*from"),
    "designs below": lambda o: (put(o, "designs", (0, 2), -2), "designs: .*from"),
    "designs in text": lambda o: ({**o, "designs": o["designs"].astype(str)}, "designs: .*numbers"),
    "a gap": lambda o: (put(o, "observed", (0, 1), 0), "observed: .*gap"),
    "a flag that is 2": lambda o: (put(o, "observed", (0, 1), 2), "observed: .*0 or 1, got 2"),
    "a flag that is a half": lambda o: (
        {**o, "observed": o["observed"] * 0.5},
        "observed: .*whole",
    ),
    "a start behind a batch": lambda o: (put(o, "from_start", (0, 0), 0), "from_start: .*first"),
    "a start that is not there": lambda o: (put(o, "from_start", 0, 1), "from_start: .*first"),
    "rounds beyond the horizon": lambda o: (put(o, "rounds_left", 0, 4), "rounds_left: .*0 to 3"),
    "negative rounds": lambda o: (put(o, "rounds_left", 0, -1), "rounds_left: .*0 to 3"),
    "half a round": lambda o: (put(o, "rounds_left", 0, 1.5), "rounds_left: .*whole"),
    "rounds that are NaN": lambda o: (put(o, "rounds_left", 0, np.nan), "rounds_left: .*nan"),
    "a plate too large": lambda o: (put(o, "plates", (0, 0), 3), "plates: .*from 1 to 2"),
    "a plate of none": lambda o: (put(o, "plates", (0, 1), 0), "plates: .*as many as rounds_left"),
    "a plate too many": lambda o: (put(o, "plates", (0, 2), 1), "plates: .*zeros behind"),
    "plates once it is over": lambda o: (put(o, "plates", (1, 0), 1), "plates: .*zeros behind"),
    "plates that are NaN": lambda o: (put(o, "plates", (0, 0), np.nan), "plates: .*nan"),
}


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("name", BREAKS)
def test_what_no_campaign_shows_is_refused_by_its_name(name: str, kind: str) -> None:
    spec, observation = good(SPACES[kind])
    bad, message = BREAKS[name](observation)
    with pytest.raises(ValueError, match=message):
        spec.check_observation(bad)


@pytest.mark.parametrize("kind", SPACES)
def test_a_design_that_is_nan_is_refused(kind: str) -> None:
    spec, observation = good(SPACES[kind])
    designs = observation["designs"].astype(np.float64)
    designs[0, 1] = np.nan
    with pytest.raises(ValueError, match=r"designs: .*(nan|whole)"):
        spec.check_observation({**observation, "designs": designs})


def test_a_design_that_is_not_written_as_campaigns_write_it_is_refused() -> None:
    """Stepped numbers and categories among numbers have one way to be written."""
    space = {"degrees": {"range": [0, 10], "step": 5}, "solvent": ["THF", "DMF"], "hours": (1, 2)}
    spec = CampaignSpec(space, start_capacity=2)
    designs = spec.design_space.canonical(
        np.float32([[0.1, 0.3, 0.2, 0.7][: spec.design_space.shape[0]]] * 2)
    )
    spec.check_observation(spec.observation(designs, [1, 2], [1]))
    refused = 0
    for entry in range(len(designs[0])):
        changed = designs.copy()
        changed[1, entry] += 0.3 if changed[1, entry] < 0.5 else -0.3
        canonical = spec.design_space.canonical(changed)
        if np.abs(canonical - changed).max() <= 1e-6:
            continue  # the number without a step
        with pytest.raises(ValueError, match=r"designs: .*`design_space\.canonical` writes it"):
            spec.observation(changed, [1, 2], [1])
        refused += 1
    assert refused == len(designs[0]) - 1


@settings(max_examples=300, derandomize=True)
@given(
    kind=st.sampled_from(sorted(SPACES)),
    name=st.sampled_from(["designs", "measurements", "observed", "from_start", "rounds_left"]),
    seed=st.integers(0, 2**32 - 1),
    value=st.sampled_from([np.nan, np.inf, -np.inf, 1e9, -7.0, 0.5]),
)
def test_one_odd_number_in_a_row_in_use_is_refused_by_the_name_of_its_field(
    kind: str, name: str, seed: int, value: float
) -> None:
    spec, observation = good(SPACES[kind])
    array = observation[name].astype(np.float64)
    rng = np.random.default_rng(seed)
    row = int(rng.integers(2))
    used = int(observation["observed"][row].sum()) if name != "rounds_left" else 1
    index = (row, int(rng.integers(used)))
    if array.ndim == 3:
        index = (*index, int(rng.integers(array.shape[2])))
    array[index] = value
    fine = np.isfinite(value) and (
        name == "measurements" or (name == "designs" and kind == "box" and abs(value) <= 1)
    )
    if fine:
        spec.check_observation({**observation, name: array})
        return
    with pytest.raises(ValueError, match=f"^{name}: expected"):
        spec.check_observation({**observation, name: array})


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        (([[0, 1]], [1.0, 2.0], [1]), r"designs: expected shape \(2, 2\).*got \(1, 2\)"),
        (([[0, 300]], [1.0], [1]), "designs: .*300"),
        (([[0, 1]], [np.nan], [1]), "measurements: expected finite"),
        (([[0, 1]] * 9, [1.0] * 9, [1]), "measurements: expected at most 4"),
        (([[0, 1]], [1.0], [1, 1]), "plates_left: expected .* at most 1 batches"),
        (([[0, 1]], [1.0], [5]), "plates: .*from 2 to 2"),
        (([[0, 1]], [1.0], [0]), "plates_left: .*at least 1"),
    ],
    ids=str,
)
def test_an_observation_by_hand_that_cannot_be_is_refused(given_: Any, message: str) -> None:
    spec = CampaignSpec(CategoricalDesigns([2, 3]), batch_sizes=(2, 2), start_capacity=2)
    with pytest.raises(ValueError, match=message):
        spec.observation(*given_)
    designs, measurements, plates = given_
    with pytest.raises(ValueError, match=message):
        spec.observation(np.array(designs), np.array(measurements), plates)
