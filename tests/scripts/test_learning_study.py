"""The study of what can be learned, in small, and what the page says of made-up curves."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest

from ombo_gym.evaluation.held_out import returns
from scripts.studies.learning import plan
from scripts.studies.learning.page import reading, summary
from scripts.studies.learning.settings import REWARDS, SETTINGS, Setting

SMALL = Setting("Ombo/GP-v0", "exploration", "last_mean", "plain", steps=128)
DESIGNS = replace(SMALL, control="designs", utility="best")


def test_settings_are_all_different_and_train_whole_updates() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS) > 15
    assert {setting.reward for setting in SETTINGS} == set(REWARDS)
    assert {setting.control.partition(":")[0] for setting in SETTINGS} == {
        *("exploration", "candidates", "designs"),
    }
    for setting in SETTINGS:
        assert setting.steps % (plan.NUM_ENVS * plan.ROUNDS) == 0
        env_kwargs = dict(setting.env_kwargs)
        spec = gym.make(setting.env, horizon=3, utility=setting.utility, **env_kwargs)
        assert spec.unwrapped.campaign_spec.horizon == 3


@pytest.mark.parametrize("reward", REWARDS)
def test_rewards_return_the_utility_or_the_score(reward: str) -> None:
    pool = {"start": {"kind": "random", "size": 8}, "surrogate": {"kernel": "isotropic"}}
    setting = Setting("Ombo/CrossedBarrel-v0", "exploration", "last_mean", reward, pool)
    envs = setting.make(3)
    found = returns(envs, lambda seen: np.zeros((3, 2), np.float32), seed=0)
    plain = replace(setting, reward="score" if "score" in reward else "plain").make(3)
    expected = returns(plain, lambda seen: np.zeros((3, 2), np.float32), seed=0)
    if reward == "clipped score":
        assert expected.min() < -1
        expected = np.maximum(expected, -1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_it_runs_end_to_end_and_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "SETTINGS", (SMALL, DESIGNS))
    monkeypatch.setattr(plan, "SEEDS", (0, 1))
    monkeypatch.setattr(plan, "NUM_ENVS", 4)
    monkeypatch.setattr(plan, "POINTS", 2)
    args = plan.Args(tmp_path / "docs", tmp_path / "runs", jobs=1, resume=True, campaigns=4)
    study = import_module("scripts.studies.learning").STUDY
    study.run(args)
    page = (tmp_path / "docs" / "learning.md").read_text()
    assert "2 seeds" in page and page.count("| `Ombo/GP-v0` |") == 2 and "nan" not in page
    assert (tmp_path / "docs" / "learning.png").stat().st_size > 3_000
    curves = pd.read_csv(tmp_path / "docs" / "learning.csv")
    assert len(curves) == 2 * 2 * 3 and set(curves["rounds"]) == {0, 64, 128}
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "runs").rglob("*.csv")}
    assert len(kept) == 4
    min(kept).unlink()
    study.run(args)
    after = {file: file.stat().st_mtime_ns for file in kept}
    assert sum(after[file] != kept[file] for file in kept) == 1
    assert (tmp_path / "docs" / "learning.md").read_text() == page, "training is a pure function"


def test_what_is_learned_is_above_chance_and_above_its_own_start() -> None:
    rows = [
        (reward, seed, rounds, gain, low, own_low)
        for reward, finals in {
            "plain": ((1.0, 0.5, 0.2), (1.0, 0.5, 0.1), (2.0, 1.0, 0.2)),
            "dense": ((1.0, 0.5, -0.2), (1.0, -0.5, 0.1), (0.5, 0.1, 0.1)),
        }.items()
        for seed, (gain, low, own_low) in enumerate(finals)
        for rounds, gain, low, own_low in ((0, -1.0, -2.0, np.nan), (64, gain, low, own_low))
    ]
    names = ["reward", "seed", "rounds", "gain", "gain_low", "own_low"]
    same = {"problem": "GP", "control": "exploration", "utility": "best", "spread": 0.5}
    found = summary(pd.DataFrame(rows, columns=names).assign(**same)).set_index("reward")
    assert found["learned"].to_dict() == {"plain": 3, "dense": 1}
    assert found.loc["plain", ["start", "gain", "least", "most"]].tolist() == pytest.approx(
        [-2.0, 8 / 3, 2.0, 4.0]
    )
    text = reading(found.reset_index())
    assert "`exploration`: learned in every seed in 1 of 2 settings" in text
    assert "plain +2.67, dense +1.67" in text
