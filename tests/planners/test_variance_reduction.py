"""Batches that tell most, where there is not enough left that is allowed."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_agents.planners.rollout.joint_posterior import JointPosterior
from ombo_agents.planners.rollout.variance_reduction import variance_reducing_batch

SIZE = 6


def joint_of(blocked: list[int]) -> JointPosterior:
    """Two campaigns, some designs of which are blocked."""
    rng = np.random.default_rng(3)
    points = rng.uniform(-1, 1, (2, SIZE, 2))
    squared = ((points[:, :, None] - points[:, None]) ** 2).sum(axis=-1)
    mask = np.zeros((2, SIZE), bool)
    mask[:, blocked] = True
    return JointPosterior(
        points.astype(np.float32),
        rng.normal(size=(2, SIZE)),
        np.exp(-squared) + 1e-3 * np.eye(SIZE),
        np.full(2, 0.1),
        rng.normal(size=2),
        mask,
    )


@pytest.mark.parametrize("q", [1, 3, 6])
def test_where_everything_is_blocked_batches_are_as_if_nothing_were(q: int) -> None:
    everything = variance_reducing_batch(joint_of(list(range(SIZE))), 1.0, q)
    np.testing.assert_array_equal(everything, variance_reducing_batch(joint_of([]), 1.0, q))


def test_after_the_last_one_that_is_allowed_blocked_ones_come_each_once() -> None:
    for batch in variance_reducing_batch(joint_of([0, 1, 3, 5]), 1.0, 5).tolist():
        assert set(batch[:2]) == {2, 4}
        assert len(set(batch[2:])) == 3
