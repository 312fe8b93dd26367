"""The return is the utility, and the utility is what its name says, computed here from scratch."""

from __future__ import annotations

import itertools
import json
import math
import pickle
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ombo_gym.env import CampaignEnv
from ombo_gym.priors import BernoulliArms
from ombo_gym.spec import CampaignSpec
from ombo_gym.utilities import UTILITIES, Utility, make_utility
from tests.envs.cases import IDS
from tests.pools import NOTHING, Table

QUANTILE: dict[str, Any] = {"name": "last_quantile", "quantile": 0.9}
# Of every problem.
NAMES: list[Any] = ["auc", "best", "last_max", "last_mean", "last_median", QUANTILE, "total"]
SMALL: dict[str, list[dict[str, Any]]] = {  # finite problems, and a few of each
    "Bandit": [
        {"arms": 3},
        {"arms": 2, "prior": [[1, 3], [0.5, 0.5]], "known": [0.4, 0.0]},
        {"arms": 0, "known": [0.7]},
    ],
    "Landscapes": [
        {},
        {"name": "tent8"},
        {"name": "dose", "levels": 4},
        {"name": "blurred_signpost"},
        {
            "matrix": [[-1, -2, 0.5], [-1, -3, -0.5], [2, -3, 0.5]],
            "weights": [1, 2, 3],
            "noise": {"values": [-1, 0.25], "probabilities": [0.5, 0.5]},
        },
    ],
}


