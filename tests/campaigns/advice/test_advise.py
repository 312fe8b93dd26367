"""`Campaign.advise`: what it plays, says and keeps, and when it does not trust itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.advice.futures import chosen, other_plates
from tests.campaigns.test_campaign import SPACES, rows_of

BOX = {"a": {"range": [0, 10]}, "b": {"range": [0, 1]}}
QUICK: dict[str, Any] = {"policies": ["greedy", "random"], "simulations": 12, "progress": False}


def smooth_rows(count: int = 20, seed: int = 0, sign: float = 1.0) -> list[dict[str, float]]:
    """A smooth peak at (4, 0.5) and little noise."""
    rng = np.random.default_rng(seed)
    found = []
    for a, b in rng.random((count, 2)).tolist():
        y = 50 - 100 * ((a - 0.4) ** 2 + (b - 0.5) ** 2) + 0.2 * float(rng.standard_normal())
        found.append({"a": round(10 * a, 3), "b": round(b, 3), "y": round(sign * y, 3)})
    return found


def smooth(count: int = 20, **options: Any) -> Campaign:
    return Campaign.from_csv(smooth_rows(count), BOX, target="y", **options)


def test_the_same_question_has_the_same_answer_and_another_seed_another() -> None:
    first, again = (smooth().advise([4, 2], worth=1, **QUICK) for _ in range(2))
    assert first == again
    assert str(first) == str(again)
    assert smooth().advise([4, 2], worth=1, seed=1, **QUICK) != first


def test_wells_that_run_are_known_and_counted() -> None:
    rows: list[dict[str, Any]] = [*smooth_rows(12), {"a": 1.0, "b": 0.2, "y": ""}]
    advice = Campaign.from_csv(rows, BOX, target="y").advise([4], **QUICK)
    assert "plates to come: 4; 13 rows known, 1 of them running" in str(advice)
    assert "running" not in str(smooth(12).advise([4], **QUICK))


def test_a_row_of_a_policy_does_not_depend_on_who_else_is_asked() -> None:
    alone = smooth().advise([4, 2], **(QUICK | {"policies": ["greedy"]}))
    both = smooth().advise([4, 2], **QUICK)
    assert (
        alone.policies[0].outcome == next(p for p in both.policies if p.policy == "greedy").outcome
    )


def test_policies_that_count_no_plates_gain_exactly_nothing_by_planning() -> None:
    for each in smooth().advise([4, 2], **QUICK).policies:
        assert tuple(each.planning) == (0.0, 0.0, 0.0)


def test_policies_that_count_plates_are_played_told_one() -> None:
    advice = smooth().advise([4, 2], **(QUICK | {"policies": ["explore_then_exploit"]}))
    assert advice.policies[0].planning.estimate != 0


def test_more_wells_are_no_loss_and_less_no_gain_for_a_policy_that_counts_no_plates() -> None:
    gains = {each.scenario: each for each in smooth().advise([4, 2], **QUICK).scenarios}
    assert gains["as planned"].gain == (0, 0, 0)
    assert gains["one more plate"].plates == (4, 2, 4)
    assert gains["one more plate"].gain.estimate >= 0
    assert gains["one plate less"].gain.estimate <= 0
    assert gains["stopping now"].gain.estimate <= 0
    assert gains["stopping now"].plates == ()


def test_minimising_the_negative_is_the_same_with_the_other_sign() -> None:
    up = smooth().advise([4, 2], worth=1, **QUICK)
    down = Campaign.from_csv(smooth_rows(sign=-1), BOX, target="y", goal="min").advise(
        [4, 2], worth=1, **QUICK
    )
    assert [each.policy for each in up.policies] == [each.policy for each in down.policies]
    for one, other in zip(up.policies, down.policies, strict=True):
        assert one.outcome.estimate == pytest.approx(-other.outcome.estimate)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
        assert one.difference.estimate == pytest.approx(other.difference.estimate)
    for first, second in zip(up.scenarios, down.scenarios, strict=True):
        assert first.gain == pytest.approx(second.gain)
        assert first.chance == second.chance


def test_a_worth_out_of_reach_has_no_chance_and_none_is_asked_of_no_more_wells() -> None:
    gains = {e.scenario: e for e in smooth().advise([4, 2], worth=1e6, **QUICK).scenarios}
    assert gains["one more plate"].chance == 0
    assert gains["stopping now"].chance is None


def test_stopping_now_is_worth_what_is_known_where_nothing_is_left_to_find() -> None:
    levels = {"a": [0, 1, 2, 3], "b": [0, 1, 2]}
    rows = [{"a": a, "b": b, "y": 10 * a + b} for a in range(4) for b in range(3)]
    campaign = Campaign.from_csv(rows[2:], levels, target="y")  # all but the two worst
    stop = campaign.advise([2], **QUICK).scenarios[-1]
    assert stop.scenario == "stopping now"
    assert abs(stop.gain.estimate) < 0.5
    assert stop.outcome.estimate == pytest.approx(32, abs=1)


@pytest.mark.parametrize(
    ("plates", "scenario", "other"),
    [
        ((24, 24, 24, 24), "same wells on fewer plates", (48, 48)),
        ((24, 24, 8), "same wells on fewer plates", (48, 8)),
        ((24, 24, 8), "one more plate", (24, 24, 8, 24)),
        ((24, 24, 8), "next plate twice as big", (48, 24, 8)),
        ((24, 24, 8), "one plate less", (24, 24)),
        ((9,), "same wells on two plates", (5, 4)),
    ],
)
def test_other_plates(plates: tuple[int, ...], scenario: str, other: tuple[int, ...]) -> None:
    assert other_plates(plates)[scenario] == other


def test_one_well_cannot_be_split() -> None:
    assert not any("same wells" in name for name in other_plates((1,)))


def test_the_first_policy_stays_unless_another_is_surely_better() -> None:
    first = np.array([0.0, 1.0, 2.0, 3.0])
    unsure = first + np.array([3, -2, 3, -2])
    assert chosen({"one": first, "unsure": unsure})[0] == "one"
    assert chosen({"one": first, "b": first + 1, "c": first + 2, "unsure": unsure})[0] == "c"


@pytest.mark.parametrize("kind", SPACES)
def test_every_kind_of_space_is_advised_on(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ombo_agents.campaigns.space.encoding.SAMPLED", 300)
    campaign = Campaign.from_csv(rows_of(SPACES[kind], 12), SPACES[kind], target="y")
    advice = campaign.advise([3, 2], policies=["random"], simulations=4, progress=False)
    assert len(advice.scenarios) == 6
    assert np.isfinite(advice.policies[0].outcome.estimate)
    assert f"({advice.policy}): as advised" in campaign.suggest([3, 2]).reason


# --- when it does not trust itself ---------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, 7])
def test_few_data_are_not_simulated_from(count: int) -> None:
    campaign = smooth(count)
    advice = campaign.advise([4, 2])
    assert not advice.trusted
    assert advice.policy == "sobol"
    assert not advice.policies
    assert not advice.scenarios
    assert "at least 8 are needed" in str(advice)
    assert "(sobol): as advised" in campaign.suggest([4, 2]).reason


def test_values_that_are_all_the_same_say_nothing() -> None:
    rows = [row | {"y": 3.0} for row in smooth_rows(12)]
    advice = Campaign.from_csv(rows, BOX, target="y").advise([4])
    assert not advice.trusted
    assert "all measured values are the same" in str(advice)


def test_data_that_are_unlike_the_model_are_flagged_and_still_simulated() -> None:
    rows = smooth_rows(30)
    rows[7]["y"] = 4000.0  # a slip of the pen
    advice = Campaign.from_csv(rows, BOX, target="y").advise([4], **QUICK)
    assert not advice.trusted
    assert advice.policy == "sobol"
    assert {each.policy for each in advice.policies} == {"greedy", "random", "sobol"}
    assert "NOT to be trusted" in str(advice)
    assert "most surprising well, rows, row 9: look at it first" in str(advice)
    assert "not to be trusted" in advice._repr_html_()
    for page in (
        str(advice),
        advice._repr_html_(),
    ):  # greedy, which differences are of, is not followed
        assert "the first better by" in page and "chosen better by" not in page


def test_smooth_data_are_trusted() -> None:
    advice = smooth().advise([4], **QUICK)
    assert advice.trusted
    assert advice.trust.correlation is not None
    assert advice.trust.correlation > 0.9
    assert "chosen better by" in str(advice)


def test_the_correlation_that_suggest_shows_stands_beside_that_of_the_models() -> None:
    campaign = Campaign.from_csv([*smooth_rows(12), {"a": 5, "b": 0.5, "y": ""}], BOX, target="y")
    trust, plate = campaign.advise([4], **QUICK).trust, campaign.suggest([4], policy="random")
    assert trust.quality == plate.quality != trust.correlation
    assert f"of values as they are, has {plate.quality:.2f})" in "\n".join(trust.lines())


def test_space_filling_advice_ends_with_the_data_it_was_given_for() -> None:
    campaign = smooth(5)
    campaign.advise([4, 2])
    campaign.tell(smooth_rows(4, seed=1))
    assert "(doe_then_ucb" in campaign.suggest([2]).reason


# --- what it says and keeps ----------------------------------------------------------------------


def test_frames_have_a_row_a_policy_and_a_scenario() -> None:
    advice = smooth().advise([4, 2], worth=1, **QUICK)
    assert advice.frame["policy"].tolist() == [each.policy for each in advice.policies]
    assert advice.frame["outcome_low"].le(advice.frame["outcome"]).all()
    assert advice.scenarios_frame["scenario"].iloc[0] == "as planned"
    assert advice.scenarios_frame["gain"].iloc[0] == 0
    page = advice._repr_html_()
    assert page.count("<table>") == 2
    assert "one more plate" in page


def test_advice_is_kept_and_followed_and_never_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "campaign.json"
    campaign = smooth()
    campaign.save(path)
    advice = campaign.advise([4, 2], **QUICK)
    campaign.save(path)
    loaded = Campaign.load(path)
    assert loaded.advice == campaign.advice == (advice.to_dict(),)
    assert loaded.suggest([4, 2]) == campaign.suggest([4, 2])
    assert f"({advice.policy}): as advised after 20 wells" in loaded.suggest([4, 2]).reason
    loaded.tell(smooth_rows(2, seed=1))
    assert f"({advice.policy}): as advised after 20 wells" in loaded.suggest([2]).reason
    other = smooth()
    other.advise([4], **QUICK)
    with pytest.raises(ValueError, match="advised 1 times otherwise"):
        other.save(path)


def test_files_without_advice_are_read_and_damaged_advice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "campaign.json"
    smooth().save(path)
    content = json.loads(path.read_text())
    del content["advice"]
    path.write_text(json.dumps(content))
    assert Campaign.load(path).advice == ()
    path.write_text(json.dumps(content | {"advice": [{"policy": 3}]}))
    with pytest.raises(ValueError, match="list of advice"):
        Campaign.load(path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"worth": -1}, "worth: expected a positive number"),
        ({"worth": float("nan")}, "worth: expected a positive number"),
        ({"simulations": 1}, "simulations: expected"),
        ({"seed": -1}, "seed: expected"),
        ({"policies": []}, "policies: expected a list of names"),
        ({"policies": "greedy"}, "policies: expected a list of names"),
        ({"policies": ["best"]}, "policy: expected one of"),
        ({"policies": ["d_optimal"]}, "d_optimal"),
        ({"plates_left": []}, "plates_left: expected"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_kept(arguments: dict[str, Any], words: str) -> None:
    campaign = smooth()
    with pytest.raises(ValueError, match=words):
        campaign.advise(**({"plates_left": [4]} | arguments))
    assert campaign.advice == ()
