"""The conformance suite: what every problem promises, to be run on your own.

Subclass `ProblemConformance` in a test file, and pytest collects its checks; or call
`check_rendering` anywhere. Pictures need the extra `render`.

Example:
    >>> class TestMine(ProblemConformance):
    ...     env_id = "my_package.my_problem:MyProblem"
    ...     env_kwargs = {"batch_size": 8}
"""

from ombo_gym.testing.base import Conformance, assert_same, play
from ombo_gym.testing.problem import ProblemConformance
from ombo_gym.testing.rendering import RenderingConformance, check_rendering

__all__ = [
    "Conformance",
    "ProblemConformance",
    "RenderingConformance",
    "assert_same",
    "check_rendering",
    "play",
]
