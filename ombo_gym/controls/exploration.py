"""`control="exploration"`: the agent says how much to explore, a surrogate finds the designs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.acquisition.base import Acquisition
from ombo_gym.acquisition.greedy_batch import greedy_batch, maximize_score
from ombo_gym.acquisition.upper_confidence_bound import UpperConfidenceBound
from ombo_gym.controls.base import Control, rounds_left_space
from ombo_gym.controls.campaign_features import CAMPAIGN, LIMIT, CampaignFeatures
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import (
    CandidatePosterior,
    TakeRngs,
    condition_on_dataset,
)
from ombo_gym.surrogates.marginals import CandidateMarginals
from ombo_gym.surrogates.single_marginals import SingleMarginals
from ombo_gym.surrogates.surrogate import make_surrogate

LARGEST_WEIGHT = 10.0
_OF_CANDIDATES = (
    "best_mean",
    "sd_at_best_mean",
    "mean_of_top_means",
    "mean_sd",
    "largest_sd",
    "gain_of_ucb_1",
    "gain_of_ucb_2",
    "gain_of_ucb_4",
)
SUMMARY = (*_OF_CANDIDATES, *CAMPAIGN)
_TOP = 16  # candidates whose means `mean_of_top_means` averages
_HELD = 2**26  # entries of marginals that a view holds on to; of more, none
_ENTRIES = 2**20  # of (R, n, M) arrays in single precision that stay in a processor's cache


def weights_of(actions: NDArray[np.floating]) -> NDArray[np.float64]:
    """Exploration weights 10 ((a + 1) / 2)^2 of actions, elementwise."""
    return LARGEST_WEIGHT * ((np.asarray(actions, np.float64) + 1) / 2) ** 2


def actions_of(weights: NDArray[np.floating]) -> NDArray[np.float32]:
    """The inverse of `weights_of`."""
    return (2 * np.sqrt(np.asarray(weights, np.float64) / LARGEST_WEIGHT) - 1).astype(np.float32)


@dataclass(frozen=True)
class ExplorationView:
    """What B campaigns look like; finished ones are in no group."""

    groups: list[CandidatePosterior]
    campaign: NDArray[np.float32]  # (B, len(CAMPAIGN))
    rounds_left: NDArray[np.float32]  # (B, 1)

    @property
    def is_heavy(self) -> bool:
        """Whether beliefs about all candidates are too much to be held at once."""
        return sum(group.entries for group in self.groups) > _HELD


class SingleBounds(Acquisition):
    """Upper confidence bounds with hallucinated variances, in single precision.

    Args:
        marginals: Of R campaigns' candidates; they are changed.
        weights: (R, q) of the standard deviations, one a slot.
    """

    def __init__(self, marginals: SingleMarginals, weights: NDArray[np.float64]) -> None:
        self._marginals = marginals
        self._weights = iter(weights.astype(np.float32).T[:, :, None])  # (R, 1) each

    @override
    def candidate_scores(self) -> Any:
        scores = self._marginals.sd
        scores *= next(self._weights)
        scores += self._marginals.mean
        return scores

    @override
    def take(self, designs: Designs, picks: NDArray[np.intp] | None) -> None:
        assert picks is not None
        self._marginals.fantasize(picks)


class ExplorationControl(Control):
    """Batches by upper confidence bounds with hallucinated variances; the action sets the weights.

    Slot j of the batch is the candidate of the largest `mean + weight_j * sd`, the sd conditioned
    on the slots before. The action (2,) gives the weights of the first and the last slot of the
    next plate, interpolated linearly between. What is seen is `summary` (k,), in the order of
    `SUMMARY`: beliefs about candidates in the surrogate's units (of the prior, or standardised),
    then what is known of the campaign; all zeros once the campaign is over. Measured designs that
    are worth nothing are proposed only when no other candidates are left.

    Args:
        spec: Of the campaigns.
        everything: Whether all designs of a finite space are candidates, as for policies that carry
            the control along, or, above 1,024, a few hundred: an environment looks every round.
    """

    def __init__(self, spec: CampaignSpec, *, everything: bool = False) -> None:
        self._spec = spec
        self._everything = everything
        self.surrogate = make_surrogate(spec)
        self._features = CampaignFeatures(spec)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space = spaces.Dict(
            {
                "summary": spaces.Box(-LIMIT, LIMIT, (len(SUMMARY),), np.float32),
                "rounds_left": rounds_left_space(),
            }
        )

    @override
    def view(self, observation: Observation, rngs: TakeRngs) -> ExplorationView:
        groups = condition_on_dataset(
            observation,
            self._spec,
            self.surrogate,
            rngs,
            extra_per_slot=4,
            everything=self._everything,
            entries=_ENTRIES,
        )
        rounds_left, held = observation["rounds_left"], list(groups)
        campaign = np.zeros((len(rounds_left), len(CAMPAIGN)), np.float32)
        for group in held:
            campaign[group.env_indices] = self._features.of(group, observation)
        return ExplorationView(held, campaign, rounds_left)

    @override
    def seen(self, view: ExplorationView) -> Observation:
        own, heavy = len(_OF_CANDIDATES), view.is_heavy
        summary = np.zeros((len(view.rounds_left), len(SUMMARY)), np.float32)
        summary[:, own:] = view.campaign
        for group in view.groups:
            summary[group.env_indices, :own] = self._summarise(group)
            if heavy:
                group.forget_marginals()
        return {"summary": summary, "rounds_left": view.rounds_left.copy()}

    def _summarise(self, group: CandidatePosterior) -> NDArray[np.float64]:
        marginals = self._marginals(group)
        mean, sd = marginals.mean, marginals.sd  # (R, M) each
        row, top = np.arange(len(mean)), min(_TOP, mean.shape[1])
        at = mean.argmax(axis=1)
        best = mean[row, at]
        columns = [
            best,
            sd[row, at],
            np.sort(np.partition(mean, -top, axis=1)[:, -top:], axis=1).mean(axis=1),
            sd.mean(axis=1),
            sd.max(axis=1),
        ]
        bounds, step = mean + sd, sd.copy()
        for _ in range(3):  # weights 1, 2 and 4
            columns.append(bounds.max(axis=1) - best)
            bounds += step
            step *= 2.0
        summary: NDArray[np.float64] = np.clip(np.stack(columns, axis=1), -LIMIT, LIMIT)
        return summary

    @staticmethod
    def _marginals(group: CandidatePosterior) -> CandidateMarginals | SingleMarginals:
        """Beliefs about a few hundred candidates in single precision, about a list in double."""
        return group.marginals if group.listed is not None else group.single_marginals

    @override
    def designs(self, view: ExplorationView, actions: NDArray[np.floating]) -> Designs:
        space = self._spec.design_space
        shape = (len(view.rounds_left), self._spec.batch_size, *space.shape)
        batch = np.zeros(shape, space.dtype)
        weights, heavy = weights_of(actions), view.is_heavy  # (B, 2)
        for group in view.groups:
            q = group.batch_size
            first, last = weights[group.env_indices, :1], weights[group.env_indices, 1:]
            slots = first + np.linspace(0.0, 1.0, q) * (last - first)  # (R, q)
            batch[group.env_indices, :q] = self._batch(group, slots)
            if heavy:
                group.forget_marginals()
        return batch

    def _batch(self, group: CandidatePosterior, weights: NDArray[np.float64]) -> Designs:
        """Greedy batches by weights (R, q) of the slots, (R, q, *shape)."""
        marginals = self._marginals(group)
        if isinstance(marginals, CandidateMarginals):
            return maximize_score(group, self._spec.design_space, UpperConfidenceBound(weights))
        return greedy_batch(
            SingleBounds(marginals.copy(), weights),
            group.candidates,
            group.batch_size,
            distinct=group.distinct,
            measured=group.measured,
        )
