"""Campaigns that go on in simulation: a policy, plates to come, and objectives as they may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.doe_then_ucb import DoeThenUcb
from ombo_agents.campaigns.advice.drawing import DrawnObjectives
from ombo_agents.campaigns.data.known import Known
from ombo_agents.campaigns.plates.plate_rules import Believed
from ombo_agents.campaigns.plates.wells import wells_of
from ombo_agents.campaigns.space.factors import Floats
from ombo_agents.policy import Myopic, Policy
from ombo_agents.registry import make
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec, Observation
from ombo_gym.surrogates.conditioning import condition
from ombo_gym.surrogates.surrogate import make_surrogate
from ombo_gym.utility_tracker import UtilityTracker

Choose = Callable[[Observation, Sequence[int], Sequence[np.random.Generator]], Designs]
Advance = Callable[[int], object]  # is told how many campaigns have gone on by a round

_HELD = 2**22  # covariances of candidates and measured designs that are held at once
CHUNK = 50  # campaigns that are played at once, for bounded memory
CHUNK_OF_COSTLY = 20  # likewise, where each takes its time
_NOISE, _CHOICES = 1, 2  # streams of random numbers


class Simulation:
    """Plays campaigns to the end, on the same objectives with the same luck whoever plays.

    Args:
        known: What was measured.
        objectives: S of them.
        seed: Of luck: noise of measurements, and what policies draw.
        advance: Is called as campaigns go on.
        chunk: How many are played at once.

    Attributes:
        known: What was measured.
        before: (S,) the best true value among what is known: what stopping now is worth.
        rugged: (S,) which objectives take what is measured for true.
    """

    def __init__(
        self,
        known: Known,
        objectives: DrawnObjectives,
        seed: int,
        advance: Advance,
        chunk: int = CHUNK,
    ) -> None:
        self.known, self._objectives, self.rugged = known, objectives, objectives.rugged
        self._seed, self._advance, self._chunk_size = seed, advance, chunk
        self._first: dict[tuple[str, tuple[int, ...], bool], Designs | None] = {}
        features = known.spec.design_space.features(known.designs)
        values = np.where(np.isfinite(known.measured.values), known.values, np.nan)
        self.before = objectives.before(features, values)  # (S,)

    @property
    def chunks(self) -> list[NDArray[np.intp]]:
        """Which objectives are played at once."""
        count = len(self.before)
        return [
            np.arange(first, min(first + self._chunk_size, count))
            for first in range(0, count, self._chunk_size)
        ]

    def play(
        self,
        policy: str,
        plates: Sequence[int],
        *,
        told_one: bool = False,
        draws: NDArray[np.intp] | None = None,
    ) -> Floats:
        """The values that finished campaigns' utilities stand for, as scores, (S,).

        Args:
            policy: Its name.
            plates: Sizes of the plates to come.
            told_one: Whether it is told every round that it is the last.
            draws: One of `chunks`, whose objectives alone are played; None: all are.
        """
        spec = spec_of(self.known, plates)
        space, player = self.known.encoding.space, make(policy, spec)
        if space.plate or space.variety:
            choose = partial(self._with_plate_rules, policy, spec, told_one)
        else:
            choose = partial(self._together, Myopic(player) if told_one else player, spec)
        key = policy, tuple(plates), told_one
        if key not in self._first:
            self._first[key] = self._first_plate(player, choose, spec, plates)
        first = self._first[key]
        chunks = self.chunks if draws is None else [draws]
        return np.concatenate([self._chunk(choose, spec, plates, some, first) for some in chunks])

    def _first_plate(
        self, player: Policy, choose: Choose, spec: CampaignSpec, plates: Sequence[int]
    ) -> Designs | None:
        """What goes on the next plate of every campaign, (1, q, *shape); None: chance has a part.

        They all know the same as yet.
        """
        shown = self._shown(spec, plates, 1)
        by_chance = not getattr(player, "deterministic", False)
        if isinstance(player, DoeThenUcb):
            by_chance = player.draws(shown)
        return None if by_chance else choose(shown, plates, [self._rng(_CHOICES, 0, 0)])

    def _with_plate_rules(
        self,
        policy: str,
        spec: CampaignSpec,
        told_one: bool,
        shown: Observation,
        plates: Sequence[int],
        rngs: Sequence[np.random.Generator],
    ) -> Designs:
        """What goes on the next plate of each campaign, (R, q, *shape), by what plates share.

        Each campaign has values of its own that its plate shares, so that it has candidates of its
        own, too.
        """
        n, found = int(shown["observed"][0].sum()), []
        designs = shown["designs"][:, :n].astype(np.int64)
        values = shown["measurements"][:, :n]
        believed = self._believed(spec, designs, values)
        for row, rng in enumerate(rngs):
            known = replace(self.known, spec=spec, designs=designs[row], values=values[row])
            wells = wells_of(known, believed(row), plates, policy, rng, as_last=told_one)
            found.append(wells.among_all)
        return np.stack(found)

    def _together(
        self,
        player: Policy,
        spec: CampaignSpec,
        shown: Observation,
        plates: Sequence[int],
        rngs: Sequence[np.random.Generator],
    ) -> Designs:
        """What a policy puts on the next plate of each campaign, (R, q, *shape)."""
        return spec.design_space.designs(player.act(shown, rngs))[:, : plates[0]]

    def _believed(
        self, spec: CampaignSpec, designs: Designs, values: Floats
    ) -> Callable[[int], Believed]:
        """What is believed in each of R campaigns."""
        space, rows = spec.design_space, len(values)
        started = np.full(rows, self.known.num_start)
        posterior, _ = condition(make_surrogate(spec), space, designs, values, started)
        assert space.size is not None
        parts = []
        step = max(1, _HELD // (rows * designs.shape[1]))
        for first in range(0, space.size, step):
            some = np.arange(first, min(first + step, space.size))[:, None]
            features = space.features(some[None])
            at = posterior.at(np.broadcast_to(features, (rows, *features.shape[1:])))
            parts.append((at.mean, at.sd))
        means, sds = (np.concatenate(each, axis=1) for each in zip(*parts, strict=True))
        means, sds = posterior.in_units(means), posterior.scale[:, None] * sds

        def in_one(row: int) -> Believed:
            return Believed(posterior.some(np.array([row])), lambda: (means[row], sds[row]))

        return in_one

    def _shown(self, spec: CampaignSpec, plates: Sequence[int], count: int) -> Observation:
        """The observation of campaigns before their next plate."""
        known = self.known
        one = spec.observation(
            known.designs, known.values, list(plates), from_start=known.num_start
        )
        return {name: np.repeat(array, count, axis=0) for name, array in one.items()}

    def _chunk(
        self,
        choose: Choose,
        spec: CampaignSpec,
        plates: Sequence[int],
        draws: NDArray[np.intp],
        first: Designs | None,
    ) -> Floats:
        """Levels of some campaigns, (R,), whose first plate may be known."""
        objectives = self._objectives.take(draws)
        space, shown = spec.design_space, self._shown(spec, plates, len(draws))
        tracker = UtilityTracker(spec.utility, len(draws))
        rows, n = np.arange(len(draws)), len(self.known.values)
        tracker.begin(rows, self.before[draws])
        for played, q in enumerate(plates):
            shown["rounds_left"][:] = len(plates) - played
            shown["plates"][:] = 0
            shown["plates"][:, : len(plates) - played] = plates[played:]
            if first is not None and not played:
                designs = np.repeat(first, len(draws), axis=0)
            else:
                rngs = [self._rng(_CHOICES, draw, played) for draw in draws.tolist()]
                designs = choose(shown, plates[played:], rngs)  # (R, q, *shape)
            self._advance(len(draws))
            luck = np.stack([self._luck(draw, played, q) for draw in draws.tolist()])  # (R, q)
            true, measured = objectives.played(space.features(designs), luck)  # (R, q) each
            shown["designs"][:, n : n + q] = designs
            shown["measurements"][:, n : n + q] = measured
            shown["observed"][:, n : n + q] = 1
            n += q
            tracker.update(
                rows,
                true,
                true.max(axis=1),
                rounds=np.full(len(draws), played + 1),
                horizon=np.full(len(draws), len(plates)),
                best_mean=None,
            )
        return spec.utility.level(tracker.utilities, self.before[draws], sum(plates))

    def _luck(self, draw: int, played: int, q: int) -> Floats:
        """Errors of a plate's measurements, (q,), of which a larger plate has the same first."""
        return self._rng(_NOISE, draw, played).standard_normal(q)

    def _rng(self, stream: int, draw: int, played: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, stream, draw, played])


def spec_of(known: Known, plates: Sequence[int]) -> CampaignSpec:
    """Of the campaign, were these the plates to come."""
    counts = np.bincount(known.rows.rounds)
    played = [int(count) for count in counts[1:] if count]
    return replace(known.spec, plates=(*played, *plates), horizons=(1, 1), batch_sizes=(1, 1))
