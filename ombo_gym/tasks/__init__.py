"""Tasks: what meta-policies are trained over, validated and tested on.

A `Task` is a problem with its arguments, horizon, batch size, utilities and start; a
`TaskDistribution` is weighted tasks. Named protocols, such as "ML-families-v0:train", freeze which
are for training and which for the test. `gymnasium.make_vec("Ombo/Tasks-v0", tasks=...)` plays
them; `seen` says which problems a trained policy has met already.
"""

from ombo_gym.tasks.distribution import TaskDistribution, make_tasks
from ombo_gym.tasks.overlap import overlap
from ombo_gym.tasks.protocols import protocol_names
from ombo_gym.tasks.seen import instances_seen, problems_met, seen
from ombo_gym.tasks.task import Task

__all__ = [
    "Task",
    "TaskDistribution",
    "instances_seen",
    "make_tasks",
    "overlap",
    "problems_met",
    "protocol_names",
    "seen",
]
