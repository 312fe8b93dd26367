"""Sections about the evaluation as a whole: what was asked, the short answer, what failed, repeat.

Each section is one function from the `Results` to HTML; without anything to show it is empty.
"""

from __future__ import annotations

import inspect
import re
from html import escape

import pandas as pd

from ombo_gym.evaluation.figures import exploration_schedule
from ombo_gym.evaluation.formats import (
    MISSING,
    SEEN,
    SEEN_MEANS,
    count_range,
    number,
    problem_name,
)
from ombo_gym.evaluation.plates import batch_words, plates_of
from ombo_gym.evaluation.report import elements
from ombo_gym.evaluation.report.results import Results
from ombo_gym.evaluation.tables import PROBLEM
from ombo_gym.utilities import make_utility

FILES = {
    "campaigns": "every campaign of every policy, one row each",
    "summary": "the curves, and every policy's numbers",
    "paired": "differences between pairs of policies, on the same campaigns",
    "ranks": "the rank table",
    "leaderboard": "the leaderboard",
    "problem_scores": "scores by problem",
    "profiles": "the performance profiles",
    "improvement": "the probability of improvement",
    "training_seeds": "methods that were trained several times",
    "exploration": "exploration weights, every round and horizon",
    "timings": "CPU time of each policy, by setting",
    "errors": "what failed",
}


def question_section(results: Results) -> str:
    """What was asked, in the words of the page."""
    summary = results.summary
    horizons = ", ".join(str(n) for n in sorted(summary["horizon"].unique()))
    utilities = "".join(
        f"<dt>utility <code>{escape(name)}</code></dt><dd>What a finished campaign is worth. "
        f"{_worth(name)}</dd>"
        for name in dict.fromkeys(summary["utility"])
    )
    problems = results.problems()
    names = [f"<code>{escape(problem.name)}</code>" for problem in problems]
    where = names[0] if len(names) == 1 else f"each of {_many(results.starts_by_problem())}"
    listed = f"<p>The problems: {', '.join(names)}.</p>" if len(names) > 1 else ""
    count = summary["policy"].nunique()
    who = "<b>1 policy</b>" if count == 1 else f"<b>{count} policies</b> each"
    same = (
        ""
        if count == 1
        else " All of them played the same campaigns: the same objectives and starts."
    )
    words = f"""<dl>{utilities}
<dt>b0</dt><dd>The best true value of the start or, without a start, the problem's reference.</dd>
<dt>told N</dt><dd>Each round the policy is told how many rounds are really left.</dd>
<dt>told 1</dt><dd>The same policy is told every round that it is the last: a one-round policy,
applied N times.</dd>
<dt>value of planning</dt><dd>The utility of a policy told N minus that of the same policy
told 1.</dd>
<dt>interval</dt><dd>Of 95%. Where a problem is a collection of instances, campaigns on the same
one count together: intervals speak of other instances of that kind.</dd>
</dl>"""
    sizes, counts = (
        escape(count_range(each)) for each in (_batch_sizes(summary), summary["campaigns"])
    )
    return f"""<p>You may propose a batch of <b>q = {sizes}</b> designs a round; they are measured;
after <b>N</b> rounds the campaign is over. Which policy should you follow, and does it pay to know
how many rounds are left? {who} played <b>{counts} campaigns</b> of {where} for N in
{horizons}.{same}</p>
{listed}{_what_was_seen(results)}{elements.details("The words", words)}"""


def _what_was_seen(results: Results) -> str:
    """Which policies are marked, and what the mark means; nothing where none is."""
    marked = [policy for policy in results.summary["policy"].unique() if results.has_seen(policy)]
    if not marked:
        return ""
    names = ", ".join(elements.policy_name(policy) for policy in marked)
    return (
        f'<p>Marked <em class="seen">{SEEN}</em>, of {names}: {SEEN_MEANS}. Who was trained on '
        "other instances is to be compared with policies that were not marked there.</p>"
    )


