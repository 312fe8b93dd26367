"""Campaigns of every kind of design, as controls see them."""

from __future__ import annotations

import numpy as np

from ombo_gym.vector_env import CampaignVectorEnv
from tests.controls.small_problems import Pool, Recipes

TF = {"start": {"kind": "percentile", "size": 64}}
CASES = {
    "GP": ("GP", {}),
    "GP in 6-D without a start": ("GP", {"dim": 6, "start": {"kind": "none"}}),
    "TFBind8": ("TFBind8", TF),
    "TFBinding with noise": ("TFBinding", {**TF, "noise_std": 0.1}),
    "pool": (Pool(), {}),
    "recipes": (Recipes(), {"start": {"kind": "none"}}),
}


def vector_env(case, rows, control, **arguments):
    problem, defaults = CASES[case]
    return CampaignVectorEnv(
        rows, problem, control=control, autoreset_mode="Disabled", **{**defaults, **arguments}
    )


def last_batch(env):
    """The designs that the last step measured, (B, q, *shape)."""
    campaigns, q = env.campaigns, env.campaign_spec.batch_size
    return np.stack([campaigns.designs[i, n - q : n] for i, n in enumerate(campaigns.num_observed)])


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name])
