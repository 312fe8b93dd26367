"""Environments of brute-forced problems, policies to play them, and campaigns that are played."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
from ombo_agents import Policy
from ombo_agents.planners.dynamic_programming import exact_value
from ombo_gym.spec import campaign_spec
from tests.planners.brute_cases import Arms, Surfaces
from tests.planners.brute_force import Batch, BruteForce, Choice, Data, Rounds

RULES = ("worst", "uniform", "best", "first")
EXACT = 1e-12  # what a value may be off by, relative to 1 or the value


EXACT_POLICIES = ("one_step", "rolling_2", "rolling_3", "bayes_optimal")
NOISE = {"values": [-0.5, 0.0, 0.5], "probabilities": [0.25, 0.5, 0.25]}
OWN = {
    "matrix": [[0.0, 1.0, 0.5, 2.0], [0.5, 1.0, 0.0, -1.0], [1.0, 0.0, 0.5, 0.0]],
    "weights": [1, 2, 5],
    "noise": NOISE,
}
BANDIT, LANDSCAPES = "Ombo/Bandit-v0", "Ombo/Landscapes-v0"
MIXED = [
    (BANDIT, {"arms": 2, "known": [0.5], "utility": "total"}),
    (BANDIT, {"arms": 3, "prior": [[1, 1], [2, 1], [1, 1]], "utility": "recommendation"}),
    (LANDSCAPES, {"name": "tent8", "utility": "best"}),
    (LANDSCAPES, {**OWN, "utility": "last_median"}),
]
every_mixture = pytest.mark.parametrize(("env_id", "arguments"), MIXED)


def close(found: float, expected: Fraction | float) -> bool:
    """Whether a value is the exact one, but for rounding."""
    return abs(found - float(expected)) <= EXACT * max(1.0, abs(float(expected)))


def bandit(horizon: int, q: int = 1, utility: str = "total", **arguments: Any) -> gym.Env:
    return gym.make("Ombo/Bandit-v0", horizon=horizon, batch_size=q, utility=utility, **arguments)


def landscapes(horizon: int, q: int = 1, utility: str = "best", **arguments: Any) -> gym.Env:
    return gym.make(
        "Ombo/Landscapes-v0", horizon=horizon, batch_size=q, utility=utility, **arguments
    )


def arguments_of(case: BruteForce) -> dict[str, Any]:
    """What the environment of a brute-forced problem is made with, but for rounds and batches."""
    common = {"utility": case.utility}
    if isinstance(case, Arms):
        return {
            **common,
            "id": "Ombo/Bandit-v0",
            "arms": len(case.priors),
            "prior": [[float(a), float(b)] for a, b in case.priors],
            "known": [float(p) for p in case.known],
        }
    assert isinstance(case, Surfaces)
    return {
        **common,
        "id": "Ombo/Landscapes-v0",
        "matrix": [[float(value) for value in row] for row in case.matrix],
        "weights": [float(weight) for weight in case.weights],
        "noise": {
            "values": [float(value) for value, _ in case.noise],
            "probabilities": [float(weight) for _, weight in case.noise],
        },
    }


def rounds_of(case: BruteForce, rounds: Rounds) -> dict[str, Any]:
    """The rounds as an environment's arguments."""
    if isinstance(rounds, int):
        return {"horizon": rounds, "batch_size": case.q}
    return {"plates": list(rounds)}


def env_of(case: BruteForce, rounds: Rounds, **more: Any) -> gym.Env:
    # Of a single design gymnasium's checker thinks that it must be a mistake.
    settings = {**arguments_of(case), **rounds_of(case, rounds), **more}
    return gym.make(**settings, disable_env_checker=True)


def value(name: str, env: gym.Env) -> float:
    """The exact value of a policy by its name."""
    return exact_value(env, ombo_agents.make(name, env))


def opening(env: Any, name: str = "one_step:ties=uniform") -> list[list[int]]:
    """The sorted batches that a policy may open a campaign with, from an empty dataset."""
    batch = {key: array[None] for key, array in env.reset(seed=0)[0].items()}
    told = ombo_agents.make(name, env).distribution(batch)
    assert told is not None
    actions, probabilities = told
    assert probabilities.shape == (1, len(actions)) and close(probabilities.sum(), 1.0)
    return sorted(sorted(action.tolist()) for action in actions[probabilities[0] > 0])


def datasets(observation: dict[str, np.ndarray]) -> list[tuple[tuple[int, Any], ...]]:
    """Each row's measurements in order, as brute force names them; values must be dyadic."""
    found = []
    for row in range(len(observation["rounds_left"])):
        n = int(observation["observed"][row].sum())
        assert observation["observed"][row, :n].all()
        assert not observation["designs"][row, n:].any()
        assert not observation["measurements"][row, n:].any()
        designs, values = observation["designs"][row, :n, 0], observation["measurements"][row, :n]
        found.append(
            tuple((int(x), Fraction(float(y))) for x, y in zip(designs, values, strict=True))
        )
    return found


def generators(rows: int, seed: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng([seed, i]) for i in range(rows)]


def situations(env: Any, rounds: int, seed: int = 0) -> list[dict[str, np.ndarray]]:
    """Observations of random play: campaigns of different lengths, some over, some anew."""
    env.action_space.seed(seed)
    observations = [env.reset(seed=seed)[0]]
    for _ in range(rounds):
        observations.append(env.step(env.action_space.sample())[0])
    return observations


