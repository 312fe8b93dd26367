"""The problems and starts that models are compared on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from scripts.studies.scores import short_name

START_SIZE = 16
STARTS: dict[str, dict[str, Any]] = {
    "random": {"kind": "random", "size": START_SIZE},
    "lower half": {"kind": "percentile", "percentile": 50, "size": START_SIZE},
}

# All but Bandit and Landscapes, whose few designs are no place for a held-out quality.
PROBLEMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Ombo/GP-v0", {}),
    ("Ombo/GP-v0", {"dim": 6}),
    ("Ombo/GP-v0", {"noise_std": 1.0}),
    ("Ombo/BBOB-v0", {}),
    ("Ombo/SnAr-v0", {}),
    ("Ombo/Coating-v0", {}),
    ("Ombo/CrossedBarrel-v0", {}),
    ("Ombo/Materials-v0", {}),
    ("Ombo/Materials-v0", {"dataset": "p3ht"}),
    ("Ombo/Materials-v0", {"dataset": "perovskite"}),
    ("Ombo/Materials-v0", {"dataset": "hoip"}),
    ("Ombo/Table-v0", {}),
    ("Ombo/LCBench-v0", {}),
    ("Ombo/HPOB-v0", {}),
    ("Ombo/Tuning-v0", {}),
    ("Ombo/Tuning-v0", {"benchmark": "nasbench201"}),
    ("Ombo/Antibody-v0", {}),
    ("Ombo/TFBind8-v0", {}),
    ("Ombo/TFBinding-v0", {}),
    ("Ombo/MPSA-v0", {}),
    ("Ombo/PBO-v0", {}),
    ("Ombo/Molecule-v0", {}),
    ("Ombo/Reaction-v0", {}),
    ("Ombo/Reaction-v0", {"dataset": "borylation"}),
    ("Ombo/Reaction-v0", {"dataset": "deoxyfluorination"}),
    ("Ombo/Reaction-v0", {"dataset": "denmark"}),
    ("Ombo/Ehrlich-v0", {"length": 15, "categories": 4, "motifs": 2}),
    ("Ombo/RNAFold-v0", {}),
    ("Ombo/Lander-v0", {}),
    ("Ombo/Gait-v0", {}),
    ("Ombo/WindFarm-v0", {}),
)
# Simulators of 5 to 10 ms a design: the lower half of 1,024 designs would take hours.
DEAR = ("Ombo/Lander-v0", "Ombo/Gait-v0", "Ombo/WindFarm-v0")


@dataclass(frozen=True)
class Setting:
    """A problem and how its starts are chosen.

    Attributes:
        env: Id of the environment.
        arguments: Its further arguments, without the start, as JSON.
        start: Among `STARTS`.
    """

    env: str
    arguments: str
    start: str

    @property
    def problem(self) -> str:
        """The problem's short name."""
        return short_name(self.env, self.arguments)

    @property
    def env_kwargs(self) -> dict[str, Any]:
        """Arguments of the environment, with the start."""
        return {**json.loads(self.arguments), "start": STARTS[self.start]}


def settings() -> list[Setting]:
    """Every problem with every kind of start; dear simulators with random starts only."""
    return [
        Setting(env, json.dumps(arguments, sort_keys=True), start)
        for start in STARTS
        for env, arguments in PROBLEMS
        if start == "random" or env not in DEAR
    ]
