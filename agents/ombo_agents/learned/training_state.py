"""Where a training run stands, on disk: arrays and JSON in one file, so that it is never code.

A state is taken between two updates, when the rollout buffer is empty. It holds all that the next
update depends on: weights, the optimizer's moments, both global generators, the counters, and what
the run keeps beside its model (`Memory`): the campaigns that are being played, for one. So a run
that goes on from its state is, to the bit, the run that was never interrupted.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from stable_baselines3 import PPO
from typing_extensions import override

from ombo_agents.learned.sb3_env import CampaignsInFlight, SB3VecEnv
from ombo_agents.learned.storage import non_finite
from ombo_gym.files import write_atomically

STATE = "state.safetensors"
_METADATA = "training"  # the name of the entry that holds the facts
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # that torch's Adam keeps of a weight
_CAMPAIGNS = ("keys", "rounds", "actions", "returns", "best_values")

# What may be wrong with a file that somebody else wrote, in arrays and facts of any shape and kind.
_WRONG = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError, IndexError)


class Memory(Protocol):
    """What a run keeps beside its model, of which the next update depends."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """By name; always the same names, shapes and dtypes."""
        ...

    def facts(self) -> dict[str, Any]:
        """JSON-able."""
        ...

    def restore(self, state: TrainingState) -> None:
        """Goes to where a state was taken; raises one of `_WRONG` where it cannot be this run's."""
        ...


@dataclass(frozen=True)
class TrainingState:
    """Where a run stands between two updates.

    Attributes:
        arrays: By name; `taken` says which.
        facts: JSON-able: what the run is about, and counters.
    """

    arrays: dict[str, NDArray[Any]]
    facts: dict[str, Any]

    def write(self, file: Path) -> None:
        """Writes the state in one step.

        Raises:
            OSError: The disk is full, or the folder cannot be written to.
        """
        metadata = json.dumps({"facts": self.facts, "sha256": self._digest()})
        write_atomically(file, safetensors.numpy.save(self.arrays, {_METADATA: metadata}))

    def _digest(self) -> str:
        """Of all arrays and facts."""
        digest = hashlib.sha256(json.dumps(self.facts, sort_keys=True).encode())
        for name in sorted(self.arrays):
            array = self.arrays[name]
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()


def read_facts(file: Path) -> dict[str, Any]:
    """The facts of a state, before anything is built for its arrays.

    Raises:
        FileNotFoundError: There is no state.
        ValueError: The file is damaged.
    """
    if not file.is_file():
        raise FileNotFoundError(
            f"--resume: expected {file}, which training keeps beside model.zip, and there is no "
            "such file; begin without --resume"
        )
    facts: dict[str, Any] = _metadata(file)["facts"]
    return facts


def _metadata(file: Path) -> dict[str, Any]:
    try:
        with safe_open(file, framework="numpy") as opened:
            metadata: dict[str, Any] = json.loads((opened.metadata() or {})[_METADATA])
        json.dumps(metadata)  # what is nested too deeply to be written is none of ours
        if isinstance(metadata["facts"]["run"], dict) and isinstance(metadata["sha256"], str):
            return metadata
        raise ValueError("no facts of a run")
    except (SafetensorError, *_WRONG) as error:
        raise damaged(file, error) from error


def read_state(file: Path, like: TrainingState) -> TrainingState:
    """Reads a state for a run that was built anew.

    Args:
        file: That `TrainingState.write` wrote.
        like: The state of the new run, whose arrays have the names, shapes and dtypes to be
            expected; what has others is not read.

    Raises:
        ValueError: The file is damaged, or of another run.
    """
    metadata = _metadata(file)
    try:
        with safe_open(file, framework="numpy") as opened:
            if (names := set(opened.keys())) != set(like.arrays):
                raise ValueError(f"missing or unknown: {sorted(names ^ set(like.arrays))[:5]}")
            for name, array in like.arrays.items():
                shape = tuple(opened.get_slice(name).get_shape())
                if shape != array.shape:
                    raise ValueError(f"{name}: expected the shape {array.shape}, got {shape}")
            arrays = {name: opened.get_tensor(name) for name in like.arrays}
    except (SafetensorError, *_WRONG) as error:
        raise damaged(file, error) from error
    for name, array in like.arrays.items():
        if arrays[name].dtype != array.dtype:
            reason = f"{name}: expected {array.dtype}, got {arrays[name].dtype}"
            raise damaged(file, reason)
    state = TrainingState(arrays, metadata["facts"])
    if state._digest() != metadata["sha256"]:
        raise damaged(file, "another checksum")
    return state


def damaged(file: Path, reason: object) -> ValueError:
    """The error that says in one line that a state cannot be gone on from."""
    text = f"{type(reason).__name__}: {reason}" if isinstance(reason, KeyError) else str(reason)
    text = " ".join(text.split())[:300]
    return ValueError(f"{file}: damaged, or not the state of this run ({text}); train it again")


