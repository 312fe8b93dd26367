"""From measured cells to the values that a policy is shown: blocks, bounds, failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.data.reading import FAILED, MEASURED, PENDING, Rows
from ombo_agents.campaigns.data.scores import scores
from ombo_agents.campaigns.data.settings import Settings
from ombo_agents.campaigns.space.factors import Floats
from ombo_agents.campaigns.space.space import keys_of
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.conditioning import condition
from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate

_FEWEST = 2  # differences of replicates from their means, from which the noise is known
_FEWEST_OF_CONTROLS = 3  # likewise of controls: what a policy is told has to be right
_BLOCK_SIZES = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)  # variances of offsets, relative to the values'
_BLOCK_NOISE = 0.05  # variance of the noise, likewise, while offsets are looked for
_MOST_FOR_BLOCKS = 1500  # rows that offsets are estimated from
_FEWEST_EXACT = 4  # rows with values, from which those that are only bounds are predicted
_FARTHEST = 3.0  # standard deviations of values that an expected one may be beyond its bound


@dataclass(frozen=True)
class Measured:
    """What is known before any model of it.

    Attributes:
        values: (n,) scores, maximised, offsets of blocks taken out; NaN where a well runs, and
            everywhere as long as nothing was measured.
        bounds: (n,) -1 where a score is at most that, 1 where it is at least.
        noise_std: Of a measurement, from replicates and controls; None: there are too few.
        noise_of_controls: The same from controls alone, of which a surrogate knows nothing else.
        offsets: Of each block, in the score's units.
    """

    values: Floats
    bounds: NDArray[np.int8]
    noise_std: float | None
    noise_of_controls: float | None
    offsets: dict[str, float]

    @property
    def any_result(self) -> bool:
        """Whether anything was measured."""
        return bool(np.isfinite(self.values).any())


def measured_values(rows: Rows, features: Floats, settings: Settings, source: str) -> Measured:
    """Scores of rows.

    Args:
        rows: Of the sheets.
        features: (n, k) of their designs.
        settings: Targets, and what a failed well is worth.
        source: Of the rows, for messages.

    Raises:
        ValueError: All that was measured is outside the space.
    """
    done = rows.mask(MEASURED)
    if not done.any() and not len(rows.control_targets):
        unknown = np.full(len(rows.status), np.nan)
        return Measured(unknown, np.zeros(len(unknown), np.int8), None, None, {})
    if not done.any():
        raise ValueError(
            f"{source}: expected at least one measured well inside the space, got none: "
            f"{rows.mask(FAILED).sum()} failed, {rows.mask(PENDING).sum()} pending, "
            f"{len(rows.control_places)} outside the space"
            + (
                f" ({rows.control_places[0]}: {rows.control_reasons[0]})"
                if rows.control_places
                else ""
            )
            + "; measure one at least, correct the rows, or widen the space"
        )
    values = scores(rows.targets, settings)  # (n,), NaN unless measured
    values[~done] = np.nan
    controls = scores(rows.control_targets, settings)  # (m,)
    offsets = block_offsets(values, features, rows, controls)
    values -= [offsets.get(block, 0.0) for block in rows.blocks]
    controls = controls - np.array([offsets.get(block, 0.0) for block in rows.control_blocks])
    noise = _noise_std([*keys_of(rows.columns), *rows.control_names], np.append(values, controls))
    of_controls = _noise_std(rows.control_names, controls, _FEWEST_OF_CONTROLS)
    if rows.mask(FAILED).any():
        worst = float(np.nanmin(values))
        if settings.failed_value is not None:
            worst = float(
                scores(np.full((1, rows.targets.shape[1]), settings.failed_value), settings)[0]
            )
        values[rows.mask(FAILED)] = worst
    signs = np.array([target.sign for target in settings.targets])
    bounds = (rows.censored * signs).sum(axis=1)  # of several targets only where they agree
    single = len(settings.targets) == 1 or (rows.censored != 0).all(axis=1)
    signs_of_bounds = np.where(single, np.sign(bounds), 0).astype(np.int8)
    return Measured(values, signs_of_bounds, noise, of_controls, offsets)


def _noise_std(keys: Sequence[object], values: Floats, fewest: int = _FEWEST) -> float | None:
    """Pooled standard deviation of what was measured more than once."""
    groups: dict[object, list[float]] = {}
    for key, value in zip(keys, values.tolist(), strict=True):
        if np.isfinite(value):
            groups.setdefault(key, []).append(value)
    several = [np.array(group) for group in groups.values() if len(group) > 1]
    freedom = sum(len(group) - 1 for group in several)
    if freedom < fewest:
        return None
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in several)
    return float(np.sqrt(squares / freedom)) or None


def block_offsets(
    values: Floats, features: Floats, rows: Rows, controls: Floats
) -> dict[str, float]:
    """How much higher blocks are than others, shrunk to what the data can tell, mean 0.

    The model is y = f(x) + offset of the block + noise, f a Gaussian process over designs in which
    each control is a design of its own; the variance of offsets is the likeliest of a few.

    Args:
        values: (n,) scores, NaN where nothing was measured.
        features: (n, k).
        rows: Whose blocks and controls are meant.
        controls: (m,) scores.
    """
    names = sorted({*rows.blocks, *rows.control_blocks} - {""})
    if len(names) < 2:
        return {}
    known = np.flatnonzero(np.isfinite(values))[-_MOST_FOR_BLOCKS:]
    y = np.append(values[known], controls)
    blocks = [rows.blocks[i] for i in known.tolist()] + rows.control_blocks
    if len(y) < 3 or y.std() == 0:
        return dict.fromkeys(names, 0.0)
    scale = float(y.std())
    y = (y - y.mean()) / scale
    covariance = np.zeros((len(y), len(y)))
    n = len(known)
    x = features[known]
    squared = ((x[:, None] - x) ** 2).sum(axis=-1) if n else np.zeros((0, 0))
    typical = float(np.median(squared[squared > 0])) if (squared > 0).any() else 1.0
    root = np.sqrt(5 * squared / (0.5 * typical))
    covariance[:n, :n] = (1 + root + root**2 / 3) * np.exp(-root)  # Matern 5/2
    same = np.array([[a == b for b in rows.control_names] for a in rows.control_names], float)
    if len(controls):
        covariance[n:, n:] = same
    covariance[np.arange(len(y)), np.arange(len(y))] += _BLOCK_NOISE
    lower = np.linalg.cholesky(covariance)
    member = np.array([[block == name for name in names] for block in blocks], float)  # (rows, b)
    ones = np.ones((len(y), 1))
    white_y, white_member, white_one = (
        np.linalg.solve(lower, each) for each in (y[:, None], member, ones)
    )
    best, offsets = -np.inf, np.zeros(len(names))
    for variance in _BLOCK_SIZES:
        found, likelihood = _offsets(white_y, white_member, white_one, variance)
        if likelihood > best:
            best, offsets = likelihood, found
    offsets -= offsets.mean()
    return dict(zip(names, (scale * offsets).tolist(), strict=True))


def _offsets(
    white_y: Floats, white_member: Floats, white_one: Floats, variance: float
) -> tuple[Floats, float]:
    """Expected offsets (b,) under their prior variance, and the log likelihood of that."""
    count = white_member.shape[1]
    one = white_one[:, 0]
    residual = white_y[:, 0] - one * float(one @ white_y[:, 0]) / float(one @ one)
    if variance == 0:
        return np.zeros(count), -0.5 * float(residual @ residual)
    centred = white_member - np.outer(one, one @ white_member) / (one @ one)
    precision = centred.T @ centred + np.eye(count) / variance
    right = centred.T @ residual
    found: Floats = np.asarray(np.linalg.solve(precision, right), np.float64)
    logdet = float(np.linalg.slogdet(variance * precision)[1])
    return found, -0.5 * (float(residual @ residual - right @ found) + logdet)


def posterior_of(spec: CampaignSpec, designs: Designs, values: Floats, num_start: int) -> Posterior:
    """What the spec's surrogate believes after n measurements."""
    found, _ = condition(
        make_surrogate(spec),
        spec.design_space,
        designs[None],
        values[None],
        np.array([num_start]),
    )
    return found


