"""docs/results/offline.md: one round of TF-Bind-8, beside published numbers and random."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime

import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import MISSING, bold, code, difference, section, table
from scripts.studies.offline.plan import FEW, PUBLISHED, RANDOM, UTILITIES, Args
from scripts.studies.recipes import recipes_line
from scripts.studies.study import Page, csv

Q = 128  # of the published numbers
MAX_DEVIATIONS = 2.0  # published standard deviations that a mean may be away


def page(summary: pd.DataFrame, args: Args) -> Page:
    """The page, with offline.csv.

    Args:
        summary: A row per batch size and method.
        args: As the study was run.
    """
    published = summary[summary["batch_size"] == Q].set_index("method")
    first, last = args.seed, args.seed + args.trials - 1
    text = markdown.page(
        _INTRODUCTION.format(trials=args.trials, first=first, last=last),
        recipes_line("fit"),
        section(f"{Q} designs, beside published numbers", _published(published)),
        _verdict(published),
        _DEVIATIONS,
        *(
            section(
                f"{batch_size} designs, against random search", _against_random(part), _wins(part)
            )
            for batch_size, part in summary.groupby("batch_size", sort=False)
        ),
        section("How it was made", f"    {args.command}", _how(args.code or _commit())),
    )
    return Page(text, {args.out / "offline.csv": csv(summary)})


_INTRODUCTION = """# Offline optimization: one round of TF-Bind-8

N = 1: a method sees a dataset, proposes q designs, and is judged by them. The dataset is the
visible half of TF-Bind-8 (`Ombo/TFBind8-v0`, all 32,898 listed rows at or below the median of SIX6;
its best has 0.439), the optimum is 1, and values are scaled so that 0 is the worst of all 65,536
designs. `last_max` is the best of the q designs, what the literature calls the normalised 100th
percentile; `last_median` is their median, the 50th percentile.

