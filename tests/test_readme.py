"""The README is short, its links lead somewhere, and its table names every environment."""

import re

from ombo_gym import env_ids
from tests.pages import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_is_at_most_200_lines() -> None:
    assert len(TEXT.splitlines()) <= 200


def test_links_lead_to_files_of_the_repository() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link]
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_every_environment_is_in_the_table() -> None:
    table = TEXT.partition("## Environments")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"`(Ombo/\w+-v0)`", table)) == sorted(env_ids())
