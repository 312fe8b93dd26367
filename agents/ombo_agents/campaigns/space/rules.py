"""Constraints as people write them, `temperature <= 80 if solvent == "ether"`, read without `eval`.

A rule is parsed as a Python expression of which only comparisons, `and`, `or`, `not`, `if`, `in`,
sums, products and names of columns are understood; it is then worked out for many designs at once.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.space.descriptors import Descriptor, looked_up
from ombo_gym.arguments import shown
from ombo_gym.spreadsheets.spreadsheet import listed

Columns = dict[str, NDArray[Any]]  # (n,) values in the user's units by column: numbers or texts

_NEAR = 1e-9  # of a number, within which a bound is kept
_LONGEST = 1000  # characters of a rule
_QUOTED = re.compile(r"""("[^"\\]*"|'[^'\\]*')""")
_WORDS = frozenset(["and", "or", "not", "in", "if", "else", "True", "False"])
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SINGLE = re.compile(r"(?<![<>=!])=(?!=)")  # is meant as ==
_EXAMPLE = "'temperature <= 80', 'A + 2 * B <= 50', 'temperature <= 80 if solvent == \"ether\"'"
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


@dataclass(frozen=True)
class Rule:
    """A condition on designs.

    Attributes:
        text: As it was written.
        names: Columns that it speaks of.
        tree: What it says.
        forbids: Whether designs that meet the condition are excluded, or those that do not.
        described: What it says of properties of choices or candidates, by their names in `tree`.
    """

    text: str
    names: frozenset[str]
    tree: ast.expr
    forbids: bool = False
    described: Mapping[str, Descriptor] = field(default_factory=dict)

    def keeps(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Which of n designs may be, (n,)."""
        n = len(next(iter(columns.values())))
        known = {**columns}
        for name, descriptor in self.described.items():
            known[name] = looked_up(descriptor, columns[descriptor.column])
        found = np.broadcast_to(_truth(_worked_out(self.tree, known)), (n,))
        return ~found if self.forbids else found.copy()


def parse_rule(
    text: Any,
    columns: Mapping[str, Collection[Any] | None],
    *,
    forbids: bool = False,
    descriptors: Mapping[str, Descriptor] | None = None,
) -> Rule:
    """Reads a rule.

    Args:
        text: A condition; names that are no words of letters (`loading (mol%)`) are understood as
            they are, and may stand in backquotes.
        columns: What may be spoken of: the values of a column of texts, None of numbers.
        forbids: Whether it says what must not be.
        descriptors: Properties of choices and candidates that may be spoken of, too, by name.

    Raises:
        ValueError: It is no such condition; says what was expected.
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"expected a condition such as {_EXAMPLE}, got {shown(text)}")
    if len(text) > _LONGEST:
        raise ValueError(f"expected a condition of at most {_LONGEST} characters, got {len(text)}")
    descriptors = descriptors or {}
    known = {**columns, **{name: each.texts for name, each in descriptors.items()}}
    written, names = _with_plain_names(text.strip(), known)
    tree = _parsed(written, text)
    checked = _Checker(names, known, text)
    if checked.kind(tree) != "condition" or not checked.used:
        raise ValueError(f"expected a condition such as {_EXAMPLE}, got {shown(text)}")
    renamed = _Renamer(names).visit(tree)
    described = {name: descriptors[name] for name in checked.used if name in descriptors}
    for each in described.values():
        each.values()  # refuses a gap in a file
    used = {described[name].column if name in described else name for name in checked.used}
    return Rule(text.strip(), frozenset(used), renamed, forbids, described)


