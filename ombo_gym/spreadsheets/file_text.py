"""The text of a user's file: what is no such file is refused in one line, and nothing hangs."""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import stat
from pathlib import Path

_LARGEST_FILE = 2**28  # bytes; the cells of a larger one take several times as much memory
_PART = 2**20  # bytes that are read at once
_ENCODINGS = (  # by the mark that a file begins with, the longer marks first
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_FORMATS = (  # that are no text, by what a file begins with
    (b"PK\x03\x04", "an Excel workbook or another zip archive"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old format"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF document"),
)
_KINDS = (
    (stat.S_ISDIR, "folder"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)
_REMEDY = 'save it as "CSV UTF-8"'
_WINDOWS = "cp1252"  # what Excel writes as plain CSV in Western Europe and the Americas
_NOT_WESTERN = re.compile(  # no text, another code page, or UTF-8 that is damaged
    rb"[^\t\r\n -~\x80\x82\x84\x85\x89\x91-\x94\x96\x97\xa0\xa7\xab\xb0-\xb3\xb5\xb7\xbb-\xbe"
    rb"\xc0-\xff]"  # letters, quotes, dashes and signs of units
    rb"|[\x80-\xff]{3}|[\xc2-\xdf][\x80-\xbf]"
)


def read_text(path: Path, *, windows: bool = False) -> tuple[str, str, bool]:
    """The text of a CSV file, the fingerprint of its content, and whether it is Windows text.

    UTF-8, or UTF-16 and UTF-32 where the file begins with their byte order mark.

    Args:
        path: Of the file.
        windows: Whether text of the code page 1252 is read, too, where it looks like a Western
            language.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no regular file, cannot be read, is larger than 256 MiB or no such text.
    """
    content = _content(path)
    for start, found in _FORMATS:
        if content.startswith(start):
            raise ValueError(f"csv: {path} is no text but {found}; {_REMEDY}")
    encoding = next((name for mark, name in _ENCODINGS if content.startswith(mark)), "utf-8")
    fingerprint = hashlib.sha256(content).hexdigest()
    try:
        return content.decode(encoding), fingerprint, False
    except UnicodeDecodeError as error:
        if windows and encoding == "utf-8" and (text := _windows_text(content)) is not None:
            return text, fingerprint, True
        line = error.object.count(b"\n", 0, error.start) + 1
        name = "UTF-8" if encoding.startswith("utf-8") else encoding.upper()
        raise ValueError(
            f"csv: {path}, line {line}: the file is not {name} text ({error.reason}); {_REMEDY}"
        ) from None


def _windows_text(content: bytes) -> str | None:
    """What the bytes are in the code page 1252; None: they seem to be something else."""
    return None if _NOT_WESTERN.search(content) else content.decode(_WINDOWS)


def _content(path: Path) -> bytes:
    """The bytes of a regular file that is not too large."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "thing")
            content = None
        else:
            content = _read(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"csv: expected a file, there is no {path}") from None
    except OSError as error:
        raise ValueError(
            f"csv: {path} cannot be read ({error.strerror or error}); give the path of a CSV file "
            "that you may read"
        ) from None
    if content is None:
        raise ValueError(f"csv: expected a file, got the {kind} {path}; save the table as a file")
    if len(content) > _LARGEST_FILE:
        raise ValueError(
            f"csv: expected a file of at most {_LARGEST_FILE >> 20} MiB, {path} is larger; leave "
            "out rows, or columns that are not used"
        )
    return content


def _read(path: Path) -> bytes:
    """Bytes of what was a regular file a moment ago, not many more than the largest file has."""
    # Should it be a pipe by now, opening it does not wait for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    content = bytearray()
    with os.fdopen(os.open(path, flags), "rb") as file:
        while len(content) <= _LARGEST_FILE and (part := file.read(_PART)):
            content += part
    return bytes(content)
