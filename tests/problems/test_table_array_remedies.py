"""Arrays that are none, and columns without a logarithm: the message says what to give instead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ombo_gym import make_problem

Y = np.arange(4.0)


@pytest.mark.parametrize(
    ("name", "remedy"), [("screen.csv", "a table as text is csv="), ("screen.npy", "is none$")]
)
def test_a_file_that_is_no_array_is_never_said_to_be_loaded_unsafely(
    tmp_path: Path, name: str, remedy: str
) -> None:
    file = tmp_path / name
    file.write_text("T,yield\n1,2\n")
    with pytest.raises(ValueError, match=rf"x: expected a file that numpy\.save .*{remedy}") as got:
        make_problem("Table", x=str(file), y=Y)
    assert "pickle" not in str(got.value)


def test_python_objects_are_never_said_to_be_loaded_unsafely(tmp_path: Path) -> None:
    file = tmp_path / "x.npy"
    np.save(file, np.array([["a"], [1]], object), allow_pickle=True)
    with pytest.raises(ValueError, match="no Python objects") as got:
        make_problem("Table", x=str(file), y=Y)
    assert "pickle" not in str(got.value)


def test_the_column_without_a_logarithm_is_named() -> None:
    x = np.array([[1.0, 5.0, 3.0], [2.0, 0.0, 4.0], [3.0, 6.0, -1.0], [4.0, 7.0, 1.0]])
    with pytest.raises(ValueError, match=r"^log: expected columns .* got 0 in 'x1'$"):
        make_problem("Table", x=x, y=Y, log=["x0", "x1", "x2"])
    assert make_problem("Table", x=x, y=Y, log=["x0"]).design_space.size == 4
