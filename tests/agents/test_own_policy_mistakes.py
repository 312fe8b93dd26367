"""What somebody types or calls wrongly of a policy is answered with what to type or call."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from typing_extensions import override

import ombo_agents
from ombo_agents import DesignsPolicy
from ombo_agents.cli.arguments import parse_env
from ombo_gym import CampaignSpec, Problem, design_space_of

SPEC = CampaignSpec(design_space_of({"T": (20, 80)}), plates=(2,), start_capacity=1)


class Stepping(DesignsPolicy):
    """Uniform designs; takes settings."""

    def __init__(self, spec: CampaignSpec, step: float = 0.5, fresh: bool = True) -> None:
        super().__init__(spec)
        self.step, self.fresh = step, fresh

    @override
    def propose(self, observation: Any, rngs: Any, q: int) -> Any:
        return self.spec.design_space.sample(rngs, q)


class Hill(Problem):
    """A problem, which is no policy though it can be called with one argument."""

    def __init__(self, split: Any = "all") -> None:
        raise AssertionError("not to be built")

    @override
    def draw(self, rngs: Any) -> Any: ...

    @override
    def evaluate(self, instances: Any, designs: Any) -> Any: ...


@pytest.fixture(autouse=True)
def _mine(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("my_hills")
    module.Stepping, module.Hill = Stepping, Hill  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "my_hills", module)


def _observation() -> Any:
    return SPEC.observation([{"T": 30}], [1.0], plates_left=[2])


def test_settings_are_separated_by_semicolons() -> None:
    policy = ombo_agents.make("my_hills:Stepping:step=0.1;fresh=false", SPEC)
    assert isinstance(policy, Stepping)
    assert (policy.step, policy.fresh) == (0.1, False)


@pytest.mark.parametrize(
    "name, message",
    [
        (
            "ucb:wieght=2",
            r"settings among \['weight', 'climb'\], got an unexpected keyword argument 'wieght'",
        ),
        (
            "my_hills:Stepping:stepp=1",
            r"settings among \['step', 'fresh'\], got an unexpected keyword argument 'stepp'",
        ),
        ("my_hills:Stepping:step=1:fresh=0", "several settings have ';' between"),
        ("fresh=false", "several settings of one policy have ';' between"),
        ("my_hills.Stepping", r"got 'my_hills\.Stepping'; did you mean 'my_hills:Stepping'\?"),
        ("uncb", r"got 'uncb'; did you mean 'ucb'\?"),
        ("runs/none", "there is no folder .*runs/none"),
        ("my_hills:Hill", "expected a subclass of ombo_agents.Policy in module:Class"),
    ],
)
def test_what_is_no_policy_is_refused_with_the_remedy(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ombo_agents.make(name, SPEC)


def test_a_seed_or_a_list_of_designs_in_place_of_what_a_policy_acts_on_is_refused() -> None:
    policy = ombo_agents.make("random", SPEC)
    with pytest.raises(ValueError, match=r"rng: .* got int; numpy\.random\.default_rng\(seed\)"):
        policy.act(_observation(), 0)  # type: ignore[arg-type]
    for given in ([{"T": 30}], {"T": np.zeros(1)}):
        with pytest.raises(
            ValueError, match=r"observation: expected a dict of fields.*plates_left"
        ):
            policy.act(given, np.random.default_rng(0))  # type: ignore[arg-type]


def test_a_measurement_that_is_missing_is_to_be_left_out() -> None:
    with pytest.raises(ValueError, match=r"got nan .*leave out the rows that are not measured"):
        SPEC.observation([{"T": 30}], [float("nan")], plates_left=[2])


@pytest.mark.parametrize(
    "name, message",
    [
        ("my_hills:Hil", r"did you mean my_hills:Hill\?"),
        ("Ombo/GPP-v0", r"did you mean Ombo/GP-v0\?"),
        (
            "my_kinds:my_hills:Hill",
            "expected one module .* let a file import my_kinds and my_hills",
        ),
        ("my_hills.py:Hill", "got the file 'my_hills.py'; leave .py out"),
    ],
)
def test_a_name_of_an_environment_that_is_nearly_right_is_answered_with_it(
    name: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        parse_env(name)


def test_what_is_to_be_typed_comes_before_the_list_of_all_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_garden.py").write_text("")
    monkeypatch.chdir(tmp_path)
    for name, message in {
        "Ombo/GPP-v0": r"got 'Ombo/GPP-v0'; did you mean Ombo/GP-v0\?",
        "my_garden": r"got 'my_garden'; .*, here my_garden:Class with a class of my_garden\.py",
        "My/Garden-v0": r"got .*, here module:My/Garden-v0 with the module that registers it",
        "gp": "got 'gp'; .*module:id, or module:Class of a problem; otherwise",
    }.items():
        with pytest.raises(ValueError, match=rf"^--env: {message}.* expected one of Ombo/"):
            parse_env(name)


def test_a_folder_that_is_there_is_no_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"which has no config\.json"):
        ombo_agents.make(str(tmp_path), SPEC)
