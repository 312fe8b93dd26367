"""Training, what it leaves on disk, and what plays from there."""

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
from ombo_agents import Myopic
from ombo_agents.bayesian.schedules import ExplorationPolicy
from ombo_agents.learned.storage import TrainedExploration, build_network, load, save
from ombo_agents.learned.training import FIRST_SEED, PPOSettings, train
from ombo_gym.controls.exploration import weights_of
from ombo_gym.evaluation.cells import SEEDS
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from ombo_gym.evaluation.statistics import paired_difference
from ombo_gym.observations import as_last_round
from ombo_gym.vector_env import CampaignVectorEnv
from tests.agents.training_cases import refuse_to_unpickle

ENV = "Ombo/GP-v0"
KWARGS = {"horizon": [1, 3], "batch_size": 3, "utility": "last_mean"}
TINY = replace(PPOSettings(), steps=1500, num_envs=32, rounds_per_update=16, batch_size=128)


def training(out, *, settings=TINY, seed=3, resume=False):
    return train(
        ENV,
        agent="exploration",
        env_kwargs=KWARGS,
        settings=settings,
        seed=seed,
        out=out,
        resume=resume,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder that a short training has left."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    training(folder)
    return folder


@pytest.fixture
def copy(trained, tmp_path):
    """The same, to be damaged."""
    return shutil.copytree(trained, tmp_path / "copy")


def generators(rows):
    return [np.random.default_rng([1, i]) for i in range(rows)]


def observed(rows, **arguments):
    """An environment with campaigns in their second round, and what is seen of them."""
    env = gym.make_vec(ENV, rows, **{**KWARGS, "horizon": [2, 4], **arguments})
    env.action_space.seed(0)
    env.reset(seed=0)
    return env, env.step(env.action_space.sample())[0]


# --- training ---------------------------------------------------------------------------------


def test_training_writes_the_policy_its_configuration_the_model_and_logs(trained):
    config = json.loads((trained / "config.json").read_text())
    assert config["agent"] == "exploration" and config["env"] == ENV
    assert config["env_kwargs"] == KWARGS and config["seed"] == 3
    assert config["steps"] == 1536  # whole updates of 32 campaigns x 16 rounds
    assert config["settings"]["num_envs"] == 32
    assert (trained / "policy.safetensors").stat().st_size > 1000
    assert PPO.load(trained / "model.zip", device="cpu").num_timesteps == 1536
    assert list(trained.glob("tensorboard/*/events*"))


def test_the_same_seed_trains_the_same_policy_and_another_seed_another(trained, tmp_path):
    training(tmp_path / "again")
    training(tmp_path / "other", seed=4)
    policy = (trained / "policy.safetensors").read_bytes()
    assert (tmp_path / "again/policy.safetensors").read_bytes() == policy
    assert (tmp_path / "other/policy.safetensors").read_bytes() != policy


def test_resuming_goes_on_from_the_rounds_already_played(copy):
    before = (copy / "policy.safetensors").read_bytes()
    config = training(copy, settings=replace(TINY, steps=2500), resume=True)
    assert config["steps"] == 2560
    assert PPO.load(copy / "model.zip", device="cpu").num_timesteps == 2560
    assert (copy / "policy.safetensors").read_bytes() != before
    done = training(copy, settings=TINY, resume=True)
    assert done["steps"] == 2560  # it had gone further already


def test_resuming_what_was_never_begun_says_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"--resume: expected .*model\.zip"):
        training(tmp_path / "nothing", resume=True)


@pytest.fixture
def seeds_of_resets(monkeypatch):
    """All seeds that vector environments are reset with, row by row."""
    seeds, reset = [], CampaignVectorEnv.reset

    def recording(self, *, seed=None, options=None):
        if seed is not None:
            seeds.extend(range(int(seed), int(seed) + self.num_envs))
        return reset(self, seed=seed, options=options)

    monkeypatch.setattr(CampaignVectorEnv, "reset", recording)
    return seeds


@pytest.mark.parametrize("seed", [0, 7])
def test_training_campaigns_are_seeded_from_2_to_the_31_up(seed, tmp_path, seeds_of_resets):
    short = replace(TINY, steps=512)
    training(tmp_path, settings=short, seed=seed)
    first = list(seeds_of_resets)
    training(tmp_path, settings=replace(short, steps=1024), seed=seed, resume=True)
    assert len(first) == 32 and min(first) >= 2**31 == SEEDS == FIRST_SEED
    assert seeds_of_resets == first  # resuming goes on with the campaigns that were being played


