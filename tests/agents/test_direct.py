"""Policies that propose designs themselves from the dataset as a set."""

from __future__ import annotations

import itertools

import gymnasium as gym
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ombo_agents.learned.direct import (
    TrainedDirect,
    best_available,
    in_canonical_order,
    without_rounding,
)
from ombo_agents.learned.direct_network import SlotBySlot
from ombo_agents.learned.storage import build_network
from tests.agents.direct_cases import (
    BOX,
    CASES,
    NAMES,
    POOL,
    SEQUENCE,
    features,
    generators,
    longer,
    random_network,
    seen_by,
    shuffled,
    spec_of,
)

# --- the encoder ------------------------------------------------------------------------------


@pytest.fixture(params=CASES, ids=NAMES)
def case(request):
    return request.param


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
    many_more = {**observation, "rounds_left": observation["rounds_left"] + 8}
    assert (policy.act(many_more, generators(60)) != actions).any()


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


ARM = (POOL[0], {**POOL[1], "batch_size": 1})
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
    empty = seen_by(POOL, 5, rounds=0)  # of four arms; q = 3
    assert policy.act(empty, generators(5)).tolist() == [[0, 1, 2]] * 5


@pytest.mark.parametrize("case", [BOX, SEQUENCE, ARM], ids=[*NAMES[:2], "one arm"])
def test_it_acts_as_its_distribution_s_mode(case):
    spec, observation = spec_of(case), seen_by(case, 20)
    network = random_network(spec)
    tensors = {key: torch.as_tensor(array) for key, array in observation.items()}
    with torch.no_grad():
        mode = network.get_distribution(tensors).mode().numpy()
    expected = np.clip(mode, -1, 1).reshape(20, 2, 3) if case is BOX else mode
    actions = TrainedDirect(spec, network).act(observation, generators(20))
    np.testing.assert_allclose(actions, expected, atol=1e-3)  # SB3 shows networks float32


def test_of_a_pool_it_takes_the_batch_that_is_drawn_most_often_in_any_order():
    spec, observation = spec_of(POOL), seen_by(POOL, 20)
    network = random_network(spec)
    tensors = {key: torch.as_tensor(array) for key, array in observation.items()}
    batches = torch.tensor(list(itertools.product(range(4), repeat=3)))  # (64, 3)
    chances = np.zeros((20, 64))  # by sorted batch
    codes = np.sort(batches.numpy(), axis=1) @ [16, 4, 1]
    with torch.no_grad():
        for batch, code in zip(batches, codes, strict=True):
            drawn = network.get_distribution(tensors).log_prob(batch.expand(20, 3))
            chances[:, code] += drawn.exp().numpy()
    actions = TrainedDirect(spec, network).act(observation, generators(20))
    np.testing.assert_array_equal(actions, np.sort(actions, axis=1))
    found = chances[np.arange(20), actions @ [16, 4, 1]]
    np.testing.assert_allclose(found, chances.max(axis=1), rtol=1e-3)  # SB3 shows networks float32


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

    found = best_available(arrays, unavailable)
    left = [design for design in designs if design not in unavailable] or designs
    assert found in left and worth(found) == max(map(worth, left))


def test_scores_that_differ_by_rounding_are_equal_and_others_are_not():
    scores = np.array([[1.0, 1.0 + 1e-15, 0.5, 1.0 - 1e-15, 0.5 + 1e-6]])
    found = without_rounding(scores)[0]
    assert found[0] == found[1] == found[3] and found[2] < found[4] < found[0]
    np.testing.assert_allclose(found, scores[0], atol=1e-12)
