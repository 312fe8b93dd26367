"""Beliefs from what a spec says, where that is enough to plan exactly."""

from __future__ import annotations

import numpy as np

from ombo_agents.planners.belief_mdp.arms import BanditBeliefMDP
from ombo_agents.planners.belief_mdp.base import BeliefMDP
from ombo_agents.planners.belief_mdp.landscapes import LandscapeBeliefMDP
from ombo_gym.priors import BernoulliArms, FiniteLandscapes
from ombo_gym.spec import CampaignSpec, Repeats


def why_not_planned(spec: CampaignSpec) -> str | None:
    """Why campaigns cannot be planned exactly; None where they can, if they are small enough."""
    if (reason := why_not_known(spec)) is not None:
        return reason
    if isinstance(spec.prior, BernoulliArms) and not spec.utility.linear:
        return (
            "utility: exact planning on arms needs one that follows from the means of the designs, "
            f"such as total and last_mean, got '{spec.utility}'"
        )
    return None


def why_not_known(spec: CampaignSpec) -> str | None:
    """Why what is known after a dataset cannot be told exactly; None where it can."""
    prior = spec.prior
    if isinstance(prior, BernoulliArms):
        designs, repeats = len(prior.beta) + len(prior.known), Repeats.ALLOWED
    elif isinstance(prior, FiniteLandscapes):
        designs, repeats = prior.matrix.shape[1], Repeats.NEVER_AGAIN
    else:
        return (
            "prior: exact planning needs a problem whose posterior is known exactly, Bandit or "
            f"Landscapes, got {spec.problem}"
        )
    if spec.noise_std != 0:
        return (
            "noise_std: exact planning needs measurements with finitely many outcomes, so 0; got "
            f"{'an unknown one' if spec.noise_std is None else format(spec.noise_std, 'g')}"
        )
    space = spec.design_space
    if space.shape != (1,) or space.size != designs:
        return (
            f"design_space: exact planning needs one of the {designs} designs that the prior "
            f"tells of, named by their numbers from 0, got {space!r}"
        )
    if spec.repeats is not repeats:
        return f"repeats: exact planning needs {repeats} with this prior, got {spec.repeats}"
    return None


def make_belief_mdp(spec: CampaignSpec) -> BeliefMDP:
    """What is known of a spec's campaigns, before and after measurements.

    Raises:
        ValueError: They cannot be planned for exactly; says why.
    """
    if (reason := why_not_planned(spec)) is not None:
        raise ValueError(reason)
    if isinstance(spec.prior, BernoulliArms):
        return BanditBeliefMDP(spec.prior)
    assert isinstance(spec.prior, FiniteLandscapes)
    # b0 is the start's best value, or without a start the reference.
    return LandscapeBeliefMDP(spec.prior, -np.inf if spec.start_capacity else spec.reference)
