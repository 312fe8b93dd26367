"""docs/results/truncation.md: what telling a fitted model its start's origin is worth."""

from __future__ import annotations

import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import bold, mean_estimate, section, table
from scripts.studies.recipes import recipes_line
from scripts.studies.study import Page
from scripts.studies.truncation.plan import POLICIES, Args

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


def page(gains: pd.DataFrame, args: Args) -> Page:
    """The page; it has neither tables nor pictures beside it.

    Args:
        gains: A row per problem, horizon, policy and campaign.
        args: As the study was run.
    """
    text = markdown.page(
        _HEAD.format(campaigns=f"{args.campaigns:,}", problems=gains["problem"].nunique()),
        recipes_line("fit"),
        *(section(f"N = {n}", _gain_table(part)) for n, part in gains.groupby("horizon")),
        section("How it was made", f"    {args.command}"),
    )
    return Page(text, {})


def _gain_table(gains: pd.DataFrame) -> str:
    """A row per problem below that of the mean over problems, a column per policy."""
    policies = [name for name in POLICIES if (gains["policy"] == name).any()]
    means = gains.groupby(["policy", "problem"])["gain"].mean()
    rows = [
        [
            bold("mean over problems"),
            *(mean_estimate(means[policy].to_numpy(), signed=True) for policy in policies),
        ]
    ]
    for problem in dict.fromkeys(gains["problem"]):
        part = gains[gains["problem"] == problem]
        columns = [part.loc[part["policy"] == policy, "gain"] for policy in policies]
        rows.append(
            [problem, *(mean_estimate(column.to_numpy(), signed=True) for column in columns)]
        )
    return table(["problem", *policies], rows)
