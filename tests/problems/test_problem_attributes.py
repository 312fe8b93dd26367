"""What a problem of one's own says of itself is refused where it is of another kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from typing_extensions import override

from ombo_gym import BoxDesigns, CampaignEnv, Problem


class Slope(Problem):
    """The first coordinate."""

    def __init__(self) -> None:
        self.design_space = BoxDesigns(2)

    @override
    def draw(self, rngs: Any) -> Any:
        return {"number": np.zeros(len(rngs), np.int64)}

    @override
    def evaluate(self, instances: Any, designs: Any) -> Any:
        return designs[..., 0]


def slope(**members: Any) -> Problem:
    made: Problem = type("Own", (Slope,), members)()
    return made


@pytest.mark.parametrize(
    ("attribute", "given", "expected"),
    [
        ("noise_std", "loud", "a number of at least 0, got 'loud'"),
        ("noise_std", -1, "a number of at least 0, got -1"),
        ("noise_std", np.nan, "a number of at least 0, got nan"),
        ("reference", None, "a finite reference, a number, got None"),
        ("floor", np.inf, "a finite number, got inf"),
        ("start", "random", r'a dict, as \{"kind": "random", "size": 4\}, got \'random\''),
        ("surrogate", "fit", r"a dict, as .*, got 'fit'"),
        ("prior", "gp", "a Prior or None, got 'gp'"),
        ("repeats", "never", r"one of ombo_gym\.Repeats, as Repeats\.ALLOWED, got 'never'"),
        ("splits", "train", r"a tuple of names, .*, got 'train'"),
        ("rounds", 3, r"\(low, high\) with 1 <= low <= high, got 3"),
        ("rounds", (0, 3), r"\(low, high\) .*got \(0, 3\)"),
        ("optimum_known", "no", "True or False, got 'no'"),
        ("cheap", None, "True or False, got None"),
        ("sources", "a.csv", r"a tuple of pathlib\.Path, got 'a\.csv'"),
        ("instance_count", lambda self: 2.5, r"a whole number of at least 1, or None, got 2\.5"),
    ],
)
def test_attributes_of_another_kind_are_refused(attribute: str, given: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=rf"^Own\.{attribute}: expected {expected}"):
        CampaignEnv(slope(**{attribute: given}))


def test_a_collection_needs_instances_by_number() -> None:
    counted: dict[str, Any] = {"instance_count": lambda self: 3}
    with pytest.raises(ValueError, match=r"^Own: .* 3 instances: .* instances_numbered\(self, n"):
        CampaignEnv(slope(**counted))
    counted["instances_numbered"] = lambda self, numbers: {"number": numbers}
    with pytest.raises(ValueError, match=r"^Own: .* 3 instances: .* instance_numbers\(self, ins"):
        CampaignEnv(slope(**counted))
    counted["instance_numbers"] = lambda self, instances: instances["number"]
    assert CampaignEnv(slope(**counted)).reset(seed=0)[1]["instance"] == 0


def test_samples_of_another_shape_are_named() -> None:
    problem = slope(sample=lambda self, instances, rngs, count: rngs.random((2,)))
    with pytest.raises(ValueError, match=r"^Own\.sample: expected numbers of shape \(1, 4, 2\)"):
        CampaignEnv(problem).reset(seed=0)
