"""A request that is not of the page itself changes nothing."""

from __future__ import annotations

import socket
from io import BytesIO
from typing import Any

import pytest

from ombo_agents.serve.safety import is_known_host, is_loopback
from ombo_agents.serve.server import check_address
from ombo_agents.serve.workspace.uploads import MOST_BYTES
from tests.serve.conftest import who_measured
from tests.serve.visitor import SHEET, Visitor, app_of

FORMS = {rule.rule for rule in app_of().url_map.iter_rules() if "POST" in (rule.methods or ())}
PAGES = ("/", "/columns", "/plate", "/advice", "/progress", "/plate.csv", "/static/style.css")


@pytest.fixture(scope="module")
def settled() -> Visitor:
    """Somebody with a campaign, of whose workspace nothing may change."""
    return who_measured(app_of())


def state(visitor: Visitor) -> dict[str, Any]:
    own = visitor.workspace
    return {name: each for name, each in vars(own).items() if name != "lock"}


def test_there_are_forms_to_look_at() -> None:
    assert {"/sheet", "/columns", "/space", "/suggest", "/advise", "/stop", "/anew"} <= FORMS


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},  # another server of this machine
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example:8765", "Origin": "http://evil.example:8765"},  # DNS rebinding
    ],
)
def test_a_cross_site_form_changes_nothing(settled: Visitor, headers: Any) -> None:
    before = state(settled)
    for path in FORMS:
        fields = {"token": settled.token}
        answer = settled.client.post(path, data=fields, headers=headers)
        assert answer.status_code == 403, path
        assert state(settled) == before, path


@pytest.mark.parametrize("token", [None, "", "wrong", "ü"])
def test_a_form_without_the_token_changes_nothing(settled: Visitor, token: str | None) -> None:
    before = state(settled)
    for path in FORMS:
        answer = settled.client.post(path, data={} if token is None else {"token": token})
        assert answer.status_code == 403, path
        assert state(settled) == before, path


def test_the_token_of_another_visitor_is_refused(settled: Visitor) -> None:
    other = Visitor(settled.app)
    before = state(settled)
    assert settled.client.post("/anew", data={"token": other.token}).status_code == 403
    assert state(settled) == before


def test_a_form_of_the_page_itself_is_taken(measured: Visitor) -> None:
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    answer = measured.client.post("/anew", data={"token": measured.token}, headers=own)
    assert answer.status_code == 303
    assert measured.workspace.campaign is None


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "localhost.evil.example", "192.168.0.9", "", "@"]
)
def test_another_name_of_the_host_is_refused(settled: Visitor, host: str) -> None:
    for path in PAGES:
        answer = settled.client.get(path, headers={"Host": host})
        assert answer.status_code == 403, path
        assert "ombo serve" in answer.text


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("localhost:8765", True),
        ("127.0.0.1:8765", True),
        ("127.0.0.2", True),
        ("[::1]:8765", True),
        ("LOCALHOST", True),
        ("10.0.0.7:8765", False),
        ("example.org", False),
        ("localhost:x", False),
        ("localhost, evil.example", False),
        ("evil.example#localhost", False),
        ("127.0.0.1@evil.example", False),
    ],
)
def test_names_of_the_host(header: str, known: bool) -> None:
    assert is_known_host(header, "127.0.0.1", False) is known


def test_where_others_may_ask_addresses_and_own_names_are_known() -> None:
    assert is_known_host("10.0.0.7:8765", "0.0.0.0", True)
    assert is_known_host(socket.gethostname(), "0.0.0.0", True)
    assert not is_known_host("evil.example", "0.0.0.0", True)


def test_every_answer_keeps_others_out(settled: Visitor) -> None:
    for path in PAGES:
        with settled.get(path) as answer:
            headers = answer.headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'"), path
        assert "unsafe" not in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY", path
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", path
        assert headers["Cache-Control"] == "no-store", path
        assert "Access-Control-Allow-Origin" not in headers, path


def test_the_cookie_is_not_for_scripts_or_other_sites() -> None:
    answer = app_of(port=8765).test_client().get("/")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("ombo_8765=")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_pages_that_are_asked_for_keep_nothing_and_so_push_nobody_out(settled: Visitor) -> None:
    kept = len(settled.app.extensions["workspaces"])
    for _ in range(30):
        assert settled.app.test_client().get("/").status_code == 200
    assert len(settled.app.extensions["workspaces"]) == kept
    assert settled.workspace.campaign is not None


def test_visitors_that_are_kept_are_bounded_and_the_last_ones() -> None:
    app = app_of()
    visitors = [Visitor(app) for _ in range(10)]
    for each in visitors:
        each.post("/sheet", sheet=("screen.csv", SHEET))
    assert len(app.extensions["workspaces"]) == 8
    assert [each.workspace.sheet is not None for each in visitors] == [False] * 2 + [True] * 8


def test_visitors_do_not_see_each_other(settled: Visitor) -> None:
    other = Visitor(settled.app)
    assert "screen.csv" not in other.get("/").text
    assert other.get("/campaign.json").status_code == 303


def test_too_large_a_request_is_refused_in_a_sentence(settled: Visitor) -> None:
    before = state(settled)
    answer = settled.client.post(
        "/sheet",
        input_stream=BytesIO(),
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(MOST_BYTES + 1)},
    )
    assert answer.status_code == 413
    assert "32 MiB" in answer.text
    assert state(settled) == before


@pytest.mark.parametrize("path", ["/etc/passwd", "/../secret", "/static/../app.py", "/plate.exe"])
def test_no_other_file_is_served(settled: Visitor, path: str) -> None:
    assert settled.get(path).status_code in (303, 404)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_an_address_of_others_is_refused_without_the_flag(host: str) -> None:
    with pytest.raises(ValueError, match="--allow-remote"):
        check_address(host, 0, allow_remote=False)
    check_address(host, 0, allow_remote=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.9"])
def test_addresses_of_this_machine_are_taken(host: str) -> None:
    assert is_loopback(host)
    check_address(host, 8765, allow_remote=False)


def test_a_name_that_nobody_knows_and_a_port_that_is_none() -> None:
    with pytest.raises(ValueError, match="--host: expected an address"):
        check_address("no-such-host.invalid", 0, allow_remote=True)
    with pytest.raises(ValueError, match="--port: expected a number from 0 to 65535, got 70000"):
        check_address("127.0.0.1", 70000, allow_remote=False)
