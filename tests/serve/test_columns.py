"""The page of columns: its fields are the space file, and what is wrong is said of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_agents.campaigns import read_space
from ombo_agents.campaigns.data.settings import Settings, Target
from ombo_agents.campaigns.files.made_sheets import made_sheet
from ombo_agents.serve.workspace import workspaces
from ombo_agents.serve.workspace.drafts import draft_of
from ombo_agents.serve.workspace.understanding import as_text, settings_of, written_space
from tests.serve.visitor import SHEET, SPACE, Visitor, wrongs

SOLVENT, TEMPERATURE, TIME, YIELD, REMARK = range(5)


def change(visitor: Visitor, **fields: str) -> Any:
    """Sends the fields of the page with some changed; "-" in names stands as "_"."""
    changed = {name.replace("_at_", "-"): each for name, each in fields.items()}
    return visitor.post("/columns", **{**visitor.fields(), **changed})


def written(visitor: Visitor) -> dict[str, Any]:
    space = visitor.workspace.space
    assert space is not None
    return dict(space.written)


def test_fields_show_what_the_space_file_says(measured: Visitor) -> None:
    fields = measured.fields()
    shown = {
        name: fields[f"{name}-{TEMPERATURE}"] for name in ("role", "kind", "low", "high", "step")
    }
    assert shown == {"role": "parameter", "kind": "range", "low": "25", "high": "140", "step": "5"}
    assert fields[f"values-{TIME}"] == "1\n2\n4\n8" and fields[f"log-{TIME}"] == "on"
    assert fields[f"values-{SOLVENT}"] == "DMF\nTHF"
    assert fields[f"role-{YIELD}"] == "target" and fields[f"role-{REMARK}"] == "ignored"
    assert fields["failed"] == "n.d."


def test_the_page_says_what_check_says(measured: Visitor) -> None:
    page = measured.get("/columns").text
    campaign = measured.workspace.campaign
    assert campaign is not None
    for line in campaign.check().splitlines():
        said = line.split("  ")[-1].strip()
        assert said.replace("<", "&lt;") in page, line


def test_saving_without_a_change_keeps_the_space_file_to_the_letter(measured: Visitor) -> None:
    assert change(measured).status_code == 303
    assert measured.get("/space.yaml").text == SPACE


@pytest.mark.parametrize(
    ("fields", "entry"),
    [
        ({"low_at_1": "30", "high_at_1": "120,5", "step_at_1": ""}, {"range": [30, 120.5]}),
        ({"log_at_1": "on"}, {"range": [25, 140], "step": 5, "scale": "log"}),
        ({"kind_at_1": "integer", "step_at_1": ""}, {"integer": [25, 140]}),
        ({"kind_at_1": "levels", "values_at_1": "40\n60\n80"}, {"levels": [40, 60, 80]}),
        ({"kind_at_1": "choices", "values_at_1": "60\n80\n"}, {"choices": ["60", "80"]}),
        ({"kind_at_1": "fixed", "values_at_1": "60"}, {"fixed": 60}),
    ],
)
def test_a_field_changes_the_space_file(
    measured: Visitor, fields: dict[str, str], entry: Any
) -> None:
    answer = change(measured, **fields)
    assert answer.status_code == 303, wrongs(answer)
    assert written(measured)["parameters"]["t"] == entry
    assert written(measured)["parameters"]["time"] == {"levels": [1, 2, 4, 8], "scale": "log"}
    again = read_space({"x": [0, 1], "t": entry}).factors[1]
    assert measured.workspace.space is not None
    assert measured.workspace.space.factors[1] == again


def test_a_column_that_is_not_varied_leaves_the_space(measured: Visitor) -> None:
    assert change(measured, role_at_1="ignored").status_code == 303
    assert list(written(measured)["parameters"]) == ["solvent", "time"]


def test_a_column_that_is_varied_enters_it_under_its_own_name(visitor: Visitor) -> None:
    sheet = "T (°C),dose,y\n20,1,5\n30,2.5,6\n45,4,9\n"
    visitor.post("/sheet", sheet=("s.csv", sheet), space=("s.yaml", "t: {range: [0, 50]}\n"))
    answer = change(visitor, role_at_1="parameter", kind_at_1="range", low_at_1="0", high_at_1="5")
    assert answer.status_code == 303
    assert written(visitor)["parameters"]["dose"] == {"range": [0, 5], "step": 0.5}


def test_rules_and_values_of_a_plate(measured: Visitor) -> None:
    answer = change(
        measured,
        constraints='t <= 80 if solvent == "THF"\n',
        exclude="t > 120 and time > 4",
        most_at_1="1",
        most_at_2="3",
    )
    assert answer.status_code == 303, wrongs(answer)
    space = measured.workspace.space
    assert space is not None
    assert [rule.text for rule in space.rules] == [
        't <= 80 if solvent == "THF"',
        "t > 120 and time > 4",
    ]
    assert dict(space.plate) == {"t": 1, "time": 3}
    fields = measured.fields()
    assert (fields["most-1"], fields["most-2"]) == ("1", "3")
    assert fields["constraints"].strip() == 't <= 80 if solvent == "THF"'
    assert (
        change(measured, most_at_1="", most_at_2="", constraints="", exclude="").status_code == 303
    )
    assert written(measured) == {"parameters": written(measured)["parameters"]}


def test_roles_goal_words_and_origin_are_the_settings(measured: Visitor) -> None:
    sheet = SHEET.replace("remark", "batch,cost").replace("DMF,60,2,14,again", "DMF,60,2,14,B,3")
    measured.post(
        "/sheet",
        sheet=(
            "s.csv",
            "\n".join(
                line if i in (0, 2) else f"{line.rsplit(',', 1)[0]},A,{i}"
                for i, line in enumerate(sheet.splitlines())
            ),
        ),
    )
    answer = change(
        measured,
        role_at_4="block",
        role_at_5="cost",
        goal_at_3="min",
        pending="later",
        failed_value="99",
        origin="percentile",
        percentile="40",
    )
    assert answer.status_code == 303, wrongs(answer)
    kept = measured.workspace.settings
    assert kept is not None
    assert (kept.block, kept.cost, kept.round_column) == ("batch", "cost", None)
    assert kept.targets == (Target("yield (%)", "min"),)
    assert (kept.failed, kept.pending, kept.failed_value) == (("n.d.",), ("later",), 99)
    assert (kept.origin.kind, kept.origin.percentile) == ("percentile", 40)


def test_two_targets_have_weights_and_ends(measured: Visitor) -> None:
    answer = change(
        measured, role_at_1="target", weight_at_1="0.5", good_from_at_1="0", good_to_at_1="200"
    )
    assert answer.status_code == 303, wrongs(answer)
    assert measured.workspace.settings is not None
    assert measured.workspace.settings.targets == (
        Target("T (°C)", "max", 0.5, 0, 200),
        Target("yield (%)"),
    )


def test_guessed_ends_of_a_column_are_not_those_of_a_target(visitor: Visitor) -> None:
    visitor.post("/sheet", sheet=("s.csv", "T,y,z\n20,1,5\n35,2,3\n80,4,4\n55,3,3.5\n"))
    answer = change(visitor, role_at_1="target", role_at_2="ignored")
    assert answer.status_code == 303, wrongs(answer)
    assert visitor.workspace.settings is not None
    assert visitor.workspace.settings.targets == (Target("y"),)
    assert not visitor.workspace.settings.scored
    answer = change(visitor, role_at_1="parameter", role_at_2="target")
    assert answer.status_code == 303, wrongs(answer)
    assert written(visitor)["parameters"]["y"] == {"range": [1, 4], "step": 1}


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"good_from_at_3": "0"}, "column-3", "to: expected a number, got nothing"),
        ({"good_from_at_3": "9", "good_to_at_3": "2"}, "column-3", "expected low < high"),
        ({"weight_at_3": "-1"}, "column-3", "expected a weight above 0"),
        ({"low_at_1": "cold"}, "column-1", "from: expected a number, got 'cold'"),
        ({"low_at_1": "200"}, "column-1", "low"),
        ({"step_at_1": "0"}, "column-1", "step"),
        ({"kind_at_0": "choices", "values_at_0": "DMF"}, "column-0", "at least two categories"),
        ({"kind_at_2": "levels", "values_at_2": "1\nx"}, "column-2", "levels: expected a number"),
        ({"kind_at_2": "fixed", "values_at_2": " "}, "column-2", "expected the fixed value"),
        ({"most_at_1": "0"}, "column-1", "values on a plate: expected a whole number"),
        ({"most_at_1": "1.5"}, "column-1", "values on a plate: expected a whole number"),
        ({"role_at_3": "ignored"}, "sheet", "expected a column that is measured, got none"),
        ({"failed": "", "pending": ""}, "column-3", "row 6, column 'yield (%)'"),
        ({"failed": "n.d.", "pending": "n.d."}, "failed", "expected each word in one of them"),
        ({"failed_value": "bad"}, "failed_value", "failed wells count as: expected a number"),
        ({"constraints": "q < 5"}, "rules", "constraints: "),
        ({"constraints": "t < 0"}, "rules", "constraints: expected designs"),
        ({"exclude": "t <"}, "rules", "exclude: "),
        ({"role_at_4": "block", "role_at_0": "block"}, "column-4", "expected one column for"),
        ({"role_at_1": "nonsense"}, "column-1", "expected a choice of the list"),
        ({"kind_at_1": "nonsense"}, "column-1", "expected a choice of the list"),
        ({"origin": "nonsense"}, "origin", "expected a choice of the list"),
        ({"origin": "percentile", "percentile": "x"}, "origin", "origin: expected percentile:50"),
        (
            {"role_at_0": "ignored", "role_at_1": "ignored", "role_at_2": "ignored"},
            "fields-space",
            "expected parameters",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place_and_nothing_changes(
    measured: Visitor, fields: dict[str, str], place: str, words: str
) -> None:
    before = vars(measured.workspace).copy()
    answer = change(measured, **fields)
    assert answer.status_code == 422
    found = wrongs(answer)
    assert words in found[place][0], found
    assert "--" not in str(found)
    assert vars(measured.workspace) == before
    for value in fields.values():
        if "nonsense" not in value and value.strip():  # shown again as it was sent
            assert value.strip().replace("'", "&#39;").replace("<", "&lt;") in answer.text


def test_every_wrong_column_is_said_at_once(measured: Visitor) -> None:
    found = wrongs(change(measured, low_at_1="x", values_at_2="y", failed_value="z"))
    assert set(found) == {"column-1", "column-2", "failed_value"}


def test_cells_that_cannot_be_meant_are_listed_with_their_rows(visitor: Visitor) -> None:
    sheet = "T,y\n20,5\n3O,6\n4O,9\n50,x\n60,2\n"
    visitor.post("/sheet", sheet=("s.csv", sheet), space=("s.yaml", "T: {range: [0, 90]}\n"))
    answer = visitor.post("/columns", **visitor.fields())
    assert answer.status_code == 422
    found = wrongs(answer)
    assert "s.csv, row 3, column 'T': expected a number, got '3O'" in found["column-0"][0]
    assert "(the same in row 4)" in found["column-0"][0]
    assert "s.csv, row 5, column 'y'" in found["column-1"][0]


def test_a_space_file_is_edited_as_text(measured: Visitor) -> None:
    text = "t: {range: [25, 140]}\nsolvent: [DMF, THF]  # others later\n"
    assert measured.post("/space", text=text).location == "/columns"
    assert measured.get("/space.yaml").text == text
    assert measured.workspace.campaign is not None
    assert measured.workspace.campaign.space.columns == ("t", "solvent")


def test_a_mistake_in_the_text_names_its_line_and_changes_nothing(measured: Visitor) -> None:
    before = vars(measured.workspace).copy()
    text = "solvent: [DMF, THF]\nt: {rang: [25, 140]}\n"
    answer = measured.post("/space", text=text)
    assert answer.status_code == 422
    assert "space.yaml, line 2: 't': expected one of" in wrongs(answer)["text"][0]
    assert text.replace("'", "&#39;") in answer.text
    assert vars(measured.workspace) == before


def test_files_that_the_text_names_are_sent_along(measured: Visitor) -> None:
    text = "solvent: {choices: solvents.csv, id: name}\nt: {range: [25, 140]}\n"
    assert measured.post("/space", text=text).status_code == 422
    table = "name,polarity\nDMF,6.4\nTHF,4\n"
    assert measured.post("/space", text=text, tables=("solvents.csv", table)).status_code == 303
    fields = measured.fields()
    assert fields["kind-0"] == "written"
    assert change(measured, high_at_1="150").status_code == 303
    assert written(measured)["parameters"]["solvent"] == {"choices": "solvents.csv", "id": "name"}
    assert written(measured)["parameters"]["t"] == {"range": [25, 150]}


def test_too_many_files_are_refused(measured: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspaces, "MOST_TABLES", 1)
    table = "name,x\na,1\nb,2\n"
    answers = [
        measured.post("/space", text=SPACE, tables=(name, table)) for name in ("a.csv", "b.csv")
    ]
    assert [each.status_code for each in answers] == [303, 422]
    assert "tables: expected at most 1, got one more" in wrongs(answers[1])["text"][0]


def test_a_fixed_parameter_without_a_column_is_shown_and_kept(measured: Visitor) -> None:
    assert measured.post("/space", text=SPACE + "  gas: N2\n").status_code == 303
    fields = measured.fields()
    assert (fields["kind-5"], fields["values-5"], fields["role-5"]) == ("fixed", "N2", "parameter")
    assert change(measured, values_at_5="argon").status_code == 303
    assert written(measured)["parameters"]["gas"] == {"fixed": "argon"}
    assert change(measured, role_at_5="ignored").status_code == 303
    assert "gas" not in written(measured)["parameters"]


MIXTURE = """\
mixture: [A, B, C]
sum: 100
step: 5
temperature: {range: [20, 60]}
constraints: [A + B <= 80]
"""


def test_a_mixture_stays_as_it_is_written(visitor: Visitor) -> None:
    sheet = "A,B,C,temperature,y\n20,30,50,25,1\n40,40,20,30,2\n60,10,30,40,3\n"
    visitor.post("/sheet", sheet=("s.csv", sheet), space=("s.yaml", MIXTURE))
    fields = visitor.fields()
    assert [fields[f"kind-{i}"] for i in range(4)] == ["written"] * 3 + ["range"]
    assert change(visitor, high_at_3="70", onwards="yes").location == "/plate"
    assert visitor.workspace.space is not None
    assert visitor.workspace.space.columns == ("temperature", "A", "B", "C")
    assert written(visitor)["mixture"] == ["A", "B", "C"]
    assert written(visitor)["parameters"] == {"temperature": {"range": [20, 70]}}


numbers = st.integers(-50, 50) | st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3))
pairs = st.lists(numbers, min_size=2, max_size=2, unique=True).map(sorted)
words = st.text("abN1é -", min_size=1, max_size=6).map(str.strip).filter(bool)
entries = st.one_of(
    pairs.map(lambda ends: {"range": ends}),
    st.tuples(st.integers(1, 9), st.integers(1, 9)).map(
        lambda p: {"range": [p[0], p[0] + 3 * p[1]], "step": p[1], "scale": "log"}
    ),
    st.integers(1, 20).map(lambda n: {"integer": [n, n + 5]}),
    st.lists(numbers, min_size=2, max_size=5, unique=True).map(lambda v: {"levels": sorted(v)}),
    st.lists(words, min_size=2, max_size=5, unique_by=str.casefold).map(lambda v: {"choices": v}),
    words.map(lambda v: {"fixed": v}),
)


@settings(max_examples=20)
@given(st.lists(entries, min_size=1, max_size=4))
def test_fields_say_the_same_space_as_the_file(found: list[dict[str, Any]]) -> None:
    file = {"first": {"range": [0, 1]}, **{f"p{i}": each for i, each in enumerate(found)}}
    space = read_space(file)
    sheet = made_sheet("s", [*file, "y"], [["1"] * (len(file) + 1)])
    draft = draft_of(sheet, space, Settings((Target("y"),)))
    again = read_space(written_space(replace(draft, written={}), None))
    if not any(str(each.get("fixed", "a")).strip("1-") == "" for each in found):  # typed numbers
        assert again.factors == space.factors
    assert written_space(draft, space)["parameters"] == file
    assert settings_of(draft, None) == Settings((Target("y"),))
    assert as_text(written_space(draft, space)).startswith("parameters:\n")
