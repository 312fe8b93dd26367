"""A problem of which nobody knows the best value."""

from __future__ import annotations

from typing import Any

import numpy as np
from typing_extensions import override

from ombo_gym import BoxDesigns, Problem


class Unscored(Problem):
    """The sum of a design's numbers."""

    design_space = BoxDesigns(2)
    start = {"kind": "none"}  # noqa: RUF012

    @override
    def draw(self, rngs: Any) -> Any:
        return {"which": rngs.random((1,))}

    @override
    def evaluate(self, instances: Any, designs: Any) -> Any:
        return np.asarray(designs, np.float64).sum(axis=-1)
