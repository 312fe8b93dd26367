"""What mkdocstrings reads docstrings with: an extension of griffe, see mkdocs.yml."""

from __future__ import annotations

import re
from typing import Any

import griffe
from typing_extensions import override

_ONE_EXAMPLE = re.compile(r"^Example:$", re.MULTILINE)


class ExampleSections(griffe.Extension):
    """Takes a section `Example:` as `Examples:`, the only form that griffe knows as code."""

    @override
    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = _ONE_EXAMPLE.sub("Examples:", obj.docstring.value)
