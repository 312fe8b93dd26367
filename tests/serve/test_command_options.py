"""`ombo serve` takes what `ombo check`, `ombo suggest` and `ombo advise` take, and shows it."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.cli import advise, check, main, suggest
from ombo_agents.cli.serve import Args, workspace_of
from tests.campaigns.sheets import write
from tests.serve.visitor import SPACE, Visitor, app_of

SHEET = """\
Solvent,T (°C),time (h),yield (%),batch,lap,price
DMF,60,2,12.5,A,1,3
DMF,60,2,14,A,1,3
THF,80,4,35.1,B,2,4
THF,100,1,n.d.,B,2,4
DMF,40,8,later,B,2,1
"""


def args_of(folder: Path, **flags: Any) -> Args:
    """A sheet with its space, and more flags."""
    files = {"screen": write(folder, "s.csv", SHEET), "space": write(folder, "s.yaml", SPACE)}
    return Args(**{**files, "target": "yield", "failed": ("n.d.",), "pending": ("later",), **flags})


def served(args: Args) -> Visitor:
    return Visitor(app_of(first=workspace_of(args).copy))


@pytest.mark.parametrize("command", [check, suggest, advise])
def test_every_option_of_the_other_commands_is_one_of_the_page(command: Any) -> None:
    here = {each.name for each in fields(Args)}
    assert {each.name for each in fields(command.Args)} - here <= {
        "out",
        "if_last",
    }  # files that are written


def test_options_about_the_sheet_are_the_fields_of_columns(tmp_path: Path) -> None:
    visitor = served(
        args_of(
            tmp_path,
            minimise=True,
            failed_value=99.0,
            origin="percentile:40",
            block="batch",
            round_column="lap",
            cost="price",
        )
    )
    shown = visitor.fields()
    assert (shown["failed"], shown["pending"], shown["failed_value"]) == ("n.d.", "later", "99")
    assert (shown["origin"], shown["percentile"], shown["goal-3"]) == ("percentile", "40", "min")
    assert [shown[f"role-{i}"] for i in (3, 4, 5, 6)] == ["target", "block", "round", "cost"]
    assert "3 measured, 1 failed, 1 pending" in visitor.get("/columns").text


def test_options_about_plates_and_advice_are_their_fields(tmp_path: Path) -> None:
    visitor = served(
        args_of(
            tmp_path,
            plates="8,4",
            policy="ucb",
            seed=3,
            repeats=True,
            layout=24,
            worth=2.5,
            policies="ucb,random",
            simulations=20,
        )
    )
    page = visitor.get("/plate").text
    assert 'value="8, 4"' in page and 'value="3"' in page
    assert '<option value="24" selected>' in page and "<option selected>ucb</option>" in page
    assert 'id="repeats" name="repeats" type="checkbox" value="yes" checked' in page
    page = visitor.get("/advice").text
    for value in ("8, 4", "2.5", "ucb,random", "20", "3"):
        assert f'value="{value}"' in page, value


def test_filled_plates_are_there_and_plates_left_stay_as_given(tmp_path: Path) -> None:
    told = write(tmp_path, "p.csv", "Solvent,T,time,yield\nDMF,30,1,50\nTHF,35,2,n.d.\n")
    visitor = served(args_of(tmp_path, filled=(told,), plates="8,4"))
    assert "2 results added, 1 failed, best now 50" in visitor.get("/columns").text
    assert 'value="8, 4"' in visitor.get("/plate").text


def test_a_campaigns_file_will_do(tmp_path: Path) -> None:
    args = args_of(tmp_path)
    campaign = Campaign.from_csv(
        args.screen, args.space, target="yield", failed=["n.d."], pending=["later"]
    )
    campaign.save(tmp_path / "c.json")
    visitor = served(Args(screen=tmp_path / "c.json", plates="3"))
    assert visitor.workspace.campaign is not None
    assert visitor.workspace.campaign.check() == campaign.check()
    with pytest.raises(ValueError, match=r"--target: "):
        workspace_of(Args(screen=tmp_path / "c.json", target="time"))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"target": None}, "expected --target beside --failed, --pending"),
        ({"screen": None}, "expected a spreadsheet beside --space, --target, --failed, --pending"),
        ({"block": "bach"}, "expected a column for --block 'bach'"),
        ({"round_column": "q"}, "expected a column for --round-column 'q'"),
        ({"origin": "guess"}, "origin: "),
        ({"failed": ("later",)}, "in both"),
        ({"layout": 25}, r"--layout: expected one of \[24, 48, 96, 384\] wells, got 25"),
        ({"policy": "ubc"}, "--policy: expected auto or a name that `ombo list` knows, got 'ubc'"),
        ({"seed": -1}, "--seed: expected a whole number of at least 0, got -1"),
        ({"space": None, "past": Path("old")}, "expected --space beside --past"),
        ({"space": None, "filled": (Path("p.csv"),)}, "--space and --target beside --filled"),
        ({"failed": (), "filled": (Path("p.csv"),)}, "--filled: expected a sheet that can be read"),
    ],
)
def test_flags_that_cannot_be_meant(tmp_path: Path, flags: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        workspace_of(args_of(tmp_path, **flags))


@pytest.mark.parametrize("command", ["serve", "suggest"])
def test_a_flag_that_there_is_not_is_no_misplaced_one(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ombo", command, "s.csv", "--pendin", "later"])
    with pytest.raises(SystemExit, match="2"):
        main.main()
    printed = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "Unrecognized options: --pendin" in printed and "--pending [STR" in printed
    assert "misplaced" not in printed and "ordering" not in printed
    assert f"ombo {command} --help" in printed
