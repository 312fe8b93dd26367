"""The space file: its forms, its schema, and the line of every mistake."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from ombo_agents.campaigns import Campaign, read_space
from ombo_agents.campaigns.space import space_file
from ombo_agents.campaigns.space.factors import ParameterFactor
from ombo_agents.campaigns.space.schema import as_text, space_schema
from ombo_gym import Parameter, parse_parameters
from ombo_gym.design_spaces import parameter
from tests.campaigns.sheets import write
from tests.pages import ROOT

WRITTEN: dict[str, Any] = {
    "range": {"range": [25, 140]},
    "stepped": {"range": [25, 140], "step": 5},
    "log": {"range": [0.1, 10], "scale": "log"},
    "whole": {"integer": [1, 15]},
    "levels": [5, 10, 25, 50],
    "log levels": {"levels": [1, 10, 100], "scale": "log"},
    "choices": ["DMF", "THF"],
    "described": {"choices": ["DMF", "THF", "water"], "descriptors": {"polarity": [6.4, 4.0, 9]}},
    "fixed": "air",
    "pH": 7.4,
}


def test_parameters_are_those_of_the_rest_of_the_package() -> None:
    expected = parse_parameters(WRITTEN).each
    space = read_space(WRITTEN)
    for factor in space.factors:
        assert isinstance(factor, ParameterFactor)
        assert factor.parameter == expected[factor.name]
    assert space.columns == tuple(WRITTEN)


def test_python_may_write_ranges_in_round_brackets_and_arrays() -> None:
    space = read_space(
        {
            "T": (20, 100),
            "n": np.array([1, 2, 4]),
            "feed": {"mixture": ("A", "B"), "bounds": {"A": (10, 90)}},
        }
    )
    again = read_space(space.written)
    for each in (space, again):
        assert each.factors[0].count is None and each.factors[1].count == 3
    assert read_space({"parameters": {"T": (20, 100)}}).factors[0].count is None
    assert read_space({"T": [20, 100]}).factors[0].count == 2


FORMS: dict[str, Any] = {
    "parameters": {"parameters": WRITTEN, "constraints": ["range <= 80"], "shared": "stepped"},
    "without": {**WRITTEN, "exclude": "whole == 7", "distinct": {"choices": 1}},
    "plate": {**WRITTEN, "plate": {"shared": ["whole"], "distinct": {"levels": 2}}},
    "mixture": {"mixture": ["A", "B"], "sum": 1, "step": 0.1, "bounds": {"A": [0.2, 0.5]}},
    "named mixture": {"feed": {"mixture": ["A", "B"]}, "T": {"range": [0, 1], "unit": "°C"}},
    "sequence": {"peptide": {"alphabet": "ACDE", "length": [2, 3]}},
    "letters": {"peptide": {"alphabet": ["A", "C"], "length": 4}, "dose": [1, 2]},
    "library": {"candidates": "library.csv", "id": "name", "columns": ["mass"], "log": "mass"},
    "named library": {"drug": {"candidates": "library.csv"}, "dose": {"range": [1, 2]}},
    "described by a file": {"drug": {"choices": "library.csv", "id": "name"}, "dose": [1, 2]},
    "some of a file": {"drug": {"choices": ["b", "a"], "descriptors": "library.csv"}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "library.csv", "name,mass,class\na,1.5,x\nb,2.5,y\nc,30,x\n")
    return tmp_path


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_from_yaml_and_json_and_fits_the_schema(form: str, folder: Path) -> None:
    written = FORMS[form]
    jsonschema.Draft202012Validator(space_schema()).validate(written)
    as_yaml = write(
        folder, "space.yaml", yaml.safe_dump(written, allow_unicode=True, sort_keys=False)
    )
    as_json = write(folder, "space.json", json.dumps(written, indent=1))
    spaces = [read_space(as_yaml), read_space(str(as_json))]
    first, second = (each.factors for each in spaces)
    assert [f.columns for f in first] == [f.columns for f in second]
    assert [f.count for f in first] == [f.count for f in second]
    assert spaces[0].plate == spaces[1].plate
    rng = np.random.default_rng(0)
    columns = spaces[0].sampled(20, rng, None)
    assert len(next(iter(columns.values()))) >= 2
    again = read_space(spaces[0].written, tables=spaces[0].tables)  # as a campaign's file keeps it
    assert again.columns == spaces[0].columns


def test_the_schema_in_the_documentation_is_the_one_of_the_code() -> None:
    assert (ROOT / "docs" / "space.schema.json").read_text() == as_text()


def test_kinds_of_ones_own_are_refused_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameter, "PARAMETERS", dict(parameter.PARAMETERS))
    monkeypatch.setattr(space_file, "PARAMETERS", parameter.PARAMETERS)

    @dataclass(frozen=True)
    class Angle(Parameter):
        """Angles in degrees."""

        kind: ClassVar[str] = "angle"
        values: tuple[int, ...]

        @property
        def coordinates(self) -> NDArray[np.float64]:
            return np.linspace(-1, 1, len(self.values))

    written: dict[str, Any] = {"angle": {"step": 15}}
    words = r"'azimuth': expected one of range, .*, got 'angle', .*; write .*azimuth: {levels:"
    for azimuth in (written, {**written, "unit": "°"}, Angle((0, 15, 30))):
        for space in ({"azimuth": azimuth}, {"parameters": {"azimuth": azimuth, "T": [1, 2]}}):
            with pytest.raises(ValueError, match=words) as caught:
                Campaign.from_csv([{"azimuth": 15, "y": 1.0}], space, target="y")
            assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    "written",
    [
        {"T": {"rnge": [1, 2]}},
        {"parameters": {"T": [1, 2]}, "shred": ["T"]},
        {"T": {"range": [1]}},
        5,
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(written: Any) -> None:
    assert not jsonschema.Draft202012Validator(space_schema()).is_valid(written)
    with pytest.raises(ValueError, match="expected"):
        read_space(written)


def test_parameters_may_be_called_like_keys_below_parameters() -> None:
    space = read_space(
        {"parameters": {"id": [1, 2], "step": {"range": [0, 1]}, "shared": ["a", "b"]}}
    )
    assert space.columns == ("id", "step", "shared") and not space.plate
    assert read_space({"step": [1, 2], "sum": {"range": [0, 1]}}).columns == ("step", "sum")


def test_candidates_are_described_by_their_columns(folder: Path) -> None:
    (factor,) = read_space(write(folder, "s.yaml", "candidates: library.csv\n")).factors
    assert factor.columns == ("name",) and factor.count == 3
    features = factor.features({"name": np.array(["a", "b", "c"], object)})
    distances = ((features[:, None] - features) ** 2).sum(-1)
    assert (distances + np.eye(3) > 0).all() and distances[0, 2] < distances[1, 2]  # as a, c is x
    with pytest.raises(ValueError, match=r"row 3, column 'name': .* as in row 2"):
        write(folder, "library.csv", "name,mass\na,1\na,2\n")
        read_space(write(folder, "s.yaml", "candidates: library.csv\n"))
    with pytest.raises(
        ValueError, match=r"row 3, column 'mass': expected a number, got ''.*columns:"
    ):
        write(folder, "library.csv", "name,mass\na,1\nb,\nc,3\n")
        read_space(write(folder, "s.yaml", "candidates: library.csv\n"))


def test_molecules_are_described_by_fingerprints(folder: Path) -> None:
    pytest.importorskip("rdkit", reason="needs rdkit: pip install rdkit")
    alcohols, rings = ["CCO", "CCCO", "CCCCO"], ["c1ccccc1", "c1ccccc1C"]
    for space in (
        read_space(
            {"solvent": {"choices": [*alcohols, *rings], "smiles": True}, "T": {"range": [0, 1]}}
        ),
        read_space({"solvent": {"choices": list("abcde"), "smiles": [*alcohols, *rings]}}),
    ):
        factor = space.factors[0]
        values = np.array(factor.values["solvent"], object)
        features = factor.features({"solvent": values})
        distances = ((features[:, None] - features) ** 2).sum(-1)
        assert distances[1, 2] < distances[1, 3] and distances[3, 4] < distances[0, 4]
    lines = "\n".join(f"m{i},{s}" for i, s in enumerate([*alcohols, *rings]))
    write(folder, "mols.csv", f"id,smiles\n{lines}\n")
    space = read_space(
        write(folder, "s.yaml", "candidates: mols.csv\nid: id\nsmiles: smiles\ncolumns: []\n")
    )
    rows = [{"id": f"m{i}", "y": i} for i in range(3)]
    assert len(Campaign.from_csv(rows, space, target="y").suggest([2]).wells) == 2
    with pytest.raises(ValueError, match="number 2: expected SMILES, got 'C1CC'"):
        read_space({"solvent": {"choices": ["CCO", "C1CC"], "smiles": True}})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("T: {range: [9, 1]}", r"line 3: 'T': expected low < high"),
        ("T: {range: [0, 9], step: 2}", r"line 3: 'T': expected a step that leads"),
        ("T: [1, [2]]", r"line 3: 'T': expected numbers or texts"),
        (
            "peptide: {alphabet: AAC, length: 3}",
            r"line 3: 'peptide': expected at least two different",
        ),
        ("peptide: {alphabet: ACGT, length: [3, 2]}", r"line 3: 'peptide': expected a length"),
        ("feed: {mixture: [A, B], step: 30}", r"line 3: step: expected one that 100 is a multiple"),
        ("feed: {mixture: [A, B], bounds: {C: [0, 1]}}", r"line 3: bounds: expected parts among"),
        (
            "feed: {mixture: [A, B], bounds: {A: [0, 30], B: [0, 30]}}",
            r"line 3: mixture: .*sum to 100",
        ),
        ("feed: {mixture: [A, A]}", r"line 3: mixture: expected the names"),
        ("drug: {candidates: no.csv}", r"line 3: csv: expected a file, there is no .*no.csv"),
        ("drug: {candidates: library.csv, id: nme}", r"line 3: .*did you mean 'name'"),
        ("drug: {candidates: library.csv, idd: name}", r"line 3: .*did you mean 'id'"),
        ("y: {choices: [a, b], id: name}", r"line 3: 'y': expected a file of descriptors"),
        ("f: {mixture: [x, y]}", r"line 1: expected each column once, got 'x' twice"),
    ],
)
def test_a_mistake_is_said_with_its_line(line: str, words: str, folder: Path) -> None:
    text = f"parameters:\n  x: {{range: [0, 1]}}\n  {line}\n"
    with pytest.raises(ValueError, match=words):
        read_space(write(folder, "space.yaml", text))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            "constraints: [T <= 3, Q > 1]",
            r"line 2: constraints: expected names among \['T'\], got 'Q'",
        ),
        ("constraints:\n  - T <= 3\n  - T >\n", r"line 4: constraints: expected a condition"),
        ("shared: [Q]", r"line 2: shared: expected names of parameters among \['T'\]"),
        ("distinct: {T: 0}", r"line 2: distinct: 'T': expected a whole number"),
        ("distinct: [T]", r"line 2: expected names with values"),
        ("plate: {share: T}", r"line 2: .*did you mean 'shared'"),
    ],
)
def test_a_rule_that_means_nothing_is_said_with_its_line(
    lines: str, words: str, folder: Path
) -> None:
    with pytest.raises(ValueError, match=words):
        read_space(write(folder, "space.yaml", f"T: {{range: [0, 9]}}\n{lines}\n"))
