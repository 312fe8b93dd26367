"""`ombo train --agent meta`: on one problem, over tasks, from what is shipped; what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ombo_agents.cli.train import Args, main
from ombo_agents.learned.meta import Rule, command, read_rule, training
from ombo_agents.learned.meta.lines import lines_of
from ombo_agents.learned.meta.settings import MetaSettings

SMALL = MetaSettings(settings=2, campaigns=3, validation_settings=2, validation_campaigns=3)
ONE = {
    "env": "Ombo/Landscapes-v0",
    "env_kwargs": json.dumps({"name": "gp", "start": {"kind": "none"}}),
    "horizon": "1-2",
    "batch_size": 2,
    "utility": "last_mean",
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(command, "SETTINGS", SMALL)
    monkeypatch.setattr(training, "lines_of", lambda kind: lines_of(kind)[:1])


def train(out: Path, **flags):
    main(Args(out=out, agent="meta", backend="sequential", jobs=1, **flags))
    return json.loads((out / "config.json").read_text())


def test_one_problem_is_a_task_that_is_validated_by_on_other_campaigns(tmp_path, capsys):
    config = train(tmp_path / "run", **ONE)
    assert "trained on" in capsys.readouterr().out
    (task,) = config["tasks"]["tasks"]
    assert (task["env"], task["horizon"], task["batch_size"]) == ("Ombo/Landscapes-v0", [1, 2], 2)
    assert task["utilities"] == ["last_mean"] and task["start"] == {"kind": "none"}
    assert config["validate"] == config["tasks"]
    assert read_rule(tmp_path / "run").table.shape == Rule().table.shape


def test_tasks_of_a_file_are_trained_over(tmp_path):
    tasks = tmp_path / "tasks.json"
    tasks.write_text(json.dumps([{"env": ONE["env"], "env_kwargs": {"name": "gp"}, "horizon": 2}]))
    config = train(tmp_path / "run", tasks=str(tasks))
    assert config["tasks"]["tasks"][0]["env_kwargs"] == {"name": "gp"}


def test_it_begins_at_what_is_shipped_where_that_is_asked_for(tmp_path, monkeypatch):
    shipped = Rule().moved(3, {"final_first": 0.5})
    monkeypatch.setattr(command, "shipped_rule", lambda: shipped)
    config = train(tmp_path / "run", from_shipped=True, **ONE)
    assert config["begin"] == shipped.table.tolist()
    assert train(tmp_path / "plain", **ONE)["begin"] == Rule().table.tolist()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"agent": "meta", "steps": 100}, "--steps: --agent meta takes"),
        ({"agent": "meta", "control": "exploration"}, "--control: --agent meta takes"),
        ({"agent": "exploration", "passes": 3}, "--passes: it goes with --agent meta"),
        ({"agent": "direct", "from_shipped": True}, "--from-shipped: it goes with --agent meta"),
    ],
)
def test_flags_of_other_agents_are_refused(tmp_path, flags, message):
    with pytest.raises(ValueError, match=message):
        main(Args(out=tmp_path / "run", **flags))
    assert not (tmp_path / "run").exists()
