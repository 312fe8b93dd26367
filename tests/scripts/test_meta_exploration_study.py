"""The study of exploration over many tasks: what is played, and what the page says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ombo_agents.learned.over_tasks.environments import scored_campaigns
from ombo_agents.learned.ppo_settings import SETTINGS
from ombo_gym.tasks import make_tasks
from scripts.studies.meta_exploration import STUDY, page, plan
from scripts.studies.suite.plan import Training
from tests.agents.over_tasks.cases import PPO, SMALL, TASKS, VALIDATE, run


def test_a_trained_policy_and_a_weight_play_the_same_campaigns(tmp_path: Path) -> None:
    run(tmp_path / "run")
    tasks = make_tasks(TASKS).to_json()
    tables = {}
    for name, player in (("run", tmp_path / "run"), ("weight", 2.0)):
        block = plan.Block(player, tasks, 0, (0, 1, 2, 3, 4))
        tables[name] = plan.play(block)
        scored_campaigns.cache_clear()
        pd.testing.assert_frame_equal(tables[name], plan.play(block))
    one, other = tables["run"], tables["weight"]
    same = ["task", "env", "env_kwargs", "start", "campaign", "utility", "horizon"]
    pd.testing.assert_frame_equal(one[same], other[same])
    assert set(one["utility"]) <= {"best", "last_mean"} and one["horizon"].between(1, 4).all()
    for table in (one, other):
        assert table["score"].between(-1, 1).all()
    part = plan.play(plan.Block(2.0, tasks, 0, (3, 1)))
    np.testing.assert_array_equal(part["score"], other["score"].to_numpy()[[3, 1]])


@pytest.mark.filterwarnings("ignore:rich is experimental")
def test_it_trains_plays_and_writes_and_goes_on_from_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits = {"train": TASKS, "validation": VALIDATE, "test": [TASKS[0]]}
    monkeypatch.setattr(plan, "tasks_of", lambda split: make_tasks(splits[split]))
    monkeypatch.setattr(plan, "TaskSettings", lambda: SMALL)
    alone = Training("gp", "Ombo/Bandit-v0", {"arms": 3, "horizon": [1, 2]}, steps=80)
    monkeypatch.setattr(plan, "TRAININGS", (alone,))
    monkeypatch.setitem(SETTINGS, "exploration", PPO)
    args = plan.Args(
        out=tmp_path / "docs", runs=tmp_path / "runs", jobs=1, resume=True, campaigns=4, steps=60
    )
    STUDY.run(args)
    text = (tmp_path / "docs" / "meta_exploration.md").read_text()
    assert "60 rounds" in text and "minus gp alone" in text and "minus ucb (weight 2)" in text
    table = pd.read_csv(tmp_path / "docs" / "meta_exploration.csv")
    assert len(table) == 4 and (table["campaigns"] == 4).all()

    def nothing(*args: object, **others: object) -> None:
        raise AssertionError("it is there already")

    monkeypatch.setattr(plan, "train_over_tasks", nothing)
    monkeypatch.setattr(plan, "train", nothing)
    monkeypatch.setattr(plan, "play", nothing)
    STUDY.run(args)
    assert (tmp_path / "docs" / "meta_exploration.md").read_text() == text


def found() -> plan.Finished:
    rng = np.random.default_rng(0)
    rows = [
        (policy, task, env, "{}", start, i, utility, 2, rng.random() + (policy == "meta"))
        for policy in ("meta", "gp alone")
        for task, (env, start) in enumerate([("Ombo/A-v0", "random"), ("Ombo/B-v0", "random")])
        for i, utility in enumerate(["best", "last_mean"] * 3)
    ]
    columns = ["policy", "task", "env", "env_kwargs", "start", "campaign", "utility", "horizon"]
    looks = pd.DataFrame({"rounds": [0, 100], "score": [0.1, 0.2], "kept": [True, False]})
    return plan.Finished(pd.DataFrame(rows, columns=[*columns, "score"]), looks, 120.0)


def test_differences_are_paired_by_problem() -> None:
    played = found().campaigns
    table = page.by_problem(played).set_index(["env", "policy"])
    wide = played[played["env"] == "Ombo/A-v0"].pivot(
        index="campaign", columns="policy", values="score"
    )
    gained = (wide["meta"] - wide["gp alone"]).to_numpy()
    row = table.loc[("Ombo/A-v0", "gp alone")]
    assert row["minus"] == pytest.approx(gained.mean()) and row["campaigns"] == 6
    half = 2.570582 * gained.std(ddof=1) / np.sqrt(6)  # Student t of 5 degrees of freedom
    assert row["minus_high"] - row["minus"] == pytest.approx(half, rel=1e-6)
    assert table.loc[("Ombo/A-v0", "meta"), "minus"] == 0


def test_the_page_shows_every_policy_and_problem(tmp_path: Path) -> None:
    made = page.page(found(), plan.Args(out=tmp_path, runs=tmp_path))
    for words in ("minus gp alone", "| A |", "| B |", "random, `best`", "2 minutes", "100 rounds"):
        assert words in " ".join(made.text.split())
    assert [file.name for file in made.files] == ["meta_exploration.csv"]
