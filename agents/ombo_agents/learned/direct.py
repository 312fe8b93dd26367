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
from ombo_agents.policy import DesignsPolicy
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats

_TIE_TOLERANCE = 1e-9  # scores this close are equal: sums round differently with the batch size
_CHUNK_CAMPAIGNS = 512  # that the network sees at once, for bounded memory


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
        offsets = np.cumsum([0, *options])[:-1]  # (L,) first option of each position
        scores = outputs.reshape(num_campaigns, -1, sum(options))  # (B, q + 1 or q, O)
        # As `SlotBySlot` does; where options are too many for it, slots do not know each other.
        slot_by_slot = isinstance(self._network.action_dist, SlotBySlot)
        chosen = np.zeros_like(scores[:, 0])  # (B, O) by how many earlier slots
        never_again = self.spec.repeats is Repeats.NEVER_AGAIN
        unavailable = _measured_designs(observation) if never_again else []
        batch = np.empty(shape, np.int64)
        for slot in range(q):
            crowding = chosen * scores[:, -1] if slot_by_slot else 0.0
            by_position = np.split(scores[:, slot] + crowding, offsets[1:], axis=1)
            by_position = [without_rounding(position) for position in by_position]
            designs = np.stack([position.argmax(axis=1) for position in by_position], axis=1)
            for row, taken in enumerate(unavailable):
                designs[row] = best_available([position[row] for position in by_position], taken)
                taken.add(tuple(designs[row].tolist()))
            np.add.at(chosen, (np.arange(num_campaigns)[:, None], designs + offsets), 1)
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


def without_rounding(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores in which those that differ by rounding alone are equal, (..., n) -> (..., n)."""
    order = np.argsort(-scores, axis=-1)
    falling = np.take_along_axis(scores, order, axis=-1)
    begins_tie = np.ones(scores.shape, bool)  # whether the score before is clearly larger
    begins_tie[..., 1:] = falling[..., :-1] - falling[..., 1:] > _TIE_TOLERANCE
    ranks = np.where(begins_tie, np.arange(scores.shape[-1]), 0)
    largest_of_tie = np.maximum.accumulate(ranks, axis=-1)  # (..., n) ranks
    tied = np.empty_like(scores)
    np.put_along_axis(tied, order, np.take_along_axis(falling, largest_of_tie, axis=-1), axis=-1)
    return tied


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
