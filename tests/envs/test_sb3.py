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


def test_trains_where_the_environments_live_in_other_processes() -> None:
    env = make_vec_env(f"ombo_gym:{ENV}", n_envs=2, vec_env_cls=SubprocVecEnv)
    assert PPO("MultiInputPolicy", env, **SMALL).learn(32).num_timesteps >= 32
    env.close()


def test_trains_on_the_native_vector_environment() -> None:
    env = SB3VecEnv(gym.make_vec(ENV, num_envs=4, autoreset_mode="SameStep"))
    assert PPO("MultiInputPolicy", env, **SMALL).learn(64).num_timesteps >= 64


@pytest.mark.parametrize("first", ["from stable_baselines3 import PPO", "import ombo_gym"])
def test_a_saved_model_loads_in_a_process_that_never_made_an_environment(
    first: str, tmp_path: Path
) -> None:
    PPO("MultiInputPolicy", gym.make(ENV), **SMALL).save(tmp_path / "model.zip")
    code = f"{first}\nfrom stable_baselines3 import PPO\nPPO.load({str(tmp_path / 'model.zip')!r})"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


PATCHED = """
import sys
import torch
from stable_baselines3 import PPO

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


def test_nothing_of_stable_baselines3_gymnasium_or_torch_is_patched() -> None:
    shown = subprocess.run([sys.executable, "-c", PATCHED], check=True, capture_output=True)
    assert shown.stdout.decode().strip() == "[]"
    sources = Path(ombo_gym.__file__).parent.rglob("*.py")
    assert [path for path in sources if "stable_baselines3" in path.read_text()] == []
