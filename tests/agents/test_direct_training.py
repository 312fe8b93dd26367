"""How policies that propose designs themselves are saved, loaded and trained."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

import ombo_agents
from ombo_agents.learned.direct import TrainedDirect
from ombo_agents.learned.storage import build_network, save, shape_of
from ombo_agents.learned.training import SETTINGS, train
from ombo_agents.planners.dynamic_programming import exact_value
from ombo_gym.design_spaces import MixedDesigns
from ombo_gym.spec import CampaignSpec
from tests.agents.direct_cases import (
    BOX,
    CASES,
    NAMES,
    ONCE,
    POOL,
    TINY,
    generators,
    random_network,
    seen_by,
    spec_of,
)
from tests.envs.cases import IDS, SMALL_STARTS

# --- on disk ----------------------------------------------------------------------------------


@pytest.fixture(params=CASES, ids=NAMES)
def case(request):
    return request.param


def saved(folder, spec, network):
    config = {"agent": "direct", "hidden": [8, 8], **shape_of(spec)}
    save(folder, network.float(), config)
    return str(folder)


def test_a_policy_that_was_saved_and_loaded_acts_the_same_to_the_bit(case, tmp_path):
    env = gym.make(case[0], **case[1])
    spec, observation = env.unwrapped.campaign_spec, seen_by(case, 40)
    network = random_network(spec)
    folder = saved(tmp_path / "run", spec, network)
    loaded = ombo_agents.make(folder, env)
    assert ombo_agents.supports(folder, env)
    here = TrainedDirect(spec, network)
    np.testing.assert_array_equal(
        loaded.act(observation, generators(40)), here.act(observation, generators(40))
    )


def test_another_horizon_is_fine(case, tmp_path):
    spec = spec_of(case)
    folder = saved(tmp_path / "run", spec, random_network(spec))
    other = gym.make(case[0], **case[1], horizon=7)
    assert ombo_agents.supports(folder, other)
    observation = seen_by(case, 3, horizon=7)
    actions = ombo_agents.make(folder, other).act(observation, generators(3))
    here = ombo_agents.make(folder, gym.make(case[0], **case[1], horizon=1))
    np.testing.assert_array_equal(here.act(observation, generators(3)), actions)


@pytest.mark.parametrize(
    ("case", "change"),
    [(BOX, {"dim": 4}), (POOL, {"arms": 4}), (ONCE, {"name": "signpost"})],
)
def test_another_design_space_or_batch_size_is_refused(case, change, tmp_path):
    spec = spec_of(case)
    folder = saved(tmp_path / "run", spec, random_network(spec))
    for other in (change, {"batch_size": 5}):
        env = gym.make(case[0], **{**case[1], **other})
        assert not ombo_agents.supports(folder, env)
        with pytest.raises(ValueError, match="design space and batch size") as caught:
            ombo_agents.make(folder, env)
        assert folder in str(caught.value)
    env = gym.make(case[0], **case[1], control="exploration")
    assert not ombo_agents.supports(folder, env)
    with pytest.raises(ValueError, match="control"):
        ombo_agents.make(folder, env)


@pytest.mark.parametrize("sizes", [{"batch_size": [1, 2]}, {"plates": [2, 1]}])
def test_batches_of_several_sizes_are_refused(sizes, tmp_path):
    spec = spec_of(BOX)
    folder = saved(tmp_path / "run", spec, random_network(spec))
    env = gym.make("Ombo/GP-v0", dim=3, **sizes)
    assert not ombo_agents.supports(folder, env)
    with pytest.raises(ValueError, match=r"batch size of its training.*\[1, 2\]"):
        ombo_agents.make(folder, env)
    with pytest.raises(ValueError, match="batches of one size, got sizes from 1 to 2"):
        training(tmp_path / "new", "Ombo/GP-v0", **sizes)


def test_mixed_designs_are_proposed_as_numbers_and_repeats_replaced_where_they_can_be_counted():
    spaces = (
        MixedDesigns({"x": (0, 1), "a": ["u", "v", "w"]}),
        MixedDesigns({"n": {"integer": [1, 4]}, "a": ["u", "v", "w"]}),
    )
    for space in spaces:
        spec = CampaignSpec(space, batch_sizes=(3, 3), noise_std=0.0)
        policy = TrainedDirect(spec, build_network("direct", spec, [8, 8]))
        empty = spec.observation(np.zeros((0, *space.shape)), [], [3])
        batch = policy.act(empty, generators(1))[0]
        assert batch in spec.action_space
        np.testing.assert_array_equal(space.canonical(batch), batch)
        assert policy.deterministic == (space.size is None)
        if space.size is not None:
            assert len(np.unique(batch, axis=0)) == 3


# --- training ---------------------------------------------------------------------------------


def training(out, env_id, settings=TINY, resume=False, **env_kwargs):
    return train(
        env_id,
        agent="direct",
        env_kwargs=env_kwargs,
        settings=settings,
        seed=1,
        out=out,
        resume=resume,
    )


@pytest.mark.parametrize("env_id", IDS)
def test_every_environment_can_be_trained_on(env_id, tmp_path):
    small = {"start": SMALL_STARTS[env_id]} if env_id in SMALL_STARTS else {}
    arguments = {"horizon": [1, 3], "batch_size": 2, **small}
    config = training(tmp_path, env_id, **arguments)
    assert config["agent"] == "direct" and config["batch_size"] == 2 and config["steps"] == 256
    env = gym.make_vec(env_id, 5, **arguments)
    policy = ombo_agents.make(str(tmp_path), env)
    observation, _ = env.reset(seed=0)
    env.step(policy.act(observation, generators(5)))


def test_training_can_be_resumed_and_leaves_what_stable_baselines3_would_play(tmp_path):
    case = POOL[0], {**POOL[1], "horizon": 4}
    training(tmp_path, case[0], **case[1])
    before = (tmp_path / "policy.safetensors").read_bytes()
    longer_run = replace(TINY, steps=512)
    config = training(tmp_path, case[0], settings=longer_run, resume=True, **case[1])
    assert config["steps"] == 512 and (tmp_path / "policy.safetensors").read_bytes() != before
    observation = seen_by(case, 30)
    policy = ombo_agents.make(str(tmp_path), gym.make(case[0], **case[1]))
    model = PPO.load(tmp_path / "model.zip", device="cpu")
    with torch.no_grad():
        theirs = model.policy.double().actor(observation)
        np.testing.assert_allclose(policy._network.actor(observation), theirs, atol=1e-12)


def test_a_run_without_layers_or_of_an_older_shape_is_named_in_a_value_error(tmp_path):
    spec = spec_of(POOL)
    folder = saved(tmp_path / "run", spec, random_network(spec))
    config = json.loads((tmp_path / "run/config.json").read_text())
    for damage in ({"hidden": []}, {"design_space": None}, {"batch_size": "3"}):
        copy = shutil.copytree(folder, tmp_path / "copy", dirs_exist_ok=True)
        (copy / "config.json").write_text(json.dumps({**config, **damage}))
        with pytest.raises(ValueError, match="copy"):
            ombo_agents.make(str(copy), gym.make(POOL[0], **POOL[1]))


def test_some_seconds_of_training_learn_to_act_on_what_was_seen(tmp_path):
    """Design 0 reads 0.5 or 0.6, which tells whether design 1 or design 2 is worth something."""
    arguments = {"matrix": [[0.5, 1, 0], [0.6, 0, 1]], "horizon": 2, "batch_size": 1}
    arguments["utility"] = "total"
    settings = replace(SETTINGS["direct"], steps=40_000, num_envs=128, batch_size=256)
    training(tmp_path, "Ombo/Landscapes-v0", settings=settings, **arguments)
    env = gym.make("Ombo/Landscapes-v0", **arguments)
    policy = ombo_agents.make(str(tmp_path), env)
    assert exact_value(env, policy) == pytest.approx(1.55)  # reading it last is worth 1.3
