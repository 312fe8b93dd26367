"""A plate: designs in the user's units, what is expected of them, and where they go."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ombo_agents.campaigns.sheets import read_sheet
from ombo_gym.files import write_atomically

LAYOUTS = {24: (4, 6), 48: (6, 8), 96: (8, 12), 384: (16, 24)}  # rows and columns
_LETTERS = "ABCDEFGHIJKLMNOP"
_PREDICTED = (
    "low 80%",
    "high 80%",
    "role",
    "explore share",
    "nearest well",
    "its value",
    "if last",
)


@dataclass(frozen=True)
class Well:
    """One well.

    Attributes:
        design: Values by column of the space.
        mean: What is expected, in the units of the target or the score.
        low, high: Between which the measurement is expected to be with a probability of 80%.
        role: "explore", "exploit" or "replicate".
        share: Of its choice, that is due to uncertainty, 0 to 1.
        nearest: Where the most similar measured well stands.
        nearest_value: What was measured there, offsets of blocks taken out.
        also_if_last: Whether it would be on the plate, too, if that were the last one.
    """

    design: Mapping[str, Any]
    mean: float
    low: float
    high: float
    role: str
    share: float
    nearest: str
    nearest_value: float
    also_if_last: bool = True


@dataclass(frozen=True)
class Plate:
    """What goes on the next plate.

    Attributes:
        wells: In the policy's order.
        names: What the user's sheet calls the columns of the space.
        targets: Columns to be filled in.
        measured_name: What predictions are of.
        reason: Which policy it is from, and why.
        quality: Correlation of each measured well with what the others predict; None: unknown.
        if_last: Designs of the plate if it were the last one: what differs is due to the plates
            that follow.
    """

    wells: tuple[Well, ...]
    names: Mapping[str, str]
    targets: tuple[str, ...]
    measured_name: str
    reason: str
    quality: float | None
    if_last: tuple[Mapping[str, Any], ...] = ()

    def __len__(self) -> int:
        return len(self.wells)

    @property
    def header(self) -> list[str]:
        """Of the table."""
        own = [*self.names.values(), *self.targets]
        well, *predicted = (
            f"plate: {name}" if name in own else name
            for name in ("well", f"predicted {self.measured_name}", *_PREDICTED)
        )
        return [well, *own, *predicted]

    def rows(self, layout: int | None = None) -> list[list[Any]]:
        """Cells of the table; the targets are empty.

        Args:
            layout: Wells of the plate, 24, 48, 96 or 384: wells are called A1, A2, ...; None: 1, 2.

        Raises:
            ValueError: Another layout, or more wells than it has.
        """
        places = self._places(layout)
        return [
            [
                place,
                *(well.design[name] for name in self.names),
                *("" for _ in self.targets),
                _short(well.mean),
                _short(well.low),
                _short(well.high),
                well.role,
                round(well.share, 2),
                well.nearest,
                _short(well.nearest_value),
                "also" if well.also_if_last else "other",
            ]
            for place, well in zip(places, self.wells, strict=True)
        ]

    @property
    def frame(self) -> Any:
        """As a data frame of pandas."""
        import pandas as pd

        return pd.DataFrame(self.rows(), columns=self.header)

    @property
    def if_last_frame(self) -> Any:
        """What the plate would be if it were the last one, as a data frame of pandas."""
        import pandas as pd

        return pd.DataFrame(
            [[each[name] for name in self.names] for each in self.if_last],
            columns=list(self.names.values()),
        )

    @property
    def changed_by_plates_to_come(self) -> int:
        """Wells that would be others if this plate were the last one."""
        return sum(not well.also_if_last for well in self.wells)

    def map(self, layout: int) -> list[list[str]]:
        """The plate as it lies on the bench: a row of numbers, then A, B, ... with their wells.

        Args:
            layout: Wells of the plate, 24, 48, 96 or 384.

        Raises:
            ValueError: Another layout, or more wells than it has.
        """
        self._places(layout)
        height, width = LAYOUTS[layout]
        texts = [", ".join(str(each) for each in well.design.values()) for well in self.wells]
        texts += [""] * (layout - len(texts))
        rows = [[_LETTERS[r], *texts[r * width : (r + 1) * width]] for r in range(height)]
        return [["", *map(str, range(1, width + 1))], *rows]

    def _places(self, layout: int | None) -> list[str]:
        if layout is None:
            return [str(i + 1) for i in range(len(self.wells))]
        if layout not in LAYOUTS:
            raise ValueError(f"layout: expected one of {list(LAYOUTS)} wells, got {layout!r}")
        if len(self.wells) > layout:
            raise ValueError(
                f"layout: expected at most {layout} wells on a plate of {layout}, got "
                f"{len(self.wells)}; choose a larger one"
            )
        width = LAYOUTS[layout][1]
        return [f"{_LETTERS[i // width]}{i % width + 1}" for i in range(len(self.wells))]

    # --- files ----------------------------------------------------------------------------------

    def write(self, path: str | Path, *, layout: int | None = None) -> None:
        """Writes CSV, or an Excel workbook where the name ends in .xlsx.

        Args:
            path: Of the file, in a folder that exists.
            layout: Wells of the plate: wells have names as A1, and a map is added (in a workbook a
                sheet of its own, beside a CSV file NAME.map.csv).

        Raises:
            ValueError: A file is there that is no plate without results, or another layout, or a
                name of another kind of file.
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise ValueError(
                f"{path}: expected a file in a folder that exists, {path.parent} does not"
            )
        if path.is_dir():
            raise ValueError(f"{path}: expected the name of a file, got a folder; add a name")
        if path.suffix.lower() not in (".csv", ".xlsx"):
            raise ValueError(
                f"{path}: expected a name that ends in .csv or .xlsx; add one of these"
            )
        rows = self.rows(layout)
        lies = None if layout is None else self.map(layout)
        self._check_free(path)
        if path.suffix.lower() == ".xlsx":
            write_atomically(path, _workbook(self.header, rows, lies))
            return
        write_atomically(path, _csv([self.header, *rows]))
        if lies is not None:
            write_atomically(path.with_suffix(".map.csv"), _csv(lies))

    def _check_free(self, path: Path) -> None:
        """Refuses to write over what is not an empty plate."""
        if not path.exists():
            return
        try:
            sheet = read_sheet(path)
            empty = all(not any(sheet.column(target)) for target in self.targets)
            plate = sheet.header == self.header and empty
        except (ValueError, OSError):
            plate = False
        if not plate:
            raise ValueError(
                f"{path}: expected a name that is free, there is a file that is no plate without "
                "results; give another name"
            )

    def _repr_html_(self) -> str:
        cells = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
            for row in self.rows()
        )
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.header)
        return f"<p>{html.escape(self.reason)}</p><table><tr>{head}</tr>{cells}</table>"


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def _csv(rows: list[list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    content = text.getvalue()
    mark = "" if content.isascii() else "\ufeff"  # without which Excel reads no °
    return (mark + content).encode("utf-8")


def _workbook(header: list[str], rows: list[list[Any]], lies: list[list[str]] | None) -> bytes:
    try:
        import openpyxl
    except ImportError as error:
        raise ImportError(
            'Excel workbooks need openpyxl: pip install "ombo-gym[campaigns]"'
        ) from error
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "plate"
    for row in (header, *rows):
        sheet.append([None if cell == "" else cell for cell in row])
    if lies is not None:
        drawn = book.create_sheet("map")
        for row in lies:
            drawn.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
