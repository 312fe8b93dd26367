"""Rules on the page: columns by the names that people use for them, and every wrong one."""

from __future__ import annotations

import pytest

from ombo_agents.serve.workspace.rules import other_names, with_space_names
from tests.serve.visitor import Visitor, wrongs

SHEET = (
    "Solvent,Base,Temp. (°C),time_h,ArB(OH)2 (equiv.),In (mol%),LCAP yield (%)\n"
    "THF,KOtBu,40,1,1.1,1,20\nDMF,K3PO4,60,2,1.2,2.5,40\nTHF,K3PO4,80,4,1.5,3,50\n"
    "DMF,KOtBu,100,1,2.0,4,45.5\n"
)


@pytest.fixture
def chemist(visitor: Visitor) -> Visitor:
    """Somebody who has sent the sheet, without a space file."""
    assert visitor.post("/sheet", sheet=("s.csv", SHEET)).status_code == 303
    return visitor


def rules_of(visitor: Visitor) -> list[str]:
    assert visitor.workspace.space is not None
    return [rule.text for rule in visitor.workspace.space.rules]


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ('Temp. <= 70 if Solvent == "THF"', {"Temp. (°C)", "Solvent"}),
        ("Temp. (°C) <= 70", {"Temp. (°C)"}),
        ("`Temp. (°C)` <= 70", {"Temp. (°C)"}),
        ("`Temp.` <= 70", {"Temp. (°C)"}),
        ("temp < 90", {"Temp. (°C)"}),
        ('temp. <= 70 if solvent in ["THF"]', {"Temp. (°C)", "Solvent"}),
        ("ArB(OH)2 <= 1.8 if time_h > 2", {"ArB(OH)2 (equiv.)", "time_h"}),
        ('`In` < 3 if Temp. > 80 and Base = "KOtBu"', {"In (mol%)", "Temp. (°C)", "Base"}),
    ],
)
def test_columns_may_be_called_with_and_without_their_unit(
    chemist: Visitor, rule: str, names: set[str]
) -> None:
    answer = chemist.post("/columns", **{**chemist.fields(), "constraints": rule})
    assert answer.status_code == 303, wrongs(answer)
    assert chemist.workspace.space is not None
    assert [rule.names for rule in chemist.workspace.space.rules] == [names]
    fields = chemist.fields()
    assert chemist.post("/columns", **fields).status_code == 303  # and are so when sent again
    assert chemist.fields() == fields


def test_a_rule_may_name_the_column_as_the_sheet_does(visitor: Visitor) -> None:
    space = "solvent: [THF, DMF]\nTemp.: {range: [40, 100], step: 20}\n"
    visitor.post("/sheet", sheet=("s.csv", SHEET), space=("s.yaml", space))
    rule = 'Temp. (°C) <= 80 if Solvent == "THF"'
    answer = visitor.post("/columns", **{**visitor.fields(), "constraints": rule})
    assert answer.status_code == 303, wrongs(answer)
    assert rules_of(visitor) == ['`Temp.` <= 80 if `solvent` == "THF"']


def test_every_wrong_rule_is_said_with_the_names_that_there_are(chemist: Visitor) -> None:
    before = vars(chemist.workspace).copy()
    answer = chemist.post(
        "/columns",
        **{
            **chemist.fields(),
            "constraints": 'Tempp. <= 70 if Solvent == "THF"\nTemp. <= 80\npressure > 2',
            "exclude": 'Solvent == "DMFF"\nTemp. => 70',
        },
    )
    assert answer.status_code == 422
    found = wrongs(answer)["rules"]
    assert len(found) == 4
    assert all(each.startswith("constraints: ") for each in found[:2])
    assert "Tempp." in found[0] and "the names are ['Solvent', 'Base', 'Temp. (°C)'" in found[0]
    assert "'pressure'" in found[1] and "expected names among" in found[1]
    assert found[1].endswith("; the rule is pressure > 2")
    assert "exclude: " in found[2] and "did you mean 'DMF'?" in found[2]
    assert "at least is >=" in found[3]
    assert vars(chemist.workspace) == before
    assert "Tempp. &lt;= 70" in answer.text  # shown again as it was written


def test_wrong_rules_are_said_beside_wrong_columns(chemist: Visitor) -> None:
    fields = {**chemist.fields(), "step-2": "x", "constraints": "Temp. <= 70\npressure > 2"}
    found = wrongs(chemist.post("/columns", **fields))
    assert set(found) == {"column-2", "rules"} and len(found["rules"]) == 1


def test_a_single_sign_of_equality_is_taken_or_has_its_own_hint(chemist: Visitor) -> None:
    fields = {**chemist.fields(), "exclude": 'Solvent == "DMF" and Base = "KOtBu"'}
    assert chemist.post("/columns", **fields).status_code == 303
    answer = chemist.post("/columns", **{**fields, "exclude": "Base = KOtBu"})
    assert "for what is equal write two signs, ==" in wrongs(answer)["rules"][0]
    assert "texts stand in quotes" in wrongs(answer)["rules"][0]


def test_every_wrong_rule_of_a_text_is_said(chemist: Visitor) -> None:
    text = "T: {range: [0, 90]}\nconstraints:\n  - x < 5\n  - T <= 80\n  - y > 1\n"
    found = wrongs(chemist.post("/space", text=text))["text"]
    assert len(found) == 2 and "'x'" in found[0] and "'y'" in found[1]


def test_names_that_mean_two_columns_or_a_word_of_rules_mean_none() -> None:
    others = other_names([("T (°C)", "T (°C)"), ("T (K)", "T (K)"), ("In (mol%)", "In (mol%)")])
    assert "t" not in others and others["t (k)"] == "T (K)"
    assert with_space_names("`In` < 3 and In < 2", others) == "`In (mol%)` < 3 and In < 2"


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        ('a <= 5 if b == "a = t"', '`A` <= 5 if b == "a = t"'),  # nothing within quotes
        ("temperature < 5", "temperature < 5"),
        ("a + 2 * A <= 3 and a != 4", "`A` + 2 * `A` <= 3 and `A` != 4"),
        ("`a` >= 1", "`A` >= 1"),
    ],
)
def test_names_are_put_for_whole_words_outside_of_quotes(rule: str, meant: str) -> None:
    assert with_space_names(rule, {"a": "A", "temp": "T"}) == meant
