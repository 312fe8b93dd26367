"""What a surrogate expects of candidates, for campaigns that have observed different amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.randomness import RowDraws
from ombo_gym.surrogates.candidates import candidates
from ombo_gym.surrogates.gp import Beliefs, Posterior, Surrogate, most_telling

Observation = dict[str, NDArray[Any]]
TakeDraws = Callable[[NDArray[np.intp]], RowDraws]  # the random numbers of some campaigns

_CACHE = 2**17  # entries of an (R, n, M) array that stay in a processor's cache


@dataclass(frozen=True)
class Outlook:
    """Beliefs about candidates, of R campaigns with the same number n of observations."""

    rows: NDArray[np.intp]  # (R,) which campaigns of the observation these are
    candidates: Designs  # (R, M, *shape)
    posterior: Posterior
    beliefs: Beliefs
    observed: int  # n, all observations, also those beyond the surrogate's max_data
    best: NDArray[np.float64]  # (R,) best observed value in the posterior's units


def look(
    observation: Observation,
    space: DesignSpace,
    surrogate: Surrogate,
    draws: TakeDraws,
    *,
    extra: int = 0,
) -> Iterator[Outlook]:
    """Conditions the surrogate on every unfinished campaign and looks at its candidates.

    Campaigns are taken together where they have observed equally much, a few at a time: what is
    computed for a campaign depends on that campaign alone, to the bit.

    Args:
        observation: Of B campaigns, the public contract's fields with a leading B.
        space: Design space.
        surrogate: What is known beforehand.
        draws: Gives the random numbers that candidates are drawn with.
        extra: Further candidates, see `ombo_gym.surrogates.candidates`.

    Yields:
        Outlooks that together cover every campaign with rounds left.
    """
    observed = observation["observed"].sum(axis=1, dtype=np.int64)  # (B,)
    active = observation["rounds_left"][:, 0] > 0
    for n in np.unique(observed[active]):
        group = np.flatnonzero(active & (observed == n))
        used = min(int(n), surrogate.max_data)
        chunk = max(1, _CACHE // (256 * max(used, 1)))
        for at in range(0, len(group), chunk):
            rows = group[at : at + chunk]
            yield _look_together(observation, rows, int(n), space, surrogate, draws(rows), extra)


def _look_together(
    observation: Observation,
    rows: NDArray[np.intp],
    n: int,
    space: DesignSpace,
    surrogate: Surrogate,
    draws: RowDraws,
    extra: int,
) -> Outlook:
    designs = observation["designs"][rows, :n]
    values = observation["values"][rows, :n].astype(np.float64)
    shift = values.mean(axis=1) if n else None
    scale = values.std(axis=1) if n else None
    choices = candidates(space, designs, values, extra, draws)
    kept = most_telling(values, surrogate.max_data)
    row = np.arange(len(rows))[:, None]
    posterior = Posterior(
        surrogate,
        space.features(designs[row, kept]),
        values[row, kept],
        shift=shift,
        scale=scale,
    )
    best = posterior.targets.max(axis=1) if n else np.zeros(len(rows))
    beliefs = posterior.at(space.features(choices))
    return Outlook(rows, choices, posterior, beliefs, n, best)


Acquisition = Callable[[int, Beliefs], NDArray[np.float64]]  # (slot, beliefs) -> scores (R, M)


def pick_batch(
    outlook: Outlook, acquisition: Acquisition, batch_size: int, *, distinct: bool
) -> Designs:
    """Fills a batch slot by slot with the best-scored candidate, hallucinating each pick.

    Args:
        outlook: Of R campaigns.
        acquisition: Scores of the candidates for a slot, given what was picked before.
        batch_size: q.
        distinct: Whether a batch holds a design once only (as long as there are other candidates).

    Returns:
        (R, q, *shape).
    """
    beliefs, choices = outlook.beliefs.copy(), outlook.candidates
    rows = np.arange(len(choices))
    taken = np.zeros(choices.shape[:2], bool)
    batch = np.empty((len(choices), batch_size, *choices.shape[2:]), choices.dtype)
    for slot in range(batch_size):
        scores = acquisition(slot, beliefs)
        picks = (np.where(taken, -np.inf, scores) if distinct else scores).argmax(axis=1)
        batch[:, slot] = choices[rows, picks]
        if slot + 1 < batch_size:
            beliefs.hallucinate(picks)
            if distinct:
                same = choices == batch[:, slot, None]
                taken |= same.reshape(*taken.shape, -1).all(axis=-1)
    return batch
