"""Values that no Gaussian process would have are warped to values that one may have."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.advice.drawing import DrawnObjectives
from ombo_agents.campaigns.advice.models import (
    Model,
    log_evidence,
    log_score,
    models_of,
    settings_of_isotropic,
)
from ombo_agents.campaigns.advice.warps import Between, Beyond, Curve, SinhArcsinh, Warp, warps_of
from ombo_agents.campaigns.data.known import Known
from ombo_agents.campaigns.space.factors import Floats
from ombo_gym.surrogates.posterior import Posterior

VALUES = np.array([-1.5, -0.3, 0.2, 0.9, 0.7, 2.5]) * 7 + 40


def curved() -> list[Warp]:
    return [warp for warp in warps_of(VALUES)[0] if warp is not None]


def process() -> tuple[Floats, Floats]:
    """Designs (24, 2) and what a smooth function makes of them, a little skewed, if at all."""
    x = np.random.default_rng(3).random((24, 2))
    return x, np.sin(4 * x[:, 0]) + np.cos(3 * x[:, 1])


def known(values: Floats) -> Known:
    space = {"a": {"range": [0, 1]}, "b": {"range": [0, 1]}}
    designs = process()[0].tolist()
    rows = [{"a": a, "b": b, "y": v} for (a, b), v in zip(designs, values.tolist(), strict=True)]
    return Campaign.from_csv(rows, space, target="y").known([4])


def models(values: Floats) -> tuple[Model, ...]:
    of = known(values)
    return models_of(of.spec, of.designs, of.values, of.num_start)


def unwarped(of: Known) -> list[Model]:
    """Recipe `isotropic` alone, of values as they are."""
    features = of.spec.design_space.features(of.designs)[None]
    found = [Posterior(each, features, of.values[None]) for each in settings_of_isotropic(of.spec)]
    evidence = np.array([log_evidence(each)[0] for each in found])
    shares = np.exp(evidence - evidence.max())
    return [Model(p, float(s)) for p, s in zip(found, shares / shares.sum(), strict=True)]


def test_warped_values_keep_their_order_mean_and_spread_and_can_be_brought_back() -> None:
    for warp in curved():
        warped = warp(VALUES)
        assert warp.inverse(warped) == pytest.approx(VALUES)
        assert (np.argsort(warped) == np.argsort(VALUES)).all()
        assert warped.mean() == pytest.approx(VALUES.mean())
        assert warped.std() == pytest.approx(VALUES.std())


def test_slopes_are_differences() -> None:
    small = 1e-5
    for warp in curved():
        slope = (warp(VALUES + small) - warp(VALUES - small)) / (2 * small)
        assert np.exp(warp.log_slope(VALUES)) == pytest.approx(slope, rel=1e-5)


def test_what_is_warped_beyond_any_value_stays_within_bounds() -> None:
    far = np.array([-100.0, 100.0])
    curves: list[tuple[Curve, float, float]] = [
        (Between(-2.0, 1.0), -2.0, 1.0),
        (Beyond(1.0, -3.0), -3.0 - 4 * (100 - np.log(4)), 1.0),
        (Beyond(-2.0, 2.0), -2.0, 2.0 + 4 * (100 - np.log(4))),
    ]
    for curve, *ends in curves:
        assert Warp(curve, 0.0, 1.0, 0.0, 1.0).inverse(far) == pytest.approx(ends)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_long_tail_of_values_is_drawn_in(sign: float) -> None:
    """Whichever side it is on; and a model that knows of it foretells the values better."""
    smooth = process()[1]
    values = sign * np.exp(2.5 * sign * smooth)
    found = models(values)
    assert sum(model.weight for model in found if model.warp is None) < 0.05
    likeliest = max(found, key=lambda model: model.weight)
    assert np.corrcoef(values, smooth)[0, 1] < 0.8
    assert np.corrcoef(likeliest.warped(values), smooth)[0, 1] > 0.9
    straight = max(unwarped(known(values)), key=lambda model: model.weight)
    assert log_score(likeliest) > log_score(straight) + 0.3


def test_values_with_a_ceiling_are_not_expected_far_above_it() -> None:
    yields = 100 / (1 + np.exp(-4 * process()[1]))
    of = known(yields)
    features = of.spec.design_space.features(np.random.default_rng(0).uniform(-1, 1, (200, 2)))
    highest = {}
    for name, some in {"all": models(yields), "straight": unwarped(of)}.items():
        highest[name] = np.quantile(DrawnObjectives(some, 40, 0).at(features).max(axis=1), 0.9)
    assert yields.max() <= highest["all"] < 105 < highest["straight"]


def test_noise_is_of_warped_values() -> None:
    """Where values are drawn out, so is their noise: none is measured beyond a bound."""
    smooth = process()[1] + 0.3 * np.random.default_rng(1).standard_normal(24)
    of = known(np.exp(2.0 * smooth))
    posterior = models(of.values)[0].posterior
    warp = Warp(Beyond(-2.0, 4.0), of.values.mean(), of.values.std(), 0.0, 1.0)
    drawn = DrawnObjectives([Model(posterior, 1.0, warp)], 2, 0)
    true = of.values.mean() + of.values.std() * np.array([[-1.9, 3.0], [-1.9, 3.0]])
    up = drawn.measured(true, np.ones((2, 2))) - true
    down = true - drawn.measured(true, -np.ones((2, 2)))
    assert (0 < down).all() and (down < up).all()
    assert (up[:, 1] > 10 * up[:, 0]).all()
    assert drawn.measured(true, np.zeros((2, 2))) == pytest.approx(true)


def test_no_skewness_and_no_tails_is_a_straight_line() -> None:
    values = np.linspace(-3, 3, 7)
    assert SinhArcsinh(0.0, 1.0)(values) == pytest.approx(values)
    assert SinhArcsinh(0.0, 1.0).log_slope(values) == pytest.approx(np.zeros(7))


def test_few_values_far_above_many_near_zero_are_not_far_surpassed() -> None:
    """What is simulated has a long tail as the data have, and no multiple of it."""
    rng = np.random.default_rng(0)
    of = known(np.where(process()[1] > 1.2, 20 + 10 * rng.random(24), rng.random(24)))
    some = models(of.values)
    features = of.spec.design_space.features(rng.uniform(-1, 1, (200, 2)))
    highest = DrawnObjectives(some, 60, 0).at(features).max(axis=1)
    assert sum(model.weight for model in some if isinstance(model.warp, Warp)) > 0.5
    assert np.quantile(highest, 0.9) < 2 * of.values.max()
