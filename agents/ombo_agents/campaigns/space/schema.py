"""The JSON schema of space files, for editors: `python -m ombo_agents.campaigns.space.schema`."""

from __future__ import annotations

import json
from typing import Any

_NUMBER: dict[str, Any] = {"type": "number"}
_PAIR = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}
_WHOLE_PAIR = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
_SCALE = {"enum": ["linear", "log"]}
_TEXT = {"type": "string"}
_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_VALUE = {"type": ["string", "number", "boolean"]}
_DISTINCT = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": "^at (least|most) [1-9][0-9]*$"},
    ]
}
_VALUES = {"type": "array", "items": _VALUE, "minItems": 1}
_STEP = {"type": "number", "exclusiveMinimum": 0}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _mixture() -> dict[str, Any]:
    return {
        "mixture": {"type": "array", "items": _TEXT, "minItems": 2, "uniqueItems": True},
        "sum": {"type": "number", "exclusiveMinimum": 0, "default": 100},
        "step": _STEP,
        "bounds": {"type": "object", "additionalProperties": _PAIR},
    }


def _library() -> dict[str, Any]:
    return {
        "candidates": {**_TEXT, "description": "a CSV or Excel file beside the space file"},
        "id": {**_TEXT, "description": "the column of names; the first one unless it is said"},
        "columns": _TEXTS,
        "log": _TEXTS,
        "scale": {"enum": ["linear", "log", "none"]},
        "smiles": _TEXT,
    }


def _parameter() -> dict[str, Any]:
    unit = {"unit": _TEXT}
    described = {
        "anyOf": [
            _TEXT,
            {"type": "object", "additionalProperties": {"type": "array", "items": _NUMBER}},
        ]
    }
    return {
        "anyOf": [
            _VALUE,
            _VALUES,
            _object(["range"], range=_PAIR, step=_STEP, scale=_SCALE, **unit),
            _object(["integer"], integer=_WHOLE_PAIR, scale=_SCALE, **unit),
            _object(
                ["levels"],
                levels={"type": "array", "items": _NUMBER, "minItems": 2},
                scale=_SCALE,
                **unit,
            ),
            _object(
                ["choices"],
                choices={"anyOf": [_TEXT, _VALUES]},
                descriptors=described,
                smiles={"anyOf": [{"const": True}, {"type": "array", "items": _TEXT}]},
                id=_TEXT,
                columns=_TEXTS,
                log=_TEXTS,
                **unit,
            ),
            _object(["fixed"], fixed=_VALUE, **unit),
            _object(
                ["alphabet", "length"],
                alphabet={"anyOf": [{"type": "string", "minLength": 2}, _VALUES]},
                length={"anyOf": [{"type": "integer", "minimum": 1}, _WHOLE_PAIR]},
                **unit,
            ),
            _object(["mixture"], **_mixture(), **unit),
            _object(["candidates"], **_library(), **unit),
        ]
    }


def space_schema() -> dict[str, Any]:
    """The schema of a space file.

    Returns:
        A JSON schema of draft 2020-12. What it cannot say (names in constraints, steps that do not
        lead to the end of a range) is found by `ombo check`.
    """
    parameter = {"$ref": "#/$defs/parameter"}
    rules = {
        "constraints": {**_TEXTS, "description": "conditions that every design keeps"},
        "exclude": {**_TEXTS, "description": "conditions that no design meets"},
        "shared": {**_TEXTS, "description": "parameters that have one value on a plate"},
        "distinct": {
            "type": "object",
            "additionalProperties": _DISTINCT,
            "description": "the most different values on a plate, or 'at least' so many",
        },
        "plate": _object(
            [],
            shared=_TEXTS,
            distinct={"type": "object", "additionalProperties": _DISTINCT},
        ),
    }
    lists = {**_mixture(), **_library()}
    top = {**rules, **lists}
    # Beside no mixture and no candidates, a parameter may be called like the keys of these.
    or_named = {key: {"anyOf": [each, parameter]} for key, each in lists.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The space of a design campaign",
        "$defs": {"parameter": _parameter()},
        "anyOf": [
            {
                "type": "object",
                "properties": {
                    "parameters": {"type": "object", "additionalProperties": parameter},
                    **top,
                },
                "required": ["parameters"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "not": {"required": ["parameters"]},
                "properties": {**rules, **or_named},
                "additionalProperties": parameter,
            },
        ],
    }


def as_text() -> str:
    """The schema as the file holds it."""
    return json.dumps(space_schema(), indent=1) + "\n"


if __name__ == "__main__":
    print(as_text(), end="")
