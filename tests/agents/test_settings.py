"""Settings: checked when they are built, converted, named when they are wrong, inherited whole."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, asdict, dataclass, replace

import numpy as np
import pytest

import ombo_agents
from ombo_agents.hyperparameters import settings_of
from ombo_agents.offline import METHODS
from ombo_agents.settings import (
    Flag,
    Fraction,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Settings,
)
from ombo_gym.design_spaces import BoxDesigns
from ombo_gym.spec import CampaignSpec


@dataclass(frozen=True, kw_only=True)
class Climb(Settings):
    steps: PositiveInt
    step_size: PositiveFloat


@dataclass(frozen=True, kw_only=True)
class CarefulClimb(Climb):
    share: Fraction
    spare: NonNegativeInt
    careful: Flag


GOOD = {"steps": np.int64(3), "step_size": 2, "share": 1, "spare": 0, "careful": np.True_}


def test_numbers_of_any_library_become_python_s_own():
    settings = CarefulClimb(**GOOD)
    assert asdict(settings) == {
        "steps": 3,
        "step_size": 2.0,
        "share": 1.0,
        "spare": 0,
        "careful": True,
    }
    kinds = {name: type(value) for name, value in asdict(settings).items()}
    assert kinds == {
        "steps": int,
        "step_size": float,
        "share": float,
        "spare": int,
        "careful": bool,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("steps", value) for value in (0, -1, 1.5, True, "3", None)),
        *(("step_size", value) for value in (0, -1.0, float("nan"), float("inf"), "1", None)),
        *(("share", value) for value in (0, 1.01, "half")),
        *(("spare", value) for value in (-1, 0.5)),
        *(("careful", value) for value in (0, 1, "yes")),
    ],
)
def test_each_field_is_checked_wherever_in_the_family_it_was_declared(name, value):
    with pytest.raises(ValueError, match=f"^{name}: expected"):
        CarefulClimb(**GOOD | {name: value})
    with pytest.raises(ValueError, match=f"^{name}: expected"):
        replace(CarefulClimb(**GOOD), **{name: value})


def test_settings_cannot_be_changed_afterwards():
    settings = CarefulClimb(**GOOD)
    with pytest.raises(FrozenInstanceError):
        settings.steps = 0


@pytest.mark.parametrize("name", METHODS)
def test_an_offline_method_holds_the_settings_of_its_file_and_of_its_name(name):
    spec = CampaignSpec(BoxDesigns(2))
    policy = ombo_agents.make(f"{name}:hidden=7;rate=0.5", spec)
    assert asdict(policy.settings) == settings_of(name, spec) | {"hidden": 7, "rate": 0.5}


@pytest.mark.parametrize("name", METHODS)
def test_an_offline_method_names_the_setting_that_it_lacks(name):
    with pytest.raises(ValueError, match=rf"policy '{name}:speed=3': .*'speed'"):
        ombo_agents.make(f"{name}:speed=3", CampaignSpec(BoxDesigns(2)))
