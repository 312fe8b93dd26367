"""Policies that were trained (torch, stable-baselines3)."""

try:
    import safetensors  # noqa: F401
    import stable_baselines3  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "trained policies need torch, stable-baselines3 and safetensors: "
        'pip install "ombo-gym[agents]"'
    ) from error

from ombo_agents.learned.sb3_env import SB3VecEnv

__all__ = ["SB3VecEnv"]
