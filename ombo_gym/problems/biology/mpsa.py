"""Measured splicing at nearly every 5' splice site."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from ombo_gym.design_spaces import CategoricalDesigns
from ombo_gym.problems.core.measured import Measured, Measurements
from ombo_gym.problems.data import load_table, table_file

_LABELS = [("GU", "GC") if position == 3 else tuple("ACGU") for position in range(8)]
_SPACE = CategoricalDesigns([len(names) for names in _LABELS], labels=_LABELS, separator="")


@cache
def splicing() -> Measurements:
    """What was measured, kept for the process."""
    table = load_table("mpsa")
    values = np.concatenate([[np.nan], table["levels"]])[table["codes"].reshape(1, -1)]
    return Measurements(values)


class MPSA(Measured):
    """Splice sites of messenger RNA: how much of an exon is kept.

    A design is the 9 letters around the 5' splice site of exon 17 of the gene BRCA2, NNN/GYNNNN:
    the three before it, A, C, G or U each; GU, as in nearly all genes, or GC; and the four after
    them, A, C, G or U each. That makes 8 positions with 4, 4, 4, 2, 4, 4, 4, 4 categories and
    32,768 designs.

    The value, maximised, is log10 of the percentage of messages that kept the exon (PSI), relative
    to the consensus site CAG/GUAAGU: 2 is as good as that one, 0 is a hundredth of it. It was
    estimated from read counts; the data give it once per design, so that measurements are the true
    values, unless `noise_std` is given. The highest values are of sites with few reads.

    30,483 designs were measured; the others are infeasible and never in a start. The floor and
    `reference` are the lowest value measured, -1.349.

    A campaign starts with 64 designs among the half with the lowest values. There is one instance:
    campaigns differ in their starts. The optimum, which is score 1, is the highest value that was
    measured, 2.299 of CGG/GUAACC.

    References:
        Wong, Kinney and Krainer, Quantitative Activity Profile and Context Dependence of All Human
        5' Splice Sites, Molecular Cell 71, 2018.

        The file: Tareen et al., MAVE-NN: learning genotype-phenotype maps from multiplex assays of
        variant effect, Genome Biology 23, 2022.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/MPSA-v0")
        >>> observation, info = env.reset(seed=0)
        >>> len(env.unwrapped.design_space.text(observation["designs"][0]))
        9
    """

    domain: ClassVar[str] = "RNA"
    rounds: ClassVar[tuple[int, int]] = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "percentile", "percentile": 50, "size": 64}
    sources = (table_file("mpsa"),)

    def __init__(self) -> None:
        super().__init__()
        self.design_space = _SPACE

    @override
    def load(self) -> Measurements:
        return splicing()
