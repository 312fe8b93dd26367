"""Which results are of problems that a trained policy has met: they are no test."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ombo_gym.evaluation.cells import Cell
from ombo_gym.tasks import instances_seen


class SeenByTraining:
    """Which campaigns are of instances that the run behind a policy has met.

    A policy that is a folder of a trained one says so by its `config.json`; all others have met
    nothing. Where the configuration does not tell, everything counts as seen, and a line on the
    terminal says so.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], NDArray[np.bool_]] = {}
        self._told: set[str] = set()

    def campaigns(self, cell: Cell, instances: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Of a cell's campaigns, (campaigns,).

        Args:
            cell: What was played.
            instances: Which of a collection each has drawn, (campaigns,); -1 where the problem is
                none.
        """
        key = cell.policy, cell.env, cell.env_kwargs
        if key not in self._known:
            self._known[key] = self._instances(*key)
        met = self._known[key]
        if met.ndim and (instances >= 0).all() and (instances < len(met)).all():
            return met[instances]
        return np.full(len(instances), bool(met.any()))

    def _instances(self, policy: str, env: str, env_kwargs: str) -> NDArray[np.bool_]:
        file = Path(policy) / "config.json"
        try:
            if not file.is_file():
                return np.array(False)
            return instances_seen(file, env, json.loads(env_kwargs))
        except (OSError, ValueError, TypeError, ImportError, RecursionError) as error:
            if policy not in self._told:
                self._told.add(policy)
                words = "what it was trained on is not known, and all counts as seen"
                print(f"{policy}: {words}: {' '.join(str(error).split())[:200]}", file=sys.stderr)
            return np.array(True)
