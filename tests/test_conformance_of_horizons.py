"""Promises of policies are checked on campaigns of several horizons too."""

from __future__ import annotations

from typing import Any

import pytest

from ombo_agents import DesignsPolicy
from ombo_gym import CampaignSpec
from ombo_gym.testing import PolicyConformance


class _Uniform(DesignsPolicy):
    def propose(self, observation: Any, rngs: Any, q: int) -> Any:
        return self.space.sample(rngs, q)


class _FirstRowDecides(_Uniform):
    def propose(self, observation: Any, rngs: Any, q: int) -> Any:
        designs = super().propose(observation, rngs, q)
        return designs * (observation["rounds_left"][0] > 1)


class TestUniform(PolicyConformance):
    """Keeps them, whatever ends first."""

    campaigns = (("GP", {"horizon": [1, 4]}), ("GP", {"horizon": [2, 3], "batch_size": [1, 2]}))

    def make_policy(self, spec: CampaignSpec) -> Any:
        return _Uniform(spec)


def test_a_policy_that_reads_another_rows_horizon_is_found() -> None:
    class Mixing(TestUniform):
        def make_policy(self, spec: CampaignSpec) -> Any:
            return _FirstRowDecides(spec)

    with pytest.raises(AssertionError, match="depends on more than its own dataset"):
        Mixing().test_the_policy_keeps_its_promises()
