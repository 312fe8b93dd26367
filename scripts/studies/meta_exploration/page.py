"""docs/results/meta_exploration.md: scores on the test, and differences to other policies."""

from __future__ import annotations

import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import code, difference, estimate, frame_table, section, table
from ombo_gym.evaluation.statistics import mean_interval
from scripts.studies.meta_exploration.plan import META, PROTOCOL, Args, Finished
from scripts.studies.study import Page, csv

_HEAD = """# Exploration learned over many tasks, by the plain recipe

One policy is trained over `{protocol}:train` with PPO (stable-baselines3) through the exploration
control: N from 1 to 10, q from 1 to 16, utility `best` or `last_mean`, both kinds of start,
{steps:,} rounds, {minutes:.0f} minutes. Its checkpoint is chosen on `{protocol}:validation`.
Here it plays `{protocol}:test`, families that it has never met, {campaigns} campaigns of every
task, beside the two policies that the suite trains on one problem each (for `last_mean`, N up to 5,
q = 4) and two exploration weights that never change. All play the same campaigns through the same
control. A baseline, whatever it shows: nothing of it was tuned on the test."""
_OVER = """Mean score over problems, each weighing alike, and the mean difference of the policy of
many tasks to each other one; 95% intervals over problems, **bold** where one excludes 0."""
_BY = """Mean score of the policy of many tasks, and its difference to each other one over the same
campaigns, both utilities and kinds of start together; 95% intervals over campaigns."""
_VALIDATION = """`difference` is to the checkpoint that was kept before, with its 95% interval."""


def page(found: Finished, args: Args) -> Page:
    """The page, and a table of scores by problem beside it."""
    campaigns = found.campaigns
    problems = by_problem(campaigns)
    rounds = int(found.validation["rounds"].max())
    head = _HEAD.format(
        protocol=PROTOCOL,
        steps=rounds,
        minutes=found.seconds / 60,
        campaigns=args.campaigns,
    )
    blocks = [
        section("Over problems", _OVER, _over_problems(campaigns)),
        section("Problem by problem", _BY, _problem_table(problems)),
        section("What validation found", _VALIDATION, frame_table(found.validation)),
        section("How it was made", f"    {args.command}"),
    ]
    return Page(markdown.page(head, *blocks), {args.out / "meta_exploration.csv": csv(problems)})


def by_problem(campaigns: pd.DataFrame) -> pd.DataFrame:
    """A row per problem and policy: the mean score, and how much the policy of many tasks has more.

    Args:
        campaigns: As `Finished` has them.
    """
    keys = ["env", "env_kwargs"]
    rows = []
    for names, part in campaigns.groupby(keys, sort=False):
        wide = part.pivot(index=["task", "campaign"], columns="policy", values="score")
        for policy in dict.fromkeys(part["policy"]):
            gained = mean_interval((wide[META] - wide[policy]).to_numpy())
            rows.append((*names, policy, len(wide), wide[policy].mean(), *gained))
    return pd.DataFrame(
        rows, columns=[*keys, "policy", "campaigns", "score", "minus", "minus_low", "minus_high"]
    )


def _over_problems(campaigns: pd.DataFrame) -> str:
    """A row per start and utility, and one for all, with a column per policy."""
    policies = list(dict.fromkeys(campaigns["policy"]))
    parts = [("all", campaigns)]
    for (start, utility), part in campaigns.groupby(["start", "utility"], sort=False):
        parts.append((f"{start}, {code(utility)}", part))
    rows = []
    for name, part in parts:
        means = part.groupby(["env", "env_kwargs", "policy"], sort=False)["score"].mean()
        wide = means.unstack("policy")  # a row per problem
        cells = [estimate(*mean_interval(wide[META].to_numpy()))]
        cells += [
            difference(*mean_interval((wide[META] - wide[policy]).to_numpy()))
            for policy in policies
            if policy != META
        ]
        rows.append([name, len(wide), *cells])
    others = [f"minus {policy}" for policy in policies if policy != META]
    return table(["start, utility", "problems", META, *others], rows)


def _problem_table(problems: pd.DataFrame) -> str:
    policies = [name for name in dict.fromkeys(problems["policy"]) if name != META]
    rows = []
    for (env, kwargs), part in problems.groupby(["env", "env_kwargs"], sort=False):
        own = part.set_index("policy")
        cells = [
            difference(*own.loc[policy, ["minus", "minus_low", "minus_high"]].astype(float))
            for policy in policies
        ]
        name = env.removeprefix("Ombo/").removesuffix("-v0")
        shown = name if kwargs == "{}" else f"{name} {code(kwargs)}"
        score = float(own.loc[META, "score"])
        rows.append([shown, int(own.loc[META, "campaigns"]), f"{score:.3f}", *cells])
    heads = ["problem", "campaigns", META, *(f"minus {policy}" for policy in policies)]
    return table(heads, rows)
