"""Small priors, written by hand, for tests of what is built on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from ombo_gym.design_spaces import BoxDesigns, DesignSpace
from ombo_gym.surrogates.learned_prior import LearnedPrior, described, read_prior

SCALE = {
    "log_scale": 0.5,
    "log_scale_sd": 0.6,
    "offset": 3.0,
    "offset_slope": 0.4,
    "offset_sd": 1.5,
    "curvature": 0.8,
}


def config_of(space: DesignSpace, kind: str, /, **changes: Any) -> dict[str, Any]:
    """What `config.json` of a prior holds."""
    return {
        "agent": "prior",
        "format": 1,
        "kind": kind,
        "tasks": [{"env": "Ombo/GP-v0", "env_kwargs": {}}],
        "design_space": described(space),
        "kernel": "matern52",
        "residual_variance": 0.3,
        "noise": 0.02,
        "calibration": 1.2,
        "scale": SCALE,
        **changes,
    }


def tensors_of(space: DesignSpace, kind: str, seed: int = 0) -> dict[str, NDArray[Any]]:
    """What `prior.safetensors` holds: random numbers."""
    rng = np.random.default_rng(seed)
    k = space.features(space.observation_space(1).low.astype(space.dtype)).shape[-1]
    low, high = space.observation_space(1).low, space.observation_space(1).high
    some = low + (high - low) * rng.random((3, *space.shape))
    stored = np.float64 if space.dtype.kind == "f" else np.int64
    tensors: dict[str, NDArray[Any]] = {
        "lengthscales": np.full(k, 0.9),
        "promising": some.astype(stored),
        "portfolio": some[::-1].astype(stored),
    }
    if kind == "interp":
        tensors["anchors"] = rng.uniform(-1, 1, (12, k))
        tensors["coefficients"] = rng.normal(size=(12, 5)) * 0.5
        tensors["coefficients"][:, 1] = np.abs(tensors["coefficients"][:, 1])
        tensors["anchor_lengthscales"] = np.full(k, 0.7)
    elif kind == "tables":
        assert space.size is not None
        numbers = rng.normal(size=(space.size, 5)) * 0.5
        numbers[:, 1] = 1 + np.abs(numbers[:, 1])
        tensors["numbers"] = numbers.astype(np.float32)
    else:
        for number, (before, width) in enumerate([(k, 6), (6, 4)]):
            tensors[f"weight_{number}"] = rng.normal(size=(before, width)) / before**0.5
            tensors[f"bias_{number}"] = rng.normal(size=width) * 0.1
        tensors["lengthscales"] = np.full(4, 0.8)
    return tensors


def write_prior(folder: Path, space: DesignSpace, kind: str, /, **changes: Any) -> Path:
    """A folder as `ombo train --agent prior` writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config_of(space, kind, **changes)))
    (folder / "prior.safetensors").write_bytes(save(tensors_of(space, kind)))
    return folder


def small_prior(folder: Path, kind: str, space: DesignSpace | None = None) -> LearnedPrior:
    """A prior of a box in two dimensions, or of another space."""
    space = space or BoxDesigns(2)
    return read_prior(write_prior(folder, space, kind), space)
