"""A trained network that proposes designs itself, from the dataset as a set."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ombo_agents.learned.encoder import DirectPolicy, SlotBySlot, categories
from ombo_agents.policy import DesignsPolicy, Observation
from ombo_gym.design_spaces import BoxDesigns, Designs
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows

_TIE = 1e-9  # scores this close are equal: sums round differently in batches of other sizes
_TOGETHER = 512  # campaigns that the network looks at together, for bounded memory


class TrainedDirect(DesignsPolicy):
    """A network that proposes the designs it scores highest; in a box, its mean.

    Where designs can be measured once and are finitely many, each slot takes the best design that
    is neither measured nor in the batch; when none is left, the best of all.

    Args:
        game: The campaigns it is built for.
        network: Over a `DatasetEncoder`.
    """

    horizon_aware = True
    exchangeable = True
    deterministic = True

    def __init__(self, game: Game, network: DirectPolicy) -> None:
        super().__init__(game)
        self._network = network.double().eval()
        self._once = not self.repeats and not isinstance(self.space, BoxDesigns)
        self.wasteful = not self._once  # in a box its word stands, corners included

    def propose(self, observation: Observation, draws: GeneratorRows) -> Designs:  # noqa: D102
        rows = len(observation["rounds_left"])
        proposed: list[Designs] = []
        for first in range(0, rows, _TOGETHER):
            part = slice(first, first + _TOGETHER)
            some = {name: array[part] for name, array in observation.items()}
            proposed.append(self._designs(in_canonical_order(some)))
        return np.concatenate(proposed)

    def _designs(self, observation: Observation) -> Designs:
        with torch.no_grad():
            said = self._network.actor(observation)
        shape = (len(said), self.batch_size, *self.space.shape)
        if isinstance(self.space, BoxDesigns):
            return np.clip(said.numpy(), -1.0, 1.0).astype(np.float32).reshape(shape)
        sizes = categories(self.space)
        ends = np.cumsum([0, *sizes])[:-1]
        scores = said.numpy().reshape(len(said), -1, sum(sizes))  # (B, q + 1 or q, O)
        # As `SlotBySlot` does; where options are too many for it, slots do not know each other.
        one_by_one = isinstance(self._network.action_dist, SlotBySlot)
        taken = np.zeros_like(scores[:, 0])  # by how many earlier slots
        measured = _measured(observation) if self._once else []
        batch = np.empty(shape, np.int64)
        for slot in range(self.batch_size):
            now = scores[:, slot] + taken * scores[:, -1] if one_by_one else scores[:, slot]
            heads = [without_rounding(head) for head in np.split(now, ends[1:], axis=1)]
            designs = np.stack([head.argmax(axis=1) for head in heads], axis=1)  # (B, L)
            for row, unavailable in enumerate(measured):
                designs[row] = best_left([head[row] for head in heads], unavailable)
                unavailable.add(tuple(designs[row].tolist()))
            np.add.at(taken, (np.arange(len(said))[:, None], designs + ends), 1)
            batch[:, slot] = designs
        return batch


def _measured(observation: Observation) -> list[set[tuple[int, ...]]]:
    """The designs of every dataset."""
    each = zip(observation["designs"], observation["observed"] == 1, strict=True)
    return [set(map(tuple, designs[seen].tolist())) for designs, seen in each]


def in_canonical_order(observation: Observation) -> Observation:
    """The same datasets, rows sorted by design and then value, and the padding zeroed."""
    seen = observation["observed"] == 1  # (B, n)
    values = np.where(seen, observation["values"], 0)
    designs = np.where(seen[..., None], observation["designs"], 0)  # (B, n, d)
    keys = [values, *np.moveaxis(designs, -1, 0)[::-1], ~seen]  # the last one sorts first
    order = np.lexsort(keys, axis=-1)  # (B, n)
    return {
        **observation,
        "designs": np.take_along_axis(designs, order[..., None], axis=1),
        "values": np.take_along_axis(values, order, axis=1),
        "observed": np.take_along_axis(observation["observed"], order, axis=1),
    }


def without_rounding(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores in which those that differ by rounding alone are equal, (..., n) -> (..., n)."""
    order = np.argsort(-scores, axis=-1)
    falling = np.take_along_axis(scores, order, axis=-1)
    leads = np.ones(scores.shape, bool)
    leads[..., 1:] = falling[..., :-1] - falling[..., 1:] > _TIE
    leader = np.maximum.accumulate(np.where(leads, np.arange(scores.shape[-1]), 0), axis=-1)
    equal = np.empty_like(scores)
    np.put_along_axis(equal, order, np.take_along_axis(falling, leader, axis=-1), axis=-1)
    return equal


def best_left(
    scores: Sequence[NDArray[np.float64]], taken: set[tuple[int, ...]]
) -> tuple[int, ...]:
    """The design of the largest sum of scores that is not taken.

    Args:
        scores: Of the categories of each position.
        taken: Designs; where all are, the best of them is the answer.
    """
    orders = [np.argsort(-score, kind="stable") for score in scores]

    def entry(ranks: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        lost = [s[o[0]] - s[o[r]] for s, o, r in zip(scores, orders, ranks, strict=True)]
        return sum(lost), ranks

    best = tuple(int(order[0]) for order in orders)
    heap = [entry((0,) * len(scores))]
    met: set[tuple[int, ...]] = set()
    while heap:
        _, ranks = heapq.heappop(heap)
        design = tuple(int(order[rank]) for order, rank in zip(orders, ranks, strict=True))
        if design not in taken:
            return design
        for position, rank in enumerate(ranks):
            after = (*ranks[:position], rank + 1, *ranks[position + 1 :])
            if rank + 1 < len(orders[position]) and after not in met:
                met.add(after)
                heapq.heappush(heap, entry(after))
    return best
