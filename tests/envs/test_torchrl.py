"""TorchRL builds the environments, finds their specs right and collects from them."""

from __future__ import annotations

import gymnasium as gym
import pytest

from tests.wrappers.cases import KINDS, make

torchrl = pytest.importorskip("torchrl", reason="needs torchrl")
from torchrl.envs import GymEnv, GymWrapper  # noqa: E402
from torchrl.envs.utils import check_env_specs  # noqa: E402

IDS = [each for each in KINDS.values() if isinstance(each, str)]


@pytest.mark.parametrize("control", ["designs", "candidates", "exploration"])
@pytest.mark.parametrize("env_id", IDS)
def test_it_is_built_by_id(env_id: str, control: str) -> None:
    # `batch_size=` is TorchRL's own: plates say the same.
    env = GymEnv(env_id, device="cpu", plates=[2, 2], control=control)
    check_env_specs(env)
    rollout = env.rollout(5)
    assert rollout.shape == (2,) and rollout["next", "terminated"][-1].all()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not isinstance(KINDS[kind], str)])
def test_one_s_own_is_wrapped(kind: str) -> None:
    env = GymWrapper(make(kind, horizon=2, batch_size=2), device="cpu")
    check_env_specs(env)
    assert env.rollout(5).shape == (2,)


def test_the_native_vector_environment_is_wrapped_where_it_resets_in_the_same_step() -> None:
    envs = gym.make_vec("Ombo/GP-v0", num_envs=3, horizon=2, autoreset_mode="SameStep")
    env = GymWrapper(envs, device="cpu")
    assert env.rollout(4, break_when_any_done=False).shape == (3, 4)
