"""Campaigns to look at again, round by round: what `replays.json` holds for the report."""

from __future__ import annotations

import base64
from math import isfinite
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from ombo_gym.campaign import Campaigns
from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.registration import environment

CAMPAIGNS = 3  # that are kept of every setting and policy
LARGEST_START = 64  # rows; of larger starts only size and best value are kept
_FIELDS = {"start", "rounds", "designs", "values", "true_values"}  # of a replay
_SIDE = 64  # points along a side of a landscape


def record(campaigns: Campaigns) -> list[dict[str, Any]]:
    """The first of finished campaigns, with their datasets in order."""
    space = campaigns.spec.design_space
    kept = []
    for row in range(min(CAMPAIGNS, campaigns.num_campaigns)):
        count = int(campaigns.num_observed[row])
        rounds = campaigns.rounds[row, :count]
        start = rounds == 0
        shown = ~start if start.sum() > LARGEST_START else np.ones(count, bool)
        true_values = campaigns.true_values[row, :count]
        measurements = campaigns.measurements[row, :count]
        kept.append(
            {
                "start": {
                    "size": int(start.sum()),
                    "best": float(true_values[start].max()) if start.any() else None,
                },
                "rounds": rounds[shown].tolist(),
                "designs": _readable(space, campaigns.designs[row, :count][shown]),
                "values": [_short(value) for value in measurements[shown]],
                "true_values": [_short(value) for value in true_values[shown]],
            }
        )
    return kept


def check_replays(first: int, campaigns: int, replays: Any) -> None:
    """Refuses what is not the replays of a block of campaigns.

    Args:
        first: Number of the block's first campaign; only the first block has replays.
        campaigns: How many it has.
        replays: As `record` makes them.

    Raises:
        ValueError: They are something else.
    """
    count = min(CAMPAIGNS, campaigns) if first == 0 else 0
    if not isinstance(replays, list) or len(replays) != count:
        raise ValueError(f"replays: expected a list of {count}")
    for replay in replays:
        if not isinstance(replay, dict) or set(replay) != _FIELDS:
            raise ValueError(f"replays: expected each with {sorted(_FIELDS)}")
        start = replay["start"]
        if not isinstance(start, dict) or set(start) != {"size", "best"}:
            raise ValueError(f"replays: expected a start with size and best, got {start!r:.50}")
        if type(start["size"]) is not int or type(start["best"]) not in (float, type(None)):
            raise ValueError(f"replays: expected a start's size and best value, got {start!r:.50}")
        columns = [replay[name] for name in ("rounds", "designs", "values", "true_values")]
        if not all(isinstance(column, list) for column in columns) or (
            len({len(column) for column in columns}) != 1
        ):
            raise ValueError("replays: expected lists of one length")
        if any(type(number) is not int for number in columns[0]):
            raise ValueError("replays: expected whole numbers of rounds")
        if any(
            type(value) is not float or not isfinite(value) for value in columns[2] + columns[3]
        ):
            raise ValueError("replays: expected finite values")
        for design in columns[1]:
            numbers = design if isinstance(design, list) else []
            if not isinstance(design, str | list) or any(
                type(number) is not float or not isfinite(number) for number in numbers
            ):
                raise ValueError(f"replays: expected designs, got {design!r:.50}")


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
    env = gym.make_vec(environment(env_id), num_envs=rows, autoreset_mode="Disabled", **env_kwargs)
    env.reset(seed=seed)
    campaigns_of: Campaigns = env.unwrapped.campaigns  # type: ignore[attr-defined]
    space = campaigns_of.spec.design_space
    found = []
    for row in range(rows):
        optimum = float(campaigns_of.optimum[row])
        found.append(
            {
                "campaign": row,
                "space": space.kind,
                "dim": int(np.prod(space.shape)),
                "landscape": _landscape(campaigns_of, row),
                "optimum": None if np.isnan(optimum) else optimum,
            }
        )
    env.close()
    return found


def _landscape(campaigns: Campaigns, row: int) -> dict[str, Any] | None:
    """True values over numbers of one or two dimensions, where they are cheap."""
    problem, space = campaigns.problem, campaigns.spec.design_space
    grid = space.grid(_SIDE) if _all_numbers(space) and problem.cheap else None
    if grid is None:
        return None
    instance = {name: array[row : row + 1] for name, array in campaigns.instances.items()}
    values = problem.true_values(instance, grid[None])[0][0]
    if space.shape == (1,):
        return {"side": len(values), "values": [_short(value) for value in values]}
    low, high = float(values.min()), float(values.max())
    # Row by row, the largest second coordinate first.
    rows = values.reshape(_SIDE, _SIDE).T[::-1]
    pixels: NDArray[np.uint8] = np.round(255 * (rows - low) / max(high - low, 1e-300)).astype(
        np.uint8
    )
    text = base64.b64encode(pixels.tobytes()).decode("ascii")
    return {"side": _SIDE, "low": low, "high": high, "pixels": text}


def _all_numbers(space: DesignSpace) -> bool:
    """Whether designs are points: each of their coordinates can be a little more."""
    return space.free is not None and bool(space.free.all())


def _readable(space: DesignSpace, designs: Designs) -> list[Any]:
    """Designs as points or, where they are none, as text."""
    if _all_numbers(space):
        return [[_short(x) for x in design] for design in designs]
    return [space.text(design) for design in designs]


def _short(value: Any) -> float:
    """Five digits are enough to look at."""
    return float(f"{value:.5g}")
