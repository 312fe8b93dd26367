"""What a surrogate expects of candidates, for campaigns that have observed different amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation, computable, next_plates
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.surrogates.conditioning import condition
from ombo_gym.surrogates.marginals import CandidateMarginals
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import Surrogate

TakeRngs = Callable[[NDArray[np.intp]], BatchedGenerator]  # the random numbers of some campaigns

_HOPE = 3.0  # standard deviations above its mean that a candidate may turn out to be worth
_CACHE = 2**17  # entries of an (R, n, M) array that stay in a processor's cache


@dataclass(frozen=True)
class CandidatePosterior:
    """Beliefs about candidates, of R campaigns with the same n of observations and next plate.

    Attributes:
        env_indices: (R,) which campaigns of the observation these are.
        candidates: (R, M, *shape) designs.
        posterior: Of the dataset.
        marginals: Means and standard deviations of the candidates, in the posterior's units.
        num_observed: n, all observations, also those beyond the surrogate's `max_data`.
        batch_size: q of the next batch.
        plates: (R, N) sizes of the batches to come, the next one first.
        rounds_left: (R,).
        best: (R,) best observed value, in the posterior's units.
        repeats: Whether and when a candidate can be measured again.
        measured: (R, M) candidates that are measured, where they never can be again; else None.
    """

    env_indices: NDArray[np.intp]
    candidates: Designs
    posterior: Posterior
    marginals: CandidateMarginals
    num_observed: int
    batch_size: int
    plates: NDArray[np.int64]
    rounds_left: NDArray[np.float32]
    best: NDArray[np.float64]
    repeats: Repeats
    measured: NDArray[np.bool_] | None = None

    @property
    def distinct(self) -> bool:
        """Whether a batch is to hold a design once."""
        return self.repeats is not Repeats.ALLOWED

    def most_hopeful(self, count: int) -> NDArray[np.intp]:
        """The candidates of largest mean + 3 sd, measured ones last, (R, at most count)."""
        hopes = self.marginals.mean + _HOPE * self.marginals.sd
        if self.measured is not None:
            hopes = np.where(self.measured, -np.inf, hopes)
        best: NDArray[np.intp] = np.argsort(-hopes, axis=1, kind="stable")[:, :count]
        return best


def condition_on_dataset(
    observation: Observation,
    spec: CampaignSpec,
    surrogate: Surrogate,
    rngs: TakeRngs,
    *,
    extra_per_slot: int = 0,
) -> Iterator[CandidatePosterior]:
    """Conditions the surrogate on every unfinished campaign and looks at its candidates.

    Campaigns are taken together where they have observed equally much and have plates of the same
    size before them, a few at a time: what is computed for a campaign depends on that campaign
    alone, to the bit.

    Args:
        observation: Of B campaigns, the public contract's fields with a leading B.
        spec: Of the campaigns.
        surrogate: What is known beforehand.
        rngs: Gives the random numbers that candidates are drawn with.
        extra_per_slot: Further candidates, see `DesignSpace.candidates`.

    Yields:
        Groups that together cover every campaign with rounds left.
    """
    observation = computable(spec, observation)
    observed = observation["observed"].sum(axis=1, dtype=np.int64)  # (B,)
    plate = next_plates(spec, observation)  # (B,)
    active = observation["rounds_left"][:, 0] > 0
    for n, q in np.unique(np.stack([observed, plate], axis=1)[active], axis=0).tolist():
        rows = np.flatnonzero(active & (observed == n) & (plate == q))
        used = min(n, surrogate.max_data)
        chunk = max(1, _CACHE // (256 * max(used, 1)))
        for first in range(0, len(rows), chunk):
            part = rows[first : first + chunk]
            yield _condition_group(
                observation, part, n, q, spec, surrogate, rngs(part), extra_per_slot * q
            )


def _condition_group(
    observation: Observation,
    rows: NDArray[np.intp],
    n: int,
    q: int,
    spec: CampaignSpec,
    surrogate: Surrogate,
    rngs: BatchedGenerator,
    extra: int,
) -> CandidatePosterior:
    space = spec.design_space
    designs = observation["designs"][rows, :n]
    values = observation["measurements"][rows, :n]
    starts = observation["from_start"][rows].sum(axis=1, dtype=np.int64)
    choices = space.candidates(designs, values, extra, rngs)
    posterior, _ = condition(surrogate, space, designs, values, starts)
    never = spec.repeats is Repeats.NEVER_AGAIN
    return CandidatePosterior(
        env_indices=rows,
        candidates=choices,
        posterior=posterior,
        marginals=posterior.at(space.features(choices)),
        num_observed=n,
        batch_size=q,
        plates=observation["plates"][rows].astype(np.int64),
        rounds_left=observation["rounds_left"][rows, 0],
        best=posterior.targets.max(axis=1) if n else np.zeros(len(rows)),
        repeats=spec.repeats,
        measured=space.among(choices, designs) if never else None,
    )
