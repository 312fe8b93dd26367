"""What is known of a campaign whose objective is drawn from a process that is known exactly."""

from ombo_agents.planners.belief_mdp.base import (
    Batch,
    BeliefMDP,
    Floats,
    Integers,
    Posterior,
    Scenarios,
    take_posterior,
)
from ombo_agents.planners.belief_mdp.make import make_belief_mdp, why_not_planned

__all__ = [
    "Batch",
    "BeliefMDP",
    "Floats",
    "Integers",
    "Posterior",
    "Scenarios",
    "make_belief_mdp",
    "take_posterior",
    "why_not_planned",
]
