"""Whatever the space and the sheet: a plate is valid, new, and the same again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ombo_agents.campaigns import Campaign, Plate, read_space
from ombo_gym.surrogates import anisotropic_fit

NUMBERS = [
    {"range": [0, 1]},
    {"range": [25, 140], "step": 5},
    {"range": [0.01, 100], "scale": "log"},
    {"integer": [1, 9]},
    {"levels": [1, 2, 5, 10], "scale": "log"},
    [0.5, 1.5, 4],
]
TEXTS = [
    ["a", "b"],
    ["DMF", "THF", "none"],
    {"choices": ["p", "q", "r"], "descriptors": {"m": [1, 2, 9]}},
]
OTHERS = [
    {"alphabet": "ACGT", "length": 3},
    {"alphabet": "ACGT", "length": [2, 4]},
    {"mixture": ["A", "B", "C"], "step": 25},
    {"mixture": ["A", "B", "C"], "sum": 1},
]


@st.composite
def spaces(draw: Any) -> dict[str, Any]:
    numbers = draw(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3))
    texts = draw(st.lists(st.sampled_from(TEXTS), max_size=2))
    others = draw(st.lists(st.sampled_from(OTHERS), max_size=1))
    space: dict[str, Any] = {f"x{i} (u)": each for i, each in enumerate(numbers)}
    space |= {f"t{i}": each for i, each in enumerate(texts)} | {
        f"o{i}": each for i, each in enumerate(others)
    }
    if draw(st.booleans()):
        space["still"] = draw(st.sampled_from([7.5, "air"]))
    if draw(st.booleans()) and texts:
        first = texts[0] if isinstance(texts[0], list) else texts[0]["choices"]
        space["constraints"] = f"x0 (u) <= {_middle(numbers[0])} if t0 == {first[0]!r}"
    rule = draw(st.sampled_from([None, {"shared": ["x0 (u)"]}, {"distinct": {"x0 (u)": 2}}]))
    return space | (rule or {})


def _middle(written: Any) -> float:
    ends = written if isinstance(written, list) else next(iter(written.values()))
    return float(ends[len(ends) // 2 - 1]) + (float(ends[-1]) - float(ends[0])) / 2


def is_valid(design: dict[str, Any], space: dict[str, Any]) -> bool:
    """Whether a design is one of the space, worked out from what was written."""
    for name, written in space.items():
        if name in ("constraints", "shared", "distinct", "still"):
            continue
        if isinstance(written, dict) and "mixture" in written:
            parts, total = [design[each] for each in written["mixture"]], written.get("sum", 100)
            good = math.isclose(sum(parts), total, rel_tol=1e-9) and min(parts) >= 0
            step = written.get("step")
            if not good or (step and any(part % step for part in parts)):
                return False
            continue
        value = design[name]
        if isinstance(written, dict) and "alphabet" in written:
            length = written["length"]
            low, high = (length, length) if isinstance(length, int) else length
            if not low <= len(value) <= high or set(value) - set(written["alphabet"]):
                return False
            continue
        kind, inside = (
            ("levels", written) if isinstance(written, list) else next(iter(written.items()))
        )
        if kind in ("range", "integer"):
            if not inside[0] <= value <= inside[1] or (kind == "integer" and value % 1):
                return False
            if "step" in written and (value - inside[0]) % written["step"]:
                return False
        elif value not in inside:
            return False
    if "constraints" in space:
        bound, text = space["constraints"].removeprefix("x0 (u) <= ").split(" if t0 == ")
        return bool(design["t0"] != text.strip("'") or design["x0 (u)"] <= float(bound) + 1e-9)
    return True


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anisotropic_fit, "_EVALUATIONS", 2)
    monkeypatch.setattr("ombo_agents.campaigns.space.encoding.SAMPLED", 300)


def ask(
    space: dict[str, Any], seed: int, goal: str, policy: str, plates: list[int]
) -> tuple[Any, Plate, Campaign]:
    """A campaign of random rows, some of which failed or run, and its next plate."""
    rng = np.random.default_rng(seed)
    found = read_space(space)
    columns = found.sampled(60, rng, None)
    count = len(next(iter(columns.values())))
    rows: list[dict[str, Any]] = []
    for i in rng.permutation(count)[: min(12, count // 2)].tolist():
        cell = ["", "failed", "<0.3", "value"][min(int(rng.integers(10)), 3)]
        value = f"{rng.random():.3f}" if cell == "value" or not rows else cell
        rows.append({**{name: column[i] for name, column in columns.items()}, "y [%]": value})
    campaign = Campaign.from_csv(rows, space, target="y", goal=goal, failed="failed")
    return rows, campaign.suggest(plates, policy=policy, seed=seed), campaign


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    spaces(),
    st.integers(0, 99),
    st.sampled_from(["max", "min"]),
    st.sampled_from(["auto", "ucb", "random", "thompson", "genetic"]),
    st.sampled_from([[3], [2, 3], [1, 1, 2]]),
)
def test_a_plate_is_valid_new_and_the_same_again(
    space: dict[str, Any], seed: int, goal: str, policy: str, plates: list[int]
) -> None:
    try:
        rows, plate, campaign = ask(space, seed, goal, policy, plates)
    except ValueError as error:  # of small spaces: there is nothing left
        assert "expected at least" in str(error) or "expected at most" in str(error)
        rest = [f.count for f in read_space(space).factors if f.columns != ("x0 (u)",)]
        assert "shared" in space or "distinct" in space or read_space(space).size is not None
        assert all(count is not None for count in rest)
        return
    designs = [dict(well.design) for well in plate.wells]
    assert len(designs) == plates[0] and all(is_valid(design, space) for design in designs)
    names = campaign.space.columns
    keys = [tuple(_plain(design[name]) for name in names) for design in designs]
    known = {tuple(_plain(row[name]) for name in names) for row in rows}
    assert len(set(keys)) == len(keys) and not set(keys) & known
    most = 1 if "shared" in space else 2 if "distinct" in space else len(designs)
    assert len({design["x0 (u)"] for design in designs}) <= most
    assert all(well.low < well.mean < well.high for well in plate.wells)
    assert campaign.suggest(plates, policy=policy, seed=seed) == plate
    known_state = campaign.known(plates)
    known_state.spec.check_observation(campaign.observation(plates))
    frame = plate.frame
    frame["y [%]"] = 0.5
    campaign.tell(frame)
    assert campaign.rows.rounds.max() == 1 and (campaign.rows.rounds == 1).sum() == plates[0]


def _plain(value: Any) -> Any:
    return float(f"{value:.9g}") if isinstance(value, int | float | np.number) else value
