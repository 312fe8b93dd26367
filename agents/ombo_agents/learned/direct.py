"""A trained network that proposes designs itself, from the dataset as a set."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.learned.encoder import DirectPolicy, SlotBySlot, options_of
from ombo_agents.policy import DesignsPolicy
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats

_TIE = 1e-9  # scores this close are equal: sums round differently in batches of other sizes
_AT_ONCE = 512  # campaigns that the network looks at, for bounded memory


class TrainedDirect(DesignsPolicy):
    """A network that proposes the designs it scores highest; where actions are numbers, its mean.

    Where designs are chosen from options and can be measured once, each slot is the best design
    that is neither measured nor in the batch; when none is left, the best of all. Numbers stand as
    the network says, corners included, unless designs are finitely many: then random new ones take
    the place of those that repeat.

    Args:
        spec: Of the campaigns it is built for.
        network: Over a `DatasetEncoder`.
    """

    horizon_aware = True
    exchangeable = True

    def __init__(self, spec: CampaignSpec, network: DirectPolicy) -> None:
        super().__init__(spec)
        self._network = network.double().eval()
        self._options = options_of(self.space)
        self.keeps_repeats = self.space.size is None or bool(self._options)
        self.deterministic = self.keeps_repeats

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> Designs:
        rows = len(observation["rounds_left"])
        proposed: list[Designs] = []
        for first in range(0, rows, _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            some = {name: array[part] for name, array in observation.items()}
            proposed.append(self._designs(in_canonical_order(some), q))
        return np.concatenate(proposed)

    def _designs(self, observation: Observation, q: int) -> Designs:
        with torch.no_grad():
            said = self._network.actor(observation)
        shape = (len(said), q, *self.space.shape)
        sizes = self._options
        if not sizes:
            mean = np.clip(said.numpy(), -1.0, 1.0).astype(np.float32)
            return self.space.canonical(mean.reshape(shape))
        ends = np.cumsum([0, *sizes])[:-1]
        scores = said.numpy().reshape(len(said), -1, sum(sizes))  # (B, q + 1 or q, O)
        # As `SlotBySlot` does; where options are too many for it, slots do not know each other.
        one_by_one = isinstance(self._network.action_dist, SlotBySlot)
        chosen = np.zeros_like(scores[:, 0])  # by how many earlier slots
        never = self.spec.repeats is Repeats.NEVER_AGAIN
        measured = _measured(observation) if never else []
        batch = np.empty(shape, np.int64)
        for slot in range(q):
            now = scores[:, slot] + chosen * scores[:, -1] if one_by_one else scores[:, slot]
            heads = [without_rounding(head) for head in np.split(now, ends[1:], axis=1)]
            designs = np.stack([head.argmax(axis=1) for head in heads], axis=1)  # (B, L)
            for row, unavailable in enumerate(measured):
                designs[row] = best_left([head[row] for head in heads], unavailable)
                unavailable.add(tuple(designs[row].tolist()))
            np.add.at(chosen, (np.arange(len(said))[:, None], designs + ends), 1)
            batch[:, slot] = designs
        return batch


def _measured(observation: Observation) -> list[set[tuple[int, ...]]]:
    """The designs of every dataset."""
    each = zip(observation["designs"], observation["observed"] == 1, strict=True)
    return [set(map(tuple, designs[seen].tolist())) for designs, seen in each]


def in_canonical_order(observation: Observation) -> Observation:
    """The same datasets, rows sorted by design and then value, and the padding zeroed."""
    seen = observation["observed"] == 1  # (B, n)
    values = np.where(seen, observation["measurements"], 0)
    designs = np.where(seen[..., None], observation["designs"], 0)  # (B, n, d)
    keys = [values, *np.moveaxis(designs, -1, 0)[::-1], ~seen]  # the last one sorts first
    order = np.lexsort(keys, axis=-1)  # (B, n)
    return {
        **observation,
        "designs": np.take_along_axis(designs, order[..., None], axis=1),
        "measurements": np.take_along_axis(values, order, axis=1),
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
    scores: Sequence[NDArray[np.float64]], unavailable: set[tuple[int, ...]]
) -> tuple[int, ...]:
    """The design of the largest sum of scores among those that are available.

    Args:
        scores: Of the categories of each position.
        unavailable: Designs; where all are, the best of them is the answer.
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
        if design not in unavailable:
            return design
        for position, rank in enumerate(ranks):
            after = (*ranks[:position], rank + 1, *ranks[position + 1 :])
            if rank + 1 < len(orders[position]) and after not in met:
                met.add(after)
                heapq.heappush(heap, entry(after))
    return best
