"""The conformance suite for policies finds what is broken in one."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from ombo_agents import make
from ombo_gym.spec import CampaignSpec
from ombo_gym.testing import PolicyConformance, check_policy
from ombo_gym.vector_env import CampaignVectorEnv


class Sound:
    """The first designs that were not measured, of a pool in each campaign's own order."""

    deterministic = False
    horizon_aware = False

    def __init__(self, spec: CampaignSpec) -> None:
        self.spec = spec

    def act(self, observation: Any, rng: Any) -> Any:
        rows = len(observation["rounds_left"])
        return np.array([self.batch(observation, row, rng[row]) for row in range(rows)])

    def order(self, observation: Any, row: int, rng: Any) -> Any:
        return rng.permutation(self.spec.design_space.size)

    def batch(self, observation: Any, row: int, rng: Any) -> Any:
        measured = observation["designs"][row, observation["observed"][row] == 1, 0]
        order = self.order(observation, row, rng)
        new = order[~np.isin(order, measured)]
        return new[: self.spec.batch_size].astype(self.spec.action_space.dtype)


class Wide(Sound):
    def act(self, observation: Any, rng: Any) -> Any:
        return super().act(observation, rng).astype(np.float64)


class Short(Sound):
    def act(self, observation: Any, rng: Any) -> Any:
        return super().act(observation, rng)[:, 1:]


class Outside(Sound):
    def act(self, observation: Any, rng: Any) -> Any:
        return super().act(observation, rng) + self.spec.design_space.size


class Scribbling(Sound):
    def act(self, observation: Any, rng: Any) -> Any:
        actions = super().act(observation, rng)
        observation["measurements"][:] = 0
        return actions


class Remembering(Sound):
    calls = 0

    def order(self, observation: Any, row: int, rng: Any) -> Any:
        self.calls += 1
        return np.roll(super().order(observation, row, rng), self.calls)


class Neighbourly(Sound):
    def order(self, observation: Any, row: int, rng: Any) -> Any:
        first = int(1e6 * abs(observation["measurements"][0, 0]))
        return np.roll(super().order(observation, row, rng), first % 97)


class Leading(Sound):
    """Takes the first campaign that is not over for every campaign."""

    def order(self, observation: Any, row: int, rng: Any) -> Any:
        leader = np.flatnonzero(observation["rounds_left"][:, 0])[0]
        first = int(1e6 * abs(observation["measurements"][leader, 0]))
        return np.roll(super().order(observation, row, rng), first % 97)


class Peeking(Sound):
    """Reads dataset rows that are not in use."""

    def order(self, observation: Any, row: int, rng: Any) -> Any:
        unused = observation["measurements"][row, observation["observed"][row] == 0]
        return np.roll(super().order(observation, row, rng), int(abs(unused).sum() > 0))


class Constant(Sound):
    deterministic = True


class Impatient(Sound):
    def order(self, observation: Any, row: int, rng: Any) -> Any:
        left = int(observation["rounds_left"][row, 0])
        return np.roll(super().order(observation, row, rng), max(left, 1) - 1)


class Repeating(Sound):
    def batch(self, observation: Any, row: int, rng: Any) -> Any:
        batch = super().batch(observation, row, rng)
        batch[1:] = batch[0]
        return batch


class Tiring(Sound):
    """Fails at campaigns that are over."""

    def batch(self, observation: Any, row: int, rng: Any) -> Any:
        batch = super().batch(observation, row, rng)
        return batch if observation["rounds_left"][row, 0] else -1 - batch


def check(policy: type[Sound]) -> None:
    class Suite(PolicyConformance):
        campaigns: ClassVar = [
            ("Ombo/CrossedBarrel-v0", {"batch_size": 3}),
            ("Ombo/Landscapes-v0", {"K": 200, "batch_size": 3}),  # nothing is measured twice
        ]

        def make_policy(self, spec: CampaignSpec) -> Sound:
            return policy(spec)

    Suite().test_the_policy_keeps_its_promises()


def test_a_sound_policy_passes() -> None:
    check(Sound)


def test_campaigns_may_be_an_id_that_a_module_registers() -> None:
    class Suite(PolicyConformance):
        campaigns: ClassVar = [("ombo_gym:Ombo/CrossedBarrel-v0", {"batch_size": 3})]

        def make_policy(self, spec: CampaignSpec) -> Sound:
            return Sound(spec)

    Suite().test_the_policy_keeps_its_promises()
    Suite.campaigns = [("no_such_module:My/Own-v0", {})]
    with pytest.raises(ValueError, match="campaigns: No module named 'no_such_module'"):
        Suite().test_the_policy_keeps_its_promises()


@pytest.mark.parametrize("num_campaigns", [2, 5])
def test_any_number_of_campaigns_will_do(num_campaigns: int) -> None:
    settings = {"horizon": 2, "batch_size": 3, "autoreset_mode": "Disabled"}
    check_policy(Sound, CampaignVectorEnv(num_campaigns, "CrossedBarrel", **settings))
    with pytest.raises(AssertionError, match="depends on more than its own dataset"):
        check_policy(Neighbourly, CampaignVectorEnv(num_campaigns, "CrossedBarrel", **settings))


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (Wide, "expected int.*, got float64"),
        (Short, r"expected \(3, 3\), got \(3, 2\)"),
        (Outside, "expected actions in"),
        (Scribbling, "it changed measurements"),
        (Remembering, "other actions for the same observations and generators"),
        (Neighbourly, "depends on more than its own dataset and generator"),
        (Leading, "depends on more than its own dataset and generator"),
        (Peeking, "depends on more than its own dataset and generator"),
        (Constant, "it is not deterministic"),
        (Impatient, "it reads the rounds to come; give its class horizon_aware = True"),
        (Repeating, "expected 3 designs that are new, got 1"),
        (Tiring, "no valid action for a campaign that is over"),
    ],
)
def test_a_broken_one_is_found(policy: type[Sound], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check(policy)


def test_a_policy_meets_a_box_a_sequence_a_pool_and_a_mixed_space() -> None:
    met = []

    class Suite(PolicyConformance):
        def make_policy(self, spec: CampaignSpec) -> Any:
            met.append(spec.design_space)
            return make("random", spec)

    Suite().test_the_policy_keeps_its_promises()
    kinds = {space.kind for space in met}
    assert kinds == {"box", "categorical", "pool", "mixed"}
    (mixed, *_) = (space for space in met if space.kind == "mixed")
    assert mixed.has_categories and mixed.free is not None
