"""What stands in a sheet becomes what a model may be fitted to."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign

SPACE = {"x": {"range": [0, 1]}, "z": {"range": [0, 1]}}


def smooth(x: float, z: float) -> float:
    return float(10 * np.sin(3 * x) + 5 * z)


def test_the_offset_of_a_plate_is_found_and_taken_out() -> None:
    rng = np.random.default_rng(0)
    offsets = {"p1": 0.0, "p2": 6.0, "p3": -6.0}
    rows = []
    for i in range(36):
        x, z, plate = *rng.random(2), f"p{i % 3 + 1}"
        rows.append({"x": x, "z": z, "plate": plate, "y": smooth(x, z) + offsets[plate]})
    campaign = Campaign.from_csv(rows, SPACE, target="y", block="plate")
    for name, offset in offsets.items():
        assert campaign.block_offsets[name] == pytest.approx(offset, abs=1.0)
    expected = [smooth(row["x"], row["z"]) for row in rows]
    assert np.std(campaign.values - expected) < 0.6
    assert "block p2" in campaign.check()


def test_plates_that_do_not_differ_have_no_offset() -> None:
    rng = np.random.default_rng(1)
    rows = [
        {"x": x, "z": z, "plate": f"p{i % 3}", "y": smooth(x, z)}
        for i, (x, z) in enumerate(rng.random((30, 2)).tolist())
    ]
    campaign = Campaign.from_csv(rows, SPACE, target="y", block="plate")
    assert max(map(abs, campaign.block_offsets.values())) < 0.5


def test_controls_tell_the_offset_where_plates_hold_different_designs() -> None:
    rows = [{"x": 0.1 * i, "z": 0.1, "plate": "a", "y": smooth(0.1 * i, 0.1)} for i in range(4)]
    rows += [
        {"x": 0.1 * i, "z": 0.9, "plate": "b", "y": smooth(0.1 * i, 0.9) + 8} for i in range(4)
    ]
    alone = Campaign.from_csv(rows, SPACE, target="y", block="plate").block_offsets
    controls = [{"x": 5, "z": 5, "plate": p, "y": y} for p, y in (("a", 3.0), ("b", 11.0)) * 3]
    told = Campaign.from_csv(rows + controls, SPACE, target="y", block="plate").block_offsets
    assert told["b"] - told["a"] == pytest.approx(8, abs=1.2)
    assert abs(told["b"] - told["a"] - 8) < abs(alone["b"] - alone["a"] - 8)


def test_noise_comes_from_replicates_and_controls() -> None:
    rng = np.random.default_rng(2)
    rows = [{"x": 0.5, "z": 0.5, "y": 3 + 0.4 * e} for e in rng.standard_normal(40)]
    rows += [{"x": 9, "z": 9, "y": 8 + 0.4 * e} for e in rng.standard_normal(40)]
    rows += [{"x": x, "z": 0.1, "y": 3} for x in (0.1, 0.2, 0.3)]
    campaign = Campaign.from_csv(rows, SPACE, target="y")
    assert campaign.noise_std == pytest.approx(0.4, rel=0.2)
    assert campaign.spec([4]).noise_std == pytest.approx(0.4, rel=0.3)
    assert Campaign.from_csv(rows[-3:], SPACE, target="y").spec([4]).noise_std is None


def test_what_is_below_a_bound_is_expected_below_it() -> None:
    rng = np.random.default_rng(3)
    rows = [
        {"x": x, "z": z, "y": smooth(x, z) if smooth(x, z) > 6 else "<6"}
        for x, z in rng.random((40, 2)).tolist()
    ]
    campaign = Campaign.from_csv(rows, SPACE, target="y")
    below = np.array([row["y"] == "<6" for row in rows])
    assert 4 <= below.sum() <= 20
    values = campaign.known([4]).values
    truth = np.array([smooth(row["x"], row["z"]) for row in rows])
    assert (values[below] <= 6 + 1e-9).all()
    np.testing.assert_array_equal(values[~below], truth[~below])
    assert np.abs(values - truth)[below].mean() < 0.8 * np.abs(6 - truth)[below].mean()


def test_bounds_turn_round_where_low_values_are_good() -> None:
    rows = [
        {"x": x, "z": 0.5, "y": max(x, 0.3) if x > 0.3 else "<0.3"} for x in np.linspace(0, 1, 12)
    ]
    campaign = Campaign.from_csv(rows, SPACE, target="y", goal="min")
    below = np.linspace(0, 1, 12) <= 0.3
    assert (campaign.known([4]).values[below] >= -0.3 - 1e-9).all()


def test_wells_that_run_are_taken_for_what_is_expected_and_not_proposed() -> None:
    space = {"x": {"levels": [0, 0.25, 0.5, 0.75, 1]}, "z": {"levels": [0, 0.5, 1]}}
    cells = [(x, z) for x in (0, 0.25, 0.5, 0.75, 1) for z in (0, 0.5, 1)]
    rows = [{"x": x, "z": z, "y": smooth(x, z)} for x, z in cells[::2]]
    running = [{"x": x, "z": z, "y": ""} for x, z in cells[1:8:2]]
    campaign = Campaign.from_csv(rows + running, space, target="y")
    known = campaign.known([3])
    pending = np.isnan(campaign.values)
    assert pending.sum() == len(running) and np.isfinite(known.values).all()
    truth = np.array([smooth(row["x"], row["z"]) for row in running])
    assert np.corrcoef(known.values[pending], truth)[0, 1] > 0.8
    proposed = {(w.design["x"], w.design["z"]) for w in campaign.suggest([3]).wells}
    assert proposed == set(cells[9::2])
    with pytest.raises(ValueError, match="at most 3 wells"):
        campaign.suggest([4])
