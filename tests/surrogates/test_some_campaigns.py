"""Beliefs of some campaigns are those that they had among all, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import Surrogate
from tests.surrogates.learned_cases import small_prior

ROWS = np.array([4, 1])
FITTED = Surrogate("matern52", (0.6,), (1e-2,), True, groups=(0, 1), mean_variance=4.0)
MIXED = Surrogate("matern52", (0.6,), (1e-2,), True, groups=(0, 1), categories=(False, True))
ISOTROPIC = Surrogate("matern52", (0.3, 0.6, 1.2), (1e-2, 1e-1), True)


@pytest.mark.parametrize("kind", ["fitted", "mixed", "isotropic", "interp"])
def test_some_of_the_campaigns_believe_what_they_did_among_all(kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features = rng.uniform(-1, 1, (6, 8, 2))
    values, asked = 3 + np.sin(3 * features).sum(axis=2), rng.uniform(-1, 1, (6, 5, 2))
    posterior: Posterior
    if kind == "interp":
        posterior = LearnedPosterior(small_prior(tmp_path, kind), features, values)
    else:
        surrogate = {"fitted": FITTED, "mixed": MIXED, "isotropic": ISOTROPIC}[kind]
        posterior = Posterior(surrogate, features, values)
    all_scores = posterior.leave_one_out_log_score
    some, everything = posterior.some(ROWS), posterior.at(asked)
    at = some.at(asked[ROWS])
    at.fantasize(np.array([0, 3]))
    everything.fantasize(np.array([9, 3, 9, 9, 0, 9]) % 5)
    assert some.in_units(at.mean).tolist() == posterior.in_units(everything.mean)[ROWS].tolist()
    assert at.sd.tolist() == everything.sd[ROWS].tolist()
    assert some.leave_one_out_log_score.tolist() == all_scores[ROWS].tolist()
