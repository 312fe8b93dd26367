"""Files that a visitor sends: bounded, kept under no name, read as what they have to be."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from werkzeug.datastructures import FileStorage

from ombo_agents.campaigns import Campaign, Space, read_space
from ombo_agents.campaigns.files.sheets import read_sheet
from ombo_agents.campaigns.files.workbooks import sheet_names
from ombo_agents.campaigns.space.library import parse_table
from ombo_gym.spreadsheets.spreadsheet import WORKBOOKS, Spreadsheet

MOST_BYTES = 2**25  # of a request
_MOST_UNPACKED = 2**28  # bytes of a workbook, which is an archive
_LONGEST_NAME = 80
_SHEETS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")
_SPACE = "space.yaml"


@dataclass(frozen=True)
class Book:
    """A workbook with several sheets.

    Attributes:
        name: Of the file.
        content: Of the file.
        sheets: Names of its sheets, in order.
    """

    name: str
    content: bytes
    sheets: tuple[str, ...]

    @classmethod
    def of_file(cls, path: Path) -> Book | None:
        """The workbook in a file; None: it is none, or has one sheet."""
        if path.suffix.lower() not in WORKBOOKS:
            return None
        try:
            names = sheet_names(path)
        except ValueError:  # it is damaged, which whoever reads the table in it says
            return None
        return cls(path.name, path.read_bytes(), names) if len(names) > 1 else None

    def sheet(self, name: str) -> Spreadsheet:
        """One of its sheets.

        Raises:
            ValueError: There is none of that name, or it is no table with a header.
        """
        with _folder() as folder:
            path = folder / self.name
            path.write_bytes(self.content)
            return replace(read_sheet(path, sheet=name), path=Path(path.name))


def book_of(upload: FileStorage | None) -> Book | None:
    """The workbook that was sent, where it has several sheets; it can be read again afterwards."""
    if upload is None or Path(upload.filename or "").suffix.lower() not in WORKBOOKS:
        return None
    with _as_file(upload, _SHEETS, "an Excel workbook (.xlsx)") as path:
        upload.stream.seek(0)
        _check_archive(path)
        return Book.of_file(path)


def sheet_of(upload: FileStorage | None) -> Spreadsheet:
    """The table in a file that was sent.

    Raises:
        ValueError: None was, or it is no table with a header; names the row.
    """
    with _as_file(upload, _SHEETS, "a CSV file or an Excel workbook (.xlsx)") as path:
        _check_archive(path)
        return replace(read_sheet(path), path=Path(path.name))


def table_of(upload: FileStorage | None) -> tuple[str, dict[str, Any]]:
    """Name and content of a file that a space file names.

    Raises:
        ValueError: None was sent, or it is no table with a header.
    """
    with _as_file(upload, _SHEETS, "a CSV file or an Excel workbook (.xlsx)") as path:
        _check_archive(path)
        return path.name, parse_table(path)


def text_of(upload: FileStorage | None) -> str:
    """The text of a space file that was sent, as YAML: JSON is nearly a kind of it.

    Raises:
        ValueError: None was, or it is no text.
    """
    with _as_file(upload, (".yaml", ".yml", ".json"), "a space file, YAML or JSON") as path:
        try:
            text = path.read_text(encoding="utf-8-sig")
            # Tabs may stand between the values of JSON, and nowhere in YAML.
            return text.replace("\t", "  ") if path.suffix.lower() == ".json" else text
        except UnicodeDecodeError:
            raise ValueError(
                f"{path.name}: expected UTF-8 text, got other bytes; save it as UTF-8"
            ) from None


def campaign_of(upload: FileStorage | None) -> Campaign:
    """The campaign in a file that `Campaign.save` wrote.

    Raises:
        ValueError: None was sent, or it is no campaign.
    """
    with _as_file(upload, (".json",), "a campaign's file (.json)") as path:
        return Campaign.load(path)


def space_of(text: str, tables: Mapping[str, Any]) -> Space:
    """The space that a text describes; files that it names are among those that were sent.

    Args:
        text: YAML or JSON.
        tables: By name. No other file is opened, whatever the text says.

    Raises:
        ValueError: It is no space; says the line.
    """
    with _folder() as folder:
        path = folder / _SPACE
        path.write_text(text, encoding="utf-8")
        return read_space(path, tables=dict(tables))


@contextmanager
def _as_file(upload: FileStorage | None, endings: tuple[str, ...], what: str) -> Iterator[Path]:
    """What was sent, as a file in a folder that is gone afterwards."""
    if upload is None or not upload.filename:
        raise ValueError(f"expected {what}, got none; choose a file")
    name = _plain_name(upload.filename)
    if Path(name).suffix.lower() not in endings:
        raise ValueError(
            f"{name}: expected {what}, got a name that ends in none of {', '.join(endings)}; save "
            "it as one of these"
        )
    with _folder() as folder:
        path = folder / name
        upload.save(path)
        yield path


def _plain_name(given: str) -> str:
    """The last part of a name, without what no name of a file has."""
    last = given.replace("\\", "/").rpartition("/")[2]
    printable = "".join(each for each in last if each.isprintable() and each not in '<>:"|?*')
    stem, point, ending = printable.strip(". ").rpartition(".")
    if not point:
        return ending[:_LONGEST_NAME] or "file"
    return f"{stem[:_LONGEST_NAME] or 'file'}.{ending[:10]}"


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for a moment; messages about what is in it do not name it."""
    with tempfile.TemporaryDirectory(prefix="ombo-") as name:
        try:
            yield Path(name)
        except (ValueError, OSError) as error:
            words = str(error).replace(f"{name}/", "").replace(f"{name}\\", "")
            raise ValueError(words) from None


def _check_archive(path: Path) -> None:
    """Refuses a workbook that is small when packed, and would fill the memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError):  # no workbook, which its reader says
        return
    if size > _MOST_UNPACKED:
        raise ValueError(
            f"{path.name}: expected a workbook of at most {_MOST_UNPACKED >> 20} MiB when "
            f"unpacked, got {size >> 20:,} MiB; save the one sheet as CSV"
        )
