"""Models that objectives are drawn from: kernel parameters as probable as the data leave them."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.advice.models import Model, log_score, models_of
from ombo_agents.campaigns.advice.sampling import CHAINS, SampledPosterior
from ombo_agents.campaigns.data.known import Known


def known(noise: float, factor: float = 1.0) -> Known:
    rng = np.random.default_rng(0)
    x = rng.random((24, 2))
    y = factor * (np.sin(3 * x[:, 0]) + x[:, 1] + noise * rng.standard_normal(24))
    space = {"a": {"range": [0, 1]}, "b": {"range": [0, 1]}}
    rows = [{"a": a, "b": b, "y": v} for (a, b), v in zip(x.tolist(), y.tolist(), strict=True)]
    return Campaign.from_csv(rows, space, target="y").known([4])


def models(of: Known) -> tuple[Model, ...]:
    return models_of(of.spec, of.designs, of.values, of.num_start)


def test_kernel_parameters_are_spread_as_the_data_leave_them() -> None:
    """Noise levels are near the one that made the data, and none is alone."""
    medians = {}
    for noise in (0.03, 0.6):
        found = models(known(noise))
        assert sum(each.weight for each in found) == pytest.approx(1)
        drawn = [m.posterior for m in found if isinstance(m.posterior, SampledPosterior)]
        assert len(drawn) == CHAINS
        levels = np.sqrt([float(p.noise[0] * p.outputscale[0]) for p in drawn])
        levels *= float(drawn[0].scale[0])  # in the values' units
        assert np.std(np.log(levels)) > 0.05
        assert np.std([np.log(p.lengthscale[0]) for p in drawn]) > 0.05
        medians[noise] = float(np.median(levels))
    assert medians[0.6] == pytest.approx(0.6, rel=0.4)
    assert medians[0.03] < 0.15


def test_scores_are_densities_of_the_values_themselves() -> None:
    """Twice the values: half the density."""
    one, two = (log_score(models(known(0.1, factor))[-1]) for factor in (1.0, 2.0))
    assert one - two == pytest.approx(np.log(2))


def test_a_posterior_with_given_parameters_has_these() -> None:
    of = known(0.1)
    model = next(m for m in models(of) if isinstance(m.posterior, SampledPosterior))
    first, warped = model.posterior, model.warped(of.values)
    features = of.spec.design_space.features(of.designs)
    own = first.at(features[None])
    assert np.corrcoef(first.in_units(own.mean)[0], warped)[0, 1] > 0.9
    assert first.targets[0] == pytest.approx(first.standardised(warped[None])[0])
