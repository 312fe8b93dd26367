"""Evaluation runs: the same campaigns however they are cut up, stopped, resumed or told."""

from __future__ import annotations

import json
import os
import shutil
import time
import zlib
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest
import torch

import ombo_agents
from ombo_agents.learned.storage import build_network, save
from ombo_gym.evaluation import run as run_module
from ombo_gym.evaluation.cells import SEEDS, WEIGHT, Cell, play
from ombo_gym.evaluation.identity import fingerprint
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.methods import methods
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from ombo_gym.problems.biology.tf_binding import TFBinding
from ombo_gym.spec import campaign_spec

ENV = "Ombo/GP-v0"
POLICIES = ("random", "ucb", "explore_then_exploit", "thompson")
PLAN = EvaluationPlan(env=ENV, policies=POLICIES, horizons=(1, 3), campaigns=11, seed=40, block=4)
COLUMNS = [
    *("env", "env_kwargs", "policy", "method", "told_horizon", "horizon", "batch_size", "utility"),
    *("campaign", "seed", "instance", "value", "best_value", "distinct", "model_queries"),
]


@pytest.fixture(scope="module")
def results():
    return run(PLAN)


@pytest.fixture
def trained(tmp_path):
    """A folder as training leaves it, with weights that nobody has trained."""
    return write_policy(tmp_path / "runs" / "one", seed=0)


def write_policy(folder, seed):
    torch.manual_seed(seed)
    network = build_network("exploration", campaign_spec(gym.make(ENV)), [4])
    save(folder, network, {"agent": "exploration", "hidden": [4]})
    return folder


def text(table):
    return table.to_csv(index=False)


@pytest.fixture
def played(monkeypatch):
    """Every cell that is played from here on."""
    cells = []

    def recording(cell):
        cells.append(cell)
        return play(cell)

    monkeypatch.setattr(run_module, "play", recording)
    return cells


def test_there_is_a_row_for_every_policy_horizon_campaign_and_word_in_the_plan_s_order(results):
    table = results.campaigns
    assert list(table) == COLUMNS
    assert len(table) == 2 * 4 * 2 * 11
    order = list(dict.fromkeys(map(tuple, table[["told_horizon", "horizon", "policy"]].to_numpy())))
    assert order == [(t, n, p) for t in ("true", "one") for n in (1, 3) for p in POLICIES]
    for _, group in table.groupby(["told_horizon", "horizon", "policy"]):
        assert group["campaign"].tolist() == list(range(11))
        assert group["seed"].tolist() == list(range(40, 51))
        assert (group["utility"] == "best").all() and (group["batch_size"] == 4).all()
        assert (group["env"] == ENV).all()
    assert table["value"].notna().all() and (table["value"] >= 0).all()


@pytest.mark.parametrize("block", [1, 3, 11, 250])
def test_the_size_of_the_blocks_changes_nothing(block, results):
    again = run(replace(PLAN, block=block))
    assert text(again.campaigns) == text(results.campaigns)
    assert text(again.exploration) == text(results.exploration)


def test_two_processes_play_what_one_plays(results, tmp_path):
    again = run(PLAN, launch=Launch("loky", 2), folder=tmp_path)
    assert text(again.campaigns) == text(results.campaigns)
    assert text(again.exploration) == text(results.exploration)
    resumed = run(PLAN, folder=tmp_path, resume=True)
    assert text(resumed.campaigns) == text(results.campaigns)


def test_more_campaigns_leave_the_first_ones_as_they_are(results):
    more = run(replace(PLAN, campaigns=13)).campaigns
    first = more[more["campaign"] < 11].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, results.campaigns)


def test_other_policies_beside_it_leave_a_policy_s_campaigns_as_they_are(results):
    alone = run(replace(PLAN, policies=("thompson",), horizons=(3,))).campaigns
    table = results.campaigns
    same = table[(table["policy"] == "thompson") & (table["horizon"] == 3)].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, same)


