"""Which results are of problems that a trained policy has met: they are no test."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ombo_gym.control_names import control_name
from ombo_gym.evaluation.cells import Cell
from ombo_gym.evaluation.identity import Identities
from ombo_gym.tasks import instances_seen
from ombo_gym.tasks.seen import prior_folder

_CONFIG = "config.json"


class SeenByTraining:
    """Which campaigns are of instances that what a policy learned from has met.

    A policy that is a folder of a trained one says so by its `config.json`, one that comes trained
    with its package likewise; and where the campaigns' surrogate is a learned prior, this says so
    of every policy that uses the surrogate, itself or through a control. All others have met
    nothing. Where a configuration does not tell, everything counts as seen, and a line on the
    terminal says so.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str, str], NDArray[np.bool_]] = {}
        self._identities = Identities()
        self._told: set[str] = set()

    def campaigns(self, cell: Cell, instances: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Of a cell's campaigns, (campaigns,).

        Args:
            cell: What was played.
            instances: Which of a collection each has drawn, (campaigns,); -1 where the problem is
                none.
        """
        key = cell.policy, cell.env, cell.env_kwargs, cell.maker
        if key not in self._known:
            met = np.array(False)
            for folder in self._learned_from(cell):
                met = met | self._instances(folder, cell)
            self._known[key] = met
        met = self._known[key]
        if met.ndim and (instances >= 0).all() and (instances < len(met)).all():
            return met[instances]
        return np.full(len(instances), bool(met.any()))

    def _learned_from(self, cell: Cell) -> Iterator[Path]:
        """Folders of what was trained and plays a part in a cell."""
        run = Path(cell.policy)
        if (run / _CONFIG).is_file():
            yield run
        for file in self._identities.shipped(cell.policy, cell.maker):
            if file.name == _CONFIG:
                yield file.parent
        arguments = json.loads(cell.env_kwargs)
        prior = prior_folder(arguments.get("surrogate"))
        if prior is not None and (
            control_name(arguments.get("control", "designs")) != "designs"
            or self._identities.uses_surrogate(cell.policy, cell.maker)
        ):
            yield prior

    def _instances(self, folder: Path, cell: Cell) -> NDArray[np.bool_]:
        """What was met by what a folder holds, as `instances_seen`."""
        try:
            return instances_seen(folder / _CONFIG, cell.env, json.loads(cell.env_kwargs))
        except (OSError, ValueError, TypeError, ImportError, RecursionError) as error:
            if str(folder) not in self._told:
                self._told.add(str(folder))
                words = "what it was trained on is not known, and all counts as seen"
                print(f"{folder}: {words}: {' '.join(str(error).split())[:200]}", file=sys.stderr)
            return np.array(True)
