"""What a linear model expects of designs: another opinion, where a kernel has little to go by.

Reference:
    Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, section 2.1.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.design_spaces.finite import FiniteDesigns

Floats = NDArray[np.float64]

_KEPT, _LARGEST = 2**14, 2**20  # designs whose effects are kept, and of these the numbers
NOISE = 0.1  # variance of what is not linear, relative to that of the objective


class LinearModel:
    """Bayesian regression on the effects of designs and an intercept.

    The prior variance of the objective is 1, the intercept's share of it that of an effect.

    Args:
        space: Design space.
    """

    def __init__(self, space: DesignSpace) -> None:
        self._space = space

    @cached_property
    def _of_all(self) -> NDArray[np.float32] | None:
        """Regressors of all designs by number, (size, p), where these are few enough to keep."""
        space = self._space
        if space.size is None or space.size > _KEPT or not isinstance(space, FiniteDesigns):
            return None
        found = self._worked_out(space.decode(np.arange(space.size)))
        return found if found.size <= _LARGEST else None

    def predict(
        self, designs: Designs, targets: Floats, candidates: Designs
    ) -> tuple[Floats, Floats]:
        """Means and standard deviations at M candidates, (R, M) each.

        Args:
            designs: (R, n, *shape) measured, n of at least 1.
            targets: (R, n) standardised measurements.
            candidates: (R, M, *shape).
        """
        known, asked = self._regressors(designs), self._regressors(candidates)
        n, p = known.shape[1:]
        if n < p:  # by observations
            across = np.matmul(known, asked.swapaxes(1, 2))  # (R, n, M)
            matrix = np.matmul(known, known.swapaxes(1, 2))
        else:  # by regressors
            across = np.ascontiguousarray(asked.swapaxes(1, 2))  # (R, p, M)
            matrix = np.matmul(known.swapaxes(1, 2), known)
        diagonal = np.arange(min(n, p))
        matrix[:, diagonal, diagonal] += NOISE
        inverse = np.linalg.inv(matrix)
        solved = np.matmul(inverse, across)  # (R, min(n, p), M)
        values = targets[:, None].astype(np.float32)
        left = values if n < p else np.matmul(values, known)
        mean = np.matmul(left, solved)[:, 0]
        explained = np.einsum("rim,rim->rm", across, solved)
        if n < p:
            explained = np.einsum("rmp,rmp->rm", asked, asked) - explained
        else:
            explained *= NOISE
        return mean, np.sqrt(np.maximum(explained, 0.0))

    def _regressors(self, designs: Designs) -> NDArray[np.float32]:
        """(R, n, *shape) -> (R, n, p), such that they explain a variance of 1 on average."""
        if self._of_all is None:
            return self._worked_out(designs)
        return self._of_all.take(self._space.encode(designs), axis=0)

    def _worked_out(self, designs: Designs) -> NDArray[np.float32]:
        """(..., *shape) -> (..., p)."""
        effects = self._space.effects(designs)
        p = effects.shape[-1]
        regressors = np.empty((*effects.shape[:-1], p + 1), np.float32)
        regressors[..., 0] = 1.0
        regressors[..., 1:] = effects
        regressors *= np.float32(1.0 / np.sqrt(p + 1.0))
        return regressors
