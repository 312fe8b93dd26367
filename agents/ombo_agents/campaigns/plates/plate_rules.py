"""What may go on one plate together: few values of some columns, and only what can be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.data.known import Known
from ombo_agents.campaigns.space.encoding import restricted
from ombo_agents.campaigns.space.factors import Floats
from ombo_agents.campaigns.space.space import Space, count_of
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import Repeats
from ombo_gym.surrogates.posterior import Posterior

Limit = tuple[NDArray[Any], int]  # a column (M,), and the most values that a plate has of it


@dataclass(frozen=True)
class Believed:
    """What is believed after some measurements.

    Attributes:
        posterior: Of one campaign.
        of_pool: Mean and sd (M,) of all candidates of a pool, worked out where they are needed.
    """

    posterior: Posterior
    of_pool: Callable[[], tuple[Floats, Floats]]

    def of(self, kept: NDArray[np.intp]) -> Believed:
        """The same of some candidates."""
        return Believed(self.posterior, lambda: tuple(each[kept] for each in self.of_pool()))  # type: ignore[arg-type,return-value]


def within_plate_rules(
    space: Space, known: Known, believed: Believed, plates: Sequence[int]
) -> tuple[Known, NDArray[np.intp]]:
    """The campaign with those candidates alone that fit on one plate, and which these are.

    For each column that a plate has at most k values of, the values are chosen one by one so that
    the best candidates that have one of them (by posterior mean, and by mean and standard deviation
    where plates follow) are best together, and there are enough of them. Before any result they are
    spread over those that there are.

    Args:
        space: With the rules.
        known: Of the campaign.
        believed: Of all candidates.
        plates: To come, the one that is meant first.

    Returns:
        The campaign, and the index of each of its candidates among all, ascending.

    Raises:
        ValueError: Fewer designs than wells go together.
    """
    encoding, q = known.encoding, plates[0]
    assert encoding.pool is not None
    score = None
    if known.predictable:
        mean, sd = believed.of_pool()
        score = mean + sd if len(plates) > 1 else mean
    fits = np.ones(count_of(encoding.pool), bool)
    free = proposable(space, known)
    limits = [(encoding.pool[column], most) for column, most in space.plate.items()]
    varied = [(encoding.pool[column], min(least, q)) for column, least in space.variety.items()]
    for i, (column, most) in enumerate(limits):
        room = partial(_enough, later=limits[i + 1 :], varied=varied, q=q)
        chosen = _values_of_plate(column, most, room, score, free, q)
        fits &= np.isin(column, chosen)
        free &= fits
    if free.sum() < q:
        raise ValueError(
            f"shared, distinct: expected at least {q} designs that fit on one plate, got "
            f"{int(free.sum())} with {dict(space.plate)} values of a plate; make the "
            "plate smaller, or allow more values"
        )
    keep = free.copy()
    keep[known.designs[:, 0]] = True  # what is measured stays, to be learnt from
    smaller = restricted(encoding, keep)
    spec = replace(known.spec, design_space=smaller.design_space)
    kept = np.flatnonzero(keep)
    designs = np.searchsorted(kept, known.designs)
    return replace(known, encoding=smaller, spec=spec, designs=designs, fits=fits[keep]), kept


def proposable(space: Space, known: Known) -> NDArray[np.bool_]:
    """Which candidates of the pool may be proposed, (M,)."""
    pool = known.encoding.pool
    assert pool is not None
    free = space.keeps_rules(pool) & space.on_grid(pool)
    if known.fits is not None:
        free &= known.fits
    if known.spec.repeats is Repeats.NEVER_AGAIN:
        free[known.designs[:, 0]] = False
    return free


def _values_of_plate(
    column: NDArray[Any],
    most: int,
    room: Callable[[NDArray[np.intp]], float],
    score: Floats | None,
    free: NDArray[np.bool_],
    q: int,
) -> list[Any]:
    """At most so many values of a column, with which the plate is best.

    Args:
        column: (M,) of all candidates.
        most: Values of the plate.
        room: How many of some candidates may go on one plate, as a share of those that have to.
        score: (M,) how good candidates are; None: nobody knows.
        free: (M,) which may be proposed.
        q: Wells of the plate.
    """
    values = list(dict.fromkeys(column[free].tolist()))
    members = {value: np.flatnonzero(free & (column == value)) for value in values}
    by_room = sorted(values, key=lambda each: -room(members[each]))
    chosen: list[Any] = []
    for left in range(most, 0, -1):
        others = [value for value in values if value not in chosen]
        enough = []
        for value in others:
            more = [each for each in by_room if each in others and each != value][: left - 1]
            together = [members[each] for each in (*chosen, value, *more)]
            if room(np.concatenate(together)) >= 1:
                enough.append(value)
        enough = enough or [each for each in by_room if each in others][:1]
        if not enough:
            break
        if score is None:
            chosen.append(_middle_of_part(enough, values, most - left, most))
        else:
            chosen.append(_best_value(enough, chosen, members, score, q))
    return chosen


def _enough(
    rows: NDArray[np.intp], *, later: Sequence[Limit], varied: Sequence[Limit], q: int
) -> float:
    """Whether some candidates make a plate, as a share: of wells, and of values that it asks for.

    Args:
        rows: The candidates.
        later: Columns whose values are chosen afterwards, and the most of each.
        varied: Columns of which a plate has several values, and the fewest of each.
        q: Wells of the plate.
    """
    wells = _room(rows, later) / q
    values = [len(set(column[rows].tolist())) / least for column, least in varied]
    least_share = min(values, default=1.0)
    return min(wells, least_share) if least_share < 1 else wells


def _room(rows: NDArray[np.intp], later: Sequence[Limit]) -> int:
    """How many of some candidates may go on one plate at most, by columns chosen afterwards."""
    found = len(rows)
    for column, most in later:
        counts = Counter(column[rows].tolist())
        found = min(found, sum(count for _, count in counts.most_common(most)))
    return found


def _best_value(
    values: Sequence[Any],
    chosen: Sequence[Any],
    members: Mapping[Any, NDArray[np.intp]],
    score: Floats,
    q: int,
) -> Any:
    """The value whose best q candidates, with those of values chosen before, are best together."""
    rows = np.concatenate([np.zeros(0, np.intp), *(members[each] for each in chosen)])
    low, span = float(score.min(initial=0.0)), float(np.ptp(score))
    best, found = -np.inf, values[0]
    for value in values:
        top = np.sort(score[np.concatenate([rows, members[value]])])[::-1][:q]
        worth = float((top - low).sum()) - (q - len(top)) * span
        if worth > best:
            best, found = worth, value
    return found


def _middle_of_part(values: Sequence[Any], everything: Sequence[Any], part: int, parts: int) -> Any:
    """Of values in order, that which is nearest the middle of one of some equal parts of all."""
    order = (
        sorted(everything) if all(isinstance(v, int | float) for v in everything) else everything
    )
    place = (part + 0.5) * len(order) / parts - 0.5
    return min(values, key=lambda value: abs(order.index(value) - place))


# --- what is proposed can be done -----------------------------------------------------------------


def repaired(space: Space, known: Known, believed: Believed, designs: Designs) -> Designs:
    """A plate without wells that cannot be: the most hopeful candidates take their place.

    Off the steps, or outside the constraints, are measured designs alone; a policy names them where
    it may repeat what was measured.

    Args:
        space: With the rules.
        known: Of the campaign.
        believed: Of all candidates.
        designs: (q, 1) indices of the pool.
    """
    free = proposable(space, known)
    index = designs[:, 0].copy()
    distinct = known.spec.repeats is not Repeats.ALLOWED
    seen: set[int] = set()
    bad = []
    for slot, code in enumerate(index.tolist()):
        if not free[code] or (distinct and code in seen):
            bad.append(slot)
        seen.add(code)
    if not bad:
        return designs
    mean, sd = believed.of_pool()
    left = free.copy()
    left[index] = False
    spare = np.flatnonzero(left)
    best = spare[np.argsort(-(mean + sd)[spare], kind="stable")][: len(bad)]
    index[bad[: len(best)]] = best
    return index[:, None]
