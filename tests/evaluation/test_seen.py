"""What a trained policy has met is marked in every table, picture and report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from ombo_gym.evaluation import resampling
from ombo_gym.evaluation.cells import Cell
from ombo_gym.evaluation.evaluate import evaluate
from ombo_gym.evaluation.figures import (
    horizon_curves,
    leaderboard_scores,
    performance_profiles,
    planning_curves,
)
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.leaderboard import PlayedScores, leaderboard, problem_scores
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.report.results import read_results
from ombo_gym.evaluation.seen import SeenByTraining
from ombo_gym.evaluation.tables import read_table, summarise
from ombo_gym.evaluation.terminal import format_table
from tests.evaluation.pages_apart import leave_out_pictures
from tests.evaluation.scored_campaigns import played
from tests.evaluation.small_runs import write_policy

FACTORS = "Ombo/TFBinding-v0"
TRAINED: dict[str, dict[str, Any]] = {
    "met": {"env": FACTORS, "env_kwargs": {"split": "train", "horizon": [1, 5]}},
    "other": {"env": "Ombo/GP-v0", "env_kwargs": {"dim": 2}},
}


def trained(folder: Path, config: dict[str, Any]) -> str:
    """A folder as training leaves it, which says what it was trained on."""
    write_policy(folder, 0)
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **config}))
    return str(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluation of two trained policies on all factors, and on those of the test."""
    root: Path = tmp_path_factory.mktemp("seen")
    runs = [trained(root / name, config) for name, config in TRAINED.items()]
    small = {"start": {"kind": "random", "size": 5}, "surrogate": {"kernel": "isotropic"}}
    plans = [
        EvaluationPlan(
            env=FACTORS,
            policies=["random", *runs],
            horizons=[1],
            batch_size=2,
            campaigns=14,
            env_kwargs={**small, "split": split},
        )
        for split in ("all", "test")
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "RESAMPLES", 100)
        leave_out_pictures(patch)
        evaluate(plans, out=root / "out", launch=Launch(), command="")
    return root


def who(table: pd.DataFrame, column: str = "policy") -> pd.Series:
    return table[column].map(lambda name: Path(name).name)


def splits(table: pd.DataFrame) -> pd.Series:
    return table["env_kwargs"].map(lambda text: json.loads(text)["split"])


def test_campaigns_on_instances_of_the_training_are_seen_and_no_others(folder: Path) -> None:
    from ombo_gym.problems.biology.tf_binding import SPLITS

    table = read_table(folder / "out" / "campaigns.csv")
    assert table["seen"].dtype == bool
    met = (who(table) == "met") & (splits(table) == "all")
    factors = [SPLITS["all"][i] for i in table.loc[met, "instance"]]
    assert table.loc[met, "seen"].tolist() == [factor in SPLITS["train"] for factor in factors]
    assert 0 < table.loc[met, "seen"].sum() < met.sum()
    assert not table.loc[~met, "seen"].any()


@pytest.mark.parametrize("name", ["summary", "problem_scores"])
def test_a_mean_over_some_of_them_is_seen(name: str, folder: Path) -> None:
    table = read_table(folder / "out" / f"{name}.csv")
    column = "policy" if name == "summary" else "method"
    expected = (who(table, column) == "met") & (splits(table) == "all")
    assert table["seen"].tolist() == expected.tolist() and expected.any()
    assert table.columns[-1] == "seen"


def test_a_method_is_seen_in_the_leaderboard_where_one_problem_is(folder: Path) -> None:
    table = read_table(folder / "out" / "leaderboard.csv")
    assert table["seen"].tolist() == (who(table, "method") == "met").tolist()
    assert table["seen"].any()


def test_the_report_marks_the_policy_where_it_has_met_the_problem(folder: Path) -> None:
    html = (folder / "out" / "report.html").read_text()
    met, other = (f'<code class="trained">{folder / name}</code>' for name in TRAINED)
    mark = ' <em class="seen"'
    assert met + mark in html and other in html
    assert other + mark not in html
    every, test = html.split('id="problem-2"')
    assert met + mark in every
    in_numbers = test.partition("</details>")[0]
    assert met in in_numbers and met + mark not in in_numbers
    assert "no test" in html.partition('id="problems"')[0]


