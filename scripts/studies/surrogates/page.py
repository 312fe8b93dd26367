"""docs/results/surrogates.md: what each model predicts, what it costs, and what it is worth."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import MISSING, code, estimate, mean_estimate, section, table
from ombo_gym.evaluation.statistics import Interval, mean_interval
from scripts.studies.study import Page, csv
from scripts.studies.surrogates.data_sets import HELD_OUT
from scripts.studies.surrogates.differences import MARGIN, complete, difference, losses
from scripts.studies.surrogates.models import BOTORCH, FIT, MODELS
from scripts.studies.surrogates.plan import (
    COST_ALONE,
    COST_TOGETHER,
    POLICIES,
    Args,
    Found,
    cells,
)
from scripts.studies.surrogates.quality import GUARD
from scripts.studies.surrogates.settings import START_SIZE, STARTS

_NAMES = {
    "spearman": "Spearman",
    "guarded_log_score": "guarded log score",
    "log_score": "log score",
    "coverage": "90% coverage",
}
_WIDTH = 100
_NAMED = 4  # losses that are named
_PRIOR = "prior"
_DISASTER = -10  # mean log score

_DEFINITIONS = """\
Every model sees the same data: {data_sets} data sets for each problem, kind of start and size; a
collection gives each data set an instance of its own. A start has {start} designs, random ones or
of the lower half of all values (which `fit` and `isotropic` are told, as in campaigns); `+20` and
`+40` add random designs. Held out are {held_out} further random designs of the whole space (what is
left of pools that are smaller). *Spearman*: rank correlation of predicted means and true values.
*Log score*: mean log density of held-out *measurements* under the prediction with its noise, in
units of the held-out values' standard deviation; the *guarded* one mixes every prediction with
{guard:.0%} of the held-out values' own normal distribution, without which single designs of which a
model is certain and wrong outweigh all others. *Coverage*: of held-out measurements by 90%
intervals. Means weigh data sets, sizes and problems alike; 95% intervals, Student's t, clustered by
problem.

`{botorch}` is BoTorch's, by MAP with its own priors, features scaled to the unit cube and
measurements standardised (where its optimiser gives up, as that left it); random forest:
scikit-learn's 100 trees, whose spread is the standard deviation; linear: scikit-learn's
Bayesian ridge regression. All see the features that the recipes see. Bandit and Landscapes have too
few designs for this page, and the simulators that take 5 to 10 ms a design (Lander, Gait, WindFarm)
have random starts only."""


def page(found: Found, args: Args) -> Page:
    """The page, with surrogates.csv: a row per model, problem, start and size.

    Args:
        found: As the plan found it.
        args: As the study was run.
    """
    qualities = found.qualities
    names = [model.name for model in MODELS if (qualities["model"] == model.name).any()]
    text = markdown.page(
        "# Surrogates: what the recipes predict, beside other models",
        _head(found, names),
        section("What is compared", _definitions(args)),
        section(f"`{FIT}` minus the others", _difference_table(qualities, names)),
        section("By start and size", _by_size(qualities, names)),
        section("Processor time of a fit", _cost_text(found)),
        section("What it is worth in campaigns", _gain_text(found.gains, args)),
        section("Problem by problem", *_by_problem(qualities, names)),
        section("How it was made", f"    {args.command}", _progress(qualities)),
    )
    keys = ["model", "problem", "start", "added"]
    summary = qualities.drop(columns="data_set").groupby(keys, sort=False).mean().reset_index()
    return Page(text, {args.out / "surrogates.csv": csv(summary)})


def _head(found: Found, names: Sequence[str]) -> str:
    """What came out, in the page's first lines."""
    lines = []
    for name in (BOTORCH, "isotropic"):
        if name in names:
            lines += [_against(found.qualities, name), _losses_text(found.qualities, name)]
    lines += _disasters(found.qualities)
    costs = found.costs
    if {FIT, BOTORCH} <= set(costs.index):
        lines.append(
            f"A fit costs {1000 * costs[FIT]:.1f} ms of processor time at n = 40, d = 6 with "
            f"{COST_TOGETHER} campaigns together, 1/{costs[BOTORCH] / costs[FIT]:.0f} of "
            f"`{BOTORCH}`'s {1000 * costs[BOTORCH]:.0f} ms."
        )
    lines.append(_gain_sentence(found.gains))
    return textwrap.fill(" ".join(lines), _WIDTH, break_long_words=False, break_on_hyphens=False)


