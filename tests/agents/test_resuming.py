"""An interrupted and resumed training run is the uninterrupted one, to the bit."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from ombo_agents.cli import train as command
from ombo_agents.learned.training import SETTINGS, steps_of, training_seconds
from tests.agents.training_cases import (
    RUNS,
    SMALL,
    Stops,
    killed,
    left,
    refuse_to_unpickle,
    run,
)

NAME = "exploration"


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What each of the runs leaves, trained when it is asked for."""
    folder, found = tmp_path_factory.mktemp("uninterrupted"), {}

    def leaves(name, **changes):
        key = repr((name, changes))
        if key not in found:
            out = folder / str(len(found))
            run(name, out, **changes)
            found[key] = left(out)
        return found[key]

    return leaves


def interrupted(step, name, out, **changes):
    with pytest.raises(KeyboardInterrupt):
        run(name, out, callback=Stops(step), **changes)


# --- to the bit -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
def test_campaigns_of_every_kind_go_on_to_the_bit(name, uninterrupted, tmp_path):
    interrupted(8, name, tmp_path)
    interrupted(6, name, tmp_path, resume=True)
    assert not (tmp_path / "policy.safetensors").exists()
    run(name, tmp_path, resume=True)
    assert left(tmp_path) == uninterrupted(name)


@pytest.mark.parametrize("step", [0, 4, 5, 19])  # the first step, around an update, the last one
def test_the_moment_does_not_matter(step, uninterrupted, tmp_path):
    interrupted(step, NAME, tmp_path)
    run(NAME, tmp_path, resume=True)
    assert left(tmp_path) == uninterrupted(NAME)


def test_how_often_the_state_is_kept_does_not_matter(uninterrupted, tmp_path):
    interrupted(12, NAME, tmp_path, checkpoint_seconds=1e9)  # but for the beginning, never
    run(NAME, tmp_path, resume=True, checkpoint_seconds=1e9)
    assert left(tmp_path) == uninterrupted(NAME)


def test_what_else_draws_random_numbers_in_between_does_not_matter(uninterrupted, tmp_path):
    interrupted(12, NAME, tmp_path)
    np.random.default_rng().random()
    np.random.seed(99)  # noqa: NPY002
    torch.manual_seed(99)
    run(NAME, tmp_path, resume=True)
    assert left(tmp_path) == uninterrupted(NAME)


def kill_often(kills, tmp_path, expected, **changes):
    """Kills runs at random moments until so many kills hit; all that end are the same."""
    begun = time.monotonic()
    run(NAME, tmp_path / "timed", **changes)
    longest = time.monotonic() - begun
    out, rng, hits = tmp_path / "run", random.Random(kills), 0
    for attempt in range(20 * kills):
        resume = (out / "state.safetensors").exists()
        hits += killed(rng.uniform(0, longest), NAME, out, resume=resume, **changes)
        if hits == kills:
            break
        if (out / "policy.safetensors").exists():  # it was faster than all kills
            run(NAME, out, resume=True, **changes)  # the configuration may be missing
            assert left(out) == expected(NAME, **changes)
            out = tmp_path / f"run{attempt}"
    assert hits == kills, "nearly all runs ended before they were killed"
    run(NAME, out, resume=(out / "state.safetensors").exists(), **changes)
    assert left(out) == expected(NAME, **changes)
    assert not list(out.glob(".*"))  # nothing half-written stays


def test_a_run_that_is_killed_twice_goes_on_to_the_bit(uninterrupted, tmp_path):
    kill_often(2, tmp_path, uninterrupted)


@pytest.mark.slow
def test_a_run_that_is_killed_twenty_times_goes_on_to_the_bit(uninterrupted, tmp_path):
    kill_often(20, tmp_path, uninterrupted, settings=replace(SMALL[NAME], steps=8_000))


def test_timings_of_all_sittings_are_summed_up_beside_the_configuration(tmp_path):
    interrupted(12, NAME, tmp_path)
    config = run(NAME, tmp_path, resume=True)
    assert "seconds" not in json.loads((tmp_path / "config.json").read_text())
    assert training_seconds(tmp_path) == config["seconds"] > 0
    (tmp_path / "timings.json").unlink()
    assert training_seconds(tmp_path) == 0
    (tmp_path / "config.json").write_text(json.dumps({"seconds": 4.5}))  # of an earlier version
    assert training_seconds(tmp_path) == 4.5


