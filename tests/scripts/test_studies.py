"""Studies: each runs end to end in small, and what they share says what the campaigns say."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ombo_agents
import ombo_gym
from ombo_agents.offline import networks
from ombo_gym.evaluation.grid import read_grid
from scripts.studies import scores
from scripts.studies.__main__ import main as command
from scripts.studies.__main__ import names, study
from scripts.studies.adaptivity.families import BOTORCH
from scripts.studies.adaptivity.families import METHODS as LISTED
from scripts.studies.study import Args, Page, Study, csv
from scripts.studies.suite.policies import DEAR
from tests.commands import ROOT

NAMES = (
    "adaptivity bench_tools calibration exact families hpob learning meta meta_exploration "
    "misspecification offline planning suite surrogates truncation weights"
).split()
EXACT = {"one_step", "rolling_2", "bayes_optimal"}
OF_FAMILIES = {"portfolio", "portfolio_then_ei"}  # need a prior that was learned: families.md
META = {"meta"}  # has a page of its own: meta.md

pytestmark = pytest.mark.usefixtures("few_resamples", "brief_fits")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that are hardly fitted, where a study only has to run."""
    monkeypatch.setattr(networks, "MIN_STEPS", 2)


def run(name: str, folder: Path, **arguments: Any) -> Path:
    """Runs a study; the folder of its page."""
    shared = {"out": folder / "docs", "runs": folder / "runs", "jobs": 1, "resume": True}
    chosen = study(name)
    chosen.run(chosen.arguments(**{**shared, **arguments}))
    return folder / "docs"


def change(monkeypatch: pytest.MonkeyPatch, module: str, **values: Any) -> None:
    for name, value in values.items():
        monkeypatch.setattr(import_module(f"scripts.studies.{module}"), name, value)


# --- what all share -------------------------------------------------------------------------------


def test_every_folder_is_a_study_with_arguments_of_its_own() -> None:
    assert names() == NAMES
    studies = [study(name) for name in NAMES]
    assert [each.name for each in studies] == NAMES
    assert len({each.arguments for each in studies}) == len(NAMES)
    assert all(issubclass(each.arguments, Args) and each.arguments.__doc__ for each in studies)


def test_the_command_knows_the_studies_and_their_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["studies", "planning", "--help"])
    with pytest.raises(SystemExit):
        command()
    shown = capsys.readouterr().out
    assert "--further" in shown and "--resume" in shown and "--runs" in shown
    ran = []
    monkeypatch.setattr(Study, "run", lambda chosen, args: ran.append((chosen.name, args.trials)))
    monkeypatch.setattr(sys, "argv", ["studies", "offline", "--trials", "7"])
    command()
    assert ran == [("offline", 7)]


def test_a_study_writes_its_page_and_files_and_says_what_repeats_it(tmp_path: Path) -> None:
    def page(table: pd.DataFrame, args: Args) -> Page:
        return Page(f"{args.command}, {args.runs}", {args.out / "deep" / "a.csv": csv(table)})

    made = Study("example", Args, lambda args: pd.DataFrame({"x": [1 / 3]}), page)
    made.run(Args(tmp_path / "out", Path("runs")))
    written = (tmp_path / "out" / "example.md").read_text()
    assert written == f"make study NAME=example, {Path('runs/example')}"
    assert (tmp_path / "out" / "deep" / "a.csv").read_text() == "x\n0.333333\n"
    made.run(Args(tmp_path / "out", command="mine"))
    assert (tmp_path / "out" / "example.md").read_text().startswith("mine,")


