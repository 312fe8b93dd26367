"""What a surrogate expects of candidates, for campaigns that have observed different amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, among
from ombo_gym.observations import Observation, computable, next_plates
from ombo_gym.randomness import RowDraws
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.surrogates.conditioning import condition
from ombo_gym.surrogates.gp import Beliefs, Posterior, Surrogate

TakeDraws = Callable[[NDArray[np.intp]], RowDraws]  # the random numbers of some campaigns

_CACHE = 2**17  # entries of an (R, n, M) array that stay in a processor's cache


@dataclass(frozen=True)
class Outlook:
    """Beliefs about candidates, of R campaigns with the same n of observations and next plate."""

    rows: NDArray[np.intp]  # (R,) which campaigns of the observation these are
    candidates: Designs  # (R, M, *shape)
    posterior: Posterior
    beliefs: Beliefs
    observed: int  # n, all observations, also those beyond the surrogate's max_data
    batch_size: int  # q of the next batch
    plates: NDArray[np.int64]  # (R, N) sizes of the batches to come, the next one first
    rounds_left: NDArray[np.float32]  # (R,)
    best: NDArray[np.float64]  # (R,) best observed value in the posterior's units
    repeats: Repeats  # whether and when a candidate can be measured again
    measured: NDArray[np.bool_] | None = None  # (R, M) of candidates, where they never can

    @property
    def distinct(self) -> bool:
        """Whether a batch is to hold a design once."""
        return self.repeats is not Repeats.ALLOWED


def look(
    observation: Observation,
    spec: CampaignSpec,
    surrogate: Surrogate,
    draws: TakeDraws,
    *,
    extra_per_slot: int = 0,
) -> Iterator[Outlook]:
    """Conditions the surrogate on every unfinished campaign and looks at its candidates.

    Campaigns are taken together where they have observed equally much and have plates of the same
    size before them, a few at a time: what is computed for a campaign depends on that campaign
    alone, to the bit.

    Args:
        observation: Of B campaigns, the public contract's fields with a leading B.
        spec: Of the campaigns.
        surrogate: What is known beforehand.
        draws: Gives the random numbers that candidates are drawn with.
        extra_per_slot: Further candidates, see `DesignSpace.candidates`.

    Yields:
        Outlooks that together cover every campaign with rounds left.
    """
    observation = computable(spec, observation)
    observed = observation["observed"].sum(axis=1, dtype=np.int64)  # (B,)
    plate = next_plates(spec, observation)  # (B,)
    active = observation["rounds_left"][:, 0] > 0
    for n, q in np.unique(np.stack([observed, plate], axis=1)[active], axis=0).tolist():
        group = np.flatnonzero(active & (observed == n) & (plate == q))
        used = min(n, surrogate.max_data)
        chunk = max(1, _CACHE // (256 * max(used, 1)))
        for at in range(0, len(group), chunk):
            rows = group[at : at + chunk]
            yield _look_together(
                observation, rows, n, q, spec, surrogate, draws(rows), extra_per_slot * q
            )


def _look_together(
    observation: Observation,
    rows: NDArray[np.intp],
    n: int,
    q: int,
    spec: CampaignSpec,
    surrogate: Surrogate,
    draws: RowDraws,
    extra: int,
) -> Outlook:
    space = spec.design_space
    designs = observation["designs"][rows, :n]
    values = observation["measurements"][rows, :n]
    starts = observation["from_start"][rows].sum(axis=1, dtype=np.int64)
    choices = space.candidates(designs, values, extra, draws)
    posterior, _ = condition(surrogate, space, designs, values, starts)
    never = spec.repeats is Repeats.NEVER_AGAIN
    return Outlook(
        rows=rows,
        candidates=choices,
        posterior=posterior,
        beliefs=posterior.at(space.features(choices)),
        observed=n,
        batch_size=q,
        plates=observation["plates"][rows].astype(np.int64),
        rounds_left=observation["rounds_left"][rows, 0],
        best=posterior.targets.max(axis=1) if n else np.zeros(len(rows)),
        repeats=spec.repeats,
        measured=space.among(choices, designs) if never else None,
    )


Acquisition = Callable[[int, Beliefs], NDArray[np.float64]]  # (slot, beliefs) -> scores (R, M)


def pick_batch(
    outlook: Outlook,
    acquisition: Acquisition,
    batch_size: int,
    repeats: Repeats,
) -> Designs:
    """Fills a batch slot by slot with the best-scored candidate, hallucinating each pick.

    Measured candidates that are worth nothing are picked only when there are no others.

    Args:
        outlook: Of R campaigns.
        acquisition: Scores of the candidates for a slot, given what was picked before.
        batch_size: How many.
        repeats: Unless they are allowed, a batch holds a design once, as long as there are others.

    Returns:
        (R, batch_size, *shape).
    """
    beliefs, choices = outlook.beliefs.copy(), outlook.candidates
    rows = np.arange(len(choices))
    chosen = np.zeros(choices.shape[:2], bool)
    batch = np.empty((len(choices), batch_size, *choices.shape[2:]), choices.dtype)
    for slot in range(batch_size):
        scores = acquisition(slot, beliefs)
        picks = best_left(scores, chosen, outlook.measured)
        batch[:, slot] = choices[rows, picks]
        if slot + 1 < batch_size:
            beliefs.hallucinate(picks)
            if repeats is not Repeats.ALLOWED:
                chosen |= among(choices, batch[:, slot, None])
    return batch


def best_left(
    scores: NDArray[np.float64], chosen: NDArray[np.bool_], measured: NDArray[np.bool_] | None
) -> NDArray[np.intp]:
    """The best-scored candidate that is neither chosen nor measured, or at least not chosen, (R,).

    Args:
        scores: (R, M).
        chosen: (R, M) those in the batch, where it is not to hold a design twice.
        measured: (R, M) those that are worth nothing any more; None: all are.
    """
    left = ~chosen
    if measured is not None:
        new = left & ~measured
        left = np.where(new.any(axis=1, keepdims=True), new, left)
    best: NDArray[np.intp] = np.where(left, scores, -np.inf).argmax(axis=1)
    return best
