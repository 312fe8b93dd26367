"""What is played: grids/adaptivity.yaml, the same measurements in fewer or more rounds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ombo_gym.evaluation.grid import read_grid
from scripts.studies import study
from scripts.studies.campaigns import play
from scripts.studies.scores import with_short_names


@dataclass(frozen=True)
class Args(study.Args):
    """40 measurements in 1 to 10 rounds, by every policy (two hours or so)."""

    grid: Path = Path("grids/adaptivity.yaml")
    """What is played."""


def plan(args: Args) -> pd.DataFrame:
    """A row per campaign, with its `problem` and `score`."""
    return with_short_names(play(read_grid(args.grid), args))