def _against(qualities: pd.DataFrame, model: str) -> str:
    """One sentence: `fit` against a model, by Spearman and log score."""
    compared = difference(qualities, model)
    if compared is None:
        return f"Nothing is known yet of `{FIT}` against `{model}`."
    words = [
        f"{_verdict(compared.by_measure[name])} in {_NAMES[name]} "
        f"({_signed(compared.by_measure[name])})"
        for name in ("spearman", "guarded_log_score", "log_score")
    ]
    return (
        f"**`{FIT}` against `{model}`**, {compared.settings} settings (problem x start x size) of "
        f"{compared.problems} problems: {', '.join(words)}; median over settings of the difference "
        f"in log score {compared.median_log_score:+.3f}."
    )


def _verdict(interval: Interval) -> str:
    if interval.low > 0:
        return "above"
    if interval.low > -MARGIN:
        return f"not below (margin {MARGIN:g})"
    return "below" if interval.high < 0 else "undecided"


def _losses_text(qualities: pd.DataFrame, model: str) -> str:
    """On which problems `fit` is below a model; the worst of them by name."""
    parts = []
    for measure in ("spearman", "guarded_log_score", "log_score"):
        lost = losses(qualities, model, measure)
        named = ", ".join(f"{name} {value:+,.2f}" for name, value in lost.head(_NAMED).items())
        more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        parts.append(f"in {_NAMES[measure]}: {named + more or 'none'}")
    return f"Problems on which `{FIT}` is below it, {'; '.join(parts)}."


def _disasters(qualities: pd.DataFrame) -> list[str]:
    """Where models are certain and wrong, so that single designs outweigh all else."""
    part = qualities[qualities["model"].isin((FIT, "isotropic", BOTORCH))]
    means = part.groupby(["model", "problem"], sort=False)["log_score"].mean()
    worst = means[means < _DISASTER]
    if worst.empty:
        return []
    named = "; ".join(
        f"`{model}`: {', '.join(each.index.get_level_values('problem'))}"
        for model, each in worst.groupby("model", sort=False)
    )
    return [f"Certain and wrong (mean log score below {_DISASTER}) are {named}."]


def _definitions(args: Args) -> str:
    return _DEFINITIONS.format(
        data_sets=args.data_sets,
        start=START_SIZE,
        held_out=HELD_OUT,
        guard=GUARD,
        botorch=BOTORCH,
    )


def _difference_table(qualities: pd.DataFrame, names: Sequence[str]) -> str:
    """A row per other model and kind of start."""
    rows = []
    for name in names:
        for start in STARTS if name != FIT else ():
            compared = difference(qualities[qualities["start"] == start], name)
            if compared is None:
                continue
            cells = [
                markdown.difference(*compared.by_measure[measure])
                for measure in ("spearman", "guarded_log_score", "log_score", "coverage")
            ]
            counts = compared.problems, compared.settings
            median = f"{compared.median_log_score:+.3f}"
            rows.append([f"`{name}`", start, *counts, *cells, median])
    headings = ["minus", "start", "problems", "settings", *_NAMES.values(), "median log score"]
    return table(headings, rows)


def _by_size(qualities: pd.DataFrame, names: Sequence[str]) -> str:
    """Means over the problems that all models have; few have a known prior."""
    common = [name for name in names if name != _PRIOR]
    return _size_tables(complete(qualities, common), common)


def _size_tables(part: pd.DataFrame, names: Sequence[str]) -> str:
    if part.empty:
        return "No problem has been predicted by all models yet."
    columns = [
        (start, added)
        for start in STARTS
        for added in sorted(part["added"].unique())
        if ((part["start"] == start) & (part["added"] == added)).any()
    ]
    texts = []
    for measure in ("spearman", "guarded_log_score", "coverage"):
        rows = []
        for name in names:
            row: list[object] = [code(name)]
            for start, added in columns:
                chosen = part[
                    (part["model"] == name) & (part["start"] == start) & (part["added"] == added)
                ]
                row.append(mean_estimate(chosen[measure], 2, clusters=chosen["problem"]))
            rows.append(row)
        headings = [f"{start}, n = {START_SIZE + added}" for start, added in columns]
        texts.append(f"{_NAMES[measure]}:\n\n" + table(["model", *headings], rows))
    counts = ", ".join(
        f"{part[(part['start'] == start) & (part['added'] == added)]['problem'].nunique()}"
        for start, added in columns
    )
    lead = f"Means over the problems that all models have predicted ({counts} by column)."
    return "\n\n".join([lead, *texts])


