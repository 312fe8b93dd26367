"""The point of the project in two minutes: it pays to know how many rounds are left.

Trains a meta-policy on `Ombo/GP-v0`, finds the best constant and the best static exploration
schedule by exhaustive search, and plays them all over horizons on the same campaigns.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
from stable_baselines3.common.callbacks import ProgressBarCallback

from ombo_agents.bayesian.schedule_search import search_schedules
from ombo_agents.cli.arguments import report_errors
from ombo_agents.cli.evaluate import show
from ombo_agents.learned.training import PPOSettings, train
from ombo_gym.evaluation.evaluate import evaluate
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.markdown import estimate
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import Results
from ombo_gym.evaluation.statistics import Interval, bootstrap_interval, paired_difference

ENV, UTILITY, BATCH_SIZE, HORIZON = "Ombo/GP-v0", "last_mean", 4, 3
HEURISTICS = ("greedy", "greedy_refined", "expected_improvement", "genetic", "random")


@dataclass(frozen=True)
class Args:
    """Trains, searches, evaluates and reports."""

    out: Path = Path("results/demo")
    """Folder for everything."""
    campaigns: int = 1000
    """Campaigns per policy and horizon."""
    steps: int = PPOSettings.steps
    """Rounds to play in training."""
    search: int = 256
    """Campaigns on which every schedule is tried."""
    seed: int = 0
    """Of training; campaigns are evaluated from seed 0 up."""
    jobs: int = os.cpu_count() or 1
    """Processes."""


def main(args: Args) -> None:
    """Runs the demonstration."""
    begun = time.perf_counter()
    launch = Launch("loky", args.jobs)
    trained = args.out / "policy"
    print(f"1. Training a meta-policy on {ENV} ({UTILITY}, q = {BATCH_SIZE}, N = 1 to 5)")
    config = train(
        ENV,
        agent="exploration",
        env_kwargs={"horizon": [1, 5], "batch_size": BATCH_SIZE, "utility": UTILITY},
        settings=PPOSettings(steps=args.steps),
        seed=args.seed,
        out=trained,
        callback=ProgressBarCallback(),
    )
    print(f"   {config['steps']:,} rounds in {config['seconds']} s")

    print(f"2. Trying all exploration schedules for N = {HORIZON}, on other campaigns")
    plan = EvaluationPlan(
        env=ENV,
        policies=["greedy"],
        horizons=[HORIZON],
        utilities=[UTILITY],
        batch_size=BATCH_SIZE,
    )
    schedules = search_schedules(plan, campaigns=args.search, launch=launch)
    args.out.mkdir(parents=True, exist_ok=True)
    schedules.to_csv(args.out / "schedules.csv", index=False)
    constant = schedules[schedules["constant"]].iloc[0]["policy"]
    static = schedules.iloc[0]["policy"]
    print(f"   best constant weight: {constant}\n   best static schedule: {static}")

    print("3. Playing all policies over horizons, on the same campaigns")
    plan = EvaluationPlan(
        env=ENV,
        policies=list(dict.fromkeys([str(trained), static, constant, *HEURISTICS])),
        horizons=[1, 2, HORIZON, 5],
        utilities=[UTILITY, "best"],
        batch_size=BATCH_SIZE,
        campaigns=args.campaigns,
    )
    results = evaluate(plan, out=args.out, launch=launch, command="make demo")
    show(results, args.out)
    print(f"\n{findings(results, str(trained), constant, static)}")
    print(f"\n{time.perf_counter() - begun:.0f} s in all")


def findings(results: Results, trained: str, constant: str, static: str) -> str:
    """What the demonstration shows, in words and intervals."""

    def values(policy: str, horizon: int) -> np.ndarray:
        table = results.campaigns
        own = table[
            (table["policy"] == policy)
            & (table["told_horizon"] == "true")
            & (table["horizon"] == horizon)
            & (table["utility"] == UTILITY)
        ]
        found: np.ndarray = own["value"].to_numpy()  # (campaigns,)
        return found

    ours = values(trained, HORIZON)
    greedy = ratio(ours, values("greedy", HORIZON))
    refined = ratio(ours, values("greedy_refined", HORIZON))
    best_static = ratio(ours, values(static, HORIZON))
    over_constant = paired_difference(ours, values(constant, HORIZON))
    one_round = paired_difference(values(trained, 1), values("greedy", 1))
    weights = mean_weights(results.exploration, trained)
    lines = [
        f"N = {HORIZON}, {UTILITY}, {len(ours)} campaigns, 95% intervals:",
        f"  trained / greedy (the best of 256 candidates, {HORIZON} times)  {estimate(*greedy)}",
        f"  trained / greedy_refined (the one-round optimum, {HORIZON} times)  "
        f"{estimate(*refined)}",
        f"  trained - best constant weight ({constant})  {estimate(*over_constant)}",
        f"  trained / best static schedule ({static})  {estimate(*best_static)}",
        f"  trained - greedy at N = 1  {estimate(*one_round)}",
        f"  its mean exploration weights by round: {', '.join(f'{w:.2f}' for w in weights)}",
    ]
    return "\n".join(lines)


def ratio(a: np.ndarray, b: np.ndarray) -> Interval:
    """Ratio of mean utilities on the same campaigns, with a bootstrap interval."""
    return bootstrap_interval(lambda x, y: x.mean(-1) / y.mean(-1), a, b)


def mean_weights(exploration: pd.DataFrame, policy: str) -> list[float]:
    """A policy's mean exploration weight in each round of the demonstration's horizon."""
    own = exploration[
        (exploration["policy"] == policy)
        & (exploration["told_horizon"] == "true")
        & (exploration["horizon"] == HORIZON)
        & (exploration["utility"] == UTILITY)
    ]
    return [float(weight) for weight in own.sort_values("round")["weight_mean"]]


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args))
