"""The calibration study: features say what functions are like, and the page is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ombo_gym.evaluation.grid import held_out_problems
from ombo_gym.tasks import overlap
from scripts.studies.calibration import STUDY, plan
from scripts.studies.calibration.features import shape_of
from scripts.studies.calibration.measured import (
    TABLES,
    TARGET,
    arguments,
    column_widths,
    write_table,
)
from scripts.studies.calibration.page import TITLES, features_table
from tests.pages import ROOT

GRID = np.stack(np.meshgrid(*[np.linspace(-1, 1, 6)] * 3), axis=-1).reshape(-1, 3)  # (216, 3)
GROUPS = np.arange(3)


def shape(values: Any) -> dict[str, float]:
    order = np.random.default_rng(0).permutation(len(GRID))
    return shape_of(GRID[order], GROUPS, np.asarray(values, np.float64)[order])


def test_main_effects_are_additive_and_products_are_pairs() -> None:
    x, y, z = GRID.T
    additive = shape(np.sin(2 * x) + y**2)
    assert additive["additive"] > 0.95 and additive["pairs"] < 0.05
    product = shape(x * y + y * z)
    assert product["additive"] < 0.1 and product["pairs"] > 0.85
    assert product["rugged"] < 0.6


def test_noise_is_neither_and_rugged() -> None:
    noise = shape(np.random.default_rng(1).standard_normal(len(GRID)))
    assert noise["unexplained"] > 0.9
    assert noise["rugged"] == pytest.approx(1, abs=0.25)
    assert noise["ties"] == 0


def test_skewness_ties_and_zeros_are_counted() -> None:
    draws = np.random.default_rng(2).exponential(size=len(GRID))
    found = shape(np.where(draws < np.median(draws), 0.0, draws))
    assert found["lowest"] == 0.5 and found["ties"] == 0.5
    assert found["skewness"] > 1
    assert shape(np.zeros(len(GRID)))["unexplained"] == 1, "a constant has nothing to explain"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_is_complete(table: Any, tmp_path: Path) -> None:
    rows = pd.read_csv(write_table(table, tmp_path))
    assert len(rows) > 50 and not rows.isna().any().any()
    assert rows.columns[-1] == TARGET and rows[TARGET].std() > 0
    assert len(column_widths(tmp_path / f"{table.name}.csv")) >= 2
    assert arguments(table, tmp_path)["minimise"] is table.minimise


def test_nothing_that_the_suite_tests_on_is_looked_at() -> None:
    held_out = held_out_problems(ROOT / "grids" / "suite.yaml")
    looked_at = [(env, kwargs) for _, env, kwargs, _ in plan.COLLECTIONS]
    assert [pair for pair in looked_at if any(overlap(pair, other) for other in held_out)] == []
    of_this_package = {"agnp", "buchwald", "crossed_barrel", "p3ht", "perovskites", "snar"}
    assert not [table.name for table in TABLES if table.name.startswith(tuple(of_this_package))]


def test_what_is_inside_the_bands_is_counted_by_problem() -> None:
    synthetic = pd.DataFrame({"skewness": np.arange(101.0)})
    real = pd.DataFrame({"skewness": [4.0, 5.0, 50.0, 95.0, 96.0, np.nan]}, index=list("abcdef"))
    row = features_table(real, synthetic).iloc[0]
    assert row["inside"] == pytest.approx(3 / 5)
    assert (row["below"], row["above"]) == ("a", "e")
    assert (row["synthetic_0.05"], row["synthetic_0.95"], row["real_0.5"]) == (5, 95, 50)


@pytest.mark.slow
def test_the_study_makes_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {table.name: table for table in TABLES}
    monkeypatch.setattr(plan, "TABLES", (named["suzuki_i"], named["alkox"]))
    monkeypatch.setattr(plan, "COLLECTIONS", plan.COLLECTIONS[-1:])
    chosen = plan.shapes()[:2]
    assert len(plan.shapes()) == 31
    monkeypatch.setattr(plan, "shapes", lambda: chosen)
    args = plan.Args(out=tmp_path / "docs", runs=tmp_path / "runs", functions=3, campaigns=2)
    STUDY.run(args)
    text = (tmp_path / "docs" / "calibration.md").read_text()
    assert "random functions of 2 shapes" in text and "6 of these functions beside 11" in text
    assert "2 tables" in " ".join(text.split())
    assert "| alkox |" in text and "| Coating, bandpass |" in text and "nan" not in text
    assert all(title in text for title in TITLES.values())
    assert "make study NAME=calibration" in text
    table = pd.read_csv(tmp_path / "docs" / "calibration.csv")
    assert table["functions"].tolist() == [9, 1, 1, 3, 3]
    assert (tmp_path / "docs" / "calibration.png").stat().st_size > 5_000
