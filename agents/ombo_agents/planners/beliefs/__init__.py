"""What is known of a campaign whose objective is drawn from a process that is known exactly."""

from ombo_agents.planners.beliefs.base import Batch, Beliefs, Floats, Integers, Scenarios
from ombo_agents.planners.beliefs.make import make_beliefs, why_not_planned

__all__ = [
    "Batch",
    "Beliefs",
    "Floats",
    "Integers",
    "Scenarios",
    "make_beliefs",
    "why_not_planned",
]
