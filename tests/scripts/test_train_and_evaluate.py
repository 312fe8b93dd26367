"""The two commands as a user types them, and what they leave on disk."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pandas as pd
import pytest
import tyro

import ombo_agents
import ombo_gym
from ombo_agents.cli import evaluate, train
from ombo_agents.cli.arguments import (
    parse_env,
    parse_horizon,
    parse_json,
    parse_numbers,
    report_errors,
)
from ombo_gym.evaluation.tables import read_table
from tests.commands import start

FILES = {
    *("campaigns.csv", "summary.csv", "paired.csv", "exploration.csv"),
    *("config.json", "horizons.png", "report.html"),
}
COLUMNS = {
    "campaigns.csv": [
        *("env", "policy", "told_horizon", "horizon", "batch_size", "utility"),
        *("campaign", "seed", "value"),
    ],
    "summary.csv": [
        *("env", "policy", "told_horizon", "horizon", "batch_size", "utility"),
        *("campaigns", "mean", "ci_low", "ci_high", "iqm"),
    ],
    "paired.csv": ["policy_a", "policy_b", "difference", "ci_low", "ci_high", "horizon"],
    "exploration.csv": ["policy", "told_horizon", "horizon", "round", "weight_mean"],
}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A folder in which someone trained a policy and then evaluated it, with relative paths."""
    folder = tmp_path_factory.mktemp("session")
    task = "--horizon 1-3 --batch-size 3 --utility last_mean --out runs/mine".split()
    small = ["--steps", "600", "--num-envs", "16", "--seed", "5"]
    policies = "random,explore_then_exploit:weights=2/0,ucb,runs/mine"
    grid = ["--policies", policies, "--horizons", "1,2", "--batch-size", "3", "--seed", "9"]
    plan = [
        "--utility",
        "last_mean",
        "--campaigns",
        "7",
        "--told",
        "true,one",
        "--backend",
        "sequential",
    ]
    words = [*grid, *plan, "--out", "results/one"]
    printed = StringIO()
    with pytest.MonkeyPatch.context() as patch:  # as a command would, in a process that has begun
        patch.chdir(folder)
        patch.setattr("ombo_gym.evaluation.resampling.RESAMPLES", 100)
        patch.setattr("sys.argv", ["train.py", *task, *small])
        with redirect_stdout(printed):
            train.main(tyro.cli(train.Args, args=[*task, *small]))
        patch.setattr("sys.argv", ["evaluate.py", *words])
        evaluate.main(tyro.cli(evaluate.Args, args=words))
    assert "runs/mine" in printed.getvalue()
    return folder


@pytest.fixture(scope="module")
def tables(session):
    return {name: read_table(session / "results/one" / name) for name in COLUMNS}


def test_training_leaves_the_policy_its_configuration_and_the_model(session):
    run = session / "runs/mine"
    assert {"policy.safetensors", "config.json", "model.zip"} <= {
        file.name for file in run.iterdir()
    }
    config = json.loads((run / "config.json").read_text())
    expected = {"horizon": [1, 3], "batch_size": 3, "utility": "last_mean"}
    assert config["env_kwargs"] == expected and config["seed"] == 5 and config["steps"] >= 600


def test_evaluating_leaves_every_file_of_the_contract(session):
    folder = session / "results/one"
    assert FILES <= {file.name for file in folder.iterdir()}
    assert (folder / "horizons.png").read_bytes().startswith(b"\x89PNG")
    report = (folder / "report.html").read_text()
    assert "runs/mine" in report and "http://" not in report and "<script src" not in report
    config = json.loads((folder / "config.json").read_text())
    assert config["policies"][1] == "explore_then_exploit:weights=2/0"
    assert config["seed"] == 9 and config["campaigns"] == 7 and config["horizons"] == [1, 2]


@pytest.mark.parametrize("name", COLUMNS)
def test_the_tables_have_the_columns_of_the_contract(name, tables):
    assert set(COLUMNS[name]) <= set(tables[name])
    assert not tables[name].empty


