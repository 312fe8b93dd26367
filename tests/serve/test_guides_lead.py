"""Somebody with a sheet is led to the command line and the page, before any Python."""

from __future__ import annotations

import re

from tests.commands import ROOT

DOCS = ROOT / "docs"


def test_the_home_page_leads_a_real_campaign_to_the_first_campaign() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith("| somebody with a real")]
    links = re.findall(r"\]\(guides/(\w+)\.md\)", row)
    assert links[:3] == ["first_campaign", "space_file", "serve"]


def test_the_first_campaign_begins_with_a_sheet_of_ones_own() -> None:
    text = (DOCS / "guides" / "first_campaign.md").read_text(encoding="utf-8")
    link = re.search(r"\[a sheet of your own\]\(#([\w-]+)\)", text)
    assert link is not None
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings]
    assert anchors[1] == link[1]
    before = text.partition("```python")[0]
    for command in ("ombo serve ", "ombo check ", "ombo suggest ", "ombo advise "):
        assert f"\n    {command}" in before
