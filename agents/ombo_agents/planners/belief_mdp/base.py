"""What is known of a campaign, as rows of whole numbers: the states of exact planning.

A state is a sum over the dataset's rows: every measurement, an *item* (design, outcome), adds its
own row of numbers. Everything is computed for S states at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.planners.belief_mdp.counting import orders
from ombo_gym.observations import Observation
from ombo_gym.spec import Repeats
from ombo_gym.utilities import Utility

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Batch = tuple[int, ...]  # designs
Posterior = tuple[
    Floats, Floats
]  # two arrays with a leading S; what they hold is up to a BeliefMDP


@dataclass(frozen=True)
class Scenarios:
    """What a batch may show.

    Attributes:
        items: (E, len(batch)) measurements, in the order of the batch.
        deltas: (E, state_width) what they add to a state.
        probabilities: From the posterior of S states to (S, E).
    """

    items: Integers
    deltas: Integers
    probabilities: Callable[[Posterior], Floats]


def take_posterior(posterior: Posterior, indices: NDArray[np.intp]) -> Posterior:
    """The posterior in some of S states, given by their indices."""
    first, second = posterior
    return first[indices], second[indices]


class BeliefMDP(ABC):
    """States of campaigns whose objectives are drawn from a process that is known exactly.

    Attributes:
        num_designs: M.
        state_width: Numbers in a state.
        counts_are_exact: Whether `layer_sizes` and `num_branches` are exact, not bounds from above.
        repeats: Whether and when a design can be measured again.
        value_scale: How far true values are apart: differences of less than a tiny part of it are
            ties.
        item_values: (num_items,) what a measurement reads; item i is of design
            i // (num_items // M).
        item_deltas: (num_items, state_width) what it adds to a state.
    """

    num_designs: int
    state_width: int
    counts_are_exact: bool
    repeats: Repeats
    value_scale: float
    item_values: Floats
    item_deltas: Integers

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_scenarios": {}}  # functions, which cannot be pickled

    @abstractmethod
    def items(self, observation: Observation) -> Integers:
        """The measurements of B datasets, (B, capacity); -1 where there is none.

        Raises:
            ValueError: A dataset that no objective can show.
        """

    def _checked_dataset(
        self, observation: Observation
    ) -> tuple[Integers, Floats, NDArray[np.bool_]]:
        """Designs (B, n, 1), measurements and which rows are in use (B, n), checked."""
        designs = observation["designs"].astype(np.int64)
        observed = observation["observed"].astype(bool)
        no_design = observed & ((designs[..., 0] < 0) | (designs[..., 0] >= self.num_designs))
        if no_design.any():
            raise ValueError(
                f"designs: expected 0 to {self.num_designs - 1}, "
                f"got {designs[no_design][0, 0]} in a dataset"
            )
        return designs, observation["measurements"], observed

    def states(self, items: Integers) -> Integers:
        """Sums of what items add, (S, n) -> (S, state_width); -1 adds nothing."""
        states = np.zeros((len(items), self.state_width), np.int64)  # (S, state_width)
        for column in items.T:
            states += np.where((column >= 0)[:, None], self.item_deltas[column], 0)
        return states

    def designs_of(self, items: Integers) -> Integers:
        """The designs that items measure, elementwise; -1 stays."""
        return items // (len(self.item_values) // self.num_designs)

    def canonical(self, states: Integers) -> Integers:
        """States with exchangeable designs in descending order, (..., state_width)."""
        return states

    def order(self, states: Integers) -> Integers:
        """Where designs went, (..., M): design j of the canonical state is `order[..., j]`."""
        return np.broadcast_to(np.arange(self.num_designs), (*states.shape[:-1], self.num_designs))

    @abstractmethod
    def options(self, states: Integers, q: int) -> list[Batch]:
        """All batches, in lexicographic order; of fewer designs than q where fewer are left."""

    def legal(self, states: Integers, batch: Batch) -> NDArray[np.bool_]:
        """In which of S states the batch can be measured, (S,)."""
        return np.ones(len(states), bool)

    @abstractmethod
    def posterior(self, states: Integers) -> Posterior:
        """The posterior in each of S states, for the methods below."""

    @abstractmethod
    def scenarios(self, batch: Batch, detail: str = "beliefs") -> Scenarios:
        """What a batch may show.

        Args:
            batch: Designs.
            detail: "beliefs": what leads to the same belief may be one scenario; "sets": what leads
                to the same measurements, whatever their order; "sequences": every order is another.
        """

    @abstractmethod
    def expected_gain(
        self, posterior: Posterior, batch: Batch, q: int, utility: Utility, rounds_left: int
    ) -> Floats:
        """What a round is expected to add up, see `Utility.gain`, (S,).

        Args:
            posterior: Of S states, see `posterior`.
            batch: Designs that are measured; where they are fewer than q, the other slots are
                wasted.
            q: Size of the plate.
            utility: Of the campaigns.
            rounds_left: This one included.
        """

    @abstractmethod
    def posterior_means(self, posterior: Posterior) -> Floats:
        """Posterior means of the designs, (S, M)."""

    def num_proposals(self, posterior: Posterior, options: Sequence[Batch]) -> Floats:
        """What the tie rule "uniform" is uniform over: how many proposals each option is, (S, A).

        A batch can be proposed in several orders, and each is a proposal of its own; but proposals
        that differ only by exchanging arms of which the same is believed are one.
        """
        return np.array([[orders(batch) for batch in options]])

    @abstractmethod
    def layer_sizes(self, counts: Sequence[int]) -> list[int]:
        """States with so many measurements each; at most, where not known."""

    @abstractmethod
    def num_options(self, q: int, measured: int = 0) -> int:
        """Batches in a state with so many measurements."""

    @abstractmethod
    def num_branches(self, q: int, measured: int = 0) -> int:
        """Pairs of a batch and a scenario in such a state; at most, where not known."""
