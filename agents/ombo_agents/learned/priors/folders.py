"""A folder of spreadsheets as a family: a laboratory's own past campaigns, one instance a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.campaign import Campaign
from ombo_agents.campaigns.space.space_file import read_space
from ombo_agents.learned.priors.families import FEWEST, Family
from ombo_gym.design_spaces import DesignSpace
from ombo_gym.surrogates.learned_prior import CONFIG

_SHEETS = (".csv", ".tsv", ".xlsx")
_READING = 3  # is raised where the same files would give another family
_FEWEST_RESULTS = 3  # of a past campaign
_INSTEAD = (
    "append old rows to the sheet of this campaign, with a column that names the campaign of each "
    "row, and name that column as block (--block)"
)


def past_sheets(folder: str | Path, leave_out: Path | None = None) -> list[Path]:
    """The spreadsheets of past campaigns.

    Args:
        folder: With a spreadsheet for each campaign.
        leave_out: A file of it that is none of them: the campaign that is to come, for one.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: Fewer than three spreadsheets.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: expected a folder of past campaigns, there is none")
    aside = None if leave_out is None else leave_out.resolve()
    files = sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in _SHEETS and file.resolve() != aside
    )
    if len(files) < FEWEST:
        raise ValueError(
            f"{folder}: expected a folder with at least {FEWEST} past campaigns, a spreadsheet "
            f"each ({', '.join(_SHEETS)}), got {len(files)}; from fewer a prior cannot be learnt: "
            f"{_INSTEAD}"
        )
    return files


def family_of_folder(
    folder: str | Path,
    *,
    space: Any,
    target: Any,
    minimise: bool = False,
    leave_out: Path | None = None,
    **reading: Any,
) -> Family:
    """What past campaigns measured, each at designs of its own; wells that failed count.

    Args:
        folder: With a spreadsheet for each campaign, as `Campaign.from_csv` reads it.
        space: The path of a space file, or the same as a dict; of all campaigns. What goes together
            in a design or on a plate does not matter: the family is over all values of parameters.
        target: The column that was measured.
        minimise: Whether low values are good.
        leave_out: A file of the folder that is none of them.
        **reading: How sheets are read, further arguments of `Campaign.from_csv`.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: Fewer than three spreadsheets, one that is not as described or with fewer than
            three results (names it), or a space whose designs depend on what was measured.
    """
    files = past_sheets(folder, leave_out)
    goal = "min" if minimise else "max"
    free = read_space(space).without_rules
    design_space, designs, values = None, [], []
    for file in files:
        campaign = Campaign.from_csv(file, free, target=target, goal=goal, **reading)
        found, measured, scores = _measured(campaign, file)
        design_space = found if design_space is None else design_space
        if found != design_space:
            raise ValueError(
                "tasks: expected a space whose designs are the same in every campaign, which "
                "parameters, mixtures in steps and lists of candidates have, got another in "
                f"{file.name} than in {files[0].name}, since mixtures and sequences without end "
                f"are listed anew for each; give the mixture a step, or {_INSTEAD}"
            )
        designs.append(measured)
        values.append(scores)
    assert design_space is not None
    edges = np.cumsum([0, *map(len, values)])
    table = np.full((len(files), edges[-1]), np.nan)
    for row, each in enumerate(values):
        table[row, edges[row] : edges[row + 1]] = each
    rows = np.arange(edges[-1])
    stacked = np.concatenate(designs).astype(design_space.dtype)
    names, origin = tuple(file.name for file in files), {"folder": str(folder)}
    return Family(design_space, stacked, table, rows, rows, False, names, origin)


def _measured(
    campaign: Campaign, file: Path
) -> tuple[DesignSpace, NDArray[Any], NDArray[np.float64]]:
    """The design space of a past campaign, its measured designs (n, *shape) and scores (n,)."""
    known = campaign.known([1], snap=True)
    done = np.isfinite(known.measured.values)
    if not done.any():
        raise ValueError(
            f"{file}: expected a past campaign with results, got none; take it out of the folder"
        )
    scores = known.values[done]
    if len(scores) < _FEWEST_RESULTS or scores.max() == scores.min():
        raise ValueError(
            f"{file}: expected a past campaign with at least {_FEWEST_RESULTS} results that are "
            f"not all the same, got {len(scores)}; take it out of the folder, or {_INSTEAD}"
        )
    return known.spec.design_space, known.designs[done], scores


def prior_of_past(
    folder: str | Path,
    *,
    space: Any,
    target: Any,
    minimise: bool = False,
    leave_out: Path | None = None,
    **reading: Any,
) -> Path:
    """The folder of a prior that was learnt from past campaigns: learnt now, or before.

    It is written beside the sheets, `FOLDER/prior-...`, and learnt again where these, the space or
    the target are others than they were.

    Args:
        folder: As in `family_of_folder`, and all other arguments.
        space: See there.
        target: See there.
        minimise: See there.
        leave_out: See there.
        **reading: See there.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: As `family_of_folder`; or the prior cannot be written there.
    """
    from ombo_agents.learned.priors.training import learn

    files = past_sheets(folder, leave_out)
    meant = read_space(space)
    said = [_READING, meant.written, meant.tables, target, minimise, sorted(reading.items())]
    out = Path(folder) / f"prior-{_digest(files, said)}"
    if (out / CONFIG).is_file():
        return out
    family = family_of_folder(
        folder, space=meant, target=target, minimise=minimise, leave_out=leave_out, **reading
    )
    try:
        learn(family).save(out)
    except OSError as error:
        raise ValueError(
            f"{out}: expected a folder that can be written to ({error.strerror or error}); write "
            "the prior elsewhere by 'ombo train --agent prior --out FOLDER', and name it as "
            "surrogate"
        ) from None
    return out


def _digest(files: Sequence[Path], said: Any) -> str:
    """What tells a family from others, in eight digits."""
    text = json.dumps(said, sort_keys=True, default=str)
    found = hashlib.sha256(text.encode())
    for file in files:
        found.update(file.name.encode())
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:8]
