"""The space file: YAML or JSON in the user's words, read into a `Space`; errors name the line."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ombo_agents.campaigns.files.located import Located, check_commas, read_located, relocated
from ombo_agents.campaigns.space.candidate_list import CandidateFactor
from ombo_agents.campaigns.space.descriptors import (
    Descriptor,
    descriptors_of_choices,
    descriptors_of_sheet,
    spoken_of,
)
from ombo_agents.campaigns.space.factors import Factor, ParameterFactor
from ombo_agents.campaigns.space.library import (
    Table,
    described_choices,
    file_of,
    hint_of_rule,
    library,
    parse_table,
)
from ombo_agents.campaigns.space.meant_parameters import meant
from ombo_agents.campaigns.space.rules import Rule, parse_rule
from ombo_agents.campaigns.space.space import Space
from ombo_agents.campaigns.space.written_factors import (
    MIXTURE,
    check_keys,
    mixture_of,
    sequence_of,
)
from ombo_gym.arguments import as_json, shown
from ombo_gym.design_spaces.parameter import PARAMETERS
from ombo_gym.design_spaces.parameters import Choices, Fixed, parse_parameter
from ombo_gym.design_spaces.values import is_number

_LIBRARY = ("candidates", "id", "columns", "log", "scale", "smiles")
_RULES = ("constraints", "exclude", "shared", "distinct", "plate")
_FEWEST_OR_MOST = re.compile(r"(at least|at most) (\d{1,6})")
TOP = ("parameters", *MIXTURE, *_LIBRARY, *_RULES)
_KINDS = "range, integer, levels, choices, fixed, alphabet, mixture, candidates"
_EXAMPLE = "temperature: {range: [25, 140], step: 5}"


def read_space(source: Any, tables: Mapping[str, Table] | None = None) -> Space:
    """Reads a space file.

    Args:
        source: The path of a YAML or JSON file, the same as a dict, or a `Space`.
        tables: Files that it names, by name, where they are not read from beside it.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is none; says the line, what was expected, what came, and what to do.

    Example:
        >>> space = read_space({"temperature": {"range": [25, 140]}, "solvent": ["DMF", "THF"]})
        >>> space.columns
        ('temperature', 'solvent')
    """
    if isinstance(source, Space):
        return source
    if isinstance(source, Mapping):
        return _Reader(relocated(as_json(_with_ranges(source)), "space"), Path(), tables).space()
    if not isinstance(source, str | Path):
        raise ValueError(f"space: expected the path of a space file or a dict, got {shown(source)}")
    path = Path(source)
    return _Reader(read_located(path), path.parent, tables).space()


def _with_ranges(source: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as Python has them: two numbers in round brackets are a range."""
    found = {
        name: {"range": list(each)}
        if isinstance(each, tuple) and len(each) == 2 and all(map(is_number, each))
        else each
        for name, each in source.items()
    }
    inside = found.get("parameters")
    return found | {"parameters": _with_ranges(inside)} if isinstance(inside, Mapping) else found


