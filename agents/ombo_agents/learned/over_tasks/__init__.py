"""Training over many tasks: one policy for all of them, chosen by how it does on others."""

from ombo_agents.learned.over_tasks.settings import TaskSettings
from ombo_agents.learned.over_tasks.training import train_over_tasks

__all__ = ["TaskSettings", "train_over_tasks"]
