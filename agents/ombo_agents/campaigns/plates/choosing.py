"""Which policy `auto` stands for, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ombo_agents.bayesian.doe_then_ucb import DoeThenUcb
from ombo_agents.campaigns.data.campaign_data import CampaignData
from ombo_agents.campaigns.data.known import Known, observation_of
from ombo_agents.campaigns.plates.policy_words import spelled
from ombo_agents.registry import make, supports
from ombo_gym.spec import CampaignSpec

DEFAULT = "doe_then_ucb:last_weight=1"
_WITH_LEARNED_PRIOR = "expected_improvement"
_DESIGNED = "a designed plate"
_SPREAD_BY_MODEL = "ucb"  # where nothing else spreads wells: largest uncertainty, well by well


def chosen_policy(
    data: CampaignData,
    advice: Sequence[Mapping[str, Any]],
    known: Known,
    plates: Sequence[int],
) -> tuple[str, str]:
    """What "auto" stands for, and why; the first of these rules that applies.

    1. What the last advice chose: for good, or, where that is a space-filling plate since the model
       was not to be trusted, for the data that it was given for.
    2. With a prior that was learnt from past campaigns, expected improvement, from the first plate
       on: the prior knows what is promising before anything is measured.
    3. Before any result, a plate that is spread over the space.
    4. `DEFAULT`: where the first wells say little, since they are the lower part of what was
       measured or fewer than four, the next plate is designed without a look at the values; all
       others are upper confidence bounds. The last plate explores half as much: nothing comes after
       it that could use what it tells.

    Args:
        data: Whose origin counts.
        advice: What `advise` said, in order.
        known: What a policy is shown.
        plates: To come.
    """
    name, words, why = _rule(data, advice, known, plates)
    return name, f"{spelled(name, words)}: {why}; {_several(len(plates), 'plate')} to come"


def _rule(
    data: CampaignData,
    advice: Sequence[Mapping[str, Any]],
    known: Known,
    plates: Sequence[int],
) -> tuple[str, str | None, str]:
    """The policy, what it does here if not the usual, and why, as `chosen_policy` says."""
    if advice:
        last = advice[-1]
        current = last["rows"] == len(known.values)
        if (last["trusted"] or current) and supports(last["policy"], known.spec):
            why = f"as advised after {_several(last['rows'], 'well')}"
            return str(last["policy"]), None, why
    if known.spec.surrogate.get("kernel") == "learned" and supports(
        _WITH_LEARNED_PRIOR, known.spec
    ):
        why = "what was learnt from past campaigns says where to look"
        return _WITH_LEARNED_PRIOR, None, why
    if not known.predictable:
        spread = _SPREAD_BY_MODEL if known.encoding.pool else space_filling(known.spec)
        words = "wells that tell most" if spread == _SPREAD_BY_MODEL else None
        return spread, words, "wells are spread over the space, since there is no result yet"
    player = make(DEFAULT, known.spec)
    assert isinstance(player, DoeThenUcb)
    if not player.designs_first(observation_of(known, plates))[0]:
        less = " that explore less on the last plate" if len(plates) == 1 else ""
        words = f"upper confidence bounds{less}"
        return DEFAULT, words, "the wells say enough to fit a model to"
    if data.settings.origin.percentile is not None:
        why = "the first wells are the lower part of what was measured"
        return DEFAULT, _DESIGNED, why
    few = f"{_several(known.num_start, 'well')} say{'s' if known.num_start == 1 else ''}"
    return DEFAULT, _DESIGNED, f"{few} too little to fit a model to"


def space_filling(spec: CampaignSpec) -> str:
    """The policy that designs plates without a look at values."""
    space = spec.design_space
    if space.free is not None and space.free.all():
        return "sobol"
    return "latin_hypercube" if supports("latin_hypercube", spec) else "d_optimal"


def _several(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
