"""The search among mutants finds what is known to be best, in every kind of space."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns, Designs, MixedDesigns
from ombo_gym.problems.core.mutation_search import climb_by_mutation
from ombo_gym.randomness import GeneratorBatch

SEARCH = {"scatter": 256, "climbers": 8, "mutants": 32, "iterations": 60}
CATEGORIES = np.array([7, 0, 19, 3, 11])
NUMBERS = np.array([0.3, -0.8, 1.0])


def rngs(count: int) -> GeneratorBatch:
    return GeneratorBatch(np.random.default_rng(0), count)


def test_of_ten_million_recipes_the_one_with_all_the_right_categories() -> None:
    def matches(designs: Designs) -> Any:
        return (designs == CATEGORIES).sum(axis=-1).astype(np.float64)

    found = climb_by_mutation(matches, CategoricalDesigns([25] * 5), rngs(3), **SEARCH)
    assert found.tolist() == [5, 5, 5]


def test_of_a_box_the_top_of_a_hill() -> None:
    def hill(designs: Designs) -> Any:
        return -((designs - NUMBERS) ** 2).sum(axis=-1)

    found = climb_by_mutation(hill, BoxDesigns(3), rngs(3), **SEARCH)
    assert found == pytest.approx(0, abs=1e-4)


def test_of_mixed_designs_numbers_are_improved_while_the_right_category_stays() -> None:
    space = MixedDesigns({"a": (-1, 1), "b": (-1, 1), "c": list("uvwxyz"), "d": list("uvwxyz")})

    def hill(designs: Designs) -> Any:
        right = (designs[..., 4] > 0) & (designs[..., 9] > 0)
        return right - ((designs[..., :2] - NUMBERS[:2]) ** 2).sum(axis=-1)

    found = climb_by_mutation(hill, space, rngs(3), **SEARCH)
    assert found == pytest.approx(1, abs=1e-4)