def _many(starts: list[int]) -> str:
    """Several problems in words, or one from several starts.

    Args:
        starts: How many each problem was played from.
    """
    if set(starts) == {1}:
        return f"{len(starts)} problems"
    if len(starts) == 1:
        return f"{starts[0]} starts of 1 problem"
    if len(set(starts)) == 1:
        return f"{len(starts)} problems from each of {starts[0]} starts"
    return f"{sum(starts)} pairs of problem ({len(starts)} in all) and start"


def _worth(utility: str) -> str:
    """What a utility is worth: the first sentence of its own docstring, as HTML."""
    try:
        docstring = inspect.getdoc(type(make_utility(utility))) or ""
    except ValueError:
        return "Defined by the problem."
    return re.sub(r"`(.*?)`", r"<code>\1</code>", escape(docstring.partition("\n")[0]))


def _batch_sizes(summary: pd.DataFrame) -> list[int]:
    """Every size that a batch of some setting has."""
    settings = summary[["env_kwargs", "batch_size"]].drop_duplicates()
    return [
        size
        for env_kwargs, largest in settings.itertuples(index=False)
        for size in plates_of(env_kwargs) or [int(largest)]
    ]


def answer_section(results: Results) -> str:
    """The best policy told N beside the best one told 1, setting by setting."""
    if len(results.summary[["policy", "told_horizon"]].drop_duplicates()) < 2:
        return ""
    problems = results.problems()
    rows = []
    missed = False
    for problem in problems:
        for setting in problem.settings():
            best, one = setting.best("true"), setting.best("one")
            if best is None:
                continue
            cells = [
                escape(setting.title),
                escape(problem.name),
                elements.policy_name(best["policy"], seen=best["seen"]),
                number(best["mean"], setting.decimals),
            ]
            if one is None:
                missed = True
                cells += ["not played", MISSING, MISSING]
            else:
                pair = (best["policy"], "true"), (one["policy"], "one")
                gain = results.difference(setting, *pair)
                cells += [
                    elements.policy_name(one["policy"], seen=one["seen"]),
                    number(one["mean"], setting.decimals),
                    elements.signed(gain, setting.decimals),
                ]
            rows.append(cells)
    if not rows:
        return ""
    heads = ["utility and horizon", "problem", "best policy told N", "mean"]
    heads += ["best policy told 1", "mean", "difference [95% interval]"]
    text = {0, 1, 2, 4}
    if len(problems) == 1:
        heads, text = heads[:1] + heads[2:], {0, 1, 3}
        rows = [row[:1] + row[2:] for row in rows]
    hint = " Where nobody was told 1, evaluate with <code>--told true,one</code>." if missed else ""
    drawn = elements.table(
        heads, rows, text=text, name="The short answer", sortable=True, anchor="answers"
    )
    return f"""<div class="tall">{drawn}</div>
<p class="caption">The policy with the highest mean utility told N, beside the one with the highest
mean told 1 (the best one-round policy applied N times). Difference: mean over campaigns of the
first minus the second, on the same campaigns, with its Student t interval. Both were picked on the
campaigns that score them, so where policies lie close together read the full tables
below.{hint}</p>"""


def failed_section(results: Results) -> str:
    """Cells that raised an error."""
    errors = results.errors
    if errors.empty:
        return ""
    rows = [
        [
            elements.policy_name(row["policy"])
            + (" (told 1)" if row["told_horizon"] == "one" else ""),
            escape(problem_name(row["env"], row["env_kwargs"])),
            escape(str(row["utility"])),
            str(row["horizon"]),
            batch_words(row["env_kwargs"], row["batch_size"]),
            f"{row['first']} to {row['first'] + row['campaigns'] - 1}",
            f"<details><summary>{escape(str(row['error']))}</summary>"
            f"<pre>{escape(str(row['traceback']))}</pre></details>",
        ]
        for row in errors.to_dict("records")
    ]
    heads = ["policy", "problem", "utility", "N", "q", "campaigns", "error"]
    drawn = elements.table(
        heads, rows, text={0, 1, 2, 5, 6}, name="What failed", sortable=True, anchor="errors"
    )
    return f"""<p>These campaigns have no result, and every number on this page leaves them out: a
policy that failed somewhere is compared on the campaigns it finished.</p>
<div class="tall">{drawn}</div>"""


