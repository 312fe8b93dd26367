"""The site builds strictly, loads nothing from the net, and its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.pages import ROOT

pytest.importorskip("mkdocs", reason='needs mkdocs: pip install "ombo-gym[docs]"')

_LOADS = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src")}


class _Reader(HTMLParser):
    """Gathers what a page links to, what it loads, and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value is not None}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") in ("canonical", "prev", "next"):
            return
        self.loads += [value for name, value in given.items() if (tag, name) in _LOADS]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, _Reader]:
    found = {}
    for path in site.rglob("*.html"):
        found[path] = _Reader()
        found[path].feed(path.read_text(encoding="utf-8"))
    return found


def test_every_page_is_there(site: Path, pages: dict[Path, _Reader]) -> None:
    sources = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    for source in sources:
        name = "index.html" if source.name == "README.md" else f"{source.stem}.html"
        assert site / source.parent / name in pages, source


def test_links_and_anchors_lead_somewhere(pages: dict[Path, _Reader]) -> None:
    broken = []
    for path, page in pages.items():
        if path.name == "404.html":  # whose links are those of a server
            continue
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                broken.append((path.name, link))
            elif parts.fragment and target in pages:
                if unquote(parts.fragment) not in pages[target].anchors:
                    broken.append((path.name, link))
    assert broken == []


def test_nothing_is_loaded_from_the_net(site: Path, pages: dict[Path, _Reader]) -> None:
    loads = {link for page in pages.values() for link in page.loads}
    assert [link for link in loads if urlsplit(link).netloc] == []
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?https?://", sheet.read_text("utf-8")), sheet
