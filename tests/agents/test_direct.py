"""Policies that propose designs themselves from the dataset as a set, and how they are trained."""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from stable_baselines3 import PPO

import ombo_agents
from ombo_agents.learned.direct import (
    TrainedDirect,
    best_left,
    in_canonical_order,
    without_rounding,
)
from ombo_agents.learned.encoder import SlotBySlot
from ombo_agents.learned.storage import build_network, save, shape_of
from ombo_agents.learned.training import SETTINGS, train
from ombo_agents.planners.dynamic_programming import exact_value
from ombo_gym.design_spaces import MixedDesigns
from ombo_gym.spec import CampaignSpec
from tests.envs.cases import IDS, SMALL_STARTS

BOX = ("Ombo/GP-v0", {"dim": 3, "batch_size": 2})
SEQUENCE = ("Ombo/TFBind8-v0", {"start": {"kind": "random", "size": 5}, "batch_size": 2})
POOL = ("Ombo/Bandit-v0", {"arms": 3, "known": [0.3], "batch_size": 3})
ONCE = ("Ombo/Landscapes-v0", {"name": "tent8", "batch_size": 2})
CASES = [BOX, SEQUENCE, POOL, ONCE]
NAMES = ["box", "sequence", "pool", "once"]
TINY = replace(
    SETTINGS["direct"], steps=256, num_envs=16, rounds_per_update=8, batch_size=64, epochs=2
)


@pytest.fixture(params=CASES, ids=NAMES)
def case(request):
    return request.param


def spec_of(case, **arguments):
    return gym.make(case[0], **{**case[1], **arguments}).unwrapped.campaign_spec


def random_network(spec, seed=0):
    """A network that nothing is alike to: none of its weights is zero."""
    torch.manual_seed(seed)
    network = build_network("direct", spec, [8, 8])
    with torch.no_grad():
        for weights in network.parameters():
            weights.normal_(0, 0.5)
    return network.double()


def seen_by(case, rows, rounds=2, seed=0, **arguments):
    """Campaigns in which so many rounds were played at random."""
    env = gym.make_vec(case[0], rows, **{"horizon": 4, **case[1], **arguments})
    env.action_space.seed(seed)
    observation, _ = env.reset(seed=seed)
    for _ in range(rounds):
        observation = env.step(env.action_space.sample())[0]
    return observation


def features(network, observation):
    tensors = {key: torch.as_tensor(array) for key, array in observation.items()}
    with torch.no_grad():
        return network.features_extractor(tensors).numpy()


def generators(rows):
    return [np.random.default_rng(i) for i in range(rows)]


def shuffled(observation, seed=0):
    """The same datasets with rows and padding in another order, in each campaign another one."""
    rng = np.random.default_rng(seed)
    rows, capacity = observation["measurements"].shape
    order = np.array([rng.permutation(capacity) for _ in range(rows)])
    return {
        **observation,
        "designs": np.take_along_axis(observation["designs"], order[..., None], axis=1),
        "measurements": np.take_along_axis(observation["measurements"], order, axis=1),
        "observed": np.take_along_axis(observation["observed"], order, axis=1),
    }


def longer(observation, by):
    """The same datasets with more padding."""
    ends = {"designs": ((0, 0), (0, by), (0, 0)), "measurements": ((0, 0), (0, by))}
    ends["observed"] = ends["from_start"] = ends["measurements"]
    return {k: np.pad(a, ends[k]) if k in ends else a for k, a in observation.items()}


# --- the encoder ------------------------------------------------------------------------------


def test_the_order_of_rows_changes_no_feature(case):
    network, observation = random_network(spec_of(case)), seen_by(case, 5)
    expected = features(network, observation)
    np.testing.assert_allclose(features(network, shuffled(observation)), expected, atol=1e-9)
    assert np.ptp(expected, axis=0).max() > 0.1  # other datasets do


def test_what_stands_in_the_padding_changes_no_feature(case):
    network, observation = random_network(spec_of(case)), seen_by(case, 4)
    padding = observation["observed"] == 0
    assert padding.any()
    junk = {key: array.copy() for key, array in observation.items()}
    junk["measurements"][padding] = np.nan
    junk["designs"][padding] = np.nan if junk["designs"].dtype == np.float32 else 101
    np.testing.assert_array_equal(features(network, junk), features(network, observation))


