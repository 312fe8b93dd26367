"""Arrays as campaigns: `.npy` files, shards, lists in Python, as `Ombo/Table-v0` plays them."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import ombo_gym
from ombo_gym.design_spaces import CandidateDesigns, CategoryPool
from ombo_gym.problems.own.table import Table
from ombo_gym.spec import CampaignSpec

ONE = {"table": np.zeros(1, np.int64)}
X = [[0.0, 5.0, 1.0], [1.0, 4.0, 1.0], [2.0, 3.0, 1.0], [0.0, 5.0, 1.0], [3.0, 1.0, 1.0]]
Y = [1.0, 7.0, 3.0, 2.0, 5.0]


@pytest.fixture
def save(tmp_path: Path) -> Any:
    def save(name: str, array: Any, dtype: Any = None) -> str:
        path = tmp_path / f"{name}.npy"
        np.save(path, np.asarray(array, dtype))
        return str(path)

    return save


def everything(table: Table) -> list[float]:
    """True values of all designs, (size,)."""
    size = table.design_space.size
    found: list[float] = table.evaluate(ONE, np.arange(size)[None, :, None])[0].tolist()
    return found


def test_designs_are_the_different_rows_and_values_the_means_of_their_replicates(save: Any) -> None:
    table = Table(x=save("x", X, np.float32), y=save("y", Y, np.float32))
    assert everything(table) == [1.5, 7, 3, 5]
    assert table.row(1) == {"x0": 1.0, "x1": 4.0, "x2": 1.0}
    assert table.optimum(ONE) == [7] and table.floor == table.reference == 1.5
    assert table.column_kinds == dict.fromkeys(["x0", "x1", "x2"], "numbers")
    assert table.measurements.replicates_of(0, 0).tolist() == [1, 2]


def test_floats_are_seen_as_a_pool_of_numbers_without_columns_that_never_change() -> None:
    space = Table(x=X, y=Y).design_space
    assert type(space) is CandidateDesigns
    expected = CandidateDesigns(np.array(X)[[0, 1, 2, 4]], scale="linear").pool_features
    assert np.array_equal(space.pool_features, expected)
    assert space.pool_features.shape == (4, 2)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8, np.float16, np.float64, ">i4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_dtype_says_whether_rows_are_numbers_or_categories(
    tmp_path: Path, dtype: Any, order: Any
) -> None:
    np.save(tmp_path / "x.npy", np.asarray(X, dtype, order=order))
    table = Table(x=tmp_path / "x.npy", y=Y)
    whole = np.dtype(dtype).kind in "iu"
    assert isinstance(table.design_space, CategoryPool) == whole
    assert set(table.column_kinds.values()) == {"categories" if whole else "numbers"}
    assert everything(table) == [1.5, 7, 3, 5] and table.row(3)["x0"] == 3


def test_x_kind_says_so_where_the_dtype_does_not() -> None:
    whole = np.array(X, int)
    numbers = Table(x=whole, y=Y, x_kind="numbers").design_space
    assert numbers == Table(x=X, y=Y).design_space
    categories = Table(x=X, y=Y, x_kind="categories").design_space
    assert categories == Table(x=whole, y=Y).design_space


@pytest.mark.parametrize("given", [[["A", "C"], ["C", "C"]], np.array([[True, 0], [0, 0]], bool)])
def test_letters_and_truth_values_are_categories(given: Any) -> None:
    table = Table(x=given, y=[0, 1])
    assert isinstance(table.design_space, CategoryPool) and table.design_space.width == 2
    assert list(table.row(0).values()) == np.asarray(given)[0].tolist()


def test_whole_numbers_of_any_size_are_names_of_categories() -> None:
    space = Table(x=[[-5, 10**12], [7, 10**12], [7, -(10**12)]], y=[0, 1, 2]).design_space
    assert isinstance(space, CategoryPool)
    assert space.categories.tolist() == [[0, 1], [1, 1], [1, 0]]
    assert space.categories.dtype == np.int8


def test_shards_are_one_array(save: Any) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(4, size=(90, 6)).astype(np.int32), rng.normal(size=(90, 1))
    paths: dict[str, list[str]] = {"x": [], "y": []}
    for number, rows in enumerate((slice(0, 40), slice(40, 41), slice(41, 90))):
        paths["x"].append(save(f"utr-x-{number}", x[rows]))
        paths["y"].append(save(f"utr-y-{number}", y[rows].astype(np.float32)))
    sharded = Table(x=paths["x"], y=paths["y"])
    whole = Table(x=save("x", x), y=save("y", y, np.float32))
    assert sharded.design_space == whole.design_space
    assert everything(sharded) == everything(whole) and len(sharded.sources) == 6
    mixed = Table(x=paths["x"], y=save("y", y, np.float32))  # one of both in one file
    assert everything(mixed) == everything(whole)


def test_a_campaign_starts_with_the_designs_at_or_below_the_median() -> None:
    x, y = np.arange(20.0)[:, None], np.arange(20.0)
    env = gym.make("Ombo/Table-v0", x=x.tolist(), y=y.tolist(), horizon=2)
    observation, _ = env.reset(seed=0)
    start = observation["measurements"][observation["from_start"] == 1]
    assert sorted(start) == list(range(10))
    assert ombo_gym.campaign_spec(env).start_origin.percentile == 50
    assert gym.make("Ombo/Table-v0").reset(seed=0)[0]["from_start"].sum() == 4, "as before"


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ({"kind": "percentile", "percentile": 40, "size": 5}, 5),
        ({"kind": "percentile", "percentile": 100}, 20),
        ({"kind": "random", "size": 3}, 3),
        ({"kind": "space_filling", "size": 3}, 3),
        ({"kind": "none"}, 0),
        ({"kind": "listed", "designs": [10, 11]}, 2),
    ],
)
def test_other_starts_may_be_asked_for(start: dict[str, Any], expected: int) -> None:
    x = np.arange(40).reshape(20, 2) % 23
    env = gym.make("Ombo/Table-v0", x=x, y=np.arange(20.0), start=start)
    assert env.reset(seed=0)[0]["from_start"].sum() == expected


def test_low_values_may_be_good() -> None:
    table = Table(x=X, y=Y, minimise=True)
    assert everything(table) == [-1.5, -7, -3, -5] and table.optimum(ONE) == [-1.5]


def test_logarithms_of_columns_are_seen_where_they_are_asked_for() -> None:
    x = np.array([[1e-4, 1], [1e-3, 2], [1e-2, 3], [1e-1, 4], [1.0, 5]])
    space = Table(x=x, y=Y, log=["x0"]).design_space
    assert space == CandidateDesigns(x, scale=["log", "linear"])
    assert space.features(np.array([[0]])).shape == (1, 1), "evenly spaced, x0 is a copy of x1"


def test_positive_columns_that_span_decades_are_warned_of() -> None:
    x = np.array([[1e-4, 0], [1e-3, 2], [1e-2, 3], [1e-1, 4], [1.0, 5]])
    with pytest.warns(UserWarning, match="'x0' from 0.0001 to 1"):
        Table(x=x, y=Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Table(x=x, y=Y, log=["x0"])


def test_a_spec_comes_back_from_json_with_files_and_with_arrays(save: Any) -> None:
    arguments: list[dict[str, Any]] = [
        {"x": Path(save("x", X)), "y": [Path(save("y", Y))]},
        {"x": np.array(X), "y": np.array(Y)[:, None]},
        {"x": np.array(X, np.int16), "y": np.array(Y, np.float32), "minimise": np.bool_(True)},
    ]
    for given in arguments:
        env = gym.make("Ombo/Table-v0", **given)
        many = gym.make_vec(
            "Ombo/Table-v0", num_envs=2, vectorization_mode="vector_entry_point", **given
        )
        assert many.unwrapped.spec is not None and many.unwrapped.spec.to_json()
        assert env.spec is not None
        again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
        first, second = env.reset(seed=1)[0], again.reset(seed=1)[0]
        assert all(np.array_equal(first[name], second[name]) for name in first)
        spec = ombo_gym.campaign_spec(env)
        assert CampaignSpec.from_json(spec.to_json()) == spec


def test_a_table_pickles_as_its_arguments_and_notices_another_file(save: Any) -> None:
    rng = np.random.default_rng(0)
    x, y = save("x", rng.integers(4, size=(3000, 20))), save("y", rng.normal(size=3000))
    pickled = pickle.dumps(Table(x=x, y=y))
    assert len(pickled) < 1000
    again = pickle.loads(pickled)
    assert everything(again) == everything(Table(x=x, y=y)) and again.sources[0] == Path(x)
    in_python = Table(x=X, y=Y)
    assert everything(pickle.loads(pickle.dumps(in_python))) == everything(in_python)
    save("y", rng.normal(size=3000))
    with pytest.raises(ValueError, match=r"x, y: .*has changed since"):
        pickle.loads(pickled)


def test_paths_are_made_absolute(save: Any, monkeypatch: Any) -> None:
    folder = Path(save("x", X)).parent
    save("y", Y)
    monkeypatch.chdir(folder)
    table = Table(x="x.npy", y=["y.npy"])
    assert table.sources == (folder / "x.npy", folder / "y.npy")
    monkeypatch.chdir("/")
    assert everything(pickle.loads(pickle.dumps(table))) == everything(table)


def test_what_was_understood_is_described(save: Any) -> None:
    table = Table(x=save("x", X), y=save("y", Y), minimise=True)
    assert table.describe() == (
        "x.npy: 5 rows, 4 designs\n"
        "  x  3 numbers, 2 of which vary\n"
        "  y  the value, minimised: 5 measured from 1 to 7"
    )
    assert "3 categories, of 1 to 4 that occur" in Table(x=np.array(X, int), y=Y).describe()


def test_a_file_and_arrays_with_the_same_content_play_the_same_campaign(
    save: Any, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(9, size=(30, 2)) / 2, rng.normal(size=30).round(3)
    lines = [",".join(map(repr, (*row, value))) for row, value in zip(x.tolist(), y.tolist())]  # noqa: B905
    (tmp_path / "mine.csv").write_text("\n".join(["a,b,y", *lines]))
    start = {"kind": "percentile", "percentile": 50}
    sheet = gym.make("Ombo/Table-v0", csv=str(tmp_path / "mine.csv"), start=start)
    arrays = gym.make("Ombo/Table-v0", x=save("x", x), y=save("y", y), start=start)
    for made in (sheet, arrays):
        made.reset(seed=3)
        made.action_space.seed(0)
    steps = [made.step(made.action_space.sample()) for made in (sheet, arrays)]
    for name, shown in steps[0][0].items():
        assert np.array_equal(shown, steps[1][0][name])
    assert steps[0][1] == steps[1][1] and json.dumps(steps[0][4]["round"]) == "1"


@pytest.mark.parametrize(
    "column",
    [
        np.array([3, -5, 3, 7], np.int8),
        np.array([127, -128, 0, 127], np.int8),
        np.array([2**63, 2**63 - 1, 5, 2**63], np.uint64),
        np.array([2**62, -(2**62), 0, 2**62]),
        np.array([True, False, True, True]),
        np.array(["b", "a", "b", "c"]),
    ],
    ids=str,
)
def test_categories_are_numbered_in_their_order(column: np.ndarray) -> None:
    space = Table(x=column[:, None], y=[1, 2, 3, 4]).design_space
    assert isinstance(space, CategoryPool)
    first = np.sort(np.unique(column, return_index=True)[1])
    expected = np.unique(column, return_inverse=True)[1][first]
    assert space.categories[:, 0].tolist() == expected.tolist()
