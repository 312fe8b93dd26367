"""A part per problem: its curves, the value of planning, and every policy's numbers."""

from __future__ import annotations

import math
from html import escape

import pandas as pd

from ombo_gym.evaluation.figure_style import is_trained
from ombo_gym.evaluation.figures import horizon_curves, planning_curves
from ombo_gym.evaluation.figures.series import all_series
from ombo_gym.evaluation.formats import count_range, number, one_line
from ombo_gym.evaluation.plates import batch_words
from ombo_gym.evaluation.progress import tracked
from ombo_gym.evaluation.report import elements
from ombo_gym.evaluation.report.results import Problem, Results, Setting
from ombo_gym.evaluation.statistics import Interval

OPENED = 2  # problems that are shown opened, and settings of one problem whose tables are


def problems_section(results: Results) -> str:
    """Every problem; the first are opened."""
    problems = results.problems()
    planning = results.planning()
    parts = []
    for problem in tracked(problems, "report"):
        content = _problem(problem, results, problem.of(planning))
        if len(problems) == 1:
            parts.append(f'<div id="{problem.anchor}">{content}</div>')
        else:
            name = f"<h3>{escape(problem.name)}</h3>"
            opened = problem.number <= OPENED
            parts.append(elements.details(name, content, opened=opened, anchor=problem.anchor))
    return f"""<p class="caption"><b>Curves</b>: each point is the mean utility over all campaigns
of that setting; the band is its 95% Student t interval. The bands say how far a curve can be
trusted on other campaigns; policies are compared on the <em>same</em> campaigns in the tables,
where much smaller differences show. Thick lines are trained policies. A dashed line (hollow
markers) is the policy of its colour told 1; it is left out where being told 1 changes nothing.
<b>Adaptivity at a fixed budget</b>: the same number of designs in all, N x q, measured in more
rounds of smaller batches. <b>Value of planning</b>: each policy told N minus the same policy told
1, of those that listen to N; the others have 0 everywhere.</p>
{"".join(parts)}"""


def _problem(problem: Problem, results: Results, planning: pd.DataFrame) -> str:
    utilities = list(problem.by_utility())
    parts = []
    for utility, rows in utilities:
        if len(utilities) > 1:
            parts.append(f"<h4>Utility: <code>{escape(utility)}</code></h4>")
        planned = planning[planning["utility"] == utility] if len(planning) else planning
        parts.append(_pictures(problem, utility, rows, planned, results))
    settings = list(problem.settings())
    opened = len(settings) <= OPENED and len(results.problems()) == 1
    planning_tables = _planning_tables(settings, results)
    parts.append(elements.details("Every policy in numbers", _tables(settings), opened=opened))
    if planning_tables:
        parts.append(
            elements.details("Value of planning in numbers", planning_tables, opened=opened)
        )
    return "\n".join(parts)


def _pictures(
    problem: Problem, utility: str, rows: pd.DataFrame, planning: pd.DataFrame, results: Results
) -> str:
    """Curves of one utility, beside each its value of planning."""
    figures = []
    for i, series in enumerate(all_series(rows)):
        salt = f"{problem.number}-{utility}-{i}"
        where = f"utility {utility} on {problem.name}, {series.title}"
        what = "Mean utility"
        if series.budget:
            what = "Adaptivity at a fixed budget"
        figure = horizon_curves(series.rows, styles=results.styles, for_page=True)
        text = f"Mean {where}, over the horizon.{_best(series.rows)}"
        figures.append(elements.picture(figure, text, salt=f"curve-{salt}", caption=what))
        planned = _planning_of(series.rows, planning)
        if not planned.empty:
            figure = planning_curves(planned, styles=results.styles, for_page=True)
            names = ", ".join(dict.fromkeys(planned["policy"]))
            text = f"Value of planning, {where}, over the horizon: policies {names}."
            what = "Value of planning"
            figures.append(elements.picture(figure, text, salt=f"planning-{salt}", caption=what))
    return f'<div class="pictures">{"".join(figures)}</div>'


def _planning_of(rows: pd.DataFrame, planning: pd.DataFrame) -> pd.DataFrame:
    """The rows of `planning` in the settings of these rows; none where every N is 1."""
    if planning.empty or rows["horizon"].max() < 2:
        return planning.iloc[:0]
    settings = rows[["horizon", "batch_size"]].drop_duplicates()
    return planning.merge(settings, on=["horizon", "batch_size"])


def _best(rows: pd.DataFrame) -> str:
    """Who is highest at the largest horizon, in words."""
    last = rows[rows["horizon"] == rows["horizon"].max()]
    shown = last[last["told_horizon"] == "true"]
    shown = (last if shown.empty else shown).dropna(subset=["mean"])
    if shown.empty:
        return ""
    row = shown.loc[shown["mean"].idxmax()]
    return f" At N = {row['horizon']} the highest is {one_line(row['policy'])}, {row['mean']:.4g}."


def _tables(settings: list[Setting]) -> str:
    """A table per setting, best policy first."""
    tables = []
    for setting in settings:
        horizon_shown = "true" if "true" in set(setting.rows["told_horizon"]) else "one"
        rows = setting.shown(horizon_shown)
        low = rows[["ci_low", "mean"]].min().min()
        high = rows[["ci_high", "mean"]].max().max()
        q = batch_words(rows["env_kwargs"].iloc[0], rows["batch_size"].iloc[0])
        body = [
            [
                elements.policy_name(row["policy"], seen=row["seen"]),
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
        title = setting.title + ("" if horizon_shown == "true" else " (told 1)")
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
        one, true = setting.best("one"), setting.shown("true")
        if one is None or true.empty:
            continue
        means = setting.shown("one").set_index("policy")["mean"]
        body = []
        for _, row in true.iterrows():
            policy = row["policy"]
            planning = results.difference(setting, (policy, "true"), (policy, "one"))
            gain = results.difference(setting, (policy, "true"), (one["policy"], "one"))
            body.append(
                [
                    elements.policy_name(policy, seen=row["seen"]),
                    number(row["mean"], setting.decimals),
                    number(means.get(policy, math.nan), setting.decimals),
                    elements.signed(planning, setting.decimals),
                    elements.signed(gain, setting.decimals),
                ]
            )
        caption = (
            f"Best told 1: {elements.policy_name(one['policy'], seen=one['seen'])}, "
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
