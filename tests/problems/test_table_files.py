"""Files that are no CSV tables: one clear line, and nothing hangs."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import gymnasium as gym
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from ombo_gym.problems.own.table import Table
from ombo_gym.spreadsheets import file_text

TEXT = "T,Lösung,y\n1,a,2\n2,b,3\n"


def refusal(path: Path | str, **arguments: Any) -> str:
    """The message of what refuses a file: it has one line and the path."""
    with pytest.raises(ValueError) as error:
        gym.make("Ombo/Table-v0", csv=str(path), **arguments)
    message = str(error.value)
    assert message.startswith(f"csv: {path}") or f" {path}" in message
    assert "\n" not in message and len(message) < 400
    return message


def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe.csv"
    os.mkfifo(fifo)
    outcome: list[str] = []
    thread = threading.Thread(target=lambda: outcome.append(refusal(fifo)), daemon=True)
    thread.start()
    thread.join(timeout=20)
    assert outcome and "expected a file, got the pipe" in outcome[0]
    assert "got the folder" in refusal(tmp_path)
    assert "got the device" in refusal("/dev/zero")


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{one}.csv").symlink_to(tmp_path / f"{other}.csv")
    assert "cannot be read (Too many levels of symbolic links)" in refusal(tmp_path / "a.csv")


def test_a_link_that_leads_nowhere_is_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError, match=r"csv: expected a file, there is no .*a\.csv"):
        Table(csv=str(tmp_path / "a.csv"))


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "I/O")])
def test_a_file_that_cannot_be_read_is_refused(
    error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(TEXT)

    def refuse(path: Path) -> bytes:
        raise error

    monkeypatch.setattr(file_text, "_read", refuse)
    assert f"cannot be read ({error.strerror})" in refusal(path)


def test_a_path_that_leads_through_a_file_or_is_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(TEXT)
    assert "cannot be read (Not a directory)" in refusal(tmp_path / "mine.csv" / "more.csv")
    with pytest.raises(ValueError, match="cannot be read"):
        Table(csv=str(tmp_path / ("x" * 300)))
    with pytest.raises(ValueError, match="csv: expected the path of a file, got 'a"):
        Table(csv="a\0b")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_mark_are_read(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(TEXT.encode(encoding))
    assert Table(csv=str(path)).row(1) == {"T": 2, "Lösung": "b"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "is empty: expected a header and rows", id="empty"),
        pytest.param(b"\xef\xbb\xbf", "is empty", id="only a mark"),
        pytest.param(b" \r\n\t\n", "is empty", id="only blanks"),
        pytest.param(TEXT.encode("latin-1"), "line 1: the file is not UTF-8 text", id="latin-1"),
        pytest.param(
            b"\xef\xbb\xbfT,y\n1,2\n\xb5,3\n",
            "line 3: the file is not UTF-8 text",
            id="mark, latin",
        ),
        pytest.param("T,y\n1,2\n".encode("utf-16-le"), "as UTF-16 has without", id="UTF-16, bare"),
        pytest.param(b"\xff\xfeT\x00,", "line 1: the file is not UTF-16 text", id="cut UTF-16"),
        pytest.param(
            b"T,y\n1,2\n3\x00,3\n4,4\n",
            "row 3, column 'T': expected text, got a NUL byte",
            id="NUL",
        ),
        pytest.param(b"PK\x03\x04....", "is no text but an Excel workbook", id="xlsx"),
        pytest.param(b"\x1f\x8b\x08\x00\xff", "is no text but compressed by gzip", id="gzip"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00", "line 1: the file is not UTF-8 text", id="png"),
        pytest.param(b"1,2\n3,4\n5,6\n", "row 1: expected names of columns, got", id="no header"),
        pytest.param(b'T,y\n1,2\n"3,3\n', "row 3: unexpected end of data; look for a", id="quote"),
        pytest.param(b'T\ty\n1\t2\n"3"4\t5\n', r"row 3: '\t' expected after", id="quote, tab"),
    ],
)
def test_what_is_no_csv_text_is_refused_with_what_to_do(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    assert message in refusal(path)


def test_a_huge_file_is_refused_before_its_cells_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.csv"
    with path.open("wb") as file:
        file.truncate(2**20 + 1)
    monkeypatch.setattr(file_text, "_LARGEST_FILE", 2**20)
    assert "expected a file of at most 1 MiB" in refusal(path)


def test_long_cells_are_cut_in_messages(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text('T,y\n1,1\n2,2\n"' + "x\n" * 5000 + '",3\n')
    assert "row 4, column 'T': expected a number, got 'x\\nx\\n" in refusal(path)


def test_a_wide_file_is_cut_by_the_delimiter_that_it_has(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    names = [f"feature_{i:05d}" for i in range(12_000)]
    rows = [",".join([str(row)] * 12_001) for row in (1, 2)]
    path.write_text("\n".join([",".join([*names, "y"]), *rows]) + "\n")
    assert len(Table(csv=str(path), designs=names[:2]).columns) == 2


def check_bytes(content: bytes, folder: Path) -> None:
    """A table, or one line that says why it is none."""
    path = folder / "any.csv"
    path.write_bytes(content)
    try:
        Table(csv=str(path), pending=["", "x"])
    except ValueError as error:
        message = str(error)
        assert message.isprintable() and "any.csv" in message and len(message) < 1500


PIECES = st.sampled_from([
    b",", b";", b"\n", b"\r\n", b'"', b"y", b"T", b"1", b"2.5", b"3,5", b"\xe2\x88\x921", b"\x00",
    b"\xff\xfe", b"\xef\xbb\xbf", b"nan", b"<1", b"5 mM", b" ", b"\t", b"|", b"sep=;\n", b"\xb0",
    b"T,y\n1,2\n2,3\n", b"a;b;c\n1;x;2\n", b"1e999", b"--", b"'", b"\r", b"\xc2\xa0", b"x,y,z\n",
])  # fmt: skip
CONTENTS = st.one_of(
    st.binary(max_size=200),
    st.lists(PIECES, max_size=60).map(b"".join),
    st.tuples(st.just(b"T,y\n1,2\n"), st.lists(PIECES, max_size=30).map(b"".join)).map(b"".join),
)
FUZZ = {"suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=150, derandomize=True, **FUZZ)
@given(content=CONTENTS)
@pytest.mark.filterwarnings("ignore")
def test_any_bytes_are_a_table_or_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    check_bytes(content, tmp_path)


@pytest.mark.slow
@settings(max_examples=10_000, **FUZZ)
@given(content=CONTENTS)
@pytest.mark.filterwarnings("ignore")
def test_10000_byte_strings_are_tables_or_refused_in_one_line(
    content: bytes, tmp_path: Path
) -> None:
    check_bytes(content, tmp_path)
