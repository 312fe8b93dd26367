"""Climbing along finite differences, on functions whose best design is known."""

from __future__ import annotations

import numpy as np

from ombo_gym.quasi_newton import Floats, quasi_newton


def valley(x: Floats) -> Floats:
    """Rosenbrock's, upside down, the highest at (0.5, 0.25)."""
    return -100 * (x[..., 1] - x[..., 0] ** 2) ** 2 - (x[..., 0] - 0.5) ** 2


def outside(x: Floats) -> Floats:
    """Highest at (2, 0.3, -3), of which the box keeps (1, 0.3, -1)."""
    return -((x - np.array([2, 0.3, -3])) ** 2 * np.array([1, 50, 2])).sum(axis=-1)


def test_it_follows_a_curved_valley_and_the_faces_of_the_box_to_the_best_design() -> None:
    starts = np.random.default_rng(0).uniform(-1, 1, (2, 3, 3)).astype(np.float32)
    ends = quasi_newton(valley, starts[..., :2], max_iterations=100)
    np.testing.assert_allclose(ends, np.broadcast_to([0.5, 0.25], ends.shape), atol=1e-5)
    ends = quasi_newton(outside, starts, max_iterations=50)
    np.testing.assert_allclose(ends, np.broadcast_to([1, 0.3, -1], ends.shape), atol=1e-6)


def test_it_never_descends_and_designs_do_not_depend_on_each_other() -> None:
    starts = np.random.default_rng(1).uniform(-1, 1, (2, 3, 2))
    for max_iterations in (0, 1, 3):
        ends = quasi_newton(valley, starts, max_iterations)
        assert (valley(ends) > valley(starts)).all() if max_iterations else (ends == starts).all()
        alone = quasi_newton(valley, starts[1:, 2:], max_iterations)
        assert alone.tobytes() == ends[1:, 2:].tobytes()
