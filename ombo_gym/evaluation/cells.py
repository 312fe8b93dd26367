"""A cell: one policy on one block of campaigns, a pure function of its fields."""

from __future__ import annotations

import hashlib
import importlib
import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import ombo_gym
from ombo_gym.design_spaces import repeated
from ombo_gym.evaluation.code_names import make_utility_known
from ombo_gym.evaluation.one_thread import one_thread
from ombo_gym.evaluation.plates import KEY as PLATES
from ombo_gym.evaluation.replays import check_replays, record
from ombo_gym.observations import Observation, as_last_round
from ombo_gym.registration import environment
from ombo_gym.spec import campaign_spec

# A number per campaign.
COLUMNS = ("value", "best_value", "start_best", "auc", "distinct", "model_queries")
WEIGHT = 2.0**-30  # exploration weights are summed in multiples of this
# What is recorded of what a policy says of its actions: shape per campaign, largest number.
DETAILS: dict[str, tuple[tuple[int, ...], float]] = {
    "exploration_weights": ((2,), 1e6),
    "model_queries": ((), 1e15),
}
SEEDS = 2**31  # evaluation campaigns are seeded below, training campaigns from here up


@dataclass(frozen=True)
class Cell:
    """What is played.

    Attributes:
        env: Id of the environment.
        env_kwargs: Its further arguments, as JSON.
        policy: As the policy factory takes it.
        horizon_shown: "true": the policy sees the rounds left; "one": it is told every round that
            it is the last. The column `told_horizon` of tables.
        horizon, batch_size: Of the campaigns; where `env_kwargs` lays down `plates`, how many they
            are and the largest of them.
        utility: Of the campaigns, as a name with arguments (`str` of an `ombo_gym` utility).
        seed: Of campaign 0; campaign i has seed + i.
        first: Number of the block's first campaign.
        campaigns: How many.
        maker: "module:function" that builds a policy from (policy, spec).
        utility_class: `module:Class` of a utility of one's own, whose module has to be imported
            before its name is known, wherever the cell is played.
        fingerprint: Changes when what the names stand for changes: code, settings, data, versions
            of libraries (`identity`).
    """

    env: str
    policy: str
    horizon_shown: str
    horizon: int
    batch_size: int
    utility: str
    seed: int
    first: int
    campaigns: int
    env_kwargs: str = "{}"
    maker: str = "ombo_agents:make"
    fingerprint: str = ""
    utility_class: str = ""

    @property
    def key(self) -> str:
        """Hash of the fields and of the package's version; the fingerprint has own classes."""
        said = {name: value for name, value in asdict(self).items() if name != "utility_class"}
        text = json.dumps([said, ombo_gym.__version__], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def showing(self, horizon_shown: str) -> Cell:
        """The same cell, in which policies are shown another horizon."""
        return replace(self, horizon_shown=horizon_shown)


class Played(NamedTuple):
    """What came of a cell.

    Attributes:
        columns: A number per campaign, (campaigns,) each, of `COLUMNS`. `start_best` is the best
            true value of the start (without a start, the problem's reference), `auc` the mean over
            rounds of the best true value so far, minus that. `model_queries` counts the designs
            that a policy asked a model of its own about, where it says so.
        instances: Which of a collection each campaign has drawn, (campaigns,); -1 where the problem
            is none.
        weights: Of policies that act through exploration weights, a row per round: the sums over
            campaigns of the first, the last and the mean slot's weight, (N, 3), in multiples of
            `WEIGHT`, so that they do not depend on how campaigns are cut into blocks; else no rows.
        replays: The first campaigns of the first block, round by round (`replays.record`).
        seconds: Of CPU that the policy took for its actions.
    """

    columns: dict[str, NDArray[np.float64]]
    instances: NDArray[np.int64]
    weights: NDArray[np.int64]
    replays: list[dict[str, Any]]
    seconds: float


def make_env(cell: Cell) -> Any:
    """The cell's campaigns as a vector environment."""
    if cell.utility_class:
        make_utility_known(cell.utility_class)
    arguments = json.loads(cell.env_kwargs)
    if PLATES not in arguments:
        arguments |= {"horizon": cell.horizon, "batch_size": cell.batch_size}
    return gym.make_vec(
        environment(cell.env),
        num_envs=cell.campaigns,
        autoreset_mode="Disabled",
        utility=cell.utility,
        **arguments,
    )


def make_policy(cell: Cell, env: Any) -> Any:
    """The cell's policy, which is given what a player may know, and no environment."""
    module, function = cell.maker.split(":")
    return getattr(importlib.import_module(module), function)(cell.policy, campaign_spec(env))


def generators(cell: Cell) -> list[np.random.Generator]:
    """A generator per campaign, from (seed, campaign, policy) and not from the block."""
    policy = zlib.crc32(cell.policy.encode())
    numbers = range(cell.first, cell.first + cell.campaigns)
    return [np.random.default_rng([cell.seed, number, policy]) for number in numbers]


def play(cell: Cell) -> Played:
    """Plays a cell: all its campaigns in lockstep, on one thread.

    More threads would add in another order, and the last digit would depend on the machine.

    Raises:
        ValueError: The policy does not suit the campaigns, an action is none, or a number that is
            to be finite is not, of what a policy says of its action or of what campaigns are worth.
    """
    env = make_env(cell)
    policy = make_policy(cell, env)
    rngs = generators(cell)
    distinct, queries, weights = np.zeros(cell.campaigns), np.zeros(cell.campaigns), []
    seconds, auc = 0.0, np.zeros(cell.campaigns)
    info: dict[str, Any] = {}
    with one_thread():  # after the policy's libraries were imported
        observation, begun = env.reset(seed=cell.seed + cell.first)
        for _ in range(cell.horizon):
            shown = as_last_round(observation) if cell.horizon_shown == "one" else observation
            began = time.process_time()
            actions, details = _decide(policy, shown, rngs)
            seconds += time.process_time() - began
            if "exploration_weights" in details:
                chosen = details["exploration_weights"]  # (B, 2)
                slots = np.column_stack([chosen[:, 0], chosen[:, 1], chosen.mean(axis=1)])
                weights.append(np.round(slots / WEIGHT).astype(np.int64).sum(axis=0))
            queries += details.get("model_queries", 0)
            proposed = observation
            observation, _, _, _, info = env.step(actions)  # which refuses what is no action
            distinct += _distinct(env, proposed, actions) / cell.horizon
            auc += (np.asarray(info["best_value"]) - begun["best_value"]) / cell.horizon
    columns = {
        "value": np.asarray(info["utility"]),
        "best_value": np.asarray(info["best_value"]),
        "start_best": np.asarray(begun["best_value"], np.float64),
        "auc": auc,
        "distinct": distinct,
        "model_queries": queries,
    }
    replays = record(env.unwrapped.campaigns) if cell.first == 0 else []
    env.close()
    instances = _instances(begun, cell.campaigns)
    sums = np.array(weights, np.int64).reshape(-1, 3)
    played = Played(columns, instances, sums, replays, seconds)
    check_played(cell, played)
    return played


def _decide(
    policy: Any, observation: Observation, rngs: list[np.random.Generator]
) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """A policy's actions for B campaigns, and what it says of them that is recorded."""
    explain = getattr(policy, "explain", None)
    if explain is None:
        return policy.act(observation, rngs), {}
    answer = explain(observation, rngs)
    if not isinstance(answer, tuple) or len(answer) != 2 or not isinstance(answer[1], Mapping):
        raise ValueError(f"explain: expected (actions, details), got {type(answer).__name__}")
    actions, details = answer
    found = {
        name: _checked_detail(name, details[name], (len(rngs), *shape), largest)
        for name, (shape, largest) in DETAILS.items()
        if details.get(name) is not None
    }
    return actions, found


def _checked_detail(name: str, given: Any, shape: tuple[int, ...], largest: float) -> NDArray[Any]:
    """Numbers of that shape that can be summed; those of one campaign may stand for all."""
    array = np.asarray(given)
    if array.shape not in (shape, shape[1:]) or array.dtype.kind not in "iuf":
        raise ValueError(
            f"{name}: expected numbers of shape {shape}, got {array.dtype} of shape {array.shape}"
        )
    usable = np.abs(array) <= largest  # false for NaN
    if not usable.all():
        raise ValueError(
            f"{name}: expected finite numbers up to {largest:g}, got {array[~usable][0]}"
        )
    return np.broadcast_to(array, shape)


def check_played(cell: Cell, played: Played) -> None:
    """Refuses what no cell can have come to.

    Raises:
        ValueError: A number that is not finite; instances or replays that cannot be.
    """
    for name, column in played.columns.items():
        unknown = name == "distinct" and np.isnan(column).all()  # played through a control
        if not unknown and not (finite := np.isfinite(column)).all():
            campaign = cell.first + int(np.flatnonzero(~finite)[0])
            raise ValueError(
                f"{name}: expected finite numbers, got {column[~finite][0]} in campaign {campaign}"
            )
    if (played.instances < -1).any():
        raise ValueError(f"instances: expected numbers from -1, got {played.instances.min()}")
    check_replays(cell.first, cell.campaigns, played.replays)


def _distinct(env: Any, observation: Observation, actions: NDArray[Any]) -> NDArray[np.float64]:
    """Number of distinct designs in each batch, (B,), of the slots that are measured."""
    spec = campaign_spec(env)
    if spec.control != "designs":
        return np.full(len(actions), np.nan)
    space = spec.design_space
    repeats = repeated(space.canonical(space.designs(actions)))  # (B, largest q)
    measured = np.arange(spec.batch_size) < observation["plates"][:, :1]
    fresh: NDArray[np.int64] = (~repeats & measured).sum(axis=1)
    return fresh.astype(np.float64)


def _instances(info: dict[str, Any], campaigns: int) -> NDArray[np.int64]:
    """Which of a collection each campaign has drawn, (B,); -1 where the problem is none."""
    if "instance" not in info:
        return np.full(campaigns, -1)
    return np.where(info["_instance"], info["instance"], -1)
