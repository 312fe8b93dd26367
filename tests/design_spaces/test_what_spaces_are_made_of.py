"""What a design space cannot be made of is refused by the name of the argument."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ombo_gym import BoxDesigns, CandidateDesigns, CategoricalDesigns

SPACES = {
    "BoxDesigns": BoxDesigns,
    "CandidateDesigns": CandidateDesigns,
    "CategoricalDesigns": CategoricalDesigns,
}


@pytest.mark.parametrize("dim", [0, -1, 2.5, "2", True, None, [(0, 1)], {"T": (0, 1)}, np.nan])
def test_a_dimension_is_a_whole_number(dim: Any) -> None:
    with pytest.raises(ValueError, match=r"^dim: expected a whole number of at least 1, got .*_of"):
        BoxDesigns(dim)


@pytest.mark.parametrize(
    "categories",
    [6, None, "ABC", [], [2.5], [3, 0], [3, -2], [True, 3], ["a", "b"], [[3]], [np.nan], {}],
)
def test_categories_are_a_list_of_whole_numbers(categories: Any) -> None:
    with pytest.raises(ValueError, match=r"^categories: expected a list of whole numbers .*, got "):
        CategoricalDesigns(categories)


@pytest.mark.parametrize("categories", [[3, 1], (3, 1), np.array([3, 1], np.int8), range(3, 0, -2)])
def test_any_list_of_whole_numbers_will_do(categories: Any) -> None:
    assert CategoricalDesigns(categories).categories.tolist() == [3, 1]
    assert BoxDesigns(int(np.int64(3))).shape == (3,)


@pytest.mark.parametrize(
    ("names", "came"),
    [
        ({"alphabet": "ACG"}, r"alphabet: expected a text of at least 4 letters, .* got 'ACG'"),
        ({"alphabet": 4}, r"alphabet: expected a text of at least 4 letters, .* got 4"),
        ({"labels": [["a", "b"]]}, r"labels: expected a list for each of 2 positions, got 1"),
        ({"labels": [["a", "b"], "abcd"]}, r"labels: .* 4 texts, .* at position 1, got 'abcd'"),
        ({"labels": [["a"], list("abcd")]}, r"labels: .* 2 texts, .* at position 0, got \['a'\]"),
    ],
)
def test_letters_and_labels_are_as_many_as_categories(names: Any, came: str) -> None:
    with pytest.raises(ValueError, match=f"^{came}$"):
        CategoricalDesigns([2, 4], **names)


@pytest.mark.parametrize("features", ["abc", [["a", 2], ["b", 3]], [[1, 2], [3]], [[1j]], None, 5])
def test_features_of_a_pool_are_numbers_in_rows(features: Any) -> None:
    with pytest.raises(ValueError, match=r"^pool_features: expected \(n, k\) numbers, got "):
        CandidateDesigns(features)
