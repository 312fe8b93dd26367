"""The report: pictures and one self-contained page from the tables of an evaluation.

`write_report` reads the folder that an evaluation has written and adds `horizons.png`,
`exploration.png` (where a policy acts through exploration weights) and `report.html`, a page
without scripts and outside requests. Each section is one function from the `Results` to HTML; a new
section is a new function in `SECTIONS`. Everything that comes from outside passes `escape`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

try:
    import pandas as pd
except ImportError as error:
    raise ImportError(
        'ombo_gym.evaluation needs pandas: pip install "ombo-gym[evaluation]"'
    ) from error

from ombo_gym.evaluation import page
from ombo_gym.evaluation.figure_style import LineStyle, is_trained, policy_styles
from ombo_gym.evaluation.figures import exploration_schedule, horizon_curves, png
from ombo_gym.evaluation.statistics import Interval
from ombo_gym.evaluation.tables import GROUP, read_table
from ombo_gym.evaluation.terminal import one_line

UTILITIES = {
    "best": "the best true value proposed, minus the best one of the start "
    "(or the problem's reference); never below 0",
    "last_max": "the best true value in the last batch",
    "last_median": "the median of the true values in the last batch",
    "last_mean": "the mean of the true values in the last batch",
    "total": "the sum of the true values of all proposals",
}


@dataclass(frozen=True)
class Results:
    """The tables of one folder, as the sections read them."""

    config: Mapping[str, Any]
    summary: pd.DataFrame
    paired: pd.DataFrame
    exploration: pd.DataFrame  # no rows: no policy acted through exploration weights
    styles: Mapping[str, LineStyle]

    def groups(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """The summary by environment, utility and batch size, each with its heading."""
        several = len(self.summary[["env", "batch_size"]].drop_duplicates()) > 1
        for (env, utility, batch_size), group in self.summary.groupby(GROUP, sort=False):
            yield f"{utility} · {env}, q = {batch_size}" if several else str(utility), group

    def settings(self) -> Iterator[tuple[str, int, pd.DataFrame]]:
        """The groups, split by horizon; with the decimals that all of a group's tables share."""
        for title, group in self.groups():
            decimals = page.decimals(group["mean"])
            for horizon in sorted(group["horizon"].unique()):
                yield (
                    f"{title}, N{page.NBSP}={page.NBSP}{horizon}",
                    decimals,
                    group[group["horizon"] == horizon],
                )

    def difference(self, rows: pd.DataFrame, a: tuple[str, str], b: tuple[str, str]) -> Interval:
        """The paired difference of two (policy, told horizon), in the setting of these rows."""
        key = [*GROUP, "horizon"]
        found = self.paired
        wanted = zip(
            [*key, "policy_a", "told_a", "policy_b", "told_b"],
            [*rows.iloc[0][key], *a, *b],
            strict=True,
        )
        for column, value in wanted:
            found = found[found[column] == value]
        if found.empty:
            return Interval(math.nan, math.nan, math.nan)
        return Interval(*map(float, found.iloc[0][["difference", "ci_low", "ci_high"]]))


def write_report(folder: str | Path) -> Path:
    """Draws the pictures and writes the page for a finished evaluation.

    Args:
        folder: Holds `summary.csv`, `paired.csv`, `config.json` and, where a policy acts through
            exploration weights, `exploration.csv`.

    Returns:
        The path of `report.html`; `horizons.png` and, with exploration weights, `exploration.png`
        lie beside it.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: `summary.csv` has no rows.
    """
    folder = Path(folder)
    results = read_results(folder)
    (folder / "horizons.png").write_bytes(
        png(horizon_curves(results.summary, styles=results.styles))
    )
    picture = folder / "exploration.png"
    if results.exploration.empty:
        picture.unlink(missing_ok=True)  # of an earlier run into this folder
    else:
        picture.write_bytes(png(exploration_schedule(results.exploration, styles=results.styles)))
    file = folder / "report.html"
    file.write_text(render(results), encoding="utf-8")
    return file


def read_results(folder: Path) -> Results:
    """Reads the tables of an evaluation's folder (see `write_report`)."""
    summary = read_table(folder / "summary.csv")
    if summary.empty:
        raise ValueError(f"{folder / 'summary.csv'} has no rows: nothing was played")
    exploration = folder / "exploration.csv"
    weights = summary.iloc[:0]
    if exploration.exists() and exploration.stat().st_size > 1:
        weights = _once(read_table(exploration))
    return Results(
        config=json.loads((folder / "config.json").read_text(encoding="utf-8")),
        summary=summary,
        paired=read_table(folder / "paired.csv"),
        exploration=weights,
        styles=policy_styles([*summary["policy"], *weights["policy"]]),
    )


