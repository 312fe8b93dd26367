"""Takes Google-style docstrings apart."""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from typing import Any

_SECTION = re.compile(
    r"^(Args|Attributes|Raises|Returns|References?|Examples?|Notes?):$", re.MULTILINE
)
_ALIASES = {"Reference": "References", "Examples": "Example", "Note": "Notes"}
_ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*):\s", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Docstring:
    """A Google-style docstring in its parts.

    Attributes:
        summary: Its first line.
        text: The paragraphs before the first section, as Markdown.
        sections: The others by heading ("References" and "Example" in these forms), dedented.
    """

    summary: str
    text: str
    sections: dict[str, str]

    @classmethod
    def of(cls, thing: Any) -> Docstring:
        """Takes the docstring of a class apart."""
        whole = inspect.getdoc(thing) or ""
        parts = _SECTION.split(whole)
        summary, _, text = parts[0].partition("\n")
        headings = [_ALIASES.get(heading, heading) for heading in parts[1::2]]
        bodies = [textwrap.dedent(body.strip("\n")).rstrip() for body in parts[2::2]]
        return cls(summary.strip(), reflow(text), dict(zip(headings, bodies, strict=True)))

    def entries(self, heading: str) -> dict[str, str]:
        """Texts of a section by name: `name: text`, going on indented."""
        parts = _ENTRY.split("\n" + self.sections.get(heading, ""))
        texts = (" ".join(part.split()) for part in parts[2::2])
        return {
            name: text
            for names, text in zip(parts[1::2], texts, strict=True)
            for name in names.split(", ")
        }


def reflow(text: str) -> str:
    """Paragraphs on a line each, lists and indented blocks as they are."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        lines = paragraph.strip("\n").splitlines()
        if any(re.match(r"\s*([-*|>]|\d+\.)\s|    ", line) for line in lines):
            found.append("\n".join(lines))
        else:
            found.append(" ".join(line.strip() for line in lines))
    return "\n\n".join(filter(None, found))


def cell(text: str) -> str:
    """Words as a cell of a Markdown table holds them."""
    return text.replace("|", r"\|")
