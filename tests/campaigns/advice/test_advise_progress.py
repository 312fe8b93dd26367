"""How far an answer is, from the first moment on; and what Ctrl-C leaves of it."""

from __future__ import annotations

from typing import Any

import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.advice import futures, progress, simulating
from ombo_agents.campaigns.advice.simulating import Simulation
from tests.campaigns.advice.test_advise import BOX, smooth_rows

QUICK: dict[str, Any] = {"policies": ["greedy", "random"], "simulations": 6}


def smooth() -> Campaign:
    return Campaign.from_csv(smooth_rows(), BOX, target="y")


@pytest.mark.parametrize("policies", [["greedy", "random"], ["explore_then_exploit"]])
def test_steps_are_counted_from_the_start_to_the_last(policies: list[str]) -> None:
    steps: list[tuple[int, int]] = []
    smooth().advise(
        [3, 2], progress=lambda *step: steps.append(step), **(QUICK | {"policies": policies})
    )
    assert steps[0] == (0, 1)
    assert steps[-1][0] == steps[-1][1]
    counts = [done for done, _ in steps]
    assert counts == sorted(counts)
    assert len({total for _, total in steps[1:]}) == 1
    assert 0 < next(done for done in counts if done) < steps[-1][1] / 10  # before any simulation


def test_a_policy_more_where_the_data_are_not_trusted_is_counted() -> None:
    rows = smooth_rows(30)
    rows[7]["y"] = 4000.0
    steps: list[tuple[int, int]] = []
    campaign = Campaign.from_csv(rows, BOX, target="y")
    assert not campaign.advise([2], progress=lambda *step: steps.append(step), **QUICK).trusted
    assert steps[-1][0] == steps[-1][1]


def test_where_there_is_no_terminal_lines_say_what_is_done_and_how_long_it_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter(range(0, 100_000, 11))
    monkeypatch.setattr(progress, "monotonic", lambda: next(now))
    smooth().advise([3, 2], **QUICK)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert len(lines) >= 4
    assert any(line.startswith("fitting models") for line in lines)
    assert any(line.startswith("simulating") for line in lines)
    assert all(" steps (" in line for line in lines)
    assert all(line.endswith(" left") for line in lines[1:] if ": 0 of" not in line)


def test_nothing_is_said_where_nothing_is_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter(range(0, 100_000, 11))
    monkeypatch.setattr(progress, "monotonic", lambda: next(now))
    smooth().advise([3], progress=False, **QUICK)
    assert capsys.readouterr().err == ""


class Pressed:
    """Ctrl-C, as a campaign is played for the so-manieth time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self._plays, self._at, play = 0, at, Simulation.play

        def pressed(*args: Any, **options: Any) -> Any:
            self._plays += 1
            if self._plays == self._at:
                raise KeyboardInterrupt
            return play(*args, **options)

        monkeypatch.setattr(Simulation, "play", pressed)


@pytest.fixture
def chunks_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(futures, "FEWEST_WHEN_STOPPED", 4)
    monkeypatch.setattr("ombo_agents.campaigns.advice.advising.CHUNK", 2)


@pytest.mark.usefixtures("chunks_of_two")
def test_ctrl_c_leaves_an_answer_from_what_all_policies_have_played(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = smooth().advise([3], **(QUICK | {"simulations": 6}))
    Pressed(monkeypatch, at=6)  # the second policy of the third chunk
    campaign = smooth()
    advice = campaign.advise([3], **(QUICK | {"simulations": 6}))
    assert advice.simulations == 4
    assert [each.scenario for each in advice.scenarios] == ["as planned", "stopping now"]
    assert "stopped early, after 4 of 6 simulations; not simulated: one more plate" in str(advice)
    assert campaign.advice == (advice.to_dict(),)
    assert not whole.notes


@pytest.mark.usefixtures("chunks_of_two")
def test_ctrl_c_among_other_plates_leaves_those_out(monkeypatch: pytest.MonkeyPatch) -> None:
    Pressed(monkeypatch, at=8)  # six of three chunks, one more plate, and then
    advice = smooth().advise([3], **(QUICK | {"simulations": 6}))
    assert advice.simulations == 6
    names = [each.scenario for each in advice.scenarios]
    assert names == ["as planned", "one more plate", "stopping now"]
    assert "not simulated: next plate twice as big, same wells on two plates" in str(advice)


@pytest.mark.usefixtures("chunks_of_two")
def test_ctrl_c_before_that_is_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    Pressed(monkeypatch, at=4)
    campaign = smooth()
    with pytest.raises(KeyboardInterrupt, match="after 2 of 6 simulations, an answer takes 4"):
        campaign.advise([3], **QUICK)
    assert campaign.advice == ()
    assert simulating.CHUNK == 50