class _Reader:
    """Reads one file.

    Args:
        file: What it holds.
        folder: Where files that it names are.
        tables: Those that are known already.
    """

    def __init__(self, file: Located, folder: Path, tables: Mapping[str, Table] | None) -> None:
        self._file, self._folder, self._known = file, folder, tables
        self._tables: dict[str, Table] = dict(tables or {})
        self._units: dict[str, str] = {}
        self._descriptors: list[Descriptor] = []

    def space(self) -> Space:
        """What the file says.

        Raises:
            ValueError: It is not written as it should be.
        """
        top = self._file.entries()
        parameters, rest = self._split(top)
        factors: list[Factor] = []
        if "candidates" in rest:
            factors.append(self._library(self._part(_LIBRARY), None))
        for name, written in parameters.items():
            factors.append(self._factor(name, written))
        if "mixture" in rest:
            factors.append(mixture_of(self._part(MIXTURE)))
        names = [name for factor in factors for name in factor.columns]
        if not factors or all(factor.count == 1 for factor in factors):
            raise self._file.error(
                f"expected parameters of which one at least is not fixed, for instance {_EXAMPLE}"
            )
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise self._file.error(f"expected each column once, got {twice!r} twice; rename one")
        values = {n: v for factor in factors for n, v in factor.values.items()}
        plate, variety = self._plate(factors)
        return Space(
            tuple(factors),
            (*self._rules("constraints", values), *self._rules("exclude", values)),
            plate,
            self._units,
            self._file.plain,
            self._tables,
            variety,
        )

    def _split(self, top: Mapping[str, Located]) -> tuple[Mapping[str, Located], set[str]]:
        """Parameters, and the other keys."""
        if "parameters" in top:
            for key, each in top.items():
                if key not in TOP:
                    near = difflib.get_close_matches(key, TOP, n=1)
                    hint = (
                        f"did you mean {near[0]!r}?"
                        if near
                        else "parameters are indented below 'parameters:'"
                    )
                    raise each.error(f"expected keys among {list(TOP)}, got {key!r}; {hint}")
            return top["parameters"].entries(), set(top) - {"parameters"}
        rest = {key for key in top if key in TOP}
        for needed, keys in (("mixture", MIXTURE), ("candidates", _LIBRARY)):
            alone = [key for key in keys if key in rest and needed not in rest]
            for key in alone:  # a parameter may be called so, then
                rest.discard(key)
        if "step" in top and "mixture" not in top:
            rest.discard("step")
        return {key: each for key, each in top.items() if key not in rest}, rest

    def _part(self, keys: tuple[str, ...]) -> Located:
        """Some keys of the file as a mapping of their own."""
        top = self._file.entries()
        inside = {key: top[key] for key in keys if key in top}
        line = inside[keys[0]].line
        return Located(inside, line, self._file.name)

    # --- parameters -----------------------------------------------------------------------------

    def _factor(self, name: str, written: Located) -> Factor:
        if not name.strip():
            raise written.error("expected a name before the colon, got an empty one")
        if not isinstance(written.value, dict):
            if isinstance(written.value, list):
                check_commas(name, written.members())
            return self._parameter(name, written, written.plain)
        entries = dict(written.entries())
        if "choices" in entries and isinstance(entries["choices"].value, list):
            check_commas(name, entries["choices"].members())
        if "unit" in entries:
            unit = entries.pop("unit")
            if not isinstance(unit.value, str):
                raise unit.error(f"{name!r}: expected a unit as a text, got {shown(unit.plain)}")
            self._units[name] = unit.value
        rest = Located(entries, written.line, written.name)
        if "alphabet" in entries:
            return sequence_of(name, rest)
        if "mixture" in entries:
            return mixture_of(rest)
        if "candidates" in entries:
            return self._library(rest, name)
        if "choices" in entries and (
            isinstance(entries["choices"].value, str)
            or {"smiles", "id"} & set(entries)
            or isinstance(entries.get("descriptors", rest).value, str)
        ):
            choices = self._guarded(rest, name, lambda: described_choices(rest, self._table))
            self._describe(name, rest)
            return ParameterFactor(name, choices)
        return self._parameter(name, rest, rest.plain)

    def _parameter(self, name: str, written: Located, plain: Any) -> ParameterFactor:
        if plain is None:
            raise written.error(
                f"{name!r}: expected what it may be, such as {_EXAMPLE}, got nothing"
            )
        if isinstance(plain, dict) and not plain:
            raise written.error(f"{name!r}: expected one of {_KINDS}, got nothing")
        if (kind := _own_kind(plain)) is not None:
            raise written.error(
                f"{name!r}: expected one of {_KINDS}, got {kind!r}, a kind of one's own, which "
                "environments and CampaignSpec have and space files have not; write its values as "
                f"{name}: {{levels: [...]}}, or {name}: {{choices: [...], descriptors: {{...}}}} "
                "with columns of numbers that say which are alike"
            )
        if isinstance(plain, list):
            if not plain:
                raise written.error(f"{name!r}: expected a list of values, got an empty one")
            for each in written.members():
                if isinstance(each.value, list | dict) or each.value is None:
                    raise each.error(
                        f"{name!r}: expected numbers or texts, got {shown(each.plain)}"
                    )
            if len(plain) == 1:
                plain = plain[0]
            elif any(map(is_number, plain)) and not all(map(is_number, plain)):
                plain = {"choices": [str(each) for each in plain]}
        if isinstance(plain, dict):
            known = ("range", "integer", "levels", "choices", "fixed")
            if not set(plain) & set(known):
                near = [m for key in plain for m in difflib.get_close_matches(key, known, n=1)]
                hint = f"; did you mean {near[0]!r}?" if near else f"; for instance {_EXAMPLE}"
                if (line := meant(plain)) is not None:
                    hint = f"; write {name}: {line}"
                raise written.error(f"{name!r}: expected one of {_KINDS}, got {shown(plain)}{hint}")
        if isinstance(plain, str) and (line := meant(plain)) is not None:
            quoted = json.dumps(plain, ensure_ascii=False)
            raise written.error(
                f"{name!r}: expected what it may be, got the text {shown(plain)}, which would be "
                f"one fixed value; write {name}: {line}, or {{fixed: {quoted}}} if this very text "
                "is meant"
            )
        try:
            parameter = self._guarded(written, name, lambda: parse_parameter(plain))
        except ValueError as error:
            if (line := meant(plain)) is None:
                raise
            words = str(error).rpartition("; ")[0]
            raise ValueError(f"{words}; write {name}: {line}") from None
        if isinstance(parameter, Choices):
            inline = descriptors_of_choices(name, parameter.values, parameter.descriptors)
            self._descriptors += inline
            texts = [str(value).casefold() for value in parameter.values]
            if len(set(texts)) < len(texts):
                parameter = self._cased(written, name, parameter)
        elif isinstance(parameter, Fixed) and isinstance(parameter.value, dict | list | tuple):
            raise written.error(f"{name!r}: expected a number or a text, got {shown(plain)}")
        return ParameterFactor(name, parameter)

    def _cased(self, written: Located, name: str, choices: Choices) -> Choices:
        texts = [str(value) for value in choices.values]
        if len(set(texts)) < len(texts):
            twice = next(text for text in texts if texts.count(text) > 1)
            raise written.error(f"{name!r}: expected each choice once, got {twice!r} twice")
        return choices

    def _guarded(self, written: Located, name: str, read: Callable[[], Any]) -> Any:
        """What a reader gives, its errors with the line."""
        try:
            return read()
        except (ValueError, TypeError) as error:
            words = str(error)
            if words.startswith((f"{written.name}, line", "csv: ")):
                raise ValueError(words) from None
            raise written.error(f"{name!r}: {words}") from None

    def _table(self, named: Located) -> Table:
        """A file that the space file names."""
        if not isinstance(named.value, str) or not named.value:
            raise named.error(f"expected the name of a CSV or Excel file, got {shown(named.plain)}")
        if named.value not in self._tables:
            if self._known is not None:
                raise named.error(f"expected the file {named.value!r}, which is not there")
            try:
                self._tables[named.value] = parse_table(self._folder / named.value)
            except (ValueError, OSError) as error:
                raise named.error(str(error)) from None
        return self._tables[named.value]

    def _library(self, written: Located, name: str | None) -> CandidateFactor:
        check_keys(written, _LIBRARY)
        found = library(written, self._table, name)
        self._describe(found.name, written)
        return found

    def _describe(self, column: str, written: Located) -> None:
        """Keeps what the file of a column says of it, for constraints."""
        if (described := file_of(written, self._table)) is not None:
            self._descriptors += descriptors_of_sheet(column, *described)

    # --- rules ----------------------------------------------------------------------------------

    def _rules(self, key: str, values: Mapping[str, Any]) -> list[Rule]:
        top = self._file.entries()
        if key not in top:
            return []
        given = top[key]
        listed = given.members() if isinstance(given.value, list) else [given]
        found = []
        for each in listed:
            try:
                found.append(
                    parse_rule(
                        each.plain,
                        values,
                        forbids=key == "exclude",
                        descriptors=spoken_of(self._descriptors, values),
                    )
                )
            except ValueError as error:
                raise each.error(f"{key}: {error}{hint_of_rule(each)}") from None
        return found

    def _plate(self, factors: list[Factor]) -> tuple[dict[str, int], dict[str, int]]:
        """The most different values in a plate, and the fewest, by column."""
        top = dict(self._file.entries())
        if "plate" in top and isinstance(top["plate"].value, dict):
            check_keys(top["plate"], ("shared", "distinct"))
            top |= top["plate"].entries()
        single = [f.name for f in factors if isinstance(f, ParameterFactor | CandidateFactor)]
        counts = {name: f.count for f in factors for name in f.columns}
        found: dict[str, int] = {}
        fewest: dict[str, int] = {}
        if "shared" in top:
            given = top["shared"]
            for each in given.members() if isinstance(given.value, list) else [given]:
                _check_plate_column(each, each.plain, single, "shared")
                found[each.plain] = 1
        for name, each in top["distinct"].entries().items() if "distinct" in top else ():
            _check_plate_column(each, name, single, "distinct")
            least, most = _distinct(each, name)
            if least is not None:
                _check_fewest(each, name, least, counts[name], found.get(name))
                fewest[name] = least
            if most is not None:
                found[name] = min(most, found.get(name, most))
        return found, fewest


