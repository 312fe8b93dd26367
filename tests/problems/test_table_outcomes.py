"""What stands in the value column beside numbers: failed, not measured yet, or an error."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
from ombo_gym.problems.own.columns import Column
from ombo_gym.problems.own.rows import read_rows
from ombo_gym.problems.own.table import Table
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet

ONE = {"table": np.zeros(1, np.int64)}
SCREEN = "T,y\n10,1\n20,failed\n30,PENDING\n40,n.d.\n50,5\n20,Failed\n50,7\n60,\n"
WORDS: dict[str, Any] = {"failed": ["failed", "n.d."], "pending": ["pending", ""]}


@pytest.mark.parametrize(
    "cell", ["failed", "n.d.", "PENDING", "NaN", "nan", "<1", ">99", "≥ 5", "-", "?", "tbd", "inf"]
)
def test_a_word_that_nobody_explained_is_an_error_that_names_the_arguments(
    cell: str, write: Any
) -> None:
    with pytest.raises(ValueError) as error:
        Table(csv=write(f"T,y\n1,1\n2,{cell}\n3,3\n"))
    message = str(error.value)
    assert f"row 3, column 'y': expected a number, got '{cell}'" in message
    assert "failed=[...]" in message and "pending=[...]" in message


@pytest.mark.parametrize("cell", ["NaN", "<1", "#N/A", "-999", "n.d."])
def test_every_word_can_be_explained(cell: str, write: Any) -> None:
    path = write(f"T,y\n1,1\n2,{cell}\n3,3\n")
    failed, pending = Table(csv=path, failed=[cell]), Table(csv=path, pending=[cell])
    assert failed.design_space.size == 3 and failed.floor == 1
    assert failed.feasible(ONE, np.arange(3)[None, :, None]).tolist() == [[True, False, True]]
    assert pending.design_space.size == 2
    assert pending.feasible(ONE, np.arange(2)[None, :, None]) is None


def test_failed_designs_are_infeasible_and_pending_ones_no_designs(write: Any) -> None:
    table = Table(csv=write(SCREEN), **WORDS)
    assert [table.row(i)["T"] for i in range(table.design_space.size)] == [10, 20, 40, 50]
    everything = np.arange(4)[None, :, None]
    assert table.feasible(ONE, everything).tolist() == [[True, False, False, True]]
    values, _ = table.true_values(ONE, everything)
    assert values.tolist() == [[1, 1, 1, 6]] and table.optimum(ONE) == [6]
    assert "3 measured from 1 to 7; 3 failed; 2 not measured yet, which are left out" in (
        table.describe()
    )


def test_a_design_that_failed_once_and_was_measured_once_is_feasible(write: Any) -> None:
    table = Table(csv=write("T,y\n1,failed\n2,3\n1,4\n"), failed=["failed"])
    assert table.feasible(ONE, np.arange(2)[None, :, None]) is None
    assert table.measurements.values.tolist() == [[4, 3]]


def test_where_low_is_good_failed_designs_are_worth_the_highest_value(write: Any) -> None:
    table = Table(csv=write("T,y\n1,failed\n2,3\n3,4\n"), failed=["failed"], minimise=True)
    assert table.true_values(ONE, np.arange(3)[None, :, None])[0].tolist() == [[-4, -3, -4]]


def test_a_campaign_proposes_failed_designs_and_is_told(write: Any) -> None:
    rows = "".join(f"{row},{'failed' if row % 3 == 0 else row}\n" for row in range(30))
    arguments = {"csv": write("T,y\n" + rows), "failed": ["failed"], "batch_size": 3}
    env = gym.make("Ombo/Table-v0", **arguments)
    observation, _ = env.reset(seed=0)
    start = observation["designs"][observation["observed"] == 1, 0]
    assert len(start) == 4 and (start % 3 != 0).all(), "starts are of designs that can be measured"
    _, _, _, _, info = env.step(np.array([0, 3, 4]))
    assert info["infeasible"] == 2 and info["true_values"].tolist() == [1, 1, 4]


def test_policies_play_tables_with_failures(write: Any) -> None:
    rows = "".join(
        f"{row},{'failed' if row % 5 == 0 else -((row - 17) ** 2)}\n" for row in range(30)
    )
    envs = gym.make_vec(
        "Ombo/Table-v0", num_envs=2, csv=write("T,y\n" + rows), failed=["failed"], horizon=1
    )
    observation, _ = envs.reset(seed=0)
    action = ombo_agents.make("ucb", envs).act(observation, np.random.default_rng(0))
    *_, infos = envs.step(action)
    assert np.isfinite(infos["utility"]).all()


def test_nothing_in_the_value_column_is_to_be_explained_too(write: Any) -> None:
    path = write("T,y\n1,2\n2,\n3,4\n")
    with pytest.raises(ValueError, match=r"row 3, column 'y': expected a number, got ''.*pending"):
        Table(csv=path)
    assert Table(csv=path, pending=[""]).design_space.size == 2
    assert Table(csv=path, failed=[""]).design_space.size == 3


def test_the_words_survive_json_and_pickling(write: Any) -> None:
    env = gym.make("Ombo/Table-v0", csv=write(SCREEN), start={"kind": "none"}, **WORDS)
    spec = gym.envs.registration.EnvSpec.from_json(env.spec.to_json())
    assert gym.make(spec).unwrapped.campaign_spec == env.unwrapped.campaign_spec
    again = pickle.loads(pickle.dumps(env.unwrapped.problem))
    assert again.design_space == env.unwrapped.design_space
    assert json.loads(json.dumps(again._arguments))["failed"] == ["failed", "n.d."]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"failed": "failed"}, "failed: expected a list of words, got 'failed'"),
        ({"pending": None}, "pending: expected a list of words, got None"),
        ({"failed": [-999]}, "failed: expected words .* as texts, got -999"),
        ({"failed": ["x"], "pending": ["X "]}, "failed, pending: expected each word in one of"),
        ({"failed": ["failed", "n.d."]}, r"row 4, column 'y': expected a number, got 'PENDING'"),
    ],
)
def test_words_that_are_none_are_refused(
    arguments: dict[str, Any], message: str, write: Any
) -> None:
    with pytest.raises(ValueError, match=message):
        Table(csv=write(SCREEN), **arguments)


def test_a_table_without_any_measured_value_is_refused(write: Any) -> None:
    path = write("T,y\n1,failed\n2,PENDING\n")
    with pytest.raises(ValueError, match=r"column 'y' holds \['PENDING', 'failed'\] alone"):
        Table(csv=path, failed=["failed"], pending=["pending"])


def test_rows_keep_what_is_not_measured_yet_as_designs(write: Any) -> None:
    sheet = Spreadsheet.read(Path(write(SCREEN)))
    rows = read_rows(sheet, [Column("T")], "y", failed=["failed", "n.d."], pending=["pending", ""])
    assert [design for (design,) in rows.designs] == [10, 20, 30, 40, 50, 20, 50, 60]
    np.testing.assert_array_equal(rows.values, [1, np.nan, np.nan, np.nan, 5, np.nan, 7, np.nan])
    assert np.flatnonzero(rows.failed).tolist() == [1, 3, 5]
    assert np.flatnonzero(rows.pending).tolist() == [2, 7]
    assert rows.kinds == {"T": "numbers"} and rows.sheet.row_numbers == list(range(2, 10))


def test_rows_not_measured_yet_are_held_to_what_columns_are(write: Any) -> None:
    with pytest.raises(ValueError, match=r"row 4, column 'T': expected a number, got 'later'"):
        Table(csv=write("T,y\n1,2\n2,3\nlater,\n"), pending=[""])
