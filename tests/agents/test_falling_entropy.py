"""The bonus that keeps actions alive whose use is found out late."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
import torch

from ombo_agents.learned.callbacks import FallingEntropy
from ombo_agents.learned.direct_network import BoundedSpread
from ombo_agents.learned.ppo_settings import SETTINGS, PPOSettings
from ombo_agents.learned.storage import build_network
from ombo_agents.learned.training_run import resumed_settings
from ombo_agents.learned.training_state import STATE, TrainingState
from tests.agents.direct_cases import BOX, spec_of


@pytest.mark.parametrize(("power", "at_half"), [(1.0, 0.02), (3.0, 0.005), (0.0, 0.04)])
def test_it_falls_with_a_power_of_the_share_of_rounds_left(power, at_half):
    callback = FallingEntropy(0.04, power)
    callback.model = SimpleNamespace(_current_progress_remaining=1.0)
    weights = []
    for callback.model._current_progress_remaining in (1.0, 0.5, 0.0):
        callback._on_rollout_start()
        weights.append(callback.model.ent_coef)
    assert weights == pytest.approx([0.04, at_half, 0.0 if power else 0.04])


def test_linear_is_to_the_bit_what_it_was_before_there_was_a_power():
    callback = FallingEntropy(0.001, 1.0)
    for share in np.random.default_rng(0).random(50).tolist():
        callback.model = SimpleNamespace(_current_progress_remaining=share)
        callback._on_rollout_start()
        assert callback.model.ent_coef == 0.001 * share


def test_runs_that_were_begun_before_go_on_linearly(tmp_path):
    now = {"agent": "exploration", "settings": asdict(PPOSettings())}
    settings = {name: now["settings"][name] for name in now["settings"] if name != "entropy_power"}
    facts = {"run": {**now, "settings": settings}, "rounds": 0}
    TrainingState({"arrays": np.zeros(1)}, facts).write(tmp_path / STATE)
    assert resumed_settings(tmp_path, facts, now, PPOSettings()) == PPOSettings()
    other = PPOSettings(entropy_power=3.0)
    with pytest.raises(ValueError, match=r"settings.entropy_power was 1.0, now 3.0"):
        resumed_settings(tmp_path, facts, {**now, "settings": asdict(other)}, other)


def test_only_direct_policies_begin_with_a_large_one():
    assert SETTINGS["exploration"].entropy == 0.0 and SETTINGS["exploration"].entropy_power == 1.0
    assert SETTINGS["direct"].entropy >= 0.02 and SETTINGS["direct"].entropy_power > 1.0


def test_numbers_are_not_driven_beyond_the_spread_that_they_begin_with():
    for log_std, grows in ((-1.5, True), (-0.7, False), (0.5, False)):
        spread = torch.full((6,), log_std + 1e-6, requires_grad=True)
        numbers = BoundedSpread(6, -0.7).proba_distribution(torch.zeros(3, 6), spread)
        entropy = numbers.entropy()
        assert entropy.shape == (3,)
        # That of a normal distribution, per number: log(std) + log(2 pi e) / 2.
        expected = 6 * (min(log_std, -0.7) + 0.5 * np.log(2 * np.pi * np.e))
        assert entropy.detach().numpy() == pytest.approx(np.full(3, expected), abs=1e-4)
        entropy.sum().backward()
        assert bool((spread.grad > 0).all()) == grows
        assert (spread.grad >= 0).all()


def test_networks_of_a_box_have_that_bound():
    network = build_network("direct", spec_of(BOX), [8, 8], log_std_init=-0.7)
    assert isinstance(network.action_dist, BoundedSpread)
    observation, _ = gym.make_vec(BOX[0], 2, **BOX[1]).reset(seed=0)
    tensors = {key: torch.as_tensor(array) for key, array in observation.items()}
    with torch.no_grad():
        network.log_std += 1.0
        entropy = network.get_distribution(tensors).entropy()
    assert entropy.numpy() == pytest.approx(6 * (-0.7 + 0.5 * np.log(2 * np.pi * np.e)), abs=1e-4)
