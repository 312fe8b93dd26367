"""A spec built by hand and a dataset are enough: no environment anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ombo_agents
from ombo_gym import (
    BoxDesigns,
    CampaignSpec,
    CandidateDesigns,
    CategoricalDesigns,
    DesignSpace,
    MixedDesigns,
    Origin,
    Repeats,
)
from ombo_gym.randomness import GeneratorBatch
from tests.agents.cheap import make

pytestmark = pytest.mark.usefixtures("brief_fits")

SPACES: dict[str, DesignSpace] = {
    "box": BoxDesigns(2),
    "categories": CategoricalDesigns([4, 3, 5]),
    "pool": CandidateDesigns(np.random.default_rng(0).normal(size=(60, 3))),
    "mixed": MixedDesigns({"degrees": (25, 110), "solvent": ["DMF", "THF", "dioxane"]}),
}
ROWS = 12


def by_hand(space: DesignSpace, **further: Any) -> CampaignSpec:
    origin = Origin("random")
    return CampaignSpec(
        space, plates=(24, 24, 8), start_capacity=ROWS, start_origin=origin, **further
    )


def players() -> list[Any]:
    """Of the spaces that it suits, every policy plays every second one; the rest are slow tests."""
    found = []
    for turn, name in enumerate(ombo_agents.names()):
        suited = [
            kind for kind, space in SPACES.items() if ombo_agents.supports(name, by_hand(space))
        ]
        if name == "botorch_logei":  # whose optimiser takes a second or more
            suited = ["box"]  # test_every_policy.py plays the rest
        quick = suited[turn % 2 :: 2] or suited
        found += [
            pytest.param(name, kind, marks=() if kind in quick else pytest.mark.slow)
            for kind in suited
        ]
    return found


@pytest.mark.parametrize(("name", "kind"), players())
def test_every_policy_that_suits_the_space_fills_a_plate(name: str, kind: str) -> None:
    spec, space = by_hand(SPACES[kind]), SPACES[kind]
    rng = np.random.default_rng(1)
    designs = space.sample_distinct(GeneratorBatch([rng], 1), ROWS)[0]
    observation = spec.observation(designs, rng.normal(size=ROWS), [24, 24, 8])
    policy = make(name, spec)
    actions = policy.act(observation, np.random.default_rng(0))
    assert actions.dtype == spec.action_space.dtype and actions[0] in spec.action_space
    plate = space.designs(actions)[0]
    np.testing.assert_array_equal(plate, space.canonical(plate))
    assert len({design.tobytes() for design in plate}) == 24
    measured = {design.tobytes() for design in designs.astype(space.dtype)}
    assert not measured & {design.tobytes() for design in plate}


PARAMETERS = {
    "degrees": {"range": [25, 110], "step": 5},
    "equivalents": (1.0, 3.0),
    "loading (mol%)": {"range": [0.1, 10], "scale": "log"},
    "solvent": ["DMF", "THF", "dioxane"],
}
BEST = {"degrees": 85, "equivalents": 2.2, "loading (mol%)": 2.0, "solvent": "THF"}
PLAYED = ("ucb", "expected_improvement", "explore_then_exploit", "rollout", "thompson", "genetic")


def percent(design: dict[str, Any]) -> float:
    """A yield whose top is 90, at `BEST`."""
    off = ((design["degrees"] - BEST["degrees"]) / 40) ** 2
    off += ((design["equivalents"] - BEST["equivalents"]) / 1.2) ** 2
    off += np.log10(design["loading (mol%)"] / BEST["loading (mol%)"]) ** 2
    return float(90 * np.exp(-off) * {"DMF": 0.6, "THF": 1.0, "dioxane": 0.7}[design["solvent"]])


def campaign(rows: int) -> tuple[CampaignSpec, list[dict[str, Any]]]:
    space = MixedDesigns(PARAMETERS)
    spec = CampaignSpec(space, plates=(24, 24, 8), start_capacity=rows)
    sampled = space.sample(GeneratorBatch([np.random.default_rng(3)], 1), rows)[0]
    return spec, [space.describe(design) for design in sampled]


@pytest.mark.parametrize("name", ["ucb", "expected_improvement", "thompson", "genetic"])
def test_the_unit_of_the_yields_makes_no_difference(name: str) -> None:
    spec, designs = campaign(30)
    plates = []
    for unit in (1.0, 2.0**9):
        yields = [unit * percent(design) for design in designs]
        observation = spec.observation(designs, yields, [24, 24, 8])
        plates.append(ombo_agents.make(name, spec).act(observation, np.random.default_rng(0)))
    np.testing.assert_allclose(plates[1], plates[0], atol=1e-4)


@pytest.mark.parametrize("name", PLAYED)
def test_a_plate_of_24_holds_24_conditions(name: str) -> None:
    spec, designs = campaign(30)
    observation = spec.observation(designs, [percent(d) for d in designs], [24, 24, 8])
    plate = ombo_agents.make(name, spec).act(observation, np.random.default_rng(0))
    features = spec.design_space.features(spec.design_space.designs(plate)[0])
    apart = np.linalg.norm(features[:, None] - features, axis=-1) + np.eye(24) * 9
    assert apart.min() > 0
    if name != "explore_then_exploit":  # which is sure of so smooth a function, and stays close
        assert apart.min(axis=1).mean() > 0.02


def test_the_last_plate_is_near_the_best_conditions() -> None:
    spec, designs = campaign(48)
    yields = [percent(design) for design in designs]
    assert max(yields) < 85
    observation = spec.observation(designs, yields, [8], from_start=48)
    for name in ("greedy", "expected_improvement", "explore_then_exploit", "rollout"):
        plate = ombo_agents.make(name, spec).act(observation, np.random.default_rng(0))
        proposed = spec.describe(plate, 8)
        assert sum(design["solvent"] == "THF" for design in proposed) >= 6, name
        assert max(map(percent, proposed)) > max(yields), name
        assert max(map(percent, proposed)) > 86, name


def test_a_spec_built_by_hand_survives_json() -> None:
    spec = by_hand(SPACES["box"], repeats=Repeats.ALLOWED, noise_std=0.1, utility="last_mean")
    assert CampaignSpec.from_json(spec.to_json()) == spec
    assert spec.horizon == 3 and spec.capacity == ROWS + 56


def test_what_cannot_be_is_refused_with_what_was_expected() -> None:
    spec, designs = campaign(3)
    with pytest.raises(ValueError, match=r"number 1.*solvent"):
        spec.observation([designs[0], {**designs[1], "solvent": "water"}], [1, 2], [24, 24, 8])
    with pytest.raises(ValueError, match="measurements: expected finite"):
        spec.observation(designs, [1, np.nan, 2], [24, 24, 8])
    with pytest.raises(ValueError, match="start_capacity"):
        spec.observation(designs * 30, np.ones(90), [8])
