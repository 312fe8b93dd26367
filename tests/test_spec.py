"""Specs by hand or of environments: checked when built, equal by value, told through JSON."""

from __future__ import annotations

import dataclasses
import pickle
import re
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from gymnasium.wrappers import FlattenObservation, RecordEpisodeStatistics
from gymnasium.wrappers.vector import RecordEpisodeStatistics as VectorStatistics

import ombo_gym
from ombo_gym import BoxDesigns, CampaignSpec, CandidateDesigns, Origin, Repeats, campaign_spec
from ombo_gym.observations import as_last_round, computable, next_plates
from ombo_gym.spec import CONTROLS

BOX = BoxDesigns(2)


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("env_id", ombo_gym.env_ids())
def test_the_spec_of_every_environment_survives_json_and_pickle(env_id: str, control: str) -> None:
    arguments: dict[str, Any] = {"control": control, "batch_size": [2, 3], "noise_std": 0.25}
    spec = campaign_spec(gym.make(env_id, **arguments))
    assert spec.control == control and spec.batch_sizes == (2, 3) and spec.horizons == (5, 5)
    for again in (CampaignSpec.from_json(spec.to_json()), pickle.loads(pickle.dumps(spec))):
        assert again == spec and hash(again) == hash(spec)
        assert again.observation_space == spec.observation_space
        assert again.action_space == spec.action_space
    assert spec == campaign_spec(gym.make(env_id, **arguments))
    others = [
        campaign_spec(gym.make(env_id, **{**arguments, "batch_size": 3})),
        dataclasses.replace(spec, utility="total"),
        dataclasses.replace(spec, start_origin=Origin("listed")),
        dataclasses.replace(spec, floor=-12.0),
    ]
    assert all(other != spec for other in others)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"horizons": (3, 1)}, r"horizons: .*low <= high.*\(3, 1\)"),
        ({"horizons": (0, 1)}, "horizons: .*at least 1, got 0"),
        ({"batch_sizes": (1, 2.0)}, r"batch_sizes: .*whole.*got 2\.0"),
        ({"plates": ()}, "plates: .*at least one"),
        ({"plates": (4, True)}, "plates: .*got True"),
        ({"control": "pixels"}, "control: .*designs.*exploration.*candidates.*'pixels'"),
        ({"noise_std": -1.0}, r"noise_std: .*at least 0, got -1\.0"),
        ({"noise_std": np.nan}, "noise_std: .*got nan"),
        ({"start_capacity": -1}, "start_capacity: .*got -1"),
        ({"surrogate": "fit"}, "surrogate: .*dict.*got 'fit'"),
        (
            {"plates": (6, 4), "horizons": (3, 3)},
            r"horizons: expected \(2, 2\), as plates=\[6, 4\]",
        ),
        ({"plates": (6, 4), "horizons": 3}, r"horizons: expected \(2, 2\), .*got 3"),
        ({"plates": (6, 4), "batch_sizes": (4, 4)}, r"batch_sizes: expected \(4, 6\), .*\(4, 4\)"),
        ({"utility": "bets"}, "utility: .*best.*got 'bets'"),
        ({"utility": "recommendation"}, "utility: 'recommendation' needs"),
    ],
    ids=str,
)
def test_a_spec_is_checked_when_it_is_built(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CampaignSpec(BOX, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("best",), "origin: .*listed.*'best'"),
        (("percentile",), "origin: expected a percentile"),
        (("random", 50.0), "origin: expected a percentile with 'percentile'"),
        (("percentile", 101.0), r"origin: .*0 to 100, got 101\.0"),
    ],
    ids=str,
)
def test_an_origin_is_checked_too(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Origin(*arguments)


def test_what_follows_from_a_spec() -> None:
    spec = CampaignSpec(BOX, plates=[24, 24, 8], start_capacity=30)
    assert (spec.horizons, spec.batch_sizes) == ((3, 3), (8, 24))
    assert (spec.horizon, spec.batch_size) == (3, 24)
    assert spec.capacity == 30 + 56 and spec.noisy and spec.plates == (24, 24, 8)
    assert spec == CampaignSpec(BOX, (3, 3), [8, 24], [24, 24, 8], start_capacity=30)  # type: ignore[arg-type]
    spec = CampaignSpec(BOX, horizons=(2, 4), batch_sizes=(1, 16), noise_std=0.0)
    assert spec.capacity == 64 and not spec.noisy
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.floor = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("repeats", "noise_std", "replaced"),
    [
        (Repeats.ALLOWED, 0.0, False),
        (Repeats.ALLOWED, 0.1, False),
        (Repeats.DISTINCT_IN_BATCH, 0.0, True),
        (Repeats.DISTINCT_IN_BATCH, 0.1, False),
        (Repeats.DISTINCT_IN_BATCH, None, False),
        (Repeats.NEVER_AGAIN, 0.1, True),
    ],
)
def test_whether_chance_repeats_are_replaced(
    repeats: Repeats, noise_std: float | None, replaced: bool
) -> None:
    assert CampaignSpec(BOX, repeats=repeats, noise_std=noise_std).replaces_repeats is replaced


