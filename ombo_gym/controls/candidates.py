"""`control="candidates"`: the agent picks the batch from a list of M candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.control_names import CANDIDATES, control_name
from ombo_gym.controls.base import Control, rounds_left_space
from ombo_gym.controls.campaign_features import CAMPAIGN, LIMIT, CampaignFeatures
from ombo_gym.controls.greedy_list import ONE_BY_ONE, choose
from ombo_gym.controls.linear_model import LinearModel
from ombo_gym.controls.log_improvement import log_improvement
from ombo_gym.controls.shortlist import Shortlist, rough_beliefs, shortlist
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation, computable
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.surrogates.candidate_posterior import (
    CandidatePosterior,
    TakeRngs,
    condition_on_dataset,
)
from ombo_gym.surrogates.kernels import squared_distances
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.single_marginals import SingleMarginals, single_beliefs
from ombo_gym.surrogates.surrogate import make_surrogate

CANDIDATE = (
    "mean",
    "sd",
    "log_expected_improvement",  # as -log(1 + |log EI|) below EI = 1
    "linear_mean",
    "linear_sd",
    "distance",  # to the nearest observed design, in units of the space's typical one
    "is_measured",
)
_SPARE = 2  # times M are short-listed
_ENTRIES = 256 * 2**18  # of (R, n, S) arrays in single precision, times 256

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CandidatesView:
    """M designs for each of B campaigns, and what is said of them; zeros at the end."""

    designs: Designs  # (B, M, *shape)
    described: NDArray[np.float32]  # (B, M, len(CANDIDATE))
    campaign: NDArray[np.float32]  # (B, len(CAMPAIGN))
    listed: NDArray[np.int64]  # (B,) entries that are designs
    useless: NDArray[np.bool_]  # (B, M) no designs, or such as are not worth measuring again
    rounds_left: NDArray[np.float32]  # (B, 1)


class CandidatesControl(Control):
    """The list is a batch of M designs by upper confidence bounds, greedy and exploring.

    What is seen are `candidates` (M, k), of each what `CANDIDATE` names; `campaign` (j,), what
    `ombo_gym.controls.campaign_features.CAMPAIGN` names; and `action_mask` (M,), which entries are
    worth choosing. All of it is finite, without units, and as large whatever the design space, the
    horizon and the batch size. The action is q indices into the list.

    The list comes from all designs of spaces of up to 16,384 and pools of up to 100,000 (of larger
    pools another 100,000 in each round), in other spaces from a few hundred that are drawn over the
    space and around the best: the 2 M that promise most are short-listed and looked at closely. The
    first 16 entries are chosen one by one, each given the ones before, so that they are
    unlike each other; further ones by what is then believed. Where there are fewer than M
    designs, entries at the end are empty, zeros that the mask hides; an action that names one of
    them means the entry so many places on, the first after the last design.

    Where measuring a design again is worth nothing, measured ones are at the end of the list, when
    others do not fill it; and a slot that names one of them, or what an earlier slot took, takes
    the next design of the list that is new (after the last comes the first), so that no action
    wastes a slot while the list holds another design.

    Args:
        spec: Of the campaigns.
        size: M.

    Raises:
        ValueError: A size that is no whole number from 1 to 4,096.
    """

    def __init__(self, spec: CampaignSpec, *, size: int = CANDIDATES) -> None:
        control_name({"kind": "candidates", "size": size})  # refuses sizes that are none
        self._spec, self.size = spec, size
        self.surrogate = make_surrogate(spec)
        self._features = CampaignFeatures(spec)
        self._linear = LinearModel(spec.design_space)
        self.action_space = spaces.MultiDiscrete(np.full(spec.batch_size, size))
        self.observation_space = spaces.Dict(
            {
                "candidates": spaces.Box(-LIMIT, LIMIT, (size, len(CANDIDATE)), np.float32),
                "campaign": spaces.Box(-LIMIT, LIMIT, (len(CAMPAIGN),), np.float32),
                "action_mask": spaces.MultiBinary(size),
                "rounds_left": rounds_left_space(),
            }
        )

    @override
    def view(self, observation: Observation, rngs: TakeRngs) -> CandidatesView:
        observation = computable(self._spec, observation)
        rounds_left = observation["rounds_left"]
        rows, size, space = len(rounds_left), self.size, self._spec.design_space
        designs = np.zeros((rows, size, *space.shape), space.dtype)
        described = np.zeros((rows, size, len(CANDIDATE)), np.float32)
        campaign = np.zeros((rows, len(CAMPAIGN)), np.float32)
        listed = np.full(rows, size)
        useless = np.zeros((rows, size), bool)
        never = self._spec.repeats is Repeats.NEVER_AGAIN
        for group in condition_on_dataset(
            observation, self._spec, self.surrogate, rngs, entries=_ENTRIES // (_SPARE * size)
        ):
            of = group.env_indices
            short, marginals, features, varying = self._shortlist(group)
            picks, is_there = choose(short, marginals, size)  # (R, m) each, m at most M
            row, m = np.arange(len(of))[:, None], picks.shape[1]
            chosen = short.designs[row, picks]
            if group.measured is not None:
                measured = short.measured[row, picks]
            else:
                known = observation["designs"][of, : group.num_observed]
                measured = space.among(chosen, known)
            columns = self._described(
                group, observation, marginals, picks, chosen, features[row, picks], varying
            )
            columns[..., -1] = measured
            described[of, :m] = np.where(is_there[..., None], columns, 0.0)
            designs[of, :m] = chosen
            campaign[of] = self._features.of(group, observation)
            listed[of] = is_there.sum(axis=1)
            useless[of, m:] = True
            useless[of, :m] = ~is_there | (measured & never)
        return CandidatesView(designs, described, campaign, listed, useless, rounds_left)

    def _shortlist(
        self, group: CandidatePosterior
    ) -> tuple[Shortlist, SingleMarginals, Floats, NDArray[np.intp] | None]:
        """The shortlist, what is believed of it, and its features (R, S, k).

        Last, which of all features these are, (k,); None: all.
        """
        size, posterior, listed = _SPARE * self.size, group.posterior, group.listed
        if listed is None:
            features = group.space.features(group.candidates)
            if features.shape[1] <= size:
                marginals = SingleMarginals.of(posterior, features, ONE_BY_ONE)
                short = shortlist(group, size, marginals.mean, marginals.sd)
                return short, marginals, features, None
            # To work out anew what few are believed of is less than to look it up among many.
            short = shortlist(group, size, *single_beliefs(posterior, features))
            features = group.space.features(short.designs)
            return short, SingleMarginals.of(posterior, features, ONE_BY_ONE), features, None
        short = shortlist(group, size, *rough_beliefs(group))
        several = type(posterior) is not Posterior or posterior.correlation.weights is not None
        found: Any = listed.features if several else listed.single_features
        features, varying = found[short.picks], None if several else listed.varying
        marginals = SingleMarginals.of(posterior, features, ONE_BY_ONE, varying)
        return short, marginals, features, varying

    def _described(
        self,
        group: CandidatePosterior,
        observation: Observation,
        marginals: SingleMarginals,
        picks: NDArray[np.intp],
        chosen: Designs,
        features: Floats,
        varying: NDArray[np.intp] | None,
    ) -> Floats:
        """What is seen of chosen candidates, (R, m, len(CANDIDATE)).

        Args:
            group: Of R campaigns.
            observation: Of all campaigns.
            marginals: Of the shortlist.
            picks: (R, m) which of the shortlist are chosen.
            chosen: (R, m, *shape) their designs.
            features: (R, m, k) of these.
            varying: (k,) which of all features these are; None: all.
        """
        row, n, posterior = np.arange(len(picks))[:, None], group.num_observed, group.posterior
        known = observation["designs"][group.env_indices, :n]
        columns = np.zeros((*picks.shape, len(CANDIDATE)))
        mean, sd = marginals.mean[row, picks], marginals.sd[row, picks]
        columns[..., 0], columns[..., 1] = mean, sd
        if n:
            z = (mean - group.best[:, None]) / sd
            columns[..., 2] = _moderate(log_improvement(z) + np.log(sd))
            values = observation["measurements"][group.env_indices, :n]
            targets = posterior.standardised(values)
            columns[..., 3], columns[..., 4] = self._linear.predict(known, targets, chosen)
            space = self._spec.design_space
            inputs = space.features(known)
            inputs = inputs if varying is None else inputs[..., varying]
            squared = squared_distances(inputs.astype(np.float32), features.astype(np.float32))
            columns[..., 5] = np.sqrt(squared.min(axis=1)) / space.typical_distance
        return np.clip(columns, -LIMIT, LIMIT)

    @override
    def seen(self, view: CandidatesView) -> Observation:
        return {
            "candidates": view.described.copy(),
            "campaign": view.campaign.copy(),
            "action_mask": self._masks(view).astype(np.int8),
            "rounds_left": view.rounds_left.copy(),
        }

    @override
    def designs(self, view: CandidatesView, actions: NDArray[np.int64]) -> Designs:
        actions = actions % view.listed[:, None]
        if self._spec.repeats is Repeats.NEVER_AGAIN:
            actions = _next_new(actions, view.useless)
        return view.designs[np.arange(len(actions))[:, None], actions]

    @override
    def action_masks(self, view: CandidatesView, observation: Observation) -> NDArray[np.bool_]:
        return np.tile(self._masks(view), self._spec.batch_size)

    def _masks(self, view: CandidatesView) -> NDArray[np.bool_]:
        """Which entries are worth choosing, (B, M); of a finished campaign, all."""
        exists = np.arange(self.size) < view.listed[:, None]
        worth = ~view.useless
        return np.where(worth.any(axis=1, keepdims=True), worth, exists)


def _moderate(logs: Floats) -> Floats:
    """sign(x) log(1 + |x|), elementwise."""
    moderate: Floats = np.sign(logs) * np.log1p(np.abs(logs))
    return moderate


def _next_new(actions: NDArray[np.int64], useless: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Moves slots on to the next entry that is neither useless nor chosen, where there is one.

    Args:
        actions: (B, q) indices into lists of M.
        useless: (B, M).
    """
    rows, left, moved = np.arange(len(useless)), ~useless, actions.copy()
    for slot in range(actions.shape[1]):
        ahead = (actions[:, slot, None] + np.arange(useless.shape[1])) % useless.shape[1]  # (B, M)
        steps = left[rows[:, None], ahead].argmax(axis=1)  # none where nothing is left
        moved[:, slot] = ahead[rows, steps]
        left[rows, moved[:, slot]] = False
    return moved
