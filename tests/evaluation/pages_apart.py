"""The page of a report taken apart, for the tests of what it shows."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from ombo_gym.evaluation.report import elements, pictures, read_results, render

EVIL = "<script>alert(1)</script>"
NAMES = ["random", "greedy", "ucb", "explore_then_exploit", EVIL, "</script><b>", "runs/demo"]
ERROR = {
    **{"env": "Ombo/GP-v0", "env_kwargs": "{}", "policy": EVIL, "told_horizon": "one"},
    **{"horizon": 2, "batch_size": 4, "utility": "best", "first": 0, "campaigns": 3},
    **{"error": f"ValueError: {EVIL}", "traceback": f"Traceback\nValueError: {EVIL}"},
}


def leave_out_pictures(patch):
    """From here on figures are made and not drawn, for who looks at the rest of a page."""
    empty = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'
    patch.setattr(elements, "svg", lambda figure, **settings: empty)
    patch.setattr(pictures, "svg", lambda figure, **settings: empty)
    patch.setattr(pictures, "png", lambda figure: b"")


class Page(HTMLParser):
    """Tags with their attributes, and the tables as rows of text."""

    VOID = ("meta", "br", "input")

    def __init__(self, text):
        super().__init__()
        self.tags, self.tables, self.open, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if "th" in self.open or "td" in self.open:
            self.tables[-1][-1][-1] += data

    def rows(self, *heads):
        """The first table with these column heads."""
        for table in self.tables:
            if all(head in table[0] for head in heads):
                return table[1:]
        raise AssertionError(f"no table with the columns {heads}")


def shown(folder):
    """The page of a folder, as text and taken apart; without the picture files beside it."""
    text = render(read_results(folder))
    page = Page(text)
    assert not page.open  # every tag is closed
    return text, page


def headings(text):
    """Of the sections, in order."""
    return re.findall("<h2[^>]*>(.*)</h2>", text)
