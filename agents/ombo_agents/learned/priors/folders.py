"""A folder of spreadsheets as a family: a laboratory's own past campaigns, one instance a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ombo_agents.campaigns.campaign import Campaign
from ombo_agents.learned.priors.families import FEWEST, Family

_SHEETS = (".csv", ".tsv", ".xlsx")


def family_of_folder(
    folder: str | Path, *, space: Any, target: Any, minimise: bool = False
) -> Family:
    """What past campaigns measured, each at designs of its own.

    Args:
        folder: With a spreadsheet for each campaign, as `Campaign.from_csv` reads it.
        space: The path of a space file, or the same as a dict; of all campaigns.
        target: The column that was measured.
        minimise: Whether low values are good.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: Fewer than three spreadsheets, one that is not as described (names it), or a
            space whose designs depend on what was measured.
    """
    files = sorted(file for file in Path(folder).iterdir() if file.suffix.lower() in _SHEETS)
    if len(files) < FEWEST:
        raise ValueError(
            f"tasks: expected a folder with at least {FEWEST} past campaigns, a spreadsheet each "
            f"({', '.join(_SHEETS)}), got {len(files)} in {folder}"
        )
    goal = "min" if minimise else "max"
    design_space, designs, values = None, [], []
    for file in files:
        campaign = Campaign.from_csv(file, space, target=target, goal=goal)
        found = campaign.spec([1]).design_space
        design_space = found if design_space is None else design_space
        if found != design_space:
            raise ValueError(
                f"tasks: expected a space whose designs are the same in every campaign, got "
                f"{design_space!r} in {files[0].name} and {found!r} in {file.name}"
            )
        seen = campaign.observation([1])
        count = int(seen["observed"][0].sum())
        designs.append(seen["designs"][0, :count])
        values.append(seen["measurements"][0, :count])
    assert design_space is not None
    edges = np.cumsum([0, *map(len, values)])
    table = np.full((len(files), edges[-1]), np.nan)
    for row, each in enumerate(values):
        table[row, edges[row] : edges[row + 1]] = each
    rows = np.arange(edges[-1])
    stacked = np.concatenate(designs).astype(design_space.dtype)
    names, origin = tuple(file.name for file in files), {"folder": str(folder)}
    return Family(design_space, stacked, table, rows, rows, False, names, origin)
