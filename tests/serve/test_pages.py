"""Every page in many states: labels, names, nothing inline and nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.pages import ROOT
from tests.serve.conftest import who_measured
from tests.serve.visitor import Visitor, app_of, never_ending

_VOID = {"input", "meta", "link", "br", "img", "hr", "line", "rect", "circle"}
_STATIC = ROOT / "agents/ombo_agents/serve/static"


class Page(HTMLParser):
    """The elements of a page, which have to be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), attrs
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        """Attributes of the elements of some tags."""
        return [given for tag, given in self.elements if tag in tags]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """Pages by what they show."""
    begun = Visitor(app_of())
    found = {"empty": begun.get("/").text, "refused": begun.get("/nowhere").text}
    found["no sheet"] = begun.post("/sheet").text
    begun.post("/sheet", sheet=("s.csv", "T,solvent,y\n20,a,1\n30,a,2\n45,b,3\n50,b,2.5\n"))
    found["guessed"] = begun.get("/columns").text
    found["guessed wrongly"] = begun.post("/columns", **{"low-0": "x", "failed_value": "x"}).text
    visitor = who_measured(app_of())
    found["open"] = visitor.get("/").text
    found["columns"] = visitor.get("/columns").text
    found["wrong columns"] = visitor.post("/columns", **{"low-1": "x", "constraints": "t <"}).text
    found["wrong rules"] = visitor.post("/columns", constraints="t <").text
    found["wrong text"] = visitor.post("/space", text="t: {rang: 4}").text
    found["no plate"] = visitor.get("/plate").text
    found["wrong plate"] = visitor.post("/suggest", plates="x", seed="x", layout="24").text
    visitor.post("/suggest", plates="5, 5", layout="24")
    found["plate"] = visitor.get("/plate").text
    found["no advice"] = visitor.get("/advice").text
    found["wrong advice"] = visitor.post("/advise", plates="x", worth="x", simulations="x").text
    visitor.post("/sheet", sheet=("screen.csv", _LARGER))
    visitor.post("/advise", plates="2, 2", simulations="2", policies="random ucb")
    found["advice"] = visitor.get("/advice").text
    waiting = who_measured(app_of(start=never_ending))
    waiting.post("/suggest", plates="4")
    found["waiting"] = waiting.get("/plate").text
    waiting.post("/stop")
    found["stopped"] = waiting.get("/plate").text
    return found


_LARGER = "Solvent,T (°C),time (h),yield (%)\n" + "".join(
    f"{'DMF' if i % 2 else 'THF'},{40 + 5 * i},{2 ** (i % 4)},{20 + 3 * i % 17}\n"
    for i in range(10)
)


def test_elements_are_closed_and_ids_stand_once(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        ids = [given["id"] for _, given in Page(text).elements if "id" in given]
        assert len(set(ids)) == len(ids), name


def test_each_has_a_language_a_title_one_heading_and_fits_a_phone(pages: dict[str, str]) -> None:
    titles = set()
    for name, text in pages.items():
        page = Page(text)
        assert page.of("html")[0]["lang"] == "en", name
        assert len(page.of("h1")) == 1, name
        assert any(each.get("name") == "viewport" for each in page.of("meta")), name
        titles |= set(re.findall(r"<title>(.*?)</title>", text))
    assert titles == {
        f"{each} · ombo" for each in ("Sheet", "Columns", "Plate", "Advice", "Refused")
    }


def test_every_field_has_a_label(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        page = Page(text)
        labels = {each["for"] for each in page.of("label")}
        fields = [e for e in page.of("input", "select", "textarea") if e.get("type") != "hidden"]
        assert {each["id"] for each in fields} == labels, name
        assert len(labels) == len(page.of("label")), name


def test_what_describes_something_is_there(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        page = Page(text)
        ids = {given.get("id") for _, given in page.elements}
        for _, given in page.elements:
            for key in ("aria-describedby", "aria-labelledby"):
                assert set((given.get(key) or "").split()) <= ids, (name, given)
            if (given.get("href") or "").startswith("#"):
                assert str(given["href"])[1:] in ids, name


def test_what_is_wrong_is_tied_to_its_field(pages: dict[str, str]) -> None:
    page = Page(pages["wrong plate"])
    (field,) = [each for each in page.of("input") if each.get("id") == "plates"]
    assert field["aria-invalid"] == "true"
    assert "plates-wrong" in str(field["aria-describedby"])
    assert 'role="alert"' in pages["wrong plate"]
    columns = [
        each for each in Page(pages["wrong columns"]).of("fieldset") if each.get("data-role")
    ]
    assert [each.get("aria-describedby") for each in columns].count("column-1-wrong") == 1


def test_progress_is_said_aloud(pages: dict[str, str]) -> None:
    assert 'aria-live="polite"' in pages["waiting"]
    assert "<progress" in pages["waiting"] and "<progress" not in pages["stopped"]


def test_every_form_sends_the_token(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        forms = re.findall(r"<form (.*?)</form>", text, re.S)
        assert all('method="post"' in form and 'name="token"' in form for form in forms), name


def test_nothing_is_inline_or_from_elsewhere(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        page = Page(text)
        for tag, given in page.elements:
            assert "style" not in given and not any(key.startswith("on") for key in given), name
            for key in ("src", "href", "action", "data-progress"):
                address = given.get(key)
                assert address is None or re.match(r"[/#](?!/)", address), (name, tag, address)
        assert page.of("style") == []
        assert all("src" in each for each in page.of("script")), name
    for path in _STATIC.iterdir():
        text = path.read_text(encoding="utf-8")
        addresses = set(re.findall(r"https?://[^\s\"')]+", text)) - {"http://www.w3.org/2000/svg"}
        assert addresses == set(), path
        assert "@import" not in text and "innerHTML" not in text and "eval(" not in text
