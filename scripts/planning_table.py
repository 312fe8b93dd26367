"""Writes docs/results/planning.md: does it pay to simulate the rest of the campaign?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gymnasium as gym
import pandas as pd
import tyro

import ombo_agents
from ombo_agents.bayesian.schedule_search import WEIGHTS, search_schedules
from ombo_agents.cli.arguments import report_errors
from ombo_agents.offline import METHODS
from ombo_gym.evaluation.plan import EvaluationPlan
from scripts.planning_page import PLANNER, differences, write_page
from scripts.played import launch_of, played

ENV, BATCH_SIZE, HORIZON = "Ombo/GP-v0", 4, 3
UTILITIES = ("best", "last_mean")
NEAREST = 4  # policies that ignore N and play again on fresh campaigns
BOTORCH = ("botorch_logei", "botorch_kg", "botorch_multistep")
SLOW = (*METHODS, *BOTORCH)  # a tenth of a second a decision, or seconds


@dataclass(frozen=True)
class Args:
    """Plays the campaigns that are not there yet, and writes the page."""

    out: Path = Path("docs/results")
    """Folder for planning.md and planning.csv."""
    runs: Path = Path("runs/planning")
    """Folder where finished campaigns are kept."""
    campaigns: int = 1000
    """Per policy and utility."""
    few: int = 100
    """The first of them, which slow policies play; all of them where that leaves it open whether
    they are below rollout."""
    further: int = 4000
    """Fresh ones, on which the nearest rivals play again; 0: none."""
    search: int = 256
    """Other campaigns on which every exploration schedule is tried."""
    jobs: int = 2
    """Processes."""
    resume: bool = False
    """Take what an earlier run into the same folder has finished."""
    command: str = "make planning-table"
    """What the page says repeats it."""


def main(args: Args) -> None:
    """Writes the page."""
    static = {utility: best_schedule(utility, args) for utility in UTILITIES}
    plans = [
        plan
        for utility in UTILITIES
        for plan in (
            _plan([*fast(utility), *constants(), static[utility]], utility, args.campaigns),
            _plan(slow(utility), utility, min(args.few, args.campaigns), block=10),
        )
    ]
    campaigns = played(plans, args.runs, jobs=args.jobs, resume=args.resume)
    if open_rivals := undecided(differences(campaigns)):
        more = [_plan(names, utility, args.campaigns) for utility, names in open_rivals.items()]
        found = played(more, args.runs, jobs=args.jobs, resume=args.resume)
        campaigns = pd.concat([campaigns, found], ignore_index=True)
        campaigns = campaigns.drop_duplicates(["utility", "policy", "seed"], ignore_index=True)
    fresh = None
    if args.further:
        nearest = finalists(differences(campaigns), static)
        again = [
            _plan(names, utility, args.further, seed=args.campaigns)
            for utility, names in nearest.items()
        ]
        fresh = played(again, args.runs, jobs=args.jobs, resume=args.resume)
    args.out.mkdir(parents=True, exist_ok=True)
    write_page(campaigns, fresh, static, args.out, args.command)
    print(f"page   {args.out / 'planning.md'}\ntable  {args.out / 'planning.csv'}")


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


def finalists(table: pd.DataFrame, static: dict[str, str]) -> dict[str, list[str]]:
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
        plan = EvaluationPlan(
            ENV, ["greedy"], [HORIZON], utilities=[utility], batch_size=BATCH_SIZE
        )
        launch = launch_of(args.jobs)
        found = search_schedules(plan, campaigns=args.search, climb=True, launch=launch)
        kept.parent.mkdir(parents=True, exist_ok=True)
        found.to_csv(kept, index=False)
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


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args))
