"""Wells that a pipette cannot tell apart, and plates of too few values: others take their place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.data.known import Known
from ombo_agents.campaigns.plates.plate_rules import Believed, proposable
from ombo_agents.campaigns.space.factors import Columns, Factor, Floats, ParameterFactor
from ombo_agents.campaigns.space.mixture import MixtureFactor
from ombo_agents.campaigns.space.space import Space, count_of, joined, keys_of, taken
from ombo_gym.design_spaces import Designs
from ombo_gym.design_spaces.numeric import Range
from ombo_gym.spec import Repeats

MEASURABLE = 0.02  # of what a range without steps spans, by which wells differ at least
_CONSIDERED = 1_000  # candidates that may take the place of a well
_OF_EACH_VALUE = 20  # of them that have each value of a column which a plate needs more values of
_NEAR_ENOUGH = 1 - 1e-9


def places_of(space: Space, columns: Mapping[str, NDArray[np.generic]]) -> Floats:
    """Where n designs lie, (n, c): those that differ by less than 1 in all are one to a pipette.

    Numbers count by a measurable step, which is that of the space file or, of a range without one,
    2% of what it spans, of its logarithms where these matter. Whatever else differs, differs by 1.
    """
    found = [each for factor in space.factors for each in _places(factor, columns)]
    return np.stack(found, axis=1)


def _places(factor: Factor, columns: Mapping[str, NDArray[np.generic]]) -> list[Floats]:
    """Of one factor, (n,) each."""
    if isinstance(factor, MixtureFactor) and factor.step is None:
        spans = [
            (name, min(high, factor.total) - low)
            for name, low, high in zip(factor.names, factor.low, factor.high, strict=True)
        ]
        return [
            columns[name].astype(np.float64) / (MEASURABLE * span) for name, span in spans if span
        ]
    if _is_continuous(factor):
        assert isinstance(factor, ParameterFactor) and isinstance(factor.parameter, Range)
        numbers, low, high = columns[factor.name].astype(np.float64), *_ends(factor.parameter)
        numbers = np.log(numbers) if factor.parameter.scale == "log" else numbers
        return [numbers / (MEASURABLE * (high - low))]
    codes: dict[tuple[object, ...], int] = {}
    keys = keys_of({name: columns[name] for name in factor.columns})
    return [np.array([codes.setdefault(key, len(codes)) for key in keys], np.float64)]


def _ends(parameter: Range) -> tuple[float, float]:
    """Of a range, of its logarithms where ratios matter."""
    ends = np.array([parameter.low, parameter.high])
    low, high = (np.log(ends) if parameter.scale == "log" else ends).tolist()
    return low, high


def _is_continuous(factor: Factor) -> bool:
    """Whether values of a factor may differ by as little as one likes."""
    if isinstance(factor, MixtureFactor):
        return factor.step is None
    if not isinstance(factor, ParameterFactor):
        return False
    return isinstance(factor.parameter, Range) and factor.parameter.step is None


def repeated_wells(places: Floats) -> list[int]:
    """Wells that a pipette cannot tell from one before that stays, by index.

    Args:
        places: (q, c) of the wells.
    """
    kept: list[int] = []
    found: list[int] = []
    for i, place in enumerate(places):
        (found if kept and _is_near(places[kept], place).any() else kept).append(i)
    return found


def _is_near(places: Floats, place: Floats) -> NDArray[np.bool_]:
    """Which of some wells (m, c) cannot be told from one, (m,)."""
    near: NDArray[np.bool_] = np.abs(places - place).max(axis=1, initial=0.0) < _NEAR_ENOUGH
    return near


def told_apart(known: Known, believed: Believed, designs: Designs) -> Designs:
    """A plate whose wells differ measurably, with as many values of columns as the space asks for.

    Wells that repeat others, unless repeats are asked for, and the last ones of values that occur
    more than once, where a column has too few, give place to the most hopeful candidates, by mean
    and standard deviation given the wells that stay. Where there are no candidates, wells stay.

    Args:
        known: The campaign, whose candidates fit on one plate.
        believed: Of its designs.
        designs: (q, *shape) the plate.
    """
    space, wells = known.encoding.space, known.encoding.decode(designs)
    repeated: list[int] = []
    tell = known.spec.repeats is not Repeats.ALLOWED and any(map(_is_continuous, space.factors))
    if tell:
        repeated = repeated_wells(places_of(space, wells))
    if not repeated and not too_few(space, wells):
        return designs
    plate = _Plate(known, believed, designs, repeated, tell)
    for slot in repeated:
        plate.replace(slot, np.ones(plate.count, bool))
    for column, fewest in too_few(space, plate.wells).items():
        plate.vary(column, fewest)
    return plate.designs


def too_few(space: Space, wells: Columns) -> dict[str, int]:
    """Columns of which a plate has fewer values than are asked for, and how many are."""
    q = count_of(wells)
    return {
        name: min(fewest, q)
        for name, fewest in space.variety.items()
        if len(set(wells[name].tolist())) < min(fewest, q)
    }


class _Plate:
    """Wells, and candidates that may take their place.

    Attributes:
        count: Wells and candidates, the wells first.
    """

    def __init__(
        self, known: Known, believed: Believed, designs: Designs, repeated: list[int], tell: bool
    ) -> None:
        self._space, self._tell = known.encoding.space, tell
        spare = _spare(known, believed, designs)
        self._all = np.concatenate([designs, spare])  # (C, *shape)
        self._columns = known.encoding.decode(self._all)
        self._places = places_of(self._space, self._columns) if tell else None
        self.count, q = len(self._all), len(designs)
        self._slots = list(range(q))
        self._marginals = None
        if known.predictable:
            features = known.spec.design_space.features(self._all)
            self._marginals = believed.posterior.at(features[None])
        self._fixed = np.random.default_rng(q).random(self.count)  # where nothing can be expected
        for slot in range(q):
            if slot not in repeated:
                self._fantasize(slot)

    @property
    def wells(self) -> Columns:
        """As they are now, (q,)."""
        return taken(self._columns, self._slots)

    @property
    def designs(self) -> Designs:
        """Likewise, (q, *shape)."""
        found: Designs = self._all[self._slots]
        return found

    def _fantasize(self, index: int) -> None:
        if self._marginals is not None:
            self._marginals.fantasize(np.array([index]))

    def replace(self, slot: int, allowed: NDArray[np.bool_]) -> bool:
        """Puts the most hopeful of some candidates (C,) into a well; whether there was one."""
        others = [index for each, index in enumerate(self._slots) if each != slot]
        allowed = allowed.copy()
        allowed[: len(self._slots)] = False
        allowed[others] = False
        if self._places is not None:
            for index in others:
                allowed &= ~_is_near(self._places, self._places[index])
        if not allowed.any():
            return False
        at = self._marginals
        score = self._fixed if at is None else at.mean[0] + at.sd[0]
        best = int(np.where(allowed, score, -np.inf).argmax())
        self._slots[slot] = best
        self._fantasize(best)
        return True

    def vary(self, column: str, fewest: int) -> None:
        """Has the last wells of values that occur more than once make room for other values."""
        values = self._columns[column]
        while len(on_plate := Counter(self.wells[column].tolist())) < fewest:
            new = ~np.isin(values, list(on_plate))
            free = [s for s in reversed(range(len(self._slots))) if self._may_go(s, column)]
            if not free or not self.replace(free[0], new):
                return

    def _may_go(self, slot: int, column: str) -> bool:
        """Whether a well is not the only one of a value that the plate needs."""
        for name, fewest in self._space.variety.items():
            counts = Counter(self.wells[name].tolist())
            alone = counts[self.wells[name].tolist()[slot]] == 1
            if alone and (name == column or len(counts) <= fewest):
                return False
        return True


def _spare(known: Known, believed: Believed, designs: Designs) -> Designs:
    """Candidates that may take the place of wells, (m, *shape)."""
    encoding, space = known.encoding, known.encoding.space
    wells = encoding.decode(designs)
    if encoding.pool is None:
        rng = np.random.default_rng(len(known.values))
        return encoding.encode(space.sampled(_CONSIDERED, rng, wells))
    free = proposable(space, known)
    free[designs[:, 0]] = False
    if any(map(_is_continuous, space.factors)):  # those that can be told from the wells
        places = places_of(space, joined([wells, {n: encoding.pool[n] for n in wells}]))
        for place in places[: len(designs)]:
            free &= ~_is_near(places[len(designs) :], place)
    rows = np.flatnonzero(free)
    if known.predictable:
        mean, sd = believed.of_pool()
        score = (mean + sd)[rows]
    else:
        score = np.random.default_rng(len(rows)).random(len(rows))
    order = rows[np.argsort(-score, kind="stable")]  # from the most hopeful on
    chosen = [order[:_CONSIDERED]]
    for name in space.variety:
        column = encoding.pool[name][order]
        for value in dict.fromkeys(column.tolist()):
            chosen.append(order[np.flatnonzero(column == value)[:_OF_EACH_VALUE]])
    return np.unique(np.concatenate(chosen))[:, None]
