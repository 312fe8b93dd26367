"""Writes docs/results/exact.md: policies against the exact optimum, in a table and in pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pandas as pd
import tyro
from stable_baselines3.common.callbacks import ProgressBarCallback
from tqdm import tqdm

import ombo_agents
from ombo_agents.cli.arguments import report_errors
from ombo_agents.learned.storage import CONFIG
from ombo_agents.learned.training import SETTINGS, train
from ombo_agents.planners.dynamic_programming import MAX_STATES, TooManyStates, solve_campaign
from ombo_agents.planners.evaluation import PolicyValue, evaluate_policy
from ombo_agents.planners.exact_rollout import ExactRollout
from ombo_gym.spec import campaign_spec
from scripts.exact_cases import CASES, Case
from scripts.exact_figures import draw_case
from scripts.exact_page import write_page

SEEDS = (0, 1, 2)  # of trained policies
GAP = 0.01  # of the optimum: where knowing N is worth less, shares of the gap mean nothing
_OTHERS = ("thompson", "ucb")
_MAX_DATASETS = 100_000  # beyond, policies that look at the order of the dataset are left out


@dataclass(frozen=True)
class Args:
    """Solves, trains where there is no trained policy yet, and writes the page."""

    out: Path = Path("docs/results")
    """Folder for exact.md, exact.csv and exact/*.png."""
    runs: Path = Path("runs/exact")
    """Folder of the trained policies; those that are there are not trained again."""
    train: bool = True
    """Train policies that are not there yet; otherwise the page has dashes for them."""
    command: str = "make exact-table"
    """What the page says repeats it."""


def main(args: Args) -> None:
    """Writes the page."""
    for case in CASES if args.train else ():
        _train(case, args.runs)
    table = pd.concat(
        [_values(case, args.runs) for case in tqdm(CASES, unit="problem", disable=None)],
        ignore_index=True,
    )
    pictures = args.out / "exact"
    pictures.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out / "exact.csv", index=False, float_format="%.9g")
    for case in CASES:
        draw_case(table[table["case"] == case.name], pictures / f"{case.name}.png")
    page = args.out / "exact.md"
    page.write_text(write_page(table, args.command))
    print(f"page     {page}\ntable    {args.out / 'exact.csv'}\npictures {pictures}/")


def run_folder(case: Case, seed: int, runs: Path) -> Path:
    """Where a trained policy is."""
    return runs / f"{case.name}-{seed}"


def _train(case: Case, runs: Path) -> None:
    default = SETTINGS["direct"]
    for seed in (*SEEDS, *case.fresh) if case.trained else ():
        out = run_folder(case, seed, runs)
        if (out / CONFIG).is_file():
            continue
        print(f"training {out} (N = {case.trained})")
        train(
            case.env,
            agent="direct",
            env_kwargs=case.arguments(case.trained),
            settings=replace(default, steps=case.steps or default.steps),
            seed=seed,
            out=out,
            callback=ProgressBarCallback(),
        )


def _values(case: Case, runs: Path) -> pd.DataFrame:
    """What policies are worth, a row per horizon."""
    rows = []
    for horizon in case.horizons:
        env = case.make(horizon)
        spec = campaign_spec(env)
        row: dict[str, Any] = {"case": case.name, "horizon": horizon}
        row["optimum"] = solve_campaign(spec).value()
        for name, lookahead in (("one_step", 1), ("rolling_2", 2)):
            plan = solve_campaign(spec, lookahead=lookahead)
            for ties in ("worst", "uniform", "best"):
                row[f"{name}_{ties}"] = plan.value(ties)
        for name in _OTHERS:
            row[name] = _exactly(env, name)
        is_exact = isinstance(ombo_agents.make("rollout", env), ExactRollout)
        row["rollout"] = _exactly(env, "rollout") if is_exact else np.nan
        folders = [run_folder(case, seed, runs) for seed in SEEDS]
        there = horizon == case.trained and all((f / CONFIG).is_file() for f in folders)
        trained = [_exactly(env, str(folder)) for folder in folders] if there else []
        row |= {f"trained_{seed}": value for seed, value in zip(SEEDS, trained, strict=False)}
        row["trained"] = np.mean(trained) if trained else np.nan
        others = [run_folder(case, seed, runs) for seed in case.fresh] if there else []
        fresh = [_exactly(env, str(folder)) for folder in others if (folder / CONFIG).is_file()]
        row["fresh"] = np.mean(fresh) if fresh else np.nan
        if trained:
            configs = [json.loads((folder / CONFIG).read_text()) for folder in folders]
            row["steps"] = configs[0]["steps"]
            row["seconds"] = max(config["seconds"] for config in configs)
        gap = row["optimum"] - row["one_step_uniform"]
        wide = gap > GAP * abs(row["optimum"])
        for name, closed in (("trained", "gap_closed"), ("rollout", "rollout_gap_closed")):
            row[closed] = (row[name] - row["one_step_uniform"]) / gap if wide else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def _exactly(env: gym.Env, policy: str) -> float:
    """A policy's exact value; NaN where it is out of reach or would be an estimate."""
    made = ombo_agents.make(policy, env)
    most = MAX_STATES if made.exchangeable else _MAX_DATASETS
    try:
        found: PolicyValue = evaluate_policy(env, made, samples=1, max_states=most)
    except TooManyStates:
        return float("nan")
    return found.value if found.exact else float("nan")


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args))
