"""Rules on disk: written whole, read without executing anything, refused in one sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest
import safetensors.numpy

import ombo_agents
from ombo_agents.learned.meta import Meta, Rule, read_rule, write_rule
from ombo_agents.learned.meta.rule import SHAPE
from ombo_agents.learned.meta.shipped import CHECKPOINT
from ombo_gym.vector_env import CampaignVectorEnv


@pytest.fixture
def folder(tmp_path):
    table = np.random.default_rng(0).uniform(-3, 3, SHAPE)
    write_rule(tmp_path / "run", Rule(table, {"tasks": "ML-families-v0:train"}))
    return tmp_path / "run"


def test_what_was_written_is_read_to_the_bit(folder):
    rule = read_rule(folder)
    np.testing.assert_array_equal(rule.table, np.random.default_rng(0).uniform(-3, 3, SHAPE))
    assert rule.config["tasks"] == "ML-families-v0:train"


def test_a_folder_is_a_policy_that_evaluation_plays(folder):
    env = CampaignVectorEnv(2, "Reaction", horizon=2, batch_size=3, autoreset_mode="Disabled")
    policy = ombo_agents.make(str(folder), env)
    assert isinstance(policy, Meta) and ombo_agents.supports(str(folder), env)
    observation, _ = env.reset(seed=0)
    rngs = [np.random.default_rng(row) for row in range(2)]
    assert env.action_space.contains(policy.act(observation, rngs))


def test_the_package_brings_one_of_less_than_two_megabytes():
    assert sum(file.stat().st_size for file in CHECKPOINT.iterdir()) < 2 * 2**20
    assert read_rule(CHECKPOINT).config["agent"] == "meta"


def damaged(folder, how):
    config, tensors = folder / "config.json", folder / "policy.safetensors"
    if how == "no weights":
        tensors.unlink()
    elif how == "cut off":
        tensors.write_bytes(tensors.read_bytes()[:-9])
    elif how == "no JSON":
        config.write_text("{")
    elif how == "a list":
        config.write_text("[]")
    elif how == "another format":
        config.write_text(json.dumps({**json.loads(config.read_text()), "format": 99}))
    elif how == "NaN":
        table = np.full(SHAPE, np.nan)
        tensors.write_bytes(safetensors.numpy.save({"table": table}))
    elif how == "another shape":
        tensors.write_bytes(safetensors.numpy.save({"table": np.zeros(3)}))
    elif how == "other tensors":
        tensors.write_bytes(safetensors.numpy.save({"other": np.zeros(SHAPE)}))


@pytest.mark.parametrize(
    "how",
    [
        *("no weights", "cut off", "no JSON", "a list", "another format", "NaN"),
        *("another shape", "other tensors"),
    ],
)
def test_what_is_damaged_is_refused_in_a_line_that_names_it(folder, how):
    damaged(folder, how)
    with pytest.raises(ValueError, match="run") as caught:
        read_rule(folder)
    assert "\n" not in str(caught.value)
