"""What rules are worth: scores of campaigns of many tasks, all rules on the same campaigns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from ombo_agents.learned.meta.context import KINDS, kind_of
from ombo_agents.learned.meta.policy import Meta
from ombo_agents.learned.meta.rule import Rule
from ombo_gym.evaluation.one_thread import one_thread
from ombo_gym.observations import Observation
from ombo_gym.registration import environment
from ombo_gym.scores import score
from ombo_gym.spec import campaign_spec
from ombo_gym.tasks import Task, TaskDistribution
from ombo_gym.vector_env import CampaignVectorEnv

Floats = NDArray[np.float64]
Play = Callable[..., Iterable[Any]]  # maps a function over items, in their order

_HORIZONS = (1, 2, 3, 5, 7, 10)
_WELLS = (8, 40)  # of a campaign, between which its budget is drawn
_WORST = -1.0  # what is worse counts as this, as in the leaderboard
_KEPT = 1024  # settings whose best values, which may take a search, are kept in memory
_best_values: dict[Setting, Floats] = {}


@dataclass(frozen=True)
class Setting:
    """Campaigns of one task.

    Attributes:
        env: Id of the environment.
        arguments: Its further arguments, as JSON: horizon, batch size, utility, start and others.
        seed: Of the first campaign.
        campaigns: How many.
    """

    env: str
    arguments: str
    seed: int
    campaigns: int


def by_kind(tasks: TaskDistribution) -> dict[int, TaskDistribution]:
    """The tasks of each kind of campaign that there are, each with one utility."""
    found: dict[int, list[tuple[Task, float]]] = {}
    for task, share in zip(tasks, tasks.probabilities.tolist(), strict=True):
        for utility in task.utilities:
            one = replace(task, utilities=(utility,), weight=share / len(task.utilities))
            if share > 0:
                found.setdefault(_kind_of_task(one), []).append((one, one.weight))
    return {
        kind: TaskDistribution(tuple(task for task, _ in found[kind]))
        for kind in range(len(KINDS))
        if kind in found
    }


def _kind_of_task(task: Task) -> int:
    env = gym.make_vec(environment(task.env), num_envs=1, **task.arguments())
    kind = kind_of(campaign_spec(env))
    env.close()
    return kind


def draw_settings(
    tasks: TaskDistribution,
    rng: np.random.Generator,
    count: int,
    campaigns: int,
    seed: int,
    *,
    least_horizon: int = 1,
) -> list[Setting]:
    """Draws settings: tasks in their shares, as near as whole numbers come, N and q at random.

    Args:
        tasks: From which.
        rng: Of all that is drawn but the campaigns.
        count: How many.
        campaigns: Of each.
        seed: Of the first campaign of all.
        least_horizon: Of N, where a task has such.
    """
    indices = tasks.indices((np.arange(count) + rng.random()) / count)
    return [
        _setting(tasks[int(index)], rng, campaigns, seed + number * campaigns, least_horizon)
        for number, index in enumerate(indices)
    ]


def _setting(
    task: Task, rng: np.random.Generator, campaigns: int, seed: int, least_horizon: int
) -> Setting:
    low, high = _range(task.horizon)
    low = min(max(low, least_horizon), high)
    horizon = int(rng.choice([n for n in _HORIZONS if low <= n <= high] or [low]))
    wells = np.exp(rng.uniform(*np.log(_WELLS)))
    batch_size = int(np.clip(round(wells / horizon), *_range(task.batch_size)))
    utility = task.utilities[int(rng.integers(len(task.utilities)))]
    arguments = {**task.arguments(utility), "horizon": horizon, "batch_size": batch_size}
    return Setting(task.env, json.dumps(arguments), seed, campaigns)


def _range(given: int | tuple[int, int]) -> tuple[int, int]:
    return (given, given) if isinstance(given, int) else given


class PlayedSetting:
    """Campaigns that are begun once, and played by one rule after the other.

    Args:
        setting: What is played.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        arguments = json.loads(setting.arguments)
        self._env = gym.make_vec(
            environment(setting.env),
            num_envs=setting.campaigns,
            autoreset_mode="Disabled",
            **arguments,
        )
        self._spec = campaign_spec(self._env)
        self._utility = arguments["utility"]
        self._wells = arguments["horizon"] * arguments["batch_size"]
        self._rounds = arguments["horizon"]

    def scores(self, rule: Rule) -> Floats:
        """Scores of the campaigns under a rule, (B,), from -1."""
        setting = self._setting
        policy = Meta(self._spec, rule)
        rngs = [
            np.random.default_rng([setting.seed, number]) for number in range(setting.campaigns)
        ]
        observation: Observation
        with one_thread():
            observation, info = self._env.reset(seed=setting.seed)
            base = np.asarray(info["best_value"], np.float64)
            top = self._best_values()
            for _ in range(self._rounds):
                observation, _, _, _, info = self._env.step(policy.act(observation, rngs))
        worth = np.asarray(info["utility"], np.float64)
        found = score(self._utility, worth, base, top, measurements=self._wells)
        return np.maximum(found, _WORST)

    def _best_values(self) -> Floats:
        """The best values known of the campaigns that were begun, (B,)."""
        if self._setting not in _best_values:
            begun: CampaignVectorEnv = self._env.unwrapped  # type: ignore[assignment]
            found = begun.problem.best_known(begun.campaigns.instances)
            if len(_best_values) >= _KEPT:
                _best_values.pop(next(iter(_best_values)))
            _best_values[self._setting] = np.asarray(found, np.float64)
        return _best_values[self._setting]

    def close(self) -> None:
        """Ends the environment."""
        self._env.close()


def mean_scores(setting: Setting, rules: Sequence[Rule]) -> Floats:
    """Mean scores of a setting's campaigns under each rule, (rules,)."""
    played = PlayedSetting(setting)
    try:
        return np.stack([played.scores(rule).mean() for rule in rules])
    finally:
        played.close()


def gains(play: Play, settings: Sequence[Setting], rules: Sequence[Rule]) -> Floats:
    """Mean scores under all rules but the first, minus those under the first, by setting.

    Args:
        play: Maps a function over settings, in their order; a process may take each.
        settings: S of them.
        rules: Who plays; the first is what the others are compared with.

    Returns:
        (S, rules - 1).
    """
    scores = np.stack(list(play(partial(mean_scores, rules=rules), settings)))
    found: Floats = scores[:, 1:] - scores[:, :1]
    return found
