"""Measured affinity of every antibody between CR6261 and its germline."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from typing_extensions import override

from ombo_gym.design_spaces import CategoricalDesigns
from ombo_gym.problems.core.measured import Measured, Measurements
from ombo_gym.problems.data import load_table, table_file

SITES = (28, 30, 58, 59, 62, 74, 75, 76, 77, 79, 104)  # of the heavy chain, counted from 1
GERMLINE, MATURE = "TSANQKSTSAL", "PRTKPDFAGVV"

_LABELS = list(zip(GERMLINE, MATURE, strict=True))
_SPACE = CategoricalDesigns([2] * len(SITES), labels=_LABELS, separator="")


@cache
def affinities() -> Measurements:
    """What was measured, kept for the process."""
    return Measurements(load_table("antibody")["values"].reshape(1, -1))


class Antibody(Measured):
    """Maturation of CR6261, an antibody against many strains of influenza.

    A design says of eleven residues of the heavy chain whether each is as in the germline, where
    the antibody came from (0), or as in the mature antibody (1): T28P, S30R, A58T, N59K, Q62P,
    K74D, S75F, T76A, S77G, A79V, L104V, counted along the chain. All 2^11 = 2,048 were made. The
    map is rugged: several mutations must come together before there is binding at all.

    The value, maximised, is -log10 of the dissociation constant Kd (mol/l) from hemagglutinin H1:
    9 binds at a nanomolar concentration. 7 is the limit of what could be detected, where the
    germline and 225 others are.

    A value is a mean over the biological replicates, which the data do not give one by one:
    measurements are the true values, unless `noise_std` is given. 161 of the values were estimated
    by the source; the optimum was measured. Every design is feasible. `reference` is the lowest
    value, 7.

    A campaign starts with 16 designs among the half with the lowest values. There is one instance:
    campaigns differ in their starts. The optimum, which is score 1, is 9.729, of T28P, S30R, S75F
    and L104V together; the mature antibody has 9.507.

    References:
        Phillips et al., Binding affinity landscapes constrain the evolution of broadly neutralizing
        anti-influenza antibodies, eLife 10, 2021.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/Antibody-v0")
        >>> observation, info = env.reset(seed=0)
        >>> env.unwrapped.design_space.text([1] * 11)
        'PRTKPDFAGVV'
    """

    domain: ClassVar[str] = "protein"
    rounds: ClassVar[tuple[int, int]] = (1, 10)
    start: ClassVar[dict[str, Any]] = {"kind": "percentile", "percentile": 50, "size": 16}
    sources = (table_file("antibody"),)

    def __init__(self) -> None:
        super().__init__()
        self.design_space = _SPACE

    @override
    def load(self) -> Measurements:
        return affinities()
