"""Sections over all settings: leaderboard, performance profiles, rank table, runs of one method."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import pandas as pd

from ombo_gym.evaluation.figure_style import is_trained
from ombo_gym.evaluation.figures import performance_profiles
from ombo_gym.evaluation.figures.canvas import short
from ombo_gym.evaluation.formats import MISSING, NBSP, count_range, decimals, number, problem_name
from ombo_gym.evaluation.leaderboard import BASELINE
from ombo_gym.evaluation.plates import batch_words
from ombo_gym.evaluation.report import elements
from ombo_gym.evaluation.report.results import Results
from ombo_gym.evaluation.statistics import Interval
from ombo_gym.evaluation.tables import PROBLEM, SETTING

TIED = "tied with the best"


def leaderboard_section(results: Results) -> str:
    """Every method over all problems, with its interval; a table per start and utility."""
    board = results.leaderboard
    if board.empty:  # with columns where it was asked for
        return _NO_SCORES if len(board.columns) else ""
    tables = [
        (name, _leaderboard_table(name, rows, i)) for i, (name, rows) in enumerate(_groups(board))
    ]
    shown = "".join(
        f"<h3>{escape(name)}</h3>{content}"
        if i == 0
        else elements.details(f"The same for {escape(name)}", content)
        for i, (name, content) in enumerate(tables)
    )
    return f"""<p><b>Score</b>: 0 is the start's best value, 1 the optimum or the best value known
of the campaign, whoever else played, and what is below &minus;1 counts as &minus;1; the mean over
campaigns, problems weighing alike, with its 95% interval: over problems or, with one, over its
campaigns.
Starts of different origin are never pooled: what is good advice after random designs may be bad
after designs of the lower half. <b>Minus random</b>, <b>minus {BASELINE}</b>: mean
difference on the same campaigns, with its interval. <b>Median</b> of the campaigns and
<b>auc</b> (of the trajectory: the mean over rounds of the best value so far) are on the same scale;
<b>harm</b> is the share of campaigns that end below what <code>random</code> reached on them.
Methods that did not play every problem have a score of those they played, and no place. By
problem: <code>problem_scores.csv</code>; CPU time: <code>timings.csv</code>.</p>
{_left_out(results)}{shown}{_improvement(results)}"""


def _left_out(results: Results) -> str:
    """Which problems have no scores, or have none under a utility."""
    keys = [*PROBLEM, "utility"]
    scored = set(_keys(results.problem_scores, keys))
    some = {key[:2] for key in scored}
    words = [
        problem_name(*key[:2]) + (f" (utility {key[2]})" if key[:2] in some else "")
        for key in _keys(results.summary, keys)
        if key not in scored
    ]
    if not words:
        return ""
    names = ", ".join(f"<code>{escape(name)}</code>" for name in dict.fromkeys(words))
    return f"<p>Left out, since no best value is known: {names}.</p>"


_NO_SCORES = """<p>No best value is known of these problems, so campaigns have no scores; a problem
says it by <code>optimum</code> or <code>best_known</code>. The tables below compare policies in the
problems' own units.</p>"""


def _leaderboard_table(name: str, board: pd.DataFrame, number_of: int) -> str:
    keys = ["horizon", "place", "score"]
    board = board.sort_values(keys, ascending=[True, True, False], na_position="last")
    low = board[["score_low", "score"]].min().min()
    high = board[["score_high", "score"]].max().max()
    references = {"minus_random": "minus random", "minus_baseline": f"minus {BASELINE}"}
    references = {name: head for name, head in references.items() if board[name].notna().any()}
    rows = []
    for _, row in board.iterrows():
        score = {"mean": row["score"], "ci_low": row["score_low"], "ci_high": row["score_high"]}
        rows.append(
            [
                elements.policy_name(row["method"], seen=row["seen"]),
                str(row["horizon"]),
                number(row["place"], 0) if row["complete"] else "incomplete",
                elements.estimate(_interval(row, "score"), 3),
                elements.whisker(score, low, high, is_trained(row["method"])),
                *(elements.estimate(_interval(row, column), 3) for column in references),
                number(row["median"], 3),
                number(row["auc"], 3),
                number(row["harm"], 2),
                str(row["problems"]),
            ]
        )
    heads = ["policy", "N", "place", "score", "", *references.values()]
    heads += ["median", "auc", "harm", "problems"]
    return elements.table(
        heads,
        rows,
        text={0},
        name=f"Leaderboard, {name}",
        sortable=True,
        anchor=f"leaderboard-{number_of}",
    )


