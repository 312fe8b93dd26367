"""What a policy of one's own returns is looked at where it is returned, and named by its method."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from typing_extensions import override

import ombo_agents
from ombo_agents import DesignsPolicy, PosteriorPolicy
from ombo_gym import BoxDesigns, CampaignSpec, CandidateDesigns, CategoricalDesigns, DesignSpace

BOX = BoxDesigns(2)
POOL = CandidateDesigns(np.random.default_rng(0).normal(size=(9, 2)))
LETTERS = CategoricalDesigns([3, 3, 3])


def _act(policy: Any, space: DesignSpace) -> Any:
    spec = CampaignSpec(space, plates=(2,), start_capacity=1)
    design = np.zeros((1, *space.shape), space.dtype)
    observation = spec.observation(design, [1.0], plates_left=[2])
    return policy(spec).act(observation, np.random.default_rng(0))


def _proposing(change: Callable[[Any], Any]) -> type[DesignsPolicy]:
    class Own(DesignsPolicy):
        @override
        def propose(self, observation: Any, rngs: Any, q: int) -> Any:
            return change(self.space.sample(rngs, q))

    return Own


@pytest.mark.parametrize("space", [BOX, POOL, LETTERS], ids=["box", "pool", "letters"])
@pytest.mark.parametrize(
    ("change", "came"),
    [
        (lambda designs: designs[0], "got shape "),
        (lambda designs: designs[:, :1], "got shape "),
        (lambda designs: np.concatenate([designs, designs], axis=1), "got shape "),
        (lambda designs: designs[..., 0], "got shape "),
        (lambda designs: None, "got None"),
        (lambda designs: designs.astype(str), "got an array of "),
        (lambda designs: designs.astype(complex), "got an array of complex128"),
        (lambda designs: designs > 0, "got an array of bool"),
    ],
)
def test_another_shape_or_kind_is_refused_by_the_name_of_the_method(
    space: DesignSpace, change: Callable[[Any], Any], came: str
) -> None:
    with pytest.raises(ValueError, match=r"^Own\.propose: expected .*\(1, 2, .*got ") as refused:
        _act(_proposing(change), space)
    assert came in str(refused.value)


@pytest.mark.parametrize("space", [POOL, LETTERS], ids=["pool", "letters"])
def test_numbers_that_are_not_whole_are_no_indices(space: DesignSpace) -> None:
    with pytest.raises(ValueError, match=r"Own\.propose: expected whole numbers .*got an array of"):
        _act(_proposing(lambda designs: designs + 0.3), space)


@pytest.mark.parametrize(
    ("space", "value", "message"),
    [
        (BOX, 1.5, "from -1 to 1, got 1.5 in campaign 0, design 1"),
        (BOX, np.nan, "from -1 to 1, got nan in campaign 0, design 1"),
        (POOL, 9, "from 0 to 8, got 9 in campaign 0, design 1"),
        (LETTERS, -1, "from 0 to 2, got -1 in campaign 0, design 1"),
    ],
)
def test_numbers_out_of_bounds_are_refused_by_the_name_of_the_method(
    space: DesignSpace, value: float, message: str
) -> None:
    def change(designs: Any) -> Any:
        designs[0, 1, -1] = value
        return designs

    with pytest.raises(ValueError, match=rf"^Own\.propose: expected numbers {message}"):
        _act(_proposing(change), space)


@pytest.mark.parametrize("space", [BOX, POOL, LETTERS], ids=["box", "pool", "letters"])
def test_other_dtypes_of_the_kind_are_taken(space: DesignSpace) -> None:
    dtype = np.float64 if space is BOX else np.int8
    action = _act(_proposing(lambda designs: designs.astype(dtype)), space)
    assert action.dtype == space.action_space(2).dtype


def test_candidates_that_are_no_numbers_are_refused_by_the_name_of_the_method() -> None:
    class Lost(PosteriorPolicy):
        @override
        def pick(self, group: Any, rngs: Any) -> Any:
            return group.candidates[:, : group.batch_size] * np.float32(np.nan)

    with pytest.raises(ValueError, match=r"^Lost\.pick: expected numbers from -1 to 1, got nan"):
        _act(Lost, BOX)


def test_indices_of_candidates_are_no_candidates() -> None:
    class Top(PosteriorPolicy):
        @override
        def pick(self, group: Any, rngs: Any) -> Any:
            return np.argsort(-group.marginals.mean, axis=1)[:, : group.batch_size]

    with pytest.raises(
        ValueError, match=r"^Top\.pick: expected numbers of shape .* got shape \(1, 2\)"
    ):
        _act(Top, BOX)


def test_a_constructor_that_leaves_out_the_spec_is_named(monkeypatch: pytest.MonkeyPatch) -> None:

    class Forgetful(DesignsPolicy):
        def __init__(self, spec: CampaignSpec, step: float = 0.1) -> None:
            self.step = step

    module = ModuleType("forgets")
    module.Forgetful = Forgetful  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "forgets", module)
    with pytest.raises(ValueError, match=r"'forgets:Forgetful'.*super\(\).__init__\(spec\)"):
        ombo_agents.make("forgets:Forgetful", CampaignSpec(BOX, plates=(2,), start_capacity=1))


def test_settings_after_a_comma_are_no_policy() -> None:
    with pytest.raises(ValueError, match=r"settings .* have ';' between"):
        ombo_agents.make("climb=false", CampaignSpec(BOX, plates=(2,), start_capacity=1))
