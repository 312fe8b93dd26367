"""Trust-region Bayesian optimization."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.bayesian.greedy_refined import free_features
from ombo_agents.policy import DesignsPolicy
from ombo_agents.round_history import by_history
from ombo_agents.settings import number, whole
from ombo_gym.acquisition.greedy_batch import greedy_batch
from ombo_gym.acquisition.thompson import SampledFunctions, joint_samples
from ombo_gym.observations import Observation
from ombo_gym.quasirandom import shifted
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior, condition_on_dataset
from ombo_gym.surrogates.surrogate import make_surrogate

Floats = NDArray[np.float64]

_GAIN = 1e-3  # relative, by which a batch must be better to count as a success
_MOVED = 20  # coordinates of a candidate that differ from the centre's, on average, at most
_MUTANTS = 0.5  # share of candidates that differ in what cannot move a little, at a side of 1
_MUTATION = 0.4  # standard deviation of levels' changes, on a scale from -1 to 1


class Turbo(DesignsPolicy):
    """Thompson sampling in a box around the best design, which grows with success.

    The box doubles after some batches that were better than all before, and is halved after some
    that were not; when it is too small it starts anew. Where it stands is worked out from the
    rounds in the dataset. Unlike the paper's, boxes have equal sides (the surrogate has one
    lengthscale), and a box that starts anew goes on from the best design. Where only some of a
    design can move a little, the box is of those coordinates, and a category or level of the others
    changes in a share of the candidates that is in proportion to its side.

    Args:
        spec: Of the campaigns it is built for.
        length: First side of the box, of 1, the side of the whole.
        smallest: Side below which it starts anew.
        largest: Side, at most.
        successes: In a row, until it doubles.
        failures: Designs measured in vain, until it is halved; at least one a dimension of the box.
        candidates: In the box.

    Raises:
        ValueError: A setting out of range, or designs of which nothing can move a little.

    Reference:
        Eriksson et al., Scalable global optimization via local Bayesian optimization, NeurIPS 2019.
    """

    horizon_aware = False

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        length: float,
        smallest: float,
        largest: float,
        successes: int,
        failures: int,
        candidates: int,
    ) -> None:
        super().__init__(spec)
        self._length, self._smallest = number("length", length), number("smallest", smallest)
        self._largest = number("largest", largest)
        self._successes = whole("successes", successes)
        # Every two of them are compared.
        self._candidates = whole("candidates", candidates, at_most=10_000)
        self._free = free_features(self.space)  # (f,)
        self._failures = max(whole("failures", failures), len(self._free))  # designs
        self.surrogate = make_surrogate(spec)

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        batch = np.zeros((len(rngs), q, *self.space.shape), self.space.dtype)
        for history in by_history(self.spec, observation, q, entries_per_row=self._candidates):
            some = {name: array[history.env_indices] for name, array in observation.items()}
            for group in condition_on_dataset(
                some, self.spec, self.surrogate, rngs.take(history.env_indices).take
            ):
                rows = history.env_indices[group.env_indices]
                designs = observation["designs"][rows, : history.num_observed]
                values = observation["measurements"][rows, : history.num_observed]
                lengths = self.lengths(values, history.edges)
                batch[rows] = self._batch(group, designs, values, lengths, rngs.take(rows))
        return batch

    def _batch(
        self,
        group: CandidatePosterior,
        designs: NDArray[Any],
        values: Floats,
        lengths: Floats,
        rngs: GeneratorBatch,
    ) -> NDArray[Any]:
        rows = len(values)
        centre = np.zeros((rows, *self.space.shape), self.space.dtype)
        if values.shape[1]:
            centre = designs[np.arange(rows), values.argmax(axis=1)]
        choices = self._around(self.space.canonical(centre), lengths, rngs)
        features = self.space.features(choices)
        samples = joint_samples(group.posterior, features, group.batch_size, rngs)
        return greedy_batch(
            SampledFunctions(samples), choices, group.batch_size, distinct=group.distinct
        )

    def _around(self, centre: NDArray[Any], lengths: Floats, rngs: GeneratorBatch) -> NDArray[Any]:
        """Candidates in boxes around designs (R, *shape) of half sides (R,), (R, M, *shape)."""
        count, free, dim = self._candidates, self._free, len(self._free)
        points = (2 * shifted(rngs, count, dim) - 1) * lengths[:, None, None]
        lots = rngs.random((count, dim + 1))
        moved = lots[..., :-1] < min(1.0, _MOVED / dim)
        certain = (lots[..., -1] * dim).astype(np.intp)
        np.put_along_axis(moved, certain[..., None], True, axis=2)
        middle = np.repeat(self.space.features(centre)[:, None], count, axis=1)  # (R, M, k)
        near = middle
        if dim < middle.shape[2]:
            near = self.space.features(self._mutants(centre, lengths, rngs))
        near[..., free] = np.clip(middle[..., free] + np.where(moved, points, 0.0), -1, 1)
        return self.space.from_features(near)

    def _mutants(self, centre: NDArray[Any], lengths: Floats, rngs: GeneratorBatch) -> NDArray[Any]:
        """Copies of designs (R, *shape), some with another category or level, (R, M, *shape)."""
        copies = np.repeat(centre[:, None], self._candidates, axis=1)
        mutants = self.space.mutate(copies, rngs, mutations=1.0, step=_MUTATION)
        chosen = rngs.random((self._candidates,)) < _MUTANTS * lengths[:, None]
        return np.where(chosen[..., None], mutants, copies)

    def lengths(self, values: Floats, edges: tuple[int, ...]) -> Floats:
        """Sides of the boxes after some observations, (R, n) -> (R,).

        Args:
            values: (R, n) in the order of measurement.
            edges: Where rounds begin among them, see `RoundHistory`.
        """
        rows = len(values)
        length = np.full(rows, float(self._length))
        wins, losses = np.zeros(rows, int), np.zeros(rows, int)  # batches, designs
        for first, end in pairwise(edges):
            if first == 0:
                continue  # without a start, the first batch has nothing to be compared to
            before = values[:, :first].max(axis=1)
            now = values[:, first:end].max(axis=1)
            won = now > before + _GAIN * np.abs(before)
            wins, losses = np.where(won, wins + 1, 0), np.where(won, 0, losses + end - first)
            grows, shrinks = wins >= self._successes, losses >= self._failures
            length = np.where(grows, np.minimum(2 * length, self._largest), length)
            length = np.where(shrinks, length / 2, length)
            wins, losses = np.where(grows, 0, wins), np.where(shrinks, 0, losses)
            length = np.where(length < self._smallest, self._length, length)
        return length