def _distinct(each: Located, name: Any) -> tuple[int | None, int | None]:
    """The fewest and the most different values on a plate; None: it does not say."""
    written = each.plain
    if isinstance(written, str) and (words := _FEWEST_OR_MOST.fullmatch(written.strip())):
        bound = int(words[2])
        if bound >= 1:
            return (bound, None) if words[1] == "at least" else (None, bound)
    if not isinstance(written, int) or isinstance(written, bool) or written < 1:
        raise each.error(
            f"distinct: {name!r}: expected a whole number of at least 1, the most "
            f"different values in a plate, or 'at least 4', the fewest, got {shown(written)}"
        )
    return None, written


def _check_fewest(
    each: Located, name: Any, fewest: int, count: int | None, most: int | None
) -> None:
    """Refuses more different values than there are, or than a plate may have."""
    there = [number for number in (count, most) if number is not None]
    if there and fewest > min(there):
        why = "it is shared by the plate" if most == 1 else f"it has {count} values"
        raise each.error(
            f"distinct: {name!r}: expected at most {min(there)} different values of a plate, since "
            f"{why}, got 'at least {fewest}'; ask for fewer"
        )


def _own_kind(plain: Any) -> str | None:
    """The kind of one's own that a parameter is written with, or is an object of."""
    kinds = plain if isinstance(plain, dict) else [getattr(type(plain), "kind", None)]
    return next((kind for kind in kinds if kind in PARAMETERS), None)


def _check_plate_column(each: Located, name: Any, known: list[str], key: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1)
        raise each.error(
            f"{key}: expected names of parameters among {known}, got {shown(name)}"
            + (f"; did you mean {near[0]!r}?" if near else "")
        )
