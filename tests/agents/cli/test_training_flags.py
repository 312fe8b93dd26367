"""Flags of `ombo train` that would train nothing are refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from ombo_agents.cli.train import Args, main


@pytest.mark.parametrize("steps", [0, -5])
def test_no_steps_at_all_are_refused(steps: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"^--steps: expected at least 1 .*got {steps}$"):
        main(Args(out=tmp_path / "run", steps=steps))
    assert not (tmp_path / "run").exists()
