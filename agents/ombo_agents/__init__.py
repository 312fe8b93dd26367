"""Policies that play ombo_gym's campaigns: heuristics, and meta-policies that were trained."""

try:
    import scipy  # noqa: F401
except ImportError as error:
    raise ImportError('ombo_agents needs scipy: pip install "ombo-gym[agents]"') from error

from ombo_agents.policy import Myopic, Policy
from ombo_agents.registry import make, names, supports

__all__ = ["Myopic", "Policy", "make", "names", "supports"]
