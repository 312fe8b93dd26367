"""docs/results/calibration.md: where measured tables lie among synthetic training tasks."""

from __future__ import annotations

from functools import partial

import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import MISSING, code, section, table
from scripts.studies.calibration.features import ADDED, SIZE
from scripts.studies.calibration.figures import draw_features
from scripts.studies.calibration.plan import TABLE, TASKS, Args, Described
from scripts.studies.study import Page, csv

TITLES = {
    "spearman_truncated": "Spearman, lower half",
    "spearman_truncated_20": "Spearman, lower half + 20",
    "spearman_random": "Spearman, random",
    "spearman_random_20": "Spearman, random + 20",
    "left_out": "left-out correlation",
    "skewness": "skewness",
    "lowest": "share of the lowest value",
    "ties": "share of ties",
    "additive": "additive share",
    "pairs": "share of pairs",
    "unexplained": "unexplained share",
    "rugged": "ruggedness",
    "parameters": "parameters",
    "log_size": "log10 of the designs",
}
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_LOW, _HIGH = _QUANTILES[0], _QUANTILES[-1]
_ROOM = 1e-9

_HEAD = """# Calibration: where measured tables lie among the synthetic training tasks

Policies that are to play campaigns they have never seen are trained on
[`Ombo/Screens-v0`](../environments/Screens.md), random functions of {shapes} shapes (`{tasks}`).
Below, {synthetic:,} of these functions beside {real} others, which training may see: {tables}
tables that were measured or computed and that no test of this project is played on, and the
training halves of LCBench, TF binding, coatings and the SNAr simulator. **{inside:.0%}** of all
problems' features are within the middle 90% of the synthetic ones. After a start in the lower
half of all values, the model that policies fit ranks designs with a Spearman correlation of
{truncated:.2f} [{truncated_low:.2f}, {truncated_high:.2f}] on synthetic functions (median and
middle half) and {real_truncated:.2f} [{real_truncated_low:.2f}, {real_truncated_high:.2f}] on the
others; with {added} random designs beside it {grown:.2f} [{grown_low:.2f}, {grown_high:.2f}] and
{real_grown:.2f} [{real_grown_low:.2f}, {real_grown_high:.2f}]."""

_MEANING = f"""*Spearman*: rank correlation of what the recipe `fit` predicts of designs that were
not measured and what is true, after {SIZE} designs, random ones or of the lower half of all
values (which the model is told), and with {ADDED} random ones beside them. *Left-out
correlation*: of the {SIZE} + {ADDED} measurements and what the model predicts of each from the
others. *Share of the lowest value*, *of ties*: designs that share the lowest value, or their
value with another. *Additive*: how much of the variance a kernel ridge regression on main effects
explains of designs that were left out; *pairs*: how much more with interactions of two
parameters; *unexplained*: what is left. *Ruggedness*: half the mean squared difference of nearest
neighbours among about 200 designs, beside the variance; 1 where neighbours have nothing in
common. Noise is that of the tasks, from none to that of the signal; the shapes of functions are
described without it."""

_LIMITS = """Tables hold one function each and are a choice of their authors; none of the
reactions, materials and proteins that the [suite](suite.md) tests on is among them, and none of
them was looked at for this page. What is within the bands feature by feature may still differ in
what features go together. Tables that are easier than nearly all synthetic functions are smooth
responses to three to five numbers; those with fewer designs are small because no task has less room
than the largest campaign, of 16 designs and 10 batches of 16. Where a design space has no end of
designs, their number is missing."""


def page(found: Described, args: Args) -> Page:
    """The page, with its table and its picture.

    Args:
        found: A row per function.
        args: As the study was run.
    """
    names = [name for name in TITLES if name in found.real]
    medians = found.real.groupby("problem", sort=False)[names].median()
    by_feature = features_table(medians, found.synthetic[names])
    text = markdown.page(
        _head(found, medians, by_feature),
        "![Features](calibration.png)",
        "A point is a function (a table: the mean over several starts), the bands the middle 90% "
        "and 50% of the synthetic functions, the line their median.",
        section("Feature by feature", _feature_rows(by_feature)),
        section("What the features are", _MEANING),
        section("Problem by problem", _problem_rows(found, names)),
        section("Limits", _LIMITS),
        section("How it was made", f"    {args.command}"),
    )
    drawn = {name: TITLES[name] for name in names}
    return Page(
        text,
        {
            args.out / "calibration.csv": csv(_medians(found, names), digits=4),
            args.out / "calibration.png": partial(
                draw_features, found.real, found.synthetic, drawn
            ),
        },
    )


