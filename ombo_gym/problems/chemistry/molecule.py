"""Drug-like molecules: a pool from ZINC250k, with properties computed beforehand."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import CandidateDesigns
from ombo_gym.problems.core.checks import one_of
from ombo_gym.problems.core.measured import Measured, Measurements
from ombo_gym.problems.data import load_table, table_file

OBJECTIVES = ("similarity", "penalized_logp", "qed")

# Targets of "similarity", by number: every fifth is for the test.
_TARGETS = np.arange(250)
_SPLITS = {
    "all": _TARGETS,
    "train": _TARGETS[_TARGETS % 5 > 0],
    "test": _TARGETS[::5],
}

# Mean and standard deviation over ZINC250k, as every paper has them: of logP, of minus the
# synthetic accessibility and of minus the atoms beyond six in the largest ring.
_LOGP = (2.4570953396190123, 1.434324401111988)
_ACCESSIBILITY = (-3.0525811293166134, 0.8335207024513095)
_RING = (-0.0485696876403053, 0.2860212110245455)


class Molecule(Measured):
    """The best of 8,192 drug-like molecules, a sample of ZINC250k.

    A design is a molecule, an index into the pool, which is in the order of the SMILES strings
    (`design_space.text` gives them). Surrogates see its Morgan fingerprint (radius 2, 1,024 bits)
    scaled to unit length, on the 64 principal components of the pool, which keep two fifths of the
    variance: they predict these values as well as the fingerprint does.

    The value is a property, maximised; there is no noise unless `noise_std` is given. Every design
    is feasible. Objectives:

    - "similarity": Tanimoto similarity of the fingerprint to that of a hidden target, 0 to 1, which
      each campaign draws: one of 250 molecules of ZINC250k that are not in the pool, 200 of them
      for training and 50 for the test;
    - "penalized_logp": logP minus the synthetic accessibility score minus the atoms beyond six in
      the largest ring, each of the three normalised to mean 0 and standard deviation 1 over
      ZINC250k, with the constants that the literature shares. Rings are RDKit's, the smallest ones;
      code in wide use takes `cycle_basis` of networkx instead, which may go around several fused
      rings at once: of 40 molecules of the pool, none among the best 100, it makes the largest ring
      larger, by 1 to 5 atoms;
    - "qed": the quantitative estimate of drug-likeness, 0 to 1; half of the pool is above 0.76, so
      that 40 random molecules go nine tenths of the way from the start to the best.

    A campaign starts with 16 molecules among the half with the lowest values. `reference` is the
    lowest value: of all targets 0, -62.5 (a ring of 24 atoms; the median is 0.42), 0.193.

    The table knows the optimum, score 1: 0.24 to 0.88 by target, 0.42 in the median
    ("similarity"), 3.709 ("penalized_logp"; 4.520 is the best of all ZINC250k), 0.9476 ("qed").

    Args:
        objective: "similarity", "penalized_logp" or "qed".
        split: "all", "train" or "test" targets of "similarity".

    Raises:
        ValueError: An unknown objective, or a split where there are no targets.

    References:
        Bickerton et al., Quantifying the chemical beauty of drugs, Nature Chemistry 4, 2012 (QED);
        Ertl and Schuffenhauer, Estimation of synthetic accessibility score of drug-like molecules,
        Journal of Cheminformatics 1, 2009; Gomez-Bombarelli et al., Automatic chemical design using
        a data-driven continuous representation of molecules, ACS Central Science 4, 2018
        (ZINC250k); You et al., Graph convolutional policy network for goal-directed molecular graph
        generation, NeurIPS 2018 (penalised logP, normalised).

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/Molecule-v0", objective="penalized_logp")
        >>> observation, info = env.reset(seed=0)
        >>> env.unwrapped.design_space.text([4000])
        'COc1ccccc1N(C)C(=O)c1cc2c([nH]c1=O)CCCC2'
    """

    domain: ClassVar[str] = "chemistry"
    rounds: ClassVar[tuple[int, int]] = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "percentile", "percentile": 50, "size": 16}
    splits = tuple(sorted(_SPLITS))
    sources = (table_file("molecules"),)

    def __init__(self, *, objective: str = "similarity", split: str = "all") -> None:
        self.objective = one_of("objective", objective, OBJECTIVES)
        self.split = one_of("split", split, _SPLITS)
        if objective != "similarity" and split != "all":
            raise ValueError(f"split: it goes with objective='similarity', got {split!r} without")
        super().__init__(len(_SPLITS[split]) if objective == "similarity" else 1)
        self.design_space = pool()

    @override
    def load(self) -> Measurements:
        return measurements(self.objective, self.split)


class MoleculePool(CandidateDesigns):
    """The pool, which pickles as a name: every process reads it for itself."""

    def __reduce__(self) -> Any:
        return pool, ()


@cache
def pool() -> MoleculePool:
    """The molecules that are designs, kept for the process."""
    table = load_table("molecules")
    names = smiles()[: len(table["qed"])]
    bits = _bits()[: len(names)].astype(np.float64)
    scores = bits @ table["components"].astype(np.float64)  # whole numbers: exact on every machine
    features = scores / 2**15 / np.sqrt(bits.sum(axis=1))[:, None]  # (n, k) principal components
    return MoleculePool(features, names=names, scale="none")


def smiles() -> list[str]:
    """SMILES strings of the pool, then of the targets."""
    text: list[str] = load_table("molecules")["smiles"].tobytes().decode("ascii").split("\n")
    return text


@cache
def measurements(objective: str, split: str) -> Measurements:
    """Values of the pool, for each target of a split where there are some."""
    if objective == "similarity":
        return Measurements(similarities(_SPLITS[split]))
    table = load_table("molecules")
    if objective == "qed":
        return Measurements(table["qed"][None] / 1e6)
    logp, accessibility = table["logp"] / 1e6, table["sa"] / 1e6
    beyond_six = np.maximum(table["largest_ring"].astype(np.float64) - 6, 0)
    return Measurements(penalized_logp(logp, accessibility, beyond_six)[None])


def penalized_logp(
    logp: NDArray[np.float64], accessibility: NDArray[np.float64], beyond_six: NDArray[np.float64]
) -> NDArray[np.float64]:
    """LogP, minus how hard synthesis is, minus atoms in the largest ring beyond six, normalised."""
    value: NDArray[np.float64] = (logp - _LOGP[0]) / _LOGP[1]
    value += (-accessibility - _ACCESSIBILITY[0]) / _ACCESSIBILITY[1]
    value += (-beyond_six - _RING[0]) / _RING[1]
    return value


def similarities(targets: NDArray[np.intp]) -> NDArray[np.float64]:
    """Tanimoto similarity of the pool to some targets, (targets, 8192)."""
    bits = _bits().astype(np.float32)  # whole numbers below 2^24: products are exact
    size = len(load_table("molecules")["qed"])
    theirs, ours = bits[size + targets], bits[:size]
    shared = (theirs @ ours.T).astype(np.float64)
    tanimoto: NDArray[np.float64]
    tanimoto = shared / (theirs.sum(axis=1)[:, None] + ours.sum(axis=1) - shared)
    return tanimoto


def _bits() -> NDArray[np.uint8]:
    """Fingerprints of the pool, then of the targets, (8442, 1024) of 0 and 1."""
    return np.unpackbits(load_table("molecules")["fingerprints"], axis=1)
