"""Conservative objective models."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from ombo_agents.offline.forward_model import ForwardModel
from ombo_agents.offline.gradient_ascent import best_points, climb
from ombo_agents.offline.networks import (
    Networks,
    NetworkSettings,
    batch_rows,
    minimise,
    steps_for,
)
from ombo_agents.offline.offline_policy import Dataset, OfflinePolicy
from ombo_agents.settings import PositiveFloat, PositiveInt
from ombo_gym.design_spaces import Designs

_LOG_WEIGHT_BOUNDS = (-7.0, 5.0)  # of the penalty


@dataclass(frozen=True, kw_only=True)
class ComsSettings(NetworkSettings):
    """Settings of `Coms`, beside those of its network.

    Attributes:
        steps: Of the ascent to the proposals.
        training_steps: Of the ascent in training.
        step_size: Of both, times the gradient and the square root of the dimension.
        limit: Of overestimation, in standard deviations of the values.
        weight: Of the penalty at the start.
        weight_rate: How fast the logarithm of the weight changes.
        spare: Designs that climb per design of the batch.
    """

    steps: PositiveInt
    training_steps: PositiveInt
    step_size: PositiveFloat
    limit: PositiveFloat
    weight: PositiveFloat
    weight_rate: PositiveFloat
    spare: PositiveInt


class Coms(OfflinePolicy[ComsSettings, ForwardModel]):
    """Gradient ascent on a network that is trained not to overestimate where ascent leads.

    In training, the rows of each batch climb the network's prediction for some steps; what it
    predicts there beyond what it predicts at the rows is a penalty, whose weight rises while the
    overestimation is above `limit` and falls while it is below. Then the best designs of the
    dataset climb, as in `gradient_ascent`, with steps of the same size.

    The paper's network has 2,048 units and climbs for 50 steps in training, as far as the search
    does. Here it is small, and climbs for 5 steps in training and 50 in the search, to take seconds
    of one core: predictions are held down on the way to the proposals, not where they end.

    Args:
        spec: Of the campaigns it is built for.
        settings: Of the network and of the ascent.

    Reference:
        Trabucco et al., Conservative objective models for effective offline model-based
        optimization, ICML 2021, algorithm 1.
    """

    settings_type = ComsSettings

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> ForwardModel:
        settings = self.settings
        n, k = data.points.shape
        batch = batch_rows(settings.batch, n)
        networks = Networks((k, settings.hidden, settings.hidden, 1), 1, generator)
        limits = self.limits(data)
        log_weight = torch.tensor(settings.weight).log()  # changes from step to step

        def predicted(points: Tensor) -> Tensor:
            return networks(points)[0, :, 0]

        def loss(step: int) -> Tensor:
            rows = torch.randint(n, (batch,), generator=generator)
            points = data.points[rows]  # (batch, k)
            ends = climb(predicted, points, limits, settings.training_steps, settings.step_size)
            at_points, at_ends = torch.split(predicted(torch.cat([points, ends])), batch)
            overestimation = at_ends.mean() - at_points.mean()
            weight = log_weight.exp().item()
            change = (overestimation.detach() - settings.limit).clamp(-1, 1)
            log_weight.add_(settings.weight_rate * change)
            log_weight.clamp_(*_LOG_WEIGHT_BOUNDS)
            return functional.mse_loss(at_points, data.values[rows]) + weight * overestimation

        steps = steps_for(n, epochs=settings.epochs, batch=batch)
        minimise(networks.parameters, loss, steps=steps, rate=settings.rate)
        return ForwardModel(0, networks.freeze())

    @override
    def search(
        self, model: ForwardModel, data: Dataset, generator: torch.Generator, q: int
    ) -> Designs:
        settings = self.settings
        start = best_points(data, settings.spare * q, generator)
        limits = self.limits(data)
        ends = climb(lambda x: model(x)[0], start, limits, settings.steps, settings.step_size)
        return self.designs(ends, data)
