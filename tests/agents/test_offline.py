"""Offline methods: what they learn, where they go, and that they are policies like any other.

The other files play policies with their own settings; these fit networks every round, so they play
here, with settings that take milliseconds, and at full strength in the slow tests.
"""

from __future__ import annotations

import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
import torch

import ombo_agents
import ombo_gym
from ombo_agents import Myopic
from ombo_agents.offline import METHODS, networks
from ombo_gym.spec import Repeats, campaign_spec
from tests.agents.offline_cases import CASES, ROWS, generators, make_env, tiny
from tests.envs.cases import SMALL_STARTS


@pytest.fixture
def hurried(monkeypatch):
    """Networks that are hardly fitted, where only the form of what they do matters."""
    monkeypatch.setattr(networks, "MIN_STEPS", 2)


def situation(case):
    """Campaigns that stand differently: one is over, counts differ."""
    env = make_env(case, ROWS, horizon=[1, 3], autoreset_mode="NextStep")
    env.action_space.seed(0)
    observation, _ = env.reset(seed=0)
    observation = env.step(env.action_space.sample())[0]
    assert (observation["rounds_left"] == 0).any() and (observation["rounds_left"] > 0).any()
    return env, observation


def test_the_methods_are_registered_and_suit_every_design_space():
    assert set(METHODS) == set(
        "ensemble_greedy gradient_ascent gradient_min gradient_mean coms cbas reinforce mins "
        "bo_qei".split()
    )
    for case in CASES:
        env = make_env(case)
        assert all(ombo_agents.supports(name, env) for name in METHODS)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("name", "case"),  # every third pair; test_every_policy.py has the same of other spaces
    [
        pytest.param(name, case, marks=() if (i + j) % 6 == 0 else pytest.mark.slow)
        for i, name in enumerate(METHODS)
        for j, case in enumerate(CASES)
        if (i + j) % 3 == 0
    ],
)
def test_a_row_s_batch_is_in_the_action_space_and_its_own_to_the_bit(name, case):
    env, observation = situation(case)
    policy = tiny(name, env)
    together, details = policy.explain(observation, generators())
    assert together.dtype == env.action_space.dtype and env.action_space.contains(together)
    assert details["model_queries"].shape == (ROWS,)
    order = np.array([3, 1, 4, 0, 2])
    turned = {key: array[order] for key, array in observation.items()}
    shuffled = policy.act(turned, [generators()[i] for i in order])
    np.testing.assert_array_equal(shuffled, together[order])
    for row in (0, 4):
        alone = {key: array[row : row + 1] for key, array in observation.items()}
        again = tiny(name, env).act(alone, generators()[row : row + 1])
        np.testing.assert_array_equal(again[0], together[row])
    assert not policy.horizon_aware
    unfinished = observation["rounds_left"][:, 0] > 0
    told = Myopic(policy).act(observation, generators())
    np.testing.assert_array_equal(told[unfinished], together[unfinished])


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("env_id", ombo_gym.env_ids())
def test_methods_play_every_problem(env_id):
    """In turn, three of them each."""
    turn = ombo_gym.env_ids().index(env_id)
    start = {"start": SMALL_STARTS[env_id]} if env_id in SMALL_STARTS else {}
    envs = gym.make_vec(
        env_id, num_envs=2, batch_size=2, horizon=1, autoreset_mode="Disabled", **start
    )
    for name in list(METHODS)[turn % 3 :: 3]:
        observation, _ = envs.reset(seed=3)
        actions = tiny(name, envs).act(observation, generators(2))
        assert actions in envs.action_space, name


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("case", ["recipes", "recipes, once", "bits, once", "pool", "pool, once"])
@pytest.mark.parametrize("name", METHODS)
def test_batches_of_countable_designs_hold_each_once_and_new_ones_where_others_are_worth_nothing(
    name, case
):
    env = make_env(case, utility=CASES[case][1].get("utility", "best"))
    spec, policy = campaign_spec(env), tiny(name, env)
    space = spec.design_space
    observation, _ = env.reset(seed=1)
    rngs, seen = generators(1), set()
    for _ in range(3):
        action = policy.act({key: array[None] for key, array in observation.items()}, rngs)[0]
        batch = {tuple(design) for design in space.designs(action[None])[0].tolist()}
        assert len(batch) == spec.batch_size
        if spec.repeats is Repeats.NEVER_AGAIN:
            used = observation["observed"].astype(bool)
            assert not batch & {tuple(d) for d in observation["designs"][used].tolist()}
        seen |= batch
        observation, *_ = env.step(action)
    assert seen


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("name", METHODS)
def test_one_measurement_constant_values_and_batches_larger_than_the_space_are_no_obstacle(name):
    for case, arguments in [
        ("box", {"start": {"kind": "random", "size": 1}}),
        ("pool", {"start": {"kind": "random", "size": 1}, "batch_size": 50}),
        ("recipes", {"start": {"kind": "random", "size": 2}, "batch_size": 30}),
        ("sequences", {"start": {"kind": "random", "size": 1}, "batch_size": 1}),
    ]:
        env = make_env(case, **arguments)
        observation, _ = env.reset(seed=0)
        shown = observation["measurements"]
        for values in (shown, np.full_like(shown, 3.0)):
            one = observation | {"measurements": values}
            batch = {key: array[None] for key, array in one.items()}
            action = tiny(name, env).act(batch, generators(1))[0]
            assert env.action_space.contains(action), case


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("name", METHODS)
def test_a_fit_depends_on_the_dataset_and_the_seed_and_neither_on_q_nor_on_the_utility(name):
    found = []
    for q, utility in [(2, "last_max"), (7, "last_median")]:
        env = make_env("sequences", batch_size=q, utility=utility)
        observation, _ = env.reset(seed=3)
        policy = tiny(name, env)
        used = observation["observed"].astype(bool)
        data = policy.dataset(observation["designs"][used], observation["measurements"][used])
        model = policy.fit(data, torch.Generator().manual_seed(4))
        model.queries = 0
        found.append(policy.search(model, data, torch.Generator().manual_seed(5), q))
    assert len(found[1]) >= 7
    np.testing.assert_array_equal(*(fit_numbers(name, q) for q in (2, 7)))


