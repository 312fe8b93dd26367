"""Settings of a policy of one's own are held to its constructor, and refused by their names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import pytest
from typing_extensions import override

import ombo_agents
from ombo_agents import DesignsPolicy
from ombo_gym import BoxDesigns, CampaignSpec

if TYPE_CHECKING:
    from nowhere import Model  # type: ignore[import-not-found]

SPEC = CampaignSpec(BoxDesigns(2), plates=(2,), start_capacity=1)


class Uniform(DesignsPolicy):
    @override
    def propose(self, observation: Any, rngs: Any, q: int) -> Any:
        return self.space.sample(rngs, q)


class Annotated(Uniform):
    """Every kind of setting that a command line can give."""

    def __init__(
        self,
        spec: CampaignSpec,
        weight: float = 1.0,
        parents: int = 3,
        climb: bool = False,
        kernel: str = "rbf",
        lengthscale: float | None = None,
        layers: tuple[int, ...] = (64,),
        weights: Sequence[float] = (1.0,),
        mode: Literal["fast", "slow"] = "fast",
        model: Model | None = None,
        anything: Any = None,
    ) -> None:
        super().__init__(spec)
        self.settings = {k: v for k, v in locals().items() if k not in ("self", "spec")}


class Bare(Uniform):
    """As in the guide."""

    def __init__(self, spec, step=0.2, parents=3, climb=False, kernel="rbf", start=None):  # type: ignore[no-untyped-def]
        super().__init__(spec)
        self.settings = {k: v for k, v in locals().items() if k not in ("self", "spec")}


class Inheriting(Annotated):
    """The constructor is its parent's."""


def annotated_function(spec: CampaignSpec, weight: float = 1.0) -> Uniform:
    return Uniform(spec)


@pytest.fixture(autouse=True)
def _mine(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("my_settings")
    for each in (Annotated, Bare, Inheriting, annotated_function):
        setattr(module, each.__name__, each)
    monkeypatch.setitem(sys.modules, "my_settings", module)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Annotated:weight=abc", "weight: expected a number, got 'abc'; annotated float"),
        ("Annotated:weight=true", "weight: expected a number, got True"),
        ("Annotated:weight=1/2", r"weight: expected a number, got \(1, 2\)"),
        ("Annotated:weight=null", "weight: expected a number, got None"),
        ("Annotated:parents=2.5", "parents: expected a whole number, got 2.5; annotated int"),
        ("Annotated:climb=1", "climb: expected true or false, got 1; annotated bool"),
        ("Annotated:climb=yes", "climb: expected true or false, got 'yes'"),
        ("Annotated:kernel=3", "kernel: expected a word, got 3; annotated str"),
        ("Annotated:lengthscale=abc", "lengthscale: expected a number or null, got 'abc'"),
        ("Annotated:layers=64", r"layers: expected several, each a whole number, as 3/1/0 or \[3"),
        ("Annotated:layers=64/1.5", r"layers: .*got \(64, 1\.5\)"),
        ("Annotated:weights=abc", "weights: expected several, each a number.*got 'abc'"),
        ("Annotated:mode=medium", r"mode: expected one of \['fast', 'slow'\], got 'medium'"),
        ("Annotated:weight=1;parents=abc", "parents: expected a whole number, got 'abc'"),
        ("Inheriting:weight=abc", "weight: expected a number, got 'abc'"),
        ("annotated_function:weight=abc", "weight: expected a number, got 'abc'"),
        ("Bare:step=abc", "step: expected a number, got 'abc'; its default is 0.2"),
        ("Bare:parents=abc", "parents: expected a number, got 'abc'; its default is 3"),
        ("Bare:climb=yes", "climb: expected true or false, got 'yes'; its default is False"),
    ],
)
def test_a_value_of_another_type_is_refused_by_the_name_of_the_setting(
    name: str, message: str
) -> None:
    name = f"my_settings:{name}"
    with pytest.raises(ValueError, match=f"^policy {name!r}: ".replace(".", r"\.") + message):
        ombo_agents.make(name, SPEC)


def test_keywords_are_held_to_it_too() -> None:
    with pytest.raises(ValueError, match=r"'my_settings:Annotated': weight: expected a number"):
        ombo_agents.make("my_settings:Annotated", SPEC, weight="2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("weight=2", {"weight": 2}),
        ("weight=.5", {"weight": 0.5}),
        ("weight=-1e-3", {"weight": -1e-3}),
        ("layers=64/32", {"layers": (64, 32)}),
        ("layers=[8]", {"layers": [8]}),
        ("weights=3/1.5/0", {"weights": (3, 1.5, 0)}),
        ("kernel=matern52", {"kernel": "matern52"}),
        ("lengthscale=null", {"lengthscale": None}),
        ("mode=slow;climb=true", {"mode": "slow", "climb": True}),
        ("model=abc;anything=abc", {"model": "abc", "anything": "abc"}),
    ],
)
def test_what_the_annotations_say_is_taken(text: str, expected: dict[str, Any]) -> None:
    policy: Any = ombo_agents.make(f"my_settings:Annotated:{text}", SPEC)
    assert {name: policy.settings[name] for name in expected} == expected
    for name, value in expected.items():
        assert type(policy.settings[name]) is type(value)


def test_without_annotations_what_is_no_text_is_taken() -> None:
    policy: Any = ombo_agents.make("my_settings:Bare:step=1;parents=2.5;kernel=3;start=abc", SPEC)
    assert policy.settings["start"] == "abc" and policy.settings["parents"] == 2.5


@pytest.mark.parametrize("text", ["a-b", "1_000", "1/x", "nan/1", "-Infinity", "0x3", ""])
def test_what_is_neither_a_number_nor_a_word_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="policy settings: expected a number, a word, or numbers"):
        ombo_agents.make(f"my_settings:Annotated:anything={text}", SPEC)


def test_policies_of_the_package_name_the_setting_that_was_typed() -> None:
    for text in ("abc", "11", "-1", "1/2", "null"):
        with pytest.raises(ValueError, match=r"^weight: expected a number from 0 to 10, got "):
            ombo_agents.make(f"ucb:weight={text}", SPEC)
    assert ombo_agents.make("botorch_multistep:fantasies=4/2", SPEC)
