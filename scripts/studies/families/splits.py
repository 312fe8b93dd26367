"""Families and how they are split: each split tests instances that no other does.

The first split of each is the family's own, train and test. Others hold out some of its training
instances in turn, with the test instances among those that are learnt from: priors of these are for
this page alone, and are not kept. Close relatives stand on one side.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.learned.priors.families import Family, measured
from ombo_gym.problems.biology.tf_binding import SPLITS as FACTORS
from ombo_gym.problems.materials.coating import CENTRES
from ombo_gym.problems.tuning.lcbench import SPLITS as DATA_SETS
from ombo_gym.tasks import Task

_PAX_HOX_KLF = "PAX3 PAX4 PAX6 PAX7 HOXB7 HOXC4 HOXD13 EGR2 KLF1 KLF11 WT1 SNAI2".split()
_POU_GFI_PROP = "POU3F4 POU4F3 POU6F2 GFI1 GFI1B ARX ESX1 VSX1 VSX2 PHOX2B PROP1 ISX".split()


@dataclass(frozen=True)
class Studied:
    """A family and its splits.

    Attributes:
        env: Id of the environment.
        kind: Of prior, chosen by the log score on training instances that were left out.
        held_out: Of each split, the instances that are tested, numbers within split "all".
        bounded: Whether the lowest and highest value of an instance are known, so that values are
            from 0 to 1; else they are as they are, and 1 is the best there could be.
        recipes: What is fitted from scratch, for comparison.
    """

    env: str
    kind: str
    held_out: tuple[NDArray[np.int64], ...]
    bounded: bool = True
    recipes: tuple[str, ...] = ("isotropic", "fit")
    start_size: int = 4
    env_kwargs: dict[str, Any] = field(default_factory=dict)

    def family(self) -> Family:
        """All instances, measured."""
        return measured([Task(self.env, self.env_kwargs)])


def _numbers(names: tuple[str, ...], chosen: Any) -> NDArray[np.int64]:
    return np.array([names.index(name) for name in chosen], np.int64)


def _data_sets() -> tuple[NDArray[np.int64], ...]:
    every, train = DATA_SETS["all"], DATA_SETS["train"]
    return tuple(_numbers(every, each) for each in (DATA_SETS["test"], train[::2], train[1::2]))


def _factors() -> tuple[NDArray[np.int64], ...]:
    every = FACTORS["all"]
    others = [[f"{name}_REF_R1" for name in each] for each in (_PAX_HOX_KLF, _POU_GFI_PROP)]
    return tuple(_numbers(every, each) for each in (FACTORS["test"], *others))


def _centres() -> tuple[NDArray[np.int64], ...]:
    number = np.arange(len(CENTRES), dtype=np.int64)
    return number[::5], number[2::5]


FAMILIES = {
    "LCBench": Studied("Ombo/LCBench-v0", "tables", _data_sets()),
    "TFBinding": Studied("Ombo/TFBinding-v0", "tables", _factors()),
    "Coating": Studied(
        "Ombo/Coating-v0", "interp", _centres(), bounded=False, recipes=("isotropic",), start_size=8
    ),
}
