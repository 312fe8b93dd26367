"""A campaign's file: JSON, with a version, in which what was there stays as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ombo_agents.campaigns.data.settings import Settings
from ombo_agents.campaigns.files.made_sheets import made_sheet
from ombo_agents.campaigns.space.space import Space
from ombo_agents.campaigns.space.space_file import read_space
from ombo_gym.arguments import shown
from ombo_gym.files import check_takes_files, write_atomically
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet

if TYPE_CHECKING:
    from ombo_agents.campaigns.campaign import Campaign

FORMAT, VERSION = "ombo campaign", 1
_LARGEST = 2**30  # bytes
_FIELDS = ("format", "version", "space", "tables", "settings", "sheets")


def content_of(campaign: Campaign) -> dict[str, Any]:
    """What the file holds."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "space": campaign.space.written,
        "tables": dict(campaign.space.tables),
        "settings": campaign.settings.to_dict(),
        "sheets": [
            {
                "source": str(sheet.table.path),
                "round": sheet.round,
                "header": sheet.table.header,
                "rows": sheet.table.rows,
                "numbers": sheet.table.row_numbers,
            }
            for sheet in campaign.sheets
        ],
        "advice": [dict(each) for each in campaign.advice],
    }


def save(campaign: Campaign, path: Path) -> None:
    """Writes a campaign; arguments and errors as `Campaign.save`."""
    check_saves(campaign, path)
    content = content_of(campaign)
    write_atomically(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def check_saves(campaign: Campaign, path: Path) -> None:
    """Makes sure that a campaign can be written.

    Raises:
        ValueError: It cannot be, or the file holds something else than an earlier state of it.
    """
    content = content_of(campaign)
    if not path.parent.is_dir():
        raise ValueError(f"{path}: expected a file in a folder that exists; make {path.parent}")
    check_takes_files(path)
    if path.exists():
        there = _read(path)
        for name in ("space", "tables", "settings"):
            if json.loads(json.dumps(there[name])) != json.loads(json.dumps(content[name])):
                raise ValueError(
                    f"{path}: expected a file that is free or an earlier state of this campaign, "
                    f"got one with other {name}; give another name"
                )
        old = there["sheets"]
        if json.loads(json.dumps(content["sheets"][: len(old)])) != old:
            raise ValueError(
                f"{path}: expected a file that is free or an earlier state of this campaign, got "
                f"one with {len(old)} sheets that are not this one's first; give another name"
            )
        given = there.get("advice", [])
        if json.loads(json.dumps(content["advice"][: len(given)])) != given:
            raise ValueError(
                f"{path}: expected a file that is free or an earlier state of this campaign, got "
                f"one that was advised {len(given)} times otherwise; give another name"
            )


def load(
    path: Path,
) -> tuple[Space, Settings, list[tuple[Spreadsheet, int]], list[dict[str, Any]]]:
    """Reads a campaign; errors as `Campaign.load`."""
    found = _read(path)
    if not isinstance(found["space"], dict) or not isinstance(found["tables"], dict):
        raise ValueError(f"{path}: expected a campaign with a space, got a damaged one")
    try:
        space = read_space(found["space"], tables=found["tables"])
        settings = Settings.from_dict(found["settings"])
        sheets = [
            (
                made_sheet(
                    each["source"],
                    each["header"],
                    each["rows"],
                    each["numbers"],
                    rows_needed=False,
                ),
                each["round"],
            )
            for each in found["sheets"]
        ]
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{path}: expected a campaign, got one that is damaged ({type(error).__name__}: "
            f"{error})"
        ) from error
    if not sheets or not all(isinstance(number, int) and number >= 0 for _, number in sheets):
        raise ValueError(f"{path}: expected a campaign with sheets, got a damaged one")
    return space, settings, sheets, _advice(path, found.get("advice", []))


def _advice(path: Path, given: Any) -> list[dict[str, Any]]:
    """What the campaign was advised; files of the first releases hold none."""
    good = isinstance(given, list) and all(
        isinstance(each, dict)
        and isinstance(each.get("policy"), str)
        and isinstance(each.get("trusted"), bool)
        and type(each.get("rows")) is int
        for each in given
    )
    if not good:
        raise ValueError(
            f"{path}: expected a campaign with a list of advice, each with policy, trusted and "
            f"rows, got {shown(given)}"
        )
    return list(given)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise FileNotFoundError(f"{path}: expected a campaign's file, there is none")
    if not path.is_file() or path.stat().st_size > _LARGEST:
        raise ValueError(f"{path}: expected a campaign's file, got a folder, a device or too much")
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: expected a campaign's file, JSON, got {shown(str(error))}"
        ) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(
            f"{path}: expected a campaign's file, got something else; give another name"
        )
    if found.get("version") != VERSION:
        raise ValueError(
            f"{path}: expected version {VERSION}, got {shown(found.get('version'))}; it is from "
            "another release of ombo-gym, which reads it"
        )
    if missing := [name for name in _FIELDS if name not in found]:
        raise ValueError(f"{path}: expected the fields {list(_FIELDS)}, {missing} missing")
    return found
