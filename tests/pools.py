"""Small pools of candidates with given values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.campaign import Campaigns
from ombo_gym.design_spaces import CandidateDesigns, Designs
from ombo_gym.env import CampaignEnv
from ombo_gym.outcomes import ALL
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.reset_options import ResetOptions
from ombo_gym.settings import Settings
from ombo_gym.spec import Repeats

NEVER = Repeats.NEVER_AGAIN


class Pool(Problem):
    """Candidates with given values; NaN where one cannot be measured. Instances add a constant."""

    floor = -1.0

    def __init__(self, values: Sequence[float]) -> None:
        self.values = np.array(values, np.float64)
        self.design_space = CandidateDesigns(np.arange(len(values))[:, None] * 1.0, scale="none")

    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"shift": rngs.draw(lambda rng: rng.choice([0.0, 10.0]))}

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        return self.values[designs[..., 0]] + instances["shift"][:, None]

    def feasible(self, instances: Instances, designs: Designs) -> NDArray[np.bool_] | None:
        holes = np.isnan(self.values)
        return ~holes[designs[..., 0]] if holes.any() else None


def begun(problem: Problem, start: dict[str, Any], campaigns: int) -> Campaigns:
    """Many campaigns after their reset."""
    many = Campaigns(problem, Settings(horizon=1, batch_size=1, start=start), campaigns)
    many.reset(ALL, np.arange(campaigns, dtype=np.uint64), ResetOptions.none(campaigns))
    return many


class Table(Problem):
    """Candidates with given values; NaN where one cannot be measured. Instances add a constant."""

    floor = -7.0

    def __init__(
        self,
        values: Sequence[float],
        *,
        repeats: Repeats = Repeats.DISTINCT_IN_BATCH,
        shifts: Sequence[float] = (0.0,),
    ) -> None:
        self.values = np.array(values, np.float64)
        self.shifts = np.array(shifts, np.float64)
        self._repeats = repeats
        self.design_space = CandidateDesigns(
            np.arange(len(values))[:, None] / len(values), scale="none"
        )

    @property
    def repeats(self) -> Repeats:
        return self._repeats

    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"shift": rngs.draw(lambda rng: rng.choice(self.shifts))}

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        values = np.nan_to_num(self.values[designs[..., 0]], nan=1e9)  # not to be seen
        return values + instances["shift"][:, None]

    def feasible(self, instances: Instances, designs: Designs) -> NDArray[np.bool_] | None:
        return ~np.isnan(self.values[designs[..., 0]]) if self.repeats is NEVER else None


class Holes(Table):
    """Measures a design as often as it is proposed, where it can."""

    def feasible(self, instances: Instances, designs: Designs) -> NDArray[np.bool_]:
        return ~np.isnan(self.values[designs[..., 0]])


NOTHING = {"kind": "none"}


def play(problem: Problem, batches: Sequence[Sequence[int]], **arguments: Any) -> list[Any]:
    """The results of reset and of each step."""
    arguments = {"start": NOTHING, **arguments}
    env = CampaignEnv(
        problem, horizon=len(batches), batch_size=len(batches[0]), noise_std=0.0, **arguments
    )
    return [env.reset(seed=0), *(env.step(list(batch)) for batch in batches)]
