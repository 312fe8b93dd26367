"""A column of a spreadsheet may be of a kind of parameter of one's own, of numbers or of texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from ombo_gym import Parameter, design_space_of
from ombo_gym.design_spaces.parameter import PARAMETERS
from ombo_gym.problems.own.table import Table

SHEET = "tilt,order,note,yield\n90,cut-dry,,1\n0,dry-cut,foam,2\n350,cut-dry,,3\n"


@dataclass(frozen=True)
class Tilt(Parameter):
    """Angles, ten degrees from each other; 0 and 350 are neighbours."""

    kind: ClassVar[str] = "test_tilt"
    values: tuple[int, ...] = tuple(range(0, 360, 10))

    @property
    def coordinates(self) -> Any:
        return np.linspace(-1, 1, len(self.values))

    @property
    def table(self) -> Any:
        angles = np.deg2rad(np.array(self.values))
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def text(self, value: Any) -> str:
        return f"{value} deg"


@dataclass(frozen=True)
class Order(Parameter):
    """Orders of two steps, which are texts in cells."""

    kind: ClassVar[str] = "test_order"
    category: ClassVar[bool] = True
    values: tuple[str, ...] = ("cut-dry", "dry-cut")


@pytest.fixture
def sheet(tmp_path: Path) -> str:
    (tmp_path / "sheet.csv").write_text(SHEET, encoding="utf-8")
    return str(tmp_path / "sheet.csv")


def test_columns_of_numbers_and_of_texts_are_read(sheet: str) -> None:
    table = Table(
        csv=sheet, designs=["tilt", "order"], parameters={"tilt": Tilt(), "order": Order()}
    )
    assert table.row(1) == {"tilt": 0, "order": "dry-cut"}
    features = table.design_space.pool_features
    assert features is not None
    distances = np.square(features[0] - features).sum(axis=-1)  # of 90 degrees, cut-dry
    assert distances[1] > distances[2] > 0  # the same order is nearer


def test_they_are_described_in_their_own_words_and_order(sheet: str) -> None:
    parameters: dict[str, Any] = {"tilt": {"test_tilt": {}}, "order": {"test_order": {}}}
    words = Table(csv=sheet, designs=["tilt", "order"], parameters=parameters).describe()
    assert "test_tilt: 0 deg, 90 deg, 350 deg" in words
    assert "test_order: cut-dry, dry-cut" in words


def test_a_text_that_is_none_of_its_values_is_refused_with_its_row(sheet: str) -> None:
    parameters = {"order": Order(("cut-dry", "dry-sew"))}
    with pytest.raises(ValueError, match=r"row 3, column 'order': expected one of .*'dry-cut'"):
        Table(csv=sheet, designs=["tilt", "order"], parameters=parameters)


def test_a_column_of_comments_is_to_be_left_out(sheet: str) -> None:
    with pytest.raises(
        ValueError, match=r"column 'note'.*leave the column out: designs=\[\.\.\.\]"
    ):
        Table(csv=sheet, value="yield")


def test_a_number_beyond_a_range_asks_for_a_wider_one(sheet: str) -> None:
    with pytest.raises(ValueError, match=r"row 4.*got 350.*widen the range that parameters= gives"):
        Table(csv=sheet, designs=["tilt"], parameters={"tilt": {"range": [0, 180]}})


def test_how_a_kind_is_written_is_said_as_it_is_written() -> None:
    with pytest.raises(ValueError, match=r'expected \{"test_tilt": \{"values": \.\.\.\}\}'):
        design_space_of({"tilt": {"test_tilt": 3}})
    assert "test_tilt" in PARAMETERS
    with pytest.raises(ValueError, match="known once its module is imported"):
        design_space_of({"tilt": {"test_tlit": {}}})
