"""What a round adds to a utility: the last axis of batches is their slots, in any shape."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.utilities import make_utility

UTILITIES = ["best", "auc", "total", "last_max", "last_median", "last_mean", "last_quantile"]


@pytest.mark.parametrize("name", UTILITIES)
@pytest.mark.parametrize("rounds_left", [1, 3])
def test_batches_of_any_shape_are_judged_like_each_alone(name: str, rounds_left: int) -> None:
    utility = make_utility({"name": name, "quantile": 0.3} if "quantile" in name else name)
    rng = np.random.default_rng(0)
    batches, best = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3))  # (2, 3, q), (2, 3)
    gains = utility.gain(batches, best, rounds_left)
    assert gains.shape == (2, 3)
    for at in np.ndindex(2, 3):
        alone = utility.gain(batches[at], best[at], rounds_left)
        assert alone.shape == () and gains[at] == pytest.approx(float(alone), rel=1e-12, abs=1e-12)
