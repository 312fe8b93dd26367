"""`control="candidates"`: the agent picks the batch from a list of M candidates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.acquisition.base import FantasyAcquisition
from ombo_gym.acquisition.greedy_batch import greedy_batch
from ombo_gym.acquisition.upper_confidence_bound import UpperConfidenceBound
from ombo_gym.action_masks import some_of_each
from ombo_gym.controls.base import Control, rounds_left_space
from ombo_gym.design_spaces import Designs, repeated
from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.surrogates.candidate_posterior import TakeRngs, condition_on_dataset
from ombo_gym.surrogates.surrogate import make_surrogate

CANDIDATES = 32  # M
_WEIGHTS = np.array(
    [0.0, 0.5, 1.0, 2.0]
)  # exploration weights that the list is filled with in turn
_LIMIT = 10.0


@dataclass(frozen=True)
class CandidatesView:
    """M designs for each of B campaigns, and what is said of them; zeros at the end."""

    designs: Designs  # (B, M, *shape)
    described: NDArray[np.float32]  # (B, M, 2 + features)
    useless: NDArray[np.bool_] | None  # (B, M) not worth measuring again; None: all are
    rounds_left: NDArray[np.float32]  # (B, 1)


class CandidatesControl(Control):
    """The list is a batch of M designs by upper confidence bounds, greedy and exploring.

    What is seen is `candidates` (M, k): of each, posterior mean and standard deviation (before the
    batch), then the design's features. The action is q indices into the list.

    Where measuring a design again is worth nothing, measured ones are at the end of the list, when
    others do not fill it; and a slot that names one of them, or what an earlier slot took, takes
    the next design of the list that is new (after the last comes the first), so that no action
    wastes a slot while the list holds another design.

    Args:
        spec: Of the campaigns.
    """

    def __init__(self, spec: CampaignSpec) -> None:
        self._spec = spec
        self.surrogate = make_surrogate(spec)
        space = spec.design_space
        size = CANDIDATES if space.size is None else min(CANDIDATES, space.size)
        width = 2 + space.features(np.zeros((1, *space.shape), space.dtype)).shape[-1]
        self._shape = (size, width)
        self.action_space = spaces.MultiDiscrete(np.full(spec.batch_size, size))
        self.observation_space = spaces.Dict(
            {
                "candidates": spaces.Box(-_LIMIT, _LIMIT, self._shape, np.float32),
                "rounds_left": rounds_left_space(spec.horizon),
            }
        )

    @override
    def view(self, observation: Observation, rngs: TakeRngs) -> CandidatesView:
        rounds_left = observation["rounds_left"]
        rows, (size, width), space = len(rounds_left), self._shape, self._spec.design_space
        designs = np.zeros((rows, size, *space.shape), space.dtype)
        described = np.zeros((rows, size, width), np.float32)
        never = self._spec.repeats is Repeats.NEVER_AGAIN
        useless = np.zeros((rows, size), bool) if never else None
        for group in condition_on_dataset(
            observation, self._spec, self.surrogate, rngs, everything=False
        ):
            weights = np.broadcast_to(np.resize(_WEIGHTS, size), (len(group.env_indices), size))
            listed = greedy_batch(
                FantasyAcquisition(group, space, UpperConfidenceBound(weights)),
                group.candidates,
                size,
                distinct=True,
                measured=group.measured,
            )
            features = space.features(listed)
            marginals = group.posterior.at(features)
            columns = [marginals.mean[..., None], marginals.sd[..., None], features]
            designs[group.env_indices] = listed
            described[group.env_indices] = np.clip(
                np.concatenate(columns, axis=-1), -_LIMIT, _LIMIT
            )
            if useless is not None:
                known = observation["designs"][group.env_indices, : group.num_observed]
                useless[group.env_indices] = space.among(listed, known) | repeated(listed)
        return CandidatesView(designs, described, useless, rounds_left)

    @override
    def seen(self, view: CandidatesView) -> Observation:
        return {"candidates": view.described.copy(), "rounds_left": view.rounds_left.copy()}

    @override
    def designs(self, view: CandidatesView, actions: NDArray[np.int64]) -> Designs:
        if view.useless is not None:
            actions = _next_new(actions, view.useless)
        return view.designs[np.arange(len(actions))[:, None], actions]

    @override
    def action_masks(self, view: CandidatesView, observation: Observation) -> NDArray[np.bool_]:
        if view.useless is None:
            return super().action_masks(view, observation)
        return np.tile(some_of_each(~view.useless), self._spec.batch_size)


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
