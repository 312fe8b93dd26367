"""Molecules: properties and fingerprints against rdkit, values against published ones."""

from __future__ import annotations

import pickle
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem, DataStructs, RDConfig
from rdkit.Chem import QED, Crippen, rdFingerprintGenerator

import ombo_gym
from ombo_gym.problems.chemistry.molecule import (
    Molecule,
    measurements,
    penalized_logp,
    pool,
    similarities,
    smiles,
)
from ombo_gym.problems.data import load_table, table_file
from ombo_gym.randomness import KeyedGenerator, Stream
from scripts.build_data.molecules import properties
from tests.problems.measured_problems import all_values, of_table, true_value

TEN = np.random.default_rng(0).integers(8192, size=10).tolist()
FINGERPRINTS = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)


SCORER_FILE = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
_SPEC = spec_from_file_location("rdkits_sascorer", SCORER_FILE)
assert _SPEC is not None and _SPEC.loader is not None
SASCORER = module_from_spec(_SPEC)
_SPEC.loader.exec_module(SASCORER)


def drawn_tables(split: str) -> np.ndarray:
    rngs = KeyedGenerator(np.arange(400, dtype=np.uint64), Stream.INSTANCE)
    return Molecule(objective="similarity", split=split).draw(rngs)["table"]


def test_the_pool_is_8192_distinct_molecules_and_the_targets_are_others() -> None:
    known = smiles()
    assert len(known) == len(set(known)) == 8192 + 250
    assert pool().size == 8192 and pool().names == known[:8192]
    assert table_file("molecules").stat().st_size < 600_000


def test_ten_molecules_have_the_properties_that_rdkit_computes() -> None:
    qed, penalized = Molecule(objective="qed"), Molecule(objective="penalized_logp")
    for number in TEN:
        written = pool().text(np.array([number]))
        molecule = Chem.MolFromSmiles(written)
        assert true_value(qed, [number]) == pytest.approx(QED.qed(molecule), abs=1e-6)

        largest_ring = max(map(len, Chem.GetSymmSSSR(molecule)), default=0)
        expected = (
            (Crippen.MolLogP(molecule) - 2.4570953396190123) / 1.434324401111988
            - (SASCORER.calculateScore(molecule) - 3.0525811293166134) / 0.8335207024513095
            - (max(largest_ring - 6, 0) - 0.0485696876403053) / 0.2860212110245455
        )
        assert true_value(penalized, [number]) == pytest.approx(expected, abs=5e-6)


def test_similarity_is_the_tanimoto_similarity_that_rdkit_computes() -> None:
    problem = Molecule(objective="similarity")
    for target, number in zip([0, 77, 249] * 4, TEN, strict=False):
        pair = [
            FINGERPRINTS.GetFingerprint(Chem.MolFromSmiles(smiles()[row]))
            for row in (8192 + target, number)
        ]
        assert true_value(problem, [number], target) == DataStructs.TanimotoSimilarity(*pair)


@pytest.mark.parametrize(
    ("written", "expected"),
    [  # the three best of ZINC250k, as You et al. (2018) list them
        ("COc1ccc(-c2cc(-c3ccccc3)cc(-c3ccc(Br)cc3)[o+]2)cc1", 4.52),
        ("COc1ccc(-c2cc(-c3ccccc3)cc(-c3ccc(I)cc3)[o+]2)cc1", 4.30),
        ("FC(F)(F)c1cccc(Nc2scc(-c3ccc(Cl)cc3)[n+]2CCc2ccccc2)c1", 4.23),
    ],
)
def test_penalised_logp_is_the_published_one(written: str, expected: float) -> None:
    _, logp, accessibility, largest_ring = properties(written)
    beyond_six = np.array([max(largest_ring - 6.0, 0)])
    value = penalized_logp(np.array([logp]), np.array([accessibility]), beyond_six)
    assert value[0] == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("written", "atoms"),
    [
        ("c1ccc2cc3ccccc3cc2c1", 6),  # anthracene: 14 atoms around its three fused rings
        ("C1CCc2ccccc2CC1", 7),  # a ring of seven on a benzene
        ("O=C1CCCCCCCCCCCCCC1", 15),  # a macrocycle
        ("C1CC2CCC1C2", 5),  # norbornane: 7 carbons, two rings of five that share three
        ("CCCC", 0),
    ],
)
def test_the_largest_ring_is_that_of_the_smallest_rings(written: str, atoms: int) -> None:
    assert properties(written)[3] == atoms
    one, other = (
        penalized_logp(np.zeros(1), np.zeros(1), np.array([beyond]))[0]
        for beyond in (0.0, max(atoms - 6.0, 0.0))
    )
    assert one - other == pytest.approx(max(atoms - 6, 0) / 0.2860212110245455)


def test_the_worst_of_the_pool_has_a_ring_of_24_atoms() -> None:
    worst = int(np.argmin(all_values(Molecule(objective="penalized_logp"))))
    assert load_table("molecules")["largest_ring"][worst] == 24


@pytest.mark.parametrize(
    ("objective", "best"), [("qed", 0.947554), ("penalized_logp", 3.70907), ("similarity", None)]
)
def test_the_optimum_is_the_best_of_the_pool(objective: str, best: float | None) -> None:
    problem = Molecule(objective=objective)
    values = all_values(problem)
    assert problem.optimum(of_table())[0] == values.max()
    assert best is None or values.max() == pytest.approx(best, abs=1e-5)
    assert problem.reference <= values.min()
    assert problem.feasible(of_table(), np.array([[[0]]])) is None


def test_no_target_can_be_reached() -> None:
    best = similarities(np.arange(250)).max(axis=1)
    assert 0.2 < best.min() and best.max() < 0.9


def test_train_and_test_targets_are_different_ones() -> None:
    of_train = {tuple(row) for row in measurements("similarity", "train").values}
    of_test = {tuple(row) for row in measurements("similarity", "test").values}
    assert len(of_train) == 200 and len(of_test) == 50 and not of_train & of_test
    assert set(drawn_tables("test")) == set(range(50))
    assert drawn_tables("train").max() < 200


def test_features_tell_similar_molecules_from_others() -> None:
    features = pool().pool_features
    target = features[TEN[0]]
    bits = np.unpackbits(load_table("molecules")["fingerprints"], axis=1)[:8192].astype(int)
    shared = bits @ bits[TEN[0]]
    tanimoto = shared / (bits.sum(axis=1) + bits[TEN[0]].sum() - shared)
    nearest = np.argsort(((features - target) ** 2).sum(axis=1))[1:51]
    assert tanimoto[nearest].mean() > 2 * tanimoto.mean()


def test_it_pickles_small_and_comes_back_with_the_pool() -> None:
    problem = Molecule(objective="similarity", split="test")
    problem.optimum(of_table())
    pickled = pickle.dumps(problem)
    assert len(pickled) < 1000
    assert pickle.loads(pickled).design_space is pool()


def test_what_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="objective: expected one of"):
        ombo_gym.make_problem("Molecule", objective="tpsa")
    with pytest.raises(ValueError, match="split: it goes with objective='similarity'"):
        ombo_gym.make_problem("Molecule", objective="qed", split="train")