def quantile(values: Sequence[float], share: float) -> float:
    """Linear between the values in order, the smallest at 0 and the largest at 1."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def expected_utility(
    utility: Any,
    base: float,
    batches: Sequence[Sequence[float]],
    wasted: Sequence[Sequence[bool]] | None = None,
) -> float:
    """The table of the public contract, in plain Python; wasted slots come with a value of 0."""
    unwasted = [[False] * len(batch) for batch in batches]
    counted = [
        [value for value, gone in zip(batch, waste, strict=True) if not gone]
        for batch, waste in zip(batches, wasted or unwasted, strict=True)
    ]
    best_by_round = [
        max([base, *itertools.chain(*counted[: n + 1])]) - base for n in range(len(counted))
    ]
    last = list(batches[-1])
    return {
        "auc": math.fsum(best_by_round) / len(best_by_round),
        "best": best_by_round[-1],
        "last_max": max(last),
        "last_median": statistics.median(last),
        "last_mean": statistics.fmean(last),
        "last_quantile": quantile(last, 0.9),
        "total": math.fsum(itertools.chain(*counted)),
    }[utility if isinstance(utility, str) else utility["name"]]


def test_these_are_all_utilities() -> None:
    names = [make_utility(utility).name for utility in [*NAMES, "recommendation"]]
    ours = [name for name, kind in UTILITIES.items() if kind.__module__ == make_utility.__module__]
    assert sorted(ours) == sorted(names)
    with pytest.raises(ValueError, match=r"utility: .*auc.*best.*last_max.*total.*got 'bets'"):
        make_utility("bets")


starts = st.one_of(
    st.just({"kind": "none"}),
    st.builds(lambda size: {"kind": "random", "size": size}, st.integers(1, 9)),
    st.builds(
        lambda percentile, size: {"kind": "percentile", "percentile": percentile, "size": size},
        st.sampled_from([1, 50, 100]),
        st.integers(1, 9),
    ),
)
horizons = st.one_of(st.integers(1, 4), st.sampled_from([[1, 3], [2, 2], [2, 4]]))
sizes = st.one_of(st.integers(1, 5), st.sampled_from([[1, 4], [2, 5]]))
rounds = st.one_of(
    st.builds(lambda horizon, q: {"horizon": horizon, "batch_size": q}, horizons, sizes),
    st.builds(
        lambda plates: {"plates": plates}, st.lists(st.integers(1, 5), min_size=1, max_size=4)
    ),
)


@pytest.mark.parametrize("utility", [*NAMES, "recommendation"], ids=str)
@pytest.mark.parametrize("env_id", IDS)
@settings(max_examples=9, derandomize=True)
@given(
    start=starts,
    rounds=rounds,
    noise_std=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 2**31),
    variant=st.integers(0, 4),
)
def test_the_undiscounted_return_is_the_utility(
    env_id: str,
    utility: Any,
    start: dict[str, Any],
    rounds: dict[str, Any],
    noise_std: float,
    seed: int,
    variant: int,
) -> None:
    name = env_id.split("/")[1].split("-")[0]
    common = {**rounds, "start": start}
    if name in SMALL:
        common |= SMALL[name][variant % len(SMALL[name])]
        common["start"] = start = fitting(start, CampaignEnv(name, **{**common, "start": NOTHING}))
    if utility == "recommendation":
        if name not in SMALL:
            with pytest.raises(ValueError, match=r"utility: 'recommendation' needs .*got"):
                CampaignEnv(name, utility=utility, noise_std=noise_std, **common)
            return
        noise_std = 0.0
    env = CampaignEnv(name, utility=utility, noise_std=noise_std, **common)
    played = played_with_repeats(env, name, seed)
    size = start.get("size", 0)
    if name in SMALL:
        truth = true_values_of(env)
        shown = [truth[x] for x in played.start_designs[:size]]
        assert played.infos[0]["optimum"] == max(truth)
        for action, batch, waste in zip(played.actions, played.batches, played.wasted, strict=True):
            expected = [0 if w else truth[x] for x, w in zip(action, waste, strict=True)]
            assert batch == expected
    else:  # without noise, what is measured at the start of the same campaign are its true values
        bare = CampaignEnv(name, noise_std=0.0, **common).reset(seed=seed)[0]
        assert bare["observed"].sum() == size
        shown = bare["measurements"][:size].tolist()
    check_infos(played, shown, name)
    check_rewards(played, utility)
    if utility == "recommendation":
        for n, observation in enumerate(played.observations[1:], 1):
            mean = best_mean(env, observation)
            assert math.fsum(played.rewards[:n]) == pytest.approx(mean, abs=1e-9)
    else:
        base = max(shown, default=0.0)
        expected = expected_utility(utility, base, played.batches, played.wasted)
        assert played.infos[-1]["utility"] == pytest.approx(expected, abs=1e-6)
    assert len(played.batches) in range(*np.add(env.campaign_spec.horizons, (0, 1)))


@dataclass
class Played:
    """A campaign, round by round; observations and infos begin with those of the reset."""

    observations: list[dict[str, Any]]
    infos: list[dict[str, Any]]
    start_designs: list[int]  # where there is an index to name
    actions: list[list[Any]] = field(default_factory=list)  # what the plates hold
    rewards: list[float] = field(default_factory=list)
    batches: list[list[float]] = field(default_factory=list)  # true values
    wasted: list[list[bool]] = field(default_factory=list)


def played_with_repeats(env: CampaignEnv, name: str, seed: int) -> Played:
    """Random batches and, now and then, the same batch again: measured again, or wasted."""
    observation, info = env.reset(seed=seed, options={"optimum": True})
    size = int(observation["observed"].sum())
    played = Played([observation], [info], observation["designs"][:size, 0].tolist())
    measured = set(played.start_designs)
    rng, terminated = np.random.default_rng(seed), False
    env.action_space.seed(seed)
    action = env.action_space.sample()
    while not terminated:
        if rng.random() < 0.7:
            action = env.action_space.sample()
        q = int(observation["plates"][0])
        observation, reward, terminated, _, info = env.step(action)
        waste = [False] * q
        if name == "Landscapes":
            for slot, design in enumerate(action[:q].tolist()):
                waste[slot] = design in measured
                measured.add(design)
        played.observations.append(observation)
        played.infos.append(info)
        played.actions.append(action[:q].tolist())
        played.rewards.append(reward)
        played.batches.append(info["true_values"][:q].tolist())
        played.wasted.append(waste)
        assert np.isnan(info["true_values"][q:]).all()
    return played


def check_infos(played: Played, shown: list[float], name: str) -> None:
    """What infos and observations say, from the true values of the start and of the batches."""
    so_far = list(shown)
    for number, (observation, info) in enumerate(
        zip(played.observations, played.infos, strict=True)
    ):
        if number:
            batch, waste = played.batches[number - 1], played.wasted[number - 1]
            so_far += [value for value, gone in zip(batch, waste, strict=True) if not gone]
            assert info["wasted"] == sum(waste)
            assert info["infeasible"] == 0 or name == "Reaction", "of which five were never run"
        best = max(so_far, default=0.0)
        assert info["best_value"] == pytest.approx(best, abs=1e-6)
        assert info["regret"] == pytest.approx(info["optimum"] - best, abs=1e-6)
        assert observation["observed"].sum() == len(so_far)


def check_rewards(played: Played, utility: Any) -> None:
    """When each utility pays, and that the return is the utility that the last info holds."""
    for number, (reward, batch) in enumerate(zip(played.rewards, played.batches, strict=True), 1):
        if make_utility(utility).last_round_only and utility != "recommendation":
            assert reward == 0.0 or number == len(played.rewards)
        if utility in ("auc", "best"):
            assert reward >= 0.0
        if utility == "total":
            assert reward == pytest.approx(math.fsum(batch), abs=1e-9)
    assert math.fsum(played.rewards) == pytest.approx(played.infos[-1]["utility"], abs=1e-9)


def fitting(start: dict[str, Any], env: CampaignEnv) -> dict[str, Any]:
    """A start of no more designs than every instance of a small problem shows."""
    if "size" not in start:
        return start
    most = env.design_space.size
    if start["kind"] == "percentile":  # the percentile of n values is at least the k-th lowest
        most = int((most - 1) * start["percentile"] / 100) + 1
    return {**start, "size": min(start["size"], most)}


def true_values_of(env: CampaignEnv) -> list[float]:
    """The true value of every design of a bandit or a landscape, looked up in the campaign."""
    (instance,) = (array[0] for array in env.campaigns.instances.values())
    return list(instance if instance.shape else env.problem.prior.matrix[instance])


def best_mean(env: CampaignEnv, observation: dict[str, Any]) -> float:
    """The largest posterior mean of a design, in plain Python."""
    prior, n = env.problem.prior, int(observation["observed"].sum())
    designs = observation["designs"][:n, 0].tolist()
    data = list(zip(designs, observation["measurements"][:n].tolist(), strict=True))
    if isinstance(prior, BernoulliArms):  # successes and failures are added to a and b
        means = list(prior.known)
        for arm, (a, b) in enumerate(prior.beta):
            pulls = [value for design, value in data if design == arm]
            means.append((a + sum(pulls)) / (a + b + len(pulls)))
        return max(means)
    noise = list(zip(prior.noise_values, prior.noise_weights, strict=True))
    weights = []
    for landscape, weight in zip(prior.matrix, prior.weights, strict=True):
        likelihood = [
            sum(p for error, p in noise if abs(landscape[x] + error - value) < 1e-6)
            for x, value in data
        ]
        weights.append(weight * math.prod(likelihood))
    total = math.fsum(weights)
    return max(
        sum(weight * value for weight, value in zip(weights, column, strict=True)) / total
        for column in zip(*prior.matrix, strict=True)
    )


class Hits(Utility):
    """The share of rounds with a hit: a design that is worth at least so much."""

    name = "hits"

    def __init__(self, least: float = 0.0) -> None:
        self.least = least

    def gain(self, batch: NDArray[np.float64], best: Any, rounds_left: Any) -> NDArray[np.float64]:
        return (batch.max(axis=-1) >= self.least).astype(float)

    def level(
        self, utility: NDArray[np.float64], base: NDArray[np.float64], measurements: int
    ) -> NDArray[np.float64]:
        return base


@pytest.mark.parametrize(
    ("utility", "hits"), [("hits", 4.0), ({"name": "hits", "least": 3.5}, 2.0), ("hits:least=9", 0)]
)
def test_one_class_is_a_utility_of_environments_specs_and_json(utility: Any, hits: float) -> None:
    env = gym.make("Ombo/Landscapes-v0", matrix=[[1.0, 2, 3, 4, 5]], horizon=4, utility=utility)
    spec = env.unwrapped.campaign_spec
    assert isinstance(spec.utility, Hits)
    assert CampaignSpec.from_json(spec.to_json()) == spec == pickle.loads(pickle.dumps(spec))
    env = gym.make(EnvSpec.from_json(env.spec.to_json()), batch_size=1)
    env.reset(seed=0)
    results = [env.step([design]) for design in (0, 3, 2, 4)]
    assert sum(result[1] for result in results) == results[-1][4]["utility"] == hits


@pytest.mark.parametrize("text", ["best", "last_quantile:quantile=0.25", "auc", "hits:least=1.5"])
def test_a_utility_is_written_as_text_and_as_json(text: str) -> None:
    utility = make_utility(text)
    assert str(utility) == text
    for again in (str(utility), utility.config(), json.loads(json.dumps(utility.config()))):
        assert make_utility(again) == utility and hash(make_utility(again)) == hash(utility)
    assert make_utility(utility) is utility
    assert utility != make_utility("total")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 1])
def test_a_quantile_is_as_numpy_counts_it(share: float) -> None:
    values = [4.0, -1.0, 7.5, 2.0, 2.0]
    env = CampaignEnv(
        Table(values),
        batch_size=5,
        horizon=2,
        start=NOTHING,
        utility={**QUANTILE, "quantile": share},
    )
    env.reset(seed=0)
    assert env.step([0, 0, 0, 0, 0])[1] == 0.0
    assert env.step([0, 1, 2, 3, 4])[4]["utility"] == np.quantile(values, share)
    assert quantile(values, share) == pytest.approx(np.quantile(values, share), abs=1e-12)


def test_auc_pays_an_improvement_in_every_round_that_is_left() -> None:
    env = CampaignEnv(Table([1.0, 3.0, 2.0]), batch_size=1, horizon=4, utility="auc", start=NOTHING)
    env.reset(seed=0)
    rewards = [env.step([design])[1] for design in (0, 1, 2, 1)]
    assert rewards == pytest.approx([1 / 4, 3 / 4, 3 / 4, 3 / 4])


def test_the_median_of_an_even_batch_is_the_mean_of_the_middle_two() -> None:
    for q, expected in ((1, 4.0), (2, 4.0), (3, 4.0), (4, 4.5), (5, 5.0)):
        env = CampaignEnv(Table([4.0, 4.0, 5.0, 9.0, 7.0]), batch_size=q, horizon=1, **MEDIAN)
        env.reset(seed=0)
        info = env.step(list(range(q)))[4]
        assert info["utility"] == expected == statistics.median([4.0, 4.0, 5.0, 9.0, 7.0][:q])


MEDIAN: dict[str, Any] = {"utility": "last_median", "start": {"kind": "none"}}


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a name that is not taken, got 'best'"):

        class Best(Utility):
            name = "best"


def test_a_utility_is_named_by_its_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_hits.py").write_text(
        "from ombo_gym import Utility\n"
        "class Hits(Utility):\n"
        "    name = 'own_hits'\n"
        "    def __init__(self, threshold): self.threshold = threshold\n"
        "    def gain(self, batch, best, rounds_left): return (batch > self.threshold).sum(-1)\n"
        "    def level(self, utility, base, measurements): return utility / measurements\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    made = make_utility("own_hits:Hits:threshold=0.5")
    assert str(made) == "own_hits:threshold=0.5" and made == make_utility(str(made))
    with pytest.raises(ValueError, match="module:Class, got 'own_hits:Misses'"):
        make_utility("own_hits:Misses")


def test_a_gain_of_the_wrong_shape_is_refused_with_the_right_one() -> None:
    class PerDesign(Utility):
        name = "per_design"

        def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
            return batch

        def level(self, utility: Any, base: Any, measurements: int) -> Any:
            return utility

    try:
        env = CampaignEnv("GP", utility="per_design", batch_size=3)
        env.reset(seed=0)
        with pytest.raises(ValueError, match=r"PerDesign: expected `gain`.* shape \(1,\)"):
            env.step(env.action_space.sample())
    finally:
        del UTILITIES["per_design"]
