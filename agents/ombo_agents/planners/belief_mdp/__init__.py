"""What is known of a campaign whose objective is drawn from a process that is known exactly."""

from ombo_agents.planners.belief_mdp.base import Batch, BeliefMDP, Floats, Integers, Scenarios
from ombo_agents.planners.belief_mdp.make import make_belief_mdp, why_not_planned

__all__ = [
    "Batch",
    "BeliefMDP",
    "Floats",
    "Integers",
    "Scenarios",
    "make_belief_mdp",
    "why_not_planned",
]
