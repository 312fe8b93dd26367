"""HPO-B's study: starts, campaigns, averages and what the page says of them."""

from __future__ import annotations

import json
from importlib import import_module
from itertools import combinations
from pathlib import Path

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

import ombo_agents
from ombo_gym.evaluation.launch import Launch
from ombo_gym.problems.tuning.hpob import PACKED, evaluations
from ombo_gym.spec import campaign_spec
from scripts.studies.hpob import page as hpob_page
from scripts.studies.hpob.comparison import Comparison
from scripts.studies.hpob.plan import CHOSEN, LEARNED, Args, Player, horizons, regret_table
from scripts.studies.hpob.published import published
from scripts.studies.hpob.random_search import expected_regrets
from scripts.studies.hpob.regrets import average, published_regrets, weights
from scripts.studies.hpob.runs import ENV, Cell, Run, play, runs
from scripts.studies.hpob.starts import starts

SMALL_TASKS = ("4796_3549", "5889_3918")
tasks = st.sampled_from(PACKED)


# --- averages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("Random", [0.1149, 0.0930, 0.0826, 0.0656, 0.0521, 0.0364]),
        ("GP", [0.0936, 0.0673, 0.0486, 0.0358, 0.0241, 0.0121]),
        ("DNGO", [0.0828, 0.0581, 0.0439, 0.0324, 0.0195, 0.0156]),
        ("BOHAMIANN", [0.1077, 0.0682, 0.0515, 0.0384, 0.0214, 0.0097]),
        ("DGP", [0.0869, 0.0664, 0.0477, 0.0352, 0.0189, 0.0108]),
        ("RGPE", [0.0813, 0.0521, 0.0383, 0.0287, 0.0220, 0.0112]),
        ("FSBO", [0.0717, 0.0525, 0.0410, 0.0321, 0.0199, 0.0102]),
    ],
)
def test_published_runs_average_to_the_published_rows(method: str, expected: list[float]) -> None:
    regrets = published_regrets(method)  # (45, 101)
    found = [average(regrets[:, trial]).estimate for trial in (5, 10, 15, 25, 50, 100)]
    assert found == pytest.approx(expected, abs=6e-5)


def test_spaces_count_alike_and_so_do_the_tasks_of_a_space() -> None:
    names = ["a_1", "a_2", "a_3", "b_1"]
    assert weights(names) == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])
    regrets = np.array([0.1, 0.2, 0.6, 0.9])
    assert average(regrets, names).estimate == pytest.approx((0.3 + 0.9) / 2)


def test_the_interval_is_students_of_the_weighted_residuals() -> None:
    names, regrets = ["a_1", "a_2", "b_1"], np.array([0.0, 0.2, 0.5])
    mean, low, high = average(regrets, names)
    assert mean == pytest.approx(0.3)
    # 3 w (x - mean) = (-0.225, -0.075, 0.3); t of 2 degrees is 4.302653.
    half = 4.302653 * np.std([-0.225, -0.075, 0.3], ddof=1) / 3**0.5
    assert (low, high) == pytest.approx((0.3 - half, 0.3 + half), rel=1e-6)


# --- starts ---------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(task=tasks, draw=st.integers(0, 50))
def test_a_start_is_5_configurations_of_which_the_best_is_the_published_one(
    task: str, draw: int
) -> None:
    values = evaluations(task)[:, -1].astype(np.float64)
    shares = (values - values.min()) / np.ptp(values)
    drawn = starts(task, draw)
    assert drawn.shape == (5, 5) and all(len(set(start)) == 5 for start in drawn.tolist())
    assert shares[drawn].max(axis=1) == pytest.approx(published("Random", task)[:, 0], abs=1e-5)
    assert np.array_equal(drawn, starts(task, draw)), "a draw is the same whenever it is asked for"


def test_the_others_of_a_start_are_uniform_among_those_that_are_not_better() -> None:
    task = "4796_3549"
    shares = (lambda v: (v - v.min()) / np.ptp(v))(evaluations(task)[:, -1].astype(np.float64))
    level = shares[np.abs(shares - published("Random", task)[0, 0]).argmin()]
    below = shares[shares <= level]
    drawn = np.array([starts(task, draw)[0] for draw in range(300)])  # (300, 5)
    others = np.sort(shares[drawn], axis=1)[:, :-1]
    error = below.std() / others.size**0.5
    assert abs(others.mean() - below.mean()) < 4 * error
    assert (others <= level).all() and len(set(drawn.ravel().tolist())) > len(below) / 2


def test_incumbents_that_are_not_in_the_pool_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("scripts.studies.hpob.starts")
    monkeypatch.setattr(module, "published", lambda method, task: np.full((5, 101), 1.5))
    with pytest.raises(ValueError, match=r"4796_3549: .*1\.500000 of seed 0.*1\.000000"):
        starts("4796_3549")


