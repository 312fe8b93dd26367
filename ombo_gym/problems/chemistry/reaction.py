"""Measured yields and selectivities of four high-throughput reaction screens."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from ombo_gym.design_spaces import CategoricalDesigns
from ombo_gym.problems.core.checks import one_of
from ombo_gym.problems.core.measured import Measured, Measurements
from ombo_gym.problems.data import load_table, table_file

COMPONENTS = {
    "doyle": ("ligand", "additive", "base", "aryl halide"),
    "borylation": ("electrophile", "ligand", "solvent"),
    "deoxyfluorination": ("substrate", "base", "sulfonyl fluoride"),
    "denmark": ("catalyst", "imine", "thiol"),
}


@cache
def screen(dataset: str) -> Measurements:
    """What was measured, kept for the process."""
    return Measurements(load_table("reactions")[f"{dataset}_values"].reshape(1, -1))


@cache
def reactions(dataset: str) -> CategoricalDesigns:
    """The reactions of a screen, labelled with SMILES."""
    table = load_table("reactions")
    levels = table[f"{dataset}_values"].shape
    labels = np.split(table[f"{dataset}_labels"], np.cumsum(levels)[:-1])
    return CategoricalDesigns(levels, labels=[part.tolist() for part in labels])


class Reaction(Measured):
    """Conditions of a chemical reaction: a screen that was run in full, played again.

    A design is one molecule for each component of the reaction, in this order, numbered in the
    alphabetical order of their SMILES, which are the labels of the design space:

    - "doyle", Buchwald-Hartwig C-N coupling: 4 ligands, 22 isoxazole additives, 3 bases, 15 aryl
      halides, 3,960 designs;
    - "borylation", nickel-catalysed: 33 electrophiles, 23 ligands, 2 solvents, 1,518 designs;
    - "deoxyfluorination": 37 alcohols, 4 bases, 5 sulfonyl fluorides, 740 designs;
    - "denmark", addition of thiols to imines: 43 chiral phosphoric acids (the catalysts), 5 imines,
      5 thiols, 1,075 designs.

    The value, maximised, is the yield as a fraction, in the file's own units: calibrated, so that
    deoxyfluorination exceeds 1 by a little. For "denmark" it is the difference of the activation
    energies of the two enantiomers in kcal/mol, a selectivity, negative where the other one wins.

    Each reaction was measured once: measurements are the true values, unless `noise_std` is given.
    Of "doyle" 5 combinations were never run: they are infeasible and never in a start. The floor
    and `reference` are the lowest value that was measured, 0, or -0.419 for "denmark".

    A campaign starts with 8 designs among the half with the lowest values. There is one instance:
    campaigns differ in their starts. The optimum, which is score 1, is the highest value that was
    measured: 0.9999999 ("doyle"), 1.0 ("borylation"), 1.06 ("deoxyfluorination"), 3.135 kcal/mol
    ("denmark"). It need not be one design: 27 of "denmark" have it, 8 of "borylation", 2 of "doyle"
    and of "deoxyfluorination", each digit for digit, as selectivities of "denmark" take only 87
    values. Score 1 is to find any of them, which is easier the more there are: of the designs of
    "denmark" one in 40 will do.

    Args:
        dataset: "doyle", "borylation", "deoxyfluorination" or "denmark".

    Raises:
        ValueError: An unknown data set.

    References:
        Ahneman et al., Predicting reaction performance in C-N cross-coupling using machine
        learning, Science 360, 2018.

        Stevens et al., Advancing Base Metal Catalysis through Data Science: Insight and Predictive
        Models for Ni-Catalyzed Borylation through Supervised Machine Learning, Organometallics 41,
        2022.

        Nielsen et al., Deoxyfluorination with Sulfonyl Fluorides: Navigating Reaction Space with
        Machine Learning, J. Am. Chem. Soc. 140, 2018.

        Zahrt et al., Prediction of higher-selectivity catalysts by computer-driven workflow and
        machine learning, Science 363, 2019.

        The files: Schmid et al., One Set to Rule Them All: How to Obtain General Chemical
        Conditions via Bayesian Optimization over Curried Functions, arXiv:2502.18966, 2025.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/Reaction-v0", dataset="borylation")
        >>> observation, info = env.reset(seed=0)
        >>> env.unwrapped.design_space.text([0, 0, 1]).split(" | ")[2]
        'CO'
    """

    domain: ClassVar[str] = "chemistry"
    rounds: ClassVar[tuple[int, int]] = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "percentile", "percentile": 50, "size": 8}
    sources = (table_file("reactions"),)

    def __init__(self, *, dataset: str = "doyle") -> None:
        super().__init__()
        self.dataset = one_of("dataset", dataset, COMPONENTS)
        self.design_space = reactions(self.dataset)

    @property
    def components(self) -> tuple[str, ...]:
        """What each position of a design is."""
        return COMPONENTS[self.dataset]

    @override
    def load(self) -> Measurements:
        return screen(self.dataset)
