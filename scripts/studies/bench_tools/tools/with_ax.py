"""Asks Ax for a plate: its `Client` with what it does by default."""

from __future__ import annotations

import logging
from typing import Any

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

PACKAGES = ("ax-platform", "botorch", "torch")
METRIC = "measured"  # Ax reads objectives as Python, where `yield` is no name

logging.getLogger("ax").setLevel(logging.ERROR)


def suggest(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The next plate; the request is as in `answering`.

    The generation strategy is the default of the `Client`; measured rows are attached as trials,
    and count as its initial ones. Equalities are not offered, so the last part of a mixture is what
    the others leave, which are at most 100.
    """
    *free, last = request["mixture"] or [None]
    parameters = [_parameter(name, kind) for name, kind in request["parameters"].items()]
    parameters += [
        RangeParameterConfig(name=name, bounds=(0, 100), parameter_type="float") for name in free
    ]
    client = Client()
    client.configure_experiment(
        parameters=parameters, parameter_constraints=[f"{' + '.join(free)} <= 100"] if free else []
    )
    target = request["target"]
    client.configure_optimization(objective=METRIC)
    for row in request["rows"]:
        design = {each.name: _typed(row[each.name]) for each in parameters}
        index = client.attach_trial(parameters=design)
        client.complete_trial(trial_index=index, raw_data={METRIC: row[target]})
    wells = request["plates_left"][0]
    designs: list[dict[str, Any]] = []
    while len(designs) < wells:  # it may give fewer than are asked for at once
        trials = client.get_next_trials(max_trials=wells - len(designs))
        if not trials:
            raise RuntimeError(f"Ax gave {len(designs)} of {wells} designs, and then none")
        designs += [dict(design) for design in trials.values()]
    return [
        {**design, last: max(0.0, 100.0 - sum(design[name] for name in free))} if free else design
        for design in designs
    ]


def _typed(value: Any) -> Any:
    return value if isinstance(value, str) else float(value)  # 120 is no value of 120.0 to Ax


def _parameter(name: str, kind: Any) -> RangeParameterConfig | ChoiceParameterConfig:
    if isinstance(kind, dict):
        return RangeParameterConfig(name=name, bounds=tuple(kind["range"]), parameter_type="float")
    if isinstance(kind[0], str):
        return ChoiceParameterConfig(name=name, values=kind, parameter_type="str", is_ordered=False)
    numbers = [float(value) for value in kind]
    return ChoiceParameterConfig(name=name, values=numbers, parameter_type="float", is_ordered=True)
