"""Policy gradients on what an ensemble predicts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from torch import Tensor
from typing_extensions import override

from ombo_agents.offline.distributions import PointDistribution, point_distribution
from ombo_agents.offline.forward_model import fit_forward_model
from ombo_agents.offline.networks import EnsembleSettings, minimise
from ombo_agents.offline.offline_policy import Dataset, FittedModel, OfflinePolicy
from ombo_agents.settings import PositiveFloat, PositiveInt, whole
from ombo_gym.design_spaces import Designs


@dataclass(frozen=True, kw_only=True)
class ReinforceSettings(EnsembleSettings):
    """Settings of `Reinforce`, beside those of its networks.

    Attributes:
        elite: Best designs of the dataset that the distribution starts from.
        steps: Of the policy gradient.
        samples: Designs of a step.
        policy_rate: Of Adam, at the start.
        spare: Designs drawn per design of the batch, for those that come twice.
    """

    elite: PositiveInt
    steps: PositiveInt
    samples: Annotated[int, partial(whole, at_least=2)]
    policy_rate: PositiveFloat
    spare: PositiveInt


@dataclass
class FittedDistribution(FittedModel):
    """One distribution over points, with independent positions or coordinates."""

    distribution: PointDistribution
    parameters: Tensor  # (p,)


class Reinforce(OfflinePolicy[ReinforceSettings, FittedDistribution]):
    """Draws designs from a distribution that was moved towards large predictions.

    The distribution has independent positions (categories) or coordinates (normal; in a pool, of
    features: the nearest candidates to be had are taken). It starts as that of the best designs of
    the dataset and follows the likelihood-ratio gradient of the mean prediction of an ensemble,
    with the batch's mean as a baseline, which the published runs do without.

    Args:
        spec: Of the campaigns it is built for.
        settings: Of the networks, of the policy gradient and of the draws.

    References:
        Williams, Simple statistical gradient-following algorithms for connectionist reinforcement
        learning, Machine Learning 8, 1992.

        Trabucco et al., Design-Bench: Benchmarks for Data-Driven Offline Model-Based Optimization,
        ICML 2022, section 6.
    """

    settings_type = ReinforceSettings

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> FittedDistribution:
        settings = self.settings
        forward = fit_forward_model(data, settings, generator)
        distribution = point_distribution(self.relaxation, data)
        elite = torch.from_numpy(data.ranking[: settings.elite].copy())  # rows of the dataset
        parameters = distribution.maximum_likelihood(data.points[elite]).requires_grad_()

        def loss(step: int) -> Tensor:
            repeated_parameters = parameters.expand(settings.samples, -1)  # (samples, p)
            with torch.no_grad():
                points = distribution.sample(repeated_parameters, generator)
                predicted = forward.mean(points)
                advantage = predicted - predicted.mean()
            return -(advantage * distribution.log_probability(repeated_parameters, points)).mean()

        minimise([parameters], loss, steps=settings.steps, rate=settings.policy_rate)
        return FittedDistribution(forward.queries, distribution, parameters.detach())

    @override
    def search(
        self, model: FittedDistribution, data: Dataset, generator: torch.Generator, q: int
    ) -> Designs:
        repeated_parameters = model.parameters.expand(self.settings.spare * q, -1)
        return self.designs(model.distribution.sample(repeated_parameters, generator), data)
