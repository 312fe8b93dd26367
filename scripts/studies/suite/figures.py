"""The picture of suite.md."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ombo_gym.evaluation.figures import leaderboard_scores
from scripts.studies.pictures import save_picture


def draw_leaderboard(board: pd.DataFrame, path: Path) -> None:
    """Scores of the policies that played every problem, a panel per start and utility."""
    save_picture(leaderboard_scores(board[board["complete"]]), path)