def schedule_section(results: Results) -> str:
    """The exploration weights per round, drawn and in numbers."""
    weights = results.exploration
    if weights.empty:
        return ""
    groups = list(weights.groupby([*PROBLEM, "utility", "batch_size"], sort=False))
    parts = []
    for i, ((env, env_kwargs, utility, size), group) in enumerate(groups):
        batch = batch_words(env_kwargs, size)
        name = f"{problem_name(env, env_kwargs)}, {utility}, q = {batch}"
        horizons = ", ".join(str(n) for n in sorted(group["horizon"].unique()))
        figure = exploration_schedule(group, styles=results.styles)
        drawn = elements.picture(
            figure,
            f"Exploration weight against the round for N in {horizons}, {name}; the table beside "
            "it holds the numbers.",
            salt=f"schedule{i}",
        )
        part = f'<div class="pictures">{drawn}<div>{_schedule_table(group, name)}</div></div>'
        several = len(groups) > 1
        parts.append(elements.details(escape(name), part, opened=i == 0) if several else part)
    return f"""<p>Policies that act through exploration weights choose, each round, how much a
design's uncertainty counts beside its predicted value: 0 exploits only, 10 is the most that can be
chosen. A policy that plans should explore first and exploit last.</p>
{"".join(parts)}
<p class="caption">A weight is chosen for the first and for the last slot of the batch and
interpolated between. Lines and table: the mean over the slots and over campaigns; shading: from the
first slot's mean to the last slot's. Utilities under which every policy explores as under an
earlier one are left out.</p>"""


def _schedule_table(group: pd.DataFrame, name: str) -> str:
    rounds = range(1, int(group["horizon"].max()) + 1)
    ordered = group.sort_values(
        ["policy", "told_horizon", "horizon"],
        key=lambda column: pd.factorize(column)[0] if column.name == "policy" else column,
        ascending=[True, False, True],
        kind="stable",
    )
    rows = []
    for (policy, horizon_shown, horizon), played in ordered.groupby(
        ["policy", "told_horizon", "horizon"], sort=False
    ):
        weight = played.set_index("round")["weight_mean"]
        who = elements.policy_name(policy) + (" (told 1)" if horizon_shown == "one" else "")
        mean = [number(weight[n], 2) if n in weight.index else "" for n in rounds]
        rows.append([who, str(horizon), *mean])
    return elements.table(
        ["policy", "N", *(f"round {n}" for n in rounds)],
        rows,
        text={0},
        name=f"Exploration weights, {name}",
        caption="Mean weight in each round of a campaign of N rounds.",
    )


def repeat_section(results: Results) -> str:
    """What was run, and the command that runs it again."""
    config = results.config
    command = config.get("command")
    repeat = ""
    if command:
        text = command if isinstance(command, str) else " ".join(map(str, command))
        repeat = f'<pre tabindex="0"><code>{escape(text)}</code></pre>'
    rows = [
        [escape(str(key).replace("_", " ")), elements.setting(value)]
        for key, value in config.items()
        if key != "command"
    ]
    beside = "".join(
        f"<li><code>{name}.csv</code>: {what}</li>"
        for name, what in FILES.items()
        if name == "campaigns" or not getattr(results, name).empty
    )
    return f"""{repeat}
<p class="caption">The same command with the same versions plays the same campaigns: objective,
start and noise of a campaign follow from the seed and the campaign's number alone.</p>
{elements.table(["setting", "value"], rows, text={0, 1}, name="Settings")}
<p>Beside this page:</p>
<ul>{beside}
<li><code>figures/</code>: every picture of this page as PNG and as SVG;
<code>horizons.png</code>: all curves</li>
<li><code>config.json</code>: the settings above</li></ul>"""
