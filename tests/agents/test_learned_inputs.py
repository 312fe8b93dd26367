"""Networks that were trained on what earlier versions showed."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.policies import MultiInputActorCriticPolicy

from ombo_agents.learned.storage import load, save
from ombo_gym import BoxDesigns, CampaignSpec


def test_a_network_of_an_earlier_summary_is_refused_with_what_to_do(tmp_path):
    before = spaces.Dict(
        {
            "summary": spaces.Box(-10, 10, (11,), np.float32),
            "rounds_left": spaces.Box(0, 5, (1,), np.float32),
        }
    )
    actions = spaces.Box(-1, 1, (2,), np.float32)
    network = MultiInputActorCriticPolicy(before, actions, lambda _: 0.0, net_arch=[8])
    save(tmp_path, network, {"agent": "exploration", "hidden": [8]})
    with pytest.raises(ValueError, match=r"earlier version's, has to be trained again"):
        load(tmp_path, CampaignSpec(BoxDesigns(2)))
