"""What a parameter of a space file was likely meant to be, written as it has to be."""

from __future__ import annotations

import re
from typing import Any

from ombo_gym.design_spaces.parameters import parse_parameter
from ombo_gym.design_spaces.values import is_number
from ombo_gym.spreadsheets.cells import is_unit

_NUMBER = r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?"
_DASHES = r"-|\u2212|\u2010|\u2011|\u2012|\u2013|\u2014"
_TO = rf"\s*(?:{_DASHES}|\.{{2,3}}|\u2026|;|~|\bto\b|\bbis\b|\band\b)\s*"
_ENDS = re.compile(rf"(?:from |between )?({_NUMBER})\s*([^\d\s.,;-][^\d;]*?)?{_TO}({_NUMBER})(.*)")
_IN_BRACKETS = re.compile(rf"[(\[{{]\s*({_NUMBER})\s*[,;]\s*({_NUMBER})\s*[)\]}}](.*)")
_LISTED = re.compile(rf"{_NUMBER}(?:\s*[,;]\s+{_NUMBER})+")
_WITH_UNIT = re.compile(rf"({_NUMBER})\s*(.*)")
_SETTING = re.compile(r"(\w+)\s*[=\s]\s*(.+)")  # "step 5" and "step = 5", without a colon
_FEWEST_STEPS = 6
_KEYS = {
    **{"steps": "step", "units": "unit", "int": "integer", "ints": "integer", "ranges": "range"},
    **{"min": "low", "from": "low", "max": "high", "to": "high", "minimum": "low"},
    **{"maximum": "high", "lower": "low", "upper": "high", "start": "low", "stop": "high"},
}


def meant(written: Any) -> str | None:
    """A parameter as it is to be written, where a text or a dict is nearly one of numbers.

    Args:
        written: As the file has it, without lines.

    Example:
        >>> meant("40 - 110 °C")
        '{range: [40, 110], unit: °C}'
        >>> meant({"range": ["40-110"], "step 5": None})
        '{range: [40, 110], step: 5}'
    """
    if isinstance(written, str):
        if _LISTED.fullmatch(written.strip()):
            numbers = [_plain(each) for each in re.split(r"\s*[,;]\s+", written.strip())]
            return f"[{', '.join(numbers)}]"
        ends, _ = _numbers(written)
        if " " not in written.strip() and len(ends) == 2 and float(ends[0]) > float(ends[1]):
            return None  # the number of a lot, say
        written = {"range": written}
    if not isinstance(written, dict):
        return None
    found: dict[str, Any] = {}
    numbers, units = [], []
    for key, value in written.items():
        text = str(key).strip()
        if value is None and (setting := _SETTING.fullmatch(text)) is not None:
            text, value = setting.groups()
        name = _KEYS.get(text.casefold(), text.casefold())
        if name in ("range", "integer", "low", "high"):
            read, unit = _numbers(value)
            numbers += read
            units.append(unit)
            found.setdefault("integer" if name == "integer" else "range", None)
        elif value is None and (alone := _numbers(text)[0]):
            numbers += alone
        elif name == "step":
            read, _ = _numbers(value)
            found["step"] = read[0] if len(read) == 1 else value
        else:
            found[name] = value
    return _in_words(found, numbers, next(filter(None, units), ""))


def _in_words(found: dict[str, Any], numbers: list[str], unit: str) -> str | None:
    """The dict with its ends, if a parameter can be made of it."""
    kind = "integer" if "integer" in found else "range"
    if len(numbers) == 3 and "step" not in found and _is_step(*map(float, numbers)):
        found["step"] = numbers.pop()
    if len(numbers) != 2:
        return None
    numbers.sort(key=float)
    unit = str(found.pop("unit", unit))
    parts = {kind: f"[{', '.join(numbers)}]"}
    parts |= {key: str(value) for key, value in found.items() if key != kind}
    read: dict[str, Any] = {key: _value(value) for key, value in found.items() if key != kind}
    try:
        parse_parameter({kind: [_value(each) for each in numbers], **read})
    except (ValueError, TypeError):
        return None
    if unit:
        parts["unit"] = unit
    return f"{{{', '.join(f'{key}: {value}' for key, value in parts.items())}}}"


def _is_step(low: float, high: float, step: float) -> bool:
    """Whether [40, 110, 5] is two ends and a step: [2,5, 80] has a decimal comma."""
    steps = (high - low) / step if step > 0 else 0.0
    return steps >= _FEWEST_STEPS and abs(steps - round(steps)) < 1e-6


def _numbers(value: Any) -> tuple[list[str], str]:
    """Numbers in a value as a file writes them, and the unit behind them; none: it holds others."""
    if is_number(value):
        return [f"{value:g}" if isinstance(value, float) else str(value)], ""
    if isinstance(value, list):
        read = [_numbers(each) for each in value]
        if not all(numbers for numbers, _ in read):
            return [], ""
        return [n for numbers, _ in read for n in numbers], next((u for _, u in read if u), "")
    if not isinstance(value, str):
        return [], ""
    text = value.strip()
    if (ends := _ENDS.fullmatch(text)) is not None:
        low, between, high, behind = ends.groups()
        return _with_unit([low, high], (between or "").strip(), behind.strip())
    if (ends := _IN_BRACKETS.fullmatch(text)) is not None:
        return _with_unit([ends[1], ends[2]], "", ends[3].strip())
    if (one := _WITH_UNIT.fullmatch(text)) is not None:
        if (two := re.fullmatch(rf"({_NUMBER})\s+({_NUMBER})", text)) is not None:
            return _with_unit([two[1], two[2]], "", "")
        return _with_unit([one[1]], "", one[2].strip())
    return [], ""


def _with_unit(numbers: list[str], between: str, behind: str) -> tuple[list[str], str]:
    """Numbers as a file has them, where nothing but a unit stands with them."""
    if any(unit and not is_unit(unit) for unit in (between, behind)):
        return [], ""
    return [_plain(each) for each in numbers], behind or between


def _plain(number: str) -> str:
    """A number with a decimal point."""
    return number.replace(",", ".").lstrip("+")


def _value(text: Any) -> Any:
    """The number that a text is; the text, where it is none."""
    if not isinstance(text, str) or not re.fullmatch(_NUMBER, text):
        return text
    return float(text) if set(text) & set(".eE") else int(text)