def _once(weights: pd.DataFrame) -> pd.DataFrame:
    """Drops utilities under which every policy explores as under an earlier one."""
    columns = [name for name in weights.columns if name != "utility"]
    shown: list[pd.DataFrame] = []
    for _, group in weights.groupby("utility", sort=False):
        if not any(np.array_equal(group[columns], other[columns]) for other in shown):
            shown.append(group)
    return pd.concat(shown) if shown else weights


def render(results: Results) -> str:
    """The whole page."""
    envs = " and ".join(dict.fromkeys(results.summary["env"]))
    body = "\n".join(
        f'<section id="{anchor}">\n<h2>{title}</h2>\n{content}\n</section>'
        for anchor, title, section in SECTIONS
        if (content := section(results))
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Design campaigns: {escape(envs)}</title>
<style>{page.STYLE}</style>
</head>
<body>
<header>
<p class="kicker">ombo_gym evaluation</p>
<h1>Design campaigns over horizons: {escape(envs)}</h1>
</header>
<main>
{body}
</main>
</body>
</html>
"""


# The sections -----------------------------------------------------------------------------------


def question_section(results: Results) -> str:
    """What was asked, with the words, and the shortest answer."""
    summary = results.summary
    horizons = ", ".join(str(n) for n in sorted(summary["horizon"].unique()))
    utilities = "".join(
        f"<dt>utility <code>{escape(name)}</code></dt><dd>What a finished campaign is worth: "
        f"{UTILITIES.get(name, 'defined by the problem')}.</dd>"
        for name in dict.fromkeys(summary["utility"])
    )
    return f"""
<p>You may propose a batch of <b>q = {escape(page.count_range(summary["batch_size"]))}</b>
designs a round; they are measured; after <b>N</b> rounds the campaign is over. Which policy should
you follow,
and does it pay to know how many rounds are left?
<b>{summary["policy"].nunique()} policies</b> each played
<b>{escape(page.count_range(summary["campaigns"]))} campaigns</b> of
<code>{escape(" and ".join(dict.fromkeys(summary["env"])))}</code> for every N in {horizons}.
All of them played the same campaigns: the same objectives and starts.</p>
<dl>{utilities}
<dt>told N</dt><dd>Each round the policy is told how many rounds are really left.</dd>
<dt>told 1</dt><dd>The same policy is told every round that it is the last: a one-round policy,
applied N times.</dd>
<dt>value of planning</dt><dd>The utility of a policy told N minus that of the same policy
told 1.</dd>
</dl>
<h3>The short answer</h3>
{_answer_table(results)}"""


def _answer_table(results: Results) -> str:
    rows = []
    for title, decimals, setting in results.settings():
        best, one = _best(setting, "true"), _best(setting, "one")
        if best is None:
            continue
        cells = [
            escape(title),
            page.policy_name(best["policy"]),
            page.number(best["mean"], decimals),
        ]
        if one is None:
            cells += ["not played", page.MISSING, page.MISSING]
        else:
            gain = results.difference(setting, (best["policy"], "true"), (one["policy"], "one"))
            cells += [page.policy_name(one["policy"]), page.number(one["mean"], decimals)]
            cells.append(page.signed(gain, decimals))
        rows.append(cells)
    heads = ["utility and horizon", "best policy told N", "mean", "best policy told 1", "mean"]
    return page.table(
        [*heads, "difference [95% interval]"],
        rows,
        text={0, 1, 3},
        caption="The policy with the highest mean utility told N, beside the one with the highest "
        "mean told 1 (the best one-round policy applied N times). Difference: mean over campaigns "
        "of the first minus the second, on the same campaigns, with its Student t interval. Both "
        "were picked on the campaigns that score them, so where policies lie close together read "
        "the full tables below.",
    )


def curves_section(results: Results) -> str:
    """The horizon curves, a picture per environment and utility."""
    pictures = []
    for title, group in results.groups():
        last = group[group["horizon"] == group["horizon"].max()]
        best = _best(last, "true")
        best = _best(last, "one") if best is None else best
        assert best is not None
        text = (
            f"Mean utility {title} against the horizon. At N = {last['horizon'].iloc[0]} the "
            f"highest is {one_line(best['policy'])} with {best['mean']:.4g}."
        )
        pictures.append(
            page.picture(
                lambda theme, group=group: png(  # type: ignore[misc]
                    horizon_curves(group, styles=results.styles, theme=theme, for_page=True)
                ),
                text,
            )
        )
    return f"""<div class="pictures">{"".join(pictures)}</div>
<p class="caption">Each point is the mean utility over all campaigns of that horizon; the band is
its 95% Student t interval. The bands say how far a curve can be trusted on other campaigns;
policies are compared on the <em>same</em> campaigns in the tables below, where much smaller
differences show. Thick lines are trained policies. A dashed line (hollow markers) is the policy of
its colour told 1; it is left out where being told 1 changes nothing.</p>"""


def tables_section(results: Results) -> str:
    """A table per utility and horizon, best policy first."""
    tables = []
    for title, decimals, setting in results.settings():
        told = "true" if "true" in set(setting["told_horizon"]) else "one"
        rows = setting[setting["told_horizon"] == told]
        rows = rows.sort_values("mean", ascending=False, kind="stable")
        low = rows[["ci_low", "mean"]].min().min()
        high = rows[["ci_high", "mean"]].max().max()
        q = rows["batch_size"].iloc[0]
        body = [
            [
                page.policy_name(row["policy"]),
                page.number(row["mean"], decimals),
                page.ends(Interval(row["mean"], row["ci_low"], row["ci_high"]), decimals),
                page.whisker(row, low, high, is_trained(row["policy"])),
                page.number(row["iqm"], decimals),
                page.number(row["distinct"], 2),
            ]
            for _, row in rows.iterrows()
        ]
        heads = ["policy", "mean", "95% interval", "", "IQM", f"distinct of {q}"]
        tables.append(
            f"<h3>{escape(title)}{'' if told == 'true' else ' (told 1)'}</h3>"
            + page.table(
                heads,
                body,
                text={0},
                caption=f"{page.count_range(rows['campaigns'])} campaigns each.",
            )
        )
    return f"""<p class="caption">Policies told N, highest mean first. <b>Mean</b>: over campaigns,
with its 95% Student t interval (drawn beside it, on one scale per table). <b>IQM</b>: interquartile
mean, the mean of the middle half of the campaigns, which a few extreme campaigns cannot move.
<b>Distinct</b>: different designs in a batch, averaged over rounds and campaigns; a policy that
proposes one design q times has 1.</p>
<div class="grid">{"".join(f"<div>{table}</div>" for table in tables)}</div>"""


def planning_section(results: Results) -> str:
    """Value of planning, beside the gain over the best one-round policy applied N times."""
    if "one" not in set(results.summary["told_horizon"]):
        return """<p>Not measured: no policy was told every round that it is the last. Evaluate with
<code>--told true,one</code>.</p>"""
    tables = []
    for title, decimals, setting in results.settings():
        one = _best(setting, "one")
        true = setting[setting["told_horizon"] == "true"]
        if one is None or true.empty:
            continue
        means = setting[setting["told_horizon"] == "one"].set_index("policy")["mean"]
        body = []
        for _, row in true.sort_values("mean", ascending=False, kind="stable").iterrows():
            policy = row["policy"]
            own = results.difference(setting, (policy, "true"), (policy, "one"))
            gain = results.difference(setting, (policy, "true"), (one["policy"], "one"))
            body.append(
                [
                    page.policy_name(policy),
                    page.number(row["mean"], decimals),
                    page.number(means.get(policy, math.nan), decimals),
                    page.signed(own, decimals),
                    page.signed(gain, decimals),
                ]
            )
        caption = (
            f"Best told 1: {page.policy_name(one['policy'])}, "
            f"mean {page.number(one['mean'], decimals)}. "
            f"{page.count_range(true['campaigns'])} campaigns."
        )
        heads = ["policy", "told N", "told 1", "value of planning", "minus the best told 1"]
        tables.append(
            f"<h3>{escape(title)}</h3>" + page.table(heads, body, text={0}, caption=caption)
        )
    return f"""<p class="caption"><b>Value of planning</b>: mean over campaigns of the policy told N
minus the same policy told 1. On its own it can mislead: a policy that plays badly when told 1
gains much from planning. So beside it stands <b>minus the best told 1</b>: the policy told N minus
the policy with the highest mean told 1 in that table, the best one-round policy applied N times.
That one is picked on these same campaigns, which favours it slightly. Both are differences on the
same campaigns with 95% Student t intervals, in <b class="up">green</b> or
<b class="down">red</b> where the interval excludes 0; intervals are not widened for the number of
comparisons. A value of planning of exactly 0 belongs to a policy that does not listen to N; at
N = 1 every policy has it, since the first round is the last.</p>
<div class="grid wide">{"".join(f"<div>{table}</div>" for table in tables)}</div>"""


def schedule_section(results: Results) -> str:
    """The exploration weights per round, drawn and in numbers."""
    weights = results.exploration
    if weights.empty:
        return ""
    parts = []
    for (env, utility), group in weights.groupby(["env", "utility"], sort=False):
        several = len(weights[["env", "utility"]].drop_duplicates()) > 1
        horizons = sorted(int(n) for n in group["horizon"].unique())
        rounds = range(1, horizons[-1] + 1)
        rows = []
        ordered = group.sort_values(
            ["policy", "told_horizon", "horizon"],
            key=lambda column: pd.factorize(column)[0] if column.name == "policy" else column,
            ascending=[True, False, True],
            kind="stable",
        )
        for (policy, told, horizon), played in ordered.groupby(
            ["policy", "told_horizon", "horizon"], sort=False
        ):
            weight = played.set_index("round")["weight_mean"]
            name = page.policy_name(policy) + (" (told 1)" if told == "one" else "")
            mean = [page.number(weight[n], 2) if n in weight.index else "" for n in rounds]
            rows.append([name, str(horizon), *mean])
        heading = f"<h3>{escape(f'{utility} · {env}')}</h3>" if several else ""
        table = page.table(
            ["policy", "N", *(f"round {number}" for number in rounds)],
            rows,
            text={0},
            caption="Mean weight in each round of a campaign of N rounds.",
        )
        picture = page.picture(
            lambda theme, group=group: png(  # type: ignore[misc]
                exploration_schedule(group, styles=results.styles, theme=theme)
            ),
            f"Exploration weight against the round for N in {horizons}; the table beside it holds "
            "the numbers.",
        )
        parts.append(f'{heading}<div class="pictures">{picture}<div>{table}</div></div>')
    return f"""<p>Policies that act through exploration weights choose, each round, how much a
design's uncertainty counts beside its predicted value: 0 exploits only, 10 is the most that can be
chosen. A policy that plans should explore first and exploit last.</p>
{"".join(parts)}
<p class="caption">A weight is chosen for the first and for the last slot of the batch and
interpolated between. Lines and table: the mean over the slots and over campaigns; shading: from the
first slot's mean to the last slot's.</p>"""


def repeat_section(results: Results) -> str:
    """What was run, and the command that runs it again."""
    config = results.config
    command = config.get("command")
    repeat = ""
    if command:
        text = command if isinstance(command, str) else " ".join(map(str, command))
        repeat = f'<pre tabindex="0"><code>{escape(text)}</code></pre>'
    rows = [
        [escape(str(key).replace("_", " ")), page.setting(value)]
        for key, value in config.items()
        if key != "command"
    ]
    files = [
        ("campaigns.csv", "every campaign of every policy, one row each"),
        ("summary.csv", "the curves and tables above"),
        ("paired.csv", "differences between all pairs of policies, on the same campaigns"),
        ("config.json", "this table"),
        ("horizons.png", "the curves"),
    ]
    if not results.exploration.empty:
        files += [
            ("exploration.csv", "exploration weights, every round and horizon"),
            ("exploration.png", "the schedules"),
        ]
    beside = "".join(f"<li><code>{name}</code>: {what}</li>" for name, what in files)
    return f"""{repeat}
<p class="caption">The same command with the same versions plays the same campaigns: objective,
start and noise of a campaign follow from the seed and the campaign's number alone.</p>
{page.table(["setting", "value"], rows, text={0, 1})}
<p>Beside this page:</p>
<ul>{beside}</ul>"""


def _best(setting: pd.DataFrame, told: str) -> Any:
    """The row with the highest mean among those told so; None without a row."""
    rows = setting[setting["told_horizon"] == told].dropna(subset=["mean"])
    return None if rows.empty else rows.loc[rows["mean"].idxmax()]


SECTIONS: tuple[tuple[str, str, Callable[[Results], str]], ...] = (
    ("asked", "What was asked", question_section),
    ("curves", "Utility over the horizon", curves_section),
    ("tables", "Every policy, per utility and horizon", tables_section),
    ("planning", "Value of planning", planning_section),
    ("schedule", "Exploration, round by round", schedule_section),
    ("repeat", "What was run, and how to repeat it", repeat_section),
)
