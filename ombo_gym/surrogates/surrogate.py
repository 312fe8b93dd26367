"""What is known of an objective before any value is seen, from a spec's recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ombo_gym.arguments import shown
from ombo_gym.design_spaces import DesignSpace
from ombo_gym.design_spaces.values import is_number
from ombo_gym.priors import GaussianProcess
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.kernel_checks import check_kernel
from ombo_gym.surrogates.kernels import KERNELS
from ombo_gym.surrogates.learned_prior import LearnedPrior, read_prior

JITTER = 1e-6  # added to the noise variance, relative to a unit prior variance
_MEAN_VARIANCE = 4.0  # of `kernel="fit"`, relative to the prior variance
# Grid of `kernel="isotropic"`, in units of `typical_distance`.
_LENGTHSCALES = (0.15, 0.3, 0.6, 1.2, 2.4)
_LONGEST = 1e30  # lengthscale
_STRONGEST = 10  # truncation
_NOISES = (1e-4, 1e-2, 1e-1)  # grid of `kernel="isotropic"`, relative to the prior variance


@dataclass(frozen=True)
class Surrogate:
    """What is known of the objective before any value is seen.

    Attributes:
        kernel: Name of the kernel.
        lengthscales: Grid of lengthscales, of which the likeliest is chosen; one value: given.
        noise_variances: Likewise for the noise, relative to the prior variance.
        standardise: Whether values are brought to zero mean and unit variance, and the prior
            variance is chosen.
        max_data: Most observations to condition on: the best half and the most recent half.
        start_percentile: Of all values, that the start's are at or below; None: of no matter.
        truncation: How many times what that implies the prior mean is moved up.
        log_prior: Logarithm of each lengthscale's prior probability, but for a constant; none: all
            are as probable.
        groups: (k,) which parameter each feature is of, where each parameter has a lengthscale that
            is fitted, see `ombo_gym.surrogates.anisotropic_fit`; None: there is one for all.
        typical_distance: Of uniform designs, which such lengthscales are judged by.
        categories: (k,) which features are categories', where they stand beside numbers and have a
            kernel of their own, see `ombo_gym.surrogates.correlation`; None: there is one kernel.
        noise_std: Of a measurement, in the values' units, as far as it is known where the noise is
            fitted, or learnt: that comes on top.
        mean_variance: How far the objective's mean may be from the mean of what is observed, as a
            variance relative to the prior's, where it is fitted; 0: it is that.
        learned: What was learnt from a family of objectives, in place of a kernel; None: nothing.

    Raises:
        ValueError: A kernel that is none, or a number out of range; says what was expected.
    """

    kernel: str
    lengthscales: tuple[float, ...]
    noise_variances: tuple[float, ...]
    standardise: bool
    max_data: int = 512
    start_percentile: float | None = None
    log_prior: tuple[float, ...] = ()
    groups: tuple[int, ...] | None = None
    typical_distance: float = 1.0
    categories: tuple[bool, ...] | None = None
    noise_std: float = 0.0
    truncation: float = 1.0
    mean_variance: float = 0.0
    learned: LearnedPrior | None = None

    def __post_init__(self) -> None:
        _check_kernel_name(self.kernel, sorted(KERNELS))
        check_kernel(self.kernel)
        _check_grid("lengthscales", self.lengthscales, positive=True)
        _check_grid("noise_variances", self.noise_variances, positive=False)
        _check_max_data(self.max_data)
        if self.log_prior and len(self.log_prior) != len(self.lengthscales):
            raise ValueError(
                f"surrogate: expected a log_prior of each of {len(self.lengthscales)} "
                f"lengthscales, or () for none, got {shown(self.log_prior)}"
            )
        if self.groups is not None and len(self.lengthscales) > 1:
            raise ValueError(
                "surrogate: expected one value as lengthscales where each parameter has a "
                f'lengthscale that is fitted, kernel="fit", got {shown(self.lengthscales)}, of '
                'which none would be used; begin with the recipe {"kernel": "isotropic"}, which '
                "chooses from a grid"
            )


def make_surrogate(spec: CampaignSpec) -> Surrogate:
    """Builds a surrogate from a spec's recipe.

    `kernel` is "prior" (the process that the objective is drawn from), "fit" (a lengthscale for
    each parameter and the noise, fitted a posteriori), "isotropic" (one lengthscale and the noise,
    the likeliest on a grid), "learned" (from a family of objectives, by `ombo train --agent prior`,
    which wrote the folder `path`), or a kernel's name together with `lengthscale`; `max_data` is
    the most observations to condition on; `truncation` says whether what is fitted makes up for a
    start below a percentile, or how many times over, see `ombo_gym.surrogates.truncation`.

    Args:
        spec: Whose recipe, design space, prior and noise are meant.

    Raises:
        ValueError: An unknown setting, or a prior that the spec lacks.
    """
    config = _checked(spec.surrogate)
    name, max_data = config.get("kernel", "fit"), int(config.get("max_data", 512))
    if name == "learned":
        return _learned(spec, config.get("path"), max_data)
    if name in ("fit", "isotropic"):
        return _fitted(spec, name, max_data, config.get("truncation", True))
    lengthscale: Any = config.get("lengthscale")
    if name == "prior":
        if not isinstance(spec.prior, GaussianProcess):
            raise ValueError(
                'surrogate: {"kernel": "prior"} needs a problem that is drawn from a known '
                'process; use {"kernel": "fit"}'
            )
        name, lengthscale = spec.prior.kernel, spec.prior.lengthscale
    if not is_number(lengthscale) or not 0 < lengthscale < _LONGEST:
        raise ValueError(f"surrogate: expected a positive lengthscale, got {shown(lengthscale)}")
    noise = (spec.noise_std or 0.0) ** 2 + JITTER
    return Surrogate(name, (float(lengthscale),), (noise,), False, max_data)


def _checked(config: Any) -> Mapping[str, Any]:
    """A recipe whose settings are known ones, each of its kind."""
    known = {"kernel", "lengthscale", "max_data", "path", "truncation"}
    if not isinstance(config, Mapping) or set(config) - known:
        raise ValueError(f"surrogate: expected settings among {sorted(known)}, got {shown(config)}")
    name, max_data = config.get("kernel", "fit"), config.get("max_data", 512)
    lengthscale, truncation = config.get("lengthscale"), config.get("truncation", True)
    _check_kernel_name(name, ["prior", "fit", "isotropic", "learned", *sorted(KERNELS)])
    _check_max_data(max_data)
    is_strength = is_number(truncation) or isinstance(truncation, bool | np.bool_)
    if not is_strength or not 0 <= truncation <= _STRONGEST:
        raise ValueError(
            f"surrogate: expected truncation true, false or a number from 0 to {_STRONGEST}, got "
            f"{shown(truncation)}"
        )
    if name in KERNELS and lengthscale is None:
        raise ValueError(f"surrogate: {name!r} needs a 'lengthscale', got {shown(dict(config))}")
    if name != "learned" and "path" in config:
        raise ValueError(
            f"surrogate: 'path' goes with the kernel \"learned\" and with no other, got "
            f"{shown(dict(config))}"
        )
    if name not in KERNELS and lengthscale is not None:
        raise ValueError(
            f"surrogate: 'lengthscale' goes with the kernels {sorted(KERNELS)} and with no other, "
            f"got {shown(dict(config))}"
        )
    return config


def _check_kernel_name(name: Any, names: Sequence[str]) -> None:
    if not isinstance(name, str) or name not in names:
        raise ValueError(f"surrogate: expected a kernel among {names}, got {shown(name)}")


def _check_max_data(given: Any) -> None:
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 2:
        raise ValueError(f"surrogate: expected max_data of at least 2, got {shown(given)}")


def _check_grid(name: str, given: Any, *, positive: bool) -> None:
    """Refuses what is no tuple of finite numbers, above 0 or from 0 on."""
    numbers = isinstance(given, tuple) and given and all(map(is_number, given))
    if not numbers or not 0 <= min(given) <= max(given) < math.inf or (positive and 0 in given):
        expected = "positive numbers" if positive else "numbers of at least 0"
        raise ValueError(f"surrogate: expected {expected} as {name}, a tuple, got {shown(given)}")


def _learned(spec: CampaignSpec, path: Any, max_data: int) -> Surrogate:
    """What was learnt from a family: "learned"."""
    prior = read_prior(path, spec.design_space)
    return Surrogate(
        prior.residual.kernel,
        (float(prior.climbing_unit.mean()),),
        (prior.noise,),
        True,
        max_data,
        noise_std=float(spec.noise_std or 0.0),
        learned=prior,
    )


def _fitted(spec: CampaignSpec, name: str, max_data: int, truncation: float) -> Surrogate:
    """What is fitted to the data: "fit" or "isotropic"."""
    space = spec.design_space
    below = spec.start_origin.percentile if truncation else None
    if name == "isotropic":
        return Surrogate(
            space.kernel,
            tuple(space.typical_distance * scale for scale in _LENGTHSCALES),
            _NOISES,
            True,
            max_data,
            below,
            _log_prior(space),
            truncation=float(truncation),
        )
    categories = space.category_features
    return Surrogate(
        "matern52",
        (0.6 * space.typical_distance,),
        (_NOISES[1],),
        True,
        max_data,
        below,
        groups=tuple(space.feature_groups.tolist()),
        typical_distance=space.typical_distance,
        categories=None if categories is None else tuple(categories.tolist()),
        noise_std=float(spec.noise_std or 0.0),
        truncation=float(truncation),
        mean_variance=_MEAN_VARIANCE,
    )


def _log_prior(space: DesignSpace) -> tuple[float, ...]:
    """Of the lengthscales on the grid, where the space has a prior of them."""
    if space.lengthscale_prior is None:
        return ()
    median, spread = space.lengthscale_prior
    return tuple(-0.5 * (math.log(scale / median) / spread) ** 2 for scale in _LENGTHSCALES)
