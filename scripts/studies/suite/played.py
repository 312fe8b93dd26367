"""How far a suite is played: which problems of its grid, and by whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from ombo_gym.evaluation.markdown import code
from ombo_gym.evaluation.plan import EvaluationPlan
from scripts.studies.scores import short_name


def played_so_far(
    campaigns: pd.DataFrame, plans: Sequence[EvaluationPlan], grid: str | Path
) -> str:
    """A line that says what is there of a suite; "" where all of it is.

    A problem is played where somebody has played it from all starts, at all horizons and for all
    utilities.

    Args:
        campaigns: A row per campaign, with the columns of `campaigns.csv`.
        plans: What the grid asks for.
        grid: Its file.
    """
    columns = ["env", "env_kwargs", "horizon", "utility"]
    there = set(campaigns[columns].drop_duplicates().itertuples(index=False, name=None))
    settings: dict[str, set[tuple[str, str, int, str]]] = {}  # by problem, whatever its start
    for plan in plans:
        of_problem = settings.setdefault(short_name(plan.env, plan.arguments), set())
        of_problem |= {
            (plan.env, plan.arguments, cell.horizon, cell.utility) for cell in plan.cells()
        }
    played = [name for name, wanted in settings.items() if wanted <= there]
    who = dict.fromkeys(campaigns["policy"])
    absent = [name for name in dict.fromkeys(_policies(plans)) if name not in who]
    if len(played) == len(settings) and not absent:
        return ""
    names = f" ({', '.join(played)})" if played else ""
    return (
        f"Played so far: {len(played)} of the {len(settings)} problems of {code(grid)}{names}"
        f"{_without(absent, who)}; {_counts(campaigns)}."
    )


def _policies(plans: Sequence[EvaluationPlan]) -> Iterable[str]:
    return (cell.policy for plan in plans for cell in plan.cells())


def _without(absent: Sequence[str], who: Iterable[str]) -> str:
    """Who has not played anywhere, in words."""
    if not absent:
        return ""
    trained = [name for name in absent if "/" in name]
    if trained and not any("/" in name for name in who):
        absent = ["trained policies", *(code(name) for name in absent if name not in trained)]
    else:
        absent = [code(name) for name in absent]
    return f", without {_listed(absent)}"


def _counts(campaigns: pd.DataFrame) -> str:
    """How many campaigns of a setting there are, by policy, in words."""
    counts = campaigns.groupby("policy", sort=False)["campaign"].nunique()
    most = counts.max()
    fewer: dict[int, list[str]] = {}
    for policy, count in counts[counts < most].items():
        fewer.setdefault(int(count), []).append(code(policy))
    words = [f"{most} campaigns of each setting"]
    words += [f"{count} of {_listed(names)}" for count, names in sorted(fewer.items())[::-1]]
    return ", ".join(words)


def _listed(names: Sequence[str]) -> str:
    """Names with commas between, and "and" before the last."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
