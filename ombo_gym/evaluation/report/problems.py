"""A part per problem: its curves, the value of planning, and every policy's numbers."""

from __future__ import annotations

import math
from html import escape

import pandas as pd

from ombo_gym.evaluation.figure_style import is_trained
from ombo_gym.evaluation.figures import horizon_curves, planning_curves
from ombo_gym.evaluation.figures.series import all_series
from ombo_gym.evaluation.formats import count_range, number, one_line
from ombo_gym.evaluation.report import elements
from ombo_gym.evaluation.report.results import Problem, Results, Setting
from ombo_gym.evaluation.statistics import Interval

OPENED = 2  # problems that are shown opened, and settings of one problem whose tables are


def problems_section(results: Results) -> str:
    """Every problem; the first are opened."""
    problems = results.problems()
    planning = results.planning()
    parts = []
    for problem in problems:
        content = _problem(problem, results, problem.of(planning))
        if len(problems) == 1:
            parts.append(f'<div id="{problem.anchor}">{content}</div>')
        else:
            name = f"<h3>{escape(problem.name)}</h3>"
            opened = problem.number <= OPENED
            parts.append(elements.details(name, content, opened=opened, anchor=problem.anchor))
    return f"""<p class="caption"><b>Curves</b>: each point is the mean utility over all campaigns
of that setting; the band is its 95% Student t interval. The bands say how far a curve can be trusted
on other campaigns; policies are compared on the <em>same</em> campaigns in the tables, where much
smaller differences show. Thick lines are trained policies. A dashed line (hollow markers) is the
policy of its colour told 1; it is left out where being told 1 changes nothing.</p>
{"".join(parts)}"""


def _problem(problem: Problem, results: Results, planning: pd.DataFrame) -> str:
    utilities = list(problem.by_utility())
    parts = []
    for utility, rows in utilities:
        if len(utilities) > 1:
            parts.append(f"<h4>Utility: <code>{escape(utility)}</code></h4>")
        own = planning[planning["utility"] == utility] if len(planning) else planning
        salt = f"{problem.number}-{utility}"
        parts.append(_curves(problem, utility, rows, results, salt))
        parts.append(_planning_curves(problem, utility, own, results, salt))
    settings = list(problem.settings())
    opened = len(settings) <= OPENED and len(results.problems()) == 1
    planned = _planning_tables(settings, results)
    parts.append(elements.details("Every policy in numbers", _tables(settings), opened=opened))
    if planned:
        parts.append(elements.details("Value of planning in numbers", planned, opened=opened))
    return "\n".join(parts)


def _curves(problem: Problem, utility: str, rows: pd.DataFrame, results: Results, salt: str) -> str:
    pictures: dict[bool, list[str]] = {False: [], True: []}
    for i, series in enumerate(all_series(rows)):
        last = series.rows[series.rows["horizon"] == series.rows["horizon"].max()]
        told = last[last["told_horizon"] == "true"]
        told = (last if told.empty else told).dropna(subset=["mean"])
        best = ""
        if not told.empty:
            row = told.loc[told["mean"].idxmax()]
            best = (
                f" At N = {row['horizon']} the highest is {one_line(row['policy'])} with "
                f"{row['mean']:.4g}."
            )
        text = (
            f"Mean utility {utility} against the horizon on {problem.name}, {series.title}.{best}"
        )
        figure = horizon_curves(series.rows, styles=results.styles, for_page=True)
        pictures[series.budget].append(elements.picture(figure, text, salt=f"curve-{salt}-{i}"))
    parts = ""
    if pictures[False]:
        parts += f'<div class="pictures">{"".join(pictures[False])}</div>'
    if pictures[True]:
        parts += f"""<h5>Adaptivity at a fixed budget</h5>
<p class="caption">The same number of designs in all, measured in more rounds of smaller
batches.</p>
<div class="pictures">{"".join(pictures[True])}</div>"""
    return parts


def _planning_curves(
    problem: Problem, utility: str, rows: pd.DataFrame, results: Results, salt: str
) -> str:
    if rows.empty or rows["horizon"].max() < 2:
        return ""
    pictures = []
    for i, series in enumerate(all_series(rows)):
        text = (
            f"Value of planning, utility {utility}, against the horizon on {problem.name}, "
            f"{series.title}: policies {', '.join(dict.fromkeys(series.rows['policy']))}."
        )
        figure = planning_curves(series.rows, styles=results.styles, for_page=True)
        pictures.append(elements.picture(figure, text, salt=f"planning-{salt}-{i}"))
    return f"""<h5>Value of planning</h5>
<p class="caption">Each policy told N minus the same policy told 1, on the same campaigns. Policies
that do not listen to N have 0 everywhere and are left out.</p>
<div class="pictures">{"".join(pictures)}</div>"""


