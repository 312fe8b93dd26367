"""What policies make of the plates to come, and of other plates, on the same objectives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.advice.advice import PolicyOutcome, ScenarioOutcome
from ombo_agents.campaigns.advice.progress import Progress
from ombo_agents.campaigns.advice.simulating import Simulation, spec_of
from ombo_agents.campaigns.data.known import Known
from ombo_agents.campaigns.space.factors import Floats
from ombo_agents.registry import make
from ombo_gym.evaluation.statistics import mean_interval

FEWEST_WHEN_STOPPED = 20  # objectives that say something, where the others are not waited for
# Quantiles of outcomes that are shown as an 80% interval: models of a few wells are surer of
# themselves than they should be, and about four in five outcomes lay between these in truth, where
# tables and functions were played.
_TAILS = (0.05, 0.95)


@dataclass(frozen=True)
class Futures:
    """Outcomes of all that was played on the same S objectives, as scores (higher is better).

    Attributes:
        plates: As planned.
        outcomes: (S,) of each policy.
        told_one: (S,) of each, told every round that it is the last.
        best: The chosen policy.
        why: It was chosen.
        others: Other plates that were played, by name.
        played: (S,) of the chosen policy on these.
        rugged: (S,) which objectives take what is measured for true.
        note: Where it was stopped early, what is missing; "": nothing is.
    """

    plates: tuple[int, ...]
    outcomes: Mapping[str, Floats]
    told_one: Mapping[str, Floats]
    best: str
    why: str
    others: Mapping[str, tuple[int, ...]]
    played: Mapping[str, Floats]
    rugged: NDArray[np.bool_]
    note: str = ""

    @property
    def count(self) -> int:
        """How many objectives were played, S."""
        return len(self.outcomes[self.best])

    def policies(self, sign: float) -> tuple[PolicyOutcome, ...]:
        """In words of the target, the chosen one first and then from the highest on."""
        rest = set(self.outcomes) - {self.best}
        planned = self.outcomes[self.best]
        found = []
        for name in (self.best, *sorted(rest, key=lambda each: -self.outcomes[each].mean())):
            values = self.outcomes[name]
            low, high = sorted(sign * end for end in range_of(values, self.rugged))
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


def range_of(outcomes: Floats, rugged: NDArray[np.bool_]) -> tuple[float, float]:
    """Between what outcomes are, (S,), whichever noise is: of measurements, or of the objective.

    Nobody knows which of these two the user's is, so that a mixture of both would leave the ends of
    either too near.
    """
    readings = [outcomes[rugged == each] for each in (False, True) if (rugged == each).any()]
    ends = np.array([np.quantile(reading, _TAILS) for reading in readings])  # (readings, 2)
    return float(ends[:, 0].min()), float(ends[:, 1].max())


def rounds_of(known: Known, names: Sequence[str], plates: tuple[int, ...]) -> int:
    """How many rounds are played for each objective."""
    aware = sum(_counts_plates(known, name, plates) for name in names)
    return len(plates) * (len(names) + aware) + sum(map(len, other_plates(plates).values()))


def _counts_plates(known: Known, name: str, plates: tuple[int, ...]) -> bool:
    return len(plates) > 1 and make(name, spec_of(known, plates)).horizon_aware


def futures_of(
    simulation_of: Callable[[str], Simulation],
    names: Sequence[str],
    plates: tuple[int, ...],
    progress: Progress,
) -> Futures:
    """Plays policies on the plates as planned, and the chosen one on others.

    Policies take turns, so that after Ctrl-C there is an answer from those objectives that all of
    them have played.

    Args:
        simulation_of: What a policy is played in.
        names: Of the policies.
        plates: To come.
        progress: Is told what is played.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed before enough was simulated for an answer.
    """
    outcomes, told_one, stopped = _policies_played(simulation_of, names, plates, progress)
    best, why = chosen(outcomes)
    simulation, planned = simulation_of(best), outcomes[best]
    others = other_plates(plates)
    played = {}
    for name, sizes in others.items():
        if not sizes:
            played[name] = simulation.before[: len(planned)]
        elif not stopped:
            progress.begin(f"simulating {best}, {name}")
            try:
                played[name] = simulation.play(best, sizes)
            except KeyboardInterrupt:
                stopped = True
    missing = [name for name in others if name not in played]
    rugged = simulation.rugged[: len(planned)]
    note = ""
    if stopped:
        note = f"stopped early, after {len(planned)} of {len(simulation.before)} simulations"
        note += f"; not simulated: {', '.join(missing)}" if missing else ""
    others = {name: sizes for name, sizes in others.items() if name in played}
    return Futures(plates, outcomes, told_one, best, why, others, played, rugged, note)


def _policies_played(
    simulation_of: Callable[[str], Simulation],
    names: Sequence[str],
    plates: tuple[int, ...],
    progress: Progress,
) -> tuple[dict[str, Floats], dict[str, Floats], bool]:
    """Outcomes (S,) of policies, those told one, and whether some objectives are missing."""
    simulations = {name: simulation_of(name) for name in names}
    aware = [name for name in names if _counts_plates(simulations[name].known, name, plates)]
    chunks = simulations[names[0]].chunks
    outcomes: dict[str, list[Floats]] = {name: [] for name in names}
    told_one: dict[str, list[Floats]] = {name: [] for name in aware}
    done, stopped = 0, False
    try:
        for draws in chunks:
            for name in names:
                progress.begin(f"simulating {name}")
                outcomes[name].append(simulations[name].play(name, plates, draws=draws))
                if name in aware:
                    told = simulations[name].play(name, plates, told_one=True, draws=draws)
                    told_one[name].append(told)
            done += 1
    except KeyboardInterrupt:
        count, total = sum(map(len, chunks[:done])), sum(map(len, chunks))
        if count < min(FEWEST_WHEN_STOPPED, total):
            raise KeyboardInterrupt(
                f"after {count} of {total} simulations, an answer takes {FEWEST_WHEN_STOPPED}"
            ) from None
        stopped = True
    ends = {name: np.concatenate(each[:done]) for name, each in outcomes.items()}
    told_ends = {
        name: np.concatenate(told_one[name][:done]) if name in aware else ends[name]
        for name in names
    }
    return ends, told_ends, stopped


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