def test_pictures_mark_the_name_where_it_has_met_the_problem(folder: Path) -> None:
    results = read_results(folder / "out")
    (every, both) = results.problems()
    texts = {
        "all": horizon_curves(every.rows, styles=results.styles),
        "test": horizon_curves(both.rows, styles=results.styles),
        "planning": planning_curves(
            every.rows.assign(difference=every.rows["mean"]), styles=results.styles
        ),
        "leaderboard": leaderboard_scores(results.leaderboard),
        "profiles": performance_profiles(results.profiles, styles=results.styles),
    }
    for name, figure in texts.items():
        written = [text.get_text() for text in figure.findobj(Text)]
        marked = {text.removesuffix(" (seen)")[-3:] for text in written if "(seen)" in text}
        assert marked == (set() if name == "test" else {"met"}), name
        assert any("seen: the policy was trained" in text for text in written) == (name != "test")


def test_the_terminal_marks_it_too(folder: Path) -> None:
    printed = format_table(read_table(folder / "out" / "summary.csv"))
    every, test = printed.split("\n\n")
    assert f"{folder / 'met'} (seen)" in every and "(seen)" not in test


# --- without a folder -----------------------------------------------------------------------------


def cell(policy: str, env: str = "Ombo/MPSA-v0", **arguments: Any) -> Cell:
    kwargs = json.dumps(arguments)
    return Cell(env, policy, "true", 2, 4, "best", 0, 0, 2, env_kwargs=kwargs)


def flags(policy: str, **others: Any) -> list[bool]:
    found: list[bool] = SeenByTraining().campaigns(cell(policy, **others), np.full(2, -1)).tolist()
    return found


def test_a_policy_of_tasks_has_met_what_it_was_trained_and_chosen_on(tmp_path: Path) -> None:
    tasks = [{"env": "Ombo/MPSA-v0"}, {"env": "Ombo/GP-v0"}]
    run_of = trained(tmp_path, {"tasks": tasks, "validate": [{"env": "Ombo/Antibody-v0"}]})
    assert flags(run_of) == [True, True]
    assert flags(run_of, start={"kind": "random", "size": 9}, noise_std=0.1) == [True, True]
    assert flags(run_of, env="Ombo/Antibody-v0") == [True, True]
    assert flags(run_of, env="Ombo/GP-v0", dim=5) == [False, False]
    assert flags("ucb") == flags("no/such/folder") == flags("os:Class") == [False, False]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"env": "Nobody-v0"}', '{"tasks": 3}'])
def test_where_a_configuration_does_not_tell_all_counts_as_seen_and_a_line_says_so(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text(text)
    marks = SeenByTraining()
    for env in ("Ombo/MPSA-v0", "Ombo/GP-v0"):
        assert marks.campaigns(cell(str(tmp_path), env), np.full(2, -1)).all()
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and str(tmp_path) in err and "all counts as seen" in err


def test_tables_of_earlier_versions_have_met_nothing() -> None:
    campaigns = played({("random", "A"): [0.1, 0.2], ("ucb", "A"): [0.3, 0.4]})
    assert "seen" not in campaigns
    assert not summarise(campaigns)["seen"].any()
    scores = PlayedScores(campaigns)
    assert not leaderboard(scores)["seen"].any() and not problem_scores(scores)["seen"].any()
    one = campaigns.assign(seen=(campaigns["policy"] == "ucb") & (campaigns["campaign"] == 1))
    assert summarise(one).set_index("policy")["seen"].to_dict() == {"random": False, "ucb": True}
    assert leaderboard(PlayedScores(one)).set_index("method")["seen"].to_dict() == {
        "random": False,
        "ucb": True,
    }
