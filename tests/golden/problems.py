"""Which problems have golden values, and what their first campaign of a fixed seed measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import ombo_gym  # noqa: F401
from ombo_gym.registration import problem_class

SEED = 2026
EXACT, COMPUTED, SIMULATED, SINGLE = 0.0, 1e-9, 1e-6, 1e-5  # relative tolerances

CATALYSTS = """\
catalyst,T,yield
Pd,60,10
Pd,80,30
Ni,60,20
Pd,80,34
Ni,100,5
"""
_FEW = {"kind": "percentile", "percentile": 50, "size": 8}
_SHOWN = 16  # measurements of a start that are kept
_BATCH = 6


@dataclass(frozen=True)
class GoldenProblem:
    """A problem as it is played.

    Attributes:
        name: As in the id.
        arguments: Of the problem and the environment.
        tolerance: Relative: 0 of what is looked up, more of sums in single precision.
        libraries: Distributions that it is computed by, beside numpy.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    tolerance: float = EXACT
    libraries: tuple[str, ...] = ()

    @property
    def env_id(self) -> str:
        """Of the environment."""
        return f"Ombo/{self.name}-v0"

    @property
    def extra(self) -> str | None:
        """What has to be installed."""
        return problem_class(self.name).extra


def _each(name: str, argument: str, values: tuple[Any, ...], **further: Any) -> dict[str, Any]:
    """One case for each value of an argument."""
    settings = {each: further.pop(each) for each in ("tolerance", "libraries") if each in further}
    return {
        f"{name}, {argument}={value}": GoldenProblem(name, {argument: value, **further}, **settings)
        for value in values
    }


_IOH = {"tolerance": SIMULATED, "libraries": ("ioh",)}
_X = [[float(i % 7), float(i * i % 11)] for i in range(40)]
_SCREEN = {"T": {"range": [20, 120]}, "base": ["KOH", "DBU", "NEt3"], "eq": [1, 2, 4]}
_Y = [float(i * 37 % 41) for i in range(40)]

PROBLEMS: dict[str, GoldenProblem] = {
    **_each("GP", "kernel", ("matern52", "rbf"), dim=4, tolerance=SINGLE),
    **_each("Reaction", "dataset", ("doyle", "borylation", "deoxyfluorination", "denmark")),
    "CrossedBarrel": GoldenProblem("CrossedBarrel"),
    **_each("Materials", "dataset", ("agnp", "p3ht", "perovskite", "hoip")),
    "Antibody": GoldenProblem("Antibody"),
    "MPSA": GoldenProblem("MPSA"),
    **_each("Tuning", "benchmark", ("hpobench", "nasbench201")),
    "LCBench": GoldenProblem("LCBench"),
    **_each(
        "HPOB", "space", ("4796", "5859", "5889", "5891", "5906", "5970", "5971", "7607", "7609")
    ),
    "TFBind8": GoldenProblem("TFBind8", {"start": _FEW}),
    "TFBinding": GoldenProblem("TFBinding"),
    "Bandit": GoldenProblem("Bandit", {"arms": 5}, COMPUTED),
    **_each(
        "Landscapes",
        "name",
        ("blurred_signpost", "clique", "dose", "gp", "independent", "signpost", "tent8"),
        tolerance=COMPUTED,
    ),
    **_each("SnAr", "objective", ("sty", "e_factor"), tolerance=COMPUTED),
    "SnAr, perturbed": GoldenProblem("SnAr", {"kinetics": "perturbed"}, COMPUTED),
    **_each(
        "Coating",
        "task",
        ("antireflection", "mirror", "edge", "bandpass"),
        tolerance=COMPUTED,
    ),
    **_each("Molecule", "objective", ("similarity", "penalized_logp", "qed")),
    "Screens": GoldenProblem("Screens", {}, SINGLE),
    "Screens, 20-D": GoldenProblem("Screens", {"parameters": 20, "max_noise": 1.0}, SINGLE),
    "Screens, pool": GoldenProblem("Screens", {"parameters": _SCREEN, "pool": 200}, SINGLE),
    "Ehrlich": GoldenProblem("Ehrlich", tolerance=COMPUTED),
    **_each("BBOB", "function", tuple(range(1, 25)), dim=4, **_IOH),
    **_each("PBO", "function", (1, 2, 18, 19, 22, 23, 24, 25), **_IOH),
    "Table": GoldenProblem("Table"),
    "Table, numbers": GoldenProblem("Table", {"x": _X, "y": _Y}),
    "Table, categories": GoldenProblem("Table", {"x": np.array(_X, int).tolist(), "y": _Y}),
    "Table, catalysts": GoldenProblem("Table", {"csv": "catalysts.csv", "start": {"kind": "none"}}),
    **_each("Gait", "controller", ("sine", "linear"), tolerance=SIMULATED, libraries=("mujoco",)),
    "RNAFold": GoldenProblem("RNAFold", {}, SIMULATED, ("viennarna",)),
    "Lander": GoldenProblem("Lander", {}, SIMULATED, ("box2d", "gymnasium")),
    "WindFarm": GoldenProblem("WindFarm", {}, SIMULATED, ("py-wake",)),
}


def first_campaign(
    case: GoldenProblem, folder: Path, action: list[float] | None = None
) -> dict[str, Any]:
    """What a campaign of a fixed seed measures, in a start and one batch of designs.

    Args:
        case: Which problem.
        folder: For files that it is read from.
        action: The batch; None: one that is drawn.
    """
    arguments = dict(case.arguments)
    if "csv" in arguments:
        (folder / arguments["csv"]).write_text(CATALYSTS)
        arguments["csv"] = str(folder / arguments["csv"])
    env = gym.make(case.env_id, horizon=1, batch_size=_BATCH, **arguments)
    space = env.action_space
    observation, info = env.reset(seed=SEED)
    if action is None:
        space.seed(SEED)
        batch = space.sample()
    else:
        batch = np.array(action, space.dtype).reshape(space.shape or ())
    start = observation["measurements"][observation["observed"] == 1]
    after, _, _, _, outcome = env.step(batch)
    batch_shown = after["measurements"][after["observed"] == 1][len(start) :]
    found = {
        "action": np.ravel(batch).tolist(),
        "start": start[:_SHOWN].tolist(),
        "measurements": batch_shown.tolist(),
        "true_values": outcome["true_values"].tolist(),
        "best_before": info["best_value"],
    }
    if "optimum" in outcome:
        found["optimum"] = float(outcome["optimum"])
    env.close()
    return found