def features_table(real: pd.DataFrame, synthetic: pd.DataFrame) -> pd.DataFrame:
    """A row per feature: quantiles of both, and where problems are beside the band.

    Args:
        real: A row per problem, by name, and a column per feature.
        synthetic: A row per function, the same columns.

    Returns:
        `inside`, the share of problems within the band, and the names of those `below` and `above`.
    """
    rows = []
    for name in real:
        known, drawn = real[name].dropna(), synthetic[name].dropna()
        low, high = drawn.quantile(_LOW) - _ROOM, drawn.quantile(_HIGH) + _ROOM
        rows.append(
            {
                "feature": name,
                **{f"real_{q}": known.quantile(q) for q in (0.0, 0.5, 1.0)},
                **{f"synthetic_{q}": drawn.quantile(q) for q in _QUANTILES},
                "inside": ((known >= low) & (known <= high)).mean(),
                "below": ", ".join(map(str, known.index[known < low])),
                "above": ", ".join(map(str, known.index[known > high])),
            }
        )
    return pd.DataFrame(rows)


def _head(found: Described, medians: pd.DataFrame, by_feature: pd.DataFrame) -> str:
    quartiles: dict[str, float] = {}
    for key, name in (
        ("truncated", "spearman_truncated"),
        ("grown", f"spearman_truncated_{ADDED}"),
    ):
        for prefix, column in (("", found.synthetic[name]), ("real_", medians[name])):
            low, middle, high = column.quantile([0.25, 0.5, 0.75])
            quartiles |= {
                f"{prefix}{key}_low": low,
                f"{prefix}{key}": middle,
                f"{prefix}{key}_high": high,
            }
    return _HEAD.format(
        shapes=found.synthetic["problem"].nunique(),
        tasks=TASKS,
        synthetic=len(found.synthetic),
        real=len(found.real),
        tables=int((found.real["kind"] == TABLE).sum()),
        inside=by_feature["inside"].mean(),
        added=ADDED,
        **quartiles,
    )


def _feature_rows(by_feature: pd.DataFrame) -> str:
    head = ["feature", "others: lowest", "median", "highest"]
    head += [f"synthetic: {q:.0%}" for q in _QUANTILES]
    rows = [
        [
            TITLES[row["feature"]],
            *(f"{row[f'real_{q}']:.2f}" for q in (0.0, 0.5, 1.0)),
            *(f"{row[f'synthetic_{q}']:.2f}" for q in _QUANTILES),
            f"{row['inside']:.0%}",
            row["below"] or MISSING,
            row["above"] or MISSING,
        ]
        for _, row in by_feature.iterrows()
    ]
    return table([*head, "within 90%", "below", "above"], rows)


_SHOWN = ("spearman_truncated", "spearman_truncated_20", "spearman_random", "spearman_random_20")


def _problem_rows(found: Described, names: list[str]) -> str:
    """Medians over the functions of each problem; synthetic ones together."""
    shown = [*_SHOWN, "skewness", "ties", "additive", "pairs", "rugged", "parameters"]
    shown = [name for name in shown if name in names]
    medians = found.real.groupby("problem", sort=False)[shown].median()
    rows = [
        [problem, *(_number(value) for value in row)]
        for problem, row in zip(medians.index, medians.to_numpy(), strict=True)
    ]
    both = [_number(value) for value in found.synthetic[shown].median()]
    return table(["problem", *(TITLES[name] for name in shown)], [[code(TASKS), *both], *rows])


def _number(value: float) -> str:
    return MISSING if pd.isna(value) else f"{value:.2f}"


def _medians(found: Described, names: list[str]) -> pd.DataFrame:
    """A row per problem or shape."""
    both = pd.concat([found.real, found.synthetic.assign(kind="synthetic")])
    grouped = both.groupby(["kind", "problem"], sort=False)[names]
    counts = both.groupby(["kind", "problem"], sort=False).size().rename("functions")
    return grouped.median().join(counts).reset_index()
