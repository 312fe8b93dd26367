"""The set encoder is a plain module of torch: it needs no stable-baselines3 and knows no order."""

from __future__ import annotations

import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
import torch

from ombo_agents.learned import DatasetEncoder
from ombo_gym.wrappers import StandardizeMeasurements
from tests.wrappers.cases import KINDS, make_native

WITHOUT_SB3 = """
import sys
sys.modules["stable_baselines3"] = sys.modules["safetensors"] = None
import gymnasium as gym, ombo_gym
from ombo_agents.learned import DatasetEncoder
envs = gym.make_vec("Ombo/GP-v0", num_envs=3)
encoder = DatasetEncoder(envs.unwrapped.campaign_spec.design_space, width=8)
features = encoder(envs.reset(seed=0)[0])
assert features.shape == (3, encoder.features_dim)
features.sum().backward()
assert all(weight.grad is not None for weight in encoder.parameters())
for module in ("storage", "sb3_env", "training", "callbacks"):
    try:
        __import__(f"ombo_agents.learned.{module}")
    except ImportError as error:
        assert "ombo-gym[agents]" in str(error), error
    else:
        raise AssertionError(module)
try:
    from ombo_agents.learned import SB3VecEnv
except ImportError as error:
    assert "ombo-gym[agents]" in str(error), error
"""


def test_it_needs_torch_alone_and_the_rest_says_what_is_missing() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_SB3], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_names_of_the_package_are_the_ones_listed() -> None:
    import ombo_agents.learned as learned

    assert all(hasattr(learned, name) for name in learned.__all__)
    with pytest.raises(AttributeError, match="Nothing"):
        learned.Nothing  # noqa: B018


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_rows_and_the_padding_change_nothing(kind: str) -> None:
    envs = make_native(kind, 3, "NextStep", horizon=2, batch_size=2)
    encoder = DatasetEncoder(envs.campaign_spec.design_space, width=8).double()
    envs.reset(seed=0)
    observation, *_ = envs.step(envs.action_space.sample())
    features = encoder(observation)
    assert features.shape == (3, encoder.features_dim) and torch.isfinite(features).all()
    assert features.shape[1] == encoder.context_dim + encoder.options * 8
    rows = {name: observation[name] for name in ("designs", "measurements", "observed")}
    order = np.random.default_rng(0).permutation(observation["observed"].shape[1])
    shuffled = {name: array[:, order] for name, array in rows.items()}
    longer = {
        name: np.concatenate([a, np.zeros_like(a[:, :2])], axis=1) for name, a in rows.items()
    }
    for changed in (shuffled, longer):
        torch.testing.assert_close(encoder({**observation, **changed}), features)
    other = {**observation, "measurements": observation["measurements"] + 1.0}
    assert not torch.allclose(encoder(other), features)


def test_it_takes_arrays_and_tensors_and_standardised_measurements() -> None:
    envs = StandardizeMeasurements(gym.make_vec("Ombo/Reaction-v0", num_envs=2))
    encoder = DatasetEncoder(envs.campaign_spec.design_space, width=4)
    observation, _ = envs.reset(seed=0)
    tensors = {name: torch.as_tensor(array) for name, array in observation.items()}
    torch.testing.assert_close(encoder(observation), encoder(tensors), rtol=0, atol=0)
    with pytest.raises(ValueError, match="width: expected at least 1, got 0"):
        DatasetEncoder(envs.campaign_spec.design_space, width=0)
    with pytest.raises(ValueError, match=r"control='designs', got .*\['observed'\] are missing"):
        encoder({name: array for name, array in observation.items() if name != "observed"})


def test_candidates_of_a_pool_have_no_favourites_at_the_start() -> None:
    """Designs that are told apart by their names alone are embedded alike at first."""
    envs = gym.make_vec("Ombo/Landscapes-v0", num_envs=1, batch_size=1, start={"kind": "none"})
    space = envs.unwrapped.campaign_spec.design_space
    assert space.pool_features is not None
    encoder = DatasetEncoder(space, width=4)
    tokens = encoder(envs.reset(seed=0)[0])[0, encoder.context_dim :].reshape(encoder.options, 4)
    assert (tokens == tokens[0]).all() and tokens.any()
