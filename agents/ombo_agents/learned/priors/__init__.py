"""Priors that are learnt from families, for `surrogate={"kernel": "learned", "path": ...}`."""

from ombo_agents.learned.priors.training import train_prior

__all__ = ["train_prior"]