**Read it against random search.** Half of all designs are better than everything that is visible,
so that 128 uniform designs have a best of about 0.94 already: `last_max` at q = 128 hardly tells
methods apart. Their median is 0.44, which uniform designs cannot raise, and at q = 8 a method has
to know what it proposes. Every method plays the same {trials} trials (seeds {first} to {last}; they
differ in the order of the rows and in the method's random numbers), and differences from random are
paired. Intervals are 95%, Student's t."""

_DEVIATIONS = """What differs from the published protocol:

- A batch holds each design once: where a method proposes a design again, its next one is taken, and
  a uniform one when it has no more. In the published runs repeats stay. Measured designs may be
  proposed; no method is told that what is not visible is better.
- Networks have two hidden layers of 256 units (`gradient_...`) or 128 (others) and are fitted in 8
  or 6 passes by least squares, so that a fit takes seconds of one core. Published: up to 2,048
  units and 100 passes, with a predicted deviation.
- `gradient_ascent`, `gradient_min`, `gradient_mean`: 200 steps from the best visible designs, on
  softened logits that are standardised, with the published step size.
- `coms`: 5 steps of ascent in training, longer ones, where the published runs take 50.
- `cbas`: 10 iterations with a threshold at the 70th percentile (published: 20 at the 80th): with
  distinct designs a model that has collapsed onto a few is worth little.
- `reinforce`: the mean prediction of each batch is subtracted as a baseline.
- `mins`: a conditional autoencoder in place of the conditional adversarial network.
- `bo_qei`: the Gaussian process works on designs, by the number of positions in which they differ,
  batches are chosen among designs, and what is proposed was found. The published runs optimise
  batches by gradients in the box of logits, observe the networks' predictions with noise, and
  propose the best of the dataset and of what was found together. The row `bo_qei:relaxed=true...`
  does that too (but for the gradients), and so shows where the published number comes from: most of
  its 128 designs are visible ones, the few others are random-like, and the best of few is what is
  scored.

Settings were chosen on trials from seed 500,000 up. Policies with a Gaussian process (`ucb`,
`expected_improvement`, `thompson`, `greedy`, `bo_qei`) have the same kernel knowledge: a
squared-exponential kernel of the Hamming distance, its parameters by marginal likelihood, on at
most 512 rows (`bo_qei`: its own choice of rows)."""


def _published(summary: pd.DataFrame) -> str:
    """A row per method: the published number and ours.

    Args:
        summary: Of the published batch size, by method.
    """
    rows = []
    for name, row in summary.iterrows():
        few = f"{row[f'last_max_{FEW}']:.3f} ± {row[f'last_max_{FEW}_sd']:.3f}"
        everything = f"{row['last_max']:.3f} ± {row['last_max_sd']:.3f}"
        if name in PUBLISHED:
            mean, sd = PUBLISHED[name]
            away = _deviations_away(name, row)
            verdict = "yes" if abs(away) <= MAX_DEVIATIONS else bold("no")
            beside = f"{mean:.3f} ± {sd:.3f}", few, everything, f"{away:+.1f}", verdict
        else:
            beside = MISSING, few, everything, MISSING, MISSING
        rows.append([code(name), *beside])
    headings = (
        *("method", "published, 8 trials", "ours, 8 trials", "ours, all trials"),
        *("published deviations away", "within two"),
    )
    note = "Mean ± standard deviation over trials of `last_max`."
    return f"{table(headings, rows)}\n\n{note}"


def _deviations_away(name: str, row: pd.Series) -> float:
    """Published standard deviations that our mean is above the published one."""
    mean, sd = PUBLISHED[name]
    return float((row["last_max"] - mean) / sd)


def _verdict(summary: pd.DataFrame) -> str:
    """Who is within two published deviations, in words."""
    away = {
        name: _deviations_away(name, summary.loc[name])
        for name in PUBLISHED
        if name in summary.index
    }
    inside = [name for name in away if abs(away[name]) <= MAX_DEVIATIONS]
    sentences = [f"Within two published standard deviations: {_listed(inside)}."]
    for name in away:
        if name not in inside:
            which = "above" if away[name] > 0 else "below"
            sentences.append(f"Not within: `{name}`, which is {which}.")
    if absent := [name for name in PUBLISHED if name not in away]:
        sentences.append(f"Not played: {_listed(absent)}.")
    return " ".join(sentences)


def _against_random(summary: pd.DataFrame) -> str:
    """A row per method."""
    rows = []
    for _, row in summary.iterrows():
        cells = [code(row["method"])]
        for utility in UTILITIES:
            ends = row[f"{utility}_above_low"], row[f"{utility}_above_high"]
            above = difference(row[f"{utility}_above"], *ends, bold_where="above")
            cells += [
                f"{row[f'{utility}_{FEW}']:.3f} ± {row[f'{utility}_{FEW}_sd']:.3f}",
                f"{row[utility]:.3f} ± {row[f'{utility}_sd']:.3f}",
                MISSING if row["method"] == RANDOM else above,
            ]
        rows.append([*cells, f"{row['distinct']:.0f}"])
    compared = [
        heading
        for utility in UTILITIES
        for heading in (f"{utility}, {FEW} trials", utility, "minus random")
    ]
    return table(["method", *compared, "distinct"], rows)


def _wins(summary: pd.DataFrame) -> str:
    """Who is above random, in words."""
    groups: dict[tuple[bool, bool], list[str]] = {}
    for _, row in summary[summary["method"] != RANDOM].iterrows():
        above = bool(row["last_max_above_low"] > 0), bool(row["last_median_above_low"] > 0)
        groups.setdefault(above, []).append(row["method"])
    words = {
        (True, True): "Above random on both",
        (False, True): "Above random on `last_median` only",
        (True, False): "Above random on `last_max` only",
        (False, False): "Not above random on either",
    }
    sentences = [f"{words[key]}: {_listed(groups[key])}." for key in words if key in groups]
    is_below = (summary["last_max_above_high"] < 0) | (summary["last_median_above_high"] < 0)
    if is_below.any():
        below = _listed(summary.loc[is_below, "method"])
        sentences.append(f"Below random on one or both: {below}.")
    return " ".join(sentences)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(code, names)) or "none"


def _how(version: str) -> str:
    when = f"{datetime.now(UTC):%d %B %Y, %H:%M} UTC" + (version and f", {version}")
    return (
        f"{when}. Finished trials are kept under `runs/offline/`, by a hash of the files that they "
        "come from, and a run that was stopped goes on. What a method fits to the visible rows "
        "depends on the trial and not on q or the utility, and is fitted once for all of them."
    )


def _commit() -> str:
    """The commit, where it is known."""
    try:
        asked = ["git", "rev-parse", "--short", "HEAD"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"commit {answer.stdout.strip()}"
