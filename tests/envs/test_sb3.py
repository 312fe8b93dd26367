"""stable-baselines3 trains on the environments as they are: nothing of it is patched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import SubprocVecEnv

import ombo_gym
from ombo_agents.learned.sb3_env import SB3VecEnv

ENV = "Ombo/GP-v0"
SMALL = {"n_steps": 16, "batch_size": 16, "device": "cpu"}


def test_trains_where_an_environment_lives_in_another_process() -> None:
    env = make_vec_env(f"ombo_gym:{ENV}", n_envs=1, vec_env_cls=SubprocVecEnv)
    assert PPO("MultiInputPolicy", env, **SMALL).learn(32).num_timesteps >= 32
    env.close()


def test_trains_on_the_native_vector_environment() -> None:
    env = SB3VecEnv(gym.make_vec(ENV, num_envs=4, autoreset_mode="SameStep"))
    assert PPO("MultiInputPolicy", env, **SMALL).learn(64).num_timesteps >= 64


PROGRAM = """
import os, sys
import torch
from stable_baselines3 import PPO

for first in ("", "import ombo_gym"):  # in processes that never make an environment
    if not (child := os.fork()):
        exec(first)
        PPO.load("model.zip")
        os._exit(0)
    assert not os.waitpid(child, 0)[1], f"a saved model does not load after {first!r}"

def everything():
    found = {}
    for name, module in sorted(sys.modules.items()):
        if name.split(".")[0] not in ("stable_baselines3", "gymnasium") and name != "torch.nn":
            continue
        for key, value in vars(module).items():
            found[name, key] = value
            if isinstance(value, type):
                found |= {(name, key, part): each for part, each in vars(value).items()}
    return {k: v for k, v in found.items() if not str(k[-1]).startswith("_abc")}

before = everything()
import gymnasium, ombo_gym
env = gymnasium.make("Ombo/GP-v0")
PPO("MultiInputPolicy", env, n_steps=16, batch_size=16, device="cpu").learn(16)
after = everything()
tables = ("__warningregistry__", "__annotations__")
print([k for k in before if k[-1] not in tables and before[k] is not after.get(k)])
"""


@pytest.mark.long
def test_saved_models_load_anywhere_and_nothing_of_others_is_patched(tmp_path: Path) -> None:
    """Nothing of stable-baselines3, gymnasium or torch."""
    PPO("MultiInputPolicy", gym.make(ENV), **SMALL).save(tmp_path / "model.zip")
    command = [sys.executable, "-c", PROGRAM]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "[]"
    sources = Path(ombo_gym.__file__).parent.rglob("*.py")
    assert [path for path in sources if "stable_baselines3" in path.read_text()] == []
