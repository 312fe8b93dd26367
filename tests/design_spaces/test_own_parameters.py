"""Kinds of parameters of one's own: written by kind, read back from JSON, seen by surrogates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import ombo_agents
import ombo_gym
from ombo_gym import CampaignSpec, Parameter, parse_parameters
from ombo_gym.design_spaces.parameter import PARAMETERS
from ombo_gym.randomness import GeneratorBatch


@pytest.fixture(autouse=True)
def own_kinds() -> Iterator[None]:
    before = dict(PARAMETERS)

    @dataclass(frozen=True)
    class Angle(Parameter):
        kind: ClassVar[str] = "angle"
        values: tuple[float, ...]

        @property
        def coordinates(self):
            return np.linspace(-1, 1, len(self.values))

        @property
        def table(self):
            radians = np.radians(self.values)
            return np.stack([np.cos(radians), np.sin(radians)], axis=1)

    @dataclass(frozen=True)
    class Species(Parameter):
        kind: ClassVar[str] = "species"
        category: ClassVar[bool] = True
        values: tuple[str, ...]

    PARAMETERS.update(angle=Angle, species=Species)
    yield
    PARAMETERS.clear()
    PARAMETERS.update(before)


WRITTEN = {
    "turn": {"angle": {"values": [0, 90, 180, 270]}},
    "who": {"species": {"values": ["mouse", "rat", "fly"]}},
    "dose": (0.0, 1.0),
}


def test_a_spec_of_own_kinds_survives_json() -> None:
    spec = CampaignSpec(WRITTEN, plates=[3, 2])  # type: ignore[arg-type]
    assert CampaignSpec.from_json(spec.to_json()) == spec
    assert spec.describe(spec.design_space.actions(np.zeros((1, 1, 5), np.float32)), 1)


def test_surrogates_see_the_table_and_designs_are_found_again_by_it() -> None:
    space = CampaignSpec(WRITTEN).design_space  # type: ignore[arg-type]
    designs = space.sample(GeneratorBatch(np.random.default_rng(0), 2), 50)
    features = space.features(designs)
    angle = np.pi / 2 * np.round((designs[..., 0] + 1) * 1.5)
    np.testing.assert_allclose(features[..., 0], np.cos(angle), atol=1e-6)
    np.testing.assert_allclose(features[..., 1], np.sin(angle), atol=1e-6)
    np.testing.assert_allclose((features[..., 2:5] ** 2).sum(axis=-1), 0.5)
    np.testing.assert_array_equal(space.from_features(features), designs)


@pytest.mark.parametrize("name", ["ucb", "genetic", "turbo", "d_optimal", "cmaes"])
def test_policies_play_them(name: str) -> None:
    env = ombo_gym.make_campaign(
        lambda x: x["dose"] - (x["who"] == "fly"),
        WRITTEN,
        num_envs=2,
        horizon=2,
        autoreset_mode="Disabled",
    )
    observation, _ = env.reset(seed=0)
    actions = ombo_agents.make(name, env).act(observation, np.random.default_rng(0))
    assert env.action_space.contains(actions)


@pytest.mark.parametrize(
    "written", [{"angle": [0, 90]}, {"angle": {"values": [0], "colour": 1}}, {"angel": {}}]
)
def test_what_is_not_written_so_is_refused_with_what_was_expected(written: dict) -> None:
    with pytest.raises(ValueError, match=r"'turn': expected .*angle.*, got"):
        parse_parameters({"turn": written})


@pytest.mark.parametrize("coordinates", [[1.0, 0.0, -1.0], [0.0, 1.0, 2.0], [0.0, np.nan, 1.0]])
def test_coordinates_that_are_none_are_refused(coordinates: list[float]) -> None:
    @dataclass(frozen=True)
    class Odd(Parameter):
        values: tuple[float, ...]

        @property
        def coordinates(self):
            return np.array(coordinates)

    with pytest.raises(ValueError, match="'x': expected coordinates from -1 to 1, ascending"):
        CampaignSpec({"x": Odd((1.0, 2.0, 3.0)), "y": (0, 1)})  # type: ignore[arg-type]
