"""Validation: the same campaigns of other tasks, again and again, by which the policy is chosen."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import ActorCriticPolicy
from typing_extensions import override

from ombo_agents.learned.callbacks import check_finite
from ombo_agents.learned.over_tasks.environments import (
    ScoredCampaigns,
    TasksPlayed,
    scored_campaigns,
)
from ombo_agents.learned.over_tasks.networks import Network, load, weights_of
from ombo_agents.learned.storage import mean_actions
from ombo_agents.learned.training_state import Memory, TrainingState
from ombo_gym.evaluation.one_thread import one_thread
from ombo_gym.evaluation.statistics import paired_difference
from ombo_gym.tasks import TaskDistribution

VALIDATION_SEED = 2**127  # of the first campaign: training's and evaluation's are below
FILE = "validation.csv"
_OF_TWO = ("difference", "low", "high")  # of the network to the one that was kept before
_COLUMNS = ("rounds", "score", *_OF_TWO, "kept")

Floats = NDArray[np.float64]
# Scores of a network's campaigns, (V,).
Score = Callable[[ActorCriticPolicy], Floats]


class ValidationBlock(NamedTuple):
    """What a process is asked for.

    Attributes:
        played: Which tasks, and through what.
        network: Who plays.
        campaigns: Numbers of the campaigns.
        tasks: The task of each.
    """

    played: TasksPlayed
    network: Network
    campaigns: tuple[int, ...]
    tasks: tuple[int, ...]


def tasks_of_campaigns(tasks: TaskDistribution, count: int) -> NDArray[np.int64]:
    """The tasks of V campaigns, (V,): each in its share, as near as whole numbers come."""
    return tasks.indices((np.arange(count) + 0.5) / count).astype(np.int64)


def lengths_of_campaigns(played: TasksPlayed, tasks: NDArray[np.int64]) -> NDArray[np.int64]:
    """The horizons of V campaigns, (V,)."""
    seeds = [VALIDATION_SEED + number for number in range(len(tasks))]
    seen = ScoredCampaigns(played, len(tasks)).reset(seeds, tasks)
    return seen["rounds_left"][:, 0].astype(np.int64)


def score(block: ValidationBlock) -> Floats:
    """The scores of a block's campaigns, played by the network's mean as trained policies are."""
    torch.set_num_threads(1)
    rows = len(block.campaigns)
    with torch.random.fork_rng(devices=[]), one_thread():
        campaigns = scored_campaigns(block.played, rows)
        network = block.network.build(campaigns.observation_space, campaigns.action_space).double()
        seeds = [VALIDATION_SEED + number for number in block.campaigns]
        seen = campaigns.reset(seeds, np.array(block.tasks, np.int64))
        found = np.full(rows, np.nan)
        while np.isnan(found).any():  # those that are over go on with others, which do not count
            seen, _, over, scores = campaigns.step(mean_actions(network, seen))
            found = np.where(over & np.isnan(found), scores, found)
    return found


class Validation(BaseCallback, Memory):
    """Validates every few updates, and keeps the network that is known to be the best.

    The untrained network is kept first. Another takes the place of the kept one where the paired
    95% interval of the mean difference of their scores, over the same campaigns, lies above 0.
    Campaigns count one by one there: the interval is for other campaigns of these tasks, and not
    for other families of them. It is not widened for the number of looks.

    Args:
        score: Plays the campaigns.
        campaigns: V.
        every: Updates between two looks.
        network: Untrained.
    """

    def __init__(
        self, score: Score, campaigns: int, every: int, network: ActorCriticPolicy
    ) -> None:
        super().__init__()
        self._score, self._every = score, every
        self._kept = weights_of(network)
        self._kept_scores: Floats = np.full(campaigns, np.nan)  # (V,)
        self._looks: list[dict[str, Any]] = []

    def put_kept_into(self, network: ActorCriticPolicy) -> None:
        """Gives a network the weights of the kept one."""
        load(network, self._kept)

    def table(self) -> str:
        """What every look found, as CSV."""
        rows = [",".join(_COLUMNS)]
        rows += [",".join(_cell(look[name]) for name in _COLUMNS) for look in self._looks]
        return "\n".join(rows) + "\n"

    # --- between updates ------------------------------------------------------------------------

    @override
    def _on_step(self) -> bool:
        return True

    @override
    def _on_rollout_start(self) -> None:
        model: Any = self.model
        if model.num_timesteps % (self._every * model.n_steps * model.n_envs) == 0:
            self._look(model)

    @override
    def _on_training_end(self) -> None:
        self._look(self.model)

    def _look(self, model: Any) -> None:
        if self._looks and self._looks[-1]["rounds"] == model.num_timesteps:
            return  # before the run was interrupted
        check_finite(model)
        scores = self._score(model.policy)
        look: dict[str, Any] = {"rounds": model.num_timesteps, "score": float(scores.mean())}
        look |= dict.fromkeys(_OF_TWO)
        if self._looks:
            look |= zip(_OF_TWO, paired_difference(scores, self._kept_scores), strict=True)
        look["kept"] = not self._looks or look["low"] > 0
        if look["kept"]:
            self._kept, self._kept_scores = weights_of(model.policy), scores
        self._looks.append(look)
        self._log(model, look)

    def _log(self, model: PPO, look: dict[str, Any]) -> None:
        for name in ("score", *_OF_TWO):
            if look[name] is not None:
                model.logger.record(f"validation/{name}", look[name])
        model.logger.dump(look["rounds"])

    # --- on disk --------------------------------------------------------------------------------

    @override
    def arrays(self) -> dict[str, NDArray[Any]]:
        kept = {f"kept.{name}": each.numpy() for name, each in self._kept.items()}
        return {**kept, "kept_scores": self._kept_scores}

    @override
    def facts(self) -> dict[str, Any]:
        return {"looks": [dict(look) for look in self._looks]}

    @override
    def restore(self, state: TrainingState) -> None:
        for name, weights in self._kept.items():
            weights.copy_(torch.tensor(state.arrays[f"kept.{name}"]))
        self._kept_scores = state.arrays["kept_scores"]
        self._looks = [{name: look[name] for name in _COLUMNS} for look in state.facts["looks"]]


def kept_rounds(folder: Path) -> int:
    """After how many rounds of training the checkpoint was that a run has kept.

    Raises:
        FileNotFoundError: The run has not ended.
    """
    rows = csv.DictReader((folder / FILE).read_text(encoding="utf-8").splitlines())
    return max(int(row["rounds"]) for row in rows if row["kept"] == str(True))


def in_blocks(lengths: NDArray[np.int64], size: int) -> list[tuple[int, ...]]:
    """Numbers of campaigns in blocks, those of one length together: none waits for another.

    Args:
        lengths: (V,) rounds of each.
        size: Of a block, the last one aside.
    """
    order = np.argsort(lengths, kind="stable").tolist()
    return [tuple(order[first : first + size]) for first in range(0, len(order), size)]


def together(blocks: Sequence[tuple[int, ...]], scores: Sequence[Floats]) -> Floats:
    """The scores of all campaigns in their order, (V,)."""
    found = np.empty(sum(map(len, blocks)))
    for numbers, each in zip(blocks, scores, strict=True):
        found[list(numbers)] = each
    return found


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
