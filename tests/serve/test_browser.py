"""The whole path in a real browser: by mouse, by keyboard, on a phone, and without scripts."""

from __future__ import annotations

import csv
import http.server
import io
import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests import commands

pytestmark = pytest.mark.slow

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of the page as the command serves it."""
    process = commands.start("serve", "--port", "0")
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens the page anew; in the end, nothing was asked for elsewhere and nothing complained."""
    complaints: list[str] = []
    contexts: list[Any] = []
    own = urlsplit(address).netloc

    def asked(request: Any) -> None:
        if urlsplit(request.url).netloc != own:
            complaints.append(request.url)

    def said(message: Any) -> None:
        if message.type in ("error", "warning") and "422" not in message.text:
            complaints.append(message.text)

    def opened(**settings: Any) -> Any:
        context = browser.new_context(**settings)
        contexts.append(context)
        context.on("request", asked)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
        page.on("console", said)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def downloaded(page: Any, link: str) -> str:
    with page.expect_download() as found:
        page.click(f"text={link}")
    return Path(found.value.path()).read_text(encoding="utf-8-sig")


def test_from_a_sheet_to_a_plate_and_advice(visit: Callable[..., Any], tmp_path: Path) -> None:
    page = visit()
    sheet = tmp_path / "mine.csv"
    sheet.write_text(
        "run,Solvent,T (°C),yield (%)\n"
        + "".join(
            f"{i + 1},{'DMF' if i % 3 else 'THF'},{40 + 6 * i},{30 + 7 * i % 23}\n"
            for i in range(9)
        )
        + "10,DMF,100,n.d.\n",
        encoding="utf-8",
    )
    page.set_input_files("#sheet", sheet)
    page.click("text=Read the sheet")
    page.wait_for_url("**/columns")

    # What was guessed is seen, and corrected.
    assert page.input_value("#role-0") == "ignored" and page.input_value("#role-3") == "target"
    assert page.input_value("#kind-1") == "choices" and page.input_value("#low-2") == "40"
    page.click("text=Save and check")
    assert "row 11" in page.text_content("#column-3-wrong")
    page.fill("#failed", "n.d.")
    page.fill("#low-2", "25")
    page.fill("#step-2", "5")
    assert page.is_hidden("#values-2") and page.is_visible("#values-1")
    page.select_option("#kind-2", "levels")
    assert page.is_visible("#values-2") and page.is_hidden("#low-2")
    page.select_option("#kind-2", "range")
    page.click("text=Save and check")
    page.wait_for_selector("#understood")
    assert "numbers from 25 to 100 in steps of 5" not in page.text_content("#understood")
    assert "1 failed" in page.text_content(".understood")
    page.click("text=To the plate")

    # The plate, and its file.
    page.fill("#plates", "6, 6")
    page.select_option("#layout", "24")
    page.click("text=Suggest the plate")
    page.wait_for_selector("#wells")
    assert page.locator("table.wells tbody tr").count() == 6
    rows = list(csv.reader(io.StringIO(downloaded(page, "Download CSV"))))
    assert rows[0][:4] == ["well", "Solvent", "T (°C)", "yield (%)"]
    assert [row[0] for row in rows[1:]] == ["A1", "A2", "A3", "A4", "A5", "A6"]
    assert all(float(row[2]) % 5 == 0 for row in rows[1:])

    # Advice is stopped, and then awaited.
    page.click("nav >> text=Advice")
    page.fill("#plates", "6, 6")
    page.fill("#worth", "2")
    page.click("text=More choices")
    page.fill("#simulations", "5000")
    page.fill("#policies", "random, ucb")
    page.click("text=Simulate")
    page.wait_for_selector("progress")
    page.click("text=Stop")
    page.wait_for_selector("text=Stopped. Nothing has changed.")
    page.fill("#simulations", "4")
    page.click("text=Simulate")
    page.wait_for_selector("#advice")
    assert page.locator("figure.chart").count() == 2
    assert "better by 2 or more" in page.text_content("main")

    # The campaign is kept, closed, and opened again.
    kept = tmp_path / "campaign.json"
    kept.write_text(downloaded(page, "Save the campaign"), encoding="utf-8")
    advised = json.loads(kept.read_text(encoding="utf-8"))["advice"][-1]["policy"]
    page.click("nav >> text=Sheet")
    page.click("text=Close it")
    page.wait_for_selector("h2:has-text('A sheet')")
    page.set_input_files("#campaign", kept)
    page.click("text=Open the campaign")
    page.wait_for_url("**/plate")
    page.fill("#plates", "4")
    page.click("text=Suggest the plate")
    page.wait_for_selector("#wells")
    assert f"({advised}): as advised" in page.text_content("main")

    # Results come back.
    rows[1][3:4] = ["55"]
    filled = tmp_path / "plate.csv"
    with filled.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows[:2])
    page.set_input_files("#results", filled)
    page.click("text=Add the results")
    page.wait_for_url("**/columns")
    assert "11 rows" in page.text_content(".understood")


def tab_to(page: Any, selector: str) -> None:
    """Presses Tab until something has the focus, which has to be seen at every step."""
    for _ in range(150):
        page.keyboard.press("Tab")
        seen, there = page.evaluate(
            """(wanted) => {
              const at = document.activeElement;
              const style = getComputedStyle(at);
              const box = at.getBoundingClientRect();
              return [at === document.body || (style.outlineStyle !== "none" && box.width > 0),
                      at.matches(wanted)];
            }""",
            selector,
        )
        assert seen, page.evaluate("document.activeElement.outerHTML")
        if there:
            return
    raise AssertionError(f"{selector} cannot be reached")


