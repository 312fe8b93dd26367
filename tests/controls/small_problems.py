"""Problems of which everything can be listed: a pool of candidates and short recipes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns
from ombo_gym.problems.core.base import Problem
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.spec import Repeats


class Listed(Problem):
    """Finitely many designs, each worth what a table says; an instance is a row of the table."""

    start: ClassVar = {"kind": "random", "size": 5}

    def __init__(self, design_space):
        self.design_space = design_space
        self.table = np.random.default_rng(0).normal(size=(11, design_space.size))

    def draw(self, rngs):
        return {"row": rngs.draw(lambda rng: rng.integers(len(self.table)))}

    def evaluate(self, instances, designs):
        return self.table[instances["row"][:, None], self.numbers(designs)]


class Pool(Listed):
    """40 candidates with two features."""

    def __init__(self):
        features = np.random.default_rng(1).normal(size=(40, 2))
        super().__init__(CandidateDesigns(features, scale="none"))

    def numbers(self, designs):
        return designs[..., 0]


class Recipes(Listed):
    """Three choices among 2, 3 and 4: 24 designs, fewer than a list of candidates holds."""

    def __init__(self, categories=(2, 3, 4)):
        super().__init__(CategoricalDesigns(categories))

    def numbers(self, designs):
        return self.design_space.encode(designs)


class PoolOnce(Pool):
    """40 candidates, more than a list of candidates holds, each measured once at most."""

    repeats = Repeats.NEVER_AGAIN


class RecipesOnce(Recipes):
    """24 designs of three positions, each measured once at most."""

    repeats = Repeats.NEVER_AGAIN


class BoxOnce(GP):
    """A box of which nothing is measured twice."""

    repeats = Repeats.NEVER_AGAIN


class BitsOnce(Listed):
    """2,048 designs, more than are looked at whole."""

    repeats = Repeats.NEVER_AGAIN

    def __init__(self):
        super().__init__(CategoricalDesigns([2] * 11))

    def numbers(self, designs):
        return self.design_space.encode(designs)


ONCE = {  # problems of which nothing is measured twice
    "signpost": ("Landscapes", {}),
    "blurred_signpost": ("Landscapes", {"name": "blurred_signpost"}),
    "tent8": ("Landscapes", {"name": "tent8"}),
    "clique": ("Landscapes", {"name": "clique"}),
    "gp, with a start": ("Landscapes", {"name": "gp", "start": {"kind": "random", "size": 2}}),
    "dose": ("Landscapes", {"name": "dose", "levels": 5}),
    "two designs": ("Landscapes", {"matrix": [[0, 1], [1, 0]]}),
    "one design": ("Landscapes", {"matrix": [[0], [1]]}),
    "all alike": ("Landscapes", {"matrix": [[0] * 6, [1] * 6]}),
    "eleven designs": (
        "Landscapes",
        {"matrix": [[(x * y) % 7 for x in range(11)] for y in range(1, 6)], "weights": range(5)},
    ),
    "pool": (PoolOnce(), {}),
    "recipes": (RecipesOnce(), {}),
    "box": (BoxOnce(dim=1), {}),
    "bits": (BitsOnce(), {}),
}


def play_without_waste(env, act):
    """Plays a campaign of every row to the end.

    Slots are wasted only where fewer designs than slots are left to be measured.

    Args:
        env: A vector environment.
        act: Actions from an observation.
    """
    played = env.unwrapped
    size, q = played.design_space.size, played.campaign_spec.batch_size
    observation, _ = env.reset(seed=0)
    over = False
    while not over:
        left = np.inf if size is None else size - played.campaigns.num_observed
        observation, _, ended, _, info = env.step(act(observation))
        np.testing.assert_array_equal(info["wasted"], np.maximum(0, q - left))
        over = ended.all()
