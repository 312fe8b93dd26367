"""Players beside each other and beside published methods: averages over HPO-B's tasks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ombo_gym.evaluation.statistics import Interval
from scripts.studies.hpob.plan import HORIZON, Player
from scripts.studies.hpob.published import METHODS
from scripts.studies.hpob.regrets import average, published_regrets


class Comparison:
    """Mean regrets of everybody by task.

    Args:
        regrets: As `plan.Findings.regrets`.
        tasks: Their names, (T,).
    """

    def __init__(self, regrets: pd.DataFrame, tasks: Sequence[str]) -> None:
        keys = ["policy", "recipe", "batch_size", "horizon", "measurements"]
        wide = regrets.pivot(index=keys, columns="task", values="regret")
        self.tasks = list(tasks)
        self._ours: dict[tuple[object, ...], NDArray[np.float64]] = dict(
            zip(wide.index, wide[self.tasks].to_numpy(), strict=True)
        )
        self._published: dict[str, NDArray[np.float64]] = {
            method: published_regrets(method, self.tasks) for method in METHODS
        }
        run = regrets.loc[regrets["batch_size"] == 1, ["policy", "recipe"]].drop_duplicates()
        self.players = [Player(*names) for names in run.itertuples(index=False)]
        self.methods = [m for m in METHODS if not np.isnan(self._published[m]).any()]

    def tasks_of(self, method: str) -> list[str]:
        """The tasks that a published method was run on."""
        pairs = zip(self.tasks, self._published[method], strict=True)
        return [task for task, regrets in pairs if not np.isnan(regrets).any()]

    def regret(self, who: Player | str, trial: int) -> NDArray[np.float64]:
        """Of a player or a published method after `trial` configurations, q = 1, by task, (T,)."""
        if isinstance(who, str):
            return self._published[who][:, trial]
        return self.batched(who, 1, HORIZON, trial)

    def batched(
        self, player: Player, batch_size: int, horizon: int, measurements: int
    ) -> NDArray[np.float64]:
        """Of a player after so many configurations of such campaigns, by task, (T,)."""
        return self._ours[(*player, batch_size, horizon, measurements)]

    def mean(self, who: Player | str, trial: int) -> float:
        """HPO-B's average at q = 1."""
        return average(self.regret(who, trial), self.tasks).estimate

    def difference(self, who: Player | str, other: Player | str, trial: int) -> Interval:
        """The first's average regret minus the other's at q = 1, paired by task."""
        return average(self.regret(who, trial) - self.regret(other, trial), self.tasks)
