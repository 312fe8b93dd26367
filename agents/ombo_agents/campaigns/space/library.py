"""Files that a space file names: lists of candidates, and what describes choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ombo_agents.campaigns.files.located import Located
from ombo_agents.campaigns.files.made_sheets import made_sheet
from ombo_agents.campaigns.files.sheets import found_column, read_sheet
from ombo_agents.campaigns.space.candidate_list import CandidateFactor
from ombo_agents.campaigns.space.factors import Floats
from ombo_gym.arguments import shown
from ombo_gym.design_spaces import CandidateDesigns
from ombo_gym.design_spaces.parameters import Choices
from ombo_gym.spreadsheets.number_columns import NumberColumn, read_numbers
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet, listed

Table = dict[str, Any]  # {"header": [...], "rows": [[...]], "numbers": [...]}

_MOST_TEXTS = 50  # different texts of a column that is seen as categories
_BITS = 1024  # of a fingerprint
_RADIUS = 2


def parse_table(path: Path) -> Table:
    """A file as data, which a campaign's file keeps."""
    sheet = read_sheet(path)
    return {"header": sheet.header, "rows": sheet.rows, "numbers": sheet.row_numbers}


def sheet_of(table: Table, name: str) -> Spreadsheet:
    """The inverse of `parse_table`."""
    return made_sheet(name, table["header"], table["rows"], table["numbers"])


def library(
    written: Located, table_of: Callable[[Located], Table], column: str | None
) -> CandidateFactor:
    """A list of candidates.

    Args:
        written: The keys `candidates`, `id`, `columns`, `log`, `scale`, `smiles`.
        table_of: Reads the file.
        column: What its names are called in the user's sheet; None: as in the file.

    Raises:
        ValueError: It is no such list; says the line, or the row of the file.
    """
    entries = written.entries()
    named = entries["candidates"]
    sheet = sheet_of(table_of(named), str(named.plain))
    key = _column(sheet, entries, "id")
    names = sheet.column(key)
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        if not name:
            raise ValueError(f"{sheet.place(row, key)}: expected a name, got an empty cell")
        if name in first:
            raise ValueError(
                f"{sheet.place(row, key)}: expected each name once, got {shown(name)} as in row "
                f"{sheet.row_numbers[first[name]]}; take one of the rows out"
            )
        first[name] = row
    if len(names) < 2:
        raise named.error(f"candidates: expected at least two candidates, got {len(names)}")
    smiles = _column(sheet, entries, "smiles") if "smiles" in entries else None
    described = _described(sheet, entries, {key, smiles}, optional=smiles is not None)
    log = _names(sheet, entries, "log") if "log" in entries else []
    parts, descriptors = _features(sheet, described)
    if smiles is not None:
        parts.append(fingerprints(sheet.column(smiles), lambda row: sheet.place(row, smiles)))
        descriptors += [f"{smiles} bit {i}" for i in range(parts[-1].shape[1])]
    table = np.concatenate(parts, axis=1)
    scale: Any = entries["scale"].plain if "scale" in entries else None
    _check_log(sheet, log, descriptors, entries)
    if log:
        scale = tuple("log" if name in log else "linear" for name in descriptors)
    try:
        CandidateDesigns(
            table, scale=list(scale) if isinstance(scale, tuple) else scale or "linear"
        )
    except ValueError as error:
        raise named.error(f"candidates: {error}") from None
    return CandidateFactor(column or key, tuple(names), table, tuple(descriptors), scale)


def _check_log(
    sheet: Spreadsheet, log: Sequence[str], descriptors: Sequence[str], entries: Any
) -> None:
    """Refuses logarithmic columns that describe nothing, or hold numbers up to 0."""
    for name in log:
        if name not in descriptors:
            raise entries["log"].error(
                f"log: expected columns of numbers that describe candidates, {listed(descriptors)}"
                f", got {shown(name)}; add it to columns, or leave it out of log"
            )
        numbers = read_numbers(sheet, [NumberColumn(name, "")], mixed_marks=True)[:, 0]
        if (low := numbers <= 0).any():
            row = int(low.argmax())
            raise ValueError(
                f"{sheet.place(row, name)}: expected a number above 0 on a logarithmic scale, got "
                f"{shown(sheet.column(name)[row])}; leave {name!r} out of log, or correct it"
            )


def hint_of_rule(rule: Located) -> str:
    """What to do, beside what the error says, where a condition cannot be read; "" for nothing."""
    words = str(rule.plain)
    if words.count('"') % 2 or words.count("'") % 2:
        return "; a condition that has a comma stands in a line of its own, behind a dash"
    return ""


def file_of(
    written: Located, table_of: Callable[[Located], Table]
) -> tuple[Spreadsheet, str] | None:
    """The file that describes candidates or choices, and its column of names; None: there is none.

    Args:
        written: The keys of a list of candidates, or of choices.
        table_of: Reads the file.
    """
    entries = written.entries()
    for key in ("candidates", "choices", "descriptors"):
        if key in entries and isinstance(entries[key].value, str):
            sheet = sheet_of(table_of(entries[key]), str(entries[key].plain))
            return sheet, _column(sheet, entries, "id")
    return None


def _described(
    sheet: Spreadsheet, entries: Any, aside: set[str | None], *, optional: bool
) -> list[str]:
    """The columns that describe candidates: those that are listed, or all that can."""
    if "columns" in entries:
        return _names(sheet, entries, "columns")
    found = [name for name in sheet.header if name not in aside]
    kept = []
    for name in found:
        kinds = {what.kind for what in sheet.cells(name).values()}
        if kinds <= {"number", "unread"} or len(sheet.cells(name)) <= _MOST_TEXTS:
            kept.append(name)
        elif kinds & {"number"}:  # a gap among numbers: said, and not passed over
            kept.append(name)
    if not kept and not optional:
        raise entries["candidates"].error(
            f"candidates: expected columns of numbers that describe them beside the names, got "
            f"{listed(sheet.header)}; columns: [...] says which"
        )
    return kept


