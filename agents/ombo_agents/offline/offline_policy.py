"""What offline methods have in common: a model of a dataset, and designs that it likes."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from ombo_agents.nearest_candidates import nearest
from ombo_agents.offline.networks import one_thread, seeded
from ombo_agents.policy import DesignsPolicy, Details
from ombo_agents.settings import Settings
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
    raw_values: NDArray[np.floating[Any]]
    points: Tensor
    values: Tensor
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    @cached_property
    def ranking(self) -> NDArray[np.intp]:
        """Rows from the best to the worst, each design once."""
        order = np.argsort(-self.raw_values, kind="stable")  # (n,)
        ranking: NDArray[np.intp] = order[~repeated(self.designs[order][None])[0]]
        return ranking


@dataclass
class FittedModel:
    """What is fitted to a dataset.

    Attributes:
        queries: Designs that a model of the objective was asked about, after it was fitted.
    """

    queries: int


SettingsT = TypeVar("SettingsT", bound=Settings)
ModelT = TypeVar("ModelT", bound=FittedModel)


class OfflinePolicy(DesignsPolicy, Generic[SettingsT, ModelT]):
    """A method for one round that is applied again every round, to all measurements so far.

    `fit` depends on the dataset and a seed, `search` on what was fitted, and so on for each
    campaign by itself. A campaign without measurements gets uniform designs. Where a batch holds a
    design once, designs that a method proposes again make room for its next ones, and for uniform
    ones when it has no more.

    Attributes:
        settings_type: The class of the settings.

    Args:
        spec: Of the campaigns it is built for.
        settings: Of the method.
    """

    horizon_aware = False
    settings_type: type[Settings]

    def __init__(self, spec: CampaignSpec, settings: SettingsT) -> None:
        super().__init__(spec)
        self.settings = settings
        self.relaxation = self.space.relaxation()

    @abstractmethod
    def fit(self, data: Dataset, generator: torch.Generator) -> ModelT:
        """A model of a dataset; depends on nothing else, the size of batches included."""

    @abstractmethod
    def search(self, model: ModelT, data: Dataset, generator: torch.Generator, q: int) -> Designs:
        """Designs for a batch of q, the best first, (m, *shape); counts the model's queries."""

    @override
    def propose_and_explain(
        self, observation: Observation, rngs: GeneratorBatch, q: int
    ) -> tuple[NDArray[Any], Details]:
        observed = observation["observed"].astype(bool)  # (B, capacity)
        num_campaigns = len(observed)
        batch = np.empty((num_campaigns, q, *self.space.shape), self.space.dtype)
        num_queries = np.zeros(num_campaigns, np.int64)  # (B,)
        seeds = rngs.draw(lambda rng: rng.integers(0, 2**63, size=2))  # (B, 2)
        playing = observed.any(axis=1) & (observation["rounds_left"][:, 0] > 0)  # (B,)
        for env_index in range(num_campaigns):
            own_rngs = rngs.take(np.array([env_index]))
            if not playing[env_index]:
                batch[env_index] = fresh(self.space, own_rngs, q)[0]
                continue
            in_use = observed[env_index]  # (capacity,)
            designs = observation["designs"][env_index][in_use]  # (n, *shape)
            data = self.dataset(designs, observation["measurements"][env_index][in_use])
            fit_seed, search_seed = seeds[env_index].tolist()
            with one_thread():
                model = self.fit(data, seeded(fit_seed))
                ranked = self.search(model, data, seeded(search_seed), q)
            batch[env_index] = self._batch(ranked, data, own_rngs, q)
            num_queries[env_index] = model.queries
        return batch, {"model_queries": num_queries}

    def dataset(self, designs: Designs, values: NDArray[np.floating[Any]]) -> Dataset:
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
            excluded = data.designs if repeats is Repeats.NEVER_AGAIN else data.designs[:0]
            candidates: Designs = nearest(pool, raw[None], excluded[None], repeats)[0]
            return candidates
        return self.relaxation.decode(raw.astype(np.float32))

    def limits(self, data: Dataset) -> tuple[Tensor, Tensor] | None:
        """The lowest and the highest coordinates of the dataset's points; None: no bounds."""
        bounds = self.relaxation.bounds
        if bounds is None:
            return None
        low, high = (((end - data.centre) / data.scale).astype(np.float32) for end in bounds)
        return torch.tensor(low), torch.tensor(high)

    def _batch(self, ranked: Designs, data: Dataset, rngs: GeneratorBatch, q: int) -> Designs:
        """The first of the ranked designs, and uniform ones where they do not suffice."""
        distinct = self.spec.repeats is not Repeats.ALLOWED
        if distinct:
            unusable = repeated(ranked[None])[0]  # (m,)
            if self.spec.repeats is Repeats.NEVER_AGAIN:
                unusable |= self.space.among(ranked[None], data.designs[None])[0]
            ranked = ranked[~unusable]
        if len(ranked) < q:
            ranked = np.concatenate([ranked, self._uniform(rngs, q)])
            if distinct:
                ranked = ranked[np.argsort(repeated(ranked[None])[0], kind="stable")]
        return ranked[:q]

    def _uniform(self, rngs: GeneratorBatch, q: int) -> Designs:
        """So many uniform designs that q of them are new, where there are as many."""
        size = self.space.size
        if size is not None and size <= 2 * q:
            codes = rngs.draw(lambda rng: rng.permutation(size))[0]
            return np.concatenate([self.space.decode(codes), self.space.sample(rngs, q)[0]])
        designs: Designs = fresh(self.space, rngs, 2 * q)[0]
        return designs


def standardised(values: NDArray[Any]) -> tuple[NDArray[np.float32], Any, Any]:
    """Values with mean 0 and standard deviation 1 along the first axis, the mean, the deviation."""
    numbers = np.asarray(values, np.float64)
    mean, deviation = numbers.mean(axis=0), numbers.std(axis=0)
    scale = np.where(deviation > 1e-9 * np.abs(numbers).max(axis=0), deviation, 1.0)
    return ((numbers - mean) / scale).astype(np.float32), mean, scale