# --- random search --------------------------------------------------------------------------------


def test_expected_regrets_of_random_search_are_those_of_all_its_courses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shares = np.array([0.0, 0.1, 0.2, 0.25, 0.3, 0.5, 0.9, 1.0])  # 5 of the start, 3 better
    module = import_module("scripts.studies.hpob.random_search")
    monkeypatch.setattr(module, "accuracies", lambda task: shares)
    monkeypatch.setattr(module, "published", lambda method, task: np.full((5, 101), 0.3))
    found = module.expected_regrets("any", [0, 1, 2, 3])
    courses = [max(pair) for pair in combinations([0.5, 0.9, 1.0], 2)]
    expected = [0.7, 1 - 2.4 / 3, 1 - sum(courses) / 3, 0.0]
    assert found == pytest.approx(np.tile(expected, (5, 1)))


def test_random_campaigns_are_as_good_as_random_search_is_expected_to_be() -> None:
    task, trials = "5889_3918", (1, 3, 10)
    regrets = [play(Cell(task, "random", horizon=10, draw=draw)).regrets for draw in range(30)]
    seen = np.array(regrets)[:, :, trials].mean(axis=1)  # (30, trials)
    error = seen.std(axis=0, ddof=1) / len(seen) ** 0.5
    expected = expected_regrets(task, trials).mean(axis=0)
    assert (np.abs(seen.mean(axis=0) - expected) < 4 * error).all()


def test_published_random_runs_are_within_their_sampling_error_of_random_search() -> None:
    trials = (5, 10, 15, 25, 50, 100)
    luck = np.stack(
        [1 - published("Random", t)[:, trials] - expected_regrets(t, trials) for t in PACKED]
    )  # (45, seeds, trials)
    for column in np.tensordot(weights(PACKED), luck, axes=1).T:
        assert abs(ttest_1samp(column, 0).statistic) < 2.776  # of 4 degrees


# --- campaigns ------------------------------------------------------------------------------------


def test_campaigns_begin_at_the_published_incumbents_and_never_get_worse() -> None:
    regrets = play(Cell("4796_23", "expected_improvement", horizon=4)).regrets
    assert regrets.shape == (5, 5)
    assert regrets[:, 0] == pytest.approx(1 - published("Random", "4796_23")[:, 0], abs=1e-5)
    assert (np.diff(regrets, axis=1) <= 0).all() and regrets.min() >= 0


def test_a_campaign_does_not_depend_on_those_beside_it() -> None:
    cell = Cell("5889_3918", "ucb", "isotropic", batch_size=2, horizon=3)
    start = {"kind": "listed", "designs": starts(cell.task)[3].tolist()}
    env = gym.make(ENV, start=start, horizon=3, batch_size=2, **cell.arguments)
    policy = ombo_agents.make("ucb", env)
    observation, info = env.reset()
    values = [info["best_value"]]
    for _ in range(3):
        one = {name: array[None] for name, array in observation.items()}
        action = policy.act(one, np.random.default_rng(0))[0]
        observation, *_, info = env.step(action)
        values.append(info["best_value"])
    table = evaluations(cell.task)[:, -1].astype(np.float64)
    alone = (table.max() - np.array(values)) / np.ptp(table)
    assert play(cell).regrets[3].tolist() == alone.tolist()


def test_players_are_told_that_a_start_was_listed_and_not_what_is_in_it() -> None:
    start = starts("4796_3549")[0].tolist()
    env = gym.make(ENV, space="4796", start={"kind": "listed", "designs": start})
    told = campaign_spec(env)
    assert (told.start_origin.kind, told.start_capacity) == ("listed", 5)
    assert json.dumps(start) not in json.dumps(told.to_json())


def test_finished_cells_are_kept_and_taken_up_again(tmp_path: Path) -> None:
    cells = [Cell(task, "random", horizon=3) for task in SMALL_TASKS]
    first = runs(cells, tmp_path, launch=Launch(), resume=True)
    assert list(first) == cells and len(list(tmp_path.iterdir())) == 2
    times = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    more = [*cells, Cell(SMALL_TASKS[0], "random", horizon=3, draw=1)]
    again = runs(more, tmp_path, launch=Launch(), resume=True)
    assert len(list(tmp_path.iterdir())) == 3
    assert all(file.stat().st_mtime_ns == time for file, time in times.items())
    assert all(np.array_equal(again[cell].regrets, first[cell].regrets) for cell in cells)
    assert not np.array_equal(again[more[2]].regrets, first[cells[0]].regrets)


