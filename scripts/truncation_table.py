"""Writes docs/results/truncation.md: what telling a fitted model its start's origin is worth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tyro

from ombo_agents.cli.arguments import report_errors
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.problem_scores import problem_scores
from ombo_gym.evaluation.statistics import mean_interval
from scripts.played import played

PROBLEMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Ombo/Reaction-v0", {}),
    ("Ombo/Reaction-v0", {"dataset": "denmark"}),
    ("Ombo/CrossedBarrel-v0", {}),
    ("Ombo/Materials-v0", {}),
    ("Ombo/Antibody-v0", {}),
    ("Ombo/MPSA-v0", {}),
    ("Ombo/Molecule-v0", {}),
    ("Ombo/TFBinding-v0", {"split": "train"}),
    ("Ombo/Tuning-v0", {"split": "train"}),
    ("Ombo/Tuning-v0", {"benchmark": "nasbench201", "split": "train"}),
)
POLICIES = ("greedy", "ucb", "expected_improvement", "thompson")
HORIZONS = (1, 3)
BATCH_SIZE = 4

_HEAD = """# Truncated starts: a model that is told which half it sees

The problems below start with designs at or below the median of all values, as offline model-based
optimization does. A model that is fitted to them takes their mean for the mean of all. A fitted
surrogate shifts its prior mean up, and widens its scale, by what the truncation implies for a
normal population (`ombo_gym.surrogates.truncation`): under a start at the median, 1.32 and 1.66
standard deviations of what is seen, in proportion to the start's share of the data. This is what
it is worth: the problem score (0 the start's best value, 1 the optimum) with the shift minus
without it (`surrogate={{"truncation": False}}`), utility `best`, q = 4, {campaigns} campaigns for
each number, paired by campaign; means over problems with intervals over the {problems} problems.
All intervals are 95%."""


@dataclass(frozen=True)
class Args:
    """Plays the campaigns that are not there yet, and writes the page."""

    out: Path = Path("docs/results")
    """Folder for truncation.md."""
    runs: Path = Path("runs/truncation")
    """Folder where finished campaigns are kept."""
    campaigns: int = 300
    """Per policy, problem and horizon."""
    jobs: int = 2
    """Processes."""
    resume: bool = False
    """Take what an earlier run into the same folder has finished."""
    command: str = "make truncation-table"
    """What the page says repeats it."""


def main(args: Args) -> None:
    """Writes the page."""
    plans = [
        EvaluationPlan(
            env_id,
            POLICIES,
            HORIZONS,
            batch_size=BATCH_SIZE,
            campaigns=args.campaigns,
            told=("true",),
            env_kwargs={**arguments, "surrogate": {"kernel": "fit", "truncation": truncation}},
        )
        for env_id, arguments in PROBLEMS
        for truncation in (False, True)
    ]
    campaigns = played(plans, args.runs, jobs=args.jobs, resume=args.resume)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "truncation.md").write_text(page(gains(problem_scores(campaigns)), args))
    print(f"page  {args.out / 'truncation.md'}")


def gains(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The score with the shift minus without, a row per problem, horizon, policy and campaign."""
    given = [json.loads(text) for text in campaigns["env_kwargs"]]
    shifted = [arguments.pop("surrogate")["truncation"] for arguments in given]
    names = [
        " ".join([env_id, *(str(value) for value in arguments.values())])
        for env_id, arguments in zip(campaigns["env"], given, strict=True)
    ]
    keys = ["problem", "horizon", "policy", "seed"]
    wide = campaigns.assign(problem=names, shifted=shifted).pivot(
        index=keys, columns="shifted", values="problem_score"
    )
    return (wide[True] - wide[False]).rename("gain").reset_index()


def page(table: pd.DataFrame, args: Args) -> str:
    """The page's text."""
    problems = list(dict.fromkeys(table["problem"]))
    parts = [_HEAD.format(campaigns=f"{args.campaigns:,}", problems=len(problems))]
    for horizon, rows in table.groupby("horizon"):
        lines = [f"| problem | {' | '.join(POLICIES)} |", "|---" * (1 + len(POLICIES)) + "|"]
        means = rows.groupby(["policy", "problem"])["gain"].mean()
        over_problems = [_signed(means[policy].to_numpy()) for policy in POLICIES]
        lines.append(f"| **mean over problems** | {' | '.join(over_problems)} |")
        for problem in problems:
            own = rows[rows["problem"] == problem]
            cells = [
                _signed(own.loc[own["policy"] == policy, "gain"].to_numpy()) for policy in POLICIES
            ]
            lines.append(f"| {problem} | {' | '.join(cells)} |")
        parts.append(f"## N = {horizon}\n\n" + "\n".join(lines))
    parts.append(f"## How it was made\n\n    {args.command}")
    return "\n\n".join(parts) + "\n"


def _signed(gain: np.ndarray) -> str:
    mean, low, high = mean_interval(gain)
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args))
