"""Beliefs about every candidate of a large pool, piece by piece."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.design_spaces import CategoricalDesigns, candidates, finite
from ombo_gym.design_spaces.finite import in_strides
from ombo_gym.spec import Repeats
from ombo_gym.surrogates import candidate_posterior, listed_marginals
from ombo_gym.surrogates.fantasies import FantasyPosterior
from tests.wide_pools import looked_at, observed, pool, some, spec_of

SPACES = {
    "pool": lambda: pool(2500),
    "sequences": lambda: CategoricalDesigns([4] * 5 + [2]),
    "levels": lambda: CategoricalDesigns([5, 6, 7, 8], ordinal=True),
}


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("repeats", [Repeats.DISTINCT_IN_BATCH, Repeats.NEVER_AGAIN])
def test_every_design_is_a_candidate_once_with_the_posterior_s_mean_and_sd(name, repeats):
    space = SPACES[name]()
    spec = spec_of(space, repeats=repeats)
    codes = some(space, 3, 12)
    (group,) = looked_at(spec, observed(spec, codes))
    found = space.encode(group.candidates)
    assert np.array_equal(np.sort(found, axis=1), np.tile(np.arange(space.size), (3, 1)))
    plain = group.posterior.at(space.features(group.candidates))
    np.testing.assert_allclose(group.marginals.mean, plain.mean, atol=1e-9)
    np.testing.assert_allclose(group.marginals.sd, plain.sd, atol=1e-7)
    if repeats is Repeats.NEVER_AGAIN:
        for row in range(3):
            assert set(found[row][group.measured[row]]) == set(codes[row])


@pytest.mark.parametrize("kept", [True, False])
def test_fantasies_are_those_of_a_posterior_that_is_conditioned_anew(kept, monkeypatch):
    if not kept:
        monkeypatch.setattr(listed_marginals, "_KEPT", 0)
    space = pool(1500)
    spec = spec_of(space)
    (group,) = looked_at(spec, observed(spec, some(space, 2, 9)))
    marginals, fantasies = group.marginals.copy(), FantasyPosterior(group.posterior)
    features = space.features(group.candidates)
    rows = np.arange(2)
    for picks, noisy in (([3, 1400], True), ([700, 1], False), ([20, 1499], False)):
        marginals.fantasize(np.array(picks), noisy=noisy)
        fantasies.add(features[rows, picks], group.posterior.at(features), noisy=noisy)
    expected = fantasies.at(features)
    np.testing.assert_allclose(marginals.mean, expected.mean, atol=1e-9)
    np.testing.assert_allclose(marginals.sd, expected.sd, atol=1e-6)
    np.testing.assert_allclose(marginals.loadings, expected.loadings, atol=1e-7)
    columns = np.array([[0, 20, 700], [1499, 5, 6]])
    part = marginals.some(rows, columns)
    np.testing.assert_array_equal(part.mean, np.take_along_axis(marginals.mean, columns, axis=1))
    np.testing.assert_array_equal(part.sd, np.take_along_axis(marginals.sd, columns, axis=1))
    np.testing.assert_array_equal(part.loadings[1], marginals.loadings[1][:, columns[1]])


def test_a_campaign_s_numbers_do_not_depend_on_the_others():
    space = pool(3000)
    spec = spec_of(space)
    codes = some(space, 9, 12)
    together = observed(spec, codes)
    (group,) = looked_at(spec, together)
    for row in range(9):
        (alone,) = looked_at(spec, observed(spec, codes[row : row + 1]))
        np.testing.assert_array_equal(group.marginals.mean[row], alone.marginals.mean[0])
        np.testing.assert_array_equal(group.marginals.sd[row], alone.marginals.sd[0])


def test_before_anything_is_measured_no_end_of_the_list_comes_first():
    space = pool(4000)
    spec = spec_of(space, start_capacity=0)
    (group,) = looked_at(spec, observed(spec, np.zeros((1, 0), int)))
    first = np.sort(space.encode(group.candidates)[0, :40])
    assert np.diff(first, prepend=0, append=4000).max() < 4000 / 40 * 3


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1025, 4096, 99_999, 100_000])
def test_strides_meet_every_number_once(size):
    assert np.array_equal(np.sort(in_strides(size)), np.arange(size))


def test_of_a_pool_that_is_too_large_others_are_looked_at_in_every_round(monkeypatch):
    for module in (finite, candidates):
        monkeypatch.setattr(module, "LOOKED_AT", 1500)
    space = pool(2500, features=1)
    rounds = [space.shared_candidates(4 * number) for number in range(3)]
    assert all(len(np.unique(codes)) == 1500 for codes in rounds)
    assert len(np.unique(np.concatenate(rounds))) == space.size
    spec = spec_of(space)
    (group,) = looked_at(spec, observed(spec, some(space, 2, 8)))
    np.testing.assert_array_equal(space.encode(group.candidates)[1], space.shared_candidates(8))


def test_few_campaigns_are_held_at_once_where_data_or_designs_are_many(monkeypatch):
    monkeypatch.setattr(candidate_posterior, "_HELD", 2**18)
    space = pool(2000)
    spec = spec_of(space, start_capacity=16)
    groups = looked_at(spec, observed(spec, some(space, 20, 16)))
    assert max(group.entries for group in groups) <= 2**18
    assert sum(len(group.env_indices) for group in groups) == 20


def test_marginals_that_were_forgotten_come_back():
    space = pool(1500)
    spec = spec_of(space)
    (group,) = looked_at(spec, observed(spec, some(space, 2, 9)))
    before = group.marginals
    group.forget_marginals()
    assert group.marginals is not before
    np.testing.assert_array_equal(group.marginals.sd, before.sd)
