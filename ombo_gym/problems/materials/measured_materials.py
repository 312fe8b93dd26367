"""Measured materials: pools of designs that were made, most of them several times."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns, Designs
from ombo_gym.problems.core.checks import one_of
from ombo_gym.problems.core.measured import Measured, Measurements, group_replicates
from ombo_gym.problems.data import load_table, table_file

VARIABLES = {  # units in brackets
    "crossed_barrel": ("n", "theta [deg]", "r [mm]", "t [mm]"),
    "agnp": ("AgNO3 [%]", "PVA [%]", "TSC [%]", "seed [%]", "total [uL/min]"),
    "p3ht": ("P3HT [%]", "D1 [%]", "D2 [%]", "D6 [%]", "D8 [%]"),
    "perovskite": ("CsPbI", "FAPbI", "MAPbI"),
    "hoip": ("A", "B", "X"),
}
_MINIMISED = ("agnp", "perovskite", "hoip")


@cache
def measurements(dataset: str) -> Measurements:
    """What was measured, kept for the process."""
    table = load_table("materials")
    values = table[f"{dataset}_values"]
    codes = table[f"{dataset}_rows"].astype(np.intp)
    size = len(table[f"{dataset}_designs"])
    return group_replicates(codes, -values if dataset in _MINIMISED else values, size)


@cache
def pool(dataset: str) -> CandidateDesigns:
    """The designs that were made, each variable scaled to [-1, 1] for surrogates."""
    designs = load_table("materials")[f"{dataset}_designs"]
    low, high = designs.min(axis=0), designs.max(axis=0)
    variables = [name.split(" ")[0] for name in VARIABLES[dataset]]
    names = [
        ", ".join(f"{name} {x:.4g}" for name, x in zip(variables, design, strict=True))
        for design in designs.tolist()
    ]
    return CandidateDesigns(2 * (designs - low) / (high - low) - 1, names=names, scale="none")


@cache
def compositions() -> CategoricalDesigns:
    """The compositions of `hoip`: its table lists all of them, in the order of their codes."""
    categories = 1 + load_table("materials")["hoip_designs"].max(axis=0).astype(np.int64)
    labels = [[f"{s}{c}" for c in range(n)] for s, n in zip("ABX", categories, strict=True)]
    return CategoricalDesigns(categories.tolist(), labels=labels)


class _Pool(Measured):
    """Designs of one data set that were made."""

    sources = (table_file("materials"),)
    dataset: str

    @property
    def variables(self) -> tuple[str, ...]:
        """What the numbers of `to_units` are, units in brackets."""
        return VARIABLES[self.dataset]

    def to_units(self, designs: Designs) -> NDArray[np.float64]:
        """The variables of designs as they were set, (..., *shape) -> (..., k)."""
        variables: NDArray[np.float64] = load_table("materials")[f"{self.dataset}_designs"]
        return variables[self.design_space.encode(designs)]

    def load(self) -> Measurements:
        return measurements(self.dataset)


class CrossedBarrel(_Pool):
    """Tough structures from a 3D printer: 600 crossed barrels, each printed and crushed thrice.

    A crossed barrel is two platforms joined by twisted hollow struts. A design is one of the 600
    that were made, an index into the pool, in ascending order of four variables: the number of
    struts n (6, 8, 10 or 12), their twist theta (0 to 200 degrees, in steps of 25), their outer
    radius r (1.5 to 2.5 mm, in steps of 0.1) and their wall's thickness t (0.7, 1.05 or 1.4 mm).
    Surrogates see each scaled to [-1, 1]; `to_units` gives them as they are.

    The value, maximised, is the toughness in J, the energy that crushing takes: the mean of the
    three specimens of a design. A measurement is one of the three, drawn at random: real scatter,
    3.4 J of standard deviation on average. `noise_std` adds to it.

    Every design of the pool is feasible. `reference` is the lowest true value, 0.433 J.

    A campaign starts with 8 designs among the half with the lowest values. There is one instance:
    campaigns differ in their starts and in what they measure. The optimum, which is score 1, is the
    highest mean of the three specimens of a design, 46.71 J.

    References:
        Gongora et al., A Bayesian experimental autonomous researcher for mechanical design, Science
        Advances 6, 2020.

        Liang et al., Benchmarking the performance of Bayesian optimization across multiple
        experimental materials science domains, npj Computational Materials 7, 2021.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/CrossedBarrel-v0")
        >>> observation, info = env.reset(seed=0)
        >>> env.unwrapped.design_space.text([0])
        'n 6, theta 0, r 1.5, t 0.7'
    """

    domain: ClassVar[str] = "materials"
    rounds: ClassVar[tuple[int, int]] = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "percentile", "percentile": 50, "size": 8}
    dataset = "crossed_barrel"

    def __init__(self) -> None:
        super().__init__()
        self.design_space = pool(self.dataset)


class Materials(_Pool):
    """Recipes of four materials: what was made in the laboratory, or computed, played again.

    A design is one that was made, an index into a pool in ascending order of its variables, each of
    which surrogates see scaled to [-1, 1]; `to_units` gives them as they are:

    - "agnp", silver nanoparticles from a flow reactor: flow rates of silver nitrate, PVA, TSC and
      seeds (per cent of the total) and the total (200 to 983 uL/min); 164 designs;
    - "p3ht", composite films of the polymer P3HT with four kinds of carbon nanotubes, D1, D2, D6
      and D8: the percentage of each; 178 designs;
    - "perovskite", films of mixed halide perovskites: the fractions of CsPbI, FAPbI and MAPbI; 94
      designs;
    - "hoip", hybrid organic-inorganic perovskites: a category for each of A (10), B (3) and X (16),
      all 480 combinations of them; here, a design is the three categories. The package bocode,
      which the file is from, calls them organic cations, metals and anions, names none, and cites
      two sources: GP+ and the HOIP data set of Kim et al. The latter has 1,346 compounds of 16
      cations, 3 metals and 4 halides, which these numbers of categories do not match, so that what
      a category stands for is not known.

    The value is maximised. "agnp": minus the spectral loss, the distance of the particles'
    absorbance from the one wanted; "p3ht": the electrical conductivity in S/cm; "perovskite": minus
    the instability index, the change of colour under heat, light and moisture, in the units of the
    file; "hoip": minus the binding energy in the units of the file, which bocode says is
    intermolecular and computed by density functional theory.

    True values are means over the replicates of a design, 4 to 48 ("agnp"), 1 to 9 ("p3ht"), 1 to 7
    ("perovskite"); a measurement is one of them, drawn at random. "hoip" is computed, without
    noise. `noise_std` adds to it. Of "p3ht" 141 of 178 designs (79%) were measured once, of
    "perovskite" 67 of 94 (71%): these are without noise in play, although they were measured no
    more exactly than the others. Nothing averages their luck out, which favours them as optima: the
    three best of "p3ht" and of "perovskite" are of this kind.

    Every design of a pool is feasible. `reference` is the lowest true value of the data set.

    A campaign starts with 8 designs among the half with the lowest values. There is one instance
    for each data set: campaigns differ in their starts and in what they measure. The optimum, which
    is score 1, is the highest true value: -0.1484 ("agnp"), 838.31 S/cm ("p3ht"), -27,122
    ("perovskite"), 16.79 ("hoip").

    Args:
        dataset: "agnp", "p3ht", "perovskite" or "hoip".

    Raises:
        ValueError: An unknown data set.

    References:
        Mekki-Berrada et al., Two-step machine learning enables optimized nanoparticle synthesis,
        npj Computational Materials 7, 2021 ("agnp").

        Bash et al., Multi-Fidelity High-Throughput Optimization of Electrical Conductivity in
        P3HT-CNT Composites, Advanced Functional Materials 31, 2021 ("p3ht").

        Sun et al., A data fusion approach to optimize compositional stability of halide
        perovskites, Matter 4, 2021 ("perovskite").

        Liang et al., Benchmarking the performance of Bayesian optimization across multiple
        experimental materials science domains, npj Computational Materials 7, 2021 (these three).

        Yousefpour et al., GP+: A Python library for kernel-based learning via Gaussian processes,
        Advances in Engineering Software, 2024 ("hoip", as bocode cites it).

        Kim et al., A hybrid organic-inorganic perovskite dataset, Scientific Data 4, 2017
        (likewise; see above).

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/Materials-v0", dataset="perovskite")
        >>> observation, info = env.reset(seed=0)
        >>> env.unwrapped.design_space.text([93])
        'CsPbI 1, FAPbI 0, MAPbI 0'
    """

    domain: ClassVar[str] = "materials"
    rounds: ClassVar[tuple[int, int]] = (1, 10)
    start: ClassVar[dict[str, Any]] = {"kind": "percentile", "percentile": 50, "size": 8}

    def __init__(self, *, dataset: str = "agnp") -> None:
        super().__init__()
        known = [name for name in VARIABLES if name != CrossedBarrel.dataset]
        self.dataset = one_of("dataset", dataset, known)
        self.design_space = compositions() if dataset == "hoip" else pool(dataset)
