"""A plate: designs in the user's units, what is expected of them, and where they go."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ombo_agents.campaigns.files.plate_columns import OF_WELLS, PREDICTED, RENAMED, WELL
from ombo_agents.campaigns.pictures.intervals import Bar, as_html, intervals_figure
from ombo_agents.campaigns.plates.plate_file import write_plate
from ombo_agents.campaigns.plates.plate_map import PlateMap, named_value, shared_value

LAYOUTS = {24: (4, 6), 48: (6, 8), 96: (8, 12), 384: (16, 24)}  # rows and columns
_LETTERS = "ABCDEFGHIJKLMNOP"


@dataclass(frozen=True)
class Well:
    """One well.

    Attributes:
        design: Values by column of the space.
        mean: What is expected, in the units of the target or the score; None: nobody can say.
        low, high: Between which the measurement is expected to be with a probability of 80%.
        role: "explore", "exploit" or "replicate".
        share: Of its choice, that is due to uncertainty, 0 to 1.
        nearest: Where the most similar measured well stands; None: nothing was measured.
        nearest_value: What was measured there, as it stands in the sheet; of several targets, the
            score.
        also_if_last: Whether it would be on the plate, too, if that were the last one.
        as_last: What of it would be, where only values that the plate shares would be others.
    """

    design: Mapping[str, Any]
    mean: float | None
    low: float | None
    high: float | None
    role: str
    share: float
    nearest: str | None
    nearest_value: float | None
    also_if_last: bool = True
    as_last: str = ""


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
        shared_if_last: Values that the wells share now, and those of that plate, by column of the
            sheet, where these differ.
        notes: What may surprise, a sentence each.
    """

    wells: tuple[Well, ...]
    names: Mapping[str, str]
    targets: tuple[str, ...]
    measured_name: str
    reason: str
    quality: float | None
    if_last: tuple[Mapping[str, Any], ...] = ()
    shared_if_last: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.wells)

    @property
    def header(self) -> list[str]:
        """Of the table."""
        own = [*self.names.values(), *self.targets]
        well, *predicted = (
            f"{RENAMED}{name}" if name in own else name
            for name in (WELL, f"{PREDICTED}{self.measured_name}", *OF_WELLS)
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
                well.nearest or "",
                _short(well.nearest_value),
                well.as_last or ("also" if well.also_if_last else "other"),
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

    @property
    def if_last_words(self) -> str | None:
        """What would be different if this plate were the last one; None: nothing."""
        others = sum(not well.also_if_last and not well.as_last for well in self.wells)
        if not self.shared_if_last:
            which = f"{others} of the {len(self)} wells would be {_other(others)}"
            return f"{which} if this plate were the last" if others else None
        parts = [
            f"the shared {name} would be {last} instead of {now}"
            for name, (now, last) in self.shared_if_last.items()
        ]
        rest = (
            f"{others} of the {len(self)} wells {_other(others)}" if others else "all else the same"
        )
        return f"if this plate were the last, {', '.join(parts)}, and {rest}"

    def map(self, layout: int) -> list[list[str]]:
        """The plate as it lies on the bench: a row of numbers, then A, B, ... with their wells.

        Args:
            layout: Wells of the plate, 24, 48, 96 or 384.

        Raises:
            ValueError: Another layout, or more wells than it has.
        """
        height, width = self._size_of(layout)
        texts = [", ".join(str(each) for each in well.design.values()) for well in self.wells]
        texts += [""] * (layout - len(texts))
        rows = [[_LETTERS[r], *texts[r * width : (r + 1) * width]] for r in range(height)]
        return [["", *map(str, range(1, width + 1))], *rows]

    def drawn_map(self, layout: int) -> PlateMap:
        """The same for a sheet that is printed: a value a line, what all wells share above.

        Args:
            layout: Wells of the plate, 24, 48, 96 or 384.

        Raises:
            ValueError: Another layout, or more wells than it has.
        """
        height, width = self._size_of(layout)
        several = len(self.wells) > 1
        each = {n: dict.fromkeys(well.design[n] for well in self.wells) for n in self.names}
        shared = {n: next(iter(v)) for n, v in each.items() if several and len(v) == 1}
        varied = [name for name in self.names if name not in shared]
        texts = [
            "\n".join(named_value(self.names[name], well.design[name]) for name in varied)
            for well in self.wells
        ]
        texts += [""] * (layout - len(texts))
        title = [f"Plate of {layout}: {len(self.wells)} wells, {self.measured_name}"]
        if shared:
            words = [shared_value(self.names[name], value) for name, value in shared.items()]
            title.append(f"All wells: {', '.join(words)}")
        title.append(f"In each well: {', '.join(self.names[name] for name in varied)}")
        rows = tuple(tuple(texts[r * width : (r + 1) * width]) for r in range(height))
        return PlateMap(tuple(title), rows, _LETTERS[:height])

    def _places(self, layout: int | None) -> list[str]:
        if layout is None:
            return [str(i + 1) for i in range(len(self.wells))]
        _, width = self._size_of(layout)
        return [f"{_LETTERS[i // width]}{i % width + 1}" for i in range(len(self.wells))]

    def _size_of(self, layout: int) -> tuple[int, int]:
        """Rows and columns of a layout that the wells have room on."""
        if layout not in LAYOUTS:
            raise ValueError(f"layout: expected one of {list(LAYOUTS)} wells, got {layout!r}")
        if len(self.wells) > layout:
            raise ValueError(
                f"layout: expected at most {layout} wells on a plate of {layout}, got "
                f"{len(self.wells)}; choose a larger one"
            )
        return LAYOUTS[layout]

    # --- files ----------------------------------------------------------------------------------

    def write(self, path: str | Path, *, layout: int | None = None, rename: bool = False) -> Path:
        """Writes CSV, or an Excel workbook where the name ends in .xlsx; replaces nothing.

        Args:
            path: Of the file, in a folder that exists.
            layout: Wells of the plate: wells have names as A1, and a map is added (in a workbook a
                sheet of its own, beside a CSV file NAME.map.csv).
            rename: Whether a number is added to the name, plate-2.csv, where another plate is, or
                this one with results.

        Returns:
            The file that holds the plate: written now, or found there just so.

        Raises:
            ValueError: Something else is there, or another layout, or a name of another kind of
                file.
        """
        listed = drawn = None
        if layout is not None:
            listed, drawn = self.map(layout), self.drawn_map(layout)
        cells = [self.header, *self.rows(layout)]
        return write_plate(Path(path), cells, listed=listed, drawn=drawn, rename=rename)

    def write_if_last(
        self, path: str | Path, *, layout: int | None = None, rename: bool = False
    ) -> Path:
        """Writes the plate that it would be if it were the last one, to be filled in.

        Args:
            path: As of `write`.
            layout: Likewise, names of wells.
            rename: Likewise.

        Raises:
            ValueError: As of `write`.
        """
        blank = ["" for _ in self.targets]
        rows = [
            [place, *(design[name] for name in self.names), *blank]
            for place, design in zip(self._places(layout), self.if_last, strict=True)
        ]
        header = [self.header[0], *self.names.values(), *self.targets]
        return write_plate(Path(path), [header, *rows], rename=rename)

    @property
    def figure(self) -> Any:
        """What is expected of each well, a figure of matplotlib.

        Raises:
            ValueError: Nothing is expected yet: there is no result.
        """
        bars = self._bars()
        if not bars:
            raise ValueError("figure: expected a plate with predictions, got one before any result")
        return intervals_figure(bars, f"{self.measured_name}: predicted, and 80% of measurements")

    def _bars(self) -> list[Bar]:
        """An interval a well; none before any result."""
        return [
            Bar(
                f"{i}: {', '.join(str(each) for each in well.design.values())}",
                well.low,
                well.high,
                well.mean,
                well.role,
            )
            for i, well in enumerate(self.wells, 1)
            if well.mean is not None and well.low is not None and well.high is not None
        ]

    def _repr_html_(self) -> str:
        cells = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
            for row in self.rows()
        )
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.header)
        table = f"<table><tr>{head}</tr>{cells}</table>"
        drawn = as_html(self.figure, "predictions of a plate") if self._bars() else ""
        return f"<p>{html.escape(self.reason)}</p>{table}{drawn}"


def _other(count: int) -> str:
    return "another" if count == 1 else "others"


def _short(number: float | None) -> float | str:
    """A number of a cell; an empty cell where nobody can say."""
    return "" if number is None else float(f"{number:.4g}")