def test_all_policies_begin_with_the_same_start(results):
    """At N = 1 all know the same, and the best of a campaign contains the best of its start."""
    table = results.campaigns
    starts = table["best_value"] - table["value"]  # utility "best" counts from the start's best
    for _, group in table.assign(start=starts).groupby("campaign"):
        np.testing.assert_allclose(group["start"], group["start"].iloc[0], atol=1e-12)


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("utility", ["best", "last_mean"])
def test_a_value_is_what_the_single_env_of_that_seed_pays_played_by_hand(name, utility):
    plan = EvaluationPlan(
        env=ENV,
        policies=[name],
        horizons=[3],
        utilities=[utility],
        batch_size=2,
        campaigns=5,
        seed=17,
        told=["true"],
        env_kwargs={"noise_std": 0.1},
    )
    values = run(plan).campaigns["value"]
    env = gym.make(ENV, horizon=3, batch_size=2, utility=utility, noise_std=0.1)
    policy = ombo_agents.make(name, env)
    for campaign in range(5):
        rng = np.random.default_rng([17, campaign, zlib.crc32(name.encode())])
        observation, _ = env.reset(seed=17 + campaign)
        over, total = False, 0.0
        while not over:
            batch = {key: array[None] for key, array in observation.items()}
            observation, reward, over, _, info = env.step(policy.act(batch, [rng])[0])
            total += reward
        assert values[campaign] == info["utility"] == pytest.approx(total)


def test_what_a_policy_draws_follows_from_seed_campaign_and_policy_alone():
    def of(**changes):
        cell = Cell(ENV, "random", "true", 1, 4, "last_mean", 5, 0, 6)
        return play(replace(cell, **changes)).columns["value"]

    np.testing.assert_array_equal(of(), of(horizon_shown="one"))
    np.testing.assert_array_equal(of()[2:], of(first=2, campaigns=4))
    assert (of(utility="last_max") > of()).all()  # of the same batches, however they are scored
    assert (of() != of(policy="sobol")).all()
    # Another seed for the same campaigns: the objectives stay, the draws are others.
    assert (of(seed=6)[:5] != of()[1:]).all()


def make_myopic(name, spec):
    return ombo_agents.Myopic(ombo_agents.make(name, spec))


@pytest.mark.parametrize("name", POLICIES)
def test_rows_told_one_are_what_the_myopic_policy_plays(name, results):
    """Those derived for policies that do not listen, and those that were played."""
    table = results.campaigns
    for horizon in (1, 3):
        cell = Cell(
            ENV, name, "true", horizon, 4, "best", 40, 0, 11, maker=f"{__name__}:make_myopic"
        )
        expected = play(cell).columns["value"]
        as_last_round = table[
            (table["policy"] == name)
            & (table["told_horizon"] == "one")
            & (table["horizon"] == horizon)
        ]
        np.testing.assert_array_equal(as_last_round["value"], expected)


def test_what_is_told_changes_nothing_but_for_who_listens_and_has_more_than_one_round(results):
    table = results.campaigns.set_index(["told_horizon", "policy", "horizon"])["value"]
    for name in POLICIES:
        for horizon in (1, 3):
            same = np.array_equal(table["true", name, horizon], table["one", name, horizon])
            assert same == (horizon == 1 or name != "explore_then_exploit")


def test_policies_that_do_not_listen_are_played_once(played):
    run(replace(PLAN, horizons=(2,), block=11))
    assert sorted((cell.policy, cell.horizon_shown) for cell in played) == sorted(
        [*((name, "true") for name in POLICIES), ("explore_then_exploit", "one")]
    )


@pytest.mark.parametrize("told", [("one",), ("true",), ("one", "true")])
def test_any_words_can_be_told_in_any_order(told, results):
    again = run(replace(PLAN, told=told))
    assert list(dict.fromkeys(again.campaigns["told_horizon"])) == list(told)
    for word in told:
        table, expected = (
            each[each["told_horizon"] == word].reset_index(drop=True)
            for each in (again.campaigns, results.campaigns)
        )
        pd.testing.assert_frame_equal(table, expected)
    assert set(again.exploration["policy"]) == {"ucb", "explore_then_exploit"}


