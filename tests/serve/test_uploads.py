"""Files that are sent: read as what they have to be, kept under no name of the visitor's."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from werkzeug.datastructures import FileStorage

from ombo_agents.serve.workspace import uploads
from tests.campaigns.sheets import workbook_bytes


def upload(name: str, content: str | bytes = "a,b\n1,2\n") -> FileStorage:
    data = content.encode() if isinstance(content, str) else content
    return FileStorage(io.BytesIO(data), filename=name)


@pytest.mark.parametrize("name", ["screen.csv", "Screen.TSV", "µ 反应.csv", "a.b.csv"])
def test_a_sheet_has_the_name_that_it_was_sent_with(name: str) -> None:
    sheet = uploads.sheet_of(upload(name))
    assert str(sheet.path) == name
    assert sheet.header == ["a", "b"]


def test_a_workbook_is_read_like_a_csv_file() -> None:
    sheet = uploads.sheet_of(upload("s.xlsx", workbook_bytes({"Sheet": [["a", "b"], [1, 2.5]]})))
    assert (sheet.header, sheet.rows) == (["a", "b"], [["1", "2.5"]])


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("/etc/cron.d/x.csv", "x.csv"),
        ("C:\\Users\\me\\s.csv", "s.csv"),
        ("..\\..\\s.csv", "s.csv"),
        ("a\0b\n.csv", "ab.csv"),
        ('<img src="x">.csv', "img src=x.csv"),
        (".csv", "csv"),
    ],
)
def test_a_name_leads_nowhere_else(given: str, plain: str) -> None:
    assert uploads._plain_name(given) == plain


def test_a_long_name_is_cut() -> None:
    assert len(uploads._plain_name("x" * 5000 + ".csv")) < 100


@pytest.mark.parametrize("read", [uploads.sheet_of, uploads.table_of])
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("s.csv", "", "s.csv is empty"),
        ("s.csv", "a,b\n1,2,3\n", "s.csv, row 2: expected 2 cells"),
        ("s.xlsx", "no workbook", "s.xlsx: expected an Excel workbook"),
        ("s.xls", "old", "s.xls: expected a CSV file or an Excel workbook"),
        ("s.exe", "MZ", "s.exe: expected a CSV file or an Excel workbook"),
        ("s", "a,b\n1,2\n", "s: expected a CSV file or an Excel workbook"),
    ],
)
def test_what_is_no_table_is_refused_without_the_name_of_a_folder(
    read: object, name: str, content: str, words: str
) -> None:
    with pytest.raises(ValueError) as refused:
        read(upload(name, content))  # type: ignore[operator]
    assert words in str(refused.value)
    assert "ombo-" not in str(refused.value) and "/" not in str(refused.value)


@pytest.mark.parametrize("given", [None, upload("")])
def test_no_file_is_refused(given: FileStorage | None) -> None:
    with pytest.raises(ValueError, match="got none; choose a file"):
        uploads.sheet_of(given)


def test_a_workbook_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_MOST_UNPACKED", 2**20)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 2**22)
    assert len(content.getvalue()) < 2**14
    for name in ("s.xlsx", "s.csv"):
        with pytest.raises(ValueError, match="at most 1 MiB when unpacked, got 4 MiB"):
            uploads.sheet_of(upload(name, content.getvalue()))


def test_a_space_names_files_that_were_sent_and_no_others(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("name,x\npassword,1\nother,2\n")
    for name in (str(secret), "secret.csv", "/etc/passwd", "../secret.csv"):
        with pytest.raises(ValueError) as refused:
            uploads.space_of(f"candidates: {name}\n", {})
        assert "which is not there" in str(refused.value)
        assert "password" not in str(refused.value)
    name, table = uploads.table_of(upload("secret.csv", secret.read_text()))
    assert uploads.space_of("candidates: secret.csv\n", {name: table}).size == 2


def test_a_mistake_of_a_space_names_its_line() -> None:
    with pytest.raises(ValueError, match=r"^space\.yaml, line 2: 't': "):
        uploads.space_of("s: [a, b]\nt: {range: [5]}\n", {})


def test_a_campaign_that_is_none_is_refused() -> None:
    for content in ("{}", "[1]", "nonsense", '{"format": "ombo campaign", "version": 1}'):
        with pytest.raises(ValueError, match=r"^c\.json: expected"):
            uploads.campaign_of(upload("c.json", content))
