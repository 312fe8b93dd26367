"""Policy gradients on what an ensemble predicts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from ombo_agents.offline.forward import Training, fit_forward
from ombo_agents.offline.networks import minimise
from ombo_agents.offline.one_shot import Dataset, Model, OneShot
from ombo_agents.offline.outputs import Outputs, outputs_of
from ombo_agents.settings import number, whole
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec


@dataclass
class Marginals(Model):
    """One distribution over points, with independent positions or coordinates."""

    outputs: Outputs
    parameters: Tensor  # (width,)


class Reinforce(OneShot):
    """Draws designs from a distribution that was moved towards large predictions.

    The distribution has independent positions (categories) or coordinates (normal; in a pool, of
    features: the nearest candidates to be had are taken). It starts as that of the best designs of
    the dataset and follows the likelihood-ratio gradient of the mean prediction of an ensemble,
    with the batch's mean as a baseline, which the published runs do without.

    Args:
        spec: Of the campaigns it is built for.
        members, hidden, epochs, batch, rate: Of the networks (`Training`).
        elite: Best designs of the dataset that the distribution starts from.
        steps: Of the policy gradient.
        samples: Designs of a step.
        policy_rate: Of Adam, at the start.
        spare: Designs drawn per design of the batch, for those that come twice.

    Raises:
        ValueError: A setting out of range.

    References:
        Williams, Simple statistical gradient-following algorithms for connectionist reinforcement
        learning, Machine Learning 8, 1992.

        Trabucco et al., Design-Bench: Benchmarks for Data-Driven Offline Model-Based Optimization,
        ICML 2022, section 6.
    """

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        members: int,
        hidden: int,
        epochs: float,
        batch: int,
        rate: float,
        elite: int,
        steps: int,
        samples: int,
        policy_rate: float,
        spare: int,
    ) -> None:
        super().__init__(spec)
        self.training = Training(members, hidden, epochs, batch, rate)
        self.elite, self.steps = whole("elite", elite), whole("steps", steps)
        self.samples = whole("samples", samples, at_least=2)
        self.policy_rate = number("policy_rate", policy_rate)
        self.spare = whole("spare", spare)

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> Marginals:
        forward = fit_forward(data, self.training, generator)
        outputs = outputs_of(self.relaxation, data)
        best = torch.from_numpy(data.ranking[: self.elite].copy())
        parameters = outputs.likeliest(data.points[best]).requires_grad_()

        def loss(step: int) -> Tensor:
            each = parameters.expand(self.samples, -1)
            with torch.no_grad():
                points = outputs.sample(each, generator)
                predicted = forward.mean(points)
                advantage = predicted - predicted.mean()
            return -(advantage * outputs.log_probability(each, points)).mean()

        minimise([parameters], loss, steps=self.steps, rate=self.policy_rate)
        return Marginals(forward.queries, outputs, parameters.detach())

    @override
    def search(
        self, model: Marginals, data: Dataset, generator: torch.Generator, q: int
    ) -> Designs:
        each = model.parameters.expand(self.spare * q, -1)
        return self.designs(model.outputs.sample(each, generator), data)
