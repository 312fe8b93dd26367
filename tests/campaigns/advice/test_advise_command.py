"""`ombo advise`: one page of text, the same for the same files and flags, or one line of error."""

from __future__ import annotations

from pathlib import Path

import pytest

from ombo_agents.campaigns import Campaign
from tests.campaigns.sheets import REACTION_SPACE, write
from tests.campaigns.test_commands import ombo

SHEET = "screen.csv --space space.yaml --target yield --maximise"
QUICK = "--plates 3,2 --policies random --simulations 4"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    solvents, ligands = ["DMF", "THF", "dioxane"], ["XPhos", "SPhos"]
    rows = [
        f"{solvents[i % 3]},{ligands[i % 2]},{40 + 5 * i},{1 + i},{[1, 1.5, 2][i % 3]},{20 + i}"
        for i in range(12)
    ]
    head = "solvent,ligand,temperature,time,equivalents,yield (%)"
    write(tmp_path, "screen.csv", "\n".join([head, *rows]) + "\n")
    write(tmp_path, "space.yaml", REACTION_SPACE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ombo_agents.campaigns.space.encoding.SAMPLED", 300)
    return tmp_path


def test_it_prints_a_page_and_keeps_a_campaign_where_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = []
    for out in ("", "--out campaign.json"):
        assert not (folder / "campaign.json").exists()
        ombo(monkeypatch, f"advise {SHEET} {QUICK} --worth 5 {out}")
        pages.append(capsys.readouterr().out)
    assert pages[0] == pages[1]
    for words in (
        "screen.csv: 12 rows, 12 measured",
        "plates to come: 3, 2; 12 rows known",
        "follow: ",
        "the model of these data:",
        "final yield (%), maximised (utility best), expected",
        "better by 5 or more",
        "one more plate",
        "stopping now",
    ):
        assert words in pages[0]
    (advice,) = Campaign.load(folder / "campaign.json").advice
    assert f"follow: {advice['policy']}" in pages[0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"advise {SHEET.removesuffix(' --maximise')}", "expected --maximise or --minimise"),
        (f"advise {SHEET} --plates 4;4", "--plates: expected whole numbers"),
        (f"advise {SHEET} --worth -5", "worth: expected a positive number"),
        (f"advise {SHEET} --policies best", "policy: expected one of"),
        (f"advise {SHEET} --simulations 0", "simulations: expected"),
        (f"advise {SHEET} {QUICK} --out screen.csv", "give another name|expected a campaign"),
    ],
)
def test_a_mistake_ends_in_one_line_and_writes_nothing(
    line: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (folder / "screen.csv").read_bytes()
    with pytest.raises(SystemExit, match=words) as stopped:
        ombo(monkeypatch, line)
    assert "\n" not in str(stopped.value)
    assert sorted(path.name for path in folder.iterdir()) == ["screen.csv", "space.yaml"]
    assert (folder / "screen.csv").read_bytes() == before