def test_the_length_of_the_padding_changes_no_feature_and_no_action(case):
    spec = spec_of(case)
    network, observation = random_network(spec), seen_by(case, 4)
    padded = longer(observation, 13)
    np.testing.assert_allclose(
        features(network, padded), features(network, observation), atol=1e-12
    )
    policy = TrainedDirect(spec, network)
    actions = policy.act(observation, generators(4))
    np.testing.assert_array_equal(policy.act(padded, generators(4)), actions)


def test_an_empty_dataset_has_features_of_its_own(case):
    network, observation = random_network(spec_of(case)), seen_by(case, 3)
    empty = {**observation, "observed": np.zeros_like(observation["observed"])}
    found = features(network, empty)
    assert np.isfinite(found).all() and (found == found[0]).all()
    assert not np.isclose(found, features(network, observation)).all(axis=1).any()


def test_rounds_left_change_features_and_actions(case):
    spec, observation = spec_of(case), seen_by(case, 60)
    network = random_network(spec)
    other = {**observation, "rounds_left": observation["rounds_left"] + 1}
    assert (features(network, other) != features(network, observation)).any(axis=1).all()
    policy = TrainedDirect(spec, network)
    assert policy.horizon_aware
    actions = policy.act(observation, generators(60))
    assert (policy.act(other, generators(60)) != actions).any()


def test_how_often_something_was_measured_counts(case):
    network, observation = random_network(spec_of(case)), seen_by(case, 4)
    twice = {
        key: array if key in ("rounds_left", "plates") else np.concatenate([array, array], axis=1)
        for key, array in observation.items()
    }
    assert (
        not np.isclose(features(network, twice), features(network, observation)).all(axis=1).any()
    )


def test_an_untrained_network_scores_arms_by_their_data_alone():
    """Arms that change places change scores, whatever they are called."""
    torch.manual_seed(0)
    network = build_network("direct", spec_of(POOL), [16, 16]).double()
    observation = seen_by(POOL, 6)
    order = np.array([2, 0, 3, 1])
    renamed = {**observation, "designs": order[observation["designs"]]}
    with torch.no_grad():
        scores, moved = (network.actor(o).numpy().reshape(6, 4, 4) for o in (observation, renamed))
    assert np.ptp(scores, axis=2).max() > 1e-4
    np.testing.assert_allclose(moved[..., order], scores, atol=1e-12)


def test_a_pool_too_large_to_score_one_by_one_is_played_too():
    case = ("Ombo/Bandit-v0", {"arms": 300, "batch_size": 2})
    spec, observation = spec_of(case), seen_by(case, 4)
    network = random_network(spec)
    assert network.features_extractor.options == 0
    actions = TrainedDirect(spec, network).act(observation, generators(4))
    assert actions.shape == (4, 2) and spec.action_space.contains(actions[0])


# --- slots that choose one after the other ----------------------------------------------------


@pytest.fixture
def slots():
    """Three slots of two positions, with 2 and 3 categories."""
    torch.manual_seed(0)
    return SlotBySlot([2, 3], 3).proba_distribution(torch.randn(1, 20, dtype=torch.float64))


BATCHES = torch.tensor(list(itertools.product(*([range(2), range(3)] * 3))))  # (216, 6)


def test_the_probabilities_of_all_batches_sum_to_one_and_are_the_frequencies_of_samples(slots):
    one = slots.scores, slots.crowding
    slots.scores, slots.crowding = (part.repeat_interleave(216, 0) for part in one)
    likely = slots.log_prob(BATCHES).exp()
    assert likely.sum().item() == pytest.approx(1.0)
    assert slots.entropy().min() > 0
    # The mean entropy of the slots given the earlier ones is that of the whole batch.
    expected = -(likely * likely.log()).sum()
    assert (likely * slots.entropy()).sum().item() == pytest.approx(expected.item())
    slots.scores, slots.crowding = (part.repeat_interleave(40_000, 0) for part in one)
    drawn = slots.sample()
    codes = (drawn * torch.tensor([108, 36, 18, 6, 3, 1])).sum(dim=1)
    found = torch.bincount(codes, minlength=216) / 40_000
    np.testing.assert_allclose(found, likely, atol=5 * (likely.max().item() / 40_000) ** 0.5)


def test_each_slot_takes_the_best_given_what_earlier_slots_took():
    logits = torch.tensor([[3.0, 1.0, 3.0, 1.0, 3.0, 1.0, -1.5, 0.0]])  # q = 3, two options
    slots = SlotBySlot([2], 3).proba_distribution(logits)
    assert slots.mode().tolist() == [[0, 0, 1]]  # 3 > 1, 1.5 > 1, 0 < 1


# --- the policy -------------------------------------------------------------------------------


