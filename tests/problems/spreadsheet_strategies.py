"""Random CSV files with what stands in them: column kinds, designs, values, or the one fault."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

WORDS = (
    "DMF", "THF", "2-MeTHF", "1,4-dioxane", "3a", "3b", "Pd(OAc)2", "β-CD", "none", "Na", "A1",
    "B2", "5% Pd/C", "µ-oxo", "naïve", "True", "01.02.2026", "1-3", "a; b", "x | y", 'the "best"',
    "4 Å MS", "2 M HCl", "64-17-5", "=sum", "two\nlines", "Infinite", "nano",
)  # fmt: skip
UNITS = ("°C", "mM", "µM", "%", "mol%", "h", "min", "mg/mL", "kJ/mol", "rpm", "equiv", "wt%", "K")
OTHER_UNIT = "bar"
MINUS = ("-", "\u2212", "\u2013")
UNREAD = ("~5", "<5", "5 ± 1", "1 000", "1'000", "1x10^-3", "inf", "5 parsec")
MISSING = ("", "nan", "NaN", "N/A", "#N/A", "NA")
UNEXPLAINED = ("<1", ">99", "≥ 5", "NaN", "tbd", "failed twice", "-", "#DIV/0!")
FAULTS = (
    "word among numbers", "number among words", "missing", "other unit", "unread", "unexplained",
    "nul", "latin-1", "too many cells", "two marks", "name twice", "no name",
)  # fmt: skip


@dataclass
class Sheet:
    """A file and what was written into it.

    Attributes:
        content: Of the file.
        arguments: Of the table.
        kinds: By design column.
        designs: What stands in the design columns, row by row.
        values: What was measured; "failed", or None where it is not measured yet.
        fault: What makes it no table; None: nothing.
        row: Where the fault is, as the file counts, and its column; None: nobody can say.
    """

    content: bytes = b""
    arguments: dict[str, Any] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    designs: list[tuple[Any, ...]] = field(default_factory=list)
    values: list[float | str | None] = field(default_factory=list)
    fault: str | None = None
    row: int | None = None
    column: str | None = None


@dataclass
class _Format:
    """How a file writes numbers."""

    comma: bool
    minus: str
    blank: str

    def number(self, draw: st.DrawFn, number: float, unit: str) -> str:
        forms = [repr(number), f"{number:.6e}", f"{number:+.5f}"]
        if number == int(number):
            forms.append(str(int(number)))
        text = draw(st.sampled_from(forms)).replace("-", self.minus)
        text = text.replace(".", ",") if self.comma else text
        return f"{self.blank}{text}{unit and draw(st.sampled_from(['', ' ', self.blank]))}{unit}"


@st.composite
def sheets(draw: st.DrawFn, *, faulty: bool | None = None) -> Sheet:
    """Files without a fault, or with one."""
    sheet = Sheet()
    with_fault = draw(st.booleans()) if faulty is None else faulty
    sheet.fault = draw(st.sampled_from(FAULTS)) if with_fault else None
    count = draw(st.integers(4, 9))
    form = _Format(
        draw(st.booleans()) or sheet.fault == "two marks",
        draw(st.sampled_from(MINUS)),
        draw(st.sampled_from(["", " ", "\u00a0"])),
    )
    columns = _columns(draw, sheet, form, count)
    columns.append(
        (draw(st.sampled_from(["y", "yield (%)", "Ausbeute"])), _values(draw, sheet, form, count))
    )
    header, cells = (
        [name for name, _ in columns],
        [list(row) for row in zip(*(c for _, c in columns), strict=True)],
    )
    lines = [header, *cells]
    if draw(st.booleans()):  # a blank line
        lines.insert(draw(st.integers(1, count)), [""] * len(header))
    if draw(st.booleans()):  # the same row again is a replicate
        lines.append(list(lines[-1]))
        sheet.designs.append(sheet.designs[-1])
        sheet.values.append(sheet.values[-1])
    _break(draw, sheet, lines)
    _write(draw, sheet, lines)
    return sheet


def _columns(
    draw: st.DrawFn, sheet: Sheet, form: _Format, count: int
) -> list[tuple[str, list[str]]]:
    """Names and cells of design columns; there are numbers and words among them."""
    found: list[tuple[str, list[str]]] = []
    read: list[list[Any]] = []
    more = st.sampled_from(["numbers", "words", "levels", "declared"])
    for index, kind in enumerate(["numbers", "words", *draw(st.lists(more, max_size=3))]):
        name = f"{draw(st.sampled_from(['T', 'base', 'größe', 'c max']))} {index}"
        if kind == "words":
            meant: list[Any] = draw(
                st.lists(st.sampled_from(WORDS), min_size=count, max_size=count)
            )
            pad = [draw(st.sampled_from(["", " ", "\u00a0"])) for _ in range(count)]
            cells = [f"{blank}{word}{blank}" for blank, word in zip(pad, meant, strict=True)]
            sheet.kinds[name] = "categories"
        else:
            bounds = {"levels": (1, 4), "declared": (1, 4)}.get(kind, (-999, 999))
            whole = draw(st.lists(st.integers(*bounds), min_size=count, max_size=count))
            whole[1] += index == 0 and whole[0] == whole[1]  # so that there are two designs
            meant = [number / 4 if kind == "numbers" else number for number in whole]
            no_unit = [] if sheet.fault == "other unit" and index == 0 else [""]
            unit = draw(st.sampled_from([*no_unit, *UNITS])) if kind == "numbers" else ""
            if unit and draw(st.booleans()):
                name = f"{name} ({unit})"
            in_cells = draw(st.booleans()) or (sheet.fault == "other unit" and index == 0)
            in_cells = in_cells and sheet.fault != "two marks"
            if kind == "declared":
                cells = meant = [str(number) for number in meant]
                sheet.arguments.setdefault("categories", []).append(name)
            else:
                cells = [form.number(draw, number, unit if in_cells else "") for number in meant]
            if kind == "levels":
                sheet.arguments.setdefault("parameters", {})[name] = [1, 2, 3, 4]
            sheet.kinds[name] = {"levels": "ordered levels", "declared": "categories"}.get(
                kind, kind
            )
        found.append((name, cells))
        read.append(meant)
    sheet.designs = list(zip(*read, strict=True))
    return found


def _values(draw: st.DrawFn, sheet: Sheet, form: _Format, count: int) -> list[str]:
    """Cells of the value column, some of which are words that are explained."""
    outcomes = st.sampled_from(["number", "number", "failed", "pending", "blank"])
    drawn = ["number", "number", *draw(st.lists(outcomes, min_size=count - 2, max_size=count - 2))]
    cells = []
    for outcome in drawn:
        value: float | str | None = draw(st.integers(-999, 999)) / 8
        cell = form.number(draw, float(value), "")
        if outcome == "failed":
            value, cell = "failed", draw(st.sampled_from(["failed", "FAILED", "n.d.", " n.d. "]))
        elif outcome != "number":
            value, cell = None, "Pending" if outcome == "pending" else ""
        sheet.values.append(value)
        cells.append(cell)
    sheet.arguments.update(failed=["Failed", "N.D."], pending=["pending", ""])
    return cells


def _break(draw: st.DrawFn, sheet: Sheet, lines: list[list[str]]) -> None:
    """Writes the fault into the lines."""
    used = [
        index for index, line in enumerate(lines) if index and any(cell.strip() for cell in line)
    ]
    row = draw(st.sampled_from(used))
    first, words, value = 0, 1, len(lines[0]) - 1
    place: int | None = None
    if sheet.fault in ("word among numbers", "unread", "missing", "number among words", "nul"):
        place = words if sheet.fault == "number among words" else first
        new = {
            "word among numbers": st.sampled_from(["control", "DMF", "3a"]),
            "unread": st.sampled_from(UNREAD),
            "missing": st.sampled_from(MISSING),
            "number among words": st.sampled_from(["5", "-2.5", "80 °C"]),
            "nul": st.just("\0" + lines[row][first]),
        }[sheet.fault]
        if sheet.fault == "missing":
            place = draw(st.sampled_from([first, words]))
        lines[row][place] = draw(new)
    elif sheet.fault == "other unit":
        row, place = used[-1], first
        lines[row][place] = f"5 {OTHER_UNIT}"
    elif sheet.fault == "unexplained":
        place = value
        lines[row][place] = draw(st.sampled_from(UNEXPLAINED))
    elif sheet.fault == "too many cells":
        lines[row].append("5")
    elif sheet.fault == "two marks":
        lines[used[0]][first], lines[used[1]][first] = "2,5", "3.5"
        row = used[0]
        place = first
    elif sheet.fault == "name twice":
        lines[0][words] = lines[0][first]
    elif sheet.fault == "no name":
        lines[0][words] = " "
    elif sheet.fault == "latin-1":
        lines[row][words] = "naïve"
    if sheet.fault in ("name twice", "no name", None):
        return
    if sheet.fault not in ("latin-1",):
        sheet.row = row + 1
    if place is not None:
        sheet.column = lines[0][place]


def _write(draw: st.DrawFn, sheet: Sheet, lines: list[list[str]]) -> None:
    """Makes the file of the lines."""
    delimiter = draw(st.sampled_from(",;\t|"))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = io.StringIO(newline="")
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(lines)
    written = text.getvalue()
    if draw(st.booleans()):
        written = f"sep={delimiter}{end}{written}"
        sheet.row = None if sheet.row is None else sheet.row + 1
    encodings = ["utf-8", "utf-8-sig", "utf-16"]
    if sheet.fault == "latin-1":
        written = written.translate({ord("β"): "b", 0x2212: "-", 0x2013: "-"})
        encodings = ["latin-1"]
    sheet.content = written.encode(draw(st.sampled_from(encodings)))
