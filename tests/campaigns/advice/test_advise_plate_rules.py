"""Simulated plates keep what plates at the bench have to: few values of some columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.advice import simulating
from ombo_agents.campaigns.plates.wells import Chosen, wells_of

pytestmark = pytest.mark.usefixtures("brief_fits")

SPACE: dict[str, Any] = {
    "T": [20, 40, 60, 80],
    "x": {"range": [0, 1], "step": 0.1},
    "s": ["a", "b", "c"],
    "shared": ["T"],
    "distinct": {"s": 2},
    "constraints": 'x <= 0.5 if s == "c"',
}


def campaign() -> Campaign:
    rng = np.random.default_rng(0)
    rows = [
        {
            "T": int(rng.choice([20, 40, 60, 80])),
            "x": round(float(rng.integers(11)) / 10, 1),
            "s": str(rng.choice(["a", "b"])),
            "y": float(rng.normal()),
        }
        for _ in range(12)
    ]
    return Campaign.from_csv(rows, SPACE, target="y")


def test_every_simulated_plate_is_one_that_could_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Chosen] = []

    def spy(*args: Any, **options: Any) -> Chosen:
        made.append(wells_of(*args, **options))
        return made[-1]

    monkeypatch.setattr(simulating, "wells_of", spy)
    asked = campaign()
    advice = asked.advise([4, 3], policies=["explore_then_exploit"], simulations=3)
    # As planned, told one, and four other plates; the first one of each is the same in all three.
    assert len(made) == (1 + 3) + (1 + 3) + (1 + 2 * 3) + (1 + 3) + 1 + 1
    for chosen in made:
        columns, index = chosen.columns, set(chosen.among_all[:, 0].tolist())
        assert len(set(columns["T"].tolist())) == 1 and len(set(columns["s"].tolist())) <= 2
        assert asked.space.keeps_rules(columns).all()
        assert len(index) == len(columns["T"])
        measured = set(chosen.known.designs[:, 0].tolist())
        assert not measured & set(chosen.designs[:, 0].tolist())
    assert len({chosen.columns["T"][0] for chosen in made}) > 1  # by each campaign's own data
    assert not advice.notes


def test_what_is_measured_is_the_well_that_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plate's candidates are numbered anew; what goes on is numbered among all."""
    made: list[Chosen] = []

    def spy(*args: Any, **options: Any) -> Chosen:
        made.append(wells_of(*args, **options))
        return made[-1]

    monkeypatch.setattr(simulating, "wells_of", spy)
    asked = campaign()
    asked.advise([3], policies=["random"], simulations=2)
    pool = asked.known([3]).encoding.pool
    assert pool is not None
    for chosen in made:
        for name, column in chosen.columns.items():
            assert pool[name][chosen.among_all[:, 0]].tolist() == column.tolist()
