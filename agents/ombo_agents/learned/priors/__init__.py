"""Priors that are learnt from families, for `surrogate={"kernel": "learned", "path": ...}`.

`shipped_prior` finds one that comes with the package; `train_prior` learns one, and needs pandas.
"""

from typing import TYPE_CHECKING, Any

from ombo_agents.learned.priors.shipped import shipped_prior, shipped_prior_names

if TYPE_CHECKING:
    from ombo_agents.learned.priors.training import train_prior

__all__ = ["shipped_prior", "shipped_prior_names", "train_prior"]


def __getattr__(name: str) -> Any:
    """Imports what learns when it is asked for."""
    if name == "train_prior":
        from ombo_agents.learned.priors.training import train_prior

        return train_prior
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
