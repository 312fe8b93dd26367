"""What offline methods have in common: a model of a dataset, and designs that it likes."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from ombo_agents.nearest_candidates import nearest
from ombo_agents.offline.networks import one_thread, seeded
from ombo_agents.policy import DesignsPolicy, Details
from ombo_agents.unmeasured import fresh
from ombo_gym.design_spaces import Designs, repeated
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats


@dataclass(frozen=True)
class Dataset:
    """One campaign's measurements, and as points and values with mean 0 and deviation 1.

    Attributes:
        designs: (n, *shape), in the order of measurement.
        raw_values: (n,) as measured.
        points: (n, k).
        values: (n,).
        centre, scale: (k,) of the points before.
    """

    designs: Designs
    raw_values: NDArray[np.floating]
    points: Tensor
    values: Tensor
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    @cached_property
    def ranking(self) -> NDArray[np.intp]:
        """Rows from the best to the worst, each design once."""
        order = np.argsort(-self.raw_values, kind="stable")
        return order[~repeated(self.designs[order][None])[0]]


@dataclass
class Model:
    """What is fitted to a dataset.

    Attributes:
        queries: Designs that a model of the objective was asked about, after it was fitted.
    """

    queries: int


class OneShot(DesignsPolicy):
    """A method for one round that is applied again every round, to all measurements so far.

    `fit` depends on the dataset and a seed, `search` on what was fitted, and so on for each
    campaign by itself. A campaign without measurements gets uniform designs. Where a batch holds a
    design once, designs that a method proposes again make room for its next ones, and for uniform
    ones when it has no more.

    Args:
        spec: Of the campaigns it is built for.
    """

    horizon_aware = False

    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        self.relaxation = self.space.relaxation()

    @abstractmethod
    def fit(self, data: Dataset, generator: torch.Generator) -> Any:
        """A `Model` of a dataset; depends on nothing else, the size of batches included."""

    @abstractmethod
    def search(self, model: Any, data: Dataset, generator: torch.Generator, q: int) -> Designs:
        """Designs for a batch of q, the best first, (m, *shape); counts the model's queries."""

    @override
    def propose_and_explain(
        self, observation: Observation, rngs: GeneratorBatch, q: int
    ) -> tuple[NDArray[Any], Details]:
        observed = observation["observed"].astype(bool)
        rows = len(observed)
        batch = np.empty((rows, q, *self.space.shape), self.space.dtype)
        queries = np.zeros(rows, np.int64)
        seeds = rngs.draw(lambda rng: rng.integers(0, 2**63, size=2))  # (B, 2)
        playing = observed.any(axis=1) & (observation["rounds_left"][:, 0] > 0)
        for row in range(rows):
            own = rngs.take(np.array([row]))
            if not playing[row]:
                batch[row] = fresh(self.space, own, q)[0]
                continue
            used = observed[row]
            measurements = observation["measurements"][row][used]
            data = self.dataset(observation["designs"][row][used], measurements)
            with one_thread():
                model = self.fit(data, seeded(int(seeds[row, 0])))
                found = self.search(model, data, seeded(int(seeds[row, 1])), q)
            batch[row] = self._batch(found, data, own, q)
            queries[row] = model.queries
        return batch, {"model_queries": queries}

    def dataset(self, designs: Designs, values: NDArray[np.floating]) -> Dataset:
        """Measurements of one campaign, (n, *shape) and (n,)."""
        points, centre, scale = standardised(self.relaxation.encode(designs))
        targets, _, _ = standardised(values)
        return Dataset(
            designs,
            values,
            torch.tensor(points),
            torch.tensor(targets),
            np.asarray(centre),
            np.asarray(scale),
        )

    def points(self, designs: Designs, data: Dataset) -> Tensor:
        """Designs as the dataset's points, (m, *shape) -> (m, k)."""
        raw = self.relaxation.encode(designs)
        return torch.tensor(((raw - data.centre) / data.scale).astype(np.float32))

    def designs(self, points: Tensor, data: Dataset) -> Designs:
        """The designs of points, (m, k) -> (m, *shape); in a pool, the nearest to be had."""
        raw = points.numpy().astype(np.float64) * data.scale + data.centre
        if (pool := self.relaxation.pool) is not None:
            repeats = self.spec.repeats
            never = repeats is Repeats.NEVER_AGAIN
            measured = data.designs if never else data.designs[:0]
            return nearest(pool, raw[None], measured[None], repeats)[0]
        return self.relaxation.decode(raw.astype(np.float32))

    def limits(self, data: Dataset) -> tuple[Tensor, Tensor] | None:
        """The lowest and the highest coordinates of the dataset's points; None: no bounds."""
        bounds = self.relaxation.bounds
        if bounds is None:
            return None
        low, high = (((b - data.centre) / data.scale).astype(np.float32) for b in bounds)
        return torch.tensor(low), torch.tensor(high)

    def _batch(self, found: Designs, data: Dataset, rngs: GeneratorBatch, q: int) -> Designs:
        """The first designs that were found, and uniform ones where they do not suffice."""
        allowed = self.spec.repeats is Repeats.ALLOWED
        if not allowed:
            again = repeated(found[None])[0]
            if self.spec.repeats is Repeats.NEVER_AGAIN:
                again |= self.space.among(found[None], data.designs[None])[0]
            found = found[~again]
        if len(found) >= q:
            return found[:q]
        more = self._uniform(rngs, q)
        if not allowed:
            both = np.concatenate([found, more])
            order = np.argsort(repeated(both[None])[0], kind="stable")
            return both[order[:q]]
        return np.concatenate([found, more])[:q]

    def _uniform(self, rngs: GeneratorBatch, q: int) -> Designs:
        """So many uniform designs that q of them are new, where there are as many."""
        size = self.space.size
        if size is not None and size <= 2 * q:
            codes = rngs.draw(lambda rng: rng.permutation(size))[0]
            return np.concatenate([self.space.decode(codes), self.space.sample(rngs, q)[0]])
        return fresh(self.space, rngs, 2 * q)[0]


def standardised(values: NDArray[Any]) -> tuple[NDArray[np.float32], Any, Any]:
    """Values with mean 0 and standard deviation 1 along the first axis, the mean, the deviation."""
    numbers = np.asarray(values, np.float64)
    mean, spread = numbers.mean(axis=0), numbers.std(axis=0)
    scale = np.where(spread > 1e-9 * np.abs(numbers).max(axis=0), spread, 1.0)
    return ((numbers - mean) / scale).astype(np.float32), mean, scale
