"""The planning table: differences are paired, and its page says what the campaigns say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scripts import planning_table
from scripts.planning_page import differences, reading, weights_of, write_page
from scripts.planning_table import Args, constants, fast, finalists, main, slow, undecided

STATIC = "explore_then_exploit:weights=3/1.5/0"


def campaigns() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    above = {"rollout": 1.0, "ucb": 0.0, "random": 0.99, STATIC: 2.0, "botorch_multistep": -1.0}
    rows = [
        ("best", policy, seed, above[policy] + 0.1 * rng.normal())
        for policy in above
        for seed in rng.permutation(4 if policy == "botorch_multistep" else 9)
    ]
    return pd.DataFrame(rows, columns=["utility", "policy", "seed", "value"])


def test_differences_are_paired_and_of_the_campaigns_that_both_played(tmp_path: Path) -> None:
    played = campaigns()
    table = differences(played)

    def values(policy: str) -> np.ndarray:
        return played[played["policy"] == policy].sort_values("seed")["value"].to_numpy()

    found = table.set_index("policy")
    assert found.index[0] == STATIC and found.loc["rollout", "difference"] == 0
    row, difference = found.loc["ucb"], values("rollout") - values("ucb")
    assert row["difference"] == pytest.approx(difference.mean())
    assert row["difference_high"] - row["difference_low"] == pytest.approx(
        2 * 2.306004 * difference.std(ddof=1) / 3, rel=1e-6
    )
    row = found.loc["botorch_multistep"]
    assert row["campaigns"] == 4
    assert row["planner_mean"] == pytest.approx(values("rollout")[:4].mean())
    assert found["knows_horizon"].to_dict() == {
        STATIC: True,
        "rollout": True,
        "random": False,
        "ucb": False,
        "botorch_multistep": True,
    }
    text = reading(table, {"best": STATIC})
    assert "above 1 of 2 policies that ignore N, not `random`" in text
    write_page(
        played, played.assign(seed=played["seed"] + 9), {"best": STATIC}, tmp_path, "a command"
    )
    page = (tmp_path / "planning.md").read_text()
    assert (
        "a command" in page
        and "on 9 other campaigns" in page
        and "nan" not in page
        and weights_of(STATIC) in page
    )
    assert f"| **{found.loc['ucb', 'difference']:+.3f} [" in page


def test_those_who_came_nearest_play_again() -> None:
    nearest = finalists(differences(campaigns()), {"best": STATIC})
    assert nearest == {"best": ["rollout", STATIC, "random", "ucb"]}  # not BoTorch's: too slow


def test_slow_policies_play_all_where_few_campaigns_leave_it_open() -> None:
    played = campaigns()
    few = played[(played["policy"] == "rollout") & (played["seed"] < 4)]
    rivals = [
        few.assign(policy="botorch_logei", value=few["value"] + [0.1, -0.2, 0.1, 0.1]),
        few.assign(policy="coms", value=few["value"] - [0.9, 1.0, 1.0, 1.0]),
        few.assign(policy="botorch_multistep", value=few["value"]),  # it knows N
    ]
    table = differences(pd.concat([played[played["policy"] != "botorch_multistep"], *rivals]))
    assert undecided(table) == {"best": ["botorch_logei"]}


def test_everybody_who_can_plays() -> None:
    for utility in planning_table.UTILITIES:
        there = {*fast(utility), *slow(utility)}
        assert {"rollout", "turbo", "cmaes", "coms", "botorch_logei", "binoculars"} <= there
        assert not {"adalead", "d_optimal", "bayes_optimal"} & there
    assert "botorch_multistep" in slow("best")
    assert "ucb:weight=0" in constants() and "ucb:weight=2" not in constants()


def test_it_plays_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning_table, "UTILITIES", ("best",))
    monkeypatch.setattr(planning_table, "HORIZON", 2)
    monkeypatch.setattr(planning_table, "fast", lambda utility: ["rollout", "ucb"])
    monkeypatch.setattr(planning_table, "slow", lambda utility: ["gradient_ascent", "coms"])
    monkeypatch.setattr(planning_table, "undecided", lambda table: {"best": ["coms"]})
    args = Args(tmp_path / "out", tmp_path / "runs", 6, 3, 5, 2, jobs=1, resume=True)
    main(args)
    cells = {file: file.stat().st_mtime_ns for file in (tmp_path / "runs" / "cells").iterdir()}
    page = (tmp_path / "out" / "planning.md").read_text()
    main(args)
    assert cells == {f: f.stat().st_mtime_ns for f in (tmp_path / "runs" / "cells").iterdir()}
    assert (tmp_path / "out" / "planning.md").read_text() == page
    table = pd.read_csv(tmp_path / "out" / "planning.csv").set_index("policy")
    assert (table.loc[table["fresh"], "campaigns"] == 5).all() and table["fresh"].sum() >= 3
    table = table[~table["fresh"]]
    assert table.loc["gradient_ascent", "campaigns"] == 3 and table.loc["ucb", "campaigns"] == 6
    assert table.loc["coms", "campaigns"] == 6
    assert table.index.str.startswith("explore_then_exploit:weights=").sum() == 1
