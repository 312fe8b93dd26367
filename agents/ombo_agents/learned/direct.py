"""A trained network that proposes designs itself, from the dataset as a set."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.learned.direct_network import DirectPolicy, SlotBySlot, check_outputs
from ombo_agents.learned.encoder import options_of
from ombo_agents.learned.likeliest_batch import likeliest_batch, without_rounding
from ombo_agents.policy import DesignsPolicy
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats

_CHUNK_CAMPAIGNS = 512  # that the network sees at once, for bounded memory


class TrainedDirect(DesignsPolicy):
    """A network that proposes the designs it scores highest; where actions are numbers, its mean.

    Of a pool it is the batch that the network is likeliest to draw, in whatever order; of sequences
    each slot is the likeliest given the earlier ones. Designs that can be measured once are neither
    measured nor in the batch already; when none is left, they are the best of all. Numbers stand as
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
        # Where options are too many for it, slots do not know each other.
        self._slots_know_others = isinstance(network.action_dist, SlotBySlot)
        self._by_batch = self._slots_know_others and len(self._options) == 1

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> Designs:
        batches: list[Designs] = []
        for first in range(0, len(observation["rounds_left"]), _CHUNK_CAMPAIGNS):
            chunk = slice(first, first + _CHUNK_CAMPAIGNS)
            chunk_observation = {name: array[chunk] for name, array in observation.items()}
            batches.append(self._designs(in_canonical_order(chunk_observation), q))
        return np.concatenate(batches)

    def _designs(self, observation: Observation, q: int) -> Designs:
        with torch.no_grad():
            actor = self._network.actor(observation)
        check_outputs(actor)
        outputs = actor.numpy()  # (B, ...)
        num_campaigns, options = len(outputs), self._options
        shape = (num_campaigns, q, *self.space.shape)
        if not options:
            mean = np.clip(outputs, -1.0, 1.0).astype(np.float32)
            return self.space.canonical(mean.reshape(shape))
        scores = outputs.reshape(num_campaigns, -1, sum(options))  # (B, q + 1 or q, O)
        never_again = self.spec.repeats is Repeats.NEVER_AGAIN
        unavailable = _measured_designs(observation) if never_again else []
        if self._by_batch and q > 1:
            return self._likeliest_batches(scores, unavailable).reshape(shape)
        return self._slot_by_slot(scores, unavailable, q)

    def _likeliest_batches(
        self, scores: NDArray[np.float64], unavailable: Sequence[set[tuple[int, ...]]]
    ) -> NDArray[np.int64]:
        """Batches that are likeliest in any order, where a design is one option, (B, q).

        Args:
            scores: (B, q + 1, O), see `SlotBySlot`.
            unavailable: Designs that are measured; none where they can be again.
        """
        available = np.ones((len(scores), scores.shape[2]), np.bool_)  # (B, O)
        for row, taken in enumerate(unavailable):
            available[row, [option for (option,) in taken]] = False
        once = bool(unavailable)
        batches = [
            likeliest_batch(row[:-1], row[-1], free, once=once)
            for row, free in zip(scores, available, strict=True)
        ]
        return np.stack(batches)

    def _slot_by_slot(
        self,
        scores: NDArray[np.float64],
        unavailable: Sequence[set[tuple[int, ...]]],
        q: int,
    ) -> Designs:
        """Batches whose every slot takes what is best given the earlier ones, (B, q, L).

        Args:
            scores: (B, q + 1, O), see `SlotBySlot`, or (B, q, O) of slots that know no others.
            unavailable: Designs that are measured, and in the end those of the batch; none where
                they can be measured again.
            q: Slots.
        """
        offsets = np.cumsum([0, *self._options])[:-1]  # (L,) first option of each position
        chosen = np.zeros_like(scores[:, 0])  # (B, O) by how many earlier slots
        campaigns = np.arange(len(scores))[:, None]
        batch = np.empty((len(scores), q, len(offsets)), np.int64)
        for slot in range(q):
            crowding = chosen * scores[:, -1] if self._slots_know_others else 0.0
            by_position = np.split(scores[:, slot] + crowding, offsets[1:], axis=1)
            by_position = [without_rounding(position) for position in by_position]
            designs = np.stack([position.argmax(axis=1) for position in by_position], axis=1)
            for row, taken in enumerate(unavailable):
                designs[row] = best_available([position[row] for position in by_position], taken)
                taken.add(tuple(designs[row].tolist()))
            np.add.at(chosen, (campaigns, designs + offsets), 1)
            batch[:, slot] = designs  # (B, L)
        return batch


def _measured_designs(observation: Observation) -> list[set[tuple[int, ...]]]:
    """The designs of every dataset."""
    datasets = zip(observation["designs"], observation["observed"] == 1, strict=True)
    return [set(map(tuple, designs[observed].tolist())) for designs, observed in datasets]


def in_canonical_order(observation: Observation) -> Observation:
    """The same datasets, rows sorted by design and then value, and the padding zeroed."""
    observed = observation["observed"] == 1  # (B, n)
    values = np.where(observed, observation["measurements"], 0)
    designs = np.where(observed[..., None], observation["designs"], 0)  # (B, n, d)
    keys = [values, *np.moveaxis(designs, -1, 0)[::-1], ~observed]  # the last one sorts first
    order = np.lexsort(keys, axis=-1)  # (B, n)
    return {
        **observation,
        "designs": np.take_along_axis(designs, order[..., None], axis=1),
        "measurements": np.take_along_axis(values, order, axis=1),
        "observed": np.take_along_axis(observation["observed"], order, axis=1),
    }


def best_available(
    scores: Sequence[NDArray[np.float64]], unavailable: set[tuple[int, ...]]
) -> tuple[int, ...]:
    """The design of the largest sum of scores among those that are available.

    Args:
        scores: Of the categories of each position.
        unavailable: Designs; where all are, the best of them is the answer.
    """
    orders = [np.argsort(-position, kind="stable") for position in scores]

    def entry(ranks: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        """How far a design is below the best, and the rank of each of the design's categories."""
        losses = [
            position[order[0]] - position[order[rank]]
            for position, order, rank in zip(scores, orders, ranks, strict=True)
        ]
        return sum(losses), ranks

    best = tuple(int(order[0]) for order in orders)
    heap = [entry((0,) * len(scores))]
    queued: set[tuple[int, ...]] = set()
    while heap:
        _, ranks = heapq.heappop(heap)
        design = tuple(int(order[rank]) for order, rank in zip(orders, ranks, strict=True))
        if design not in unavailable:
            return design
        for position, rank in enumerate(ranks):
            after = (*ranks[:position], rank + 1, *ranks[position + 1 :])
            if rank + 1 < len(orders[position]) and after not in queued:
                queued.add(after)
                heapq.heappush(heap, entry(after))
    return best
