"""Policies propose what they proposed before they were given specs, to the bit.

Version 0.1.0 handed them the simulator, showed measurements in float32 and knew nothing of a
start's origin. With measurements rounded likewise and the origin left aside, nothing else may have
changed but what `CHANGED` names, and why. Recorded by `tests.regression.record` on x86-64 in one
BLAS thread (`make slow` sees to that); another processor may round otherwise.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.regression.record import CHANGED, cases, key, play

RECORDED = np.load(Path(__file__).with_name("proposals_0_1_0.npz"))
SINCE = np.load(Path(__file__).with_name("proposals_0_2_0.npz"))  # what changed on purpose
CASES = [case for case in cases() if f"{key(case)}.actions" in RECORDED]


def test_what_was_recorded_is_wide_enough() -> None:
    policies, ids, settings = (set(names) for names in zip(*CASES, strict=True))
    assert len(policies) >= 12 and len(ids) >= 10 and len(settings) >= 3
    assert len(CASES) == len(RECORDED.files) // 2


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=key)
def test_proposals_and_rewards_are_those_that_were_recorded(case: tuple[str, str, str]) -> None:
    recorded = SINCE if (case[0], case[1][5:-3]) in CHANGED else RECORDED
    played = play(*case)
    assert played is not None
    np.testing.assert_array_equal(played["actions"], recorded[f"{key(case)}.actions"])
    np.testing.assert_array_equal(played["rewards"], recorded[f"{key(case)}.rewards"])
