"""A fixed list of designs that are best on average over training instances, and what follows it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.bayesian.expected_improvement import ExpectedImprovement
from ombo_agents.by_campaign import act_by_campaign
from ombo_agents.hyperparameters import settings_of
from ombo_agents.policy import DesignsPolicy, Details, Policy, check_leading_axis
from ombo_agents.settings import whole
from ombo_agents.unmeasured import first_usable, fresh
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch, Rng
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.surrogate import make_surrogate


def why_no_portfolio(spec: CampaignSpec) -> str | None:
    """Why campaigns have no portfolio; None: they have one."""
    if spec.surrogate.get("kernel") == "learned":
        return None
    return (
        'it needs a prior that was learnt from a family, surrogate={"kernel": "learned", "path": '
        '"priors/NAME"}'
    )


class Portfolio(DesignsPolicy):
    """Goes through a list, whatever is measured: the next q designs that are not measured yet.

    The list is the prior's (`ombo train --agent prior`), made by taking the design that adds most
    to the best value so far, in the mean over the training instances, time after time. Uniform
    designs follow its end.

    Attributes:
        listed: (L, *shape).

    Args:
        spec: Of the campaigns it is built for; its surrogate is a learned prior.

    Reference:
        Wistuba, Schilling and Schmidt-Thieme, Sequential model-free hyperparameter tuning, ICDM
        2015.
    """

    horizon_aware = False
    exchangeable = True

    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        learned = make_surrogate(spec).learned
        if learned is None:
            raise ValueError(f"portfolio: {why_no_portfolio(spec)}")
        self.listed = learned.portfolio  # (L, *shape)

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        in_use = observation["observed"].astype(bool)  # (B, n)
        listed = np.broadcast_to(self.listed, (len(rngs), *self.listed.shape))
        measured = self.space.among(listed, observation["designs"], in_use)  # (B, L)
        return first_usable(listed, ~measured, fresh(self.space, rngs, q))


class PortfolioThenEI(Policy):
    """Batches of the portfolio first, and expected improvement under the learned prior afterwards.

    Args:
        spec: Of the campaigns it is built for; its surrogate is a learned prior.
        rounds: How many rounds of a campaign are the portfolio's.

    Raises:
        ValueError: Another surrogate, or a number of rounds that is none.
    """

    horizon_aware = False

    def __init__(self, spec: CampaignSpec, *, rounds: int) -> None:
        self.spec = spec
        self._first = Portfolio(spec)
        settings: dict[str, Any] = settings_of("expected_improvement", spec)
        self._then = ExpectedImprovement(spec, **settings)
        self._rounds = whole("rounds", rounds)

    def rounds_played(self, observation: Observation) -> NDArray[np.int64]:
        """How many rounds are over, (B,): rows beyond the start, by the size of a batch."""
        rows = observation["observed"].astype(np.int64) - observation["from_start"]
        rounds: NDArray[np.int64] = -(-rows.sum(axis=1) // self.spec.batch_size)
        return rounds

    @override
    def act(self, observation: Observation, rng: Rng) -> NDArray[Any]:
        return self.explain(observation, rng)[0]

    @override
    def explain(self, observation: Observation, rng: Rng) -> tuple[NDArray[Any], Details]:
        check_leading_axis(observation)
        rngs = GeneratorBatch(rng, len(observation["rounds_left"]))
        first = self.rounds_played(observation) < self._rounds
        players = [(self._first, first), (self._then, ~first)]
        return act_by_campaign(self.spec, players, observation, rngs), {}
