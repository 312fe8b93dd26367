"""300 damaged files in ten kinds: one line with the place and a remedy; nothing is written."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ombo_agents.cli import check
from ombo_agents.cli.arguments import report_errors
from ombo_agents.cli.suggest import Args, main

SHEET = """\
run,temperature (°C),solvent,time,yield (%)
1,60,DMF,2,12.5
2,80,THF,4,35.1
3,100,DMF,1,41
4,80,DMF,8,failed
5,40,THF,3,
6,120,DMF,2,28
"""
SPACE = """\
parameters:
  temperature: {range: [20, 140], step: 5, unit: °C}
  solvent: [DMF, THF]
  time: {range: [0.5, 24], scale: log}
constraints:
  - temperature <= 80 if solvent == "THF"
shared: [temperature]
"""
Files = tuple[str, bytes, str, bytes]  # names and contents of the sheet and of the space file

PER_KIND = 30


def files(sheet: str | bytes = SHEET, space: str | bytes = SPACE) -> Files:
    as_bytes = [each.encode() if isinstance(each, str) else each for each in (sheet, space)]
    return "screen.csv", as_bytes[0], "space.yaml", as_bytes[1]


def line_changed(text: str, row: int, change: Callable[[str], str]) -> str:
    lines = text.splitlines()
    lines[row] = change(lines[row])
    return "\n".join(lines) + "\n"


def cell_changed(row: int, column: int, cell: str) -> str:
    def change(line: str) -> str:
        cells = line.split(",")
        cells[column] = cell
        return ",".join(cells)

    return line_changed(SHEET, row, change)


def header_changed(column: int, name: str) -> str:
    def change(line: str) -> str:
        return ",".join(name if i == column else each for i, each in enumerate(line.split(",")))

    return line_changed(SHEET, 0, change)


JUNK = st.sampled_from(["hot", "60-80 °C", "1.2.3", "??", "1,234.5.6", "sixty", "--"])
ROWS = st.integers(1, 6)
TIME, RULE = "time: {range: [0.5, 24], scale: log}", 'temperature <= 80 if solvent == "THF"'
PARAMETERS = """\
{range: [24, 0.5]}
{range: [0, 24], scale: log}
{range: [1, 2, 3]}
{rnge: [1, 2]}
{range: [0, 24], step: 7}
{integer: [0.5, 2]}
[]
{levels: [1, 1]}
{}
{range: [0, .inf]}
{choices: [a, a]}
{alphabet: A, length: 3}
[1, [2]]
{mixture: [a]}
{candidates: nowhere.csv}
{range: 5}
{range: [a, b]}
5
{range: [0, 24], unit: 7}
{alphabet: ACGT}
{range: [0, 24], stp: 1}
""".splitlines()
RULES = """\
temp <= 80
solvent == 'water'
temperature == 'hot'
80
[]
temperature <
import os
solvent < 3
temperature <= 1e3 <
~
lambda: 0
time.real > 1
temperature <= 2 ** 9
{a: b}
'1 < 2'
""".splitlines()
OF_OTHER_KINDS = [
    b"",
    b"\n\n",
    b"PK\x03\x04" + b"x" * 40,
    b"%PDF-1.4",
    b"a\n",
    b"1,2\n3,4\n",
    b"{}",
]
NO_SPACES = [b"", b"# nothing\n", b"- 1\n- 2\n", b"42", b"{}", b"\x00\x01"]
LAST_LINES = ["shared: [time]", "parameters: {x: [1, 2]}", "a: *b", "x: !!set {y}"]


def with_bytes(text: str, junk: bytes, at: int) -> bytes:
    content = text.encode()
    return content[:at] + junk + b"\xff\xfe\x80" + content[at:]


KINDS: dict[str, st.SearchStrategy[Files]] = {
    "bytes that are no text in the sheet": st.builds(
        lambda junk, at: files(with_bytes(SHEET, junk, at)),
        st.binary(max_size=40),
        st.integers(5, 200),
    ),
    "bytes that are no text in the space file": st.builds(
        lambda junk, at: files(space=with_bytes(SPACE, junk, at)),
        st.binary(max_size=40),
        st.integers(5, 150),
    ),
    "a number that is none": st.builds(
        lambda row, column, cell: files(cell_changed(row, column, cell)),
        ROWS,
        st.sampled_from([1, 3]),
        JUNK | st.sampled_from(["", "NaN", "#REF!"]),
    ),
    "a result that is none": st.builds(
        lambda row, cell: files(cell_changed(row, 4, cell)), ROWS, JUNK
    ),
    "rows that are longer than the header": st.builds(
        lambda row, more: files(line_changed(SHEET, row, lambda line: line + "," + ",".join(more))),
        ROWS,
        st.lists(st.text("abc123", min_size=1, max_size=5), min_size=1, max_size=4),
    ),
    "columns that are missing, nameless or there twice": st.builds(
        lambda column, name: files(header_changed(column, name)),
        st.integers(1, 4),
        st.sampled_from(["", "run", "something else", "x (kg)"]),
    ),
    "YAML that is cut or has a key twice": st.one_of(
        st.integers(20, 100).map(lambda at: files(space=SPACE[:at] + " [1, {2: ")),
        st.sampled_from(LAST_LINES).map(lambda line: files(space=f"{SPACE}{line}\n")),
    ),
    "parameters that cannot be": st.sampled_from(PARAMETERS).map(
        lambda written: files(space=SPACE.replace(TIME, f"time: {written}"))
    ),
    "constraints that mean nothing": st.one_of(
        st.sampled_from(RULES),
        st.text("abcxyz()<>=+*", min_size=1, max_size=12).map(lambda text: f"'{text}'"),
    ).map(lambda rule: files(space=SPACE.replace(RULE, rule))),
    "files of another kind": st.one_of(
        st.sampled_from(OF_OTHER_KINDS).map(files),
        st.sampled_from(NO_SPACES).map(lambda content: files(space=content)),
        st.binary(max_size=60).map(
            lambda junk: ("screen.xlsx", b"PK\x03\x04" + junk, *files()[2:])
        ),
        st.text('{}[]:,"ab1', max_size=20).map(
            lambda text: (*files()[:2], "space.json", b"[" + text.encode())
        ),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_refused_in_one_line(kind: str) -> None:
    @settings(
        max_examples=PER_KIND,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(KINDS[kind])
    def refused(found: Files) -> None:
        sheet, sheet_content, space, space_content = found
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / sheet).write_bytes(sheet_content)
            (folder / space).write_bytes(space_content)
            args = Args(
                folder / sheet,
                folder / space,
                "yield",
                maximise=True,
                failed=("failed",),
                plates="4,4",
                policy="random",
                out=folder / "plate.csv",
            )
            for run in (main, check.main):
                with pytest.raises(SystemExit) as stopped, report_errors():
                    run(args)
                said = str(stopped.value)
                assert said.startswith("error: ") and "\n" not in said and len(said) < 1500
                assert sheet in said or space in said, said
                remedy = r"; |: rename one|: name it|: expected (a|text|names of columns)"
                assert re.search(remedy, said), said
            assert sorted(path.name for path in folder.iterdir()) == sorted([sheet, space])
            assert (folder / sheet).read_bytes() == sheet_content

    refused()


def test_the_files_are_fine_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "screen.csv").write_text(SHEET, encoding="utf-8")
    (tmp_path / "space.yaml").write_text(SPACE, encoding="utf-8")
    args = Args(
        tmp_path / "screen.csv",
        tmp_path / "space.yaml",
        "yield",
        maximise=True,
        failed=("failed",),
        plates="4,4",
        policy="random",
        out=tmp_path / "plate.csv",
    )
    main(args)
    assert (tmp_path / "plate.csv").read_text(encoding="utf-8-sig").count("\n") == 5