class CampaignsInMemory(Memory):
    """The campaigns that a run has in mid-air.

    Args:
        env: That the model trains on.
        model: The model.
    """

    def __init__(self, env: SB3VecEnv, model: PPO) -> None:
        self._env, self._model = env, model

    @override
    def arrays(self) -> dict[str, NDArray[Any]]:
        campaigns = self._env.in_flight()
        return {f"campaigns.{name}": getattr(campaigns, name) for name in _CAMPAIGNS}

    @override
    def facts(self) -> dict[str, Any]:
        return {"generators": self._env.in_flight().generators}

    @override
    def restore(self, state: TrainingState) -> None:
        campaigns = {name: state.arrays[f"campaigns.{name}"] for name in _CAMPAIGNS}
        kept = CampaignsInFlight(**campaigns, generators=state.facts["generators"])
        self._model._last_obs = self._env.go_on(kept)
        self._model._last_episode_starts = campaigns["rounds"] == 0


def taken(model: PPO, memory: Memory, facts: dict[str, Any]) -> TrainingState:
    """The state of a run that is between two updates.

    Args:
        model: To be called when its rollout buffer is empty.
        memory: What the run keeps beside it.
        facts: Of the run, to be kept beside the counters.
    """
    generator: Any = np.random.get_state(legacy=False)  # noqa: NPY002  # stable-baselines3 draws here
    episodes = np.full((model._stats_window_size, 2), np.nan)  # (window, 2) returns and lengths
    for row, episode in enumerate(model.ep_info_buffer or ()):
        episodes[row] = episode["r"], episode["l"]
    arrays: dict[str, NDArray[Any]] = {
        "generators.torch": torch.get_rng_state().numpy(),
        "generators.numpy": generator["state"]["key"],
        "episodes": episodes,
        **memory.arrays(),
    }
    for name, weights in model.policy.named_parameters():
        arrays[f"weights.{name}"] = weights.detach().numpy()
        moments = model.policy.optimizer.state.get(weights)
        for key in _MOMENTS:
            # Before the first update all are zero, as Adam begins them.
            nothing = torch.zeros(()) if key == "step" else torch.zeros_like(weights)
            arrays[f"{key}.{name}"] = (moments[key] if moments else nothing).detach().numpy()
    counters = {
        "rounds": model.num_timesteps,
        "updates": model._n_updates,
        "numpy": {key: generator[key] for key in ("has_gauss", "gauss")}
        | {"pos": generator["state"]["pos"]},
        **memory.facts(),
    }
    return TrainingState(arrays, {**facts, **counters})


def restore(state: TrainingState, model: PPO, memory: Memory, file: Path) -> None:
    """Puts a new run where another stood.

    Args:
        state: Of `read_state`.
        model: Built as the run's was.
        memory: Likewise.
        file: That the state was read from, for errors.

    Raises:
        ValueError: The state cannot have been this run's; says why.
    """
    try:
        _restore_model(state, model)
        memory.restore(state)
        _restore_generators(state)
    except _WRONG as error:
        raise damaged(file, error) from error


def _restore_model(state: TrainingState, model: PPO) -> None:
    arrays, facts = state.arrays, state.facts
    for name, weights in model.policy.named_parameters():
        with torch.no_grad():
            weights.copy_(torch.tensor(arrays[f"weights.{name}"]))
        moments = {key: torch.tensor(arrays[f"{key}.{name}"]) for key in _MOMENTS}
        model.policy.optimizer.state[weights] = moments
    if (name_of_nan := non_finite(model.policy)) is not None:
        raise ValueError(f"weights.{name_of_nan} is not finite")
    for name in ("rounds", "updates"):
        if type(facts[name]) is not int or facts[name] < 0:
            raise ValueError(f"{name}: expected a whole number of at least 0, got {facts[name]!r}")
    model.num_timesteps, model._n_updates = facts["rounds"], facts["updates"]
    model.ep_info_buffer = deque(maxlen=model._stats_window_size)
    model.ep_success_buffer = deque(maxlen=model._stats_window_size)
    for value, length in arrays["episodes"]:
        if not np.isnan(value):
            model.ep_info_buffer.append({"r": value, "l": int(length), "t": 0.0})


def _restore_generators(state: TrainingState) -> None:
    """The global generators: the last thing, so that nothing draws from them before training."""
    kept = state.facts["numpy"]
    if kept["pos"] not in range(len(state.arrays["generators.numpy"]) + 1):
        raise ValueError(f"numpy: expected a position in the generator's key, got {kept['pos']!r}")
    generator = {
        "bit_generator": "MT19937",
        "state": {"key": state.arrays["generators.numpy"], "pos": kept["pos"]},
        "has_gauss": kept["has_gauss"],
        "gauss": kept["gauss"],
    }
    np.random.set_state(generator)  # noqa: NPY002
    torch.set_rng_state(torch.tensor(state.arrays["generators.torch"]))
