"""Sheets and spaces of a laboratory, for tests."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REACTION_SPACE = """\
parameters:
  solvent: [DMF, THF, dioxane, ether]
  ligand: [XPhos, SPhos, none]
  temperature: {range: [25, 140], step: 5, unit: °C}
  time: {range: [0.5, 24], scale: log, unit: h}
  equivalents: [1, 1.5, 2, 3]
  atmosphere: N2
constraints:
  - temperature <= 40 if solvent == "ether"
"""

REACTION_SHEET = """\
Solvent;Ligand;Temperature (°C);time (h);equivalents;yield (%);remark
DMF;XPhos;60;2;1;12,5;
DMF;XPhos;60;2;1;14;again
THF;SPhos;80;4;1,5;35,1;
dioxane;SPhos;100;1;2;41;good
ether;XPhos;40;8;3;n.d.;exploded
THF;;60;16;1;<5;
dioxane;XPhos;90;3;3;;still running
water;XPhos;90;3;3;2;
control;;;;;2,4;
dmf;SPhos;120;0,5;2;28;
"""


def write(folder: Path, name: str, text: str) -> Path:
    """A file with a text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def book_of(sheets: Mapping[str, list[list[Any]]]) -> Any:
    """An openpyxl workbook with these sheets."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    """An Excel file with one sheet."""
    book_of({"Sheet": rows}).save(path)
    return path


def workbook_bytes(sheets: Mapping[str, list[list[Any]]]) -> bytes:
    """What an Excel file with these sheets holds."""
    content = io.BytesIO()
    book_of(sheets).save(content)
    return content.getvalue()