def _interval(row: pd.Series, name: str) -> Interval:
    return Interval(row[name], row[f"{name}_low"], row[f"{name}_high"])


def _improvement(results: Results) -> str:
    """How probably a method beats another: rows against columns."""
    frame = results.improvement
    if frame.empty:
        return ""
    parts = []
    for name, group in _groups(frame):
        cells = group.set_index(["method_a", "method_b"])[["probability", "low", "high"]]
        both = {}
        for (a, b), (p, low, high) in zip(cells.index, cells.itertuples(index=False), strict=True):
            both[a, b] = Interval(p, low, high)
            both.setdefault((b, a), Interval(1 - p, 1 - high, 1 - low))
        methods = list(dict.fromkeys([*group["method_a"], *group["method_b"]]))
        heads = ["row beats column", *(short(method) for method in methods)]
        rows = [
            [
                elements.policy_name(a, seen=results.has_seen(a)),
                *(
                    f'<span title="{_interval_text(both[a, b])}">{both[a, b].estimate:.2f}</span>'
                    if (a, b) in both
                    else MISSING
                    for b in methods
                ),
            ]
            for a in methods
        ]
        title = f"<h3>{escape(name)}</h3>" if len(_groups(frame)) > 1 else ""
        drawn = elements.table(heads, rows, text={0}, name=f"Probability of improvement, {name}")
        parts.append(title + drawn)
    words = """<p class="caption">The probability that the policy of the row scores more than that
of the column on a campaign of its own, averaged over settings (ties count half); the 95% interval
shows when a cell is pointed at, and is in <code>improvement.csv</code>.</p>"""
    return elements.details("Probability of improvement, pair by pair", words + "".join(parts))


def _interval_text(interval: Interval) -> str:
    return f"95% interval {interval.low:.2f} to {interval.high:.2f}"


def profiles_section(results: Results) -> str:
    """How often a score is passed, a picture per utility."""
    profiles = results.profiles
    if profiles.empty:
        return ""
    pictures = []
    for i, (name, rows) in enumerate(_groups(profiles)):
        area = rows.groupby("method", sort=False)["share"].mean()
        text = (
            f"Share of campaigns above a score, over the score; {name}. "
            f"Largest area first: {', '.join(area.sort_values(ascending=False).index)}."
        )
        figure = performance_profiles(rows, styles=results.styles, for_page=True)
        pictures.append(elements.picture(figure, text, salt=f"profile{i}"))
    return f"""<div class="pictures">{"".join(pictures)}</div>
<p class="caption">For every score on the horizontal axis, the share of campaigns that end above it,
averaged over settings; the band is the 95% bootstrap interval. A curve that lies above another
everywhere is better whatever score one asks for; where two cross, one is safer and the other has
the better luck. The numbers: <code>profiles.csv</code>.</p>"""


def ranks_section(results: Results) -> str:
    """Every method in every setting, to sort and to filter."""
    ranks = results.ranks
    if ranks.empty:
        return ""
    problems = {key: problem_name(*key) for key in _keys(ranks, ["env", "env_kwargs"])}
    digits = {
        key: decimals(rows["mean"])
        for key, rows in ranks.groupby(["env", "env_kwargs", "utility"], sort=False)
    }
    best = ranks[ranks["rank"] == 1]
    keys = [*SETTING, "told_horizon"]
    tied_with_one = ranks[ranks["tied"] & (ranks["rank"] > 1)]
    rows = [
        [
            elements.policy_name(
                row["method"], seen=results.has_seen(row["method"], row["env"], row["env_kwargs"])
            ),
            number(row["rank"], 0),
            escape(problems[row["env"], row["env_kwargs"]]),
            escape(row["utility"]),
            str(row["horizon"]),
            batch_words(row["env_kwargs"], row["batch_size"]),
            "N" if row["told_horizon"] == "true" else "1",
            number(row["mean"], digits[row["env"], row["env_kwargs"], row["utility"]]),
            MISSING
            if row["rank"] == 1
            else elements.estimate(
                Interval(row["behind"], row["ci_low"], row["ci_high"]),
                digits[row["env"], row["env_kwargs"], row["utility"]],
            ),
            MISSING if row["rank"] == 1 else elements.probability(row["p_holm"]),
            "best" if row["rank"] == 1 else TIED if row["tied"] else "",
        ]
        for row in ranks.to_dict("records")
    ]
    heads = ["policy", "rank", "problem", "utility", "N", "q", "told", "mean"]
    heads += ["behind the best", "p (Holm)", "against the best"]
    filters = _filters(ranks, problems.values())
    settings = len(best[keys].drop_duplicates())
    shared = len(tied_with_one[keys].drop_duplicates())
    return f"""<p>Rank 1 has the highest mean in its setting (problem, utility, N, q), among
policies told the same. <b>Behind the best</b>: the best one's mean minus this one's, on the same
campaigns, with its 95% interval; <b>p</b>: two-sided paired t test of that, corrected for the
number of policies compared in the setting (Holm). {TIED.capitalize()}: p is 0.05 or more, so
these campaigns do not tell which is better. In {shared} of {settings} settings the best is tied
with another.</p>
{_controls("rank-table", filters)}
<div class="tall">{
        elements.table(
            heads, rows, text={0, 2, 3, 10}, name="Rank table", sortable=True, anchor="rank-table"
        )
    }</div>"""


