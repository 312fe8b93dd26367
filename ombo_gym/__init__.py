"""Gymnasium environments for sequential design under a budget."""

from ombo_gym.own import make_campaign
from ombo_gym.registration import env_ids, make_problem, register_all

__all__ = ["__version__", "env_ids", "make_campaign", "make_problem"]
__version__ = "0.1.0"

register_all()
