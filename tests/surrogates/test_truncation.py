"""What a start below a percentile leaves out is made up for, as far as values are normal."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from scipy import stats

from ombo_gym.design_spaces import BoxDesigns
from ombo_gym.spec import CampaignSpec, Origin
from ombo_gym.surrogates.conditioning import condition
from ombo_gym.surrogates.surrogate import make_surrogate
from ombo_gym.surrogates.truncation import moments_below, shift_and_scale


@pytest.mark.parametrize("percentile", [1, 5, 25, 50, 75, 90, 99])
def test_the_moments_are_those_of_a_truncated_normal_distribution(percentile: float) -> None:
    above, wider = moments_below(percentile)
    mean, variance = stats.truncnorm(-np.inf, stats.norm.ppf(percentile / 100)).stats()
    assert above == pytest.approx(-mean / np.sqrt(variance), rel=1e-9)
    assert wider == pytest.approx(1 / np.sqrt(variance), rel=1e-9)


def test_of_all_values_nothing_is_left_out_and_of_hardly_any_the_formula_holds_out() -> None:
    assert moments_below(100) == (0.0, 1.0)
    assert moments_below(0) == moments_below(1)
    assert np.isfinite(moments_below(0)).all()


def test_the_population_of_a_start_is_found_again() -> None:
    """A million normal values, of which the lower half is shown."""
    values = np.random.default_rng(0).normal(5.0, 2.0, 1_000_000)
    shown = values[values <= np.percentile(values, 50)][None]
    shift, scale = shift_and_scale(shown, np.array([shown.size]), 50)
    assert shift == pytest.approx([5.0], abs=0.02) and scale == pytest.approx([2.0], abs=0.02)


def test_it_counts_by_the_share_that_the_start_has_of_the_data() -> None:
    values = np.random.default_rng(1).normal(size=(3, 40))
    shift, scale = shift_and_scale(values, np.array([0, 20, 40]), 50)
    above, wider = moments_below(50)
    mean, sd = values.mean(axis=1), values.std(axis=1)
    np.testing.assert_allclose(shift, mean + np.array([0, 0.5, 1]) * above * sd)
    np.testing.assert_allclose(scale, sd * (1 + np.array([0, 0.5, 1]) * (wider - 1)))
    plain = shift_and_scale(values, np.array([40, 40, 40]), None)
    np.testing.assert_array_equal(plain, (mean, sd))


def spec_of(surrogate: dict[str, Any], origin: Origin) -> CampaignSpec:
    return CampaignSpec(BoxDesigns(2), surrogate=surrogate, start_capacity=8, start_origin=origin)


LOWER = Origin("percentile", 50.0)


@pytest.mark.parametrize(
    ("surrogate", "origin", "shifted"),
    [
        ({"kernel": "fit"}, LOWER, True),
        ({"kernel": "fit", "truncation": False}, LOWER, False),
        ({"kernel": "fit"}, Origin("random"), False),
        ({"kernel": "rbf", "lengthscale": 1.0}, LOWER, False),
    ],
)
def test_only_a_fitted_surrogate_makes_up_for_a_start_below_a_percentile(
    surrogate: dict[str, Any], origin: Origin, shifted: bool
) -> None:
    spec = spec_of(surrogate, origin)
    rng = np.random.default_rng(0)
    designs = rng.uniform(-1, 1, (1, 8, 2)).astype(np.float32)
    values = rng.normal(3.0, 1.0, (1, 8))
    plain = make_surrogate(spec_of(surrogate, Origin("random")))
    (found, _), (without, _) = (
        condition(each, spec.design_space, designs, values, np.array([8]))
        for each in (make_surrogate(spec), plain)
    )
    assert (found.shift > without.shift).all() == shifted
    assert (found.scale > without.scale).all() == shifted
    if not shifted:
        np.testing.assert_array_equal(found.targets, without.targets)


@pytest.mark.parametrize("control", ["exploration", "candidates"])
def test_it_can_be_switched_off_where_it_is_of_consequence(control: str) -> None:
    """A start below a percentile is seen differently, a random one is not."""
    for start, differs in (("percentile", True), ("random", False)):
        seen = []
        for truncation in (True, False):
            env = gym.make(
                "Ombo/TFBinding-v0",
                control=control,
                start={"kind": start, "size": 24},
                surrogate={"truncation": truncation},
            )
            seen.append(env.reset(seed=0)[0])
        field = "summary" if control == "exploration" else "candidates"
        assert (seen[0][field] != seen[1][field]).any() == differs
