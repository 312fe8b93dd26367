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
from ombo_gym.evaluation.plates import batch_words
from ombo_gym.evaluation.report import elements
from ombo_gym.evaluation.report.results import Results
from ombo_gym.evaluation.statistics import Interval
from ombo_gym.evaluation.tables import SETTING

TIED = "tied with the best"


def leaderboard_section(results: Results) -> str:
    """Every method over all settings, with its interval; a table per utility."""
    board = results.leaderboard
    if board.empty:
        return ""
    tables = [
        (utility, _leaderboard_table(utility, rows, i))
        for i, (utility, rows) in enumerate(_by_utility(board))
    ]
    shown = "".join(
        content
        if i == 0
        else elements.details(f"The same for utility <code>{escape(utility)}</code>", content)
        for i, (utility, content) in enumerate(tables)
    )
    return f"""<p><b>Score</b>: within each setting a campaign's utility is put on a scale from 0
(the mean of <code>random</code>, or the lowest mean) to 1 (the mean of the best that any policy
reached on each campaign); the score is the interquartile mean of that over campaigns and settings,
with its 95% bootstrap interval.
<b>Mean rank</b>: over settings, 1 is best. <b>p</b>: of a paired test against the first in place,
corrected for the number of methods (Holm); {TIED} means p is 0.05 or more. Methods that did not
play every setting have a score of those they played, and no place.</p>
{shown}{_improvement(results)}"""


def _leaderboard_table(utility: str, board: pd.DataFrame, number_of: int) -> str:
    board = board.sort_values(["place", "score"], ascending=[True, False], na_position="last")
    low, high = (
        board[["score_low", "score"]].min().min(),
        board[["score_high", "score"]].max().max(),
    )
    rows = []
    for _, row in board.iterrows():
        score = {"mean": row["score"], "ci_low": row["score_low"], "ci_high": row["score_high"]}
        first = row["place"] == 1
        tied = "best" if first else TIED if row["p_holm"] >= 0.05 else ""
        rows.append(
            [
                elements.policy_name(row["method"]),
                number(row["place"], 0),
                number(row["score"], 3),
                elements.ends(Interval(row["score"], row["score_low"], row["score_high"]), 3),
                elements.whisker(score, low, high, is_trained(row["method"])),
                elements.estimate(Interval(row["rank"], row["rank_low"], row["rank_high"]), 2),
                MISSING if first else elements.probability(row["p_holm"]),
                tied if row["complete"] else "incomplete",
                str(row["settings"]),
            ]
        )
    heads = ["policy", "place", "score", "95% interval", "", "mean rank", "p (Holm)", "", ""]
    heads[-2:] = ["against the best", "settings"]
    name = "all utilities" if utility == "all" else f"utility {utility}"
    return elements.table(
        heads,
        rows,
        text={0, 7},
        name=f"Leaderboard, {name}",
        sortable=True,
        anchor=f"leaderboard-{number_of}",
    )


def _improvement(results: Results) -> str:
    """How probably a method beats another: rows against columns."""
    frame = results.improvement
    if frame.empty:
        return ""
    parts = []
    for utility, group in _by_utility(frame):
        cells = group.set_index(["method_a", "method_b"])[["probability", "low", "high"]]
        both = {}
        for (a, b), (p, low, high) in zip(cells.index, cells.itertuples(index=False), strict=True):
            both[a, b] = Interval(p, low, high)
            both.setdefault((b, a), Interval(1 - p, 1 - high, 1 - low))
        methods = list(dict.fromkeys([*group["method_a"], *group["method_b"]]))
        heads = ["row beats column", *(short(method) for method in methods)]
        rows = [
            [
                elements.policy_name(a),
                *(
                    f'<span title="{_interval_text(both[a, b])}">{both[a, b].estimate:.2f}</span>'
                    if (a, b) in both
                    else MISSING
                    for b in methods
                ),
            ]
            for a in methods
        ]
        name = f"Probability of improvement, utility {utility}"
        title = f"<h3>utility: {escape(utility)}</h3>" if frame["utility"].nunique() > 1 else ""
        parts.append(title + elements.table(heads, rows, text={0}, name=name))
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
    for i, (utility, rows) in enumerate(_by_utility(profiles)):
        area = rows.groupby("method", sort=False)["share"].mean()
        text = (
            f"Share of campaigns above a normalised score, over the score; utility {utility}. "
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
            elements.policy_name(row["method"]),
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
                    elements.policy_name(row["method"]) + horizon_shown,
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


def _by_utility(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows by utility, all utilities together first."""
    groups = [(str(utility), rows) for utility, rows in frame.groupby("utility", sort=False)]
    return sorted(groups, key=lambda group: group[0] != "all")


def _batch_sizes(frame: pd.DataFrame) -> list[str]:
    """The batch sizes there are, in words, small ones first."""
    settings = frame[["batch_size", "env_kwargs"]].drop_duplicates().sort_values("batch_size")
    words = [batch_words(row.env_kwargs, row.batch_size) for row in settings.itertuples()]
    return list(dict.fromkeys(words))


def _values(column: pd.Series) -> list[str]:
    return [str(value) for value in dict.fromkeys(column)]


def _keys(frame: pd.DataFrame, columns: list[str]) -> list[tuple[Any, ...]]:
    return list(frame[columns].drop_duplicates().itertuples(index=False, name=None))