def _filters(ranks: pd.DataFrame, problems: Iterable[str]) -> list[tuple[int, str, Iterable[str]]]:
    """Columns of the rank table that can be filtered, with their labels and choices."""
    shown = ["N" if shown == "true" else "1" for shown in _values(ranks["told_horizon"])]
    return [
        (2, "Problem", problems),
        (3, "Utility", _values(ranks["utility"])),
        (4, "Horizon N", [str(n) for n in sorted(ranks["horizon"].unique())]),
        (5, "Batch size q", _batch_sizes(ranks)),
        (6, "Told", shown),
    ]


def _controls(anchor: str, filters: Iterable[tuple[int, str, Iterable[str]]]) -> str:
    """Filters of a table, shown by the script; those with one choice are left out."""
    parts = []
    for column, label, choices in filters:
        options = [f"<option>{escape(choice)}</option>" for choice in dict.fromkeys(choices)]
        if len(options) > 1:
            parts.append(
                f'<label>{label} <select data-column="{column}"><option value="">all</option>'
                f"{''.join(options)}</select></label>"
            )
    return (
        f'<div class="controls" role="group" aria-label="Filters" data-filters="{anchor}" hidden>'
        f'{"".join(parts)}<label>Policy contains <input type="search" autocomplete="off"></label>'
        f'<output aria-live="polite"></output></div>'
    )


def training_section(results: Results) -> str:
    """Methods that were trained several times, with intervals over runs and campaigns."""
    frame = results.training_seeds
    if frame.empty:
        return ""
    rows = []
    for (env, kwargs, utility), group in frame.groupby(
        ["env", "env_kwargs", "utility"], sort=False
    ):
        digits = decimals(group["mean"])
        for _, row in group.iterrows():
            mean = Interval(row["mean"], row["ci_low"], row["ci_high"])
            horizon_shown = " (told 1)" if row["told_horizon"] == "one" else ""
            rows.append(
                [
                    elements.policy_name(
                        row["method"], seen=results.has_seen(row["method"], env, kwargs)
                    )
                    + horizon_shown,
                    escape(problem_name(env, kwargs)),
                    escape(utility),
                    str(row["horizon"]),
                    batch_words(kwargs, row["batch_size"]),
                    str(row["runs"]),
                    elements.estimate(mean, digits),
                    f"{number(row['lowest'], digits)} to {number(row['highest'], digits)}",
                ]
            )
    heads = ["method", "problem", "utility", "N", "q", "runs", "mean [95% interval]"]
    heads.append("worst to best run")
    return f"""<p>Runs that differ only in the seed of their training count as one method. These
intervals are wider than those of a single run's curve: they say what to expect of training it
once{NBSP}more (both runs and campaigns were resampled).</p>
<div class="tall">{
        elements.table(
            heads, rows, text={0, 1, 2}, name="Runs of one method", sortable=True, anchor="runs"
        )
    }</div>
<p class="caption">{count_range(frame["runs"])} runs of each method.</p>"""


def _groups(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows by start and utility, in words."""
    return [
        (f"start {start}, utility {utility}", rows)
        for (start, utility), rows in frame.groupby(["start", "utility"], sort=False)
    ]


def _batch_sizes(frame: pd.DataFrame) -> list[str]:
    """The batch sizes there are, in words, small ones first."""
    settings = frame[["batch_size", "env_kwargs"]].drop_duplicates().sort_values("batch_size")
    words = [batch_words(row.env_kwargs, row.batch_size) for row in settings.itertuples()]
    return list(dict.fromkeys(words))


def _values(column: pd.Series) -> list[str]:
    return [str(value) for value in dict.fromkeys(column)]


def _keys(frame: pd.DataFrame, columns: list[str]) -> list[tuple[Any, ...]]:
    return list(frame[columns].drop_duplicates().itertuples(index=False, name=None))
