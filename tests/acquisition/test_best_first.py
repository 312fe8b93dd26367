"""Slot after slot of a large pool: what is not scored again cannot be the best."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.acquisition import best_first
from ombo_gym.acquisition.expected_improvement import LogImprovement, standard_normals
from ombo_gym.acquisition.greedy_batch import maximize_score
from ombo_gym.acquisition.local_penalization import steepest
from ombo_gym.acquisition.max_value_entropy import MaxValueInformation
from ombo_gym.acquisition.upper_confidence_bound import UpperConfidenceBound
from ombo_gym.spec import Repeats
from ombo_gym.surrogates.fantasies import FantasyPosterior
from tests.wide_pools import looked_at, observed, pool, some, spec_of

SCORES = {
    "improvement": lambda group: LogImprovement(group.best, standard_normals(64, 4)),
    "information": lambda group: MaxValueInformation(group.best[:, None] + [[0.1, 0.5, 1.0]]),
    "bound": lambda group: UpperConfidenceBound(np.full(len(group.best), 2.0)),
}


def plain_batch(group, space, score):
    """Of every candidate's score in every slot."""
    rows, marginals = np.arange(len(group.best)), group.marginals.copy()
    allowed = np.ones(marginals.mean.shape, bool)
    if group.measured is not None:
        allowed &= ~group.measured
    batch = []
    for _ in range(group.batch_size):
        picks = np.where(allowed, score.value(marginals), -np.inf).argmax(axis=1)
        at = marginals.picked(picks)
        marginals.fantasize(picks, noisy=score.noisy)
        score.picked(at)
        if group.distinct:
            allowed[rows, picks] = False
        batch.append(group.candidates[rows, picks])
    return np.stack(batch, axis=1)


@pytest.mark.parametrize("observations", [0, 12])
@pytest.mark.parametrize("repeats", list(Repeats))
@pytest.mark.parametrize("name", SCORES)
def test_a_batch_is_that_of_every_candidate_s_score_in_every_slot(name, repeats, observations):
    space = pool(2000)
    spec = spec_of(space, repeats=repeats)
    (group,) = looked_at(spec, observed(spec, some(space, 3, observations)))
    batch = maximize_score(group, space, SCORES[name](group))
    np.testing.assert_array_equal(batch, plain_batch(group, space, SCORES[name](group)))


def test_most_candidates_are_scored_in_the_first_slot_alone(monkeypatch):
    scored = []
    value = LogImprovement.value

    def counted(self, at):
        scored.append(at.mean.size)
        return value(self, at)

    monkeypatch.setattr(LogImprovement, "value", counted)
    space = pool(3000)
    spec = spec_of(space)
    (group,) = looked_at(spec, observed(spec, some(space, 1, 12)))
    maximize_score(group, space, SCORES["improvement"](group))
    assert sum(scored) < 3000 + 3 * 5 * best_first._FIRST


def test_the_steepest_slope_is_that_of_all_candidates():
    space = pool(3000)
    spec = spec_of(space)
    (group,) = looked_at(spec, observed(spec, some(space, 2, 12)))
    fantasies = FantasyPosterior(group.posterior)
    features = space.features(group.candidates)
    each = [steepest(fantasies, features[:, i : i + 500]) for i in range(0, 3000, 500)]
    np.testing.assert_allclose(
        steepest(fantasies, group.listed.features[None]), np.max(each, axis=0), rtol=1e-9
    )
