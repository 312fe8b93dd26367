"""Campaigns written by hand, and small problems of one's own for them."""

from __future__ import annotations

import numpy as np

from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns
from tests.controls.small_problems import Listed, Recipes


class Recipe(Recipes):
    def __init__(self, categories, *, ordinal=False):
        super().__init__(categories)
        self.design_space = CategoricalDesigns(categories, ordinal=ordinal)


class Line(Listed):
    """Candidates at the places 0, 1, 4, 9, ... of a line."""

    def __init__(self):
        super().__init__(CandidateDesigns(np.arange(12.0)[:, None] ** 2))

    def numbers(self, designs):
        return designs[..., 0]


def observation_of(policy, designs, values, start=0):
    """One campaign that has measured some designs, the first ones as its start."""
    spec = policy.spec
    return spec.observation(designs, values, [spec.batch_size], from_start=start)


def batch_of(policy, observation, seed=0):
    actions = policy.act(observation, [np.random.default_rng(seed)])
    return policy.space.designs(actions)[0]
