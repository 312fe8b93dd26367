"""The page of advice: what `Campaign.advise` says, as tables and pictures."""

from __future__ import annotations

import pickle

import pytest

from ombo_agents.campaigns import Advice
from ombo_agents.serve.views.drawing import policy_chart, scenario_chart, short
from tests.serve.conftest import who_measured
from tests.serve.visitor import SHEET, Visitor, app_of, never_ending, wrongs

LARGER = SHEET + "THF,70,2,55,\nDMF,110,1,18,\nTHF,90,8,38,\nTHF,60,1,44,\n"
FIELDS = {"plates": "2, 2", "simulations": "4", "policies": "ucb, random", "worth": "5"}


@pytest.fixture(scope="module")
def advised() -> tuple[Visitor, Advice]:
    visitor = who_measured(app_of())
    visitor.post("/sheet", sheet=("screen.csv", LARGER))
    answer = visitor.post("/advise", **FIELDS)
    assert (answer.status_code, answer.location) == (303, "/advice"), wrongs(answer)
    page = visitor.get("/advice")
    assert page.status_code == 200
    advice = visitor.workspace.advice
    assert advice is not None, page.text
    return visitor, advice


def test_it_is_what_advise_says(advised: tuple[Visitor, Advice]) -> None:
    visitor, advice = advised
    campaign = visitor.workspace.campaign
    assert campaign is not None
    same = pickle.loads(pickle.dumps(campaign)).advise(
        [2, 2], policies=["ucb", "random"], simulations=4, worth=5, progress=False
    )
    assert str(advice) == str(same)


def test_the_page_shows_all_numbers(advised: tuple[Visitor, Advice]) -> None:
    visitor, advice = advised
    page = visitor.get("/advice").text
    assert f"Follow {advice.policy}" in page and advice.reason[1:] in page
    assert f'<th scope="col">{advice.better_by}</th>' in page
    for line in advice.trust.lines():
        assert line.strip() in page
    for each in advice.policies:
        assert f'<th scope="row">{each.policy}</th>' in page
        for interval in (each.outcome, each.planning):
            assert short(interval.estimate) in page and short(interval.low) in page
    for other in advice.scenarios:
        assert f'<th scope="row">{other.scenario}</th>' in page
        if other.chance is not None:
            assert f"{other.chance:.0%}" in page


def test_it_is_kept_with_the_campaign_and_followed(advised: tuple[Visitor, Advice]) -> None:
    visitor, advice = advised
    campaign = visitor.workspace.campaign
    assert campaign is not None
    assert campaign.advice == (advice.to_dict(),)
    visitor.post("/suggest", plates="2, 2")
    assert visitor.workspace.plate is not None
    assert visitor.workspace.plate.reason.partition(": as advised")[0].endswith(
        f"({advice.policy})"
    )
    other = Visitor(visitor.app)
    other.post("/campaign", campaign=("c.json", visitor.get("/campaign.json").data))
    assert f"follow {advice.policy}" in other.get("/advice").text


def test_it_outlives_columns_that_are_not_understood_for_a_while(
    advised: tuple[Visitor, Advice],
) -> None:
    visitor = Visitor(advised[0].app)
    visitor.post("/campaign", campaign=("c.json", advised[0].get("/campaign.json").data))
    text = visitor.workspace.text
    visitor.post("/space", text="nowhere: [1, 2]\n")
    assert visitor.workspace.campaign is None
    visitor.post("/space", text=text)
    assert visitor.workspace.campaign is not None
    assert visitor.workspace.campaign.advice == (advised[1].to_dict(),)
    visitor.post("/sheet", sheet=("other.csv", "x,y\n1,2\n2,5\n3,4\n"))
    visitor.post("/replace", replace="yes")
    assert visitor.workspace.kept == ()


def test_pictures_hold_every_policy_and_scenario(advised: tuple[Visitor, Advice]) -> None:
    _, advice = advised
    policies, scenarios = policy_chart(advice), scenario_chart(advice)
    assert policies is not None and scenarios is not None
    assert [bar.label for bar in policies.bars] == [each.policy for each in advice.policies]
    assert [bar.label for bar in scenarios.bars] == [e.scenario for e in advice.scenarios[1:]]
    for bar in (*policies.bars, *scenarios.bars):
        assert 0 <= bar.low <= bar.high <= 100
    for bar, each in zip(scenarios.bars, advice.scenarios[1:], strict=True):
        assert scenarios.mark is not None
        assert (bar.middle - scenarios.mark) * each.gain.estimate >= 0


def test_too_few_data_are_said(measured: Visitor) -> None:
    measured.post("/advise", **FIELDS)
    page = measured.get("/advice").text
    assert "not to be trusted" in page and "at least 8 are needed" in page


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"plates": "0"}, "plates", "got '0'"),
        ({"worth": "0"}, "worth", "worth: expected a number above 0, got 0"),
        ({"worth": "much"}, "worth", "worth: expected a number, got 'much'"),
        ({"simulations": "1"}, "simulations", "from 2 to 5,000, got 1"),
        ({"simulations": "99999999"}, "simulations", "from 2 to 5,000"),
        ({"seed": "x"}, "seed", "seed: expected a number, got 'x'"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    measured: Visitor, fields: dict[str, str], place: str, words: str
) -> None:
    answer = measured.post("/advise", **{**FIELDS, **fields})
    assert answer.status_code == 422
    assert list(wrongs(answer)) == [place]
    assert words in wrongs(answer)[place][0]
    assert measured.workspace.calculation is None


def test_policies_that_cannot_play_are_said(measured: Visitor) -> None:
    measured.post("/advise", **{**FIELDS, "policies": "nonsense"})
    page = measured.get("/advice").text
    assert 'role="alert"' in page and "nonsense" in page


def test_it_is_stopped_without_a_trace() -> None:
    visitor = who_measured(app_of(start=never_ending))
    visitor.post("/advise", **FIELDS)
    assert "Simulating" in visitor.get("/advice").text
    assert visitor.post("/stop").location == "/advice"
    campaign = visitor.workspace.campaign
    assert campaign is not None and campaign.advice == ()
    assert visitor.workspace.advice is None
    assert "Stopped." in visitor.get("/advice").text