def test_the_mean_weights_of_a_schedule_are_its_own(results):
    key = ["policy", "told_horizon", "horizon", "round"]
    weights = results.exploration.set_index(key).sort_index()
    mean = weights["weight_mean"]
    np.testing.assert_allclose(mean["explore_then_exploit", "true", 3], [2, 1, 0], atol=1e-5)
    np.testing.assert_allclose(mean["explore_then_exploit", "one", 3], [0, 0, 0], atol=1e-5)
    np.testing.assert_allclose(mean["ucb", "true", 3], [2, 2, 2], atol=1e-5)
    np.testing.assert_allclose(weights["weight_first"], weights["weight_last"])
    assert not weights.index.duplicated().any()


def test_mean_weights_are_means_over_campaigns_whatever_the_blocks(trained):
    plan = EvaluationPlan(env=ENV, policies=[str(trained)], horizons=[2], campaigns=7, block=3)
    weights = run(plan).exploration
    cell = plan.cells()[0]
    whole = play(replace(cell, campaigns=7)).weights
    mine = weights[weights["told_horizon"] == "true"]
    np.testing.assert_allclose(
        mine[["weight_first", "weight_last", "weight_mean"]], whole * WEIGHT / 7
    )


# --- stopping and going on --------------------------------------------------------------------


def test_a_resumed_run_plays_what_is_missing_and_nothing_else(results, tmp_path, played):
    run(PLAN, folder=tmp_path)
    files = sorted(tmp_path.glob("*.json"))
    assert len(files) == len(played) == len({cell.key for cell in played})
    for file in files[::3]:
        file.unlink()
    played.clear()
    again = run(PLAN, folder=tmp_path, resume=True)
    assert sorted(f"{cell.key}.json" for cell in played) == [file.name for file in files[::3]]
    assert text(again.campaigns) == text(results.campaigns)
    assert text(again.exploration) == text(results.exploration)
    played.clear()
    run(PLAN, folder=tmp_path, resume=True)
    assert not played


def test_a_run_that_is_not_resumed_plays_everything_and_leaves_others_cells_alone(tmp_path, played):
    small = replace(PLAN, policies=("random",), horizons=(1,))
    run(PLAN, folder=tmp_path)
    before = {file.name for file in tmp_path.iterdir()}
    played.clear()
    run(small, folder=tmp_path)
    assert len(played) == 3
    assert {file.name for file in tmp_path.iterdir()} == before


def test_what_a_killed_run_was_writing_is_swept_up_and_what_another_writes_is_not(tmp_path):
    for name, age in (("dead.tmp", 7200), ("alive.tmp", 60)):
        (tmp_path / name).write_text("{")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    run(replace(PLAN, horizons=(1,)), folder=tmp_path)
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


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_played_again(damage, results, tmp_path, played):
    run(PLAN, folder=tmp_path)
    file = sorted(tmp_path.glob("*.json"))[2]
    DAMAGES[damage](file)
    played.clear()
    again = run(PLAN, folder=tmp_path, resume=True)
    assert [f"{cell.key}.json" for cell in played] == [file.name]
    assert text(again.campaigns) == text(results.campaigns)
    assert text(again.exploration) == text(results.exploration)
    played.clear()
    run(PLAN, folder=tmp_path, resume=True)
    assert not played  # the file is whole again


@pytest.mark.parametrize("control", ["exploration", "designs"])
def test_a_resumed_run_inside_a_control_has_the_same_tables(control, tmp_path):
    plan = replace(PLAN, policies=("ucb", "greedy"), env_kwargs={"control": control})
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


def test_what_is_kept_is_read_back_to_the_last_digit(results, tmp_path):
    resumed = (run(PLAN, folder=tmp_path), run(PLAN, folder=tmp_path, resume=True))[1]
    pd.testing.assert_frame_equal(resumed.campaigns, results.campaigns)


# --- trained policies -------------------------------------------------------------------------


