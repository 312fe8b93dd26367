"""What is played: PPO on every setting from 3 seeds, judged on held-out campaigns as it learns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize
from tqdm import tqdm
from typing_extensions import override

from ombo_agents.learned import SB3VecEnv
from ombo_gym.evaluation.held_out import FIRST_TRAINING_SEED, random_actions, returns
from ombo_gym.evaluation.statistics import paired_difference
from ombo_gym.files import write_atomically
from scripts.studies import study
from scripts.studies.campaigns import launch_of
from scripts.studies.learning.settings import SETTINGS, Setting

SEEDS = (0, 1, 2)
NUM_ENVS = 64
ROUNDS = 16  # of every campaign in an update
POINTS = 3  # of a curve, beside its beginning
LEARNING_RATE = 2e-3  # falls to a tenth


@dataclass(frozen=True)
class Args(study.Args):
    """What can be learned, from what reward (5 minutes of processor time or so)."""

    campaigns: int = 200
    """That are held out: the same for all policies of a setting."""


def plan(args: Args) -> pd.DataFrame:
    """A row per setting, seed and point of the curve."""
    trainings = [(setting, seed) for setting in SETTINGS for seed in SEEDS]
    missing = [each for each in trainings if not (args.resume and file_of(*each, args).is_file())]
    results = launch_of(args.jobs).map(partial(_keep, args=args), missing)
    for _ in tqdm(results, total=len(missing), unit="training", disable=None):
        pass
    return pd.concat([pd.read_csv(file_of(*each, args)) for each in trainings], ignore_index=True)


def file_of(setting: Setting, seed: int, args: Args) -> Path:
    """Where a curve is kept; another setting, or number of campaigns, is another file."""
    what = f"{setting.to_json()} {args.campaigns} {NUM_ENVS} {ROUNDS} {POINTS} {LEARNING_RATE}"
    digest = hashlib.sha256(what.encode()).hexdigest()[:8]
    return args.runs / f"{setting.name}-{seed}-{digest}.csv"


def _keep(training: tuple[Setting, int], *, args: Args) -> None:
    """Trains, and writes the curve."""
    setting, seed = training
    curve = learning_curve(setting, seed, args.campaigns)
    args.runs.mkdir(parents=True, exist_ok=True)
    write_atomically(file_of(setting, seed, args), curve.to_csv(index=False))


class _Curve(BaseCallback):
    """Plays the held-out campaigns at equal distances, between two updates."""

    def __init__(self, play: Callable[[Any], Any], total: int) -> None:
        super().__init__()
        self._play = play
        self._marks = [total * point // POINTS for point in range(POINTS + 1)]
        self.points: list[tuple[int, Any]] = []  # rounds played, returns (B,)

    def look(self) -> None:
        """Plays them where a mark is reached."""
        played = self.num_timesteps
        if len(self.points) < len(self._marks) and played >= self._marks[len(self.points)]:
            self.points.append((played, self._play(self.model.policy)))

    @override
    def _on_rollout_start(self) -> None:
        self.look()

    @override
    def _on_step(self) -> bool:
        return True


def learning_curve(setting: Setting, seed: int, campaigns: int) -> pd.DataFrame:
    """Returns on held-out campaigns as training goes on, beside random actions.

    Args:
        setting: What is trained.
        seed: Of the network and of the training campaigns.
        campaigns: That are held out, from seed 0 on.

    Returns:
        A row a point of the curve: `rounds` played, `mean` return, and the paired differences to
        random actions (`gain`, `gain_low`, `gain_high`) and to the untrained start (`own`, ...).
    """
    torch.set_num_threads(1)
    envs = SB3VecEnv(setting.make(NUM_ENVS, "SameStep"))
    model = PPO(
        "MlpPolicy" if setting.control == "designs" else "MultiInputPolicy",
        VecNormalize(envs, norm_obs=False, gamma=1.0),  # rewards alone: by how returns vary
        n_steps=ROUNDS,
        batch_size=min(256, NUM_ENVS * ROUNDS),
        n_epochs=6,
        learning_rate=lambda left: LEARNING_RATE * (0.1 + 0.9 * left),
        gamma=1.0,
        policy_kwargs={"log_std_init": -0.7},
        seed=seed,
        device="cpu",
    )
    envs.seed(FIRST_TRAINING_SEED + seed * NUM_ENVS)  # the model's own seed is evaluation's
    held_out = setting.make(campaigns)

    def play(policy: Any) -> Any:
        return returns(held_out, lambda seen: policy.predict(seen, deterministic=True)[0], seed=0)

    curve = _Curve(play, setting.steps)
    model.learn(setting.steps, callback=curve)
    curve.look()
    return _table(setting, seed, curve.points, returns(held_out, random_actions(held_out), seed=0))


def _table(
    setting: Setting, seed: int, points: list[tuple[int, Any]], at_random: Any
) -> pd.DataFrame:
    untrained = points[0][1]  # (B,)
    rows = [
        (rounds, found.mean(), *paired_difference(found, at_random))
        + (tuple(paired_difference(found, untrained)) if rounds else (0.0, np.nan, np.nan))
        for rounds, found in points
    ]
    columns = ["rounds", "mean"]
    columns += [f"{name}{end}" for name in ("gain", "own") for end in ("", "_low", "_high")]
    about = {
        "problem": setting.problem,
        "control": setting.control.partition(":")[0],
        "utility": setting.utility,
        "reward": setting.reward,
        "seed": seed,
        "spread": at_random.std(ddof=1),
    }
    return pd.DataFrame(rows, columns=columns).assign(**about)
