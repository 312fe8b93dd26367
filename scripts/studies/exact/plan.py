"""What is solved: small campaigns; what policies are worth on them, without sampling noise."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pandas as pd
from stable_baselines3.common.callbacks import ProgressBarCallback
from tqdm import tqdm

import ombo_agents
from ombo_agents.learned.storage import CONFIG
from ombo_agents.learned.training import SETTINGS, train, training_seconds
from ombo_agents.planners.dynamic_programming import MAX_STATES, TooManyStates, solve_campaign
from ombo_agents.planners.evaluation import PolicyValue, evaluate_policy
from ombo_agents.planners.exact_rollout import ExactRollout
from ombo_gym.spec import campaign_spec
from scripts.studies import study
from scripts.studies.exact.cases import CASES, Case

SEEDS = (0, 1, 2)  # of trained policies
GAP = 0.01  # of the optimum: where knowing N is worth less, shares of the gap mean nothing
OTHERS = ("thompson", "ucb")
MAX_DATASETS = 100_000  # beyond, policies that look at the order of the dataset are left out


@dataclass(frozen=True)
class Args(study.Args):
    """Policies against the exact optimum; trains where there is no trained policy yet."""

    train: bool = True
    """Train policies that are not there yet; otherwise the page has dashes for them."""


def plan(args: Args) -> pd.DataFrame:
    """What policies are worth, a row per case and horizon."""
    for case in CASES if args.train else ():
        _train(case, args.runs)
    values = [values_of(case, args.runs) for case in tqdm(CASES, unit="problem", disable=None)]
    return pd.concat(values, ignore_index=True)


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


def values_of(case: Case, runs: Path) -> pd.DataFrame:
    """What policies are worth in one case, a row per horizon."""
    rows = []
    for horizon in case.horizons:
        row: dict[str, Any] = {"case": case.name, "horizon": horizon}
        row |= _planned_values(case, horizon) | _trained_values(case, horizon, runs)
        gap = row["optimum"] - row["one_step_uniform"]
        wide = gap > GAP * abs(row["optimum"])
        for name, closed in (("trained", "gap_closed"), ("rollout", "rollout_gap_closed")):
            row[closed] = (row[name] - row["one_step_uniform"]) / gap if wide else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def _planned_values(case: Case, horizon: int) -> dict[str, float]:
    """Of the optimum, of policies that look one and two rounds ahead, and of heuristics."""
    env = case.make(horizon)
    spec = campaign_spec(env)
    values = {"optimum": solve_campaign(spec).value()}
    for name, lookahead in (("one_step", 1), ("rolling_2", 2)):
        solution = solve_campaign(spec, lookahead=lookahead)
        for ties in ("worst", "uniform", "best"):
            values[f"{name}_{ties}"] = solution.value(ties)
    for name in OTHERS:
        values[name] = _exact_value(env, name)
    is_exact = isinstance(ombo_agents.make("rollout", env), ExactRollout)
    values["rollout"] = _exact_value(env, "rollout") if is_exact else np.nan
    return values


def _trained_values(case: Case, horizon: int, runs: Path) -> dict[str, float]:
    """Of trained policies, by seed and in the mean, with what their training took."""
    values: dict[str, float] = {"trained": np.nan, "fresh": np.nan}
    folders = [run_folder(case, seed, runs) for seed in SEEDS]
    if horizon != case.trained or not all((folder / CONFIG).is_file() for folder in folders):
        return values
    env = case.make(horizon)
    trained = [_exact_value(env, str(folder)) for folder in folders]
    values |= {f"trained_{seed}": value for seed, value in zip(SEEDS, trained, strict=True)}
    values["trained"] = float(np.mean(trained))
    further = [run_folder(case, seed, runs) for seed in case.fresh]
    fresh = [_exact_value(env, str(folder)) for folder in further if (folder / CONFIG).is_file()]
    values["fresh"] = float(np.mean(fresh)) if fresh else np.nan
    configs = [json.loads((folder / CONFIG).read_text()) for folder in folders]
    values["steps"] = configs[0]["steps"]
    values["seconds"] = max(training_seconds(folder) for folder in folders)
    return values


def _exact_value(env: gym.Env[Any, Any], name: str) -> float:
    """A policy's exact value; NaN where it is out of reach or would be an estimate."""
    policy = ombo_agents.make(name, env)
    max_states = MAX_STATES if policy.exchangeable else MAX_DATASETS
    try:
        value: PolicyValue = evaluate_policy(env, policy, samples=1, max_states=max_states)
    except TooManyStates:
        return float("nan")
    return value.value if value.exact else float("nan")
