"""Short training runs on campaigns of every kind, and ways to interrupt them."""

from __future__ import annotations

import os
import pickle
import signal
import time
from dataclasses import replace
from typing import Any

import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from ombo_agents.learned.training import SETTINGS, train

# Every kind of design space, start, horizon and batch size, and slots that are wasted.
RUNS = {
    "exploration": ("Ombo/GP-v0", "exploration", {"horizon": [1, 3], "batch_size": [1, 3]}),
    "exploration with plates": (
        "Ombo/GP-v0",
        "exploration",
        {"plates": [3, 1, 2], "utility": "auc", "start": {"kind": "none"}},
    ),
    "a box": ("Ombo/GP-v0", "direct", {"dim": 3, "horizon": [2, 4], "batch_size": 2}),
    "sequences": (
        "Ombo/TFBind8-v0",
        "direct",
        {"horizon": 3, "batch_size": 2, "start": {"kind": "random", "size": 5}},
    ),
    "a pool with noise": (
        "Ombo/Bandit-v0",
        "direct",
        {"arms": 3, "known": [0.3], "batch_size": 3, "horizon": [1, 5], "utility": "total"},
    ),
    "designs that are measured once": (
        "Ombo/Landscapes-v0",
        "direct",
        {"name": "tent8", "batch_size": 2, "horizon": 3, "utility": "total"},
    ),
}
SMALL = {
    agent: replace(
        SETTINGS[agent], steps=160, num_envs=8, rounds_per_update=5, batch_size=40, epochs=1
    )
    for agent in SETTINGS
}
FILES = ("policy.safetensors", "config.json")  # in which interrupted runs are like others


def run(name: str, out: Any, **changes: Any) -> dict[str, Any]:
    """Trains, a state before every update."""
    env_id, agent, env_kwargs = RUNS[name]
    arguments: dict[str, Any] = {
        "agent": agent,
        "env_kwargs": env_kwargs,
        "seed": 3,
        "settings": SMALL[agent],
        "checkpoint_seconds": 0.0,
    }
    return train(env_id, out=out, **{**arguments, **changes})


def left(folder: Any) -> list[bytes]:
    """What a run left, bit by bit."""
    return [(folder / name).read_bytes() for name in FILES]


def refuse_to_unpickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, whatever unpickles anything fails."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("something was unpickled")

    for module, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler")):
        monkeypatch.setattr(module, name, refuse)
    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setattr(PPO, "load", refuse)


class Stops(BaseCallback):
    """Raises an error at a step of training."""

    def __init__(self, step: int, error: BaseException | None = None) -> None:
        super().__init__()
        self._left, self._error = step, error or KeyboardInterrupt()

    def _on_step(self) -> bool:
        self._left -= 1
        if self._left < 0:
            raise self._error
        return True


def killed(seconds: float, name: str, out: Any, **changes: Any) -> bool:
    """Trains in another process and kills it so long after a state was kept; whether it lived."""
    state, child = out / "state.safetensors", os.fork()
    if not child:
        try:
            run(name, out, **changes)
        finally:
            os._exit(0)
    before = begun = state.stat().st_mtime_ns if state.exists() else None
    while begun == before:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
        begun = state.stat().st_mtime_ns if state.exists() else None
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])
