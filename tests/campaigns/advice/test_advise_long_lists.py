"""Long lists of candidates: simulated plates choose from the same few thousand of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.advice import thinning
from ombo_agents.campaigns.advice.models import models_of
from ombo_agents.campaigns.advice.thinning import Candidates, candidates_of, looks_at_no_values

pytestmark = pytest.mark.usefixtures("brief_fits")

NUMBERS: dict[str, Any] = {name: {"range": [0, 1], "step": 0.1} for name in ("x", "z")}
SHARED: dict[str, Any] = {
    **NUMBERS,
    "T": [20, 40, 60, 80],
    "shared": ["T"],
    "constraints": "x + z <= 1.9",
}
FREE: dict[str, Any] = {**NUMBERS, "T": [20, 40, 60, 80], "constraints": "x + z <= 1.9"}


def campaign(space: dict[str, Any]) -> Campaign:
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(16):
        x, z = (round(float(rng.integers(10)) / 10, 1) for _ in range(2))
        temperature = int(rng.choice([20, 40, 60, 80]))
        rows.append({"x": x, "z": z, "T": temperature, "y": 10 * x - 5 * z + temperature / 40})
    return Campaign.from_csv(rows, space, target="y")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "LISTED_WHOLE", 200)
    monkeypatch.setattr(thinning, "KEPT", 120)


def candidates(space: dict[str, Any], wells: int = 6) -> Candidates:
    known = campaign(space).known([4, 2])
    models = models_of(known.spec, known.designs, known.values, known.num_start)
    likeliest = max(models, key=lambda model: model.weight).posterior
    return candidates_of(known, likeliest, wells, seed=0)


@pytest.mark.parametrize("space", [SHARED, FREE], ids=["shared", "free"])
def test_some_are_kept_and_what_is_measured_stays_what_it_was(space: dict[str, Any]) -> None:
    found, whole = candidates(space), campaign(space).known([4, 2])
    size = found.known.spec.design_space.size
    assert found.thinned and size is not None and 100 <= size < 200
    assert found.total == whole.spec.design_space.size
    for each in (found.known, found.spread):
        for name, column in whole.encoding.decode(whole.designs).items():
            assert each.encoding.decode(each.designs)[name].tolist() == column.tolist()
        features = each.spec.design_space.features(each.designs)
        assert features == pytest.approx(whole.spec.design_space.features(whole.designs))


def test_each_shared_value_has_room_for_all_wells_to_come() -> None:
    found = candidates(SHARED, wells=10)
    assert found.spread.encoding.pool is not None
    counts = np.unique(found.spread.encoding.pool["T"], return_counts=True)[1]
    assert len(counts) == 4 and counts.min() >= 10


def test_the_most_promising_are_kept_and_not_in_the_spread_on_purpose() -> None:
    """The objective rises in x and T, and falls in z."""
    found = candidates(FREE)
    pool, spread = found.known.encoding.pool, found.spread.encoding.pool
    assert pool is not None and spread is not None
    worth, worth_of_spread = (10 * p["x"] - 5 * p["z"] for p in (pool, spread))
    assert worth.max() == 10
    assert worth.mean() > worth_of_spread.mean() + 1


def test_what_cannot_fill_plates_stays_whole() -> None:
    space = SHARED | {"shared": ["x"]}  # 44 designs have the same x
    assert not candidates(space, wells=50).thinned
    assert candidates(space, wells=4).thinned


@pytest.mark.parametrize(
    ("policy", "blind"), [("random", True), ("d_optimal", True), ("greedy", False), ("ucb", False)]
)
def test_policies_that_look_at_no_values_are_known(policy: str, blind: bool) -> None:
    assert looks_at_no_values(policy, campaign(FREE).known([4]).spec) is blind


@pytest.mark.parametrize("space", [SHARED, FREE], ids=["shared", "free"])
def test_the_page_says_so_and_fewer_are_simulated(
    space: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ombo_agents.campaigns.advice.advising._COSTLY", 3)
    monkeypatch.setattr("ombo_agents.campaigns.advice.advising._FEWEST", 2)
    first, again = (campaign(space).advise([3, 2], policies=["greedy", "random"]) for _ in range(2))
    assert first == again
    assert first.simulations == 3
    assert f"of {candidates(space).total:,} designs" in str(first)


def test_short_lists_are_looked_at_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "LISTED_WHOLE", 1000)
    assert not candidates(FREE).thinned
    advice = campaign(FREE).advise([2], policies=["random"], simulations=2)
    assert not advice.notes