def fit_numbers(name, q):
    env = make_env("sequences", batch_size=q)
    observation, _ = env.reset(seed=3)
    policy = tiny(name, env)
    used = observation["observed"].astype(bool)
    data = policy.dataset(observation["designs"][used], observation["measurements"][used])
    model = policy.fit(data, torch.Generator().manual_seed(4))
    if hasattr(model, "networks"):
        return model.networks.weights[0].numpy()
    if hasattr(model, "autoencoder"):
        return model.autoencoder.decoder.weights[0].numpy()
    return model.parameters.numpy()


def test_model_queries_count_designs_asked_about():
    env = make_env("sequences", batch_size=4)
    observation, _ = env.reset(seed=0)
    batch = {key: array[None] for key, array in observation.items()}
    climbed = tiny("gradient_mean", env, steps=7, spare=3)
    assert climbed.explain(batch, generators(1))[1]["model_queries"] == [7 * 3 * 4]
    listed = tiny("ensemble_greedy", env).explain(batch, generators(1))[1]
    assert listed["model_queries"] == [4**8]
    drawn = tiny("reinforce", env, steps=5, samples=6).explain(batch, generators(1))[1]
    assert drawn["model_queries"] == [5 * 6]


def test_the_world_s_random_numbers_and_threads_are_left_alone():
    env = make_env("box")
    observation, _ = env.reset(seed=0)
    batch = {key: array[None] for key, array in observation.items()}
    torch.manual_seed(0)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    for name in METHODS:
        tiny(name, env).act(batch, generators(1))
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads


@pytest.mark.parametrize(
    "name",
    [
        "gradient_ascent:aggregate=max",
        "gradient_ascent:members=0",
        "gradient_mean:epochs=0",
        "gradient_min:steps=2.5",
        "gradient_min:step_size=-1",
        "coms:limit=0",
        "coms:weight=NaN",
        "cbas:quantile=1.5",
        "cbas:latent=true",
        "reinforce:samples=1",
        "mins:temperature=0",
        "mins:ambition=-1",
        "bo_qei:rounds=0",
        "bo_qei:relaxed=1",
        "bo_qei:spare=Infinity",
        "ensemble_greedy:population=-1",
        "ensemble_greedy:caution=1",
    ],
)
def test_settings_that_make_no_sense_are_refused(name):
    with pytest.raises(ValueError, match=name.split(":")[1].split("=")[0]):
        ombo_agents.make(name, make_env("box"))


def test_without_torch_the_error_names_the_extra_and_the_package_still_imports():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import gymnasium, ombo_gym, ombo_agents\n"
        "ombo_agents.make('coms', gymnasium.make('Ombo/GP-v0'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ombo-gym[agents]" in done.stderr and "coms" in done.stderr
