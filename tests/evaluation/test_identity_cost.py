"""What identities cost: each is worked out once, and thousands are looked up."""

from __future__ import annotations

import time

import pytest

import ombo_agents
from ombo_gym.evaluation import identity
from ombo_gym.evaluation.identity import Identities

GP = "Ombo/GP-v0"


def test_what_was_identified_once_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    identities = Identities()
    names = ("random", "ucb", "coms")
    first = [identities.fingerprint(policy, GP) for policy in names]
    monkeypatch.setattr(identity, "ImportGraph", None)
    assert [identities.fingerprint(policy, GP) for policy in names] == first


@pytest.mark.slow
def test_thousands_of_cells_are_identified_in_well_under_a_second() -> None:
    identities = Identities()

    def identify() -> float:
        begun = time.process_time()
        for _ in range(100):
            for policy in ombo_agents.names():
                identities.fingerprint(policy, GP)
        return time.process_time() - begun

    identify()  # files are read and parsed once
    assert identify() < 1.0
