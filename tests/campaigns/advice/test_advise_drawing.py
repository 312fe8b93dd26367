"""Objectives drawn given the data: they have the posterior's means, covariances and noise."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.advice.drawing import DrawnObjectives
from ombo_agents.campaigns.advice.models import Model, models_of, settings_of_isotropic
from ombo_agents.campaigns.advice.sampling import SampledPosterior
from ombo_agents.campaigns.advice.trust import trust_of
from ombo_gym.randomness import GeneratorBatch
from tests.campaigns.test_campaign import SPACES, rows_of

DRAWS = 4000


@pytest.mark.parametrize("kind", ["box", "mixed", "levels", "sequence"])
def test_draws_of_one_model_are_as_its_posterior(kind: str) -> None:
    known = Campaign.from_csv(rows_of(SPACES[kind], 24), SPACES[kind], target="y").known([4])
    fitted = models_of(known.spec, known.designs, known.values, known.num_start)[0].posterior
    # Enough rows for the prior variance to be what was fitted, give or take a few per cent.
    drawn = DrawnObjectives([Model(fitted, 1.0)], DRAWS, 0)
    rngs = GeneratorBatch([np.random.default_rng(1)], 1)
    features = known.spec.design_space.features(known.spec.design_space.sample(rngs, 6)[0])
    values = drawn.at(features)  # (S, 6)
    at, scale = fitted.at(features[None]), float(fitted.scale[0])
    spread = np.sqrt(24 / 22)  # of Student's t, against the normal distribution
    sd = scale * at.sd[0]
    assert values.mean(axis=0) == pytest.approx(
        fitted.in_units(at.mean)[0], abs=5 * float(sd.max()) / np.sqrt(DRAWS)
    )
    assert values.std(axis=0) == pytest.approx(spread * sd, rel=0.12)
    covariance = scale**2 * fitted.covariance(features[None])[0] * spread**2
    assert np.cov(values.T) == pytest.approx(covariance, abs=0.2 * float(sd.max()) ** 2)
    noise = scale * np.sqrt(fitted.noise[0] * fitted.outputscale[0])
    assert np.sqrt((drawn.noise_std**2).mean()) == pytest.approx(spread * noise, rel=0.03)


def test_models_weigh_one_and_smooth_data_speak_for_long_lengthscales() -> None:
    x = np.linspace(0, 10, 15)
    space = {"a": {"range": [0, 10]}, "b": {"range": [0, 1]}}
    rows = [{"a": a, "b": 0.5, "y": np.sin(a / 4)} for a in x.tolist()]
    known = Campaign.from_csv(rows, space, target="y").known([4])
    models = models_of(known.spec, known.designs, known.values, known.num_start)
    assert sum(model.weight for model in models) == pytest.approx(1)
    isotropic = [model for model in models if not isinstance(model.posterior, SampledPosterior)]
    grid = sorted({each.lengthscales[0] for each in settings_of_isotropic(known.spec)})
    found = {float(each.posterior.lengthscale[0]) for each in isotropic if each.weight}
    assert found <= set(grid[2:])


def test_some_of_the_draws_are_the_same_draws_and_own_designs_are_looked_up() -> None:
    known = Campaign.from_csv(rows_of(SPACES["mixed"], 12), SPACES["mixed"], target="y").known([4])
    models = models_of(known.spec, known.designs, known.values, known.num_start)
    drawn = DrawnObjectives(models, 9, 0)
    features = known.spec.design_space.features(known.designs)[:5]
    values = drawn.at(features)  # (9, 5)
    own = np.stack([np.roll(features, draw, axis=0) for draw in range(9)])  # (9, 5, k)
    expected = np.stack([np.roll(values[draw], draw) for draw in range(9)])
    assert drawn.at_own(own) == pytest.approx(expected)
    some = np.array([1, 4, 8])
    assert drawn.take(some).at_own(own[some]) == pytest.approx(expected[some])
    assert drawn.take(some).noise_std.tolist() == drawn.noise_std[some].tolist()


def test_draws_pass_through_what_was_measured_without_noise() -> None:
    x = np.linspace(0, 10, 15)
    space = {"a": {"range": [0, 10]}}
    rows = [{"a": a, "y": 100 + 3 * np.sin(a / 2)} for a in x.tolist()]
    known = Campaign.from_csv(rows, space, target="y").known([4])
    models = models_of(known.spec, known.designs, known.values, known.num_start)
    values = DrawnObjectives(models, 50, 0).at(known.spec.design_space.features(known.designs))
    assert np.abs(values - known.values).max() < 0.5


def test_data_of_the_model_are_seldom_flagged() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((16, 2))
    distance = np.sqrt(((x[:, None] - x) ** 2).sum(-1)) / 0.4
    root = np.linalg.cholesky((1 + distance) * np.exp(-distance) + 1e-4 * np.eye(16))
    space = {"a": {"range": [0, 1]}, "b": {"range": [0, 1]}}
    flagged = 0
    for _ in range(12):
        y = root @ rng.standard_normal(16)
        rows = [{"a": a, "b": b, "y": v} for (a, b), v in zip(x.tolist(), y.tolist(), strict=True)]
        known = Campaign.from_csv(rows, space, target="y").known([4])
        models = models_of(known.spec, known.designs, known.values, known.num_start)
        flagged += not trust_of(known, models, 0).trusted
    assert flagged <= 3


def test_every_other_objective_is_rugged_where_nobody_knows_the_noise() -> None:
    """What is measured of it is true, and known designs are worth what they were measured at."""
    rng = np.random.default_rng(0)
    rows = [{"a": a, "y": a + float(rng.normal())} for a in np.linspace(0, 3, 15).tolist()]
    known = Campaign.from_csv(rows, {"a": {"range": [0, 3]}}, target="y").known([4])
    models = models_of(known.spec, known.designs, known.values, known.num_start)
    features = known.spec.design_space.features(known.designs)
    luck = rng.standard_normal((10, 15))
    own = np.broadcast_to(features, (10, *features.shape))
    for is_known, count in [(True, 0), (False, 5)]:
        drawn = DrawnObjectives(models, 10, 0, noise_is_known=is_known)
        assert drawn.rugged.sum() == count
        true, measured = drawn.played(own, luck)
        same = (true == measured).all(axis=1)
        assert same.tolist() == drawn.rugged.tolist()
        assert true[~same] == pytest.approx(drawn.at(features)[~same])
        assert measured == pytest.approx(drawn.measured(drawn.at(features), luck))
        values = known.values.copy()
        values[-1] = np.nan  # runs
        best = drawn.before(features, values)
        assert best[~same] == pytest.approx(drawn.at(features)[~same].max(axis=1))
        others = np.maximum(known.values[:-1].max(), drawn.at(features)[:, -1])
        assert best[same] == pytest.approx(others[same])
        assert drawn.take(np.array([2, 3])).rugged.tolist() == drawn.rugged[2:4].tolist()
