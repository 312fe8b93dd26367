"""What a function looks like to whoever plays campaigns with it: a row of numbers for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import skew

from ombo_gym.design_spaces import DesignSpace
from ombo_gym.surrogates.posterior import Posterior
from scripts.studies.surrogates.data_sets import DataSets, draw_data_sets, spec_with
from scripts.studies.surrogates.quality import spearman
from scripts.studies.surrogates.recipes import fit

Floats = NDArray[np.float64]

ADDED = 20  # random designs beside the start
SIZE = 16  # of starts
STARTS: dict[str, dict[str, Any]] = {
    "truncated": {"kind": "percentile", "percentile": 50, "size": SIZE},
    "random": {"kind": "random", "size": SIZE},
}
_FOLDS = 4
_LENGTH = 0.5  # of kernels, beside how far apart a parameter's values are on average
_NOISE = (0.01, 0.1, 1.0)  # beside the signal, of which the best predicts
SMALL = 1e-9


def describe(
    env_id: str,
    env_kwargs: dict[str, Any],
    *,
    functions: int,
    widths: Sequence[int] | None = None,
) -> pd.DataFrame:
    """What functions of a problem look like, from both kinds of start.

    Args:
        env_id: Of the environment.
        env_kwargs: Its arguments, without a start.
        functions: How many campaigns begin, each of a function of its own where there are many.
        widths: How many features each parameter has; None: as the design space says.

    Returns:
        A row per campaign: `spearman_*`, the rank correlation of what `fit` predicts of designs
        that were not measured and what is true, `left_out`, the correlation of measurements and
        what the model predicts of each from the others, `parameters`, `log_size`, the logarithm
        of the number of designs (missing where there is no end of them), and what `shape_of` says.
    """
    columns: dict[str, Floats] = {}
    for name, start in STARTS.items():
        kwargs = {**env_kwargs, "start": start}
        data = draw_data_sets(env_id, kwargs, added=ADDED, count=functions)
        spec = spec_with(env_id, kwargs, "fit")
        space = spec.design_space
        for added in (0, ADDED):
            posterior, _ = fit(spec, data.first(added))
            key = f"{name}_{added}" if added else name
            columns[f"spearman_{key}"] = _predicted(posterior, space, data)
            if name == "random" and added:
                columns["left_out"] = np.nan_to_num(posterior.leave_one_out_correlation)
    groups = space.feature_groups
    if widths is not None and sum(widths) == len(groups):
        groups = np.repeat(np.arange(len(widths)), widths)
    shapes = [
        shape_of(features, groups, values)
        for features, values in zip(
            space.features(data.held_out), data.held_out_values, strict=True
        )
    ]
    size = np.nan if space.size is None else np.log10(float(space.size))
    described = pd.DataFrame(columns).join(pd.DataFrame(shapes))
    return described.assign(parameters=float(groups.max() + 1), log_size=size)


def _predicted(posterior: Posterior, space: DesignSpace, data: DataSets) -> Floats:
    mean = posterior.at(space.features(data.held_out)).mean
    return spearman(mean, data.held_out_values)


def shape_of(features: Floats, groups: NDArray[np.intp], values: Floats) -> dict[str, float]:
    """How values depend on designs.

    Args:
        features: (n, k) of random designs.
        groups: (k,) which parameter each is of.
        values: (n,) without noise.

    Returns:
        `skewness`; `lowest`, the share of designs with the lowest value, and `ties`, of those whose
        value another has, too; `additive`, how much of the variance main effects explain of designs
        that were left out, `pairs`, how much more with interactions of two parameters, and
        `unexplained`, what is left; `rugged`, half the mean squared difference of nearest
        neighbours, beside the variance.
    """
    values = (values - values.mean()) / max(values.std(), SMALL)
    _, counts = np.unique(np.round(values, 9), return_counts=True)
    kernels = _kernels(features, groups)  # (P, n, n)
    main = kernels.mean(axis=0)
    # All products of two different parameters' kernels: half of square minus sum of squares.
    num_parameters = len(kernels)
    pairs = kernels.sum(axis=0) ** 2 - (kernels**2).sum(axis=0)
    pairs /= max(num_parameters * (num_parameters - 1), 1)
    additive = _explained([main], values)
    with_pairs = max(additive, _explained([main, (main + pairs) / 2], values))
    distances = ((features[:, None] - features[None]) ** 2).sum(axis=-1)
    np.fill_diagonal(distances, np.inf)
    nearest = values[distances.argmin(axis=1)]
    return {
        "skewness": float(skew(values)),
        "lowest": float((np.round(values - values.min(), 9) == 0).mean()),
        "ties": float(counts[counts > 1].sum() / len(values)),
        "additive": additive,
        "pairs": with_pairs - additive,
        "unexplained": 1 - with_pairs,
        "rugged": float(((values - nearest) ** 2).mean() / 2),
    }


def _kernels(features: Floats, groups: NDArray[np.intp]) -> Floats:
    """A kernel of each parameter, (P, n, n)."""
    found = []
    for group in np.unique(groups):
        block = features[:, groups == group]
        squared = ((block[:, None] - block[None]) ** 2).sum(axis=-1)
        found.append(np.exp(-squared / (2 * _LENGTH**2 * max(squared.mean(), SMALL))))
    return np.stack(found)


def _explained(kernels: list[Floats], values: Floats) -> float:
    """The share of the variance that kernel ridge regression predicts, of the best kernel, >= 0."""
    n = len(values)
    fold = np.arange(n) % _FOLDS
    best = 0.0
    if not values.any():  # a constant: there is nothing to explain
        return best
    for kernel in kernels:
        for noise in _NOISE:
            predicted = np.empty(n)
            for k in range(_FOLDS):
                out, kept = fold == k, fold != k
                system = kernel[np.ix_(kept, kept)] + noise * np.eye(int(kept.sum()))
                middle = values[kept].mean()
                weights = np.linalg.solve(system, values[kept] - middle)
                predicted[out] = middle + kernel[np.ix_(out, kept)] @ weights
            best = max(best, 1 - float(((values - predicted) ** 2).mean()))
    return best
