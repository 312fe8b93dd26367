"""What surrogates see of columns: wide spans are warned of, and what tells nothing is not seen."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
from ombo_gym.problems.own.table import Table


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(header: list[str], *columns: Any, name: str = "mine.csv") -> str:
        rows = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
        path = tmp_path / name
        path.write_text("\n".join([",".join(header), *rows]) + "\n")
        return str(path)

    return write


DOSES = [1e-7, 1e-5, 1e-3, 1e-1]


def test_a_column_of_many_decades_without_a_scale_is_warned_of_once(write: Any) -> None:
    path = write(["dose", "T", "wide", "y"], DOSES, [20, 40, 60, 20], [1, 10, 2000, 5], range(4))
    with pytest.warns(UserWarning, match="3 decades") as caught:
        Table(csv=path)
    (warning,) = caught
    message = str(warning.message)
    assert "mine.csv" in message and "'dose' from 1e-07 to 0.1, 'wide' from 1 to 2000" in message
    assert "log=[...]" in message and "parameters=" in message and "'T'" not in message


@pytest.mark.parametrize(
    "arguments",
    [
        {"log": ["dose"]},
        {"categories": ["dose"]},
        {"parameters": {"dose": {"range": [1e-7, 1e-1], "scale": "linear"}}},
        {"parameters": {"dose": {"range": [1e-7, 1e-1], "scale": "log"}}},
        {"parameters": {"dose": {"levels": DOSES, "scale": "log"}}},
        {"parameters": {"dose": {"choices": DOSES}}},
    ],
)
def test_a_scale_that_was_chosen_is_not_warned_of(arguments: dict[str, Any], write: Any) -> None:
    path = write(["dose", "y"], DOSES, range(4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Table(csv=path, **arguments)


def test_levels_without_a_scale_are_warned_of(write: Any) -> None:
    path = write(["dose", "y"], DOSES, range(4))
    with pytest.warns(UserWarning, match="3 decades"):
        Table(csv=path, parameters={"dose": DOSES})


def test_narrow_columns_and_those_with_zeros_are_not_warned_of(write: Any) -> None:
    path = write(["a", "b", "c", "y"], [1, 2, 1000, 3], [0, 1e-9, 1, 2], [-1, 1e-5, 1, 1], range(4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Table(csv=path)


RNG = np.random.default_rng(0)
T = RNG.permutation(40)
P = RNG.integers(0, 5, 40)
BASE = RNG.choice(["DBU", "TEA", "DMAP"], 40)
Y = RNG.normal(size=40).round(3)
LETTERS = {"DBU": "c", "TEA": "a", "DMAP": "b"}


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param([[7] * 40] * 30, id="30 constant numbers"),
        pytest.param([["air"] * 40], id="constant text"),
        pytest.param([T, T], id="copies of a column of numbers"),
        pytest.param([T * 1.8 + 32], id="the same in another unit"),
        pytest.param([BASE], id="copy of a column of categories"),
        pytest.param([[LETTERS[base] for base in BASE]], id="categories by other names"),
    ],
)
def test_columns_that_tell_nothing_change_nothing(extra: list[Any], write: Any) -> None:
    names = [f"extra{index}" for index in range(len(extra))]
    plain = write(["T", "p", "base", "y"], T, P, BASE, Y, name="plain.csv")
    full = write(["T", "p", "base", *names, "y"], T, P, BASE, *extra, Y, name="full.csv")
    pools = [Table(csv=path).design_space.pool_features for path in (plain, full)]
    assert pools[0].shape == (40, 5) and np.array_equal(*pools), "to the bit"
    plates = []
    for path in (plain, full):
        envs = gym.make_vec("Ombo/Table-v0", num_envs=2, csv=path)
        observation, _ = envs.reset(seed=0)
        plates.append(ombo_agents.make("ucb", envs).act(observation, np.random.default_rng(0)))
    assert np.array_equal(*plates)


def test_a_column_that_is_fixed_changes_nothing(write: Any) -> None:
    path = write(["T", "p", "y"], T, [5] * 40, Y)
    fixed = Table(csv=path, parameters={"p": 5})
    alone = Table(csv=path, designs=["T"])
    assert np.array_equal(fixed.design_space.pool_features, alone.design_space.pool_features)
    assert fixed.column_kinds == {"T": "numbers", "p": "fixed"}


def test_columns_that_differ_are_all_seen(write: Any) -> None:
    squared = (T - 20) ** 2
    table = Table(csv=write(["T", "square", "y"], T, squared, Y))
    assert table.design_space.pool_features.shape == (40, 2)
