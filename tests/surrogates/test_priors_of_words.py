"""A prior of words plays wherever designs are the same words, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ombo_gym.design_spaces import CategoricalDesigns, DesignSpace
from ombo_gym.design_spaces.parameters import parse_parameters
from ombo_gym.surrogates.learned_prior import described, read_prior
from tests.surrogates.learned_cases import write_prior

DNA = CategoricalDesigns([4] * 3, alphabet="ACGT")


def named(**parameters: Any) -> DesignSpace:
    """The same as a space file writes it, with positions that have names."""
    return CategoricalDesigns.of(parse_parameters(parameters))


def test_words_are_the_same_whatever_their_positions_are_called(tmp_path: Path) -> None:
    bases = {"choices": ["A", "C", "G", "T"]}
    space = named(first=bases, second=bases, third=bases)
    assert space != DNA
    folder = write_prior(tmp_path, DNA, "interp")
    assert read_prior(folder, space).space == space


@pytest.mark.parametrize(
    "space",
    [
        CategoricalDesigns([4] * 4, alphabet="ACGT"),
        CategoricalDesigns([4] * 3, alphabet="ACGU"),
        CategoricalDesigns([4] * 3, alphabet="TGCA"),
        CategoricalDesigns([4] * 3),
        CategoricalDesigns([4] * 3, alphabet="ACGT", ordinal=True),
        CategoricalDesigns([3] * 3, alphabet="ACGT"),
        named(a=["A", "C", "G", "T"], b=["A", "C", "G", "T"], c=["A", "C", "G", "U"]),
        named(a=["A", "C", "G", "TT"], b=["A", "C", "G", "TT"], c=["A", "C", "G", "TT"]),
    ],
)
def test_others_are_not(space: DesignSpace, tmp_path: Path) -> None:
    folder = write_prior(tmp_path, DNA, "interp")
    with pytest.raises(ValueError, match="is of other designs"):
        read_prior(folder, space)


def test_spaces_that_are_no_words_are_described_as_before() -> None:
    assert set(described(CategoricalDesigns([4] * 3))) == {"summary", "digest"}
    assert described(DNA)["words"] == "3 of ACGT"
