"""Arrays that `Ombo/Table-v0` refuses: each with a sentence that says what to do."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ombo_gym.problems.own import array_files
from ombo_gym.problems.own.table import Table

X = np.arange(10.0).reshape(5, 2)
Y = np.arange(5.0)


def refused(match: str, **arguments: Any) -> None:
    with pytest.raises(ValueError, match=match):
        Table(**arguments)


@pytest.fixture
def save(tmp_path: Path) -> Any:
    def save(name: str, array: Any) -> str:
        path = tmp_path / f"{name}.npy"
        np.save(path, array)
        return str(path)

    return save


def test_a_file_together_with_arrays_names_both() -> None:
    refused(r"csv, x, y: .*csv='mine.csv'", csv="mine.csv", x=X, y=Y)
    refused(r"csv, x, y: ", csv="mine.csv", x=X)
    refused(r"csv, x, y: ", csv="mine.csv", y=Y)


@pytest.mark.parametrize(
    "argument",
    [
        {"value": "y"},
        {"designs": ["x0"]},
        {"categories": ["x0"]},
        {"parameters": {"x0": [1, 2]}},
        {"failed": ["n.d."]},
        {"pending": [""]},
        {"delimiter": ";"},
    ],
)
def test_what_describes_a_file_is_refused_beside_arrays(argument: dict[str, Any]) -> None:
    refused(f"{next(iter(argument))}: expected nothing beside x and y", x=X, y=Y, **argument)


def test_one_array_alone_is_refused() -> None:
    refused("y: expected an array beside x, got None", x=X)
    refused("x: expected an array beside y, got None", y=Y)
    refused("x: expected an array", x_kind="numbers")


@pytest.mark.parametrize(
    ("x", "match"),
    [
        (np.arange(5.0), r"x: expected designs \(n, d\), a row each, .* shape \(5,\)"),
        (np.zeros((5, 3, 4)), r"shape \(5, 3, 4\); one-hot designs .* x.argmax\(axis=2\)"),
        (np.zeros((5, 0)), r"x: expected designs \(n, d\)"),
        (np.zeros((0, 2)), "x: expected at least two designs, got none"),
        (np.zeros((5, 2)), "x: expected from two to 1,048,576 different designs, got 1"),
        (np.zeros((5, 2), complex), "x: expected numbers or categories, got .* complex128"),
        (np.zeros((5, 2), "M8[s]"), "x: expected numbers or categories, got .* datetime64"),
        (np.zeros((5, 2), object), r"x: expected the path of a .npy file"),
        (np.zeros(5, [("a", float)]), "x: expected numbers or categories"),
        ([[1.0, 2.0], [3.0]], r"x: expected the path of a .npy file, .* \[\[1.0, 2.0\], \[3.0\]\]"),
        ([[1, "Pd"]] * 5, r"x: expected the path of a .npy file"),
        ([[1.0, None]] * 5, r"x: expected the path of a .npy file"),
        (3.0, "x: expected the path of a .npy file, .* got 3.0"),
        ({"a": 1}, "x: expected the path of a .npy file"),
        ([], r"x: expected designs \(n, d\)"),
        (np.where(X == 5, np.nan, X), "x: expected finite .* got nan in row 2, column 1"),
        (np.where(X == 8, -np.inf, X), "x: expected finite .* got -inf in row 4, column 0"),
        (np.where(X == 8, 1e39, X), "x: expected finite numbers within 1e[+]38"),
        (X[:4], "x, y: expected as many values as designs, got 4 rows in x and 5 in y"),
    ],
)
def test_designs_that_are_none(x: Any, match: str) -> None:
    refused(match, x=x, y=Y)


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (np.zeros((5, 2)), r"y: expected one value a design, \(n,\) or \(n, 1\), .* \(5, 2\)"),
        (np.zeros((5, 1, 1)), r"y: expected one value a design"),
        (np.array([0, 1, np.nan, 3, 4]), "y: expected finite .* got nan in row 2, .*leave the row"),
        (np.array([[0], [1], [2], [3], [np.inf]]), "y: expected finite .* got inf in row 4"),
        (np.zeros(5, bool), "y: expected values that are numbers, got an array of bool"),
        (np.array(["a"] * 5), "y: expected values that are numbers, got .* <U1"),
        (np.zeros(5, object), "y: expected the path"),
        (1.0, "y: expected the path"),
    ],
)
def test_values_that_are_none(y: Any, match: str) -> None:
    refused(match, x=X, y=y)


def test_settings_that_do_not_go_with_the_arrays() -> None:
    refused("x_kind: expected one of", x=X, y=Y, x_kind="floats")
    refused("x_kind: expected one of", x=X, y=Y, x_kind=["numbers"])
    refused(
        "x: expected whole numbers, as x_kind=.* got 0.25 in row 0, column 1",
        x=X / 4,
        y=Y,
        x_kind="categories",
    )
    letters = [["a", "b"]] * 4 + [["b", "a"]]
    refused(
        "x: expected numbers [(]or x_kind='categories'[)], got .* <U1",
        x=letters,
        y=Y,
        x_kind="numbers",
    )
    refused("log: expected columns among 'x0' .. 'x1', got 'x0'", x=X, y=Y, log="x0")
    refused("log: expected columns among 'x0' .. 'x1', got 5", x=X, y=Y, log=5)
    refused("log: expected columns among 'x0' .. 'x1', got .'a'.", x=X, y=Y, log=["a"])
    refused("log: expected columns of numbers above 0, got 0", x=X, y=Y, log=["x0"])
    refused("log: expected numbers in x, which holds categories", x=X.astype(int), y=Y, log=["x0"])
    refused("minimise: expected True or False", x=X, y=Y, minimise=1)


def test_too_many_categories_ask_whether_they_are_numbers() -> None:
    x = np.arange(2 * 35_000).reshape(-1, 2)
    refused("x: expected at most 65,536 categories .* say x_kind='numbers'", x=x, y=np.arange(35e3))


def test_files_that_are_no_arrays(tmp_path: Path, save: Any) -> None:
    y = save("y", Y)
    with pytest.raises(FileNotFoundError, match=r"x: there is no file .*nowhere.npy"):
        Table(x="nowhere.npy", y=y)
    with pytest.raises(FileNotFoundError, match=r"the letters of sequences are given as lists"):
        Table(x=["ACGT", "CCGT"], y=y)
    (tmp_path / "text.npy").write_text("1,2\n3,4\n")
    (tmp_path / "empty.npy").touch()
    np.save(tmp_path / "objects.npy", np.array([[None, 1]] * 5, object), allow_pickle=True)
    np.save(tmp_path / "cut.npy", X)
    with open(tmp_path / "cut.npy", "r+b") as file:
        file.truncate(os.path.getsize(tmp_path / "cut.npy") - 8)
    for name in ("text", "empty", "objects", "cut"):
        refused(
            rf"x: expected a file that numpy.save wrote.*{name}.npy",
            x=str(tmp_path / f"{name}.npy"),
            y=y,
        )
    refused("x: expected a file that numpy.save wrote", x=str(tmp_path), y=y)
    refused("x: expected the path of a file", x="a\0b.npy", y=y)
    np.savez(tmp_path / "many.npz", x=X)
    refused(
        "x: expected a file with one array.*save each of the arrays", x=tmp_path / "many.npz", y=y
    )
    refused("x: expected an array with rows, got one number", x=save("one", np.float64(3)), y=y)


def test_shards_that_do_not_go_together(save: Any) -> None:
    x = [save("x0", X), save("x1", X[:3])]
    y = [save("y0", Y[:3]), save("y1", Y)]
    refused(r"got 5 rows in x: .*x0.npy and 3 in y: .*y0.npy", x=x, y=y)
    refused(r"got 8 rows in x and 5 in y", x=x, y=save("y2", Y))
    x = [save("x0", X), save("x1", X[:, :1])]
    refused(r"as many columns in all shards, got 2 in .*x0.npy, 1 in .*x1.npy", x=x, y=y[::-1])
    x = [save("x0", X), save("x1", X[:3].astype(int))]
    refused(r"the same kind of entries .* numbers in .*categories in", x=x, y=y[::-1])
    x = [save("x0", X), save("x1", np.full((3, 2), np.nan))]
    refused(r"got nan in row 0, column 0, counted from 0 \(row 5 of all\)", x=x, y=y[::-1])


def test_arrays_that_are_too_large_for_json_are_to_be_saved(monkeypatch: Any) -> None:
    monkeypatch.setattr(array_files, "_MOST_GIVEN", 9)
    refused(r"x: expected an array of at most 9 entries .* np.save\('x.npy', x\)", x=X, y=Y)


def test_arrays_beyond_memory_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: Any
) -> None:
    holes = np.lib.format.open_memmap(  # a sparse file
        tmp_path / "x.npy", "w+", dtype=np.float32, shape=(3_000_000, 60)
    )
    del holes
    tracemalloc.start()
    refused(
        r"x: expected an array that takes at most 1,024 MiB .* \(3000000, 60\) \(1,373 MiB\)",
        x=tmp_path / "x.npy",
        y=Y,
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20