def test_a_row_s_action_depends_on_that_row_alone_to_the_bit(case):
    spec = spec_of(case)
    for network in (random_network(spec), build_network("direct", spec, [8, 8])):
        policy, observation = TrainedDirect(spec, network), seen_by(case, 300)
        together = policy.act(observation, generators(300))
        assert together.dtype == spec.action_space.dtype
        for row in range(0, 300, 7):
            single = {key: array[row : row + 1] for key, array in observation.items()}
            np.testing.assert_array_equal(policy.act(single, generators(1))[0], together[row])


def test_the_order_of_rows_changes_no_bit_of_an_action(case):
    spec, observation = spec_of(case), seen_by(case, 50)
    policy = TrainedDirect(spec, random_network(spec))
    assert policy.exchangeable and policy.deterministic
    actions = policy.act(observation, generators(50))
    for seed in range(3):
        other = policy.act(shuffled(observation, seed), generators(50)[::-1])
        np.testing.assert_array_equal(other, actions)


def test_canonical_order_is_by_design_and_then_value_with_padding_last():
    observation = {
        "designs": np.array([[[2, 0], [1, 5], [9, 9], [1, 5], [1, 3]]]),
        "measurements": np.array([[0.0, 7.0, 3.0, -1.0, 4.0]]),
        "observed": np.array([[1, 1, 0, 1, 1]], np.int8),
        "rounds_left": np.ones((1, 1), np.float32),
    }
    found = in_canonical_order(observation)
    assert found["designs"][0].tolist() == [[1, 3], [1, 5], [1, 5], [2, 0], [0, 0]]
    assert found["measurements"][0].tolist() == [4, -1, 7, 0, 0]
    assert found["observed"][0].tolist() == [1, 1, 1, 1, 0]


def test_designs_that_nothing_tells_apart_are_taken_in_their_order():
    spec = spec_of(POOL)
    policy = TrainedDirect(spec, build_network("direct", spec, [8, 8]))
    empty = seen_by(POOL, 5, rounds=0)
    assert not policy.act(empty, generators(5)).any()


@pytest.mark.parametrize("case", [BOX, SEQUENCE, POOL], ids=NAMES[:3])
def test_it_acts_as_its_distribution_s_mode(case):
    spec, observation = spec_of(case), seen_by(case, 20)
    network = random_network(spec)
    tensors = {key: torch.as_tensor(array) for key, array in observation.items()}
    with torch.no_grad():
        mode = network.get_distribution(tensors).mode().numpy()
    expected = np.clip(mode, -1, 1).reshape(20, 2, 3) if case is BOX else mode
    actions = TrainedDirect(spec, network).act(observation, generators(20))
    np.testing.assert_allclose(actions, expected, atol=1e-3)  # SB3 shows networks float32


@pytest.mark.parametrize("q", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_no_slot_is_wasted_while_designs_are_left(q, seed):
    arguments = {"name": "tent8", "batch_size": q, "horizon": 9 // q}  # 9 slots, 8 designs
    env = gym.make_vec("Ombo/Landscapes-v0", 20, autoreset_mode="Disabled", **arguments)
    spec = env.unwrapped.campaign_spec
    policy = TrainedDirect(spec, random_network(spec, seed))
    observation, _ = env.reset(seed=0)
    wasted = 0
    for _ in range(9 // q):
        actions = policy.act(observation, generators(20))
        observation, _, _, _, infos = env.step(actions)
        wasted += infos["wasted"]
    assert (wasted == 1).all() and observation["observed"].sum(axis=1).tolist() == [8] * 20


@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=1, max_size=4), min_size=1, max_size=3),
    st.data(),
)
def test_the_best_design_left_is_found(scores, data):
    arrays = [np.array(score, float) for score in scores]
    designs = list(itertools.product(*(range(len(score)) for score in scores)))
    unavailable = set(data.draw(st.lists(st.sampled_from(designs))))

    def worth(design):
        return sum(score[x] for score, x in zip(scores, design, strict=True))

    found = best_left(arrays, unavailable)
    left = [design for design in designs if design not in unavailable] or designs
    assert found in left and worth(found) == max(map(worth, left))


def test_scores_that_differ_by_rounding_are_equal_and_others_are_not():
    scores = np.array([[1.0, 1.0 + 1e-15, 0.5, 1.0 - 1e-15, 0.5 + 1e-6]])
    found = without_rounding(scores)[0]
    assert found[0] == found[1] == found[3] and found[2] < found[4] < found[0]
    np.testing.assert_allclose(found, scores[0], atol=1e-12)


# --- on disk ----------------------------------------------------------------------------------


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
