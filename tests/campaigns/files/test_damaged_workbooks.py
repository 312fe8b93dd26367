"""A damaged workbook is refused in one sentence, whatever its readers make of it."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest

from ombo_agents.campaigns.files.sheets import read_sheet
from tests.campaigns.sheets import workbook_bytes


@pytest.fixture(scope="module")
def sound() -> bytes:
    rows = [["T", "solvent", "y"], [20, "DMF", 1.5], [30, "THF", 2]]
    return workbook_bytes({"Sheet": rows})


def damaged(sound: bytes, rng: random.Random) -> bytes:
    """The workbook with bytes changed, in the archive or in one file of it."""
    if rng.random() < 0.5:
        content = bytearray(sound)
        for _ in range(rng.randint(1, 8)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        return bytes(content)
    with zipfile.ZipFile(io.BytesIO(sound)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(sorted(files))
    text = bytearray(files.pop(name))
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(text))
        text[place : place + rng.randint(0, 30)] = bytes([rng.randrange(256)])
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        for each, content in files.items():
            archive.writestr(each, content)
        if rng.random() < 0.9:
            archive.writestr(name, bytes(text))
    return found.getvalue()


def test_it_is_read_or_refused(sound: bytes, tmp_path: Path) -> None:
    rng, path, refused = random.Random(0), tmp_path / "s.xlsx", 0
    for _ in range(60):
        path.write_bytes(damaged(sound, rng))
        try:
            read_sheet(path)
        except ValueError as error:
            refused += 1
            assert str(path) in str(error) and "\n" not in str(error)
    assert refused > 15
