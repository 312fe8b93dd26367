"""Training that nobody can hold, and settings that make no sense, are refused in a sentence."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from ombo_agents.learned.size_limits import check_rollout_size
from ombo_agents.learned.storage import build_network
from ombo_agents.learned.training import SETTINGS, PPOSettings, make_training_env
from ombo_gym.design_spaces import CategoricalDesigns
from ombo_gym.spec import CampaignSpec
from tests.agents.direct_cases import BOX, ONCE, POOL, SEQUENCE, spec_of
from tests.agents.training_cases import RUNS, SMALL, run

LARGE = {
    "3,000 layers": ({"hidden": (8,) * 3000}, "hidden: expected at most 64 layers, got 3,000"),
    "a layer of a billion units": ({"hidden": (10**9,)}, "hidden: .* weights, of layers .* GiB"),
    "two such layers": ({"hidden": (10**9, 10**9)}, "GiB"),
    "a layer of a number that is no machine's": ({"hidden": (10**40,)}, "hidden"),
    "a billion campaigns": ({"num_envs": 10**9}, "num_envs: expected at most 1,048,576"),
    "as many campaigns as there are seeds": ({"num_envs": 2**20 + 1}, "those of the next"),
    "as many as memory does not hold": ({"num_envs": 2**20}, "num_envs.* GiB"),
    "many campaigns in long rollouts": (
        {"num_envs": 2**12, "rounds_per_update": 10**5},
        "num_envs: rounds of .* 100,000 of 4,096 campaigns in an update, take about .* GiB",
    ),
    "endless rollouts": ({"rounds_per_update": 10**12}, "num_envs: rounds of .* GiB"),
}


@pytest.mark.parametrize("name", ["exploration", "a box"])
@pytest.mark.parametrize("case", LARGE)
def test_what_nobody_can_hold_is_refused_before_any_of_it_is_made_or_written(case, name, tmp_path):
    changes, why = LARGE[case]
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=why) as caught:
            run(name, tmp_path / "run", settings=replace(SMALL[RUNS[name][1]], **changes))
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value) and taken < 2**24
    assert not (tmp_path / "run").exists()


def test_a_network_over_too_many_options_is_refused():
    """Each option is told from all others: 20,000 of them are a matrix of 1.6 GB."""
    space = CategoricalDesigns([20_000])
    spec = CampaignSpec(space, batch_sizes=(2, 2), noise_std=0.0)
    with pytest.raises(ValueError, match=r"hidden: .* fewer options"):
        build_network("direct", spec, [8, 8])


@pytest.mark.parametrize("case", [BOX, SEQUENCE, POOL, ONCE])
@pytest.mark.parametrize("agent", SETTINGS)
def test_what_training_uses_by_default_is_let_through(case, agent):
    settings = SETTINGS[agent]
    spec = spec_of(case)
    network = build_network(agent, spec, settings.hidden)
    assert sum(weights.numel() for weights in network.parameters()) > 100
    env = make_training_env(case[0], agent, 2, {**case[1], "horizon": [1, 5]}).env
    check_rollout_size(env.single_observation_space, env.single_action_space, settings)


WRONG = {
    "steps": [-1, 0.5, True, "many", None, np.nan],
    "num_envs": [0, -1, 1.0, False],
    "rounds_per_update": [0, 2.5],
    "batch_size": [1, 0, "64"],
    "epochs": [0, None],
    "learning_rate": [-1e-3, np.nan, np.inf, "fast", True],
    "falls_to": [-0.1, 1.1],
    "gae_lambda": [-0.1, 1.1, np.nan],
    "entropy": [-1, np.inf],
    "entropy_power": [-1, np.inf],
    "target_kl": [-1, np.nan],
    "log_std": [np.nan, 1000],
    "hidden": [(0,), (-1,), (8.0,), (True,), 8, "88", None, [8, 8], ((8,),)],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: expected .*, got "):
        PPOSettings(**{name: value})


def test_every_setting_is_checked():
    assert set(WRONG) == set(vars(PPOSettings()))


def test_a_single_round_is_no_update():
    with pytest.raises(ValueError, match="at least 2 rounds"):
        PPOSettings(num_envs=1, rounds_per_update=1)
    PPOSettings(num_envs=1, rounds_per_update=2)


def test_an_agent_that_proposes_designs_needs_a_layer(tmp_path):
    with pytest.raises(ValueError, match="hidden: a 'direct' policy has at least one layer"):
        run("a box", tmp_path, settings=replace(SMALL["direct"], hidden=()))


@pytest.mark.parametrize("seed", [-1, 2**32, 2**200])
def test_seeds_that_no_generator_takes_are_refused(seed, tmp_path):
    with pytest.raises(ValueError, match="seed: expected a whole number from 0"):
        run("exploration", tmp_path, seed=seed)


def test_arguments_that_are_no_json_are_refused(tmp_path):
    start = {"kind": "random", "size": np.int64(5)}
    with pytest.raises(ValueError, match="env_kwargs: expected what JSON can hold"):
        run("a box", tmp_path, env_kwargs={**RUNS["a box"][2], "start": start})
