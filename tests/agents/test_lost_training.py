"""What training leaves when a network diverges, the disk is full or somebody presses Ctrl-C."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

import ombo_agents
import ombo_gym.files
from ombo_agents.cli import train as command
from ombo_agents.cli.arguments import report_errors
from ombo_agents.learned.callbacks import check_finite
from tests.agents.training_cases import RUNS, SMALL, Stops, left, run

NAME = "exploration"
FILES = ("policy.safetensors", "config.json", "state.safetensors", "model.zip", "timings.json")


LONGER = replace(SMALL[NAME], steps=200)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of a finished run, and of the same run with more steps."""
    folder = tmp_path_factory.mktemp("runs")
    run(NAME, folder / "finished")
    shutil.copytree(folder / "finished", folder / "longer")
    run(NAME, folder / "longer", settings=LONGER, resume=True)
    return folder


@pytest.fixture
def finished(runs, tmp_path):
    """A finished run, to be harmed, and what it holds."""
    folder = shutil.copytree(runs / "finished", tmp_path / "run")
    return folder, {name: (folder / name).read_bytes() for name in FILES}


class Poisons(Stops):
    """Puts NaN into a weight at a step of training."""

    def _on_step(self):
        self._left -= 1
        if self._left == 0:
            with torch.no_grad():
                self.model.policy.value_net.bias.fill_(self._error)
        return True


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(("value", "step"), [(np.nan, 7), (np.inf, 20)])  # 20: in the last update
def test_training_stops_when_weights_are_no_numbers_and_keeps_the_last_good_files(
    value, step, runs, tmp_path
):
    with pytest.raises(ValueError, match=r"training diverged: the weights .* are NaN") as caught:
        run(NAME, tmp_path, callback=Poisons(step, value))
    assert "learning_rate" in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "policy.safetensors").exists()
    run(NAME, tmp_path, resume=True)  # the poison was not kept
    assert left(tmp_path) == left(runs / "finished")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ["exploration", "a box", "a pool with noise"])
def test_a_learning_rate_that_is_far_too_large_ends_in_one_line(name, tmp_path):
    settings = replace(SMALL[RUNS[name][1]], learning_rate=1e30, steps=400, target_kl=None)
    with pytest.raises(ValueError, match="training diverged") as caught:
        run(name, tmp_path, settings=settings)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "policy.safetensors").exists()


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_no_number_stops_training_though_weights_are(loss, tmp_path):
    class Spoils(Stops):
        def _on_rollout_end(self):
            if self.num_timesteps > 80:
                train = self.model.train

                def spoilt():
                    train()
                    self.model.logger.record("train/value_loss", loss)

                self.model.train = spoilt

    with pytest.raises(ValueError, match="train/value_loss is "):
        run(NAME, tmp_path, callback=Spoils(10**9))


def test_a_model_that_is_well_is_let_go_on(finished):
    check_finite(PPO.load(finished[0] / "model.zip", device="cpu"))


# --- a full disk, Ctrl-C ------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("call", "error"),
    [("fsync", OSError(errno.ENOSPC, "No space left")), ("replace", KeyboardInterrupt())],
)
def test_what_goes_wrong_while_a_file_is_written_leaves_whole_ones(
    name, call, error, runs, finished, monkeypatch
):
    folder, before = finished
    original = getattr(os, call)

    def fail(*arguments):
        target = arguments[1] if call == "replace" else os.readlink(f"/dev/fd/{arguments[0]}")
        if name in str(target):
            raise error
        return original(*arguments)

    monkeypatch.setattr(ombo_gym.files.os, call, fail)
    with pytest.raises(type(error)) as caught:
        run(NAME, folder, settings=LONGER, resume=True)
    assert isinstance(error, KeyboardInterrupt) or name in str(caught.value)
    monkeypatch.undo()
    assert (folder / name).read_bytes() == before[name]
    PPO.load(folder / "model.zip", device="cpu")
    ombo_agents.make(str(folder), gym.make(RUNS[NAME][0]))
    run(NAME, folder, settings=LONGER, resume=True)
    assert left(folder) == left(runs / "longer")
    assert not list(folder.glob(".*"))


def test_ctrl_c_ends_the_command_in_one_line_that_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ombo_agents.learned.training.train", interrupted)
    with pytest.raises(SystemExit) as caught, report_errors():
        command.main(command.Args(out=tmp_path / "run"))
    assert caught.value.code == 128 + signal.SIGINT
    assert capsys.readouterr().err.count("\n") == 1
