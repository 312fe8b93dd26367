"""Folders of trained policies that somebody else has made: data that is looked at, and no more."""

from __future__ import annotations

import os
import signal

import gymnasium as gym
import pytest

from ombo_agents.learned.storage import build_network, save
from ombo_gym.evaluation.identity import fingerprint
from ombo_gym.evaluation.methods import methods
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from ombo_gym.spec import campaign_spec

ENV = "Ombo/GP-v0"


@pytest.fixture
def trained(tmp_path):
    network = build_network("exploration", campaign_spec(gym.make(ENV)), [4])
    save(tmp_path / "run", network, {"agent": "exploration", "hidden": [4], "seed": 0})
    return tmp_path / "run"


@pytest.fixture(autouse=True)
def no_waiting():
    """A test that waits for the end of a pipe fails instead."""
    signal.alarm(30)
    yield
    signal.alarm(0)


CONFIGS = {
    "nested": "[" * 100_000,
    "nested objects": '{"a":' * 100_000,
    "a number": "3",
    "null": "null",
    "a list": '["seed"]',
    "a text": '"seed"',
    "digits": "1" * 5000,
    "no text": b"\xff\xfe",
    "empty": "",
    "a wrong kind": '{"agent": ["exploration"], "hidden": {"a": 1}, "seed": 0}',
    "another agent": '{"agent": "os:system", "hidden": [4], "seed": 0}',
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_that_is_none_is_one_clear_error(name, trained):
    text = CONFIGS[name]
    (trained / "config.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert methods([str(trained), "ucb"]) == {str(trained): str(trained), "ucb": "ucb"}
    plan = EvaluationPlan(ENV, [str(trained)], [1], campaigns=1)
    with pytest.raises(ValueError, match=r"config\.json") as refused:
        run(plan)
    assert len(str(refused.value)) < 1000 and "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["config.json", "other.safetensors"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_pipes_folders_and_devices_in_a_run_s_folder_are_not_read(name, kind, trained):
    (trained / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(trained / name)
    elif kind == "folder":
        (trained / name).mkdir()
    else:
        (trained / name).symlink_to("/dev/zero")
    plan = EvaluationPlan(ENV, [str(trained)], [1], campaigns=1)
    if name == "config.json":
        with pytest.raises(
            ValueError,
            match="policy: expected the folder of a trained",
        ):
            run(plan)
    else:
        assert fingerprint(str(trained), ENV)
        assert len(run(plan).campaigns) == 2


def test_code_that_lies_in_a_run_s_folder_is_never_run(trained, tmp_path, monkeypatch):
    """Names by which Python finds code by itself, and a pickle, beside the weights."""
    mark = f"open({str(tmp_path / 'marked')!r}, 'w')"
    for name in ("__init__.py", "config.py", "sitecustomize.py", "policy.py"):
        (trained / name).write_text(mark)
    (trained / "model.zip").write_bytes(b"cos\nsystem\n(S'touch marked'\ntR.")
    monkeypatch.chdir(tmp_path)
    assert len(run(EvaluationPlan(ENV, ["run"], [1], campaigns=1)).campaigns) == 2
    assert not (tmp_path / "marked").exists()