def test_the_policy_column_is_what_was_typed(tables):
    typed = ["random", "explore_then_exploit:weights=2/0", "ucb", "runs/mine"]
    assert list(dict.fromkeys(tables["campaigns.csv"]["policy"])) == typed
    assert list(dict.fromkeys(tables["summary.csv"]["policy"])) == typed


def test_every_policy_played_the_same_campaigns_under_both_words(tables):
    campaigns = tables["campaigns.csv"]
    assert len(campaigns) == 4 * 2 * 2 * 7
    for _, group in campaigns.groupby(["policy", "told_horizon", "horizon"]):
        assert group["campaign"].tolist() == list(range(7))
        assert group["seed"].tolist() == list(range(9, 16))
    assert set(campaigns["told_horizon"]) == {"true", "one"}


def test_the_summary_holds_the_means_of_the_campaigns(tables):
    key = ["policy", "told_horizon", "horizon"]
    means = tables["campaigns.csv"].groupby(key)["value"].mean()
    summary = tables["summary.csv"].set_index(key)
    np.testing.assert_allclose(summary["mean"], means.reindex(summary.index), atol=1e-12)
    assert (summary["ci_low"] <= summary["mean"]).all()
    assert (summary["ci_high"] >= summary["mean"]).all() and (summary["campaigns"] == 7).all()


def test_paired_differences_are_those_of_the_same_campaigns(tables):
    values = tables["campaigns.csv"].set_index(["policy", "told_horizon", "horizon", "campaign"])
    values = values["value"].sort_index()
    for row in tables["paired.csv"].itertuples():
        a = values[row.policy_a, row.told_a, row.horizon]
        b = values[row.policy_b, row.told_b, row.horizon]
        assert row.difference == pytest.approx((a - b).mean(), abs=1e-9)
        assert row.ci_low <= row.difference <= row.ci_high


def test_a_trained_policy_was_told_both_and_listened(tables):
    campaigns = tables["campaigns.csv"].set_index(["policy", "told_horizon", "horizon"])["value"]
    campaigns = campaigns.sort_index()
    for policy, listens in (("runs/mine", True), ("ucb", False), ("random", False)):
        truth, one = (campaigns[policy, word, 2].to_numpy() for word in ("true", "one"))
        assert np.array_equal(truth, one) != listens


def test_an_evaluation_can_be_repeated_and_resumed(session, tables, monkeypatch):
    config = json.loads((session / "results/one/config.json").read_text())
    words = config["command"].removeprefix("python -m scripts.evaluate ").split()
    cells = sorted((session / "results/one/cells").iterdir())
    cells[0].unlink()
    cells[1].write_text("{")
    for name in FILES:
        (session / "results/one" / name).unlink()
    monkeypatch.chdir(session)
    monkeypatch.setattr("ombo_gym.evaluation.resampling.RESAMPLES", 100)  # as in the session
    evaluate.main(tyro.cli(evaluate.Args, args=[*words, "--backend", "sequential", "--resume"]))
    assert FILES <= {file.name for file in (session / "results/one").iterdir()}
    for name, table in tables.items():
        pd.testing.assert_frame_equal(read_table(session / "results/one" / name), table)


