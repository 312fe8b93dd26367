"""Recipes for libraries: each trains and is judged in small here, and learns where it is whole."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from types import ModuleType
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from ombo_gym.env import OneCampaignEnv
from ombo_gym.evaluation.held_out import FIRST_TRAINING_SEED, judge
from ombo_gym.vector_env import LockstepVectorEnv
from tests.commands import PATH, ROOT
from tests.envs.test_rllib import pins

FOLDER = ROOT / "docs" / "recipes"
RECIPES = {path.stem: path for path in sorted(FOLDER.glob("*.py"))}
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
# What a recipe needs beside the environments, and arguments with which it trains next to nothing.
SMALL: dict[str, tuple[str, dict[str, Any]]] = {
    "rllib_ppo": ("ray.rllib.algorithms.ppo", {"steps": 128, "num_envs": 8}),
    "sb3_contrib_maskable_ppo": ("sb3_contrib", {"steps": 128, "num_envs": 8}),
    "sb3_contrib_recurrent_ppo": ("sb3_contrib", {"steps": 128, "num_envs": 8}),
    "sb3_ppo_tasks": ("stable_baselines3", {"steps": 64, "num_envs": 4}),
    "sb3_sac_designs": ("stable_baselines3", {"steps": 64, "num_envs": 8}),
    "tianshou_ppo": ("tianshou", {"steps": 64, "num_envs": 4}),
    "torch_ppo": ("torch", {"updates": 1, "num_envs": 8, "rounds": 4, "minibatch": 16}),
    "torchrl_ppo": ("torchrl", {"frames": 128, "num_envs": 8}),
}


def why_not(name: str) -> str | None:
    """Why a recipe cannot run here; None: it can."""
    library = SMALL[name][0]
    if library.startswith("ray") and not gym.__version__.startswith("1.2."):
        return "RLlib needs gymnasium 1.2: see docs/recipes/README.md"
    return None if importlib.util.find_spec(library.split(".")[0]) else f"needs {library}"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, RECIPES[name])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def train(module: ModuleType) -> Any:
    """The policy before and after."""
    small = SMALL[module.__name__][1]
    if module.__name__ == "torch_ppo":
        return module.train(module.Args(**small))
    return module.train(0, **small)


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Those that campaigns are begun with."""
    noted: list[int] = []
    for shell in (LockstepVectorEnv, OneCampaignEnv):

        def note(self: Any, *, reset: Any = shell.reset, seed: Any = None, **rest: Any) -> Any:
            noted.extend([] if seed is None else np.ravel(seed).tolist())
            return reset(self, seed=seed, **rest)

        monkeypatch.setattr(shell, "reset", note)
    return noted


@pytest.mark.filterwarnings("ignore")  # libraries warn of their own when they are imported
@pytest.mark.parametrize("name", RECIPES)
def test_it_trains_on_campaigns_for_training_and_is_judged_on_others(
    name: str, seeds: list[int]
) -> None:
    if (reason := why_not(name)) is not None:
        pytest.skip(reason)
    module = load(name)
    untrained, trained = train(module)
    assert seeds and min(seeds) >= FIRST_TRAINING_SEED, seeds
    seeds.clear()
    found = judge(module.make_envs, trained, untrained, campaigns=8)
    assert seeds == [0, 0, 0]
    assert np.isfinite([*found.above_random, *found.above_untrained]).all()
    assert found.above_untrained.low < found.above_untrained.high, "training changed nothing"


@pytest.mark.filterwarnings("ignore")
def test_the_collector_of_torchrl_also_collects_from_an_environment_made_by_its_id() -> None:
    if (reason := why_not("torchrl_ppo")) is not None:
        pytest.skip(reason)
    module = load("torchrl_ppo")
    assert type(module.training_env(1)).__name__ == "GymEnv"
    module.train(0, frames=8, num_envs=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", RECIPES)
def test_it_learns(name: str, seed: int) -> None:
    """Above random actions and above its own untrained start on 500 held-out campaigns."""
    if (reason := why_not(name)) is not None:
        pytest.skip(reason)
    done = subprocess.run(
        [sys.executable, str(RECIPES[name]), "--seed", str(seed)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": PATH, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "it learned", done.stdout


def test_every_recipe_is_tried_here_and_stands_on_the_page() -> None:
    assert set(RECIPES) == set(SMALL)
    for name, path in RECIPES.items():
        text = path.read_text(encoding="utf-8")
        assert f"({path.name})" in PAGE, f"{path.name} is not on the page"
        lines = ast.get_docstring(ast.parse(text)) or ""
        commands = re.findall(r"^    (.+)$", lines, re.MULTILINE)
        assert commands[-1].endswith(f"python docs/recipes/{name}.py --seed 0")
        for command in commands[:-1]:  # how it is installed
            assert f"    {command}\n" in PAGE, f"{name}: {command}"


def test_the_recipe_of_one_file_is_short_and_needs_torch_alone() -> None:
    text = RECIPES["torch_ppo"].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    packages = {name.split(".")[0] for name in imported} - set(sys.stdlib_module_names)
    assert packages == {"gymnasium", "numpy", "ombo_gym", "torch"}


def test_constraints_of_tianshou_are_ours_but_for_what_it_holds_back() -> None:
    text = (ROOT / "constraints-tianshou.txt").read_text(encoding="utf-8")
    ours, tianshou = pins("constraints.txt"), pins("constraints-tianshou.txt")
    differing = {name for name in set(ours) & set(tianshou) if ours[name] != tianshou[name]}
    held = set(re.findall(r"^# held back by Tianshou: (\S+)$", text, re.MULTILINE))
    assert differing == held and {"pandas", "gymnasium", "torch", "tianshou"} <= set(tianshou)
