"""Offline model-based methods: one attempt from a dataset, applied again every round."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

from ombo_agents.policy import Policy
from ombo_gym.spec import CampaignSpec

METHODS = {  # name: module and class
    "ensemble_greedy": "ensemble_greedy:EnsembleGreedy",
    "gradient_ascent": "gradient_ascent:GradientAscent",
    "gradient_min": "gradient_ascent:GradientAscent",
    "gradient_mean": "gradient_ascent:GradientAscent",
    "coms": "coms:Coms",
    "cbas": "cbas:Cbas",
    "reinforce": "reinforce:Reinforce",
    "mins": "mins:Mins",
    "bo_qei": "bo_qei:BoQei",
}


def method(name: str) -> Callable[..., Policy]:
    """What builds a method."""
    return partial(build, name)


def build(name: str, spec: CampaignSpec, **settings: Any) -> Policy:
    """Builds a method; torch is imported with it and not before.

    Raises:
        ImportError: torch is not installed; names the extra.
        TypeError: A setting that the method lacks, or one that is missing.
        ValueError: A setting out of range.
    """
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ImportError(f'policy {name!r} needs torch: pip install "ombo-gym[agents]"') from error
    module, _, class_name = METHODS[name].partition(":")
    policy_class = getattr(importlib.import_module(f"{__name__}.{module}"), class_name)
    policy: Policy = policy_class(spec, policy_class.settings_type(**settings))
    return policy