NAMES = [*ombo_agents.names(), "'gredy'"]
IDS = [*ombo_gym.env_ids(), "'Ombo/GPP-v0'"]
MISTAKES = {
    "an unknown policy": ("evaluate", ["--policies", "random,gredy"], NAMES),
    "an unknown environment": ("evaluate", ["--policies", "random", "--env", "Ombo/GPP-v0"], IDS),
    "an unknown utility": (
        "evaluate",
        ["--policies", "random", "--utility", "best,wurst"],
        ["'best'", "'last_max'", "'last_median'", "'last_mean'", "'total'", "'wurst'"],
    ),
    "a utility without its argument": (
        "evaluate",
        ["--policies", "random", "--utility", "best,last_quantile"],
        ["'last_quantile' takes the arguments ['quantile']"],
    ),
    "plates beside horizons": (
        "evaluate",
        ["--policies", "random", "--plates", "3,2", "--horizons", "2"],
        ["plates=[3, 2]", "'horizons': [2]"],
    ),
    "an unknown start": (
        "evaluate",
        ["--policies", "random", "--env-kwargs", '{"start": {"kind": "some"}}'],
        ["'none'", "'random'", "'percentile'", "'some'"],
    ),
    "an unknown factor": (
        "evaluate",
        ["--policies", "random", "--env", "Ombo/TFBind8-v0", "--env-kwargs", '{"factor": "SIX7"}'],
        ["'SIX6_REF_R1'", "'SIX7'"],
    ),
    "an unknown environment to train on": ("train", ["--out", "x", "--env", "Ombo/GPP-v0"], IDS),
    "an unknown utility to train for": (
        "train",
        ["--out", "x", "--utility", "wurst"],
        ["'best'", "'last_max'", "'last_median'", "'last_mean'", "'total'", "'wurst'"],
    ),
    "an unknown agent": ("train", ["--out", "x", "--agent", "telepathy"], ["'exploration'"]),
    "nothing to resume": ("train", ["--out", "x", "--resume"], ["model.zip"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_in_one_line_that_lists_what_is_known(mistake, tmp_path, monkeypatch):
    name, arguments, listed = MISTAKES[mistake]
    script = {"evaluate": evaluate, "train": train}[name]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught, report_errors():
        script.main(tyro.cli(script.Args, args=arguments))
    message = caught.value.code  # text, so Python prints it and exits with 1
    assert isinstance(message, str) and message.startswith("error: ") and "\n" not in message
    for known in listed:
        assert known in message
    assert not any(tmp_path.iterdir())


def test_a_mistake_ends_a_command_without_a_traceback(tmp_path):
    name, arguments, _ = MISTAKES["an unknown utility"]
    process = start(name, *arguments, cwd=tmp_path)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1 and out == ""
    assert err.startswith("error: ") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"dim": 3}, {"horizon": [1, 5], "batch_size": 4, "utility": "best", "dim": 3}),
        ({"batch_size": [1, 16]}, {"horizon": [1, 5], "batch_size": [1, 16], "utility": "best"}),
        ({"plates": [3, 2]}, {"plates": [3, 2], "utility": "best"}),
    ],
)
def test_arguments_of_the_environment_win_over_flags_and_plates_over_rounds(
    given, expected, monkeypatch, tmp_path
):
    asked = []

    def noted(env_id, *, env_kwargs, **others):
        asked.append(env_kwargs)
        return {"steps": 0, "seconds": 0.0}

    monkeypatch.setattr("ombo_agents.learned.training.train", noted)
    flags = ["--out", str(tmp_path), "--env-kwargs", json.dumps(given)]
    train.main(tyro.cli(train.Args, args=flags))
    assert asked == [expected]


@pytest.mark.parametrize("text", ["3", "1-5", " 2 - 4 "])
def test_a_horizon_is_a_number_or_a_range(text):
    assert parse_horizon(text) == {"3": 3, "1-5": [1, 5], " 2 - 4 ": [2, 4]}[text]


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *((parse_horizon, text) for text in ("", "x", "1-x", "-3", "1-2-3", "1.5")),
        *((lambda text: parse_numbers("--n", text), text) for text in ("", "1,", "1;2", "x")),
        *(
            (lambda text: parse_json("--kw", text), text)
            for text in ("", "[1]", "{", "3", "{'a':1}")
        ),
        *((parse_env, text) for text in ("", "GP", "Ombo/GP-v9", "ombo_gym:GP", "ombo_gym:")),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_was_typed(parse, text):
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert repr(text) in str(caught.value)


def test_an_environment_of_your_own_is_named_with_its_module():
    assert parse_env("ombo_gym:Ombo/GP-v0") == "ombo_gym:Ombo/GP-v0"
    assert parse_env("Ombo/TFBind8-v0") == "Ombo/TFBind8-v0"
    with pytest.raises(ValueError, match="nowhere"):
        parse_env("nowhere:Ombo/GP-v0")