def test_by_keyboard_alone(visit: Callable[..., Any]) -> None:
    page = visit()
    keys = page.keyboard
    tab_to(page, ".skip")
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    tab_to(page, "section[aria-labelledby=example] button")
    keys.press("Enter")
    page.wait_for_url("**/columns")
    tab_to(page, "#low-4")
    keys.press("Control+A")
    keys.type("hot")
    keys.press("Enter")
    page.wait_for_selector("#column-4-wrong")
    assert page.evaluate("document.activeElement.id") == "alert"  # it is read aloud
    tab_to(page, "#low-4")
    keys.press("Control+A")
    keys.type("30")
    tab_to(page, "button[name=onwards]")
    keys.press("Enter")
    page.wait_for_url("**/plate")
    tab_to(page, "#plates")
    keys.press("Control+A")
    keys.type("4, 4")
    keys.press("Enter")
    page.wait_for_selector("#wells")
    tab_to(page, "a[href='/plate.csv']")
    tab_to(page, ".scroll")  # which arrows scroll
    tab_to(page, "a[href='#well-1']")
    keys.press("Enter")
    assert page.url.endswith("#well-1")


@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone_nothing_is_wider_than_the_screen(visit: Callable[..., Any], width: int) -> None:
    page = visit(**{**PHONE, "viewport": {"width": width, "height": 700}})

    def check() -> None:
        for summary in page.locator("details:not([open]) > summary").all():
            summary.click()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, page.url
        small = page.evaluate(
            """[...document.querySelectorAll("button, .button, select, input:not([type])")]
               .filter((each) => each.checkVisibility())
               .filter((each) => each.getBoundingClientRect().height < 36)
               .map((each) => each.outerHTML)"""
        )
        assert small == []

    check()
    page.click("text=Open the example")
    page.wait_for_url("**/columns")
    check()
    page.fill("#low-4", "x" * 80)
    page.click("text=Save and check")
    page.wait_for_selector("#alert")
    check()
    page.fill("#low-4", "25")
    page.click("text=Save, and to the plate")
    page.wait_for_url("**/plate")
    check()
    page.fill("#plates", "12, 12")
    page.select_option("#layout", "384")
    page.click("text=Suggest the plate")
    page.wait_for_selector("#wells")
    check()
    page.click("nav >> text=Advice")
    page.fill("#plates", "2, 2")
    page.click("text=More choices")
    page.fill("#simulations", "2")
    page.fill("#policies", "random ucb")
    page.click("text=Simulate")
    page.wait_for_selector("#advice")
    check()


_CONTRAST = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = numbers(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0.99) return found;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const each of document.querySelectorAll("main *, header *, footer *")) {
    const own = [...each.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !each.checkVisibility() || each.closest("[aria-disabled]")) continue;
    const [a, b] = [light(numbers(getComputedStyle(each).color)), light(behind(each))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push([ratio.toFixed(2), each.outerHTML.slice(0, 80)]);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(visit: Callable[..., Any], scheme: str) -> None:
    page = visit(color_scheme=scheme)
    assert page.evaluate(_CONTRAST) == []
    page.click("text=Open the example")
    page.wait_for_url("**/columns")
    page.fill("#low-4", "x")
    page.click("text=Save and check")
    page.wait_for_selector("#alert")
    assert page.evaluate(_CONTRAST) == []
    page.click("nav >> text=Plate")
    page.fill("#plates", "4, 4")
    page.click("text=Suggest the plate")
    page.wait_for_selector("#wells")
    assert page.evaluate(_CONTRAST) == []
    backgrounds = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (backgrounds == "rgb(246, 247, 247)") == (scheme == "light")


def test_without_scripts(visit: Callable[..., Any]) -> None:
    page = visit(java_script_enabled=False)
    page.click("text=Open the example")
    page.wait_for_url("**/columns")
    page.fill("#low-4", "30")
    page.click("text=Save, and to the plate")
    page.wait_for_url("**/plate")
    page.fill("#plates", "4, 4")
    page.click("text=Suggest the plate")
    page.wait_for_selector("#wells")  # the page renews itself
    assert page.locator("table.wells tbody tr").count() == 4


def test_a_page_of_another_server_changes_nothing(
    browser: Any, address: str, tmp_path: Path
) -> None:
    """Forms, scripts and frames of another site, in the browser that holds the cookie."""
    (tmp_path / "evil.html").write_text(
        f"""<iframe src="{address}"></iframe>
        <form id="f" method="post" action="{address}anew"><input name="token" value="x"></form>
        <script>
        fetch("{address}anew", {{method: "POST", mode: "no-cors", credentials: "include",
          body: new URLSearchParams({{token: "x"}})}}).catch(() => 0)
          .then(() => fetch("{address}columns").then((a) => a.text(), () => "unreadable"))
          .then((text) => {{ document.title = text; }});
        </script>"""
    )

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, directory=str(tmp_path))

        def log_message(self, *given: Any) -> None:
            pass

    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(120_000)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        page.goto(address)
        page.click("text=Open the example")
        page.wait_for_url("**/columns")
        for host in ("127.0.0.1", "localhost"):
            page.goto(f"http://{host}:{other.server_port}/evil.html")
            page.wait_for_function("document.title !== ''")
            assert page.title() == "unreadable"
            frame = page.frames[1].content()  # an error page of the browser's
            assert "What goes on the next plate" not in frame
            with page.expect_navigation() as sent:
                page.evaluate("document.getElementById('f').submit()")
            assert sent.value.status == 403
        page.goto(f"{address}columns")
        assert "25 rows, 22 measured" in page.text_content(".understood")
        other.shutdown()
    context.close()
