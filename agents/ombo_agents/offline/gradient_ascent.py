"""Gradient ascent on what networks predict."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from ombo_agents.offline.forward import Forward, Training, fit_forward
from ombo_agents.offline.one_shot import Dataset, OneShot
from ombo_agents.settings import number, whole
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec

AGGREGATES = ("mean", "min")


class GradientAscent(OneShot):
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
        aggregate: "mean" or "min" of the networks' predictions.
        members, hidden, epochs, batch, rate: Of the networks (`Training`).
        steps: Of the ascent.
        step_size: Of the ascent, times the gradient and the square root of the dimension.
        spare: Designs that climb per design of the batch.

    Raises:
        ValueError: A setting out of range.

    Reference:
        Trabucco et al., Design-Bench: Benchmarks for Data-Driven Offline Model-Based Optimization,
        ICML 2022, section 6.
    """

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        aggregate: str,
        members: int,
        hidden: int,
        epochs: float,
        batch: int,
        rate: float,
        steps: int,
        step_size: float,
        spare: int,
    ) -> None:
        super().__init__(spec)
        if aggregate not in AGGREGATES:
            raise ValueError(f"aggregate: expected one of {list(AGGREGATES)}, got {aggregate!r}")
        self.aggregate = aggregate
        self.training = Training(members, hidden, epochs, batch, rate)
        self.steps = whole("steps", steps)
        self.step_size = number("step_size", step_size)
        self.spare = whole("spare", spare)

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> Forward:
        return fit_forward(data, self.training, generator)

    @override
    def search(self, model: Forward, data: Dataset, generator: torch.Generator, q: int) -> Designs:
        start = best_points(data, self.spare * q, generator)
        size = self.step_size * start.shape[1] ** 0.5
        reached = climb(self.score(model), start, self.limits(data), self.steps, size)
        return self.designs(reached, data)

    def score(self, model: Forward) -> Score:
        """What is climbed, (m, k) -> (m,)."""
        if self.aggregate == "min":
            return lambda points: model(points).amin(dim=0)
        return lambda points: model(points).mean(dim=0)


Score = Callable[[Tensor], Tensor]


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
    size: float,
) -> Tensor:
    """Gradient ascent of each point by itself.

    Args:
        score: Of points, (m, k) -> (m,).
        start: (m, k).
        limits: The lowest and the highest coordinates, (k,) each.
        steps: How many.
        size: Of a step, times the gradient.
    """
    points = start
    for _ in range(steps):
        points = points.detach().requires_grad_()
        (slope,) = torch.autograd.grad(score(points).sum(), points)
        points = points.detach() + size * slope
        if limits is not None:
            points = torch.clamp(points, *limits)
    return points
