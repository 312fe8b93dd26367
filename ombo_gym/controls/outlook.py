"""What a surrogate expects of candidates, for campaigns that have observed different amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace, among
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
    rounds_left: NDArray[np.float32]  # (R,)
    best: NDArray[np.float64]  # (R,) best observed value in the posterior's units
    spent: NDArray[np.bool_] | None = None  # (R, M) can no longer be measured; None: all can


def look(
    observation: Observation,
    space: DesignSpace,
    surrogate: Surrogate,
    draws: TakeDraws,
    *,
    extra: int = 0,
    repeats: bool = True,
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
        repeats: Whether a design can be measured more than once; if not, outlooks say which
            candidates are spent.

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
            drawn = draws(rows)
            yield _look_together(observation, rows, int(n), space, surrogate, drawn, extra, repeats)


def _look_together(
    observation: Observation,
    rows: NDArray[np.intp],
    n: int,
    space: DesignSpace,
    surrogate: Surrogate,
    draws: RowDraws,
    extra: int,
    repeats: bool,
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
    spent = None if repeats else space.among(choices, designs)
    rounds_left = observation["rounds_left"][rows, 0]
    return Outlook(rows, choices, posterior, beliefs, n, rounds_left, best, spent)


Acquisition = Callable[[int, Beliefs], NDArray[np.float64]]  # (slot, beliefs) -> scores (R, M)


def pick_batch(
    outlook: Outlook, acquisition: Acquisition, batch_size: int, *, distinct: bool
) -> Designs:
    """Fills a batch slot by slot with the best-scored candidate, hallucinating each pick.

    Spent candidates are picked only when there are no others.

    Args:
        outlook: Of R campaigns.
        acquisition: Scores of the candidates for a slot, given what was picked before.
        batch_size: q.
        distinct: Whether a batch holds a design once only (as long as there are other candidates);
            it does in any case where nothing is measured twice.

    Returns:
        (R, q, *shape).
    """
    beliefs, choices = outlook.beliefs.copy(), outlook.candidates
    distinct = distinct or outlook.spent is not None
    rows = np.arange(len(choices))
    taken = np.zeros(choices.shape[:2], bool)
    batch = np.empty((len(choices), batch_size, *choices.shape[2:]), choices.dtype)
    for slot in range(batch_size):
        scores = acquisition(slot, beliefs)
        picks = best_left(scores, taken, outlook.spent)
        batch[:, slot] = choices[rows, picks]
        if slot + 1 < batch_size:
            beliefs.hallucinate(picks)
            if distinct:
                taken |= among(choices, batch[:, slot, None])
    return batch


def best_left(
    scores: NDArray[np.float64], taken: NDArray[np.bool_], spent: NDArray[np.bool_] | None
) -> NDArray[np.intp]:
    """The best-scored candidate that is neither taken nor spent, or at least not taken, (R,).

    Args:
        scores: (R, M).
        taken: (R, M) those in the batch, where it is not to hold a design twice.
        spent: (R, M) those that can no longer be measured; None: all can.
    """
    left = ~taken
    if spent is not None:
        unspent = left & ~spent
        left = np.where(unspent.any(axis=1, keepdims=True), unspent, left)
    best: NDArray[np.intp] = np.where(left, scores, -np.inf).argmax(axis=1)
    return best