def _with_plain_names(text: str, columns: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The text with `_0`, `_1`, ... in place of columns, outside of quotes, and what these are."""
    names = {f"_{i}": name for i, name in enumerate(columns)}
    plain = {name: word for word, name in names.items()}
    longest = sorted(filter(_stands_alone, plain), key=len, reverse=True)
    alternatives = "|".join(re.escape(name) for name in longest)
    pattern = re.compile(rf"`([^`]+)`|(?<!\w)({alternatives or '(?!)'})(?!\w)")

    def put(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in plain:
            raise ValueError(_unknown(name, columns))
        return f" {plain[name]} "

    parts = _QUOTED.split(text)
    parts[::2] = [_with_python_signs(pattern.sub(put, part)) for part in parts[::2]]
    return "".join(parts).strip(), names


def _stands_alone(name: str) -> bool:
    """Whether a name may stand without backquotes: it is no number, no sign and no word of ours."""
    has_letter = any(character.isalpha() for character in name)
    return has_letter and name not in _WORDS and not _NUMBER.fullmatch(name)


def _with_python_signs(part: str) -> str:
    for sign, meant in (("\u2264", "<="), ("\u2265", ">="), ("\u2260", "!=")):
        part = part.replace(sign, meant)
    return _SINGLE.sub("==", part)


def _parsed(written: str, text: str) -> ast.expr:
    """The expression; 'A if B' is 'A if B else True'."""
    for ending in ("", " else True"):
        try:
            return ast.parse(written + ending, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    raise ValueError(
        f"expected a condition such as {_EXAMPLE}, got {shown(text)}; texts stand in quotes, names "
        "with other characters than letters in backquotes"
    )


def _unknown(name: str, columns: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, list(columns), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    known = listed(list(columns))
    return f"expected names among {known}, got {name!r}{hint} (texts stand in quotes)"


class _Renamer(ast.NodeTransformer):
    """Columns by their own names again."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._names[node.id], node.ctx)


class _Checker:
    """Refuses what is no rule: other syntax, unknown names, texts compared with numbers."""

    def __init__(
        self, names: Mapping[str, str], columns: Mapping[str, Collection[Any] | None], text: str
    ) -> None:
        self._names, self._columns, self._text = names, columns, text
        self.used: set[str] = set()

    def kind(self, node: ast.expr) -> str:
        """Of what an expression is: "condition", "number", "text" or "list"."""
        if isinstance(node, ast.BoolOp):
            for each in node.values:
                self._want(each, "condition")
            return "condition"
        if isinstance(node, ast.IfExp):
            for each in (node.test, node.body, node.orelse):
                self._want(each, "condition")
            return "condition"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self._want(node.operand, "condition")
            return "condition"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            self._want(node.operand, "number")
            return "number"
        if isinstance(node, ast.BinOp) and isinstance(
            node.op, ast.Add | ast.Sub | ast.Mult | ast.Div
        ):
            self._want(node.left, "number")
            self._want(node.right, "number")
            return "number"
        if isinstance(node, ast.Compare):
            self._check_compare(node)
            return "condition"
        return self._kind_of_leaf(node)

    def _kind_of_leaf(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            if node.id not in self._names:
                raise ValueError(_unknown(node.id, self._columns))
            name = self._names[node.id]
            self.used.add(name)
            return "number" if self._columns[name] is None else "text"
        if isinstance(node, ast.Constant):
            if isinstance(node.value, bool):
                return "condition"
            if isinstance(node.value, int | float):
                return "number"
            if isinstance(node.value, str):
                return "text"
        if isinstance(node, ast.Tuple | ast.List | ast.Set) and node.elts:
            kinds = {self.kind(each) for each in node.elts}
            constant = all(isinstance(each, ast.Constant | ast.UnaryOp) for each in node.elts)
            if constant and len(kinds) == 1 and kinds <= {"number", "text"}:
                return "list"
        raise ValueError(
            f"expected comparisons, and, or, not, if, in, + - * / of columns, got "
            f"{type(node).__name__} in {shown(self._text)}; for instance {_EXAMPLE}"
        )

    def _want(self, node: ast.expr, kind: str) -> None:
        if (got := self.kind(node)) != kind:
            what = {"condition": "a comparison", "number": "a number"}[kind]
            raise ValueError(f"expected {what}, got a {got} in {shown(self._text)}")

    def _check_compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
            kinds = self.kind(left), self.kind(right)
            if isinstance(operator, ast.In | ast.NotIn):
                good = kinds[1] == "list" and kinds[0] == self.kind(right.elts[0])  # type: ignore[attr-defined]
            elif isinstance(operator, _ORDER):
                good = kinds == ("number", "number")
            else:
                good = isinstance(operator, ast.Eq | ast.NotEq) and kinds[0] == kinds[1]
                good = good and kinds[0] in ("number", "text")
            if not good:
                raise ValueError(
                    f"expected numbers compared with numbers and choices with texts in quotes, got "
                    f"a {kinds[0]} and a {kinds[1]} in {shown(self._text)}"
                )
            self._check_values(left, right)
            self._check_values(right, left)

    def _check_values(self, column: ast.expr, other: ast.expr) -> None:
        """Texts that a column is compared with are values of it."""
        values = self._columns[self._names[column.id]] if isinstance(column, ast.Name) else None
        if values is None:
            return
        elements = other.elts if isinstance(other, ast.Tuple | ast.List | ast.Set) else [other]
        for each in elements:
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                if values and each.value not in values:
                    name = self._names[column.id]  # type: ignore[attr-defined]
                    near = difflib.get_close_matches(each.value, map(str, values), n=1)
                    raise ValueError(
                        f"expected a value of {name!r}, {shown(list(values))}, got {each.value!r} "
                        f"in {shown(self._text)}" + (f"; did you mean {near[0]!r}?" if near else "")
                    )


def _truth(found: Any) -> NDArray[np.bool_]:
    return np.asarray(found, bool)


def _worked_out(node: ast.expr, columns: Mapping[str, NDArray[Any]]) -> Any:
    """The value of a checked expression, for n designs or as a constant."""
    if isinstance(node, ast.BoolOp):
        found = [_truth(_worked_out(each, columns)) for each in node.values]
        combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        result = found[0]
        for each in found[1:]:
            result = combine(result, each)
        return result
    if isinstance(node, ast.IfExp):
        test, body, other = (
            _truth(_worked_out(each, columns)) for each in (node.test, node.body, node.orelse)
        )
        return np.where(test, body, other)
    if isinstance(node, ast.UnaryOp):
        inside = _worked_out(node.operand, columns)
        if isinstance(node.op, ast.Not):
            return ~_truth(inside)
        return -inside if isinstance(node.op, ast.USub) else inside
    if isinstance(node, ast.BinOp):
        left, right = _worked_out(node.left, columns), _worked_out(node.right, columns)
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Mult):
            return left * right
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.divide(left, right)
    if isinstance(node, ast.Compare):
        return _compared(node, columns)
    if isinstance(node, ast.Name):
        return columns[node.id]
    if isinstance(node, ast.Constant):
        return node.value
    assert isinstance(node, ast.Tuple | ast.List | ast.Set)
    return [_worked_out(each, columns) for each in node.elts]


def _compared(node: ast.Compare, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    sides = [_worked_out(each, columns) for each in (node.left, *node.comparators)]
    found = np.array(True)
    for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
        if isinstance(operator, ast.In | ast.NotIn):
            each = np.any([_same(left, value) for value in right], axis=0)
            found = found & (~each if isinstance(operator, ast.NotIn) else each)
        else:
            found = found & _pair(left, operator, right)
    return found


def _pair(left: Any, operator: ast.cmpop, right: Any) -> NDArray[np.bool_]:
    same = _same(left, right)
    if isinstance(operator, ast.Eq):
        return same
    if isinstance(operator, ast.NotEq):
        return ~same
    if isinstance(operator, ast.LtE):
        return np.asarray((left <= right) | same)
    if isinstance(operator, ast.GtE):
        return np.asarray((left >= right) | same)
    if isinstance(operator, ast.Lt):
        return np.asarray((left < right) & ~same)
    return np.asarray((left > right) & ~same)


def _same(left: Any, right: Any) -> NDArray[np.bool_]:
    """Equality, of numbers up to rounding."""
    first, second = np.asarray(left), np.asarray(right)
    if first.dtype.kind in "iufb" and second.dtype.kind in "iufb":
        size = np.maximum(np.abs(first), np.abs(second))
        return np.asarray(np.abs(first - second) <= _NEAR * size)
    return np.asarray(first == second)
