"""Environments whose campaigns draw their task: `Ombo/Tasks-v0`, single and vector."""

from ombo_gym.multi_task.env import MultiTaskEnv
from ombo_gym.multi_task.vector_env import MultiTaskVectorEnv

__all__ = ["MultiTaskEnv", "MultiTaskVectorEnv"]
