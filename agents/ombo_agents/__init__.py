"""Policies that play ombo_gym's campaigns: heuristics, planners and trained meta-policies.

`make` builds one by name, for an environment or a spec; `DesignsPolicy`, `PosteriorPolicy` and
`ControlPolicy` are what one's own subclasses; `solve_campaign` and `exact_value` are exact.
"""

try:
    import scipy  # noqa: F401
except ImportError as error:
    raise ImportError('ombo_agents needs scipy: pip install "ombo-gym[agents]"') from error

from ombo_agents.bayesian.posterior_policy import PosteriorPolicy
from ombo_agents.planners.dynamic_programming import solve_campaign
from ombo_agents.planners.evaluation import exact_value
from ombo_agents.policy import ControlPolicy, DesignsPolicy, Myopic, Policy
from ombo_agents.registry import make, names, supports

__all__ = [
    "ControlPolicy",
    "DesignsPolicy",
    "Myopic",
    "Policy",
    "PosteriorPolicy",
    "exact_value",
    "make",
    "names",
    "solve_campaign",
    "supports",
]
