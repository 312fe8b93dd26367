"""What is sent while a campaign is open waits until its owner says that it may take the place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ombo_agents.serve.workspace.workspaces import Workspace


@dataclass(frozen=True)
class Waiting:
    """What would be open.

    Attributes:
        workspace: With what was sent.
        endpoint: Of the page that is shown once it is open.
        losses: What was entered and would be gone, in words.
    """

    workspace: Workspace
    endpoint: str
    losses: tuple[str, ...]


def losses(before: Workspace, after: Workspace) -> tuple[str, ...]:
    """What was entered and is gone, in words; nothing where nothing is.

    Args:
        before: What is open.
        after: What would be.
    """
    found = []
    gone = [each for each in before.sheets[1:] if each not in after.sheets]
    if gone:
        rows = sum(len(each.table.rows) for each in gone)
        found.append(f"the results that were added: {rows} {'row' if rows == 1 else 'rows'}")
    if before.space is not None and before.text != after.text:
        found.append("what was said of parameters and rules")
    if before.settings is not None and before.settings != after.settings:
        found.append("what was said of the target and of wells without a number")
    return tuple(found)
