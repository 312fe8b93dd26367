"""Campaigns to look at again, round by round: what `replays.json` holds for the report."""

from __future__ import annotations

import base64
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns, Designs, DesignSpace
from ombo_gym.game import Game

CAMPAIGNS = 3  # that are kept of every setting and policy
LARGEST_START = 64  # rows; of larger starts only size and best value are kept
_SIDE, _LINE = 64, 256  # points along a side of a landscape, along a line


def record(game: Game) -> list[dict[str, Any]]:
    """The first campaigns of a finished game, with their datasets in order."""
    campaigns, space = game.campaigns, game.design_space
    kept = []
    for row in range(min(CAMPAIGNS, campaigns.rows)):
        count = int(campaigns.count[row])
        rounds = campaigns.rounds[row, :count]
        start = rounds == 0
        shown = ~start if start.sum() > LARGEST_START else np.ones(count, bool)
        true_values = campaigns.true_values[row, :count]
        kept.append(
            {
                "start": {
                    "size": int(start.sum()),
                    "best": float(true_values[start].max()) if start.any() else None,
                },
                "rounds": rounds[shown].tolist(),
                "designs": _readable(space, campaigns.designs[row, :count][shown]),
                "values": [_short(value) for value in campaigns.values[row, :count][shown]],
                "true_values": [_short(value) for value in true_values[shown]],
            }
        )
    return kept


def scenes(
    env_id: str, env_kwargs: dict[str, Any], seed: int, campaigns: int
) -> list[dict[str, Any]]:
    """What stands behind the replays of a problem: a scene per campaign.

    Args:
        env_id: Of the environment.
        env_kwargs: Its arguments.
        seed: Of campaign 0.
        campaigns: How many are played; the first `CAMPAIGNS` of them have a scene.
    """
    rows = min(CAMPAIGNS, campaigns)
    env = gym.make_vec(env_id, num_envs=rows, autoreset_mode="Disabled", **env_kwargs)
    env.reset(seed=seed)
    game: Game = env.unwrapped.game  # type: ignore[attr-defined]
    space = game.design_space
    kind, alphabet = "candidates", None
    if isinstance(space, BoxDesigns):
        kind = "box"
    elif isinstance(space, CategoricalDesigns):
        kind, alphabet = "categorical", space.alphabet
    found = []
    for row in range(rows):
        optimum = float(game.campaigns.optimum[row])
        found.append(
            {
                "campaign": row,
                "space": kind,
                "dim": int(np.prod(space.shape)),
                "alphabet": alphabet,
                "landscape": _landscape(game, row) if kind == "box" else None,
                "optimum": None if np.isnan(optimum) else optimum,
            }
        )
    env.close()
    return found


def _landscape(game: Game, row: int) -> dict[str, Any] | None:
    """True values over a box of one or two dimensions, where they are cheap."""
    dim = game.design_space.shape[0]
    if dim > 2 or not game.problem.cheap:
        return None
    side = np.linspace(-1, 1, _LINE if dim == 1 else _SIDE, dtype=np.float32)
    grid = side[:, None]
    if dim == 2:  # row by row, the largest second coordinate first
        grid = np.stack(np.meshgrid(side, side[::-1]), axis=-1).reshape(-1, 2)
    instance = {name: array[row : row + 1] for name, array in game.campaigns.instances.items()}
    values = game.problem.true_values(instance, grid[None])[0][0]
    if dim == 1:
        return {"side": _LINE, "values": [_short(value) for value in values]}
    low, high = float(values.min()), float(values.max())
    pixels: NDArray[np.uint8] = np.round(255 * (values - low) / max(high - low, 1e-300)).astype(
        np.uint8
    )
    text = base64.b64encode(pixels.tobytes()).decode("ascii")
    return {"side": _SIDE, "low": low, "high": high, "pixels": text}


def _readable(space: DesignSpace, designs: Designs) -> list[Any]:
    """Designs as numbers, text or the index in the pool."""
    if isinstance(space, CategoricalDesigns):
        return [space.text(design) for design in designs]
    if isinstance(space, BoxDesigns):
        return [[_short(x) for x in design] for design in designs]
    return [int(design[0]) for design in designs]


def _short(value: Any) -> float:
    """Five digits are enough to look at."""
    return float(f"{value:.5g}")
