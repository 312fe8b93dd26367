"""Which source files stand behind a name: read from the text, without running any of it.

A name of a module needs that module's file, whole, and whatever else its own definition needs:
other names of the module, and names that the module imports, at its top or inside functions, with
what those need in turn. So importing one class of a module does not bring in what only another
class uses, and names that a package merely passes on lead to where they are defined. Statements at
a module's top that define nothing always count; imports under `if TYPE_CHECKING:` never do.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ombo_gym.evaluation.module_text import (
    Import,
    Needs,
    Source,
    Table,
    digest_of,
    needs_of,
    read_module,
)

_STANDARD = sys.stdlib_module_names


class Closure(NamedTuple):
    """What stands behind some names.

    Attributes:
        modules: Modules whose files count.
        libraries: Modules of other packages that they import, by their full names.
    """

    modules: set[str]
    libraries: set[str]


class Needed(NamedTuple):
    """What a name of a module needs.

    Attributes:
        imports: Names of other modules, as they are defined there.
        tables: Tables of its own module.
    """

    imports: Sequence[Import]
    tables: Sequence[Table]


class Listed(NamedTuple):
    """What stands in a module that lists others, for one of those.

    Attributes:
        texts: What counts of the module, by name: what the wanted name and the entry reach in it.
        shared: What the wanted name imports, whatever is listed; where something is, without
            `inner`.
        inner: What is imported inside of functions that the wanted name reaches.
        entry: What the entry needs; None: the module lists no such name.
    """

    texts: dict[str, str]
    shared: list[Import]
    inner: list[Import]
    entry: list[Import] | None


class Modules:
    """The modules of some packages: where they are, and what they say. Each is looked at once.

    Args:
        packages: Top-level modules, by name, with where they are: a package's folder or a module's
            file.
        beside: A folder whose modules belong to them too; None: there is none.
    """

    def __init__(self, packages: Mapping[str, Path], beside: Path | None = None) -> None:
        self.packages = packages
        self._beside = beside
        self._files: dict[str, Path | None] = {}
        self._sources: dict[str, Source] = {}
        self._needed: dict[Import, Needed] = {}

    def file(self, module: str) -> Path | None:
        """The file of a module; None for modules of other packages."""
        if module not in self._files:
            self._files[module] = self._find(module)
        return self._files[module]

    def source(self, module: str) -> Source | None:
        """What a module's text says; None for modules of other packages."""
        file = self.file(module)
        if file is None:
            return None
        if module not in self._sources:
            self._sources[module] = read_module(module, file)
        return self._sources[module]

    def origin(self, wanted: Import) -> Import:
        """Where a wanted name is defined, as far as packages pass it on."""
        seen: set[Import] = set()
        while wanted.symbol is not None and wanted not in seen:
            seen.add(wanted)
            source = self.source(wanted.module)
            if source is not None and wanted.symbol in source.definitions:
                break
            submodule = f"{wanted.module}.{wanted.symbol}"
            if self.file(submodule) is not None:
                return Import(submodule, None, wanted.attributes)
            passed_on = () if source is None else source.bound.get(wanted.symbol, ())
            if len(passed_on) == 1:
                wanted = passed_on[0]._replace(attributes=wanted.attributes)
        return wanted

    def needs(self, wanted: Import) -> Needed:
        """What a name, or all of a module, needs.

        Args:
            wanted: Where it is defined (`origin`), in one of these modules.
        """
        if wanted not in self._needed:
            source = self.source(wanted.module)
            assert source is not None
            if wanted.symbol is not None and wanted.symbol in source.needs:
                roots = [source.always, source.needs[wanted.symbol]]
                reached, imports = _expand(source, roots, {wanted.symbol})
            else:
                reached = set(source.definitions)
                bound = [found for name in source.bound for found in source.bound[name]]
                inner = [found for needs in source.needs.values() for found in needs.imports]
                imports = [*bound, *inner, *source.always.imports]
            tables = [source.tables[name] for name in sorted(reached & source.tables.keys())]
            self._needed[wanted] = Needed(list(self._defined(imports)), tables)
        return self._needed[wanted]

    def _defined(self, imports: Iterable[Import]) -> Iterator[Import]:
        """Where imported names are defined, each once; of modules, the names that are read."""
        waiting, seen = list(imports), set[Import]()
        while waiting:
            wanted = self.origin(waiting.pop())
            if wanted.symbol is None and wanted.attributes and self.file(wanted.module):
                waiting += [Import(wanted.module, name) for name in sorted(wanted.attributes)]
            elif wanted not in seen:
                seen.add(wanted)
                yield wanted

    def _find(self, module: str) -> Path | None:
        top, *rest = module.split(".")
        if top in self.packages:
            place = self.packages[top]
        elif self._beside is not None:
            folder = self._beside / top
            place = folder if folder.is_dir() else folder.with_suffix(".py")
        else:
            return None
        if place.suffix == ".py":
            return place if place.is_file() and not rest else None
        place = place.joinpath(*rest)
        files = (place / "__init__.py", place.with_suffix(".py"))
        return next((file for file in files if file.is_file()), None)