def dataset(env: Any, *rows: tuple[int, float], left: int = 2) -> dict[str, np.ndarray]:
    """Of one batch size; also what no campaign can show."""
    spec = campaign_spec(env)
    designs = np.zeros((1, spec.capacity, 1), np.int64)
    measurements = np.zeros((1, spec.capacity))
    for i, (design, measured) in enumerate(rows):
        designs[0, i, 0], measurements[0, i] = design, measured
    observed = (np.arange(spec.capacity) < len(rows))[None].astype(np.int8)
    plates = np.zeros((1, max(spec.horizon, left)), np.float32)
    plates[0, :left] = spec.batch_size
    return {
        "designs": designs,
        "measurements": measurements,
        "observed": observed,
        "from_start": np.zeros_like(observed),
        "rounds_left": np.full((1, 1), left, np.float32),
        "plates": plates,
    }


def at_random(case: BruteForce, rounds: Rounds, seed: int):
    """A policy that looks up a batch by the ordered dataset and the rounds left."""

    def choose(data: Data, left: int) -> Batch:
        rng = random.Random(f"{seed} {[(x, str(Fraction(y))) for x, y in data]} {left}")
        return tuple(rng.randrange(case.size) for _ in range(case.sizes(rounds)[-left]))

    return choose


def lots_at_random(case: BruteForce, rounds: Rounds, seed: int):
    """One that draws lots between three of them, of probabilities 1/4, 1/4 and 1/2."""
    three = [at_random(case, rounds, 1000 * seed + i) for i in range(3)]

    def choose(data: Data, left: int) -> list[tuple[Fraction, Batch]]:
        chances = Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)
        return [(chance, each(data, left)) for chance, each in zip(chances, three, strict=True)]

    return choose


class Told(Policy):
    """A deterministic policy given as a function from the ordered dataset to a batch."""

    deterministic = True

    def __init__(self, env: gym.Env, choose: Choice) -> None:
        self.spec = campaign_spec(env)
        self.choose = choose

    def actions(self, batches: list[tuple[int, ...]]) -> Any:
        """With slots behind a small plate, in which anything may stand."""
        slots = self.spec.batch_size
        padded = [(*batch, *(0,) * (slots - len(batch))) for batch in batches]
        return self.spec.design_space.actions(np.array(padded, np.int64)[..., None])

    def choices(self, observation: dict[str, np.ndarray]) -> list[Any]:
        left = observation["rounds_left"][:, 0].astype(int).tolist()
        return [self.choose(*each) for each in zip(datasets(observation), left, strict=True)]

    def act(self, observation: Any, rng: Any) -> Any:
        return self.actions(self.choices(observation))


class Lots(Told):
    """A policy that draws lots between [(probability, batch), ...] and says how."""

    deterministic = False

    def act(self, observation: Any, rng: Any) -> Any:
        rows = self.choices(observation)
        rngs = rng.spawn(len(rows)) if isinstance(rng, np.random.Generator) else rng
        batches = []
        for row, one in zip(rows, rngs, strict=True):
            chances = [float(probability) for probability, _ in row]
            batches.append(row[one.choice(len(row), p=chances)][1])
        return self.actions(batches)

    def distribution(self, observation: Any) -> Any:
        rows = self.choices(observation)
        listed = sorted({batch for row in rows for _, batch in row})
        probabilities = np.zeros((len(rows), len(listed)))
        for i, row in enumerate(rows):
            for probability, batch in row:
                probabilities[i, listed.index(batch)] += float(probability)
        return self.actions(listed), probabilities


class SecretLots(Lots):
    """The same, without telling how."""

    def distribution(self, observation: Any) -> Any:
        return None


class Opening(Policy):
    """A given first batch, and another policy from then on."""

    def __init__(self, env: gym.Env, batch: list[int], then: Policy) -> None:
        self.space: Any = env.unwrapped.design_space  # type: ignore[attr-defined]
        self.batch, self.then = np.array(batch)[:, None], then
        self.deterministic, self.exchangeable = then.deterministic, then.exchangeable

    def act(self, observation: Any, rng: Any) -> Any:
        actions = self.then.act(observation, rng).copy()
        first = ~observation["observed"].any(axis=1)
        if first.any():
            actions[first] = self.space.actions(np.repeat(self.batch[None], first.sum(), axis=0))
        return actions


def play(
    env_id: str, policy: str | Policy, campaigns: int, seed: int = 0, **arguments: Any
) -> tuple[float, float]:
    """Mean and standard error of the utility over played campaigns."""
    env: Any = gym.make_vec(
        env_id,
        campaigns,
        autoreset_mode="Disabled",
        vectorization_mode="vector_entry_point",
        **arguments,
    )
    player = ombo_agents.make(policy, env) if isinstance(policy, str) else policy
    observation, _ = env.reset(seed=seed)
    rngs = [np.random.default_rng([seed, 1])] * campaigns  # drawn from in turn
    returns, over = np.zeros(campaigns), np.zeros(campaigns, bool)
    while not over.all():
        observation, rewards, over, _, infos = env.step(player.act(observation, rngs))
        returns += rewards
    np.testing.assert_allclose(returns, infos["utility"], atol=1e-9)
    return float(returns.mean()), float(returns.std() / np.sqrt(campaigns))
