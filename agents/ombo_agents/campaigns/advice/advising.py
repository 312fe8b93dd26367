"""Which policy to follow on the plates that are left, and what other plates would bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ombo_agents.campaigns.advice.advice import Advice, PolicyOutcome, ScenarioOutcome
from ombo_agents.campaigns.advice.drawing import DrawnObjectives
from ombo_agents.campaigns.advice.ends import ends_of
from ombo_agents.campaigns.advice.futures import futures_of, rounds_of
from ombo_agents.campaigns.advice.models import models_of
from ombo_agents.campaigns.advice.progress import Progress
from ombo_agents.campaigns.advice.simulating import CHUNK, CHUNK_OF_COSTLY, Simulation
from ombo_agents.campaigns.advice.thinning import candidates_of, is_long, looks_at_no_values
from ombo_agents.campaigns.advice.trust import Trust, too_few, trust_of
from ombo_agents.campaigns.data.campaign_data import CampaignData
from ombo_agents.campaigns.data.known import Known
from ombo_agents.campaigns.plates.choosing import DEFAULT, space_filling
from ombo_agents.registry import make, supports
from ombo_gym.arguments import batch_sizes_of_plates, members, shown, whole
from ombo_gym.design_spaces.values import is_number
from ombo_gym.spec import CampaignSpec
from ombo_gym.utilities import make_utility

POLICIES = (DEFAULT, "explore_then_exploit", "rollout", "greedy", "random")
SIMULATIONS = 200
_COSTLY = 60  # where plates share values, or designs are many: each campaign takes its time
_FEWEST = 40  # simulations, where rows are many
_ROWS_SQUARED = 2**22  # rows known or to come, squared, times simulations: more of these take long


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
    asked = _Asked(data, plates, worth, seed)
    with Progress(progress) as steps:
        return _advice(asked, policies, simulations, steps)


def _advice(
    asked: _Asked, policies: Sequence[str] | None, simulations: int | None, steps: Progress
) -> Advice:
    """The advice, where what was asked is as it should be."""
    data, plates, seed = asked.data, asked.plates, asked.seed
    known = data.known(plates, seed=seed)
    names = _checked_policies(policies, known.spec)
    fallback = space_filling(known.spec)
    if (few := too_few(known)) is not None:
        return asked.advice(few, fallback, _why_not(few), 0)
    if simulations is None:
        simulations = _number_of_simulations(known)
    steps.plan(simulations * rounds_of(known, names, plates), 3)
    steps.begin("fitting models to the data")
    done = np.isfinite(data.measured.values)
    num_start = int(done[: known.num_start].sum())
    models = models_of(known.spec, known.designs[done], known.values[done], num_start)
    steps.prepared("testing whether the data look like the models")
    trust = trust_of(known, models, seed)
    if not trust.trusted and fallback not in names:
        steps.more(
            simulations
            * (rounds_of(known, (*names, fallback), plates) - rounds_of(known, names, plates))
        )
        names = (*names, fallback)
    steps.prepared("drawing objectives")
    likeliest = max(models, key=lambda model: model.weight).posterior
    candidates = candidates_of(known, likeliest, sum(plates) + max(plates), seed)
    ends, told = ends_of(data, known.values[done]), known.measured.noise_std is not None
    objectives = DrawnObjectives(models, simulations, seed, noise_is_known=told, ends=ends)
    chunk = CHUNK_OF_COSTLY if candidates.thinned else CHUNK
    among_all, among_spread = (
        Simulation(each, objectives, seed, steps.advance, chunk)
        for each in (candidates.known, candidates.spread)
    )
    steps.prepared("simulating")
    futures = futures_of(
        lambda name: among_spread if looks_at_no_values(name, known.spec) else among_all,
        names,
        plates,
        steps,
    )
    follow, reason = futures.best, futures.why
    if not trust.trusted:
        follow, reason = fallback, _why_not(trust)
    notes = [futures.note, candidates.note if candidates.thinned else ""]
    sign = data.settings.sign
    return asked.advice(
        trust,
        follow,
        reason,
        futures.count,
        futures.policies(sign),
        futures.scenarios(sign, asked.worth),
        tuple(note for note in notes if note),
    )


def _number_of_simulations(known: Known) -> int:
    """How many objectives are drawn, where nobody says."""
    costly = known.encoding.space.plate or is_long(known)
    most = _COSTLY if costly else SIMULATIONS
    return max(_FEWEST, min(most, _ROWS_SQUARED // known.spec.capacity**2))


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
        notes: tuple[str, ...] = (),
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
            notes=notes,
            running=int(np.isnan(data.measured.values).sum()),
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
