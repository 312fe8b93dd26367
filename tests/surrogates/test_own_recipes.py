"""A kernel or a recipe of one's own that cannot be is refused where a surrogate is built of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ombo_gym import BoxDesigns, CampaignSpec
from ombo_gym.surrogates import KERNELS, SLOPES, Posterior, Surrogate, make_surrogate

SPEC = CampaignSpec(BoxDesigns(2))


def cauchy(squared: Any) -> Any:
    return 1 / (1 + squared)


def slope(squared: Any) -> Any:
    return -1 / (1 + squared) ** 2


def build(kernel: Any, derivative: Any, monkeypatch: pytest.MonkeyPatch) -> Surrogate:
    monkeypatch.setitem(KERNELS, "own", kernel)
    if derivative is not None:
        monkeypatch.setitem(SLOPES, "own", derivative)
    return make_surrogate(replace(SPEC, surrogate={"kernel": "own", "lengthscale": 0.4}))


def _scribbling(squared: Any) -> Any:
    squared += 1
    return 1 / squared


@pytest.mark.parametrize(
    ("kernel", "derivative", "message"),
    [
        (cauchy, None, r"derivative of the kernel 'own' .*write SLOPES\['own'\]"),
        (lambda squared: 3 * cauchy(squared), slope, "to be 1 at distance 0 and no larger.*got 3"),
        (np.exp, np.exp, "to be 1 at distance 0 and no larger anywhere, got 1 at 0 and up to"),
        (lambda squared: squared.mean(), slope, r"KERNELS\['own'\] .*of the same shape.*got np\.f"),
        (lambda x, y: x, slope, r"KERNELS\['own'\] .*got TypeError: .*missing 1 required"),
        (lambda squared: squared * np.nan, slope, r"KERNELS\['own'\] .*got \[nan"),
        (_scribbling, slope, r"KERNELS\['own'\] .*leave these as they were"),
        (cauchy, lambda squared: slope(squared)[0], r"SLOPES\['own'\] .*got shape \(2, 3\)"),
        (cauchy, lambda squared: -slope(squared), r"SLOPES\['own'\] to be the derivative"),
        (
            lambda squared: np.where(squared < 1, 1 - squared, 0.0),
            lambda squared: np.where(squared < 1, -1.0, 0.0),
            r"positive definite, got the eigenvalue -",
        ),
    ],
)
def test_a_kernel_that_is_none_is_refused(
    kernel: Any, derivative: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=rf"^surrogate: expected .*{message}"):
        build(kernel, derivative, monkeypatch)


def test_a_kernel_of_ones_own_is_fitted_with_a_lengthscale_for_each_parameter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    build(cauchy, slope, monkeypatch)
    rng = np.random.default_rng(0)
    features = rng.uniform(-1, 1, (2, 25, 2))  # (R, n, k)
    fitted = replace(make_surrogate(SPEC), kernel="own")
    posterior = Posterior(fitted, features, np.sin(3 * features[..., 0]))
    assert (posterior.leave_one_out_correlation > 0.9).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernel": "maternn"}, "a kernel among .*got 'maternn'"),
        ({"lengthscales": ()}, r"positive numbers as lengthscales, a tuple, got \(\)"),
        ({"lengthscales": (-0.1,)}, r"positive numbers as lengthscales, a tuple, got \(-0\.1,\)"),
        ({"lengthscales": 0.1}, r"positive numbers as lengthscales, a tuple, got 0\.1"),
        ({"noise_variances": (-1.0,)}, r"numbers of at least 0 as noise_variances.*got \(-1\.0"),
        ({"max_data": 0}, "max_data of at least 2, got 0"),
        ({"log_prior": (0.0, 0.0)}, r"a log_prior of each of 1 lengthscales, or \(\)"),
        (
            {"lengthscales": (0.1, 0.2)},
            r"one value as lengthscales .*none would be used.*isotropic",
        ),
    ],
)
def test_a_recipe_that_cannot_be_or_would_not_be_used_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^surrogate: expected {message}"):
        replace(make_surrogate(SPEC), **changes)


def test_a_grid_of_ones_own_is_what_is_chosen_from() -> None:
    """As in the guide."""
    grid = make_surrogate(replace(SPEC, surrogate={"kernel": "isotropic"}))
    short = replace(grid, lengthscales=(0.05, 0.1), log_prior=(), noise_variances=(0.0,))
    features = np.random.default_rng(0).uniform(-1, 1, (2, 12, 2))
    posterior = Posterior(short, features, features.sum(axis=-1))
    assert posterior.lengthscale.tolist() == [0.1, 0.1]