class ImportGraph:
    """Which names of some modules need which.

    Args:
        modules: The modules.
        left_out: Modules that do not count, with all that is in them.
        name: Of tables of references the only entry that counts, and is followed; None: all are.
    """

    def __init__(
        self, modules: Modules, *, left_out: Sequence[str] = (), name: str | None = ""
    ) -> None:
        self.modules = modules
        self._left_out = tuple(left_out)
        self._name = name

    def closure(self, roots: Iterable[Import]) -> Closure:
        """All that stands behind some names."""
        found = Closure(set(), set())
        seen: set[Import] = set()
        waiting = [self.modules.origin(root) for root in roots]
        while waiting:
            wanted = waiting.pop()
            if wanted in seen or self._is_left_out(wanted.module):
                continue
            seen.add(wanted)
            if self.modules.file(wanted.module) is not None:
                found.modules.add(wanted.module)
                needed = self.modules.needs(wanted)
                waiting += needed.imports
                waiting += self._referred(wanted.module, needed.tables)
            elif wanted.module.partition(".")[0] not in {*self.modules.packages, *_STANDARD}:
                found.libraries.add(wanted.module)
        return found

    def _is_left_out(self, module: str) -> bool:
        return any(module == name or module.startswith(f"{name}.") for name in self._left_out)

    def _referred(self, module: str, tables: Iterable[Table]) -> Iterator[Import]:
        """What the entries of tables of references in a module lead to."""
        for table in tables:
            for entry in self._chosen(table).values() if table.references else ():
                target, _, symbol = ast.literal_eval(entry).partition(":")
                source = self.modules.source(module)
                beside = "" if source is None else f"{source.package}.{target}"
                absolute = beside if self.modules.file(beside) is not None else target
                yield self.modules.origin(Import(absolute, symbol))

    def _chosen(self, table: Table) -> Mapping[str, ast.expr]:
        """The entries of a table of references that count."""
        if self._name is None:
            return table.entries
        return {key: entry for key, entry in table.entries.items() if key == self._name}

    def digest(self, module: str) -> str:
        """Hash of a module's text, without entries of tables of references that do not count."""
        source = self.modules.source(module)
        if source is None:
            return ""
        left_out = [
            table.entries[key]
            for table in source.tables.values()
            if table.references
            for key in table.entries.keys() - self._chosen(table).keys()
        ]
        if not left_out:
            return source.digest
        lines = source.text.splitlines(keepends=True)
        for entry in left_out:
            end = entry.end_lineno or entry.lineno
            lines[entry.lineno - 1 : end] = [""] * (end - entry.lineno + 1)
        return digest_of("".join(lines).encode())

    def listed(self, wanted: Import, entry: str) -> Listed:
        """What counts of a module that lists others in tables, such as names of policies.

        Args:
            wanted: A name of the module.
            entry: Of tables the only entry that counts.

        Returns:
            Where the module is not one that is followed, only that it is wanted.
        """
        source = self.modules.source(wanted.module)
        if source is None or wanted.symbol is None:
            return Listed({}, [wanted], [wanted], None)
        tables = source.tables.keys()
        roots = [source.needs[wanted.symbol]] if wanted.symbol in source.needs else []
        reached, shared = _expand(source, roots, {wanted.symbol}, closed=tables)
        entries = [
            table.entries[entry]
            for name, table in source.tables.items()
            if name in reached and entry in table.entries
        ]
        inner = [found for name in sorted(reached - tables) for found in _inner(source, name)]
        if reached & tables:  # functions import what some of those that are listed need
            shared = [found for found in shared if found not in inner]
        texts = {f"{entry} {i}": ast.unparse(node) for i, node in enumerate(entries)}
        needed: list[Import] | None = None
        if entries:
            used, needed = _expand(source, list(map(needs_of, entries)), set(), closed=tables)
            reached |= used
        texts |= {
            name: ast.unparse(source.definitions[name])
            for name in sorted(reached - tables)
            if name in source.definitions
        }
        return Listed(texts, shared, inner, needed)


def _inner(source: Source, name: str) -> Sequence[Import]:
    return source.needs[name].imports if name in source.needs else ()


def _expand(
    source: Source, roots: Sequence[Needs], reached: Iterable[str], closed: Iterable[str] = ()
) -> tuple[set[str], list[Import]]:
    """Follows what is referred to within a module.

    Args:
        source: The module.
        roots: Where to begin.
        reached: Names that are reached to begin with.
        closed: Names of definitions that are reached, but not looked into.

    Returns:
        The names that are reached, and all that they import.
    """
    found, imports = set(reached), list[Import]()
    waiting = list(roots)
    while waiting:
        needs = waiting.pop()
        imports += needs.imports
        read: dict[str, set[str]] = {name: set() for name in needs.names}
        for name, attribute in needs.attributes:
            read.setdefault(name, set()).add(attribute)
        for name, attributes in read.items():
            if name not in source.needs:
                whole = name in needs.names
                for bound in source.bound.get(name, ()):
                    outer = bound.symbol is None and bound.module.startswith(f"{name}.")
                    taken = frozenset() if whole or outer else frozenset(attributes)
                    imports.append(bound._replace(attributes=taken))
            elif name not in found:
                found.add(name)
                waiting += [] if name in closed else [source.needs[name]]
    return found, imports
