"""Policies that play ombo_gym's campaigns: heuristics, and meta-policies that were trained."""

from ombo_agents.policy import Myopic, Policy
from ombo_agents.registry import make, names, supports

__all__ = ["Myopic", "Policy", "make", "names", "supports"]
