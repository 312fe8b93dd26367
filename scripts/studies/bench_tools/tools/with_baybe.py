"""Asks BayBE for a plate: its `Campaign` with what it does by default."""

from __future__ import annotations

from typing import Any

import pandas as pd
from baybe import Campaign
from baybe.constraints import ContinuousLinearConstraint
from baybe.parameters import (
    CategoricalParameter,
    NumericalContinuousParameter,
    NumericalDiscreteParameter,
)
from baybe.searchspace import SearchSpace
from baybe.targets import NumericalTarget

PACKAGES = ("baybe", "botorch", "torch")


def suggest(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The next plate; the request is as in `answering`.

    The recommender is BayBE's default: since there are data, that is its Gaussian process and
    log expected improvement over the batch. A mixture is a linear equality of its parts.
    """
    parameters = [_parameter(name, kind) for name, kind in request["parameters"].items()]
    parts = request["mixture"]
    parameters += [NumericalContinuousParameter(name, bounds=(0, 100)) for name in parts]
    constraints = (
        [ContinuousLinearConstraint(parts, "=", [1.0] * len(parts), 100.0)] if parts else []
    )
    target = request["target"]
    campaign = Campaign(
        SearchSpace.from_product(parameters, constraints),
        NumericalTarget(target).to_objective(),
    )
    names = [parameter.name for parameter in parameters]
    campaign.add_measurements(pd.DataFrame(request["rows"])[[*names, target]])
    plate = campaign.recommend(request["plates_left"][0])
    return [dict(row) for row in plate[names].to_dict("records")]


def _parameter(name: str, kind: Any) -> Any:
    if isinstance(kind, dict):
        return NumericalContinuousParameter(name, bounds=tuple(kind["range"]))
    if isinstance(kind[0], str):
        return CategoricalParameter(name, values=kind)  # one column a level, its default
    return NumericalDiscreteParameter(name, values=kind)
