"""Which policy to follow on the plates that are left, and what other plates would bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ombo_agents.campaigns.advice.advice import Advice, PolicyOutcome, ScenarioOutcome
from ombo_agents.campaigns.advice.drawing import DrawnObjectives, models_of
from ombo_agents.campaigns.advice.simulating import Simulation
from ombo_agents.campaigns.advice.trust import Trust, too_few, trust_of
from ombo_agents.campaigns.data.campaign_data import CampaignData
from ombo_agents.campaigns.plates.choosing import space_filling
from ombo_agents.campaigns.space.factors import Floats
from ombo_agents.registry import make, supports
from ombo_gym.arguments import batch_sizes_of_plates, members, shown, whole
from ombo_gym.design_spaces.values import is_number
from ombo_gym.evaluation.progress import PATIENCE
from ombo_gym.evaluation.statistics import mean_interval
from ombo_gym.spec import CampaignSpec
from ombo_gym.utilities import make_utility

POLICIES = ("doe_then_ucb", "explore_then_exploit", "rollout", "greedy", "random")
SIMULATIONS = 200
_WITH_PLATE_RULES = 60  # where each campaign is played by itself, since plates share values
_FEWEST = 40  # simulations, where rows are many
_ROWS_SQUARED = 2**22  # rows known or to come, squared, times simulations: more of these take long
# Quantiles of outcomes as scores that are shown: measured tables end below what is simulated more
# often than above, since their best designs are less far above the others than those of a process.
_TAILS = (0.05, 0.9)


def advised(
    data: CampaignData,
    plates_left: Sequence[int],
    *,
    policies: Sequence[str] | None,
    simulations: int | None,
    worth: float | None,
    seed: int,
    progress: bool | Callable[[int, int], object],
) -> Advice:
    """The advice; arguments and errors as `Campaign.advise`."""
    plates = tuple(batch_sizes_of_plates("plates_left", plates_left))
    seed = whole("seed", seed, least=0)
    if worth is not None and not (is_number(worth) and 0 < worth < np.inf):
        raise ValueError(f"worth: expected a positive number, got {shown(worth)}")
    if simulations is not None:
        simulations = whole("simulations", simulations, least=2)
    known = data.known(plates, seed=seed)
    names = _checked_policies(policies, known.spec)
    fallback = space_filling(known.spec)
    asked = _Asked(data, plates, worth, seed)
    if (few := too_few(known)) is not None:
        return asked.advice(few, fallback, _why_not(few), 0)
    done = np.isfinite(data.measured.values)
    num_start = int(done[: known.num_start].sum())
    models = models_of(known.spec, known.designs[done], known.values[done], num_start)
    trust = trust_of(known, models, seed)
    if not trust.trusted and fallback not in names:
        names = (*names, fallback)
    if simulations is None:
        most = _WITH_PLATE_RULES if data.space.plate else SIMULATIONS
        most = min(most, _ROWS_SQUARED // known.spec.capacity**2)
        simulations = max(_FEWEST, most)
    with _bar(progress) as bar:
        objectives = DrawnObjectives(models, simulations, seed)
        futures = _futures(Simulation(known, objectives, seed, bar.update), names, plates, bar)
    follow, reason = (futures.best, futures.why)
    if not trust.trusted:
        follow, reason = fallback, _why_not(trust)
    sign = data.settings.sign
    return asked.advice(
        trust, follow, reason, simulations, futures.policies(sign), futures.scenarios(sign, worth)
    )


@dataclass(frozen=True)
class _Futures:
    """Outcomes of all that was played on the same S objectives, as scores (higher is better).

    Attributes:
        plates: As planned.
        outcomes: (S,) of each policy.
        told_one: (S,) of each, told every round that it is the last.
        best: The chosen policy.
        why: It was chosen.
        others: Other plates, by name.
        played: (S,) of the chosen policy on these.
    """

    plates: tuple[int, ...]
    outcomes: Mapping[str, Floats]
    told_one: Mapping[str, Floats]
    best: str
    why: str
    others: Mapping[str, tuple[int, ...]]
    played: Mapping[str, Floats]

    def policies(self, sign: float) -> tuple[PolicyOutcome, ...]:
        """In words of the target, the chosen one first and then from the highest on."""
        rest = set(self.outcomes) - {self.best}
        planned = self.outcomes[self.best]
        found = []
        for name in (self.best, *sorted(rest, key=lambda each: -self.outcomes[each].mean())):
            values = self.outcomes[name]
            low, high = sorted((sign * np.quantile(values, _TAILS)).tolist())
            planning = mean_interval(values - self.told_one[name])
            difference = mean_interval(planned - values)
            outcome = mean_interval(sign * values)
            found.append(PolicyOutcome(name, outcome, low, high, difference, planning))
        return tuple(found)

    def scenarios(self, sign: float, worth: float | None) -> tuple[ScenarioOutcome, ...]:
        """In words of the target, the plates as planned first."""
        planned = self.outcomes[self.best]
        found = []
        for name, plates in {"as planned": self.plates, **self.others}.items():
            values = self.played.get(name, planned)
            gains = values - planned
            chance = None
            if sum(plates) > sum(self.plates):
                chance = float((gains > 0 if worth is None else gains >= worth).mean())
            outcome = mean_interval(sign * values)
            found.append(ScenarioOutcome(name, plates, outcome, mean_interval(gains), chance))
        return tuple(found)


def _futures(
    simulation: Simulation, names: Sequence[str], plates: tuple[int, ...], bar: Any
) -> _Futures:
    """Plays policies on the plates as planned, and the chosen one on others."""
    others = other_plates(plates)
    spec = simulation.spec(plates)
    aware = [len(plates) > 1 and make(name, spec).horizon_aware for name in names]
    rounds = len(plates) * (len(names) + sum(aware)) + sum(map(len, others.values()))
    bar.total = rounds * len(simulation.before)
    outcomes = {name: simulation.play(name, plates) for name in names}
    told_one = {
        name: simulation.play(name, plates, told_one=True) if each else outcomes[name]
        for name, each in zip(names, aware, strict=True)
    }
    best, why = chosen(outcomes)
    played = {
        name: simulation.play(best, sizes) if sizes else simulation.before
        for name, sizes in others.items()
    }
    return _Futures(plates, outcomes, told_one, best, why, others, played)


def other_plates(plates: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Plates that are looked at beside those planned, by name.

    One more plate is as large as the largest planned; a bigger one is the next with twice the
    wells; the same wells on fewer plates are each two put together (or, of one plate, two halves).
    """
    found: dict[str, tuple[int, ...]] = {"one more plate": (*plates, max(plates))}
    found["next plate twice as big"] = (2 * plates[0], *plates[1:])
    if len(plates) > 1:
        found["same wells on fewer plates"] = tuple(
            sum(plates[i : i + 2]) for i in range(0, len(plates), 2)
        )
        found["one plate less"] = plates[:-1]
    elif plates[0] > 1:
        found["same wells on two plates"] = (plates[0] - plates[0] // 2, plates[0] // 2)
    found["stopping now"] = ()
    return found


def chosen(outcomes: Mapping[str, Floats]) -> tuple[str, str]:
    """The policy to follow, and why: the first, unless another is above it.

    Another is above where its paired 95% interval lies above 0; of these, the one that is expected
    to end highest.

    Args:
        outcomes: (S,) of each policy on the same objectives, higher is better.
    """
    first, *rest = outcomes
    gains = {name: mean_interval(outcomes[name] - outcomes[first]) for name in rest}
    above = [name for name in rest if gains[name].low > 0]
    if not above:
        return first, "no other policy that was played is above it (paired 95% interval)"
    best = max(above, key=lambda name: gains[name].estimate)
    return best, f"it is above {first} on the same drawn objectives (paired 95% interval)"


@dataclass(frozen=True)
class _Asked:
    """What was asked."""

    data: CampaignData
    plates: tuple[int, ...]
    worth: float | None
    seed: int

    def advice(
        self,
        trust: Trust,
        policy: str,
        reason: str,
        simulations: int,
        policies: tuple[PolicyOutcome, ...] = (),
        scenarios: tuple[ScenarioOutcome, ...] = (),
    ) -> Advice:
        """The advice."""
        data, settings = self.data, self.data.settings
        return Advice(
            plates=self.plates,
            policy=policy,
            reason=reason,
            trust=trust,
            policies=policies,
            scenarios=scenarios,
            measured_name=data.measured_name,
            goal="max" if settings.sign > 0 else "min",
            utility=str(make_utility(settings.utility)),
            worth=self.worth,
            rows=len(data.measured.values),
            simulations=simulations,
            seed=self.seed,
        )


def _why_not(trust: Trust) -> str:
    return f"space-filling, without a look at values, since {trust.reasons[0]}"


def _checked_policies(given: Sequence[str] | None, spec: CampaignSpec) -> tuple[str, ...]:
    """Names of policies that can play, each once."""
    if given is None:
        return tuple(name for name in POLICIES if supports(name, spec))
    names = members(given)
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"policies: expected a list of names, such as {list(POLICIES)}, got {shown(given)}"
        )
    for name in names:
        make(name, spec)  # refuses what cannot play
    return tuple(dict.fromkeys(names))


class _Reported:
    """Stands where a bar does, and tells how far it is.

    Args:
        tell: Whom: how many steps are done, of how many.
    """

    def __init__(self, tell: Callable[[int, int], object]) -> None:
        self.total, self._done, self._tell = 0, 0, tell

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self, steps: int) -> None:
        """So many steps more are done."""
        self._done += steps
        self._tell(self._done, self.total)


def _bar(progress: bool | Callable[[int, int], object]) -> Any:
    if callable(progress):
        return _Reported(progress)
    from tqdm import tqdm

    return tqdm(
        total=0,
        desc="simulating",
        unit="round",
        leave=False,
        delay=PATIENCE,
        mininterval=0.5,
        disable=None if progress else True,
    )