def test_scores_and_ranks_are_those_of_the_campaigns() -> None:
    values = {"a": (0.1, 0.5), "b": (0.2, 0.8), "c": (0.9, 0.0)}
    scored = pd.DataFrame(
        [
            (problem, 2, method, seed, value + 0.1 * seed)
            for method, pair in values.items()
            for problem, value in zip(("P", "Q"), pair, strict=True)
            for seed in (2, 0, 1)
        ],
        columns=["problem", "horizon", "method", "seed", "score"],
    )
    unknown = scored.iloc[:1].assign(problem="R", score=float("nan"))
    table = scores.score_table(pd.concat([scored, scored, unknown]))  # two runs of each method
    assert (table["campaigns"] == 3).all() and set(table["problem"]) == {"P", "Q"}
    row = table[(table["problem"] == "P") & (table["method"] == "b")].iloc[0]
    assert row["score"] == pytest.approx(0.3) and row["rank"] == 2
    assert row["high"] - row["low"] == pytest.approx(2 * 4.302653 * 0.1 / 3**0.5, rel=1e-6)
    ranks = scores.rank_table(table).set_index("method")
    assert ranks["rank"].to_dict() == {"a": 2.5, "b": 1.5, "c": 2.0}
    assert (ranks["low"] <= ranks["rank"]).all() and (ranks["problems"] == 2).all()
    assert scores.played_everywhere(table.iloc[1:]) == ["b", "c"]
    by_problem = scores.score_text(table, 2, 8, ["b", "c", "d"], problems="rows")
    assert "### N = 2, q = 4" in by_problem and "| P | 3 | 0.30 [" in by_problem
    assert "| problem | campaigns | `b` | `c` |" in by_problem and "| **1.00 [" in by_problem
    by_method = scores.score_text(table, 2, 8, ["b", "c", "d"], problems="columns")
    assert "| `b` | 0.30 [0.05, 0.55] | **0.90 [0.65, 1.15]** |" in by_method
    assert scores.short_name("Ombo/GP-v0", '{"dim": 3, "start": {}}') == "GP (dim=3)"


# --- grids ----------------------------------------------------------------------------------------


def test_the_suite_plays_every_real_problem_from_two_starts_by_all_that_is_fast() -> None:
    plans = read_grid(ROOT / "grids" / "suite.yaml")
    made_up = {"BBOB", "Bandit", "Ehrlich", "GP", "Landscapes", "PBO", "Screens", "Table"}
    assert {plan.env for plan in plans} == set(ombo_gym.env_ids()) - {
        f"Ombo/{name}-v0" for name in made_up
    }
    played = {policy for plan in plans for policy in plan.policies}
    assert set(ombo_agents.names()) - {*DEAR, *EXACT, *OF_FAMILIES, "offset_ucb"} <= played
    assert not played & {*DEAR, *EXACT}
    starts: dict[str, set[str]] = {}
    for plan in plans:
        assert plan.horizons == [1, 2, 5, 10] and plan.budget == 20 and plan.told == ["true"]
        assert plan.utilities == ["best", "last_mean"]
        start = json.dumps(plan.env_kwargs["start"])
        rest = {key: value for key, value in plan.env_kwargs.items() if key != "start"}
        starts.setdefault(f"{plan.env} {json.dumps(rest)}", set()).add(start)
    random, offline = (
        json.dumps(start)
        for start in (
            {"kind": "random", "size": 16},
            {"kind": "percentile", "percentile": 50, "size": 16},
        )
    )
    # An offline start needs values to cut at: simulators on boxes have random ones alone.
    assert all({random} <= each <= {random, offline} for each in starts.values())
    assert sum(offline in each for each in starts.values()) >= 20


def test_adaptivity_plays_every_method_that_has_a_family_and_every_method_has_one() -> None:
    assert sorted([*LISTED, *BOTORCH, *EXACT, *OF_FAMILIES, *META]) == sorted(ombo_agents.names())
    plans = read_grid(ROOT / "grids" / "adaptivity.yaml")
    for plan in plans:
        assert plan.horizons == [1, 2, 4, 10] and plan.budget == 40 and plan.seed == 0
    assert {plan.env for plan in plans} == {
        *("Ombo/TFBinding-v0", "Ombo/Ehrlich-v0", "Ombo/BBOB-v0", "Ombo/GP-v0")
    }
    assert {name for plan in plans for name in plan.policies} == {*LISTED, *BOTORCH}


