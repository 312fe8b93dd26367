"""`ombo serve`: its flags, and what it refuses before it listens."""

from __future__ import annotations

import json
import re
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from ombo_agents.cli.serve import Args, main, workspace_of
from ombo_agents.serve import server
from ombo_agents.serve.workspace.workspaces import Workspace
from tests import commands
from tests.campaigns.sheets import write
from tests.serve.visitor import SHEET, SPACE, Visitor, app_of


@pytest.fixture
def listened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would be served."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(
        server, "serve", lambda first, **settings: found.append({"first": first, **settings})
    )
    return found


def test_it_listens_on_this_machine_alone_and_opens_nothing(listened: list[Any]) -> None:
    main(Args())
    (found,) = listened
    assert (found["host"], found["port"]) == ("127.0.0.1", 8765)
    assert (found["allow_remote"], found["opens"]) == (False, False)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7"])
def test_another_address_needs_the_flag(listened: list[Any], host: str) -> None:
    with pytest.raises(ValueError, match=r"^--host: expected an address of this machine .*--allow"):
        main(Args(host=host))
    assert listened == []
    main(Args(host=host, allow_remote=True))
    assert listened[0]["allow_remote"]


def test_files_and_flags_are_what_a_visitor_begins_with(tmp_path: Path, listened: Any) -> None:
    args = Args(
        screen=write(tmp_path, "screen.csv", SHEET),
        space=write(tmp_path, "space.yaml", SPACE),
        target="yield",
        minimise=True,
        failed=("n.d.",),
        plates="8,4",
    )
    main(args)
    app = app_of(first=listened[0]["first"])
    visitor = Visitor(app)
    assert "the target, minimised: 5 measured" in visitor.get("/columns").text
    page = visitor.get("/plate").text
    assert 'value="8, 4"' in page
    visitor.post("/anew")
    assert "screen.csv" in visitor.get("/").text  # as it began, not as it was left


def test_what_one_visitor_does_another_does_not_see(tmp_path: Path) -> None:
    args = Args(
        screen=write(tmp_path, "screen.csv", SHEET),
        space=write(tmp_path, "space.yaml", SPACE),
        target="yield",
        failed=("n.d.",),
    )
    app = app_of(first=workspace_of(args).copy)
    first, second = Visitor(app), Visitor(app)
    told = "Solvent,T,time,yield\nDMF,30,1,50\n"
    assert first.post("/tell", results=("p.csv", told)).status_code == 303
    first.post("/suggest", plates="3")
    assert len(first.workspace.sheets) == 2 and first.workspace.plate is not None
    assert second.workspace.campaign is not None
    assert len(second.workspace.campaign.sheets) == 1 and second.workspace.plate is None


def test_what_is_wrong_with_cells_is_said_on_the_page(tmp_path: Path) -> None:
    sheet = write(tmp_path, "s.csv", SHEET)
    args = Args(screen=sheet, space=write(tmp_path, "space.yaml", SPACE), target="yield")
    visitor = Visitor(app_of(first=workspace_of(args).copy))
    assert visitor.get("/plate").location == "/columns"
    assert "row 6, column &#39;yield (%)&#39;" in visitor.get("/columns").text


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"maximise": True, "minimise": True}, "got both"),
        ({"target": "yield"}, "expected a spreadsheet beside"),
        ({"screen": "nowhere.csv"}, "nowhere.csv"),
        ({"screen": "screen.csv", "target": "gain"}, "expected a column for the target 'gain'"),
        ({"screen": "screen.csv", "space": "bad.yaml"}, "bad.yaml, line 1"),
        ({"screen": "screen.csv", "plates": "24,x"}, "--plates: expected whole numbers"),
        ({"port": -1}, "--port: expected a number from 0 to 65535, got -1"),
    ],
)
def test_flags_that_cannot_be_meant(
    tmp_path: Path, listened: list[Any], flags: dict[str, Any], words: str
) -> None:
    write(tmp_path, "screen.csv", SHEET)
    write(tmp_path, "bad.yaml", "t: {range: [5]}\n")
    given = {
        name: tmp_path / each if name in ("screen", "space") else each
        for name, each in flags.items()
    }
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        main(Args(**given))
    assert listened == []


def test_addresses_as_a_browser_takes_them() -> None:
    assert server.address_of("127.0.0.1", 80) == "http://127.0.0.1:80/"
    assert server.address_of("::1", 8765) == "http://[::1]:8765/"
    assert server.address_of("0.0.0.0", 8765) == "http://localhost:8765/"


def test_a_port_that_is_taken_is_a_sentence() -> None:
    with server._listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"cannot listen on http://127.0.0.1:{port}/"):
            server.serve(Workspace, host="127.0.0.1", port=port)


@pytest.mark.slow  # a process that imports everything
def test_it_prints_its_address_and_ends_quietly_on_ctrl_c(tmp_path: Path) -> None:
    process = commands.start("serve", "--port", "0", cwd=commands.ROOT)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        with urllib.request.urlopen(f"{address}progress", timeout=60) as answer:
            assert json.load(answer)["state"] == "none"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[1] == ""
    finally:
        process.kill()


@pytest.mark.slow
def test_a_refusal_is_one_line(tmp_path: Path) -> None:
    process = commands.start("serve", "--host", "0.0.0.0")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert out == "" and len(err.splitlines()) == 1 and "--allow-remote" in err
