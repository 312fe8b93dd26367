"""docs/results/planning.md: rollout minus everybody else, paired."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import MISSING, code, difference, estimate, section, table
from scripts.studies.planning.differences import PLANNER
from scripts.studies.planning.plan import Args, Comparison
from scripts.studies.study import Page, csv

REFERENCE = "botorch_multistep"

_HEAD = """# Planning: simulate the rest of the campaign, or follow a rule?

`Ombo/GP-v0` in 2-D, q = 4, N = 3: what `rollout` reaches, and everybody else on the same campaigns.
All know the kernel that functions are drawn from, BoTorch's methods included; offline methods fit
networks and know no kernel. The best static schedule is the one of the largest mean among all
sequences of three weights out of {{0, .5, 1, 1.5, 2, 3, 5}}, found on other campaigns
({schedules}); the constants are all of these weights. Values are in standard deviations of the
functions; all intervals are 95%, Student's t, of differences paired by campaign. "Ignores N": a
policy that never looks at the number of rounds left. Slow policies play the first campaigns only,
and all of them where the first leave it open whether they are below `rollout`."""


def page(comparison: Comparison, args: Args) -> Page:
    """The page, with planning.csv.

    Args:
        comparison: As the plan found it.
        args: As the study was run.
    """
    first, fresh, static = comparison
    schedules = ", ".join(f"`{utility}`: {weights_of(name)}" for utility, name in static.items())
    sections = []
    for utility, part in first.groupby("utility", sort=False):
        sections.append(section(f"Utility `{utility}`", _difference_table(part)))
        if len(again := fresh[fresh["utility"] == utility]):
            title = "The nearest again, on other campaigns"
            sections.append(section(title, _difference_table(again), level=3))
    text = markdown.page(
        _HEAD.format(schedules=schedules),
        section("In short", "\n".join([*reading(first, static), *_again(fresh, static)])),
        *sections,
        section("How it was made", f"    {args.command}"),
    )
    kept = pd.concat([first.assign(fresh=False), fresh.assign(fresh=True)])
    return Page(text, {args.out / "planning.csv": csv(kept)})


def weights_of(schedule: str) -> str:
    """Its weights as people write them: "3 / 1.5 / 0"."""
    return schedule.partition("weights=")[2].partition(";")[0].replace("/", " / ")


def reading(first: pd.DataFrame, static: Mapping[str, str]) -> list[str]:
    """What the numbers say, in words."""
    lines = []
    for utility, part in first.groupby("utility", sort=False):
        rivals = part[~part["knows_horizon"]]
        level = rivals[rivals["difference_low"] <= 0]
        nearest = rivals.loc[rivals["difference"].idxmin()]
        which = (
            f"all {len(rivals)} policies that ignore N; the nearest is `{nearest['policy']}`, "
            f"{_difference(nearest)}"
            if level.empty
            else f"{len(rivals) - len(level)} of {len(rivals)} policies that ignore N, not "
            + ", ".join(f"`{row['policy']}` {_difference(row)}" for _, row in level.iterrows())
        )
        schedule = part[part["policy"] == static[str(utility)]].iloc[0]
        lines.append(
            f"- **`{utility}`**: `{PLANNER}` is above {which}. Against the best static schedule: "
            f"{_difference(schedule)}."
        )
        for _, row in part[part["policy"] == REFERENCE].iterrows():
            minus_planner = difference(
                -row["difference"],
                -row["difference_high"],
                -row["difference_low"],
                bold_where="never",
            )
            lines.append(
                f"- **`{REFERENCE}`** under `{utility}`, {row['campaigns']} campaigns: its "
                f"value minus that of `{PLANNER}` is {minus_planner}."
            )
    return lines


def _again(fresh: pd.DataFrame, static: Mapping[str, str]) -> list[str]:
    """What fresh campaigns say of those that came nearest."""
    lines = []
    for utility, part in fresh.groupby("utility", sort=False):
        rivals = ", ".join(
            f"`{row['policy']}` {_difference(row)}"
            + (" (the best static schedule)" if row["policy"] == static[str(utility)] else "")
            for _, row in part[part["policy"] != PLANNER].iterrows()
        )
        lines.append(
            f"- The nearest fast ones under `{utility}` again, on {part['campaigns'].max():,} "
            f"other campaigns that nothing was chosen on: `{PLANNER}` minus {rivals}."
        )
    return lines


def _difference_table(differences: pd.DataFrame) -> str:
    """A row a policy; differences whose interval excludes 0 are bold."""
    rows = []
    for _, row in differences.iterrows():
        compared = [f"{row['planner_mean']:.3f}", _difference(row, bold_where="decided")]
        rows.append(
            [
                code(row["policy"]),
                "yes" if row["knows_horizon"] else "ignores N",
                f"{row['campaigns']:,}",
                estimate(row["mean"], row["low"], row["high"]),
                *([MISSING, MISSING] if row["policy"] == PLANNER else compared),
            ]
        )
    headings = ["policy", "knows N", "campaigns", "mean"]
    return table([*headings, f"`{PLANNER}` on these", f"`{PLANNER}` minus it"], rows)


def _difference(row: pd.Series, *, bold_where: markdown.Bold = "never") -> str:
    ends = row["difference_low"], row["difference_high"]
    return difference(row["difference"], *ends, bold_where=bold_where)
