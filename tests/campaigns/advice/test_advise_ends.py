"""Nothing is simulated below zero or above 100 per cent, where nothing measured is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.advice.ends import ends_of

INF = np.inf


def campaign(values: Any, target: str, goal: str) -> Campaign:
    x = np.linspace(0, 1, len(values)).tolist()
    rows = [{"x": a, target: float(y)} for a, y in zip(x, values, strict=True)]
    return Campaign.from_csv(rows, {"x": {"range": [0, 2]}}, target=target, goal=goal)


@pytest.mark.parametrize(
    ("target", "goal", "values", "ends"),
    [
        ("yield (%)", "max", [0, 40, 90], (0, 100)),
        ("yield (%)", "min", [0, 40, 90], (-100, 0)),
        ("yield (%)", "max", [0, 40, 104], (0, INF)),
        ("ee / %", "max", [-3, 40, 90], (-INF, 100)),
        ("viscosity (mPa s)", "min", [250, 40, 3.6], (-INF, 0)),
        ("viscosity (mPa s)", "max", [250, 40, 3.6], (0, INF)),
        ("log k", "max", [-2, 0.5, 3], (-INF, INF)),
    ],
)
def test_scores_end_where_the_target_does(
    target: str, goal: str, values: list[float], ends: tuple[float, float]
) -> None:
    asked = campaign(values, target, goal)
    assert ends_of(asked._data, asked.known([2]).values) == ends


def test_no_viscosity_below_zero_is_expected() -> None:
    """Where it falls along a line, a model goes on."""
    falling = 250 - 245 * np.linspace(0, 1, 12)
    advice = campaign(falling, "viscosity (mPa s)", "min").advise(
        [4, 4], policies=["greedy"], simulations=20, progress=False
    )
    assert all(each.low >= 0 for each in advice.policies)
    assert all(each.outcome.estimate >= 0 for each in advice.scenarios)