def test_evaluation_campaigns_are_seeded_below_2_to_the_31(seeds_of_resets):
    run(
        EvaluationPlan(
            env=ENV, policies=["random"], horizons=[1], campaigns=7, seed=SEEDS - 7, block=3
        )
    )
    assert set(seeds_of_resets) == set(range(SEEDS - 7, SEEDS))
    seeds_of_resets.clear()
    run(EvaluationPlan(env=ENV, policies=["random"], horizons=[1], campaigns=1, seed=SEEDS - 1))
    assert set(seeds_of_resets) == {SEEDS - 1}  # those of its replays' scenes too


@pytest.mark.parametrize("resume", [False, True])
def test_a_seed_that_would_reach_into_evaluation_is_refused(copy, resume):
    with pytest.raises(ValueError, match="seed"):
        training(copy, seed=-1, resume=resume)


@pytest.mark.parametrize("change", [{"hidden": (8, 8)}, {"steps": 3000}])
def test_only_the_same_task_is_resumed(copy, change):
    before = (copy / "policy.safetensors").read_bytes()
    if "hidden" in change:
        with pytest.raises(ValueError, match="the run's own arguments"):
            training(copy, settings=replace(TINY, **change), resume=True)
        assert (copy / "policy.safetensors").read_bytes() == before
    else:
        training(copy, settings=replace(TINY, **change), resume=True)
        assert (copy / "policy.safetensors").read_bytes() != before


# --- on disk ----------------------------------------------------------------------------------


def test_a_policy_that_was_saved_and_loaded_acts_the_same_to_the_bit(tmp_path):
    env, observation = observed(6)
    spec = env.unwrapped.campaign_spec
    torch.manual_seed(0)
    network = build_network("exploration", spec, [8, 8], log_std_init=-1.0)
    save(tmp_path / "new", network, {"agent": "exploration", "hidden": [8, 8]})
    loaded = ombo_agents.make(str(tmp_path / "new"), env)
    here = TrainedExploration(spec, network)
    (actions, details), (expected, theirs) = (
        policy.explain(observation, generators(6)) for policy in (loaded, here)
    )
    np.testing.assert_array_equal(actions, expected)
    np.testing.assert_array_equal(details["exploration_weights"], theirs["exploration_weights"])
    assert np.ptp(details["exploration_weights"]) > 0


@pytest.mark.parametrize("rows", [1, 5])
def test_a_trained_policy_acts_as_stable_baselines3_predicts(trained, rows):
    env, seen = observed(rows, control="exploration")
    policy = ombo_agents.make(str(trained), env)
    expected, _ = PPO.load(trained / "model.zip", device="cpu").predict(seen, deterministic=True)
    actions = policy.act(seen, generators(rows))
    assert actions.dtype == np.float32 and env.action_space.contains(actions)
    np.testing.assert_allclose(actions, expected, atol=1e-5)


def test_in_an_environment_of_designs_it_carries_its_control_along(trained):
    env, observation = observed(6)
    policy = ombo_agents.make(str(trained), env)
    actions, details = policy.explain(observation, generators(6))
    assert env.action_space.contains(actions) and actions.dtype == env.action_space.dtype

    class Fixed(ExplorationPolicy):
        """Acts by what the trained one chose."""

        def choose(self, seen):
            self.seen = seen
            return chosen

    chosen = 2 * np.sqrt(details["exploration_weights"] / 10) - 1
    fixed = Fixed(env.unwrapped.campaign_spec)
    np.testing.assert_array_equal(fixed.act(observation, generators(6)), actions)
    shown = {name: fixed.seen[name] for name in ("summary", "rounds_left")}
    expected, _ = PPO.load(trained / "model.zip", device="cpu").predict(shown, deterministic=True)
    np.testing.assert_allclose(details["exploration_weights"], weights_of(expected), atol=1e-4)


def test_a_row_s_action_depends_on_that_row_alone_to_the_bit(trained):
    env, observation = observed(37)
    policy = ombo_agents.make(str(trained), env)
    together = policy.act(observation, generators(37))
    for row in range(37):
        single = {key: array[row : row + 1] for key, array in observation.items()}
        alone = policy.act(single, generators(37)[row : row + 1])
        np.testing.assert_array_equal(together[row], alone[0])


def test_it_knows_how_many_rounds_are_left(trained):
    env, observation = observed(12)
    policy = ombo_agents.make(str(trained), env)
    assert policy.horizon_aware
    told = as_last_round(observation)
    myopic = Myopic(policy).act(observation, generators(12))
    np.testing.assert_array_equal(myopic, policy.act(told, generators(12)))
    assert (myopic != policy.act(observation, generators(12))).any()


