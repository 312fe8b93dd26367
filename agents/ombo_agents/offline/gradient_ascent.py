"""Gradient ascent on what networks predict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from ombo_agents.offline.forward_model import ForwardModel, fit_forward_model
from ombo_agents.offline.networks import EnsembleSettings
from ombo_agents.offline.offline_policy import Dataset, OfflinePolicy
from ombo_agents.settings import PositiveFloat, PositiveInt, choice
from ombo_gym.design_spaces import Designs

Score = Callable[[Tensor], Tensor]  # of points, (m, k) -> (m,)


@dataclass(frozen=True, kw_only=True)
class GradientAscentSettings(EnsembleSettings):
    """Settings of `GradientAscent`, beside those of its networks.

    Attributes:
        aggregate: "mean" or "min" of the networks' predictions.
        steps: Of the ascent.
        step_size: Of the ascent, times the gradient and the square root of the dimension.
        spare: Designs that climb per design of the batch.
    """

    aggregate: Annotated[str, partial(choice, options=("mean", "min"))]
    steps: PositiveInt
    step_size: PositiveFloat
    spare: PositiveInt


class GradientAscent(OfflinePolicy[GradientAscentSettings, ForwardModel]):
    """Follows the gradient of predicted values from the best designs of the dataset.

    Networks are fitted to the dataset by least squares; the best designs then climb the prediction
    of one network (`gradient_ascent`), or the smallest (`gradient_min`) or the mean prediction
    (`gradient_mean`) of several. Points are standardised; categories climb as logits, and the most
    likely category counts; in a pool the nearest candidates to be had are taken. More designs climb
    than a batch holds, so that those that arrive where others are can be left out.

    The paper's networks have 2,048 units and a predicted deviation; these are small, so that a fit
    to 32,898 rows takes seconds of one core. Boxes and pools keep climbers in bounds.

    Args:
        spec: Of the campaigns it is built for.
        settings: Of the networks and of the ascent.

    Reference:
        Trabucco et al., Design-Bench: Benchmarks for Data-Driven Offline Model-Based Optimization,
        ICML 2022, section 6.
    """

    settings_type = GradientAscentSettings

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> ForwardModel:
        return fit_forward_model(data, self.settings, generator)

    @override
    def search(
        self, model: ForwardModel, data: Dataset, generator: torch.Generator, q: int
    ) -> Designs:
        settings = self.settings
        start = best_points(data, settings.spare * q, generator)
        score, limits = self.score(model), self.limits(data)
        return self.designs(climb(score, start, limits, settings.steps, settings.step_size), data)

    def score(self, model: ForwardModel) -> Score:
        """What is climbed, (m, k) -> (m,)."""
        if self.settings.aggregate == "min":
            return lambda points: model(points).amin(dim=0)
        return lambda points: model(points).mean(dim=0)


def best_points(data: Dataset, count: int, generator: torch.Generator) -> Tensor:
    """Points of the best designs, each once; when they run out, of noisy copies of them."""
    ranking = data.ranking
    rows = torch.from_numpy(np.resize(ranking, count))
    points = data.points[rows]
    noise = torch.randn(points.shape, generator=generator)
    noise[: len(ranking)] = 0
    return points + noise


def climb(
    score: Score,
    start: Tensor,
    limits: tuple[Tensor, Tensor] | None,
    steps: int,
    step_size: float,
) -> Tensor:
    """Gradient ascent of each point by itself.

    Args:
        score: Of points, (m, k) -> (m,).
        start: (m, k).
        limits: The lowest and the highest coordinates, (k,) each.
        steps: How many.
        step_size: Times the gradient and the square root of k.
    """
    points, step_size = start, step_size * start.shape[1] ** 0.5
    for _ in range(steps):
        points = points.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(score(points).sum(), points)
        points = points.detach() + step_size * gradient
        if limits is not None:
            points = torch.clamp(points, *limits)
    return points
