"""What is written wrongly in a grid is answered with what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from ombo_gym.evaluation.grid import read_grid

GP = "problems: [{env: Ombo/GP-v0}]"


@pytest.mark.parametrize(
    ("grid", "remedy"),
    [
        (f"policies: ucb\n{GP}", r"horizons: expected at least one.*write horizons: \[1, 2, 5\]"),
        (f"start: [{{kind: none}}]\n{GP}", r"got \['start'\]; did you mean 'starts'\?$"),
        (f"utility: auc\n{GP}", r"got \['utility'\]; did you mean 'utilities'\?$"),
        (f"horizon: 3\n{GP}", r"got \['horizon'\]; did you mean 'horizons'\?$"),
        ("problems: [Ombo/GP-v0]", r"expected a problem .*; write '- env: Ombo/GP-v0'$"),
        ("problems: [3]", r"expected a problem with keys and values, got 3$"),
        (f"qqq: 1\n{GP}", r"got \['qqq'\]$"),
    ],
)
def test_the_message_ends_with_what_to_write(tmp_path: Path, grid: str, remedy: str) -> None:
    file = tmp_path / "grid.yaml"
    file.write_text(grid)
    with pytest.raises(ValueError, match=remedy):
        read_grid(file)