@pytest.mark.parametrize(
    ("env_id", "arguments"),
    [
        (ENV, {"horizon": 7, "batch_size": 1, "dim": 5}),
        (ENV, {"start": {"kind": "none"}, "surrogate": {"kernel": "fit"}}),
        ("Ombo/TFBinding-v0", {"batch_size": 6}),
    ],
)
def test_it_plays_other_horizons_batches_and_design_spaces_than_it_was_trained_on(
    trained, env_id, arguments
):
    env = gym.make_vec(env_id, 3, autoreset_mode="Disabled", **{"horizon": 2, **arguments})
    assert ombo_agents.supports(str(trained), env)
    policy, rngs = ombo_agents.make(str(trained), env), generators(3)
    observation, _ = env.reset(seed=0)
    over = np.zeros(3, bool)
    while not over.any():
        actions = policy.act(observation, rngs)
        assert env.action_space.contains(actions)
        observation, _, over, _, _ = env.step(actions)
    policy.act(observation, rngs)  # of finished campaigns


def test_an_environment_with_a_third_control_is_refused(trained):
    env = gym.make(ENV, control="candidates")
    assert not ombo_agents.supports(str(trained), env)
    with pytest.raises(ValueError, match="control"):
        ombo_agents.make(str(trained), env)


def test_a_trained_policy_takes_no_settings(trained):
    with pytest.raises(ValueError, match="settings"):
        ombo_agents.make(str(trained), gym.make(ENV), weight=2)


CONFIGS = {
    "no JSON": b"{",
    "empty": b"",
    "no text": b"\xff\xfe\x00\x80",
    "a list": b"[]",
    "a number": b"3",
    "no agent": b'{"hidden": [64, 64]}',
    "no layers": b'{"agent": "exploration"}',
    "another agent": b'{"agent": "telepathy", "hidden": [64, 64]}',
    "an agent of a strange type": b'{"agent": ["exploration"], "hidden": [64, 64]}',
    "layers of a strange type": b'{"agent": "exploration", "hidden": 64}',
    "layers of strange types": b'{"agent": "exploration", "hidden": ["64"]}',
    "a layer without units": b'{"agent": "exploration", "hidden": [64, 0]}',
}


@pytest.mark.parametrize("damage", CONFIGS)
def test_a_damaged_configuration_is_named_in_a_value_error(copy, damage):
    (copy / "config.json").write_bytes(CONFIGS[damage])
    for function in (ombo_agents.make, ombo_agents.supports):
        with pytest.raises(ValueError) as caught:
            function(str(copy), gym.make(ENV))
        assert str(copy) in str(caught.value) and "config.json" in str(caught.value)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "missing", "other layers"])
def test_damaged_weights_are_named_in_a_value_error_of_one_line(copy, damage):
    file = copy / "policy.safetensors"
    whole = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "other layers":
        config = json.loads((copy / "config.json").read_text())
        (copy / "config.json").write_text(json.dumps({**config, "hidden": [8]}))
    else:
        file.write_bytes(
            {"truncated": whole[:-500], "garbage": b"\x07" * 400, "empty": b""}[damage]
        )
    with pytest.raises(ValueError) as caught:
        ombo_agents.make(str(copy), gym.make(ENV))
    assert str(copy) in str(caught.value) and "\n" not in str(caught.value)


def test_without_its_configuration_a_folder_is_no_policy(copy):
    (copy / "config.json").unlink()
    with pytest.raises(ValueError, match=r"config\.json and policy\.safetensors"):
        ombo_agents.make(str(copy), gym.make(ENV))


def test_playing_unpickles_nothing_and_needs_neither_model_nor_logs(copy, monkeypatch):
    (copy / "model.zip").unlink()
    shutil.rmtree(copy / "tensorboard")
    refuse_to_unpickle(monkeypatch)
    env, observation = observed(3)
    load(copy, env.unwrapped.campaign_spec).act(observation, generators(3))
    plan = EvaluationPlan(env=ENV, policies=[str(copy)], horizons=[2], campaigns=4)
    assert len(run(plan).campaigns) == 8  # told the truth, and every round that it is the last


# --- what training is for ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "campaigns", "last"),  # the last weight is at most
    [(12_000, 100, 2.0), pytest.param(60_000, 400, 0.3, marks=pytest.mark.slow)],
)
def test_some_seconds_of_training_explore_first_exploit_last_and_beat_greedy(
    tmp_path, steps, campaigns, last
):
    train(
        ENV,
        agent="exploration",
        env_kwargs={"horizon": 3, "batch_size": 4, "utility": "last_mean"},
        settings=replace(PPOSettings(), steps=steps),
        seed=0,
        out=tmp_path / "run",
    )
    trained = str(tmp_path / "run")
    results = run(
        EvaluationPlan(
            env=ENV,
            policies=[trained, "greedy"],
            horizons=[3],
            utilities=["last_mean"],
            campaigns=campaigns,
            told=("true",),
        )
    )
    values = results.campaigns.set_index(["policy", "campaign"])["value"]
    assert paired_difference(values[trained], values["greedy"]).low > 0.3
    weights = results.exploration.set_index(["policy", "round"])["weight_mean"][trained]
    assert weights[1] > weights[3] + 0.5 and weights[3] < last
