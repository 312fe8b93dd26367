"""What a policy chooses through a control is looked at where it is returned, by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from typing_extensions import override

from ombo_agents import ControlPolicy
from ombo_gym import campaign_spec


def _choosing(change: Callable[[Any], Any], control: str = "exploration") -> Any:
    class Own(ControlPolicy):
        @override
        def choose(self, seen: Any) -> Any:
            space: Any = self.control.action_space
            return change(np.zeros((len(seen["rounds_left"]), *space.shape), space.dtype))

    return lambda spec: Own(spec, control)


def _act(make_policy: Any, control: str) -> Any:
    """Of three campaigns that are played through `control`."""
    envs = gym.make_vec("Ombo/GP-v0", num_envs=3, batch_size=2, control=control)
    policy = make_policy(campaign_spec(envs))
    observation, _ = envs.reset(seed=0)
    return policy.act(observation, envs.np_random), envs


WRONG: list[tuple[Callable[[Any], Any], str]] = [
    (lambda actions: actions[:, 0], r"got shape \(3,\)"),
    (lambda actions: actions[0], r"got shape \(2,\)"),
    (lambda actions: actions[:1], r"got shape \(1, 2\)"),
    (lambda actions: actions + 1.5, r"got 1\.5 at index \(0, 0\)"),
    (lambda actions: actions * np.nan, r"got nan at index \(0, 0\)"),
    (lambda actions: actions - np.inf, r"got -inf at index \(0, 0\)"),
    (lambda actions: actions.astype(complex), "got dtype complex128"),
    (lambda actions: None, "got dtype object$"),
]


@pytest.mark.parametrize("control", ["exploration", "designs"])
@pytest.mark.parametrize(("change", "came"), WRONG)
def test_actions_that_the_control_has_not_are_refused_by_the_name_of_the_method(
    control: str, change: Callable[[Any], Any], came: str
) -> None:
    expected = r"expected float32 values of shape \(3, 2\) from -1\.0 to 1\.0, "
    with pytest.raises(ValueError, match=rf"^Own\.choose: {expected}{came}"):
        _act(_choosing(change), control)


@pytest.mark.parametrize("control", ["candidates", "designs"])
def test_numbers_of_candidates_are_whole_and_in_the_list(control: str) -> None:
    for change, came in (
        (lambda chosen: chosen + 0.5, "got dtype float64"),
        (lambda chosen: chosen + 64, r"got 64 at index \(0, 0\)"),
    ):
        with pytest.raises(ValueError, match=rf"^Own\.choose: expected int64 .* 0 to 63, {came}"):
            _act(_choosing(change, "candidates"), control)


@pytest.mark.parametrize("control", ["exploration", "designs"])
def test_other_dtypes_of_the_kind_are_taken(control: str) -> None:
    actions, envs = _act(_choosing(lambda actions: actions.astype(np.float64)), control)
    assert actions.dtype == envs.action_space.dtype and actions in envs.action_space
