"""What a surrogate expects of candidates, for campaigns that have observed different amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.observations import Observation, computable, next_plates
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.surrogates.conditioning import condition
from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.listed_marginals import ListedDesigns, ListedMarginals, listed_designs
from ombo_gym.surrogates.marginals import CandidateMarginals
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.single_marginals import SingleMarginals
from ombo_gym.surrogates.surrogate import Surrogate

TakeRngs = Callable[[NDArray[np.intp]], BatchedGenerator]  # the random numbers of some campaigns

_HOPE = 3.0  # standard deviations above its mean that a candidate may turn out to be worth
_CACHE = 2**17  # entries of an (R, n, M) array that stay in a processor's cache
_HELD = 2**24  # entries of (R, n, M) arrays that are held at once, where M are many
_ROWS = 16  # (R, M) arrays beside them


@dataclass(frozen=True)
class CandidatePosterior:
    """Beliefs about candidates, of R campaigns with the same n of observations and next plate.

    Attributes:
        env_indices: (R,) which campaigns of the observation these are.
        space: The design space.
        candidates: (R, M, *shape) designs.
        posterior: Of the dataset.
        num_observed: n, all observations, also those beyond the surrogate's `max_data`.
        batch_size: q of the next batch.
        plates: (R, N) sizes of the batches to come, the next one first.
        rounds_left: (R,).
        best: (R,) best observed value, in the posterior's units.
        repeats: Whether and when a candidate can be measured again.
        measured: (R, M) candidates that are measured, where they never can be again; else None.
        listed: The candidates, where they are many and the same in all campaigns; else None.
    """

    env_indices: NDArray[np.intp]
    space: DesignSpace
    candidates: Designs
    posterior: Posterior
    num_observed: int
    batch_size: int
    plates: NDArray[np.int64]
    rounds_left: NDArray[np.float32]
    best: NDArray[np.float64]
    repeats: Repeats
    measured: NDArray[np.bool_] | None = None
    listed: ListedDesigns | None = None

    @cached_property
    def marginals(self) -> CandidateMarginals:
        """Means and standard deviations of the candidates, in the posterior's units."""
        if self.listed is not None and isinstance(self.posterior, LearnedPosterior):
            return self.posterior.at_listed(self.listed)
        if self.listed is not None:
            return ListedMarginals(self.posterior, self.listed)
        return self.posterior.at(self.space.features(self.candidates))

    @cached_property
    def single_marginals(self) -> SingleMarginals:
        """The same in single precision, for batches of the next plate's size."""
        features = self.space.features(self.candidates)
        return SingleMarginals.of(self.posterior, features, self.batch_size - 1)

    def forget_marginals(self) -> None:
        """Frees memory; they are worked out anew when they are asked for."""
        self.__dict__.pop("marginals", None)
        self.__dict__.pop("single_marginals", None)

    @property
    def entries(self) -> int:
        """Numbers that the marginals hold, about."""
        rows, n = self.posterior.targets.shape
        return int(rows * self.candidates.shape[1] * (n + _ROWS))

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
    everything: bool = True,
    entries: int = _CACHE,
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
        everything: Whether candidates are all designs of a finite space that has not too many, see
            `DesignSpace.shared_candidates`; else a few hundred, as an environment can afford.
        entries: How large (R, n, 256) arrays may be; bounds how many campaigns are taken at a time.

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
        chunk = max(1, entries // (256 * max(used, 1)))
        listed = listed_designs(spec.design_space, n) if everything else None
        if listed is not None:
            chunk = max(1, min(chunk, _HELD // ((used + _ROWS) * len(listed.codes))))
        for first in range(0, len(rows), chunk):
            part = rows[first : first + chunk]
            yield _condition_group(
                observation, part, n, q, spec, surrogate, rngs(part), extra_per_slot * q, listed
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
    listed: ListedDesigns | None,
) -> CandidatePosterior:
    space = spec.design_space
    designs = observation["designs"][rows, :n]
    values = observation["measurements"][rows, :n]
    starts = observation["from_start"][rows].sum(axis=1, dtype=np.int64)
    never, measured = spec.repeats is Repeats.NEVER_AGAIN, None
    posterior, _ = condition(surrogate, space, designs, values, starts)
    if listed is None:
        choices = space.candidates(designs, values, extra, rngs)
        if isinstance(posterior, LearnedPosterior) and not space.looks_at_everything:
            choices = np.concatenate([choices, posterior.most_promising()], axis=1)
        measured = space.among(choices, designs) if never else None
    else:
        choices = np.broadcast_to(listed.designs, (len(rows), *listed.designs.shape))
        measured = space.marked(designs)[:, listed.codes] if never else None
    return CandidatePosterior(
        env_indices=rows,
        space=space,
        candidates=choices,
        posterior=posterior,
        num_observed=n,
        batch_size=q,
        plates=observation["plates"][rows].astype(np.int64),
        rounds_left=observation["rounds_left"][rows, 0],
        best=posterior.targets.max(axis=1) if n else np.zeros(len(rows)),
        repeats=spec.repeats,
        measured=measured,
        listed=listed,
    )
