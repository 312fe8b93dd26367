"""Gymnasium environments for sequential design under a budget."""

from ombo_gym.design_spaces import (
    BoxDesigns,
    CandidateDesigns,
    CategoricalDesigns,
    DesignSpace,
    MixedDesigns,
    design_space_of,
    parse_parameters,
)
from ombo_gym.own import make_campaign
from ombo_gym.registration import env_ids, make_problem, register_all
from ombo_gym.spec import CampaignSpec, Origin, Repeats, campaign_spec

__all__ = [
    "BoxDesigns",
    "CampaignSpec",
    "CandidateDesigns",
    "CategoricalDesigns",
    "DesignSpace",
    "MixedDesigns",
    "Origin",
    "Repeats",
    "__version__",
    "campaign_spec",
    "design_space_of",
    "env_ids",
    "make_campaign",
    "make_problem",
    "parse_parameters",
]
__version__ = "0.1.0"

register_all()