def with_bounds_met(
    spec: CampaignSpec, designs: Designs, values: Floats, bounds: NDArray[np.int8], num_start: int
) -> Floats:
    """Values in which those that are only bounds are what the others make of them, (n,).

    "<5" is at most 5: its value is the expected one under the normal distribution that the rows
    with values predict there, cut at 5.
    """
    index, exact = np.flatnonzero(bounds), np.flatnonzero(bounds == 0)
    if not len(index) or len(exact) < _FEWEST_EXACT:
        return values
    started = min(num_start, int((exact < num_start).sum()))
    posterior = posterior_of(spec, designs[exact], values[exact], started)
    mean, _, sd = predicted(posterior, spec, designs[index])
    sign = bounds[index].astype(float)  # -1: at most
    # E[z | z > c] = pdf(c) / (1 - cdf(c)), mirrored where the value is at most the bound.
    expected = mean + sign * sd * _mills(sign * (values[index] - mean) / sd)
    beyond = np.clip(sign * (expected - values[index]), 0, _FARTHEST * values[exact].std())
    found = values.copy()
    found[index] = values[index] + sign * beyond
    return found


def _mills(cut: Floats) -> Floats:
    """pdf(c) / (1 - cdf(c)) of the standard normal distribution."""
    from scipy.special import log_ndtr

    found: Floats = np.exp(-0.5 * cut**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(-cut))
    return found


