"""Inverse folding, against ViennaRNA's pair probabilities and the definition of the defect."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import RNA

import ombo_gym  # noqa: F401
from ombo_gym.problems.biology.rna_fold import RNAFold
from ombo_gym.randomness import KeyedGenerator, Stream

Array = npt.NDArray[Any]


def pairs(structure: str) -> Array:
    """Partner of each base, -1 where it has none, independently of the library's own reading."""
    return np.array(RNA.ptable(structure)[1:]) - 1


def value_by_definition(sequence: str, structure: str) -> float:
    """The expected share of bases that are as in the target, from pair probabilities."""
    fold = RNA.fold_compound(sequence)
    fold.mfe()
    fold.pf()
    paired = np.array(fold.bpp())[1:, 1:]
    paired = paired + paired.T
    right = [1 - paired[i].sum() if j < 0 else paired[i, j] for i, j in enumerate(pairs(structure))]
    return float(np.mean(right))


def drawn(problem: RNAFold, num_campaigns: int, seed: int = 0) -> dict[str, Array]:
    keys = np.random.default_rng(seed).integers(2**63, size=num_campaigns).astype(np.uint64)
    return problem.draw(KeyedGenerator(keys, Stream.INSTANCE))


def design(sequence: str) -> Array:
    return np.array([[["ACGU".index(base) for base in sequence]]])


@pytest.mark.parametrize("length", [20, 30, 57, 100])
def test_values_follow_from_pair_probabilities_of_viennarna(length: int) -> None:
    problem = RNAFold(length=length)
    instances = drawn(problem, 3)
    designs = np.random.default_rng(1).integers(4, size=(3, 4, length))
    expected = [
        [
            value_by_definition(
                "".join("ACGU"[base] for base in designs[row, i]), problem.structure(instances, row)
            )
            for i in range(4)
        ]
        for row in range(3)
    ]
    assert problem.evaluate(instances, designs) == pytest.approx(np.array(expected), abs=1e-7)


def test_a_hairpin_is_made_by_strong_pairs() -> None:
    problem = RNAFold(target="((((((....))))))")
    instances = drawn(problem, 1)
    strong, weak, none, elsewhere = (
        float(problem.evaluate(instances, design(sequence))[0, 0])
        for sequence in ("GGCGCCGAAAGGCGCC", "AUAUAUGAAAAUAUAU", "A" * 16, "AAGGGGAAAACCCCAA")
    )
    assert strong > 0.99 > 0.9 > weak
    assert none == pytest.approx(4 / 16)  # nothing pairs: the loop alone is as wanted
    assert elsewhere == pytest.approx(12 / 16, abs=0.05)  # four pairs of six, and the loop
    assert strong == pytest.approx(value_by_definition("GGCGCCGAAAGGCGCC", "((((((....))))))"))


def test_a_long_target_of_strong_pairs_has_a_value_too() -> None:
    problem = RNAFold(target="(" * 198 + "...." + ")" * 198)
    value = problem.evaluate(drawn(problem, 1), design("GC" * 200))
    assert 0.9 < value[0, 0] < 1


def test_targets_are_structures_of_their_length_with_enough_pairs() -> None:
    problem = RNAFold(length=40)
    instances = drawn(problem, 50)
    targets = [problem.structure(instances, row) for row in range(50)]
    assert len(set(targets)) > 45 and {len(target) for target in targets} == {40}
    assert all((pairs(target) >= 0).mean() >= 0.4 for target in targets)
    again = drawn(problem, 50)
    assert targets == [problem.structure(again, row) for row in range(50)]
    assert (problem.best_known(instances) == 1).all()


def test_train_and_test_share_no_target() -> None:
    sides = {
        split: {
            problem.structure(instances, row)
            for seed in range(2)
            for problem in [RNAFold(length=20, split=split)]
            for instances in [drawn(problem, 150, seed)]
            for row in range(150)
        }
        for split in ("train", "test", "all")
    }
    assert not sides["train"] & sides["test"]
    assert min(len(targets) for targets in sides.values()) > 80
    assert sides["all"] & sides["train"] and sides["all"] & sides["test"]


def test_two_workers_fold_as_one_does() -> None:
    alone, parallel = RNAFold(length=25), RNAFold(length=25, workers=2)
    instances = drawn(alone, 3)
    designs = np.random.default_rng(0).integers(4, size=(3, 5, 25))
    values = alone.evaluate(instances, designs)
    assert values.tobytes() == parallel.evaluate(instances, designs).tobytes()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("((((....)))", r"'\(' at 0 that is never closed"),
        ("((((....)))))", r"'\)' at 12 that closes nothing"),
        ("((((..))))", "fewer than 3 bases in the loop that ends at 6"),
        ("((((..[.))))", r"got '\[' at 6"),
        ("GGGGAAAACCCC", "got 'G' at 0"),
        ("........", "got no pair"),
        ("", "got no pair"),
        ("(" + "." * 400 + ")", "at most 400 bases, got 402"),
        (7, "got 7"),
    ],
)
def test_what_is_no_structure_is_refused(target: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"target: expected a structure.*" + message):
        RNAFold(target=target)


@pytest.mark.parametrize("length", [19, 101, 30.0, "30", True])
def test_a_length_out_of_range_is_refused(length: Any) -> None:
    with pytest.raises(ValueError, match="length: expected a whole number from 20 to 100"):
        RNAFold(length=length)


def test_arguments_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="length: expected that of the target, 12, got 30"):
        RNAFold(target="((((....))))", length=30)
    with pytest.raises(ValueError, match="split: it goes without a target"):
        RNAFold(target="((((....))))", split="test")
    with pytest.raises(ValueError, match=r"split: expected one of .* got 'validation'"):
        RNAFold(split="validation")


def test_a_missing_viennarna_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"RNAFold needs RNA.*ombo-gym\[rna\]"):
        RNAFold()