def _features(sheet: Spreadsheet, names: Sequence[str]) -> tuple[list[Floats], list[str]]:
    """Numbers as they are, texts one-hot, (n, k) each."""
    remedy = (
        "fill it in, take the row out, or leave the column out: columns: [...] lists the others"
    )
    numeric = [name for name in names if _mostly_numbers(sheet, name)]
    numbers = read_numbers(
        sheet, [NumberColumn(name, remedy) for name in numeric], mixed_marks=True
    )  # (n, k)
    parts: list[Floats] = [numbers] if numeric else []
    descriptors = list(numeric)
    for name in names:
        if name in numeric:
            continue
        cells = sheet.column(name)
        texts = sorted(set(cells))
        hot = np.array([[cell == text for text in texts] for cell in cells], np.float64)
        parts.append(hot)
        descriptors += [f"{name} = {text}" for text in texts]
    return parts, descriptors


def _mostly_numbers(sheet: Spreadsheet, name: str) -> bool:
    cells = sheet.cells(name)
    column = sheet.column(name)
    return sum(cells[cell].kind in ("number", "unread") for cell in column) > len(column) / 2


def described_choices(written: Located, table_of: Callable[[Located], Table]) -> Choices:
    """Choices that are described by a file or by SMILES.

    Args:
        written: The keys `choices` (a list, or a file), `id`, `descriptors` (a file) and `smiles`
            (true where the choices are SMILES, or a list of SMILES, one a choice).
        table_of: Reads the file.

    Raises:
        ValueError: They are not written so.
    """
    entries = written.entries()
    known = ("choices", "id", "descriptors", "smiles", "columns", "log")
    if unknown := [key for key in entries if key not in known]:
        raise entries[unknown[0]].error(f"expected keys among {list(known)}, got {unknown[0]!r}")
    file = next(
        (
            e
            for k in ("choices", "descriptors")
            if isinstance((e := entries.get(k, written)).value, str)
        ),
        None,
    )
    listed_choices = entries["choices"].plain
    if file is not None:
        inside = {"candidates": file} | {
            key: entries[key] for key in ("id", "columns", "log") if key in entries
        }
        found = library(Located(inside, file.line, file.name), table_of, "choices")
        order = list(found.names)
        if isinstance(listed_choices, list):
            missing = [c for c in listed_choices if str(c) not in found.index]
            if missing:
                raise file.error(f"descriptors: expected a row for each choice, {missing} missing")
            order = [str(c) for c in listed_choices]
        rows = [found.index[name] for name in order]
        return _choices(order, found.table[rows], found.descriptors)
    if "smiles" not in entries:
        raise ValueError("expected a file of descriptors, or smiles, beside id; leave id out")
    smiles = entries["smiles"]
    names = [str(c) for c in listed_choices]
    texts = names if smiles.plain is True else smiles.plain
    if not isinstance(texts, list) or len(texts) != len(names):
        raise smiles.error(
            f"smiles: expected true, where choices are SMILES, or {len(names)} SMILES, one a "
            f"choice, got {shown(smiles.plain)}"
        )
    bits = fingerprints([str(text) for text in texts], lambda row: f"smiles, number {row + 1}")
    return _choices(names, bits, [f"bit {i}" for i in range(bits.shape[1])])


def _choices(names: Sequence[str], table: Floats, descriptors: Sequence[str]) -> Choices:
    varies = table.std(axis=0) > 0
    columns = {name: tuple(table[:, i].tolist()) for i, name in enumerate(descriptors) if varies[i]}
    return Choices(tuple(names), columns)


def fingerprints(smiles: Sequence[str], place: Callable[[int], str]) -> Floats:
    """Morgan fingerprints of molecules, (n, k) bits that differ.

    Args:
        smiles: Of each.
        place: Where the text of a row stands, for messages.

    Raises:
        ImportError: rdkit is not installed.
        ValueError: A text is no SMILES; says where.

    Reference:
        Rogers and Hahn, Extended-connectivity fingerprints, 2010.
    """
    try:
        from rdkit import Chem, RDLogger
        from rdkit.Chem import rdFingerprintGenerator
    except ImportError as error:
        raise ImportError(
            "SMILES need rdkit: pip install rdkit, or describe the molecules by columns of numbers"
        ) from error
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=_RADIUS, fpSize=_BITS)
    found = np.zeros((len(smiles), _BITS))
    for row, text in enumerate(smiles):
        molecule = Chem.MolFromSmiles(text) if text else None
        if molecule is None:
            raise ValueError(f"{place(row)}: expected SMILES, got {shown(text)}; correct it")
        found[row] = generator.GetFingerprintAsNumPy(molecule)
    varies = found.std(axis=0) > 0
    return found[:, varies] if varies.any() else found[:, :1]


def _names(sheet: Spreadsheet, entries: Any, key: str) -> list[str]:
    given = entries[key]
    found = []
    for each in given.members() if isinstance(given.value, list) else [given]:
        if not isinstance(each.value, str):
            raise each.error(f"{key}: expected names of columns, got {shown(each.plain)}")
        try:
            found.append(found_column(sheet, each.value, key))
        except ValueError as error:
            raise each.error(str(error)) from None
    return found


def _column(sheet: Spreadsheet, entries: Any, key: str) -> str:
    if key not in entries:
        if key == "id":
            return sheet.header[0]
        raise entries["candidates"].error(f"expected {key!r}, the name of a column, got none")
    return _names(sheet, entries, key)[0]
