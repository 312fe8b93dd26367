"""Data sets of a problem: a campaign's start, random designs beside it, and held-out ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from ombo_gym.campaign import Campaigns
from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.outcomes import ALL
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.starts import feasible_designs

Floats = NDArray[np.float64]

HELD_OUT = 200  # designs, or as many as a small pool has left
_SEED = 2**30  # of the random designs, so that they have nothing in common with campaigns' seeds


@dataclass(frozen=True)
class DataSets:
    """D data sets of one problem, each of an instance of its own where it has many.

    Attributes:
        designs: (D, n, *shape) the start's first, then random ones.
        measurements: (D, n).
        start_size: How many of them are the start's.
        held_out: (D, H, *shape) further random designs, none of which is among `designs`.
        held_out_measurements: (D, H) of these.
        held_out_values: (D, H) without noise.
    """

    designs: Designs
    measurements: Floats
    start_size: int
    held_out: Designs
    held_out_measurements: Floats
    held_out_values: Floats

    def first(self, added: int) -> DataSets:
        """The same with so many random designs beside the start."""
        n = self.start_size + added
        return DataSets(
            self.designs[:, :n],
            self.measurements[:, :n],
            self.start_size,
            self.held_out,
            self.held_out_measurements,
            self.held_out_values,
        )


def draw_data_sets(env_id: str, env_kwargs: dict[str, Any], *, added: int, count: int) -> DataSets:
    """Begins campaigns and measures random designs beside their starts, all in one round.

    Args:
        env_id: Of the environment.
        env_kwargs: Its arguments, with the start.
        added: Random designs beside the start.
        count: D; data set i is of the campaign with seed i.
    """
    first, _ = _begin(env_id, env_kwargs, 1, batch_size=1)
    space, start_size = first.design_space, first.start_capacity
    batch_size = added + HELD_OUT
    if space.size is not None:
        batch_size = min(batch_size, space.size - start_size)
    _, campaigns = _begin(env_id, env_kwargs, count, batch_size=batch_size)
    rngs = GeneratorBatch(
        [np.random.default_rng((_SEED, number)) for number in range(count)], count
    )
    drawn = feasible_designs(campaigns.problem, campaigns.instances, rngs, batch_size + start_size)
    batch = _outside(space, drawn, campaigns.designs[:, :start_size])[:, :batch_size]
    campaigns.step(ALL, batch)
    n = start_size + added
    return DataSets(
        designs=campaigns.designs[:, :n],
        measurements=campaigns.measurements[:, :n],
        start_size=start_size,
        held_out=campaigns.designs[:, n:],
        held_out_measurements=campaigns.measurements[:, n:],
        held_out_values=campaigns.true_values[:, n:],
    )


def spec_with(env_id: str, env_kwargs: dict[str, Any], kernel: str) -> CampaignSpec:
    """What players know of such a campaign, with a surrogate recipe."""
    arguments = {**env_kwargs, "surrogate": {"kernel": kernel}}
    spec, _ = _begin(env_id, arguments, 1, batch_size=1)
    return spec


def _begin(
    env_id: str, env_kwargs: dict[str, Any], count: int, *, batch_size: int
) -> tuple[CampaignSpec, Campaigns]:
    env = gym.make_vec(
        env_id,
        num_envs=count,
        vectorization_mode="vector_entry_point",
        horizon=1,
        batch_size=batch_size,
        **env_kwargs,
    )
    env.reset(seed=0)
    campaigns: Campaigns = env.unwrapped.campaigns  # type: ignore[attr-defined]
    return campaigns.spec, campaigns


def _outside(space: DesignSpace, drawn: Designs, start: Designs) -> Designs:
    """The drawn designs, (D, m, *shape), those first that are not in the start."""
    among_start = space.among(drawn, start)  # (D, m)
    order = np.argsort(among_start, axis=1, kind="stable")
    return drawn[np.arange(len(drawn))[:, None], order]
