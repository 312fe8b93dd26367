"""The TF-binding table, against what others published about it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ombo_gym.problems import data
from ombo_gym.problems.biology.tf_binding import TEST_FACTORS, TRAIN_FACTORS
from ombo_gym.problems.data import load_table

Array = npt.NDArray[Any]

SIX6 = "SIX6_REF_R1"


def letters(design: int) -> str:
    """Spells a base-4 number out, independently of the library's own encoding."""
    return "".join("ACGT"[int(digit)] for digit in np.base_repr(design, 4).zfill(8))


def number(sequence: str) -> int:
    return int(sequence.translate(str.maketrans("ACGT", "0123")), 4)


def reverse_complement(sequence: str) -> str:
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


def other_strands() -> Array:
    """The reverse complement of each listed design, (32896,)."""
    return np.array(
        [number(reverse_complement(letters(x))) for x in load_table("tf_binding")["designs"]]
    )


@pytest.fixture(scope="module")
def listed_rows() -> tuple[Array, Array]:
    """Designs and SIX6 scores as Design-Bench lists them: both strands, scaled to [0, 1]."""
    table = load_table("tf_binding")
    e_scores = table["scores"][list(table["factors"]).index(SIX6)] / 100_000
    scaled = (e_scores - e_scores.min()) / (e_scores.max() - e_scores.min())
    return np.concatenate([table["designs"], other_strands()]), np.concatenate([scaled, scaled])


def test_the_table_holds_41_factors_over_one_strand_of_every_8mer() -> None:
    table = load_table("tf_binding")
    factors, designs, scores = table["factors"], table["designs"], table["scores"]
    assert factors.shape == (41,) and list(factors) == sorted(set(factors)) and SIX6 in factors
    assert designs.shape == (32896,) and designs.dtype == np.uint16
    assert scores.shape == (41, 32896) and scores.dtype == np.int32
    assert scores.min() == -50_000 and scores.max() == 49_974
    both = np.concatenate([designs, other_strands()])
    assert set(both.tolist()) == set(range(4**8))
    assert np.count_nonzero(designs == other_strands()) == 256


@pytest.mark.parametrize(
    ("factor", "sequence", "e_score"),
    [
        ("ARX_REF_R1", "AAAAAAAA", -0.22777),
        ("ZNF655_REF_R1", "AAAAAAAA", 0.05006),
        (SIX6, "AAAAAAAA", 0.03),
        (SIX6, "AGGTATCA", 0.49105),
        ("VSX2_REF_R1", "TTAATTAA", 0.49974),
        ("WT1_REF_R1", "ACTCCCCC", 0.49018),
    ],
)
def test_scores_are_the_published_numbers_to_the_last_bit(
    factor: str, sequence: str, e_score: float
) -> None:
    table = load_table("tf_binding")
    row = list(table["factors"]).index(factor)
    column = int(np.flatnonzero(table["designs"] == number(sequence))[0])
    assert table["scores"][row, column] / 100_000 == e_score


def test_six6_has_65792_rows_and_65536_designs(listed_rows: tuple[Array, Array]) -> None:
    designs, y = listed_rows
    assert len(designs) == len(y) == 65_792
    assert len(np.unique(designs)) == 65_536


def test_half_of_six6_is_visible(listed_rows: tuple[Array, Array]) -> None:
    designs, y = listed_rows
    visible = y <= np.percentile(y, 50)
    assert np.count_nonzero(visible) == 32_898
    assert len(np.unique(designs[visible])) == 32_768
    assert np.float32(y[visible].max()) == np.float32(0.43929616)
    assert y[visible].max() == pytest.approx(42_617 / 97_012, rel=1e-15)


def test_the_best_six6_designs_are_aggtatca_and_its_other_strand(
    listed_rows: tuple[Array, Array],
) -> None:
    designs, y = listed_rows
    assert {letters(x) for x in designs[y == 1.0]} == {"AGGTATCA", "TGATACCT"}
    assert y.max() == 1.0 and y.min() == 0.0


def test_test_factors_share_as_much_of_their_best_hundredth_with_training_factors_as_stated() -> (
    None
):
    table = load_table("tf_binding")
    best = {
        factor: set(np.argsort(-scores, kind="stable")[:329].tolist())  # of 32,896
        for factor, scores in zip(table["factors"].tolist(), table["scores"], strict=True)
    }
    assert sorted(TRAIN_FACTORS + TEST_FACTORS) == sorted(best)
    shared = {(a, b): len(best[a] & best[b]) / 329 for a in TEST_FACTORS for b in TRAIN_FACTORS}
    most = max(shared, key=lambda pair: shared[pair])
    assert most == ("CRX_REF_R1", "PAX3_REF_R1") and 0.165 < shared[most] < 0.175
    of_training = set().union(*(best[factor] for factor in TRAIN_FACTORS))
    with_all = {factor: len(best[factor] & of_training) / 329 for factor in TEST_FACTORS}
    assert max(with_all, key=lambda factor: with_all[factor]) == "NR2E3_REF_R1"
    assert 0.395 < max(with_all.values()) < 0.405
    assert 0.025 < min(with_all.values()) < 0.035
    assert 0.165 < np.median(list(with_all.values())) < 0.175


def test_arrays_are_read_only_and_the_dict_is_the_callers_own() -> None:
    table = load_table("tf_binding")
    for array in table.values():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = array[...]
    scores = table.pop("scores")
    assert load_table("tf_binding")["scores"] is scores


def test_an_unknown_table_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"expected one of .*tf_binding.*got 'tf_bind_10'"):
        load_table("tf_bind_10")


def test_a_missing_file_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "DIRECTORY", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"tf_binding\.npz.*scripts\.build_data"):
        load_table("tf_binding")


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


PACKED = (data.DIRECTORY / "tf_binding.npz").read_bytes()
MIDDLE = len(PACKED) // 2


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\n", id="a pointer, not the file"),
        pytest.param(PACKED[:MIDDLE], id="truncated"),
        pytest.param(PACKED[:MIDDLE] + bytes(99) + PACKED[MIDDLE + 99 :], id="damaged inside"),
        pytest.param(
            npz(**{"scores.planes": np.zeros((4, 2), np.uint8)}), id="an array is missing"
        ),
    ],
)
def test_a_damaged_file_says_how_to_replace_it(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tf_binding.npz").write_bytes(content)
    monkeypatch.setattr(data, "DIRECTORY", tmp_path)
    message = r"tf_binding\.npz is damaged .*scripts\.build_data"
    with pytest.raises(ValueError, match=message) as raised:
        load_table("tf_binding")
    assert "pickle" not in str(raised.value), "whatever numpy offers"
