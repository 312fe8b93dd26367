"""Objectives as they may be, given what was measured: draws from the posterior, for any designs.

A draw of the prior is a sum of random waves; what it lacks at the measured designs is added by the
kernel, so that it can be asked anywhere, again and again, in every kind of design space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.advice.draws import WAVES, Part, drawn
from ombo_agents.campaigns.advice.learned_draws import drawn_from_learned
from ombo_agents.campaigns.advice.models import Model
from ombo_agents.campaigns.space.factors import Floats
from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.posterior import Posterior

_ROWS = 2**22  # entries of the arrays of waves that are held at once


class DrawnObjectives:
    """S objectives, each drawn from one of some models given the data.

    What a model calls noise may be errors of measurement, or what the objective does from one
    design to the next: wells that were measured once do not tell. Where nothing else does, every
    other objective is rugged: what is measured is true.

    Args:
        models: To draw from, see `models_of`.
        count: S.
        seed: The same seed draws the same.
        noise_is_known: Whether replicates or controls tell how large errors of measurement are.
        ends: Between which scores are, see `ends_of`.

    Attributes:
        noise_std: (S,) standard deviation of a measurement, in units of warped scores.
        rugged: (S,) which of them have it of their own.

    Reference:
        Cressie, Statistics for Spatial Data, 1993, section 3.2.1 (the nugget effect: measurement
        error and microscale variation).
    """

    def __init__(
        self,
        models: Sequence[Model],
        count: int,
        seed: int,
        *,
        noise_is_known: bool = True,
        ends: tuple[float, float] = (-np.inf, np.inf),
    ) -> None:
        self._ends = ends
        self.rugged = np.zeros(count, bool)
        if not noise_is_known:
            self.rugged = np.random.default_rng([seed, 0x2066]).permutation(count) % 2 == 1
        rng = np.random.default_rng([seed, 0x0B1EC7])
        edges = np.cumsum([model.weight for model in models])
        places = edges[-1] * (rng.random() + np.arange(count)) / count
        which = rng.permutation(np.searchsorted(edges, places, side="right"))
        which = np.minimum(which, len(models) - 1)  # (S,)
        self.noise_std = np.zeros(count)  # (S,)
        self._parts: list[tuple[Model, Part]] = []
        for at in np.unique(which).tolist():
            part = _drawn(models[at].posterior, np.flatnonzero(which == at), rng)
            noise = np.sqrt(part.posterior.noise[0]) * part.sizes * part.posterior.scale[0]
            self.noise_std[part.rows] = noise
            self._parts.append((models[at], part))

    def __len__(self) -> int:
        return len(self.noise_std)

    def take(self, draws: NDArray[np.intp]) -> DrawnObjectives:
        """Some of them, in ascending order."""
        taken = object.__new__(type(self))
        taken._ends = self._ends
        taken.noise_std, taken.rugged = self.noise_std[draws], self.rugged[draws]
        taken._parts = []
        for model, part in self._parts:
            own = np.flatnonzero(np.isin(part.rows, draws))
            if len(own):
                some = part.some(own)
                some = replace(some, rows=np.searchsorted(draws, some.rows))
                taken._parts.append((model, some))
        return taken

    def at(self, features: Floats) -> Floats:
        """Values (S, m) of the same designs (m, k) in all draws."""
        found = np.empty((len(self), len(features)))
        step = max(1, _ROWS // (2 * WAVES))
        for first in range(0, len(features), step):
            some = slice(first, first + step)
            for model, part in self._parts:
                found[part.rows, some] = self._scores(model, part.at(features[some])).T
        return found

    def at_own(self, features: Floats) -> Floats:
        """Values (S, q) of designs (S, q, k), those of each draw."""
        found = np.empty(features.shape[:2])
        step = max(1, _ROWS // (2 * WAVES * features.shape[1]))
        for model, part in self._parts:
            for first in range(0, len(part.rows), step):
                some = part.some(np.arange(first, min(first + step, len(part.rows))))
                found[some.rows] = self._scores(model, some.at_own(features[some.rows]))
        return found

    def before(self, features: Floats, values: Floats) -> Floats:
        """The best true value among designs (n, k), (S,), of values (n,); NaN: not measured yet."""
        taken_for_true = self.rugged[:, None] & np.isfinite(values)  # (S, n)
        found: Floats = np.where(taken_for_true, values, self.at(features)).max(axis=1)
        return found

    def played(self, features: Floats, luck: Floats) -> tuple[Floats, Floats]:
        """True and measured values (S, q) of designs (S, q, k) with standard normal `luck` (S, q).

        A design of a rugged objective is taken to be measured once.
        """
        smooth = self.at_own(features)
        measured = self.measured(smooth, luck)
        return np.where(self.rugged[:, None], measured, smooth), measured

    def measured(self, true: Floats, luck: Floats) -> Floats:
        """What is measured where values (S, q) are true, and noise is standard normal `luck`."""
        found = np.empty(true.shape)
        for model, part in self._parts:
            noise = self.noise_std[part.rows, None] * luck[part.rows]
            found[part.rows] = self._scores(model, model.warped(true[part.rows]) + noise)
        return found

    def _scores(self, model: Model, warped: Floats) -> Floats:
        """Scores of warped ones, no farther than they end."""
        return np.clip(model.scores(warped), *self._ends)


def _drawn(posterior: Posterior, rows: NDArray[np.intp], rng: np.random.Generator) -> Part:
    if isinstance(posterior, LearnedPosterior):
        return drawn_from_learned(posterior, rows, rng)
    return drawn(posterior, rows, rng)
