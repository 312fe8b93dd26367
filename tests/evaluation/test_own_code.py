"""Utilities, policies and problems of one's own, named `module:Class`, in an evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tyro
import yaml

from ombo_agents.cli import evaluate as command
from ombo_agents.cli.arguments import parse_env
from ombo_gym.evaluation import processes
from ombo_gym.evaluation.grid import read_grid
from ombo_gym.evaluation.identity import Identities, fingerprint
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run

UTILITY = """
from ombo_gym import Utility

class Hits(Utility):
    name = "{name}"
    def __init__(self, threshold):
        self.threshold = float(threshold)
    def gain(self, batch, best, rounds_left):
        return (batch > self.threshold).sum(axis=-1).astype(float)
    def level(self, utility, base, measurements):
        return utility / measurements
"""
POLICY = """
import numpy as np
from ombo_agents import DesignsPolicy

class Corner(DesignsPolicy):
    horizon_aware = False
    keeps_repeats = True
    def __init__(self, spec, *, at=0.0):
        super().__init__(spec)
        self.at = at
    def propose(self, observation, rngs, q):
        shape = (len(observation["rounds_left"]), q, *self.space.shape)
        return np.full(shape, self.at, self.space.dtype)
"""
PROBLEM = """
from ombo_gym import BoxDesigns, Problem

class Bowl(Problem):
    def __init__(self):
        self.design_space = BoxDesigns(2)
        self.start = {"kind": "none"}
    def draw(self, rngs):
        return {"top": 0.0 * rngs.random((2,))}
    def evaluate(self, instances, designs):
        return -((designs - instances["top"][:, None]) ** 2).sum(axis=-1)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where somebody works: modules are found in it, in every process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(processes, "_idle", [])  # others were begun elsewhere
    return tmp_path


def test_a_utility_of_ones_own_is_known_in_every_process(folder):
    (folder / "hits_apart.py").write_text(UTILITY.format(name="hits_apart"))
    plan = EvaluationPlan(
        "Ombo/GP-v0", ["random"], 1, "hits_apart:Hits:threshold=0.5", campaigns=4, told="true"
    )
    here, apart = run(plan), run(plan, launch=Launch("loky", 1))
    assert apart.errors.empty and here.campaigns.equals(apart.campaigns)
    assert set(apart.campaigns["utility"]) == {"hits_apart:threshold=0.5"}


def test_what_a_utility_of_ones_own_computes_is_part_of_what_is_kept(folder):
    """Its file was edited: the cells are to be played again; nobody else's are."""
    file = folder / "hits_edited.py"

    def found(own):
        return Identities().fingerprint("random", "Ombo/GP-v0", utility_class=own)

    file.write_text(UTILITY.format(name="hits_edited"))
    before = found("hits_edited:Hits")
    file.write_text(UTILITY.format(name="hits_edited").replace(">", "<"))
    assert found("hits_edited:Hits") != before
    assert found("") == fingerprint("random", "Ombo/GP-v0")


def test_the_class_of_a_utility_is_no_part_of_a_cells_key_by_itself():
    (cell,) = EvaluationPlan("Ombo/GP-v0", ["random"], 1, campaigns=1).cells()
    assert cell.utility_class == "" and replace(cell, utility_class="a:B").key == cell.key


def test_settings_of_ones_own_policy_stand_behind_its_class(folder):
    (folder / "corner.py").write_text(POLICY)
    (folder / "bowl.py").write_text(PROBLEM)
    names = ["corner:Corner:at=0.5", "corner:Corner"]
    args = tyro.cli(
        command.Args,
        args=[
            *("--policies", ",".join(names), "--env", "bowl:Bowl", "--horizons", "1"),
            *("--batch-size", "1", "--utility", "total", "--campaigns", "2", "--told", "true"),
        ],
    )
    for launch in (Launch(), Launch("loky", 1)):
        results = run(command.plans_of(args), launch=launch)
        assert results.errors.empty
        means = results.campaigns.groupby("policy")["value"].mean()
        assert means[names[0]] == pytest.approx(-0.5) and means[names[1]] == 0.0
        assert set(results.campaigns["env"]) == {"bowl:Bowl"}


def test_a_grid_names_own_classes_with_settings_where_it_is_allowed(folder):
    (folder / "corner_of_grid.py").write_text(POLICY)
    (folder / "bowl_of_grid.py").write_text(PROBLEM)
    entry = {"env": "bowl_of_grid:Bowl", "policies": ["corner_of_grid:Corner:at=0.5"]}
    file = folder / "grid.yaml"
    file.write_text(yaml.safe_dump({"horizons": 1, "campaigns": 1, "problems": [entry]}))
    with pytest.raises(ValueError, match="names code of its own"):
        read_grid(file)
    assert run(read_grid(file, allow_code=True)).errors.empty
    entry["env"], entry["policies"] = "Ombo/GP-v0", "corner_of_grid:Corner:at=0.5"
    file.write_text(yaml.safe_dump({"horizons": 1, "campaigns": 1, "problems": [entry]}))
    with pytest.raises(ValueError, match=r"policies: .*names code of its own"):
        read_grid(file)


def test_a_module_that_raises_is_refused_before_anything_is_played(folder):
    (folder / "broken_player.py").write_text("1 / 0\n")
    plan = EvaluationPlan("Ombo/GP-v0", ["broken_player:X"], 1, campaigns=1)
    with pytest.raises(ValueError, match="importing broken_player raised ZeroDivisionError"):
        run(plan)


def test_a_wrong_id_of_ones_own_lists_what_the_module_registers(folder):
    (folder / "bowl_registered.py").write_text(
        PROBLEM
        + "import gymnasium as gym\n"
        + "gym.register('My/Bowl-v0', entry_point='ombo_gym.env:CampaignEnv',"
        + " vector_entry_point='ombo_gym.vector_env:CampaignVectorEnv',"
        + " kwargs={'problem': 'bowl_registered:Bowl'})\n"
    )
    with pytest.raises(
        ValueError, match=r"--env: got .*expected one of bowl_registered:My/Bowl-v0, Om"
    ):
        parse_env("bowl_registered:My/Bowls-v0")
    with pytest.raises(ValueError, match=f"--env: .*'bowls'.*looked for in {folder}"):
        parse_env("bowls:My/Bowl-v0")
    (folder / "broken_bowl.py").write_text("1 / 0\n")
    with pytest.raises(ValueError, match="--env: importing broken_bowl raised ZeroDivisionError"):
        parse_env("broken_bowl:Bowl")
    with pytest.raises(ValueError, match="--env: problem: expected a class of problems"):
        parse_env("bowl_registered:BoxDesigns")
