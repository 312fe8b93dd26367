"""Campaigns that go on in simulation: a policy, plates to come, and objectives as they may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.drawing import DrawnObjectives
from ombo_agents.campaigns.factors import Floats
from ombo_agents.campaigns.known import Known
from ombo_agents.policy import Myopic, Policy
from ombo_agents.registry import make
from ombo_gym.spec import CampaignSpec, Observation
from ombo_gym.utility_tracker import UtilityTracker

Advance = Callable[[int], object]  # is told how many campaigns have gone on by a round

CHUNK = 50  # campaigns that are played at once, for bounded memory
_NOISE, _CHOICES = 1, 2  # streams of random numbers


class Simulation:
    """Plays campaigns to the end, on the same objectives with the same luck whoever plays.

    Args:
        known: What was measured.
        objectives: S of them.
        seed: Of luck: noise of measurements, and what policies draw.
        advance: Is called as campaigns go on.

    Attributes:
        before: (S,) the best true value among what is known: what stopping now is worth.
    """

    def __init__(
        self, known: Known, objectives: DrawnObjectives, seed: int, advance: Advance
    ) -> None:
        self._known, self._objectives = known, objectives
        self._seed, self._advance = seed, advance
        features = known.spec.design_space.features(known.designs)
        self.before = objectives.at(features).max(axis=1)  # (S,)

    def spec(self, plates: Sequence[int]) -> CampaignSpec:
        """Of the campaign, were these the plates to come."""
        counts = np.bincount(self._known.rows.rounds)
        played = [int(count) for count in counts[1:] if count]
        return replace(
            self._known.spec, plates=(*played, *plates), horizons=(1, 1), batch_sizes=(1, 1)
        )

    def play(self, policy: str, plates: Sequence[int], *, told_one: bool = False) -> Floats:
        """The values that finished campaigns' utilities stand for, as scores, (S,).

        Args:
            policy: Its name.
            plates: Sizes of the plates to come.
            told_one: Whether it is told every round that it is the last.
        """
        spec = self.spec(plates)
        player = make(policy, spec)
        if told_one:
            player = Myopic(player)
        levels = np.empty(len(self.before))
        for first in range(0, len(levels), CHUNK):
            draws = np.arange(first, min(first + CHUNK, len(levels)))
            levels[draws] = self._chunk(player, spec, plates, draws)
        return levels

    def _chunk(
        self, player: Policy, spec: CampaignSpec, plates: Sequence[int], draws: NDArray[np.intp]
    ) -> Floats:
        """Levels of some campaigns, (R,)."""
        objectives = self._objectives.take(draws)
        known, space = self._known, spec.design_space
        one = spec.observation(
            known.designs, known.values, list(plates), from_start=known.num_start
        )
        shown: Observation = {
            name: np.repeat(array, len(draws), axis=0) for name, array in one.items()
        }
        tracker = UtilityTracker(spec.utility, len(draws))
        rows, n = np.arange(len(draws)), len(known.values)
        tracker.begin(rows, self.before[draws])
        for played, q in enumerate(plates):
            shown["rounds_left"][:] = len(plates) - played
            shown["plates"][:] = 0
            shown["plates"][:, : len(plates) - played] = plates[played:]
            rngs = [self._rng(_CHOICES, draw, played) for draw in draws.tolist()]
            designs = space.designs(player.act(shown, rngs))[:, :q]  # (R, q, *shape)
            true = objectives.at_own(space.features(designs))  # (R, q)
            luck = np.stack([self._luck(draw, played, q) for draw in draws.tolist()])  # (R, q)
            shown["designs"][:, n : n + q] = designs
            shown["measurements"][:, n : n + q] = true + objectives.noise_std[:, None] * luck
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
            self._advance(len(draws))
        return spec.utility.level(tracker.utilities, self.before[draws], sum(plates))

    def _luck(self, draw: int, played: int, q: int) -> Floats:
        """Errors of a plate's measurements, (q,), of which a larger plate has the same first."""
        return self._rng(_NOISE, draw, played).standard_normal(q)

    def _rng(self, stream: int, draw: int, played: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, stream, draw, played])