@pytest.mark.parametrize(
    ("env_id", "arguments", "repeats"),
    [
        ("Ombo/GP-v0", {}, Repeats.NEVER_AGAIN),  # of `best`, without noise, nothing is gained
        ("Ombo/GP-v0", {"noise_std": 0.1}, Repeats.ALLOWED),
        ("Ombo/GP-v0", {"utility": "total"}, Repeats.ALLOWED),
        ("Ombo/GP-v0", {"utility": "auc"}, Repeats.NEVER_AGAIN),
        ("Ombo/GP-v0", {"utility": "last_quantile:quantile=0.5"}, Repeats.ALLOWED),
        ("Ombo/TFBinding-v0", {}, Repeats.NEVER_AGAIN),
        ("Ombo/TFBinding-v0", {"noise_std": 0.1}, Repeats.DISTINCT_IN_BATCH),
        ("Ombo/CrossedBarrel-v0", {}, Repeats.DISTINCT_IN_BATCH),  # replicates differ
        ("Ombo/Bandit-v0", {}, Repeats.ALLOWED),
        ("Ombo/Landscapes-v0", {"noise_std": 0.1, "utility": "total"}, Repeats.NEVER_AGAIN),
    ],
    ids=str,
)
def test_players_are_told_whether_repeats_are_worth_anything(
    env_id: str, arguments: dict[str, Any], repeats: Repeats
) -> None:
    assert campaign_spec(gym.make(env_id, **arguments)).repeats is repeats


def test_the_noise_is_unknown_where_replicates_differ() -> None:
    assert campaign_spec(gym.make("Ombo/CrossedBarrel-v0", noise_std=1.0)).noise_std is None
    assert campaign_spec(gym.make("Ombo/GP-v0", noise_std=1.0)).noise_std == 1.0
    bandit = campaign_spec(gym.make("Ombo/Bandit-v0"))
    assert bandit.noise_std == 0 and bandit.noisy


def test_a_spec_is_found_through_wrappers_and_vectors() -> None:
    env = gym.make("Ombo/GP-v0", plates=[4, 2])
    spec = env.unwrapped.campaign_spec
    native = gym.make_vec("Ombo/GP-v0", num_envs=2, plates=[4, 2])
    sync = SyncVectorEnv([lambda: gym.make("Ombo/GP-v0", plates=[4, 2])] * 2)
    for each in (
        *(env, RecordEpisodeStatistics(env), FlattenObservation(env)),
        *(native, VectorStatistics(native), sync, VectorStatistics(sync)),
    ):
        assert campaign_spec(each) == spec


def test_what_has_no_spec_is_refused() -> None:
    other = gym.make("CartPole-v1")
    workers = AsyncVectorEnv([lambda: gym.make("CartPole-v1")])
    for each in (other, workers):
        with pytest.raises(ValueError, match="env: expected an environment of ombo_gym"):
            campaign_spec(each)
    workers.close()