def test_what_another_code_or_start_has_made_is_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module("scripts.studies.hpob.runs")
    cells = [Cell("4796_23", "random", horizon=1)]
    runs(cells, tmp_path, launch=Launch(), resume=True)
    with monkeypatch.context() as patch:
        patch.setattr(module.Identities, "fingerprint", lambda *args, **kwargs: "changed")
        runs(cells, tmp_path, launch=Launch(), resume=True)
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(module, "starts", lambda task, draw: starts(task, draw + 1))
    runs(cells, tmp_path, launch=Launch(), resume=True)
    assert len(list(tmp_path.glob("*.json"))) == 3


@pytest.mark.parametrize("policy", ["expected_improvement", "thompson", "local_search"])
def test_short_campaigns_are_the_first_rounds_of_long_ones(policy: str) -> None:
    long, short = (Cell("4796_3549", policy, batch_size=2, horizon=n) for n in (3, 2))
    assert np.array_equal(play(long).regrets[:, :3], play(short).regrets)


def test_policies_that_know_how_many_rounds_are_left_play_each_horizon() -> None:
    assert horizons(Player("ucb"), 8) == (12,)
    assert horizons(Player("explore_then_exploit"), 8) == (1, 2, 5, 12)


def test_short_horizons_are_read_off_long_campaigns_unless_they_were_played() -> None:
    long = np.linspace(1, 0, 25)[None].repeat(5, axis=0)  # (5, N + 1)
    cells = {
        Cell("t", "ucb", batch_size=4, horizon=24): Run(long, 1.0),
        Cell("t", "aware", batch_size=4, horizon=24): Run(long, 1.0),
        **{
            Cell("t", "aware", batch_size=4, horizon=n): Run(np.full((5, n + 1), 0.5), 1.0)
            for n in (1, 2, 5)
        },
    }
    table = regret_table(cells).set_index(["policy", "horizon"])
    assert table.loc["ucb", "regret"].to_dict() == pytest.approx(
        {n: 1 - n / 24 for n in (1, 2, 5, 24)}
    )
    assert table.loc["aware", "regret"].to_dict() == {1: 0.5, 2: 0.5, 5: 0.5, 24: 0.0}
    assert table.loc[("ucb", 5), "measurements"] == 20


# --- the page -------------------------------------------------------------------------------------


def comparison(factor: dict[int, float]) -> Comparison:
    """The chosen policy with the published GP's regrets times a factor."""
    rows = [
        (*CHOSEN, 1, 100, n, task, factor.get(n, 0.999) * regret)
        for n in (5, 10, 15, 25, 50, 100)
        for task, regret in zip(PACKED, published_regrets("GP")[:, n], strict=True)
    ]
    columns = "policy recipe batch_size horizon measurements task regret".split()
    return Comparison(pd.DataFrame(rows, columns=columns), PACKED)


def test_the_verdict_names_the_trials_at_which_the_published_gp_is_better() -> None:
    assert hpob_page.verdict(comparison({})).startswith("at most the published GP's regret at all")
    missed = hpob_page.verdict(comparison({10: 1.01, 25: 1.1, 100: 2.0}))
    assert "at 3 of 5 trials (5, 10, 15, 25, 50), not at 10, 25: 0.0935 (0.0936)" in missed


def test_differences_are_paired_by_task() -> None:
    found = comparison({25: 0.5})
    same, half = found.difference(CHOSEN, "GP", 10), found.difference(CHOSEN, "GP", 25)
    assert (same.low, same.high) == pytest.approx((0, 0), abs=3e-4)
    assert half.estimate == pytest.approx(-0.0358 / 2, abs=6e-5) and half.high < 0
    assert len(found.tasks_of("NAP")) == 14 and "NAP" not in found.methods


def test_the_study_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {
        "TASKS": SMALL_TASKS,
        "PLAYERS": (CHOSEN, LEARNED, Player(CHOSEN.policy, "isotropic"), Player("random")),
        "IN_BATCHES": (CHOSEN, Player("explore_then_exploit")),
        "HORIZON": 6,
        "TRIALS": (1, 2, 3, 4, 6),
        "OWN": (2, 3),
        "BATCHES": {2: 3},
        "SHORT": (1,),
    }
    modules = [import_module(f"scripts.studies.hpob.{n}") for n in ("plan", "page", "comparison")]
    for name, value in changes.items():
        for module in modules:
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(modules[1], "YARDSTICK", (1, 2, 3))
    study = import_module("scripts.studies.hpob").STUDY
    study.run(Args(out=tmp_path / "docs", runs=tmp_path, jobs=1, resume=True))
    text = (tmp_path / "docs" / "hpob.md").read_text()
    assert "nan" not in text and "    make study NAME=hpob\n" in text
    for shown in (
        "| `expected_improvement`, isotropic | ours |",
        "### q = 2",
        "| N = 3 (6) |",
        "`meta`, N = t",
    ):
        assert shown in text
    table = pd.read_csv(tmp_path / "docs" / "hpob.csv")
    assert set(table["batch_size"]) == {1, 2} and table["regret"].between(0, 1).all()
