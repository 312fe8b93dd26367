"""Policies and priors that were trained, and what trains them.

`shipped_prior` finds a learned prior that comes with the package. `DatasetEncoder` needs torch; all
else stable-baselines3, too.
"""

from typing import TYPE_CHECKING, Any

try:
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError('trained policies need torch: pip install "ombo-gym[agents]"') from error

from ombo_agents.learned.encoder import DatasetEncoder
from ombo_agents.learned.priors.shipped import shipped_prior

if TYPE_CHECKING:
    from ombo_agents.learned.sb3_env import SB3VecEnv

__all__ = ["DatasetEncoder", "SB3VecEnv", "shipped_prior"]


def __getattr__(name: str) -> Any:
    """Imports what needs stable-baselines3 when it is asked for."""
    if name == "SB3VecEnv":
        from ombo_agents.learned.sb3_env import SB3VecEnv

        return SB3VecEnv
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
