"""What a learned prior was learnt from is marked as seen, of every policy that plays on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ombo_agents.learned.priors import shipped_prior
from ombo_gym.design_spaces import BoxDesigns
from ombo_gym.evaluation.cells import Cell
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from ombo_gym.evaluation.seen import SeenByTraining
from ombo_gym.problems.tuning.lcbench import SPLITS
from ombo_gym.tasks import problems_met, seen
from tests.surrogates.learned_cases import write_prior

LCBENCH = "Ombo/LCBench-v0"
EVERY = np.arange(len(SPLITS["all"]))
TRAIN = [name in SPLITS["train"] for name in SPLITS["all"]]


def flags(policy: str, env: str = LCBENCH, **arguments: Any) -> list[bool]:
    """Of a campaign on each instance of all data sets."""
    cell = Cell(env, policy, "true", 2, 4, "best", 0, 0, len(EVERY), json.dumps(arguments))
    found: list[bool] = SeenByTraining().campaigns(cell, EVERY).tolist()
    return found


def lcbench() -> dict[str, Any]:
    return {"kernel": "learned", "path": shipped_prior("lcbench")}


@pytest.mark.parametrize("policy", ["expected_improvement", "portfolio", "rollout:draws=4"])
def test_policies_that_play_on_a_prior_have_seen_what_it_was_learnt_from(policy: str) -> None:
    assert flags(policy, surrogate=lcbench()) == TRAIN
    assert not any(flags(policy, surrogate={"kernel": "fit"}))
    assert not any(flags(policy, "Ombo/Bandit-v0", surrogate=lcbench()))


def test_policies_that_use_no_surrogate_have_seen_nothing_but_through_a_control() -> None:
    for policy in ("random", "genetic"):
        assert not any(flags(policy, surrogate=lcbench()))
        for control in ("exploration", "candidates", {"kind": "candidates", "size": 16}):
            assert flags(policy, surrogate=lcbench(), control=control) == TRAIN


def test_a_policy_that_comes_trained_has_seen_its_training() -> None:
    assert flags("meta") == TRAIN  # of which ML-families-v0:train has all
    assert not any(flags("meta", "Ombo/MPSA-v0"))


def test_a_prior_that_is_not_there_or_does_not_tell_has_seen_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sheets").mkdir()
    text = json.dumps({"agent": "prior", "folder": "past"})  # of a laboratory's own campaigns
    (tmp_path / "sheets" / "config.json").write_text(text)
    for name in ("none", "sheets"):
        recipe = {"kernel": "learned", "path": str(tmp_path / name)}
        assert all(flags("greedy", surrogate=recipe))
        assert not any(flags("random", surrogate=recipe))
        assert f"{tmp_path / name}: what it was trained on" in capsys.readouterr().err


def test_a_run_that_was_trained_on_a_prior_has_met_what_that_was_learnt_from() -> None:
    test = (LCBENCH, {"split": "test"})
    train = (LCBENCH, {"split": "train"})
    tasks = [{"env": "Ombo/GP-v0"}]
    for config in (
        {"env": "Ombo/GP-v0", "env_kwargs": {"surrogate": lcbench()}},
        {"env": "Ombo/Tasks-v0", "env_kwargs": {"tasks": tasks, "surrogate": lcbench()}},
        {"tasks": tasks, "surrogate": lcbench()},
        {"tasks": [{"env": "Ombo/GP-v0", "env_kwargs": {"surrogate": lcbench()}}]},
    ):
        assert train in problems_met(config)
        assert seen(config, [train, test]) == [train]


def test_a_prior_that_was_trained_again_plays_its_cells_again_and_no_others(
    tmp_path: Path, played: list[Cell]
) -> None:
    plans = [
        EvaluationPlan(
            env="Ombo/GP-v0",
            policies=("greedy",),
            horizons=(1,),
            campaigns=2,
            env_kwargs={"dim": 2, "surrogate": {"kernel": "learned", "path": str(folder)}},
        )
        for folder in (tmp_path / "one", tmp_path / "other")
    ]
    for name in ("one", "other"):
        write_prior(tmp_path / name, BoxDesigns(2), "interp")
    run(plans, folder=tmp_path / "cells")
    assert {"one" in cell.env_kwargs for cell in played} == {True, False}
    played.clear()
    run(plans, folder=tmp_path / "cells", resume=True)
    assert not played
    write_prior(tmp_path / "one", BoxDesigns(2), "interp", noise=0.5)
    run(plans, folder=tmp_path / "cells", resume=True)
    paths = {json.loads(cell.env_kwargs)["surrogate"]["path"] for cell in played}
    assert paths == {str(tmp_path / "one")}