def predicted(
    posterior: Posterior, spec: CampaignSpec, designs: Designs
) -> tuple[Floats, Floats, Floats]:
    """Mean and sd of designs' values, and sd of a measurement there, (m,) each.

    Beliefs about warped values, as of learned priors, are taken back: the median, and half of what
    lies within one standard deviation on either side.
    """
    mean, sd, with_noise = _standardised(posterior, spec, designs)
    if _is_warped(posterior):
        middle = _in_units(posterior, mean)
        spans = [
            (_in_units(posterior, mean + each) - _in_units(posterior, mean - each)) / 2
            for each in (sd, with_noise)
        ]
        return middle, spans[0], spans[1]
    scale, shift = float(posterior.scale[0]), float(posterior.shift[0])
    return shift + scale * mean, scale * sd, scale * with_noise


def predicted_interval(
    posterior: Posterior, spec: CampaignSpec, designs: Designs, width: float
) -> tuple[Floats, Floats]:
    """Ends of intervals of measurements, so many standard deviations from the mean, (m,) each."""
    if _is_warped(posterior):
        mean, _, with_noise = _standardised(posterior, spec, designs)
        low, high = (_in_units(posterior, mean + side * with_noise) for side in (-width, width))
        return low, high
    mean, _, spread = predicted(posterior, spec, designs)
    return mean - width * spread, mean + width * spread


def _is_warped(posterior: Posterior) -> bool:
    """Whether beliefs are about other values than measured ones, scale and shift aside."""
    return isinstance(posterior, LearnedPosterior) and posterior.prior.scale.curvature > 0


def _in_units(posterior: Posterior, standardised: Floats) -> Floats:
    """Values (m,) in units of scores."""
    found: Floats = posterior.in_units(standardised[None])[0]
    return found


def _standardised(
    posterior: Posterior, spec: CampaignSpec, designs: Designs
) -> tuple[Floats, Floats, Floats]:
    """As `predicted`, in the posterior's own units."""
    means, sds = [], []
    for first in range(0, len(designs), 4096):
        part = designs[first : first + 4096]
        at = posterior.at(spec.design_space.features(part[None]))
        means.append(at.mean[0])
        sds.append(at.sd[0])
    mean, sd = np.concatenate(means), np.concatenate(sds)
    noise = float(posterior.noise[0] * posterior.outputscale[0])
    return mean, sd, np.sqrt(sd**2 + noise)
