"""Calculations: what is reported of them, and that they end when they are stopped."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.serve.workspace.calculations import Calculation, _Rarely, worked_out

ROWS = [{"T": t, "y": -abs(t - 61) / 7} for t in range(20, 100, 7)]


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return Campaign.from_csv(ROWS, {"T": {"range": [20, 100], "step": 1}}, target="y")


def until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_is_reported_after_the_end_changes_nothing(campaign: Campaign) -> None:
    found = Calculation("suggest", campaign, {})
    found.receive("progress", (1, 4))
    assert (found.done, found.total, found.running) == (1, 4, True)
    found.stop()
    found.receive("done", "a plate")
    assert (found.state, found.result) == ("stopped", None)
    found = Calculation("suggest", campaign, {})
    found.receive("done", "a plate")
    found.stop()
    assert (found.state, found.result) == ("done", "a plate")


def test_what_is_refused_is_a_sentence(campaign: Campaign) -> None:
    kind, words = worked_out("suggest", campaign, {"plates_left": [500]}, lambda *step: None)
    assert kind == "refused"
    assert "expected at most" in words


def test_advice_reports_its_steps(campaign: Campaign) -> None:
    steps: list[tuple[int, int]] = []
    arguments = {"plates_left": [2], "policies": ["random"], "simulations": 2}
    kind, advice = worked_out("advise", campaign, arguments, lambda *step: steps.append(step))
    assert kind == "done"
    assert steps[-1][0] == steps[-1][1] > 0
    assert steps == sorted(steps)
    assert str(advice) == str(
        campaign.advise([2], policies=["random"], simulations=2, progress=False)
    )


def test_reports_that_follow_at_once_are_left_out() -> None:
    steps: list[tuple[int, int]] = []
    rarely = _Rarely(lambda *step: steps.append(step))
    for step in range(1, 1001):
        rarely(step, 1000)
    assert steps[0] == (1, 1000) and steps[-1] == (1000, 1000)
    assert len(steps) < 20


@pytest.mark.slow  # processes import everything
def test_a_process_gives_what_the_campaign_gives(campaign: Campaign) -> None:
    found = Calculation.in_process("suggest", campaign, {"plates_left": [3]})
    until(lambda: not found.running)
    assert found.state == "done"
    assert found.result.rows() == campaign.suggest([3]).rows()


@pytest.mark.slow
def test_a_process_is_ended_when_it_is_stopped(campaign: Campaign) -> None:
    arguments = {"plates_left": [24, 24, 24], "simulations": 5000}
    found = Calculation.in_process("advise", campaign, arguments)
    until(lambda: found.done > 0)
    found.stop()
    assert found.state == "stopped"
    until(lambda: not found.alive)
