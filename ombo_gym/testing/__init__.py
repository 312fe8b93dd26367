"""The conformance suites: what problems, policies, utilities and kinds of parameters promise.

They are to be run on your own. Subclass `ProblemConformance`, `PolicyConformance`,
`UtilityConformance` or `ParameterConformance` in a test file, and pytest collects its checks; or
call `check_policy` and `check_rendering` anywhere. Pictures need the extra `render`.

Example:
    >>> class TestMine(ProblemConformance):
    ...     env_id = "my_package.my_problem:MyProblem"
    ...     env_kwargs = {"batch_size": 8}
"""

from ombo_gym.testing.base import Conformance, assert_same, play
from ombo_gym.testing.parameter import ParameterConformance
from ombo_gym.testing.policy import PolicyConformance, check_policy
from ombo_gym.testing.problem import ProblemConformance
from ombo_gym.testing.rendering import RenderingConformance, check_rendering
from ombo_gym.testing.utility import UtilityConformance

__all__ = [
    "Conformance",
    "ParameterConformance",
    "PolicyConformance",
    "ProblemConformance",
    "RenderingConformance",
    "UtilityConformance",
    "assert_same",
    "check_policy",
    "check_rendering",
    "play",
]
