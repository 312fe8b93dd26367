"""What is trained: problems, utilities and controls, and what is paid."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers.vector import TransformReward

from ombo_gym.wrappers import (
    DenseReward,
    FlatActions,
    FlatObservation,
    OneHotDesigns,
    ScoreReward,
    StandardizeMeasurements,
)


def clipped(envs: Any) -> Any:
    """What is below -1 counts as -1, as scores do in reports; of what is paid in the last round."""
    return TransformReward(envs, lambda rewards: np.maximum(rewards, -1.0))


REWARDS: dict[str, tuple[Callable[[Any], Any], ...]] = {
    "plain": (),
    "dense": (DenseReward,),
    "score": (ScoreReward,),
    "dense score": (DenseReward, ScoreReward),
    "clipped score": (ScoreReward, clipped),
}  # the wrappers, the inner one first


@dataclass(frozen=True)
class Setting:
    """Campaigns as an agent sees them, acts on them and is paid for them.

    Attributes:
        env: Id of the environment.
        control: What the agent acts on.
        utility: What a finished campaign is worth.
        reward: One of `REWARDS`.
        env_kwargs: Further arguments of the environment.
        steps: Rounds that are played in training.
    """

    env: str
    control: str
    utility: str
    reward: str
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 6_144

    @property
    def problem(self) -> str:
        """The id, without what all ids have."""
        return self.env.removeprefix("Ombo/").removesuffix("-v0")

    @property
    def name(self) -> str:
        """One that no other setting has, for a file."""
        words = (self.problem, self.control.partition(":")[0], self.utility, self.reward)
        return "-".join(words).replace(" ", "-")

    def to_json(self) -> str:
        """All of it, to be compared."""
        return json.dumps(vars(self), sort_keys=True)

    def make(self, num_envs: int, autoreset_mode: str = "NextStep") -> Any:
        """Campaigns in lockstep."""
        envs: Any = gym.make_vec(
            self.env,
            num_envs=num_envs,
            horizon=3,
            batch_size=4,
            utility=self.utility,
            control=self.control,
            autoreset_mode=autoreset_mode,
            **self.env_kwargs,
        )
        for wrapper in REWARDS[self.reward]:
            envs = wrapper(envs)
        if self.control == "designs":
            envs = FlatObservation(OneHotDesigns(StandardizeMeasurements(envs)))
            envs = FlatActions(envs, discrete=False)
        return envs


CANDIDATES = "candidates:size=16"
_START = {"start": {"kind": "random", "size": 16}}
_POOL = {**_START, "surrogate": {"kernel": "isotropic"}}


def _settings() -> Iterator[Setting]:
    for control in ("exploration", CANDIDATES):
        for reward in ("plain", "dense"):
            yield Setting("Ombo/GP-v0", control, "last_mean", reward)
        yield Setting("Ombo/GP-v0", control, "best", "plain")
    for reward in ("plain", "dense"):
        yield Setting("Ombo/GP-v0", "designs", "last_mean", reward)
    for reward in REWARDS:
        yield Setting("Ombo/CrossedBarrel-v0", "exploration", "last_mean", reward, _POOL)
    yield Setting("Ombo/CrossedBarrel-v0", "exploration", "best", "score", _POOL)
    yield Setting("Ombo/CrossedBarrel-v0", CANDIDATES, "last_mean", "score", _POOL)
    yield Setting("Ombo/CrossedBarrel-v0", "designs", "last_mean", "score", _START)
    train = {"split": "train", **_POOL}
    for name, arguments in (
        *(("LCBench", train), ("TFBinding", train), ("Antibody", _POOL), ("Materials", _POOL)),
        *(("BBOB", _POOL), ("PBO", _POOL)),
    ):
        env = f"Ombo/{name}-v0"
        yield Setting(env, "exploration", "last_mean", "clipped score", arguments, steps=3_072)
    yield Setting("Ombo/Bandit-v0", "exploration", "total", "plain")
    yield Setting("Ombo/Ehrlich-v0", "designs", "best", "plain", _START, steps=2_048)


SETTINGS = tuple(_settings())
