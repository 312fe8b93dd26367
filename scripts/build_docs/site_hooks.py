"""What MkDocs calls while it builds the site, see `hooks` in mkdocs.yml."""

from __future__ import annotations

import posixpath
import re
from typing import Any

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)\)")
_INDEX = "README.md"  # of a folder of pages


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Makes links of pages that were written for readers of the repository good for the site.

    Links that leave the folder of pages (`../../grids/suite.yaml`) become the words that they stand
    under, and links to a folder (`../environments`) lead to the page that introduces it.
    """
    folder = posixpath.dirname(page.file.src_uri)

    def on_the_site(match: re.Match[str]) -> str:
        words, link = match.groups()
        if posixpath.normpath(posixpath.join(folder, link)).startswith(".."):
            return words
        is_folder = not posixpath.splitext(link)[1]
        return f"[{words}]({posixpath.join(link, _INDEX)})" if is_folder else match[0]

    return _LINK.sub(on_the_site, markdown)
