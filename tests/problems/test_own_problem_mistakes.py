"""A problem of one's own that is written wrongly is refused, with what to write."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from typing_extensions import override

from ombo_gym import BoxDesigns, CampaignEnv, CampaignVectorEnv, Problem, make_campaign
from ombo_gym.randomness import GeneratorBatch


class _Slope(Problem):
    """Everything that a problem needs but a space: the first coordinate, below 0."""

    @override
    def draw(self, rngs: Any) -> Any:
        return {"number": np.zeros(len(rngs), np.int64)}

    @override
    def evaluate(self, instances: Any, designs: Any) -> Any:
        return designs[..., 0] - 1.0


class _Floored(_Slope):
    optimum_known = optimum_exact = True

    def __init__(self, floor: float) -> None:
        self.design_space = BoxDesigns(1)
        self.floor = floor

    @override
    def feasible(self, instances: Any, designs: Any) -> Any:
        return designs[..., 0] < 0

    @override
    def optimum(self, instances: Any) -> Any:
        return np.zeros(len(instances["number"]))


@pytest.mark.parametrize("given", [None, {"T": (20, 120)}, gym.spaces.Box(-1, 1, (2,))])
@pytest.mark.parametrize("make", [CampaignEnv, lambda problem: CampaignVectorEnv(2, problem)])
def test_a_design_space_that_is_none_is_refused_with_what_makes_one(given: Any, make: Any) -> None:
    problem = _Slope()
    if given is not None:
        problem.design_space = given
    with pytest.raises(ValueError, match=r"_Slope\.design_space: expected .* BoxDesigns\(2\) or"):
        make(problem)


def test_a_class_in_place_of_an_object_is_to_be_called() -> None:
    with pytest.raises(ValueError, match=r"problem: .* class _Floored: call it, _Floored\(\.\.\."):
        CampaignEnv(_Floored)  # type: ignore[arg-type]


@pytest.mark.parametrize("claims", [["optimum_known"], ["optimum_known", "optimum_exact"]])
def test_an_optimum_that_is_claimed_and_not_there_is_refused(claims: list[str]) -> None:
    def __init__(self: Any) -> None:
        self.design_space = BoxDesigns(1)

    members = {"__init__": __init__, **dict.fromkeys(claims, True)}
    claiming = type("Claiming", (_Slope,), members)
    with pytest.raises(ValueError, match=r"^Claiming: optimum_known is true: .*optimum\(self, "):
        CampaignEnv(claiming())
    nothing = type("Nothing", (claiming,), {"optimum": lambda self, instances: None})
    with pytest.raises(ValueError, match=r"Nothing\.optimum: expected numbers .*\(1,\).*got None"):
        CampaignEnv(nothing()).reset(seed=0)


@pytest.mark.parametrize("floor, remedy", [(3.0, "`floor` = 3 is too high"), (-9.0, None)])
def test_a_floor_above_the_optimum_is_named(floor: float, remedy: str | None) -> None:
    env = CampaignEnv(_Floored(floor), batch_size=1, start={"kind": "none"})
    env.reset(seed=0)
    beyond = np.ones((1, 1), np.float32)  # cannot be measured
    if remedy is None:
        assert env.step(beyond)[-1]["infeasible"] == 1
        return
    with pytest.raises(ValueError, match=f"optimum: .*{remedy}"):
        env.step(beyond)


def test_what_generators_of_many_campaigns_lack_is_said_with_the_way_to_draw_it() -> None:
    rngs = GeneratorBatch(np.random.default_rng(0), 2)
    with pytest.raises(AttributeError, match=r"rngs\.draw\(lambda rng: rng\.integers\(\.\.\.\)\)"):
        rngs.integers(3)  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"no attribute 'integer'$"):
        rngs.integer(3)  # type: ignore[attr-defined]
    assert rngs.draw(lambda rng: rng.integers(3, size=4)).shape == (2, 4)


def test_a_reset_beyond_the_arguments_names_the_argument() -> None:
    env = CampaignEnv("GP", horizon=2, batch_size=[1, 3])
    for name in ("horizon", "batch_size"):
        with pytest.raises(ValueError, match=rf"the argument {name}=\[low, high\]"):
            env.reset(seed=0, options={name: 9})


def test_designs_in_units_in_place_of_an_action_name_what_makes_one() -> None:
    env = make_campaign(lambda x: float(x["T"]), {"T": (20, 80)}, batch_size=1)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"got dtype object; design_space\.parse and \.actions"):
        env.step([{"T": 30}])  # type: ignore[arg-type]
    space = env.campaign_spec.design_space
    action = space.actions(space.parse({"T": 30})[None, None])[0]
    env.step(action)
    assert env.campaign_spec.describe(action[None]) == [{"T": 30.0}]
