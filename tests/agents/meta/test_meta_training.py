"""Training of the meta-policy: resumed to the bit, on nothing that is kept for a test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ombo_agents.learned.meta import Rule, read_rule, training
from ombo_agents.learned.meta.lines import lines_of
from ombo_agents.learned.meta.objective import PlayedSetting, draw_settings
from ombo_agents.learned.meta.settings import MetaSettings
from ombo_agents.learned.meta.training import train_meta
from ombo_gym.tasks import Task, TaskDistribution

TASK = {
    "env": "Ombo/Landscapes-v0",
    "env_kwargs": {"name": "gp"},
    "horizon": [1, 3],
    "batch_size": [1, 2],
    "utilities": ["best", "last_mean"],
    "start": {"kind": "none"},
}
SMALL = MetaSettings(
    settings=3, campaigns=3, confidence=0.2, validation_settings=3, validation_campaigns=3
)


@pytest.fixture(scope="module", autouse=True)
def two_lines():
    """The first two steps of the first and the last line: each takes a second."""

    def few(kind):
        lines = lines_of(kind)
        return [each._replace(steps=each.steps[:2]) for each in (lines[0], lines[-1])]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "lines_of", few)
        yield


@pytest.fixture(scope="module")
def trained(two_lines: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was never interrupted."""
    out = tmp_path_factory.mktemp("meta") / "run"
    train_meta([[TASK]], out, settings=SMALL)
    return out


def files(folder):
    config = json.loads((folder / "config.json").read_text())
    config.pop("seconds")
    return config, (folder / "policy.safetensors").read_bytes()


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("last", [1, 2, 3])
def test_an_interrupted_run_that_is_resumed_ends_as_one_that_was_not(trained, tmp_path, last):
    parts = tmp_path / "parts"

    def stop(done, lines, name):
        if done == last:
            raise Interrupted

    with pytest.raises(Interrupted):
        train_meta([[TASK]], parts, settings=SMALL, progress=stop)
    assert not (parts / "config.json").exists()
    train_meta([[TASK]], parts, settings=SMALL, resume=True)
    assert files(parts) == files(trained)


def test_another_run_is_not_gone_on_with(trained, tmp_path):
    with pytest.raises(ValueError, match="seed was 0, now 1"):
        train_meta([[TASK]], trained, settings=SMALL, seed=1, resume=True)
    with pytest.raises(ValueError, match="holds no run"):
        train_meta([[TASK]], tmp_path / "none", settings=SMALL, resume=True)


@pytest.mark.parametrize(
    ("tasks", "validate"),
    [
        ("ML-families-v0:test", None),
        ("ML-families-v0:train+ML-synthetic-v0:test", None),
        ("ML-families-v0:train", "ML-families-v0:test"),
        ("ML-families-v0:train", "ML-families-v0:train"),
    ],
)
def test_tests_are_refused_and_so_is_validation_on_what_is_trained(tmp_path, tasks, validate):
    with pytest.raises(ValueError, match=r"--tasks|--validate"):
        train_meta(tasks, tmp_path / "run", validate=validate, settings=SMALL)
    assert not (tmp_path / "run").exists()


def test_steps_are_made_where_their_interval_is_above_0_and_kept_where_validation_agrees(trained):
    config = json.loads((trained / "config.json").read_text())
    kinds = {look["kind"] for look in config["validation"]}
    assert kinds == {each["kind"] for each in config["steps"]} and len(kinds) == 2
    table = read_rule(trained).table
    for each in config["steps"]:
        mean, low, high = each["interval"]
        assert each["made"] == (low > 0) and low <= mean <= high
        assert each["gains"][each["best"]] == max(each["gains"]) == pytest.approx(mean)
    for look in config["validation"]:
        assert look["kept"] == (look["low"] > 0)
        row = np.array(look["row"]) if look["kept"] else np.zeros(table.shape[1])
        np.testing.assert_array_equal(table[look["kind"]], row)
        steps = [s["steps"][s["best"]] for s in config["steps"] if s["made"]]
        assert any(look["row"]) <= bool(steps)
    untouched = [kind for kind in range(len(table)) if kind not in kinds]
    np.testing.assert_array_equal(table[untouched], 0.0)


def test_no_step_is_made_along_lines_that_change_nothing(tmp_path):
    """With one round there are none to come."""
    task = {**TASK, "utilities": ["best"], "horizon": 1, "batch_size": 1}
    found = train_meta([[task]], tmp_path / "run", settings=SMALL)["steps"]
    (idle,) = [each for each in found if each["line"] == "weights with rounds to come"]
    assert idle["gains"] == [0.0, 0.0] and not idle["made"]


def test_settings_are_drawn_in_the_tasks_shares_within_their_ranges():
    tasks = TaskDistribution(
        (
            Task("Ombo/GP-v0", horizon=(1, 10), batch_size=(1, 16), weight=3.0),
            Task("Ombo/GP-v0", {"dim": 3}, horizon=(1, 10), batch_size=(1, 16), weight=1.0),
        )
    )
    drawn = draw_settings(tasks, np.random.default_rng(0), 40, 5, 1000)
    arguments = [json.loads(each.arguments) for each in drawn]
    assert sum("dim" in each for each in arguments) == 10
    assert [each.seed for each in drawn] == list(range(1000, 1200, 5))
    assert {each["horizon"] for each in arguments} <= {1, 2, 3, 5, 7, 10}
    assert all(1 <= each["batch_size"] <= 16 for each in arguments)
    wells = [each["horizon"] * each["batch_size"] for each in arguments]
    assert min(wells) >= 4 and max(wells) <= 50


def test_all_rules_play_the_same_campaigns_and_nothing_scores_below_minus_one():
    (setting,) = draw_settings(
        TaskDistribution.from_dict({"tasks": [TASK]}), np.random.default_rng(0), 1, 6, 7
    )
    played = PlayedSetting(setting)
    first, again = played.scores(Rule()), played.scores(Rule())
    np.testing.assert_array_equal(first, again)
    assert first.shape == (6,) and first.min() >= -1.0
    played.close()
