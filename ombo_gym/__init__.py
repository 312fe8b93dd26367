"""Gymnasium environments for sequential design under a budget.

What a user calls or subclasses: `make_campaign`, `CampaignSpec` and `campaign_spec`, the design
spaces, `Problem`, `Utility`, `Control`. Environments are made by `gymnasium.make`; `wrappers` make
them what libraries and networks like; `tasks` is what meta-policies are trained over.
"""

from ombo_gym import tasks, wrappers
from ombo_gym.controls import Control
from ombo_gym.design_spaces import (
    BoxDesigns,
    CandidateDesigns,
    CategoricalDesigns,
    DesignSpace,
    FiniteDesigns,
    MixedDesigns,
    Parameter,
    design_space_of,
    parse_parameters,
)
from ombo_gym.env import CampaignEnv
from ombo_gym.from_function import make_campaign
from ombo_gym.problems.core.base import Problem
from ombo_gym.problems.own.function import Function
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.registration import env_ids, make_problem, register_all
from ombo_gym.spec import CampaignSpec, Origin, Repeats, campaign_spec
from ombo_gym.utilities import Utility, make_utility
from ombo_gym.vector_env import CampaignVectorEnv

__all__ = [
    "BatchedGenerator",
    "BoxDesigns",
    "CampaignEnv",
    "CampaignSpec",
    "CampaignVectorEnv",
    "CandidateDesigns",
    "CategoricalDesigns",
    "Control",
    "DesignSpace",
    "FiniteDesigns",
    "Function",
    "MixedDesigns",
    "Origin",
    "Parameter",
    "Problem",
    "Repeats",
    "Utility",
    "__version__",
    "campaign_spec",
    "design_space_of",
    "env_ids",
    "make_campaign",
    "make_problem",
    "make_utility",
    "parse_parameters",
    "tasks",
    "wrappers",
]
__version__ = "0.1.0"

register_all()
