"""CSV files as Excel writes them on Windows, in the code page 1252."""

from __future__ import annotations

from pathlib import Path

import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.files.sheets import read_sheet

SHEET = (
    "Lösungsmittel;Temp. [°C];Pd (µmol);Ausbeute [%];Größe\r\n"
    "THF;60;12,5;33,3;à 5 mL „neu“\r\nDMF;80;5;<0,5;\r\nTHF;70;5;41;\r\n"
)
SPACE = {
    "Lösungsmittel": ["THF", "DMF"],
    "Temp.": {"range": [40, 110], "step": 10, "unit": "°C"},
    "Pd": {"levels": [5, 12.5], "unit": "µmol"},
}


def test_a_sheet_of_a_western_excel_is_read_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "screen.csv"
    path.write_bytes(SHEET.encode("cp1252"))
    campaign = Campaign.from_csv(path, SPACE, target="Ausbeute")
    assert campaign.rows.columns["Pd"].tolist() == [12.5, 5, 5]
    report = str(campaign.check())
    assert "read as Windows text, since it is not UTF-8: 'Lösungsmittel'" in report
    path.write_text(SHEET, encoding="utf-8")
    as_utf8 = Campaign.from_csv(path, SPACE, target="Ausbeute")
    assert "Windows" not in str(as_utf8.check())
    assert campaign.observation([2])["measurements"].tolist() == (
        as_utf8.observation([2])["measurements"].tolist()
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("Температура,y\n1,2\n".encode("cp1251"), id="Cyrillic"),
        pytest.param("温度,y\n1,2\n".encode("gbk"), id="Chinese"),
        pytest.param("温度,y\n1,2\n".encode("shift-jis"), id="Japanese"),
        pytest.param("Größe (°C),y\n1,2\n".encode("mac-roman"), id="Macintosh"),
        pytest.param("T (°C),y,\n1,2,\n".encode() + b"3,4,\xe9\n", id="damaged UTF-8"),
        pytest.param(b"T,y\n1\xff,2\n\x00\x01,3\n", id="no text"),
    ],
)
def test_what_may_be_in_another_code_page_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "screen.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'screen.csv, line \d: the file is not UTF-8 .*"CSV UTF'):
        read_sheet(path)
