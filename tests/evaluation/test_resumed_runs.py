"""Stopping and going on: what is kept, what is played again, and what makes a cell another one."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import replace

import pandas as pd
import pytest
from small_runs import ENV, PLAN, text, write_policy

from ombo_gym.evaluation.cells import Cell
from ombo_gym.evaluation.identity import fingerprint
from ombo_gym.evaluation.methods import methods
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from ombo_gym.problems.biology.tf_binding import TFBinding


@pytest.fixture
def cells(kept, tmp_path):
    """A folder of finished cells to do with as one likes."""
    return shutil.copytree(kept.folder, tmp_path / "cells")


def test_a_resumed_run_plays_what_is_missing_and_nothing_else(kept, cells, played):
    files = sorted(file for file in cells.glob("*.json") if not file.name.startswith("best-"))
    for file in files[::3]:
        file.unlink()
    again = run(PLAN, folder=cells, resume=True)
    assert sorted(f"{cell.key}.json" for cell in played) == [file.name for file in files[::3]]
    assert len({cell.key for cell in played}) == len(played)
    assert text(again.campaigns) == text(kept.results.campaigns)
    assert text(again.exploration) == text(kept.results.exploration)
    played.clear()
    resumed = run(PLAN, folder=cells, resume=True)
    assert not played
    pd.testing.assert_frame_equal(resumed.campaigns, kept.results.campaigns)  # to the last digit


def test_a_run_that_is_not_resumed_plays_everything_and_leaves_others_cells_alone(cells, played):
    before = {file.name for file in cells.iterdir()}
    run(replace(PLAN, policies=("random",), horizons=(1,)), folder=cells)
    assert len(played) == 3
    assert {file.name for file in cells.iterdir()} == before


def test_what_a_killed_run_was_writing_is_swept_up_and_what_another_writes_is_not(tmp_path):
    for name, age in (("dead.tmp", 7200), ("alive.tmp", 60)):
        (tmp_path / name).write_text("{")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    run(replace(PLAN, policies=("random",), horizons=(1,)), folder=tmp_path)
    assert [file.name for file in tmp_path.glob("*.tmp")] == ["alive.tmp"]


def edited(file, change):
    tables = json.loads(file.read_text())
    file.write_text(json.dumps(change(tables)))


DAMAGES = {
    "truncated": lambda file: file.write_text(file.read_text()[: file.stat().st_size // 2]),
    "empty": lambda file: file.write_text(""),
    "no text": lambda file: file.write_bytes(b"\xff\x00\xfe"),
    "a list": lambda file: file.write_text("[]"),
    "a string": lambda file: file.write_text('"columns"'),
    "a part is missing": lambda file: edited(file, lambda t: {"columns": t["columns"]}),
    "a part is a number": lambda file: edited(file, lambda t: {**t, "columns": 3}),
    "a part is text": lambda file: edited(file, lambda t: {**t, "weights": "a,b"}),
    "a campaign is missing": lambda file: edited(
        file, lambda t: {**t, "columns": {k: v[:-1] for k, v in t["columns"].items()}}
    ),
    "a number is missing": lambda file: edited(
        file, lambda t: {**t, "columns": {**t["columns"], "value": [1.0]}}
    ),
    "an instance is missing": lambda file: edited(
        file, lambda t: {**t, "instances": t["instances"][1:]}
    ),
    "an instance is no whole number": lambda file: edited(
        file, lambda t: {**t, "instances": ["x" for _ in t["instances"]]}
    ),
    "an instance is too large": lambda file: edited(
        file, lambda t: {**t, "instances": [2**64 for _ in t["instances"]]}
    ),
    "no columns": lambda file: edited(file, lambda t: {**t, "columns": {}}),
}


def test_damaged_files_are_played_again(kept, cells, played):
    """Each damage to a file of its own."""
    files = sorted(each for each in cells.glob("*.json") if not each.name.startswith("best-"))
    files = files[: len(DAMAGES)]
    for file, damage in zip(files, DAMAGES.values(), strict=True):
        damage(file)
    again = run(PLAN, folder=cells, resume=True)
    found = {f"{cell.key}.json" for cell in played}
    assert found <= {file.name for file in files}
    accepted = [name for name, file in zip(DAMAGES, files, strict=True) if file.name not in found]
    assert not accepted
    assert text(again.campaigns) == text(kept.results.campaigns)
    assert text(again.exploration) == text(kept.results.exploration)
    played.clear()
    run(PLAN, folder=cells, resume=True)
    assert not played  # the files are whole again


@pytest.mark.parametrize("control", ["exploration", "designs"])
def test_a_resumed_run_inside_a_control_has_the_same_tables(control, tmp_path):
    plan = replace(PLAN, policies=("ucb", "greedy"), campaigns=4, env_kwargs={"control": control})
    first = run(plan, folder=tmp_path)
    resumed = run(plan, folder=tmp_path, resume=True)
    assert first.campaigns["distinct"].isna().all() == (control == "exploration")
    pd.testing.assert_frame_equal(resumed.campaigns, first.campaigns)
    assert text(resumed.exploration) == text(first.exploration)


def test_names_that_look_like_numbers_or_nothing_survive_the_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["007", "NA", "true", "1e3"]
    for i, name in enumerate(names):
        write_policy(tmp_path / name, seed=i)
    plan = EvaluationPlan(env=ENV, policies=names, horizons=[2], campaigns=3)
    first = run(plan, folder=tmp_path / "cells")
    resumed = run(plan, folder=tmp_path / "cells", resume=True)
    assert list(dict.fromkeys(resumed.campaigns["policy"])) == names
    pd.testing.assert_frame_equal(resumed.campaigns, first.campaigns)


# --- what makes a cell another one -------------------------------------------------------------


def test_other_weights_in_the_same_folder_are_played_anew(tmp_path, played):
    trained = write_policy(tmp_path / "runs" / "one", seed=0)
    plan = EvaluationPlan(env=ENV, policies=["ucb", str(trained)], horizons=[1], campaigns=3)
    run(plan, folder=tmp_path / "cells")
    before = fingerprint(str(trained), ENV)
    shutil.rmtree(trained)
    write_policy(trained, seed=1)
    assert fingerprint(str(trained), ENV) != before
    played.clear()
    run(plan, folder=tmp_path / "cells", resume=True)
    assert [cell.policy for cell in played] == [str(trained)]
    shutil.rmtree(trained)
    write_policy(trained, seed=0)
    assert fingerprint(str(trained), ENV) == before


def test_runs_that_differ_in_their_training_seed_alone_are_one_method(tmp_path):
    def trained(name, **config):
        write_policy(tmp_path / name, seed=0)
        file = tmp_path / name / "config.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **config}))
        return str(tmp_path / name)

    a, b = (trained(f"gp-{seed}", steps=10, seed=seed, seconds=seed + 0.5) for seed in (0, 1))
    longer, alone = trained("gp-2", steps=20, seed=2), trained("other", steps=30, seed=0)
    unseeded = [trained(name, steps=40) for name in ("x", "y")]
    found = methods(["ucb", a, longer, b, alone, *unseeded])
    assert found == {
        **{name: name for name in ("ucb", longer, alone, *unseeded)},
        **{name: str(tmp_path / "gp-*") for name in (a, b)},
    }
    twice = [trained(name, steps=20, seed=seed) for seed, name in enumerate(["gp-3", "gp-4"])]
    names = methods([a, b, *twice])
    assert names[a] == names[b] != names[twice[0]] == names[twice[1]]


def test_every_field_of_a_cell_is_part_of_its_key():
    cell = Cell(ENV, "random", "true", 1, 4, "best", 5, 0, 6)
    changes = {
        "env": "Ombo/TFBind8-v0",
        "policy": "ucb",
        "horizon_shown": "one",
        "horizon": 2,
        "batch_size": 5,
        "utility": "total",
        "seed": 6,
        "first": 1,
        "campaigns": 7,
        "env_kwargs": '{"dim": 3}',
        "maker": "elsewhere:make",
        "fingerprint": "f",
    }
    # But how a utility of one's own is found again, which its name and the fingerprint stand for.
    assert set(changes) | {"utility_class"} == set(cell.__dataclass_fields__)
    keys = {replace(cell, **{name: value}).key for name, value in changes.items()}
    assert len(keys | {cell.key}) == len(changes) + 1
    assert cell.key == replace(cell).key


def test_the_order_of_the_environment_s_arguments_does_not_matter():
    one, other = (
        EvaluationPlan(env=ENV, policies=["random"], horizons=[1], env_kwargs=kwargs).cells()
        for kwargs in ({"dim": 1, "noise_std": 0.1}, {"noise_std": 0.1, "dim": 1})
    )
    assert [cell.key for cell in one] == [cell.key for cell in other]


def test_a_changed_source_file_of_an_own_policy_changes_the_fingerprint(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for step in ("0.1", "0.77", "0.1"):
        (tmp_path / "own_policy_file.py").write_text(f"STEP = {step}\n")
        found.append(fingerprint("own_policy_file:Mine", ENV))
    assert found[0] == found[2] != found[1]


def test_the_tables_that_values_come_from_are_part_of_what_is_kept(tmp_path, played, monkeypatch):
    table = tmp_path / "table.npz"
    table.write_bytes(b"measured")
    monkeypatch.setattr(TFBinding, "sources", (table,))
    plan = EvaluationPlan(env="Ombo/TFBinding-v0", policies=["random"], horizons=[1], campaigns=2)
    for content, plays in ((b"measured", 1), (b"measured", 0), (b"measured again", 1)):
        table.write_bytes(content)
        played.clear()
        run(plan, folder=tmp_path / "cells", resume=True)
        assert len(played) == plays
