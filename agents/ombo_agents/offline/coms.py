"""Conservative objective models."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from ombo_agents.offline.forward import Forward
from ombo_agents.offline.gradient_ascent import best_points, climb
from ombo_agents.offline.networks import Networks, minimise, steps_for
from ombo_agents.offline.one_shot import Dataset, OneShot
from ombo_agents.settings import number, whole
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec


class Coms(OneShot):
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
        hidden, epochs, batch, rate: Of the network (`Training`).
        steps: Of the ascent to the proposals.
        training_steps: Of the ascent in training.
        step_size: Of both, times the gradient and the square root of the dimension.
        limit: Of overestimation, in standard deviations of the values.
        weight: Of the penalty at the start.
        weight_rate: How fast the logarithm of the weight changes.
        spare: Designs that climb per design of the batch.

    Raises:
        ValueError: A setting out of range.

    Reference:
        Trabucco et al., Conservative objective models for effective offline model-based
        optimization, ICML 2021, algorithm 1.
    """

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        hidden: int,
        epochs: float,
        batch: int,
        rate: float,
        steps: int,
        training_steps: int,
        step_size: float,
        limit: float,
        weight: float,
        weight_rate: float,
        spare: int,
    ) -> None:
        super().__init__(spec)
        self.hidden, self.batch = whole("hidden", hidden), whole("batch", batch)
        self.epochs, self.rate = number("epochs", epochs), number("rate", rate)
        self.steps = whole("steps", steps)
        self.training_steps = whole("training_steps", training_steps)
        self.step_size = number("step_size", step_size)
        self.limit = number("limit", limit)
        self.weight, self.weight_rate = number("weight", weight), number("weight_rate", weight_rate)
        self.spare = whole("spare", spare)

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> Forward:
        n, k = data.points.shape
        batch = min(self.batch, max(n, 16))
        networks = Networks((k, self.hidden, self.hidden, 1), 1, generator)
        size, limits = self.step_size * k**0.5, self.limits(data)
        log_weight = torch.tensor(self.weight).log()

        def predicted(points: Tensor) -> Tensor:
            return networks(points)[0, :, 0]

        def loss(step: int) -> Tensor:
            rows = torch.randint(n, (batch,), generator=generator)
            points = data.points[rows]
            reached = climb(predicted, points, limits, self.training_steps, size)
            here, there = predicted(torch.cat([points, reached])).split(batch)
            excess = there.mean() - here.mean()
            weight = log_weight.exp().item()
            log_weight.add_(self.weight_rate * (excess.detach() - self.limit).clamp(-1, 1))
            log_weight.clamp_(-7, 5)
            return functional.mse_loss(here, data.values[rows]) + weight * excess

        steps = steps_for(n, epochs=self.epochs, batch=batch)
        minimise(networks.parameters, loss, steps=steps, rate=self.rate)
        return Forward(0, networks.freeze())

    @override
    def search(self, model: Forward, data: Dataset, generator: torch.Generator, q: int) -> Designs:
        start = best_points(data, self.spare * q, generator)
        size = self.step_size * start.shape[1] ** 0.5
        reached = climb(lambda points: model(points)[0], start, self.limits(data), self.steps, size)
        return self.designs(reached, data)
