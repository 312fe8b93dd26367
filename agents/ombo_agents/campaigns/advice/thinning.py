"""A long list of candidates in simulation: the promising ones, and a spread of the others.

What a simulated round costs grows with the candidates that are looked at, and a list of 90,000 is
looked at thousands of times. Which ones are kept is settled once, before anything is simulated and
from what was measured alone: all policies, plates and objectives have the same, so that what is
compared stays paired, and no objective's own best candidates are favoured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.data.known import Known
from ombo_agents.campaigns.space.encoding import restricted
from ombo_agents.campaigns.space.factors import Floats
from ombo_agents.design_of_experiments.d_optimal import DOptimal
from ombo_agents.model_free.random import RandomPolicy
from ombo_agents.registry import make
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.posterior import Posterior

LISTED_WHOLE = 8192  # candidates up to which all are looked at
KEPT = 8192  # candidates of longer lists, about
_PROMISING = 0.75  # share of them that are kept for what is expected of them
_WEIGHTS = (0.0, 1.0, 2.0)  # of the standard deviation, by which candidates are promising
_MOST_VALUES = 24  # of a column that a plate has few values of
_FEWEST_COMBINED = 12  # combinations of such values, at least
_HELD = 2**22  # covariances of candidates and measured designs that are held at once


@dataclass(frozen=True)
class Candidates:
    """What simulated plates are chosen from.

    Attributes:
        known: The campaign, with those candidates that are kept.
        spread: The campaign with the spread alone, for policies that do not look at values: among
            promising candidates they would end higher than at the bench.
        total: How many candidates there are.
    """

    known: Known
    spread: Known
    total: int

    @property
    def thinned(self) -> bool:
        """Whether some are left out."""
        return self.spread is not self.known

    @property
    def note(self) -> str:
        """What is otherwise than at the bench."""
        size = self.known.spec.design_space.size
        return (
            f"simulated plates choose from {size:,} of {self.total:,} designs, the same in all "
            "simulations: the most promising ones and a random spread of the others (policies that "
            "do not look at values: from the spread alone)"
        )


def candidates_of(known: Known, posterior: Posterior, wells: int, seed: int) -> Candidates:
    """All candidates of a short list, some of a long one.

    Where plates have few values of a column, each value is kept with as many candidates as any
    other, so that each plate can be filled; of more than 24 values, some.

    Args:
        known: The campaign.
        posterior: Of the same campaign, by which candidates are promising.
        wells: That are to come, at most.
        seed: Of the spread.
    """
    size = known.spec.design_space.size
    if not is_long(known):
        return Candidates(known, known, size or 0)
    assert size is not None
    rng = np.random.default_rng([seed, 0x7A1B])
    rank = _ranks(known, posterior)  # (M,)
    strata = _strata(known, rank, wells)  # (M,)
    count = max(KEPT, 8 * wells)
    promising, spread = np.zeros(size, bool), np.zeros(size, bool)
    groups = [np.flatnonzero(strata == each) for each in np.unique(strata[strata >= 0])]
    least = wells + len(known.designs)  # of which what is measured is not measured again
    for group in groups:
        quota = min(count // len(groups), len(group))
        best = group[np.argsort(rank[group], kind="stable")][: int(_PROMISING * quota)]
        promising[best] = True
        spread[rng.permutation(group)[: max(quota - len(best), least)]] = True
    measured = np.zeros(size, bool)
    measured[known.designs[:, 0]] = True
    if not _fills_plates(known, spread | measured, wells):
        return Candidates(known, known, size)
    some, blind = (
        _with(known, keep) for keep in (promising | spread | measured, spread | measured)
    )
    return Candidates(some, blind, size)


def is_long(known: Known) -> bool:
    """Whether there are so many candidates that simulation looks at some of them."""
    size = known.spec.design_space.size
    return known.encoding.pool is not None and size is not None and size > LISTED_WHOLE


def looks_at_no_values(policy: str, spec: CampaignSpec) -> bool:
    """Whether plates of a policy are the same, whatever was measured."""
    return isinstance(make(policy, spec), RandomPolicy | DOptimal)


def _with(known: Known, keep: NDArray[np.bool_]) -> Known:
    """The campaign with some of its candidates, all that are measured among them."""
    encoding = restricted(known.encoding, keep)
    designs = np.searchsorted(np.flatnonzero(keep), known.designs)
    spec = replace(known.spec, design_space=encoding.design_space)
    fits = None if known.fits is None else known.fits[keep]
    return replace(known, encoding=encoding, spec=spec, designs=designs, fits=fits)


def _ranks(known: Known, posterior: Posterior) -> Floats:
    """Of all candidates, 0 the most promising, by the weight that favours each most, (M,)."""
    space = known.spec.design_space
    assert space.size is not None
    step = max(1, _HELD // posterior.targets.shape[1])
    parts = []
    for first in range(0, space.size, step):
        some = np.arange(first, min(first + step, space.size))[:, None]
        at = posterior.at(space.features(some)[None])
        parts.append((at.mean[0], at.sd[0]))
    mean, sd = (np.concatenate(each) for each in zip(*parts, strict=True))
    found = np.full(len(mean), np.inf)
    places = np.arange(len(mean), dtype=np.float64)
    for weight in _WEIGHTS:
        place = np.empty(len(mean))
        place[np.argsort(-(mean + weight * sd), kind="stable")] = places
        found = np.minimum(found, place)
    return found


def _strata(known: Known, rank: Floats, wells: int) -> NDArray[np.intp]:
    """Which candidates have the same values of what plates have few of, (M,); -1: left out."""
    pool, plate = known.encoding.pool, known.encoding.space.plate
    assert pool is not None
    found = np.zeros(len(rank), np.intp)
    left_out = np.zeros(len(rank), bool)
    room = KEPT * (1 - _PROMISING) / (wells + len(known.designs))  # combinations with all wells
    most = _MOST_VALUES
    if plate:
        most = min(int(max(room, _FEWEST_COMBINED) ** (1 / len(plate))), _MOST_VALUES)
    for column, on_a_plate in plate.items():
        numbers = np.unique(pool[column], return_inverse=True)[1]
        values = int(numbers.max()) + 1
        kept = np.arange(values)
        if values > (allowed := max(most, 2 * on_a_plate)):
            best = np.full(values, np.inf)
            np.minimum.at(best, numbers, rank)
            half = np.argsort(best, kind="stable")[: allowed // 2]
            others = np.setdiff1d(kept, half)
            places = np.linspace(0, len(others) - 1, allowed - len(half)).round().astype(np.intp)
            kept = np.union1d(half, others[places])
        left_out |= ~np.isin(numbers, kept)
        found = found * values + numbers
    found[left_out] = -1
    return found


def _fills_plates(known: Known, keep: NDArray[np.bool_], wells: int) -> bool:
    """Whether what is kept has room for a plate of all wells to come."""
    pool = known.encoding.pool
    assert pool is not None
    free = keep.copy()
    free[known.designs[:, 0]] = False
    for column, on_a_plate in known.encoding.space.plate.items():
        counts = np.unique(pool[column][free], return_counts=True)[1]
        if np.sort(counts)[::-1][:on_a_plate].sum() < wells:
            return False
    return int(free.sum()) >= wells