def _cost_text(found: Found) -> str:
    costs, qualities = found.costs, found.qualities
    rows = []
    for model in MODELS:
        part = qualities[qualities["model"] == model.name]
        if part.empty:
            continue
        by_size = part.groupby("added")["seconds"].mean()
        means = [f"{1000 * by_size[a]:.1f}" if a in by_size else MISSING for a in (0, 20, 40)]
        one = f"{1000 * costs[model.name]:.1f}" if model.name in costs else MISSING
        rows.append([code(model.name), one, *means])
    headings = [
        "model",
        "ms at n = 40, d = 6",
        *(f"mean ms at n = {START_SIZE + added}" for added in (0, 20, 40)),
    ]
    note = (
        f"Processor time of one thread, predictions not counted. n = 40, d = 6: functions of "
        f"`Ombo/GP-v0`, recipes for {COST_TOGETHER} campaigns together, other models the mean of "
        f"{COST_ALONE} fits. The other columns: all problems that a model has, recipes for as many "
        "campaigns together as there are data sets."
    )
    return f"{note}\n\n{table(headings, rows)}"


def _gain_sentence(gains: pd.DataFrame) -> str:
    """What `fit` is worth in campaigns, by start."""
    if gains.empty:
        return "Campaigns: not played yet."
    parts = []
    for start, part in gains.groupby("start", sort=False):
        interval = mean_interval(part["gain"].to_numpy(), clusters=part["problem"])
        parts.append(f"{_signed(interval)} after a start of kind {start}")
    return (
        f"**In campaigns** ({', '.join(map(code, POLICIES))}; N = 1, 2, 5) `{FIT}` minus "
        f"`isotropic` is worth {' and '.join(parts)}, in problem scores."
    )


def _gain_text(gains: pd.DataFrame, args: Args) -> str:
    """A row per start and policy, a column per horizon; then by problem."""
    if gains.empty:
        return "Not played yet."
    horizons = sorted(gains["horizon"].unique())
    keys = ["start", "policy"]
    rows = [
        [start, code(policy), *(_gain(part[part["horizon"] == n]) for n in horizons)]
        for (start, policy), part in gains.groupby(keys, sort=False)
    ]
    note = (
        f"Problem score (0 the start's best value, 1 the optimum or the best value known) with "
        f"`{FIT}` minus with `isotropic`, utility `best`, 20 designs in N rounds, "
        f"{args.campaigns} campaigns each, paired; {gains['problem'].nunique()} problems, those of "
        "which a best value is known."
    )
    each = [
        [problem, *(_gain(part[part["start"] == start], clustered=False) for start in STARTS)]
        for problem, part in gains.groupby("problem", sort=False)
    ]
    return "\n\n".join(
        [
            note,
            table(["start", "policy", *(f"N = {n}" for n in horizons)], rows),
            "By problem, over both policies and all N, intervals over campaigns:",
            table(["problem", *STARTS], each),
        ]
    )


def _gain(part: pd.DataFrame, *, clustered: bool = True) -> str:
    if part.empty:
        return MISSING
    clusters = part["problem"] if clustered else part["seed"]
    return markdown.difference(*mean_interval(part["gain"].to_numpy(), clusters=clusters))


def _by_problem(qualities: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Means over sizes and data sets, a table per start and measure."""
    blocks = []
    for start in STARTS:
        for measure in ("spearman", "guarded_log_score", "coverage"):
            part = qualities[(qualities["start"] == start) & (qualities["added"] == 20)]
            means = part.groupby(["problem", "model"], sort=False)[measure].mean()
            rows = [
                [
                    problem,
                    *(
                        f"{means[problem, name]:.2f}" if (problem, name) in means else MISSING
                        for name in names
                    ),
                ]
                for problem in dict.fromkeys(part["problem"])
            ]
            lead = f"{_NAMES[measure]}, start {start}, n = {START_SIZE + 20}:"
            blocks.append(f"{lead}\n\n{table(['problem', *map(code, names)], rows)}")
    return blocks


def _progress(qualities: pd.DataFrame) -> str:
    """How much of what is to be compared stands on the page."""
    done = qualities.groupby(["model", "problem", "start", "added"]).ngroups
    return f"{done} of {len(cells())} cells (model x problem x start x size) are on this page."


def _signed(interval: Interval) -> str:
    return estimate(*interval, 3, signed=True)
