"""stable-baselines3 trains on the dataset, whose field `values` it would refuse by itself."""

import subprocess
import sys

import gymnasium as gym
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import SubprocVecEnv

from ombo_agents.learned.sb3_env import SB3VecEnv

ENV = "Ombo/GP-v0"
SMALL = {"n_steps": 16, "batch_size": 16, "device": "cpu"}


def test_trains_where_the_environments_live_in_other_processes():
    env = make_vec_env(f"ombo_gym:{ENV}", n_envs=2, vec_env_cls=SubprocVecEnv)
    assert PPO("MultiInputPolicy", env, **SMALL).learn(32).num_timesteps >= 32
    env.close()


def test_trains_on_the_native_vector_environment():
    env = SB3VecEnv(gym.make_vec(ENV, num_envs=4, autoreset_mode="SameStep"))
    assert PPO("MultiInputPolicy", env, **SMALL).learn(64).num_timesteps >= 64


@pytest.mark.parametrize("first", ["from stable_baselines3 import PPO", "import ombo_gym"])
def test_a_saved_model_loads_in_a_process_that_never_made_an_environment(first, tmp_path):
    PPO("MultiInputPolicy", gym.make(ENV), **SMALL).save(tmp_path / "model.zip")
    code = f"{first}\nfrom stable_baselines3 import PPO\nPPO.load({str(tmp_path / 'model.zip')!r})"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_observation_space_can_be_replaced():
    env = gym.make(ENV).unwrapped
    env.observation_space = gym.spaces.Dict({"values": gym.spaces.Box(0, 1)})
    assert list(env.observation_space.spaces) == ["values"]
