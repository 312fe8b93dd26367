"""`control="exploration"`: the agent says how much to explore, a surrogate finds the designs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ombo_gym.controls.base import Control, TakeDraws, rounds_left_space
from ombo_gym.controls.outlook import Acquisition, Outlook, look, pick_batch
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.gp import Beliefs, make_surrogate

LARGEST_WEIGHT = 10.0
SUMMARY = (
    "best_observed",
    "best_mean",
    "sd_at_best_mean",
    "mean_of_top_means",
    "mean_sd",
    "largest_sd",
    "gain_of_ucb_1",
    "gain_of_ucb_2",
    "gain_of_ucb_4",
    "log_observed",
    "log_batch_size",
)
_TOP = 16  # candidates whose means `mean_of_top_means` averages
_LIMIT = 10.0  # summaries are clipped to [-10, 10]


def weights_of(actions: NDArray[np.floating]) -> NDArray[np.float64]:
    """Exploration weights 10 ((a + 1) / 2)^2 of actions, elementwise."""
    return LARGEST_WEIGHT * ((np.asarray(actions, np.float64) + 1) / 2) ** 2


def actions_of(weights: NDArray[np.floating]) -> NDArray[np.float32]:
    """The inverse of `weights_of`."""
    return (2 * np.sqrt(np.asarray(weights, np.float64) / LARGEST_WEIGHT) - 1).astype(np.float32)


@dataclass(frozen=True)
class ExplorationView:
    """What B campaigns look like; finished ones are in no outlook."""

    outlooks: list[Outlook]
    rounds_left: NDArray[np.float32]  # (B, 1)


class ExplorationControl(Control):
    """Batches by upper confidence bounds with hallucinated variances; the action sets the weights.

    Slot j of the batch is the candidate of the largest `mean + weight_j * sd`, the sd conditioned
    on the slots before. The action (2,) gives the weights of the first and the last slot of the
    next plate, interpolated linearly between. What is seen is `summary` (k,), in the order of
    `SUMMARY`, in the surrogate's units (of the prior, or standardised); all zeros once the campaign
    is over. Measured designs that are worth nothing are proposed only when no other candidates are
    left.

    Args:
        spec: Of the campaigns.
    """

    def __init__(self, spec: CampaignSpec) -> None:
        self._spec = spec
        self.surrogate = make_surrogate(spec)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space = spaces.Dict(
            {
                "summary": spaces.Box(-_LIMIT, _LIMIT, (len(SUMMARY),), np.float32),
                "rounds_left": rounds_left_space(spec.horizon),
            }
        )

    def view(self, observation: Observation, draws: TakeDraws) -> ExplorationView:  # noqa: D102
        outlooks = look(observation, self._spec, self.surrogate, draws, extra_per_slot=4)
        return ExplorationView(list(outlooks), observation["rounds_left"])

    def seen(self, view: ExplorationView) -> Observation:  # noqa: D102
        summary = np.zeros((len(view.rounds_left), len(SUMMARY)), np.float32)
        for outlook in view.outlooks:
            summary[outlook.rows] = self._summarise(outlook)
        return {"summary": summary, "rounds_left": view.rounds_left.copy()}

    def _summarise(self, outlook: Outlook) -> NDArray[np.float64]:
        mean, sd = outlook.beliefs.mean, outlook.beliefs.sd  # (R, M) each
        row, top = np.arange(len(mean)), min(_TOP, mean.shape[1])
        at = mean.argmax(axis=1)
        best = mean[row, at]
        columns = [
            outlook.best,
            best,
            sd[row, at],
            np.sort(mean, axis=1)[:, -top:].mean(axis=1),
            sd.mean(axis=1),
            sd.max(axis=1),
            *((mean + weight * sd).max(axis=1) - best for weight in (1.0, 2.0, 4.0)),
            np.full(len(mean), np.log1p(outlook.observed)),
            np.full(len(mean), np.log(outlook.batch_size)),
        ]
        summary: NDArray[np.float64] = np.clip(np.stack(columns, axis=1), -_LIMIT, _LIMIT)
        return summary

    def designs(self, view: ExplorationView, actions: NDArray[np.floating]) -> Designs:  # noqa: D102
        space = self._spec.design_space
        shape = (len(view.rounds_left), self._spec.batch_size, *space.shape)
        batch = np.zeros(shape, space.dtype)
        weights = weights_of(actions)  # (B, 2)
        for outlook in view.outlooks:
            q = outlook.batch_size
            first, last = weights[outlook.rows, :1], weights[outlook.rows, 1:]
            slots = first + np.linspace(0.0, 1.0, q) * (last - first)  # (R, q)
            batch[outlook.rows, :q] = pick_batch(
                outlook, upper_confidence_bound(slots), q, self._spec.repeats
            )
        return batch


def upper_confidence_bound(weights: NDArray[np.float64]) -> Acquisition:
    """Scores `mean + weight * sd` with a weight per campaign and slot, (R, q)."""

    def scores(slot: int, beliefs: Beliefs) -> NDArray[np.float64]:
        return beliefs.mean + weights[:, slot, None] * beliefs.sd

    return scores
