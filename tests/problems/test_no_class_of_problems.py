"""Whoever names a function, an object or another class where a problem is expected is told more."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from typing_extensions import override

import ombo_gym
from ombo_agents.cli.arguments import parse_env
from ombo_gym import BoxDesigns, CampaignEnv, CampaignVectorEnv, Function, Problem


def brew(x: dict[str, float]) -> float:
    return -((x["minutes"] - 4) ** 2)


a_lambda = lambda x: 0.0  # noqa: E731
partly = functools.partial(brew)
a_number = 3.0


class Coffee(Function):
    """How good a cup is."""

    def __init__(self) -> None:
        super().__init__(brew, {"minutes": (1, 9)})


class Unfinished(Problem):
    """Draws nothing."""

    def __init__(self) -> None:
        self.design_space = BoxDesigns(2)

    @override
    def evaluate(self, instances: Any, designs: Any) -> Any:
        return designs.sum(axis=-1)


class Bowl:
    """No problem at all."""


coffee = Coffee()

_NAMED = {
    "brew": r"class NAME\(ombo_gym\.Function\) .*super\(\).__init__\(brew, SPACE\)",
    "a_lambda": r"class NAME\(ombo_gym\.Function\)",
    "partly": r"super\(\).__init__\(f, SPACE\)",
    "coffee": r"; name its class, Coffee$",
    "Unfinished": r"; it has to define \['draw'\]",
    "Bowl": r"; make Bowl a subclass of ombo_gym\.Problem$",
    "a_number": r"got '.*a_number': 3\.0$",
}


@pytest.mark.parametrize("name", _NAMED)
def test_what_a_name_finds_is_answered_with_what_to_write(name: str) -> None:
    full = f"{__name__}:{name}"
    for build in (parse_env, CampaignEnv, lambda each: CampaignVectorEnv(2, each)):
        with pytest.raises(ValueError, match=rf"expected a class of problems.*{_NAMED[name]}"):
            build(full)


@pytest.mark.parametrize("given", [brew, a_lambda, partly])
def test_a_function_itself_is_answered_alike(given: Any) -> None:
    with pytest.raises(ValueError, match=r"^problem: .*ombo_gym\.make_campaign\("):
        CampaignEnv(given)


def test_what_the_message_says_works() -> None:
    assert parse_env(f"{__name__}:Coffee") == f"{__name__}:Coffee"
    for env in (
        CampaignEnv(f"{__name__}:Coffee"),
        ombo_gym.make_campaign(brew, {"minutes": (1, 9)}),
    ):
        env.reset(seed=0)