def test_nothing_is_unpickled_and_the_export_is_not_looked_at(uninterrupted, tmp_path, monkeypatch):
    interrupted(12, NAME, tmp_path)
    (tmp_path / "model.zip").write_bytes(b"somebody else's")
    refuse_to_unpickle(monkeypatch)
    run(NAME, tmp_path, resume=True)
    assert left(tmp_path) == uninterrupted(NAME)


# --- what may not differ ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The folder of a run that was interrupted, and what it holds."""
    folder = tmp_path_factory.mktemp("begun")
    interrupted(12, NAME, folder)
    return folder, contents(folder)


def contents(folder):
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file: file.read_bytes() for file in files if "tensorboard" not in str(file)}


KWARGS = RUNS[NAME][2]
OTHERS = {
    "seed": ({"seed": 4}, ["seed was 3, now 4"]),
    "a horizon": (
        {"env_kwargs": {**KWARGS, "horizon": 3}},
        ["env_kwargs.horizon was [1, 3], now 3"],
    ),
    "one argument more": (
        {"env_kwargs": {**KWARGS, "noise_std": 0.5}},
        ["env_kwargs.noise_std was not given, now 0.5"],
    ),
    "one argument less": (
        {"env_kwargs": {"batch_size": [1, 3]}},
        ["env_kwargs.horizon was [1, 3], now not given"],
    ),
    "the utility": (
        {"env_kwargs": {**KWARGS, "utility": "total"}},
        ['env_kwargs.utility was not given, now "total"'],
    ),
    "the dimension, by which designs are others too": (
        {"env_kwargs": {**KWARGS, "dim": 3}},
        ["env_kwargs.dim was not given, now 3", "design_space was"],
    ),
    **{
        setting: (
            {"settings": replace(SMALL[NAME], **{setting: value})},
            [f"settings.{setting} was "],
        )
        for setting, value in {
            "num_envs": 9,
            "rounds_per_update": 6,
            "batch_size": 20,
            "epochs": 3,
            "learning_rate": 1e-3,
            "falls_to": 0.2,
            "gae_lambda": 0.9,
            "entropy": 0.1,
            "entropy_power": 2.0,
            "target_kl": 0.1,
            "log_std": 0.0,
            "hidden": (64,),
        }.items()
    },
    "several": (
        {"seed": 5, "settings": replace(SMALL[NAME], epochs=2)},
        ["seed was 3, now 5; settings.epochs was 1, now 2"],
    ),
    "fewer steps": (
        {"settings": replace(SMALL[NAME], steps=159)},
        ["begun with 160 steps", "got 159"],
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_other_arguments_are_refused_by_name_and_nothing_is_written(other, begun):
    folder, before = begun
    changes, named = OTHERS[other]
    with pytest.raises(ValueError, match="--resume: ") as caught:
        run(NAME, folder, resume=True, **changes)
    for each in (*named, str(folder)):
        assert each in str(caught.value)
    assert "\n" not in str(caught.value) and contents(folder) == before


def test_another_agent_or_environment_is_refused(begun):
    folder, before = begun
    with pytest.raises(ValueError, match='agent was "exploration", now "direct"'):
        run("a box", folder, resume=True)
    assert contents(folder) == before


def test_every_setting_is_compared_or_is_the_number_of_steps():
    compared = {other for other in OTHERS if other in vars(SMALL[NAME])}
    assert compared == set(vars(SMALL[NAME])) - {"steps"}


def test_a_problem_whose_values_have_changed_is_refused(tmp_path):
    table = tmp_path / "table.csv"
    arguments = {"env_kwargs": {"csv": str(table), "value": "y", "horizon": 3, "batch_size": 1}}

    def write(first):
        rows = "".join(f"{x},{first if x == 0 else x % 7}\n" for x in range(20))
        table.write_text("x,y\n" + rows)

    def training(**changes):
        from ombo_agents.learned.training import train

        settings = {"agent": "direct", "seed": 0, "settings": SMALL["direct"], **arguments}
        settings |= {"checkpoint_seconds": 0.0, "out": tmp_path / "run", **changes}
        return train("Ombo/Table-v0", **settings)

    write(3)
    with pytest.raises(KeyboardInterrupt):
        training(callback=Stops(12))
    write(300)
    with pytest.raises(ValueError, match="a table of it, has changed"):
        training(resume=True)
    write(3)
    training(resume=True)


def test_other_versions_are_named_in_a_warning(tmp_path, monkeypatch):
    interrupted(10, NAME, tmp_path)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0.1")
    with pytest.warns(UserWarning, match=r"--resume: .*torch .*, now 0\.0\.1"):
        run(NAME, tmp_path, resume=True)


def test_without_a_state_the_error_says_what_is_missing(tmp_path):
    (tmp_path / "model.zip").write_bytes(b"of an earlier version")
    with pytest.raises(FileNotFoundError, match=r"--resume: expected .*state\.safetensors.*begin"):
        run(NAME, tmp_path, resume=True)


# --- more steps -------------------------------------------------------------------------------


def test_more_steps_go_on_and_the_configuration_says_from_where(tmp_path):
    run(NAME, tmp_path)
    before = left(tmp_path)
    longer = replace(SMALL[NAME], steps=280)
    config = run(NAME, tmp_path, settings=longer, resume=True)
    assert config["steps"] == 280 and config["settings"]["steps"] == 280
    assert config["extended"] == [{"steps": 160, "played": 160}]
    assert PPO.load(tmp_path / "model.zip", device="cpu").num_timesteps == 280
    after = left(tmp_path)
    assert after[0] != before[0]
    done = run(NAME, tmp_path, resume=True)  # 160 steps are long past
    assert left(tmp_path) == after and done["settings"]["steps"] == 280


@pytest.mark.filterwarnings("ignore:rich is experimental")
def test_a_finished_run_is_left_as_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(SETTINGS, "exploration", replace(SMALL[NAME], steps=100))
    arguments = {"horizon": "1-3", "batch_size": 3, "out": tmp_path, "steps": 100}
    command.main(command.Args(**arguments))
    assert "--steps 100: rounded up to 120, in updates of 40" in capsys.readouterr().out
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}
    command.main(command.Args(**arguments, resume=True))
    assert "is finished already, with 120 rounds; more --steps go on" in capsys.readouterr().out
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")} == before
    (tmp_path / "config.json").unlink()  # as if it had been killed just before it was written
    command.main(command.Args(**arguments, resume=True))
    assert (tmp_path / "config.json").is_file()


def test_a_run_with_more_steps_can_be_interrupted_too(tmp_path):
    longer = replace(SMALL[NAME], steps=280)
    for name in ("whole", "interrupted"):
        run(NAME, tmp_path / name)
    run(NAME, tmp_path / "whole", settings=longer, resume=True)
    interrupted(7, NAME, tmp_path / "interrupted", settings=longer, resume=True)
    with pytest.raises(ValueError, match="begun with 280 steps and has played"):
        run(NAME, tmp_path / "interrupted", resume=True)
    run(NAME, tmp_path / "interrupted", settings=longer, resume=True)
    assert left(tmp_path / "interrupted") == left(tmp_path / "whole")


def test_a_resumed_run_goes_to_its_own_end_where_no_number_of_steps_is_given(
    tmp_path, monkeypatch, uninterrupted
):
    interrupted(12, NAME, tmp_path)
    assert steps_of(tmp_path) == 160
    asked = []

    def noted(*_, settings, **__):
        asked.append(settings.steps)
        return {"steps": 0, "seconds": 0.0, "new_steps": 0}

    monkeypatch.setattr("ombo_agents.learned.training.train", noted)
    for steps in (None, 500):
        command.main(command.Args(out=tmp_path, resume=True, steps=steps))
    assert asked == [160, 500]
    monkeypatch.setitem(SETTINGS, "exploration", replace(SMALL[NAME], steps=10**6))
    run(NAME, tmp_path, resume=True, settings=None)
    assert left(tmp_path) == uninterrupted(NAME)