def _tables(settings: list[Setting]) -> str:
    """A table per setting, best policy first."""
    tables = []
    for setting in settings:
        told = "true" if "true" in set(setting.rows["told_horizon"]) else "one"
        rows = setting.told(told)
        low = rows[["ci_low", "mean"]].min().min()
        high = rows[["ci_high", "mean"]].max().max()
        q = rows["batch_size"].iloc[0]
        body = [
            [
                elements.policy_name(row["policy"]),
                number(row["mean"], setting.decimals),
                elements.ends(
                    Interval(row["mean"], row["ci_low"], row["ci_high"]), setting.decimals
                ),
                elements.whisker(row, low, high, is_trained(row["policy"])),
                number(row["iqm"], setting.decimals),
                number(row["distinct"], 2),
            ]
            for _, row in rows.iterrows()
        ]
        title = setting.title + ("" if told == "true" else " (told 1)")
        tables.append(
            f"<div><h5>{escape(title)}</h5>"
            + elements.table(
                ["policy", "mean", "95% interval", "", "IQM", f"distinct of {q}"],
                body,
                text={0},
                name=f"Every policy, {title}",
                sortable=True,
                caption=f"{count_range(rows['campaigns'])} campaigns each.",
            )
            + "</div>"
        )
    return f"""<p class="caption">Policies told N, highest mean first. <b>Mean</b>: over campaigns,
with its 95% Student t interval (drawn beside it, on one scale per table). <b>IQM</b>: interquartile
mean, the mean of the middle half of the campaigns, which a few extreme campaigns cannot move.
<b>Distinct</b>: different designs in a batch, averaged over rounds and campaigns; a policy that
proposes one design q times has 1.</p>
<div class="grid">{"".join(tables)}</div>"""


def _planning_tables(settings: list[Setting], results: Results) -> str:
    """Value of planning, beside the gain over the best one-round policy applied N times."""
    tables = []
    for setting in settings:
        one, true = setting.best("one"), setting.told("true")
        if one is None or true.empty:
            continue
        means = setting.told("one").set_index("policy")["mean"]
        body = []
        for _, row in true.iterrows():
            policy = row["policy"]
            own = results.difference(setting, (policy, "true"), (policy, "one"))
            gain = results.difference(setting, (policy, "true"), (one["policy"], "one"))
            body.append(
                [
                    elements.policy_name(policy),
                    number(row["mean"], setting.decimals),
                    number(means.get(policy, math.nan), setting.decimals),
                    elements.signed(own, setting.decimals),
                    elements.signed(gain, setting.decimals),
                ]
            )
        caption = (
            f"Best told 1: {elements.policy_name(one['policy'])}, "
            f"mean {number(one['mean'], setting.decimals)}. "
            f"{count_range(true['campaigns'])} campaigns."
        )
        tables.append(
            f"<div><h5>{escape(setting.title)}</h5>"
            + elements.table(
                ["policy", "told N", "told 1", "value of planning", "minus the best told 1"],
                body,
                text={0},
                name=f"Value of planning, {setting.title}",
                caption=caption,
                sortable=True,
            )
            + "</div>"
        )
    if not tables:
        return ""
    return f"""<p class="caption"><b>Value of planning</b>: mean over campaigns of the policy told N
minus the same policy told 1. On its own it can mislead: a policy that plays badly when told 1
gains much from planning. So beside it stands <b>minus the best told 1</b>: the policy told N minus
the policy with the highest mean told 1 in that table, the best one-round policy applied N times.
That one is picked on these same campaigns, which favours it slightly. Both are differences on the
same campaigns with 95% Student t intervals, in <b class="up">green</b> or
<b class="down">red</b> where the interval excludes 0; intervals are not widened for the number of
comparisons. A value of planning of exactly 0 belongs to a policy that does not listen to N; at
N = 1 every policy has it, since the first round is the last.</p>
<div class="grid wide">{"".join(tables)}</div>"""
