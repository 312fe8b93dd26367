"""After a few random rows `doe_then_ucb` is `ucb`, however many features designs have."""

from __future__ import annotations

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
)
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import Origin

COLUMNS = np.random.default_rng(0).normal(size=(60, 90))
SPACES: dict[str, DesignSpace] = {
    "pool of 40 columns": CandidateDesigns(COLUMNS[:, :40], scale="linear"),
    "pool of 90 columns": CandidateDesigns(COLUMNS, scale="linear"),
    "strings": CategoricalDesigns([4] * 5),
    "box": BoxDesigns(6),
    "mixed": MixedDesigns({**{f"x{i}": (0, 1) for i in range(8)}, "base": list("abcd")}),
}
DESIGNS_FIRST = {"box": "sobol", "mixed": "latin_hypercube"}


def campaigns(space: DesignSpace, size: int, origin: str) -> tuple[CampaignSpec, Observation]:
    """Two of one batch of 4, whose starts are so many uniform designs."""
    kind = Origin(origin, 50.0 if origin == "percentile" else None)
    spec = CampaignSpec(space, batch_sizes=(4, 4), start_capacity=size, start_origin=kind)
    rngs = GeneratorBatch([np.random.default_rng([1, row]) for row in range(2)], 2)
    designs = space.sample(rngs, size)
    values = np.random.default_rng(0).normal(size=(2, size))
    each = [spec.observation(x, y, [4]) for x, y in zip(designs, values, strict=True)]
    return spec, {name: np.concatenate([one[name] for one in each]) for name in each[0]}


def proposed(policy: str, spec: CampaignSpec, observation: Observation) -> np.ndarray:
    generators = [np.random.default_rng([5, row]) for row in range(2)]
    return ombo_agents.make(policy, spec).act(observation, generators)


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("size", [4, 16])
def test_few_random_rows_are_enough_whatever_the_number_of_features(kind: str, size: int) -> None:
    given = campaigns(SPACES[kind], size, "random")
    np.testing.assert_array_equal(proposed("doe_then_ucb", *given), proposed("ucb", *given))


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize(("size", "origin"), [(3, "random"), (16, "percentile")])
def test_fewer_and_truncated_ones_are_not(kind: str, size: int, origin: str) -> None:
    given = campaigns(SPACES[kind], size, origin)
    expected = proposed(DESIGNS_FIRST.get(kind, "d_optimal"), *given)
    np.testing.assert_array_equal(proposed("doe_then_ucb", *given), expected)
    assert (expected != proposed("ucb", *given)).any()


def test_how_many_are_enough_is_a_setting() -> None:
    given = campaigns(SPACES["strings"], 5, "random")
    for least, name in ((5, "ucb"), (6, "d_optimal")):
        found = proposed(f"doe_then_ucb:least_start={least}", *given)
        np.testing.assert_array_equal(found, proposed(name, *given))


@pytest.mark.parametrize("least", [0, -1, 2.5, True])
def test_a_number_that_is_none_is_refused(least: object) -> None:
    spec = CampaignSpec(SPACES["box"])
    with pytest.raises(ValueError, match="least_start: expected a whole number of at least 1"):
        ombo_agents.make("doe_then_ucb", spec, least_start=least)