def test_a_trained_policy_s_folder_is_a_policy_s_name(trained):
    plan = EvaluationPlan(env=ENV, policies=["greedy", str(trained)], horizons=[1, 2], campaigns=3)
    results = run(plan)
    assert set(results.campaigns["policy"]) == {"greedy", str(trained)}
    table = results.campaigns.set_index(["policy", "told_horizon", "horizon"])["value"]
    assert np.array_equal(table[str(trained), "true", 1], table[str(trained), "one", 1])
    assert len(results.exploration[results.exploration["policy"] == str(trained)]) == 3 + 2


def test_other_weights_in_the_same_folder_are_played_anew(trained, tmp_path, played):
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
    assert set(changes) == set(cell.__dataclass_fields__)
    keys = {replace(cell, **{name: value}).key for name, value in changes.items()}
    assert len(keys | {cell.key}) == len(changes) + 1
    assert cell.key == replace(cell).key


def test_the_order_of_the_environment_s_arguments_does_not_matter():
    one, other = (
        EvaluationPlan(env=ENV, policies=["random"], horizons=[1], env_kwargs=kwargs).cells()
        for kwargs in ({"dim": 1, "noise_std": 0.1}, {"noise_std": 0.1, "dim": 1})
    )
    assert [cell.key for cell in one] == [cell.key for cell in other]


# --- what is refused, before anything is played -----------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"policies": []}, "policies: expected at least one"),
        ({"policies": ["ucb", "ucb"]}, "policies: .*each once"),
        ({"horizons": []}, "horizons: expected at least one"),
        ({"utilities": []}, "utilities: expected at least one"),
        ({"told": ["true", "false"]}, "told: expected 'true', 'one' or both"),
        ({"campaigns": 0}, "at least 1 campaign"),
        ({"seed": -1}, "seeds from 0 below 2147483648"),
        ({"seed": SEEDS - 10}, "seeds from 0 below 2147483648"),
        ({"env_kwargs": {"dim": 1, "utility": "total"}}, "env_kwargs: .*'utility'.*utilities"),
        ({"block": 0}, "block: expected at least 1"),
        ({"block": -4}, "block: expected at least 1"),
    ],
)
def test_a_plan_that_cannot_be_played_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(PLAN, **changes)
    assert replace(PLAN, seed=SEEDS - 11).cells()[-1].campaigns == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"policies": ("random", "gredy")}, r"expected one of \['random', .*'gredy'"),
        ({"utilities": ("best", "wurst")}, r"utility: expected one of \['auc', 'best', .*'wurst'"),
        ({"horizons": (3, 0)}, "horizon: expected a whole number of at least 1"),
        ({"batch_size": 0}, "batch_size: expected a whole number of at least 1"),
        ({"env": "Ombo/TFBind8-v0", "policies": ("random", "sobol")}, "sobol does not suit"),
        ({"env_kwargs": {"start": {"kind": "pervcentile"}}}, "start: expected"),
    ],
)
def test_mistakes_show_before_anything_is_played(changes, message, played, tmp_path):
    with pytest.raises(ValueError, match=message):
        run(replace(PLAN, **changes), folder=tmp_path / "cells")
    assert not played and not (tmp_path / "cells").exists()


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


@pytest.mark.parametrize("key", ["num_envs", "autoreset_mode"])
def test_what_the_evaluation_sets_itself_is_refused(key):
    with pytest.raises(ValueError, match=key):
        replace(PLAN, env_kwargs={key: 2})


def test_what_policies_ask_their_own_models_is_counted_over_all_rounds():
    plan = EvaluationPlan(
        env="Ombo/TFBind8-v0",
        policies=["ensemble_greedy:hidden=8;members=2;epochs=1", "random"],
        horizons=[2],
        campaigns=2,
        told=["true"],
        env_kwargs={"start": {"kind": "percentile", "size": 16}},
    )
    asked = run(plan).campaigns.groupby("policy")["model_queries"].unique()
    assert asked["random"] == [0]
    assert asked[plan.policies[0]] == [2 * 4**8]
