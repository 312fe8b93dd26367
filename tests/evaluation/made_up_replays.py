"""Made-up recorded campaigns, as `replays.json` holds them, over each kind of design space."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

SPACES = ("box", "line", "categorical", "pool", "many")


def synthetic_replays(
    policies: Sequence[str] = ("random", "runs/demo"),
    *,
    spaces: Sequence[str] = SPACES,
    env: str = "Ombo/GP-v0",
    utility: str = "best",
    horizons: Sequence[int] = (2, 4),
    campaigns: int = 2,
) -> dict[str, Any]:
    """Campaigns of a problem per design space, `{"space": ...}` its arguments."""
    rng = np.random.default_rng(0)
    scenes, plays = [], []
    for space in spaces:
        where = {"env": env, "env_kwargs": json.dumps({"space": space})}
        for campaign in range(campaigns):
            scenes.append({**where, "campaign": campaign, **_scene(space)})
            for policy in policies:
                for horizon in horizons:
                    for told in ("true", "one"):
                        play = _play(space, horizon, rng)
                        plays.append(
                            {
                                **where,
                                **{"policy": policy, "told_horizon": told, "horizon": horizon},
                                **{"batch_size": 3, "utility": utility, "campaign": campaign},
                                **play,
                            }
                        )
    return {"scenes": scenes, "plays": plays}


def _truth(x: np.ndarray) -> np.ndarray:
    """Shape (..., d) to (...): a hill at 0.4 and a lower one at -0.6."""
    hills = [(1.0, 0.4, 0.3), (0.6, -0.6, 0.2)]
    return sum(h * np.exp(-((x - at) ** 2).sum(-1) / (2 * w**2)) for h, at, w in hills)


def _scene(space: str) -> dict[str, Any]:
    scene: dict[str, Any] = {"space": "box", "dim": 2, "optimum": 1.0}
    if space == "box":
        side = np.linspace(-1, 1, 64)
        values = _truth(np.stack(np.meshgrid(side, side[::-1]), -1))
        grey = np.round(255 * values / values.max()).astype(np.uint8)
        pixels = base64.b64encode(grey.tobytes()).decode()
        scene["landscape"] = {"side": 64, "low": 0.0, "high": 1.0, "pixels": pixels}
    elif space == "line":
        values = _truth(np.linspace(-1, 1, 256)[:, None])
        scene |= {"dim": 1, "landscape": {"side": 256, "values": values.tolist()}}
    elif space == "categorical":
        scene |= {"space": space, "dim": 8, "landscape": None, "optimum": None}
    elif space == "pool":
        scene |= {"space": space, "dim": 1, "landscape": None, "optimum": None}
    else:
        scene |= {"dim": 6, "landscape": None}
    return scene


def _play(space: str, horizon: int, rng: np.random.Generator) -> dict[str, Any]:
    rounds = [0] * 4 + [r for r in range(1, horizon + 1) for _ in range(3)]
    n = len(rounds)
    values = np.round(rng.uniform(0, 0.3, n) + 0.1 * np.array(rounds), 4)
    designs: list[Any]
    if space == "categorical":
        designs = ["".join(rng.choice(list("ACGT"), 8, p=[0.5, 0.3, 0.1, 0.1])) for _ in rounds]
    elif space == "pool":
        designs = [str(i) for i in rng.integers(0, 1000, n)]
    else:
        dim = {"box": 2, "line": 1}.get(space, 6)
        points = np.round(rng.uniform(-1, 1, (n, dim)), 3)
        designs = points.tolist()
        if dim < 3:
            values = np.round(_truth(points), 4)
    best = float(values[:4].max())
    return {
        "value": float(values.max() - best),
        "start": {"size": 4, "best": best},
        "rounds": rounds,
        "designs": designs,
        "values": np.round(values + rng.normal(0, 0.02, n), 4).tolist(),
        "true_values": values.tolist(),
    }
