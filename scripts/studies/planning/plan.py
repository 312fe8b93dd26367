"""What is played: rollout and everybody else, the nearest of them on further campaigns too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import gymnasium as gym
import pandas as pd

import ombo_agents
from ombo_agents.bayesian.schedule_search import WEIGHTS, search_schedules
from ombo_agents.offline import METHODS
from ombo_gym.evaluation.plan import EvaluationPlan
from scripts.studies import study
from scripts.studies.campaigns import launch_of, play
from scripts.studies.planning.differences import PLANNER, differences

ENV, BATCH_SIZE, HORIZON = "Ombo/GP-v0", 4, 3
UTILITIES = ("best", "last_mean")
NEAREST = 4  # policies that ignore N and play again on fresh campaigns
BOTORCH = ("botorch_logei", "botorch_kg", "botorch_multistep")
SLOW = (*METHODS, *BOTORCH)  # a tenth of a second a decision, or seconds


@dataclass(frozen=True)
class Args(study.Args):
    """Rollout and everybody else on GP-v0, N = 3 (half an hour or so)."""

    campaigns: int = 1000
    """Per policy and utility."""
    few: int = 100
    """The first of them, which slow policies play; all of them where that leaves it open whether
    they are below rollout."""
    further: int = 4000
    """Fresh ones, on which the nearest rivals play again; 0: none."""
    search: int = 256
    """Other campaigns on which every exploration schedule is tried."""


class Comparison(NamedTuple):
    """The planner against everybody else.

    Attributes:
        first: Differences on the campaigns that all play, as `differences` makes them.
        fresh: The same on other campaigns, which the nearest rivals played again.
        static: Best static schedule by utility.
    """

    first: pd.DataFrame
    fresh: pd.DataFrame
    static: Mapping[str, str]


def plan(args: Args) -> Comparison:
    """Plays everybody, then those again whom the first campaigns leave open."""
    static = {utility: best_schedule(utility, args) for utility in UTILITIES}
    plans = [
        each
        for utility in UTILITIES
        for each in (
            _plan([*fast(utility), *constants(), static[utility]], utility, args.campaigns),
            _plan(slow(utility), utility, min(args.few, args.campaigns), block=10),
        )
    ]
    campaigns = play(plans, args)
    if open_rivals := undecided(differences(campaigns)):
        more = [_plan(names, utility, args.campaigns) for utility, names in open_rivals.items()]
        campaigns = pd.concat([campaigns, play(more, args)], ignore_index=True)
        campaigns = campaigns.drop_duplicates(["utility", "policy", "seed"], ignore_index=True)
    first = differences(campaigns)
    fresh = first.iloc[:0]
    if args.further:
        again = [
            _plan(names, utility, args.further, seed=args.campaigns)
            for utility, names in finalists(first, static).items()
        ]
        fresh = differences(play(again, args))
    return Comparison(first, fresh, static)


def _plan(
    policies: list[str], utility: str, campaigns: int, *, block: int = 250, seed: int = 0
) -> EvaluationPlan:
    return EvaluationPlan(
        ENV,
        policies,
        [HORIZON],
        utilities=[utility],
        batch_size=BATCH_SIZE,
        campaigns=campaigns,
        seed=seed,
        told=("true",),
        block=block,
    )


def undecided(table: pd.DataFrame) -> dict[str, list[str]]:
    """Slow policies that ignore N and may, by the few campaigns they played, be level or better."""
    level = table["policy"].isin(SLOW) & ~table["knows_horizon"] & (table["difference_low"] <= 0)
    return {str(name): list(part["policy"]) for name, part in table[level].groupby("utility")}


def finalists(table: pd.DataFrame, static: Mapping[str, str]) -> dict[str, list[str]]:
    """Rollout, the best static schedule, and who came nearest among those that played all.

    The best of many is also the luckiest, and so is a rival's distance to it: these play again.
    """
    names = {}
    for utility, part in table[~table["policy"].isin(SLOW)].groupby("utility", sort=False):
        rivals = part[~part["policy"].isin((PLANNER, static[str(utility)]))]
        ignoring = rivals[~rivals["knows_horizon"]].nsmallest(NEAREST, "difference")["policy"]
        aware = rivals[rivals["knows_horizon"]].nsmallest(1, "difference")["policy"]
        names[str(utility)] = [PLANNER, static[str(utility)], *ignoring, *aware]
    return names


def best_schedule(utility: str, args: Args) -> str:
    """The static exploration schedule with the largest mean utility, on other campaigns."""
    kept = args.runs / f"schedules-{utility}.csv"
    if not (args.resume and kept.is_file()):
        greedy = EvaluationPlan(
            ENV, ["greedy"], [HORIZON], utilities=[utility], batch_size=BATCH_SIZE
        )
        schedules = search_schedules(
            greedy, campaigns=args.search, climb=True, launch=launch_of(args.jobs)
        )
        kept.parent.mkdir(parents=True, exist_ok=True)
        schedules.to_csv(kept, index=False)
    schedules = pd.read_csv(kept)
    best: str = schedules.loc[~schedules["constant"], "policy"].iloc[0]
    return best


def constants() -> list[str]:
    """Upper confidence bounds with one weight for all rounds; with 2, it is `ucb`."""
    return [f"ucb:weight={weight:g}" for weight in WEIGHTS if weight != 2]


def suiting(utility: str) -> list[str]:
    """The policies that can play."""
    env = gym.make(ENV, horizon=HORIZON, batch_size=BATCH_SIZE, utility=utility)
    return [name for name in ombo_agents.names() if ombo_agents.supports(name, env)]


def fast(utility: str) -> list[str]:
    """Those that play all campaigns."""
    return [name for name in suiting(utility) if name not in SLOW]


def slow(utility: str) -> list[str]:
    """Those that play the first few."""
    return [name for name in suiting(utility) if name in SLOW]
