"""The one builder of batches, against a plain loop over campaigns, slots and candidates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_gym import BoxDesigns, CampaignSpec, CategoricalDesigns, Repeats
from ombo_gym.acquisition.base import Acquisition
from ombo_gym.acquisition.greedy_batch import best_allowed, greedy_batch, maximize_score
from ombo_gym.acquisition.thompson import SampledFunctions
from ombo_gym.acquisition.upper_confidence_bound import UpperConfidenceBound
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates.candidate_posterior import condition_on_dataset
from ombo_gym.surrogates.surrogate import JITTER, make_surrogate
from tests.surrogates.test_posterior import textbook_posterior


@settings(max_examples=60)
@given(data=st.data(), q=st.integers(1, 5), distinct=st.booleans(), never=st.booleans())
def test_each_slot_takes_the_best_candidate_that_is_allowed(data, q, distinct, never):
    """Scores by slot are given; candidates may be copies of each other."""
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    candidates = rng.integers(0, 4, (2, 6, 1))  # four different designs at most
    scores = rng.integers(0, 3, (2, q, 6)).astype(float)  # with ties
    measured = rng.random((2, 6)) < 0.4 if never else None
    batch = greedy_batch(
        SampledFunctions(scores), candidates, q, distinct=distinct, measured=measured
    )
    for row in range(2):
        taken: set[int] = set()
        for slot in range(q):
            designs = candidates[row, :, 0].tolist()
            free = [m for m, design in enumerate(designs) if not distinct or design not in taken]
            new = [m for m in free if measured is None or not measured[row, m]]
            allowed = new or free or list(range(6))
            if free:
                best = max(allowed, key=lambda m: (scores[row, slot, m], -m))
                assert batch[row, slot, 0] == designs[best]
            taken.add(int(batch[row, slot, 0]))


def test_where_everything_is_chosen_the_first_candidate_is_taken():
    scores, chosen = np.array([[1.0, 3.0, 2.0]]), np.ones((1, 3), bool)
    assert best_allowed(scores, chosen, None).tolist() == [0]


def groups(space: Any, *, repeats: Repeats, rows: int = 3) -> Any:
    spec = CampaignSpec(
        space,
        plates=[4, 4],
        start_capacity=6,
        repeats=repeats,
        surrogate={"kernel": "matern52", "lengthscale": 0.6},
        noise_std=0.0,
    )
    rngs = GeneratorBatch([np.random.default_rng(row) for row in range(rows)], rows)
    designs, values = space.sample_distinct(rngs, 6), rngs.standard_normal((6,))
    single = [
        spec.observation(space.actions(each[None])[0].reshape(6, -1), y, plates_left=[4, 4])
        for each, y in zip(designs, values, strict=True)
    ]
    observation = {name: np.concatenate([each[name] for each in single]) for name in single[0]}
    surrogate = make_surrogate(spec)
    return list(condition_on_dataset(observation, spec, surrogate, rngs.take)), designs, values


@pytest.mark.parametrize("weights", [np.full(3, 2.0), np.linspace(0, 3, 12).reshape(3, 4)])
def test_a_bound_s_batch_is_that_of_a_plain_loop_that_refits_after_every_slot(weights):
    space = CategoricalDesigns([3, 3, 2])
    ((group,), designs, values) = groups(space, repeats=Repeats.NEVER_AGAIN)
    batch = maximize_score(group, space, UpperConfidenceBound(weights))
    features = space.features(group.candidates)
    for row in range(3):
        x, y = space.features(designs[row]), values[row].copy()
        known = {tuple(design) for design in designs[row].tolist()}
        for slot in range(4):
            mean, covariance = textbook_posterior(
                group.posterior.kernel, x, y, features[row], 0.6, JITTER
            )
            weight = weights[row] if weights.ndim == 1 else weights[row, slot]
            bound = mean + weight * np.sqrt(np.diag(covariance).clip(0))
            again = [tuple(design) in known for design in group.candidates[row].tolist()]
            best = np.where(again, -np.inf, bound)
            pick = np.flatnonzero((group.candidates[row] == batch[row, slot]).all(axis=1))[0]
            assert best[pick] >= best.max() - 1e-6
            x = np.vstack([x, features[row, pick]])
            y = np.append(y, mean[pick])
            known.add(tuple(batch[row, slot].tolist()))


def test_designs_that_climb_score_no_less_than_the_best_candidate_and_stay_apart():
    space = BoxDesigns(2)
    ((group,), _, _) = groups(space, repeats=Repeats.NEVER_AGAIN)
    weights = np.full(3, 2.0)
    climbed = maximize_score(
        group, space, UpperConfidenceBound(weights), num_restarts=6, max_iterations=12
    )
    plain = maximize_score(group, space, UpperConfidenceBound(weights))
    first = [group.posterior.at(space.features(batch[:, :1])) for batch in (climbed, plain)]
    bounds = [at.mean + 2 * at.sd for at in first]
    assert (bounds[0] >= bounds[1] - 1e-9).all() and (bounds[0] > bounds[1] + 1e-6).any()
    for batch in climbed:
        assert len(np.unique(batch, axis=0)) == 4


def test_what_scores_candidates_only_cannot_be_climbed():
    class Flat(Acquisition):
        def candidate_scores(self):
            return np.zeros((1, 1))

        def take(self, designs, picks):
            pass

    with pytest.raises(NotImplementedError, match="Flat scores candidates only"):
        _ = Flat().surface
