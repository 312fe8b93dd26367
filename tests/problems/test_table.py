"""Spreadsheets as campaigns: what is read from a file, and what is refused."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pandas
import pytest

import ombo_agents
import ombo_gym
from ombo_gym.problems.own.table import EXAMPLE, Table
from ombo_gym.randomness import KeyedGenerator, Stream

ONE = {"table": np.zeros(1, np.int64)}
CATALYSTS = """\
catalyst,T,yield
Pd,60,10
Pd,80,30
Ni,60,20
Pd,80,34
Ni,100,5
"""


def everything(table: Table) -> np.ndarray:
    """True values of all designs, (size,)."""
    return table.evaluate(ONE, np.arange(table.design_space.size)[None, :, None])[0]


def test_designs_are_the_distinct_rows_and_values_the_means_of_their_replicates(write: Any) -> None:
    table = Table(csv=write(CATALYSTS))
    assert [table.row(i) for i in range(4)] == [
        {"catalyst": "Pd", "T": 60.0},
        {"catalyst": "Pd", "T": 80.0},
        {"catalyst": "Ni", "T": 60.0},
        {"catalyst": "Ni", "T": 100.0},
    ]
    assert everything(table).tolist() == [10, 32, 20, 5]
    assert table.optimum(ONE) == [32] and table.floor == table.reference == 5
    assert table.design_space.text(np.array([3])) == "catalyst=Ni, T=100"


def test_the_example_is_the_published_file_as_pandas_reads_it() -> None:
    frame = pandas.read_csv(EXAMPLE)
    groups = frame.groupby(list(frame.columns[:-1]), sort=False)[frame.columns[-1]]
    table = Table()
    assert len(frame) == 233 and table.design_space.size == 178
    assert table.columns == list(frame.columns[:-1])
    np.testing.assert_allclose(everything(table), groups.mean().to_numpy(), rtol=1e-14)
    assert table.measurements.counts.sum() == 233
    designs = [tuple(table.row(i).values()) for i in range(178)]
    assert designs == [tuple(map(float, key)) for key in groups.mean().index]
    assert table.optimum(ONE) == pytest.approx(838.31)


def test_a_measurement_is_one_of_the_replicates(write: Any) -> None:
    table = Table(csv=write(CATALYSTS))
    designs = np.tile([[[1], [0]]], (200, 1, 1))
    instances = {"table": np.zeros(200, np.int64)}
    rngs = KeyedGenerator(np.arange(200, dtype=np.uint64), Stream.NOISE)
    shown = table.measure(instances, designs, table.evaluate(instances, designs), rngs)
    assert set(shown[:, 0]) == {30, 34} and 60 < (shown[:, 0] == 30).sum() < 140
    assert set(shown[:, 1]) == {10}


def test_minimising_is_maximising_the_negative(write: Any) -> None:
    table = Table(csv=write(CATALYSTS), minimise=True)
    assert everything(table).tolist() == [-10, -32, -20, -5]
    assert table.optimum(ONE) == [-5]


def test_features_put_numbers_and_texts_on_one_scale(write: Any) -> None:
    features = Table(csv=write(CATALYSTS)).design_space.pool_features
    squared = ((features[:, None] - features) ** 2).sum(axis=-1) * 2  # of two columns
    assert squared[0, 1] == pytest.approx(1)  # half the range of T, which is 2
    assert squared[0, 2] == pytest.approx(1)  # another catalyst
    assert squared[2, 3] == pytest.approx(4)  # all the range of T
    assert squared[0, 3] == pytest.approx(5)


def test_columns_can_be_chosen_and_numbers_be_categories(write: Any) -> None:
    path = write("code,run,gain,T\n1,a,3.5,20\n7,b,4.5,20\n9,c,5.5,30\n")
    table = Table(csv=path, value="gain", designs=["code"], categories=["code"])
    assert table.columns == ["code"] and table.row(1) == {"code": "7"}
    features = table.design_space.pool_features
    squared = ((features[:, None] - features) ** 2).sum(axis=-1)
    np.testing.assert_allclose(squared, 1 - np.eye(3))


def distances(table: Table) -> np.ndarray:
    """Squared distances of designs, times the number of columns."""
    features = table.design_space.pool_features
    return ((features[:, None] - features) ** 2).sum(axis=-1) * len(table.columns)


DOSES = "dose,T,base,y\n1,20,DBU,5\n10,60,TEA,6\n1000,100,DBU,7\n"


def test_the_logarithm_of_a_column_can_be_what_counts(write: Any) -> None:
    table = Table(csv=write(DOSES), designs=["dose"], log=["dose"])
    assert [table.row(i)["dose"] for i in range(3)] == [1, 10, 1000], "in their own units"
    features = table.design_space.pool_features[:, 0]
    np.testing.assert_allclose(features, [-1, -1 / 3, 1])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"range": [0, 200]}, [-0.8, -0.4, 0]),
        ((0, 200), [-0.8, -0.4, 0]),
        ({"range": [10, 1000], "scale": "log"}, [-0.698970, -0.221849, 0]),
        ({"range": [0, 100], "step": 20}, [-0.6, 0.2, 1]),
        ({"integer": [20, 220]}, [-1, -0.6, -0.2]),
        ([20, 60, 100], [-1, 0, 1]),
        ({"levels": [20, 60, 100, 180]}, [-1, -0.5, 0]),
        ({"levels": [20, 60, 100], "scale": "log"}, [-1, 0.365212, 1]),
    ],
)
def test_a_column_of_numbers_can_have_ends_and_a_scale_of_its_own(
    written: Any, expected: list[float], write: Any
) -> None:
    table = Table(csv=write(DOSES), designs=["T"], parameters={"T": written})
    assert [table.row(i)["T"] for i in range(3)] == [20, 60, 100]
    np.testing.assert_allclose(table.design_space.pool_features[:, 0], expected, atol=1e-6)


def test_columns_of_categories_can_have_descriptors_and_numbers_be_choices(write: Any) -> None:
    pka = {"choices": ["TEA", "DBU", "DIPEA"], "descriptors": {"pKa": [10.8, 13.5, 11.0]}}
    table = Table(csv=write(DOSES), designs=["base"], parameters={"base": pka})
    assert table.design_space.size == 2 and table.design_space.pool_features.shape == (2, 1)
    chosen = Table(
        csv=write(DOSES), designs=["dose", "T"], parameters={"dose": {"choices": [1, 10, 1000]}}
    )
    assert chosen.row(2) == {"dose": 1000, "T": 100.0} and type(chosen.row(2)["dose"]) is int
    assert distances(chosen)[0, 1] == pytest.approx(1 + 1), "another category, half the range of T"
    mixed = Table(
        csv=write("on,y\nTrue,1\n2,2\nno,3\n"), parameters={"on": {"choices": [True, 2, "no"]}}
    )
    assert [mixed.row(i)["on"] for i in range(3)] == [True, 2, "no"]


def test_what_a_table_looks_like_is_as_if_it_were_said(write: Any) -> None:
    path = write(CATALYSTS)
    parameters = {"catalyst": {"choices": ["Ni", "Pd"]}, "T": {"range": [60, 100]}}
    plain = Table(csv=path).design_space.pool_features
    np.testing.assert_allclose(
        Table(csv=path, parameters=parameters).design_space.pool_features, plain, atol=1e-15
    )
    fixed = Table(csv=path, designs=["T"], parameters={"T": (60, 100)})
    np.testing.assert_allclose(fixed.design_space.pool_features[:, 0], [-1, 0, 1], atol=1e-15)


def test_its_spec_survives_json_whatever_its_columns_are(write: Any) -> None:
    arguments = {
        "csv": write(DOSES),
        "log": ["dose"],
        "parameters": {
            "T": {"range": [0, 200]},
            "base": {"choices": ["DBU", "TEA"], "descriptors": {"pKa": [13.5, 10.8]}},
        },
    }
    env = gym.make("Ombo/Table-v0", start={"kind": "none"}, **arguments)
    spec = gym.envs.registration.EnvSpec.from_json(env.spec.to_json())
    assert spec == env.spec
    again = gym.make(spec).unwrapped
    assert again.campaign_spec == env.unwrapped.campaign_spec
    table = pickle.loads(pickle.dumps(env.unwrapped.problem))
    assert table.design_space == again.design_space


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"log": ["base"]}, r"row 2, column 'base': expected a number, got 'DBU'"),
        ({"log": ["z"]}, r"row 2, column 'z': expected a number above 0.* got '0'"),
        ({"log": "dose"}, "log: expected columns"),
        ({"log": ["y"]}, "log: expected columns among"),
        ({"log": ["dose"], "categories": ["dose"]}, "log: expected 'dose' in one of"),
        ({"log": ["T"], "parameters": {"T": [20, 60, 100]}}, "parameters: expected 'T' in one of"),
        ({"parameters": [1]}, "parameters: expected a dict of column: parameter"),
        ({"parameters": {"p": (0, 1)}}, r"parameters: expected columns of .*, got 'p'"),
        ({"parameters": {"y": (0, 9)}}, "parameters: expected columns among"),
        ({"parameters": {"T": (9, 1)}}, "parameters: 'T': expected low < high"),
        ({"parameters": {"T": (0, 50)}}, "row 3, column 'T': expected a number from 0.0 to 50.0"),
        ({"parameters": {"T": [20, 100]}}, r"row 3, column 'T': expected one of 20, 100, got 60.*"),
        ({"parameters": {"T": 20}}, "row 3, column 'T': expected one of 20, got 60"),
        ({"parameters": {"base": (0, 1)}}, "row 2, column 'base': expected a number, got 'DBU'"),
        ({"parameters": {"base": ["TEA", "DMA"]}}, "row 2, column 'base': expected one of 'TEA'"),
        ({"parameters": {"base": [(1, 2), "DBU"]}}, "'base': expected numbers, texts or truth"),
    ],
)
def test_columns_that_are_not_what_is_said_are_refused(
    arguments: dict[str, Any], message: str, write: Any
) -> None:
    text = "dose,T,base,z,y\n1,20,DBU,0,5\n10,60,TEA,1,6\n1000,100,DBU,2,7\n"
    with pytest.raises(ValueError, match=message):
        Table(csv=write(text), **arguments)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ufeffT,y\n1.5,2\n2,3\n", id="byte order mark"),
        pytest.param("T,y\r\n1.5,2\r\n2,3\r\n", id="CRLF"),
        pytest.param("T;y\n1,5;2\n2;3\n", id="semicolons and decimal commas"),
        pytest.param("T\ty\n1,5\t2\n2\t3\n", id="tabs"),
        pytest.param('"T", y \n"1.5",2\n\n 2 ,3,,\n,,\n', id="quotes, blanks, blank rows"),
        pytest.param("T|y\n1.5|2e0\n2|3", id="bars, no last line end"),
        pytest.param("sep=;\r\nT;y\r\n1,5;2\r\n2;3\r\n", id="a line that says what separates"),
    ],
)
def test_files_are_read_as_spreadsheets_write_them(text: str, write: Any) -> None:
    table = Table(csv=write(text))
    assert [table.row(i) for i in range(2)] == [{"T": 1.5}, {"T": 2.0}]
    assert everything(table).tolist() == [2, 3]


def test_semicolons_separate_before_commas_do(write: Any) -> None:
    path = write("T, max;rate, min;y\n1,5;2,5;3,5\n2,5;1,5;4,5\n")
    assert Table(csv=path).columns == ["T, max", "rate, min"]


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("", {}, "is empty"),
        ("T,y\n", {}, "a header and no rows"),
        ("T,y\n1,\n2,\n", {"pending": [""]}, "column 'y' is empty"),
        ("y\n1\n2\n", {}, "designs: expected columns"),
        ("T,y\n1,2\n1,3\n", {}, "at least two distinct designs, got one"),
        ("T,T,y\n1,2,3\n2,3,4\n", {}, "two columns are called 'T'"),
        (",T,y\n0,2,3\n1,3,4\n", {}, "column 1 has no name"),
        ("T,y\n1,2\n2,high\n", {}, r"row 3, column 'y': expected a number, got 'high'"),
        ("T,y\n1,2\n\n2,nan\n", {}, r"row 4, column 'y': expected a number, got 'nan'"),
        ("T,y\n1,2\n2,inf\n", {}, r"row 3, column 'y': expected a number, got 'inf'"),
        ("T,y\n1,2\n2,1e999\n", {}, r"row 3, column 'y': expected a number, got '1e999'"),
        ("T,y\n1,2\n2,3\n3o,4\n", {}, r"row 4, column 'T': expected a number, got '3o'"),
        ("T,p,y\n1,2,3\n2,,4\n", {}, r"row 3, column 'p': expected a number, got ''"),
        ("T,y\n1,2\n2,3,4\n", {}, r"row 3: expected 2 cells separated by ','.*got 3"),
        ("T;y\n1,500;2\n2,500;3\n", {}, "'1,500' may be thousands or decimals"),
        ("T;y\n1,5;2.5\n2,5;3\n", {}, "numbers of one kind, got '1,5' and '2.5'"),
        (b"T,y\n1\xb0,2\n2,3\n", {}, "not UTF-8 text"),
        ("s,y\n" + "".join(f"a{i},1\n" for i in range(1001)), {}, "'s' has 1,001 different texts"),
        (CATALYSTS, {"value": "gain"}, r"value: expected columns of .*'yield'.*got 'gain'"),
        (CATALYSTS, {"designs": ["T", "p"]}, r"designs: expected columns of .*got 'p'"),
        (CATALYSTS, {"designs": "T"}, r"designs: expected columns of .*got 'T'"),
        (CATALYSTS, {"designs": []}, "designs: expected columns of .* beside the value"),
        (CATALYSTS, {"designs": ["T", "T"]}, "each column once"),
        (CATALYSTS, {"designs": ["T", "yield"]}, "beside the value, 'yield'"),
        (CATALYSTS, {"categories": ["yield"]}, "categories: expected columns among"),
        (CATALYSTS, {"minimise": "yes"}, "minimise: expected True or False"),
        ("sep=;\nT;y\n1;2\n2;high\n", {}, r"row 4, column 'y': expected a number, got 'high'"),
        ('T,y\n"1,000",2\n"1,500",3\n', {}, r"row 2, column 'T': expected a number, got '1,000'"),
        ("T;y\n1.000,5;2\n1.500,5;3\n", {}, r"row 2, column 'T': .* got '1\.000,5'"),
        ("T,y\n5 %,2\n10,3\n", {}, r"row 3, column 'T': expected a number in one unit .* got '10'"),
        ("# May,,\nT,p,y\n1,2,3\n2,2,4\n", {}, r"the first row, \['# May,,'\], is to hold"),
        (CATALYSTS, {"delimiter": "|"}, r"the first row, \['cat.*separated by the delimiter, '\|'"),
        (CATALYSTS, {"value": np.array(["T", "yield"])}, "value: expected columns of .*got array"),
        (CATALYSTS, {"delimiter": ", "}, "delimiter: expected one character"),
        (CATALYSTS, {"delimiter": '"'}, "delimiter: expected one character"),
        (CATALYSTS, {"delimiter": "\n"}, "delimiter: expected one character"),
        (CATALYSTS, {"value": "catalyst"}, r"row 2, column 'catalyst'.*got 'Pd'"),
    ],
)
def test_what_is_no_campaign_is_refused(
    text: str | bytes, arguments: dict[str, Any], message: str, write: Any
) -> None:
    with pytest.raises(ValueError, match=message):
        Table(csv=write(text), **arguments)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"csv: expected a file, there is no .*none\.csv"):
        gym.make("Ombo/Table-v0", csv=str(tmp_path / "none.csv"))
    with pytest.raises(ValueError, match="got the folder"):
        Table(csv=str(tmp_path))
    with pytest.raises(ValueError, match="csv: expected the path of a file, got 3"):
        Table(csv=3)


def test_a_missing_example_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ombo_gym.problems.own.table.EXAMPLE", tmp_path / "example.csv")
    with pytest.raises(FileNotFoundError, match=r"example\.csv is missing: reinstall ombo-gym"):
        Table()


def test_texts_with_digits_are_categories(write: Any) -> None:
    text = "date,batch,code,y\n01.02.2026,1-3,4a,1\n02.02.2026,2-3,5a,2\n"
    assert Table(csv=write(text)).row(1) == {"date": "02.02.2026", "batch": "2-3", "code": "5a"}


def test_it_pickles_as_its_path_whatever_the_working_directory(
    write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(write(CATALYSTS))
    monkeypatch.chdir(tmp_path)
    pickled = pickle.dumps(Table(csv=path.name, value="T", minimise=True, categories=["yield"]))
    monkeypatch.chdir("/")
    again = pickle.loads(pickled)
    assert len(pickled) < 500 and again.sources == (path,)
    assert everything(again).tolist() == [-60, -80, -60, -80, -100]


def test_a_file_that_has_changed_is_not_unpickled_as_if_it_had_not(write: Any) -> None:
    pickled = pickle.dumps(Table(csv=write(CATALYSTS)))
    write(CATALYSTS + "Pd,80,90\n")
    with pytest.raises(ValueError, match=r"csv: .*mine\.csv has changed since"):
        pickle.loads(pickled)
    write(CATALYSTS)
    assert pickle.loads(pickled).sources


def test_results_are_kept_by_the_files_content(write: Any) -> None:
    path = write(CATALYSTS)
    assert Table(csv=path).sources == (Path(path),)
    assert Table().sources == (EXAMPLE,)


def test_policies_play_a_spreadsheet_and_find_its_best_row(tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["T", "solvent", "yield"])
        for t in range(20):
            for k, solvent in enumerate(["water", "DMF", "THF"]):
                writer.writerow([20 + 5 * t, solvent, 50 - (t - 13) ** 2 + 9 * k])
    envs = gym.make_vec("Ombo/Table-v0", num_envs=8, csv=str(path), autoreset_mode="SameStep")
    policy = ombo_agents.make("ucb", envs)
    observation, _ = envs.reset(seed=0)
    for _ in range(5):
        action = policy.act(observation, np.random.default_rng(0))
        observation, _, _, _, infos = envs.step(action)
    assert ombo_gym.make_problem("Table", csv=str(path)).optimum(ONE) == [68]
    assert (infos["final_info"]["regret"] == 0).mean() > 0.8


def test_a_quote_that_is_never_closed_is_found(write: Any) -> None:
    text = 'y,a\n1,foo\n2,"bar\n3,baz\n4,qux\n5,k\n6,zz\n'
    with pytest.raises(ValueError, match=r"mine\.csv, row 3: unexpected end of data"):
        Table(csv=write(text), value="y")
