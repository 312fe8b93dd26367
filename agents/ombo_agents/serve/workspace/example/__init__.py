"""A screen of a reaction to begin with. It is invented: no laboratory measured it."""

from __future__ import annotations

from pathlib import Path

from ombo_agents.campaigns.data.settings import Settings, Target
from ombo_agents.campaigns.files.sheets import read_sheet
from ombo_agents.serve.workspace.workspaces import Workspace

FOLDER = Path(__file__).parent
SHEET, SPACE = FOLDER / "screen.csv", FOLDER / "space.yaml"


def take_example(workspace: Workspace) -> None:
    """Puts the example into a workspace, in place of what is there."""
    from dataclasses import replace

    workspace.space = workspace.settings = None
    workspace.take_sheet(replace(read_sheet(SHEET), path=Path(SHEET.name)))
    workspace.settings = Settings((Target("yield (%)"),), failed=("failed",), block="plate")
    workspace.take_text(SPACE.read_text(encoding="utf-8"))
