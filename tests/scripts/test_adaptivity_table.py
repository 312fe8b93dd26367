"""The adaptivity table: every method is in it, and its page says what the campaigns say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ombo_agents
from ombo_gym.evaluation.grid import read_grid
from scripts.adaptivity_page import BOTORCH, FAMILIES, gains
from scripts.adaptivity_table import Args, main
from tests.commands import ROOT

EXACT = {"one_step", "rolling_2", "bayes_optimal"}
GRID = """
campaigns: 5
block: 5
budget: 4
horizons: [1, 2, 4]
utilities: [best]
told: ["true"]
policies: [random, sobol, greedy, rollout, genetic]
problems:
  - env: Ombo/GP-v0
  - env: Ombo/GP-v0
    env_kwargs: {dim: 3}
  - env: Ombo/GP-v0
    campaigns: 3
    policies: [botorch_logei, expected_improvement]
"""


def test_every_method_has_a_family_and_is_played_on_every_problem_that_it_suits() -> None:
    listed = [name for family in FAMILIES.values() for name in family]
    assert sorted([*listed, *BOTORCH, *EXACT]) == sorted(ombo_agents.names())
    plans = read_grid(ROOT / "grids" / "adaptivity.yaml")
    for plan in plans:
        assert plan.horizons == [1, 2, 4, 10] and plan.budget == 40 and plan.seed == 0
    played = {
        str(env): {name for plan in plans if plan.env == env for name in plan.policies}
        for env in {plan.env for plan in plans}
    }
    assert {"Ombo/TFBinding-v0", "Ombo/Ehrlich-v0", "Ombo/BBOB-v0", "Ombo/GP-v0"} == set(played)
    assert set().union(*played.values()) == {*listed, *BOTORCH}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adaptivity")
    (folder / "grid.yaml").write_text(GRID)
    main(arguments(folder))
    return folder


def arguments(folder: Path, *, resume: bool = False) -> Args:
    return Args(folder / "grid.yaml", folder / "out", folder / "runs", jobs=1, resume=resume)


def test_the_page_holds_what_was_played(folder: Path) -> None:
    page = (folder / "out" / "adaptivity.md").read_text()
    table = pd.read_csv(folder / "out" / "adaptivity.csv")
    assert set(table["problem"]) == {"GP", "GP (dim=3)"}
    few = table[table["method"] == "botorch_logei"]
    assert (few["campaigns"] == 3).all() and set(few["problem"]) == {"GP"}
    best = table[(table["problem"] == "GP") & (table["horizon"] == 4) & (table["campaigns"] == 5)]
    top = best.loc[best["score"].idxmax()]
    assert f"**{top['score']:.2f} [{top['low']:.2f}, {top['high']:.2f}]**" in page
    assert "| GP | 1 | 3 | `botorch_logei` |" in page
    ranked = page.split("## Rank by horizon")[1].split("## What rounds are worth")[0]
    assert "`random`" in ranked and "`expected_improvement`" not in ranked  # on one problem only
    assert (folder / "out" / "adaptivity.png").stat().st_size > 10_000


def test_what_is_kept_is_not_played_again(folder: Path) -> None:
    cells = {file: file.stat().st_mtime_ns for file in (folder / "runs" / "cells").iterdir()}
    page = (folder / "out" / "adaptivity.md").read_text()
    main(arguments(folder, resume=True))
    assert cells == {f: f.stat().st_mtime_ns for f in (folder / "runs" / "cells").iterdir()}
    assert (folder / "out" / "adaptivity.md").read_text() == page


def test_gains_are_paired() -> None:
    one, four = np.array([0.1, 0.5, 0.3]), np.array([0.4, 0.6, 0.5])
    scored = pd.DataFrame(
        {
            "problem": "P",
            "method": "m",
            "seed": [0, 1, 2, 2, 1, 0],
            "horizon": [1] * 3 + [4] * 3,
            "problem_score": [*one, *four[::-1]],
        }
    )
    (row,) = gains(scored).itertuples()
    assert row.gain == pytest.approx((four - one).mean())
    half = 4.302653 * (four - one).std(ddof=1) / np.sqrt(3)
    assert row.high - row.low == pytest.approx(2 * half, rel=1e-6)
