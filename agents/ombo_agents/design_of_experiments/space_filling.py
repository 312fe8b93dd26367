"""Designs that are spread evenly over a space, within a round and over a whole campaign."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.policy import DesignsPolicy
from ombo_agents.round_history import by_count, by_history
from ombo_agents.settings import whole
from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.kernels import squared_distances

_BITS = 23  # as many as a float32 in [-1, 1] tells apart everywhere


class Sobol(DesignsPolicy):
    """One Sobol sequence with a random digital shift, q points of it a round; boxes only.

    All proposals of a campaign are the first points of one sequence, so that they are spread evenly
    together and not only round by round. The first round draws the shift; later ones read it off
    the first design of the first round, which is the sequence's first point, the shift itself.

    Reference:
        Sobol, On the distribution of points in a cube and the approximate evaluation of integrals,
        1967; Lemieux, Monte Carlo and quasi-Monte Carlo sampling, 2009, section 6.2 (the shift).
    """

    horizon_aware = False

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        dim = self.space.shape[0]
        batch = np.zeros((len(rngs), q, dim), np.float32)
        for history in by_history(self.spec, observation, q, entries_per_row=dim):
            env_indices = history.env_indices
            num_proposed = history.num_observed - history.num_start
            if num_proposed:
                first = observation["designs"][env_indices, history.num_start]  # (R, d)
                shift = (first.astype(np.float64)[:, None] + 1) / 2 * 2**_BITS  # (R, 1, d)
                shift = np.minimum(shift, 2**_BITS - 1).astype(np.int64)
            else:
                shift = (rngs.take(env_indices).random((1, dim)) * 2**_BITS).astype(np.int64)
            points = sobol_integers(num_proposed + q, dim)[num_proposed:] ^ shift  # (R, q, d)
            batch[env_indices] = (2 * points + 1) / 2**_BITS - 1
        return batch


class LatinHypercube(DesignsPolicy):
    """Each round a Latin hypercube: one design in each of q slices of every parameter.

    Of many random ones the one whose smallest distance, between its designs and to all that were
    measured before, is the largest: rounds fill each other's gaps. Beside numbers, the slices of
    categories are their levels, as often as each other as far as q allows.

    Args:
        spec: Of the campaigns it is built for.
        candidates: Random Latin hypercubes to choose from; 1 makes a plain one.

    Raises:
        ValueError: An argument out of range.

    Reference:
        McKay, Beckman and Conover, Technometrics 21, 1979; Morris and Mitchell, Exploratory designs
        for computational experiments, 1995 (the largest smallest distance).
    """

    horizon_aware = False

    def __init__(self, spec: CampaignSpec, *, candidates: int) -> None:
        super().__init__(spec)
        self.candidates = whole("candidates", candidates)

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        space, count, num_parameters = self.space, self.candidates, self.space.cube
        assert num_parameters is not None
        batch = np.zeros((len(rngs), q, *space.shape), space.dtype)
        entries = count * (q + space.shape[0])
        for env_indices, num_observed in by_count(observation, entries_per_row=entries):
            uniform = rngs.take(env_indices).random((count, 2, q, num_parameters))
            slices = uniform[:, :, 0].argsort(axis=2)  # a permutation per parameter
            designs = space.from_unit_cube((slices + uniform[:, :, 1]) / q)  # (R, candidates, q, d)
            measured = observation["designs"][env_indices, :num_observed]
            gaps = np.stack(  # (R, candidates)
                [_smallest_distance(space, designs[:, i], measured) for i in range(count)], axis=1
            )
            batch[env_indices] = designs[np.arange(len(env_indices)), gaps.argmax(axis=1)]
        return batch


def _smallest_distance(
    space: DesignSpace, batch: Designs, measured: Designs
) -> NDArray[np.float64]:
    """Smallest squared distance of a batch's designs to each other and to measured ones, (R,)."""
    proposed, q = space.features(batch), batch.shape[1]
    everything = np.concatenate([proposed, space.features(measured)], axis=1)
    distances = squared_distances(proposed, everything)  # (R, q, q + n)
    distances[:, np.arange(q), np.arange(q)] = np.inf
    smallest: NDArray[np.float64] = distances.min(axis=(1, 2))
    return smallest


def sobol_integers(count: int, dim: int) -> NDArray[np.int64]:
    """The first points of the Sobol sequence as integers below 2^23, (count, dim), read-only."""
    return _sobol_integers(int(np.ceil(np.log2(count))) if count > 1 else 0, dim)[:count]


@cache
def _sobol_integers(exponent: int, dim: int) -> NDArray[np.int64]:
    from scipy.stats import qmc  # takes half a second to import

    points = qmc.Sobol(dim, scramble=False, bits=30).random_base2(exponent)
    integers: NDArray[np.int64] = (points * 2**_BITS).astype(np.int64)
    integers.setflags(write=False)
    return integers
