"""A utility of one's own that is written wrongly is refused, with what to write."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ombo_gym import CampaignVectorEnv, Utility, make_utility
from ombo_gym.scores import score
from ombo_gym.utilities import UTILITIES


@pytest.fixture(autouse=True)
def _known_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in UTILITIES:
        monkeypatch.setitem(UTILITIES, name, UTILITIES[name])
    before = dict(UTILITIES)
    monkeypatch.setattr("ombo_gym.utilities.UTILITIES", before)


class _Mean(Utility):
    """The mean of the batch, round by round; without a name."""

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        return batch.mean(axis=-1)

    def level(self, utility: Any, base: Any, measurements: int) -> Any:
        return utility


def _named(name: Any, **attributes: Any) -> type[Utility]:
    return type("Own", (_Mean,), {"name": name, **attributes})


def _play(utility: Utility) -> Any:
    env = CampaignVectorEnv(3, "GP", horizon=1, batch_size=4, utility=utility)
    env.reset(seed=0)
    return env.step(env.action_space.sample())[1]


@pytest.mark.parametrize("name", ["two words", "a:b", "a,b", "a;b", "a=b", "", 3])
def test_a_name_that_no_command_line_can_hold_is_refused(name: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a name without blanks.*choose another for Own"):
        _named(name)


def test_an_aim_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"`aim` of 'aiming' to be one of .*Aim\.MEANS.*'largest'"):
        _named("aiming", aim="largest")


@pytest.mark.parametrize("attribute", ["_count", "k"])
def test_an_argument_that_is_not_kept_is_refused_and_never_lost(attribute: str) -> None:
    def __init__(self: Any, count: int = 2) -> None:
        setattr(self, attribute, count)

    kind = _named("forgetful", __init__=__init__)
    message = r"expected 'forgetful' to keep each argument.*write self\.count = count"
    for given in (kind(), {"name": "forgetful", "count": 3}, "forgetful:count=3"):
        with pytest.raises(ValueError, match=message):
            make_utility(given)


def test_what_is_worked_out_beside_the_arguments_is_no_argument() -> None:
    def __init__(self: Any, count: int = 2) -> None:
        self.count = count
        self.doubled = 2 * count

    _named("thrifty", __init__=__init__)
    utility = make_utility({"name": "thrifty", "count": 3})
    assert utility.config() == {"name": "thrifty", "count": 3}
    assert make_utility(utility.config()) == utility != make_utility("thrifty")


def test_a_utility_without_a_name_is_refused_before_it_is_played() -> None:
    with pytest.raises(ValueError, match=r'expected a name of _Mean.*write name = "_mean"'):
        make_utility(_Mean())


@pytest.mark.parametrize(
    "gain, came",
    [
        (lambda batch: batch, r"got shape \(3, 4\)"),
        (lambda batch: batch.mean(), r"got shape \(\)"),  # a mean over campaigns
        (lambda batch: batch.mean(axis=0), r"got shape \(4,\)"),
        (lambda batch: np.full(len(batch), np.nan), "got nan for the true values"),
        (lambda batch: None, "of object"),
    ],
)
def test_a_gain_that_is_not_a_number_a_campaign_is_refused(gain: Any, came: str) -> None:
    kind = _named("gaining", gain=lambda self, batch, best, rounds_left: gain(batch))
    with pytest.raises(ValueError, match=rf"Own: expected .*`gain`.*{came}"):
        _play(kind())


def test_a_value_that_is_no_number_and_a_level_that_is_one_for_all_are_refused() -> None:
    kind = _named("valuing", value=lambda self, progress: progress.best * np.nan)
    with pytest.raises(ValueError, match=r"^Own: expected finite numbers as `value`, got nan"):
        _play(kind())
    kind = _named("levelling", level=lambda self, utility, base, measurements: 1.0)
    with pytest.raises(ValueError, match=r"^Own\.level: expected numbers of shape \(3,\).*\(\)$"):
        score(kind(), np.ones(3), np.zeros(3), np.ones(3), measurements=4)