# --- observations --------------------------------------------------------------------------------


def test_in_a_last_round_a_policy_sees_the_next_plate_alone_and_the_rest_as_it_is() -> None:
    env = gym.make_vec("Ombo/GP-v0", num_envs=3, horizon=[2, 4], batch_size=[1, 3])
    observation, _ = env.reset(seed=0)
    before = {name: array.copy() for name, array in observation.items()}
    last = as_last_round(observation)
    assert (last["rounds_left"] == 1).all() and last["rounds_left"].dtype == np.float32
    np.testing.assert_array_equal(last["plates"][:, 0], observation["plates"][:, 0])
    assert not last["plates"][:, 1:].any()
    for name, array in observation.items():
        np.testing.assert_array_equal(array, before[name])
        if name not in ("rounds_left", "plates"):
            assert last[name] is array
    env.unwrapped.campaign_spec.check_observation(last)


def test_designs_are_computed_with_in_wide_integers_and_at_the_end_plates_are_the_largest() -> None:
    spec = CampaignSpec(CandidateDesigns(np.eye(100)), batch_sizes=(1, 3), start_capacity=2)
    observation = spec.observation(np.array([[99], [1]]), [0.0, 1.0], [2])
    over = spec.observation(np.array([[99], [1]]), [0.0, 1.0], [])
    assert observation["designs"].dtype == np.int8
    wide = computable(spec, observation)
    assert wide["designs"].dtype == np.int64 and observation["designs"].dtype == np.int8
    assert (wide["designs"] * 100)[0, 0, 0] == 9900
    assert computable(spec, wide) is wide
    assert next_plates(spec, observation).tolist() == [2]
    assert next_plates(spec, over).tolist() == [3]


def test_rows_beyond_the_start_are_not_the_start_s_unless_somebody_says_so() -> None:
    spec = CampaignSpec(BoxDesigns(1), plates=[2, 2], start_capacity=2, start_origin="listed")  # type: ignore[arg-type]
    assert spec.start_origin == Origin("listed")
    designs, values = np.zeros((3, 1)), [1.0, 2.0, 3.0]
    for given in (1, 2):
        observation = spec.observation(designs, values, plates_left=[2], from_start=given)
        assert observation["from_start"].sum() == given


@pytest.mark.parametrize("plate", [0, 3, -1, 1.0, True, "1"])
def test_a_plate_larger_than_any_of_the_campaign_s_is_not_described(plate: int) -> None:
    spec = CampaignSpec(BoxDesigns(1), plates=[2, 1])
    with pytest.raises(ValueError, match=f"plate: expected from 1 to 2 designs, got {plate!r}"):
        spec.describe(np.zeros((1, 2, 1), np.float32), plate)


@pytest.mark.parametrize(
    "space",
    [
        BOX,
        CandidateDesigns(np.eye(9)),
        {"a": ["x", "y"], "b": [1, 2, 3]},
        {"T": (1, 2), "n": [1, 2]},
    ],
    ids=["box", "pool", "categories", "mixed"],
)
def test_what_is_described_is_the_action_of_one_campaign(space: Any) -> None:
    spec = CampaignSpec(space, plates=[2, 3])
    spec.action_space.seed(0)
    action = spec.action_space.sample()
    described = spec.describe(action[None])
    assert len(described) == 3 and spec.describe(action[None].tolist(), 2) == described[:2]
    shape = re.escape(str((1, *action.shape)))
    for given, remedy in ((action, r"actions\[None\]"), (np.stack([action] * 4), "i : i")):
        with pytest.raises(
            ValueError, match=f"actions: .* one campaign, .* shape {shape}.*{remedy}"
        ):
            spec.describe(given)
    for odd in (None, "a", [[1], [2, 3]], np.zeros((1, 0, *action.shape[1:]))):
        with pytest.raises(ValueError, match="actions: expected the action of one campaign"):
            spec.describe(odd)
