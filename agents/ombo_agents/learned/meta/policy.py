"""The meta-policy: a rule that knows the start's origin, N and the utility, and what it learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.bayesian.climbing_schedule import MAX_ITERATIONS, NUM_RESTARTS
from ombo_agents.bayesian.weights import scheduled_weights
from ombo_agents.design_of_experiments.suited import design_policy, start_says_little
from ombo_agents.learned.meta.context import kind_of, pays_last_batch, quality
from ombo_agents.learned.meta.rule import Rule
from ombo_agents.policy import DesignsPolicy, Details
from ombo_gym.acquisition.greedy_batch import maximize_score
from ombo_gym.acquisition.upper_confidence_bound import UpperConfidenceBound
from ombo_gym.controls.exploration import LARGEST_WEIGHT
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior, condition_on_dataset
from ombo_gym.surrogates.surrogate import make_surrogate

Floats = NDArray[np.float64]

WEIGHT = 2.0  # of exploration, as ucb, where the best value counts
SCHEDULE = (3.0, 2.0, 1.0, 0.0)  # as explore_then_exploit, where the last batch counts
LEAST_START = 4  # rows, as doe_then_ucb


class Meta(DesignsPolicy):
    """Plays any campaign: what it begins as is written down, what it changes of that is learnt.

    Before it has learnt anything it is, where the utility is the last batch's, a schedule of
    exploration weights that falls to 0 (`explore_then_exploit`), else upper confidence bounds
    (`ucb`); and where the start was chosen by value, is missing or too small, its first plate is
    designed without a look at values (`doe_then_ucb`), unless it is the last plate and pays itself.

    Learnt is a table of changes to that, a row for each kind of campaign: by whether the best
    value or the last batch pays, whether the start was chosen by value, and whether designs can
    move. They are of the exploration weights of a plate's first and last slot (those of others lie
    between), with rounds to come and in the last one, also by how well the surrogate foretells what
    it leaves out; and of the share of such a first plate that is designed. docs/results/meta.md
    says what training found.

    Args:
        spec: Of the campaigns it is built for.
        rule: What was learnt.
    """

    def __init__(self, spec: CampaignSpec, rule: Rule) -> None:
        super().__init__(spec)
        self.rule = rule
        self.weights = SCHEDULE if pays_last_batch(spec) else (WEIGHT,)
        self._surrogate = make_surrogate(spec)
        self._kind = kind_of(spec)
        self.horizon_aware = pays_last_batch(spec) or rule.plans_ahead(self._kind)
        self._designed = design_policy(spec)

    @override
    def propose_and_explain(
        self, observation: Observation, rngs: GeneratorBatch, q: int
    ) -> tuple[NDArray[Any], Details]:
        batch = np.zeros((len(rngs), q, *self.space.shape), self.space.dtype)
        weights = np.zeros((len(rngs), 2))
        designed = np.zeros(len(rngs), np.int64)  # the last so many slots
        groups = condition_on_dataset(
            observation, self.spec, self._surrogate, rngs.take, extra_per_slot=4
        )
        for group in groups:
            rows = group.env_indices
            weights[rows], share = self._decide(group, observation)
            designed[rows] = np.round(share * q)
            if (designed[rows] < q).any():
                batch[rows] = self._by_bounds(group, weights[rows])
        for count in np.unique(designed[designed > 0]).tolist():
            rows = np.flatnonzero(designed == count)
            batch[rows, q - count :] = self._by_design(
                observation, batch[rows, : q - count], rngs.take(rows), rows, count
            )
        return batch, {"exploration_weights": weights}

    def _decide(self, group: CandidatePosterior, observation: Observation) -> tuple[Floats, Floats]:
        """Exploration weights of the first and last slot, (R, 2), and the share designed, (R,)."""
        changed = self.rule.changed(self._kind, group.rounds_left <= 1, quality(group))
        begin = scheduled_weights(self.weights, group.rounds_left[:, None], group.plates)
        ends = np.stack([begin + changed.first_weight, begin + changed.last_weight], axis=1)
        share = np.clip(1.0 + changed.designed_share, 0.0, 1.0)
        designs_first = self._designs_first(observation, group.env_indices)
        return np.clip(ends, 0.0, LARGEST_WEIGHT), np.where(designs_first, share, 0.0)

    def _by_bounds(self, group: CandidatePosterior, ends: Floats) -> Designs:
        """Batches by upper confidence bounds, (R, q, *shape), weights (R, 2) of first and last."""
        slots = ends[:, :1] + np.linspace(0.0, 1.0, group.batch_size) * (ends[:, 1:] - ends[:, :1])
        return maximize_score(
            group,
            self.space,
            UpperConfidenceBound(slots),
            num_restarts=NUM_RESTARTS,
            max_iterations=MAX_ITERATIONS,
        )

    def _by_design(
        self,
        observation: Observation,
        before: Designs,
        rngs: GeneratorBatch,
        rows: NDArray[np.intp],
        count: int,
    ) -> Designs:
        """Designs without a look at values, beside what is measured and the slots before.

        Args:
            observation: Of all campaigns.
            before: (R, j, *shape) the plate's first slots.
            rngs: Of these campaigns.
            rows: (R,) which campaigns.
            count: How many designs.

        Returns:
            (R, count, *shape).
        """
        part = {name: array[rows].copy() for name, array in observation.items()}
        first = part["observed"].sum(axis=1, dtype=np.int64)[:, None]
        places = first + np.arange(before.shape[1])  # (R, j)
        row = np.arange(len(rows))[:, None]
        part["designs"][row, places], part["observed"][row, places] = before, 1
        return self._designed.propose(part, rngs, count)

    def _designs_first(self, observation: Observation, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which of some campaigns begin with designs that were chosen without values, (R,)."""
        group = {name: array[rows] for name, array in observation.items()}
        pays_itself = pays_last_batch(self.spec) & (group["rounds_left"][:, 0] <= 1)
        return start_says_little(self.spec, group, LEAST_START) & ~pays_itself
