"""What a module's text says: what it defines, and what each definition refers to; nothing runs."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")  # "module:Class"


class Import(NamedTuple):
    """What is wanted of a module.

    Attributes:
        module: The module, absolute.
        symbol: The name that is wanted; None: the module itself.
        attributes: Of a module itself, what is read from it; nothing: all of it is wanted.
    """

    module: str
    symbol: str | None = None
    attributes: frozenset[str] = frozenset()


class Needs(NamedTuple):
    """What a piece of a module refers to.

    Attributes:
        names: Names that it reads.
        attributes: Pairs of a name and the attribute that is read from it.
        imports: Imports inside of it.
    """

    names: frozenset[str]
    attributes: frozenset[tuple[str, str]]
    imports: tuple[Import, ...]


class Table(NamedTuple):
    """A dict at a module's top level whose keys are all written out as text.

    Attributes:
        entries: The value of each key.
        references: Whether all values are texts as "module:Class".
    """

    entries: Mapping[str, ast.expr]
    references: bool


class Source(NamedTuple):
    """What a module's text says.

    Attributes:
        package: The package that relative imports start from.
        text: The text.
        digest: Hash of the file.
        bound: What imports at the top level bind, by name.
        definitions: Functions, classes and assignments at the top level, by name.
        needs: What each of them refers to, by name.
        always: What all other statements refer to.
        tables: Those of the assignments that are tables, by name.
    """

    package: str
    text: str
    digest: str
    bound: Mapping[str, Sequence[Import]]
    definitions: Mapping[str, ast.stmt]
    needs: Mapping[str, Needs]
    always: Needs
    tables: Mapping[str, Table]


def read_module(module: str, file: Path) -> Source:
    """What a module's text says; read again when the file was written to.

    Args:
        module: The module's full name.
        file: Where it is.

    Raises:
        SyntaxError: The text is no Python.
    """
    status = file.stat()
    return _parsed(module, file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _parsed(module: str, file: Path, changed: int, size: int) -> Source:
    content = file.read_bytes()
    text = content.decode("utf-8")
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    bound: dict[str, list[Import]] = {}
    definitions: dict[str, ast.stmt] = {}
    others: list[ast.AST] = []
    for node in ast.parse(text).body:
        names = list(_defined(node))
        definitions |= dict.fromkeys(names, node)
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name, imported in _bound(node, package):
                bound.setdefault(name, []).append(imported)
        elif not names:
            others.append(node)
    needs = {name: needs_of(node, package=package) for name, node in definitions.items()}
    tables = {name: table for name, node in definitions.items() if (table := _table(node))}
    always = needs_of(*others, package=package)
    return Source(package, text, digest_of(content), bound, definitions, needs, always, tables)


def digest_of(content: bytes) -> str:
    """Hash of some content."""
    return hashlib.sha256(content).hexdigest()[:16]


def _defined(node: ast.stmt) -> Iterator[str]:
    """The names that a function, a class or an assignment defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def needs_of(*nodes: ast.AST, package: str = "") -> Needs:
    """What some statements or expressions refer to."""
    names: set[str] = set()
    attributes: set[tuple[str, str]] = set()
    imports: list[Import] = []
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports += [imported for _, imported in _bound(node, package)]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            attributes.add((node.value.id, node.attr))
        elif isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)
    return Needs(frozenset(names), frozenset(attributes), tuple(imports))


def _table(node: ast.stmt) -> Table | None:
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    if not isinstance(value, ast.Dict) or not value.keys:
        return None
    keys = [key.value for key in value.keys if isinstance(key, ast.Constant)]
    if len(keys) < len(value.keys) or not all(isinstance(key, str) for key in keys):
        return None
    references = all(
        isinstance(entry, ast.Constant) and _REFERENCE.fullmatch(str(entry.value))
        for entry in value.values
    )
    return Table(dict(zip(map(str, keys), value.values, strict=True)), references)


def _bound(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, Import]]:
    """The names that a statement binds, and what to."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0], Import(alias.name)
        return
    module = node.module or ""
    if node.level:
        outer = package.split(".")
        outer = outer[: len(outer) - node.level + 1]
        module = ".".join([*outer, *filter(None, [node.module])])
    for alias in node.names:
        yield alias.asname or alias.name, Import(module, None if alias.name == "*" else alias.name)