# --- end to end -----------------------------------------------------------------------------------


def test_truncation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = (("Ombo/Antibody-v0", {}), ("Ombo/TFBinding-v0", {"split": "train"}))
    change(monkeypatch, "truncation.plan", PROBLEMS=problems, HORIZONS=(1, 2))
    change(monkeypatch, "truncation.plan", POLICIES=("greedy", "ucb"))
    page = (run("truncation", tmp_path, campaigns=4) / "truncation.md").read_text()
    assert "## N = 1" in page and "## N = 2" in page and "nan" not in page
    assert page.count("| Ombo/TFBinding-v0 train | ") == 2
    cells = {file: file.stat().st_mtime_ns for file in tmp_path.glob("runs/truncation/cells/*")}
    assert run("truncation", tmp_path, campaigns=4) and len(cells) >= 16
    kept = {file: file.stat().st_mtime_ns for file in tmp_path.glob("runs/truncation/cells/*")}
    assert kept == cells, "what is kept is not played again"
    assert (tmp_path / "docs" / "truncation.md").read_text() == page


def test_misspecification(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(
        monkeypatch,
        "misspecification.plan",
        FACTORS=(0.25, 4.0),
        HORIZONS=(1, 2),
        UTILITIES=("best",),
        POLICIES=("greedy", "ucb", "explore_then_exploit", "rollout"),
    )
    docs = run("misspecification", tmp_path, campaigns=2)
    table = pd.read_csv(docs / "misspecification.csv")
    assert len(table) == 2 * (4 * 4 + 2) and (table.loc[table["model"] == "own", "loss"] == 0).all()
    page = (docs / "misspecification.md").read_text()
    assert "    make study NAME=misspecification\n" in page and "nan" not in page
    assert (docs / "misspecification.png").stat().st_size > 5_000


@pytest.mark.usefixtures("hurried")
def test_planning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schedules = pd.DataFrame(
        {
            "policy": ["ucb:weight=1", "explore_then_exploit:weights=3/0"],
            "constant": [True, False],
        }
    )
    change(
        monkeypatch,
        "planning.plan",
        search_schedules=lambda plan, campaigns, climb, launch: schedules,
        UTILITIES=("best",),
        HORIZON=2,
        fast=lambda utility: ["rollout", "ucb"],
        slow=lambda utility: ["gradient_ascent", "coms"],
        undecided=lambda table: {"best": ["coms"]},
    )
    docs = run("planning", tmp_path, campaigns=6, few=3, further=5, search=2)
    table = pd.read_csv(docs / "planning.csv").set_index("policy")
    assert (table.loc[table["fresh"], "campaigns"] == 5).all() and table["fresh"].sum() >= 3
    table = table[~table["fresh"]]
    assert table.loc["gradient_ascent", "campaigns"] == 3 and table.loc["ucb", "campaigns"] == 6
    assert table.loc["coms", "campaigns"] == 6
    assert table.index.str.startswith("explore_then_exploit:weights=").sum() == 1


@pytest.mark.usefixtures("hurried")
def test_adaptivity(tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text(
        "{campaigns: 3, block: 5, budget: 2, horizons: [1, 2], utilities: [best], told: ['true'],"
        " policies: [random, sobol, greedy, rollout, coms], problems: [{env: Ombo/GP-v0},"
        " {env: Ombo/GP-v0, env_kwargs: {dim: 3}}, {env: Ombo/GP-v0, campaigns: 2,"
        " policies: [botorch_logei, expected_improvement]}]}"
    )
    docs = run("adaptivity", tmp_path, grid=tmp_path / "grid.yaml")
    page, table = (docs / "adaptivity.md").read_text(), pd.read_csv(docs / "adaptivity.csv")
    assert set(table["problem"]) == {"GP", "GP (dim=3)"}
    few = table[table["method"] == "botorch_logei"]
    assert (few["campaigns"] == 2).all() and set(few["problem"]) == {"GP"}
    assert "| GP | 1 | 2 | `botorch_logei` |" in page
    ranked = page.split("## Rank by horizon")[1].split("## What rounds are worth")[0]
    assert "`random`" in ranked and "`expected_improvement`" not in ranked  # on one problem only
    assert "| `coms` | " in page.split("## What the methods ask their own models")[1]
    assert (docs / "adaptivity.png").stat().st_size > 5_000


def test_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(monkeypatch, "suite.plan", TRAININGS=())
    # The report is not looked at here, and takes seconds.
    monkeypatch.setattr("ombo_gym.evaluation.evaluate.write_report", lambda folder: None)
    (tmp_path / "grid.yaml").write_text(
        "{campaigns: 6, budget: 4, horizons: [1, 4], told: 'true', version: 7,"
        " policies: [random, ucb, doe_then_ucb, d_optimal],"
        " starts: [{kind: random, size: 8}, {kind: percentile, percentile: 50, size: 8}],"
        " problems: [{env: Ombo/TFBinding-v0, env_kwargs: {split: test}, test: true},"
        " {env: Ombo/CrossedBarrel-v0}]}"
    )
    results = tmp_path / "results"
    docs = run(
        "suite", tmp_path, grid=tmp_path / "grid.yaml", results=results, backend="sequential"
    )
    page = (docs / "suite.md").read_text()
    for title in ("Suite v7", "## Start: 16 designs at random; utility `best`", "doe_then_ucb"):
        assert title in page
    assert "nan" not in page
    small = {file.name for file in (docs / "suite").iterdir()}
    assert small == {*("leaderboard.csv", "training_seeds.csv", "leaderboard.png")}
    board = pd.read_csv(docs / "suite" / "leaderboard.csv")
    assert len(board) == 2 * 2 * 4  # starts, horizons, policies
    assert (tmp_path / "suite-quick.yaml").is_file()


def test_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = {"kind": "percentile", "percentile": 50, "size": 40}
    fits = tmp_path / "fits"
    change(monkeypatch, "offline.plan", ARGUMENTS={"start": start}, BATCH_SIZES=(4, 2), FITS=fits)
    change(monkeypatch, "offline.fits", FITS=fits)
    change(monkeypatch, "offline.page", Q=4)
    docs = run("offline", tmp_path, trials=3, methods="random,gradient_mean")
    table = pd.read_csv(docs / "offline.csv")
    assert len(table) == 4 and not fits.exists(), "fits are not kept when the study is done"
    page = (docs / "offline.md").read_text()
    assert "## 2 designs, against random search" in page and "| `gradient_mean` | 0.986 ±" in page


def test_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = {case.name: case for case in import_module("scripts.studies.exact.cases").CASES}
    short = replace(cases["signpost"], horizons=(1, 2), steps=16)
    for module in ("exact.plan", "exact.page"):
        change(monkeypatch, module, CASES=(short, cases["signpost-batched"]))
    change(monkeypatch, "exact.plan", ProgressBarCallback=lambda: None)  # it warns
    docs = run("exact", tmp_path)
    table = pd.read_csv(docs / "exact.csv").set_index(["case", "horizon"])
    assert table.loc[("signpost", 2), "optimum"] == pytest.approx(1)
    assert table.loc[("signpost", 2), "one_step_best"] == pytest.approx(1 / 3)
    trained = table.loc[("signpost", 2), [f"trained_{seed}" for seed in range(3)]]
    assert ((trained > 0) & (trained <= 1)).all() and trained.mean() == pytest.approx(
        table.loc[("signpost", 2), "trained"]
    )
    page = (docs / "exact.md").read_text()
    assert "| 1 x 2 | **1.0000** |" in page and "seed 2" in page
    assert "First batch at q = 1, N = 2: the optimum's design is" in page
    assert (docs / "exact" / "signpost.png").stat().st_size > 5_000
