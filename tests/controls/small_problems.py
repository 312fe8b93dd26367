"""Problems of which everything can be listed: a pool of candidates and short recipes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns
from ombo_gym.problems.base import Problem


class Listed(Problem):
    """Finitely many designs, each worth what a table says; an instance is a row of the table."""

    start: ClassVar = {"kind": "random", "size": 5}

    def __init__(self, design_space):
        self.design_space = design_space
        self.table = np.random.default_rng(0).normal(size=(11, design_space.size))

    def draw(self, draws):
        return {"row": draws.draw(lambda rng: rng.integers(len(self.table)))}

    def evaluate(self, instances, designs):
        return self.table[instances["row"][:, None], self.numbers(designs)]


class Pool(Listed):
    """40 candidates with two features."""

    def __init__(self):
        super().__init__(CandidateDesigns(np.random.default_rng(1).normal(size=(40, 2))))

    def numbers(self, designs):
        return designs[..., 0]


class Recipes(Listed):
    """Three choices among 2, 3 and 4: 24 designs, fewer than a list of candidates holds."""

    def __init__(self, categories=(2, 3, 4)):
        super().__init__(CategoricalDesigns(categories))

    def numbers(self, designs):
        return self.design_space.encode(designs)
