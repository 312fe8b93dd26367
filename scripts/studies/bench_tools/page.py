"""docs/results/bench_tools.md: our default beside BayBE and Ax, on four problems from the bench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import MISSING, code, difference, section, table
from ombo_gym.evaluation.statistics import Interval, mean_interval, paired_difference
from scripts.studies.bench_tools.campaigns import PLATES, START, Run
from scripts.studies.bench_tools.plan import OTHERS, OURS, Args
from scripts.studies.bench_tools.problems import PROBLEMS
from scripts.studies.study import Page, csv

MARGIN = 2.0  # points: 2% of the range
SHARE = 0.1  # of the others' CPU time that ours may take
MEASURES = {"final_best": "final best", "last_mean": "mean of the last plate"}
LETTERS = dict(zip(PROBLEMS, "ABCD", strict=True))
_HEAD = """# Beside BayBE and Ax

What `ombo suggest` does by default (`--policy auto`), beside
[BayBE](https://emdgroup.github.io/baybe/) and [Ax](https://ax.dev) with what they do by default, on
four problems as they come up at the bench: {start} random wells are measured, then {plates} are
proposed and measured, by each tool from the same wells and with the same noise. Values are true
yields; 100 is the best that an instance has, 0 about the worst, so {margin:g} points are
{margin:g}% of the range. Differences are paired by instance, with 95% intervals (Student's t).
*Not below* means that the lower end is above -{margin:g}, *above* that it is above 0.

{lines}"""
_TOOLS = """Each tool has a process of its own, which gets the space and all measurements as JSON
and answers with {wells} designs; nothing is handed from one plate to the next. One thread each.

- Ours: `Campaign.suggest` with `plates_left` as it is, {told}.
- BayBE {baybe}: `Campaign` with the default recommender, which with data is a Gaussian process and
  log expected improvement of the batch, optimized one well after the other: over all combinations
  of discrete values, and by gradients in ranges. Choices are one column a level, also by default. A
  mixture is a `ContinuousLinearConstraint`.
- Ax {ax}: `Client` with the default generation strategy (method "fast"); measured wells are
  attached as trials and count as the initial ones. It offers no equalities: the last part of a
  mixture is what the others leave, which are at most 100. Where a plate came short, it was asked
  again for the rest.

BayBE and Ax are not told how many plates follow: there is no place for it. Weights and
surrogates of ours were chosen on other problems; but that our default explores less on its last
plate, and that the surrogate fits a mean, was looked for after first results on (A) and (B)."""
_COST = """Seconds of one core for a plate (the suggestion with the reading of the data; the start
of the program, which takes BayBE and Ax some five seconds, is left out), mean over plates and
instances."""
_MADE = """In an environment beside ours, which `--bench-python` names:

    python -m venv build/bench-tools
    build/bench-tools/bin/pip install -c constraints-bench-tools.txt baybe ax-platform torch
    python -m scripts.studies bench_tools --bench-python build/bench-tools/bin/python --resume

and, from the campaigns that are kept, ours played anew:

    {command}"""


class Difference(NamedTuple):
    """Ours minus another tool's, of one measure on one problem, or over all."""

    tool: str
    measure: str
    problem: str
    interval: Interval
    seeds: int


def page(runs: Sequence[Run], args: Args) -> Page:
    """The page, with bench_tools.csv.

    Args:
        runs: Finished campaigns.
        args: As the study was run.

    Raises:
        ValueError: There is no instance that all tools have finished.
    """
    frame = frame_of(runs)
    if not any(_common(part) for _, part in frame.groupby("problem")):
        raise ValueError(
            f"bench_tools: expected an instance that {OURS}, {' and '.join(OTHERS)} have finished, "
            "got none; give --bench-python, or --runs where they are kept"
        )
    found = differences(frame)
    head = _HEAD.format(
        start=START,
        plates=f"{len(PLATES)} plates of {PLATES[0]}",
        margin=MARGIN,
        lines="\n".join(f"- {line}" for line in _lines(frame, found)),
    )
    text = markdown.page(
        head,
        section("Yields", _yields(frame)),
        section("Ours minus theirs", _difference_table(found)),
        section("Cost", _COST, _cost(frame)),
        section("Problems", _problems()),
        section("Tools", _tools(runs)),
        section("How it was made", _MADE.format(command=args.command)),
    )
    return Page(text, {args.out / "bench_tools.csv": csv(frame)})


def frame_of(runs: Sequence[Run]) -> pd.DataFrame:
    """A row a campaign: its best start, final best, last plate's mean, and CPU of a suggestion."""
    rows = [
        (
            *(run.cell.tool, run.cell.problem, run.cell.seed),
            *(float(run.start.max()), run.final_best, run.last_mean, float(run.seconds.mean())),
        )
        for run in runs
    ]
    columns = ["tool", "problem", "seed", "start_best", *MEASURES, "seconds"]
    return pd.DataFrame(rows, columns=columns)


def differences(frame: pd.DataFrame) -> list[Difference]:
    """By tool, measure and problem, and, as problem "", of the mean over the four.

    A seed counts where both tools have finished it, for the mean where they have on all problems.
    """
    found = []
    for tool in OTHERS:
        for measure in MEASURES:
            wide = {
                who: frame[frame["tool"] == who].pivot(
                    index="seed", columns="problem", values=measure
                )
                for who in (OURS, tool)
            }
            gaps = (wide[OURS] - wide[tool]).reindex(columns=list(PROBLEMS))  # (seeds, problems)
            means = gaps.mean(axis=1, skipna=False)
            for problem, column in [*gaps.items(), ("", means)]:
                values = column.dropna().to_numpy()
                if len(values):
                    interval = paired_difference(values, np.zeros(len(values)))
                    found.append(Difference(tool, measure, problem, interval, len(values)))
    return found


def _lines(frame: pd.DataFrame, found: Sequence[Difference]) -> list[str]:
    """What was asked, and whether it is so."""
    lines = []
    single = [each for each in found if each.problem]
    not_below = [each for each in single if each.interval.low > -MARGIN]
    lower = [each for each in single if each.interval.estimate < 0]
    missed = [each for each in single if each not in not_below]
    counts = sorted({each.seeds for each in single})
    lines.append(
        f"Instances of each problem that all have finished: {counts[0]}"
        + (f" to {counts[-1]}." if len(counts) > 1 else ".")
    )
    text = f"Ours is not below in {len(not_below)} of {len(single)} comparisons"
    if missed:
        text += f"; it is, or that is not ruled out, in {_named(missed)}"
    lines.append(f"{text}.")
    if lower:
        lines.append(f"Its mean is lower in {len(lower)} of them: {_named(lower)}.")
    for each in found:
        if not each.problem:
            word = "above" if each.interval.low > 0 else "not above"
            lines.append(
                f"Over the four problems, {MEASURES[each.measure]}: ours is {word} "
                f"{OTHERS[each.tool]}, {difference(*each.interval, 1)}."
            )
    if not any(not each.problem for each in found):
        lines.append(
            "No seed is finished on all four problems yet, so nothing is said of the mean."
        )
    cost = seconds(frame)
    shares = {tool: (cost.loc[OURS] / cost.loc[tool]).max() for tool in OTHERS}
    word = "at most" if max(shares.values()) <= SHARE else "more than"
    lines.append(
        f"It takes {word} a tenth of the CPU time: at most "
        + ", ".join(f"1/{1 / share:,.0f} of {OTHERS[tool]}'s" for tool, share in shares.items())
        + " on any problem."
    )
    return lines


def _named(chosen: Sequence[Difference]) -> str:
    return ", ".join(
        f"{LETTERS[each.problem]} {MEASURES[each.measure]} against {OTHERS[each.tool]} "
        f"({difference(*each.interval, 1, bold_where='never')})"
        for each in chosen
    )


def seconds(frame: pd.DataFrame) -> pd.DataFrame:
    """CPU time of a suggestion by tool, a row each, and problem, a column each."""
    found = frame.groupby(["tool", "problem"])["seconds"].mean().unstack()
    return found.reindex(columns=[name for name in PROBLEMS if name in found])


def _yields(frame: pd.DataFrame) -> str:
    rows = []
    for problem, part in frame.groupby("problem", sort=False):
        common = _common(part)
        part = part[part["seed"].isin(common)]
        if not common:
            continue
        start = mean_interval(part.loc[part["tool"] == OURS, "start_best"].to_numpy())
        for measure, name in MEASURES.items():
            means = {
                tool: mean_interval(part.loc[part["tool"] == tool, measure].to_numpy())
                for tool in (OURS, *OTHERS)
            }
            best = max(mean.estimate for mean in means.values())
            cells = (
                markdown.bold(markdown.estimate(*mean, 1))
                if mean.estimate == best
                else markdown.estimate(*mean, 1)
                for mean in means.values()
            )
            at_start = f"{start.estimate:.1f}" if measure == "final_best" else MISSING
            rows.append(
                [f"({LETTERS[str(problem)]}) {problem}", len(common), name, at_start, *cells]
            )
    return "On the instances that all three have finished; the highest mean is bold.\n\n" + table(
        ["problem", "instances", "", "best of the start", "ours", *OTHERS.values()], rows
    )


def _common(part: pd.DataFrame) -> set[int]:
    """Seeds that all tools have finished."""
    seeds = [set(part.loc[part["tool"] == tool, "seed"]) for tool in (OURS, *OTHERS)]
    return set.intersection(*seeds)


def _difference_table(found: Sequence[Difference]) -> str:
    cells: Mapping[tuple[str, str, str], Difference] = {
        (each.tool, each.measure, each.problem): each for each in found
    }
    rows = []
    for tool, shown in OTHERS.items():
        for measure, name in MEASURES.items():
            row = []
            for problem in (*PROBLEMS, ""):
                each = cells.get((tool, measure, problem))
                row.append(f"{difference(*each.interval, 1)} ({each.seeds})" if each else MISSING)
            rows.append([f"minus {shown}, {name}", *row])
    headings = [f"({letter}) {problem}" for problem, letter in LETTERS.items()]
    return "In brackets how many instances; bold where the interval excludes 0.\n\n" + table(
        ["ours", *headings, "mean of the four"], rows
    )


def _cost(frame: pd.DataFrame) -> str:
    cost = seconds(frame)
    names = {OURS: "ours", **OTHERS}
    rows = [
        [names[tool], *(f"{value:.2f}" for value in cost.loc[tool].to_numpy())]
        for tool in (OURS, *OTHERS)
    ]
    return table(["", *(f"({LETTERS[str(problem)]}) {problem}" for problem in cost)], rows)


def _problems() -> str:
    texts = [" ".join(str(make.__doc__).split()) for make in PROBLEMS.values()]
    where = code("scripts/studies/bench_tools/problems.py")
    return f"A new instance for each seed, in {where}.\n\n" + "\n".join(
        f"- {text}" for text in texts
    )


def _tools(runs: Sequence[Run]) -> str:
    versions = {package: number for run in runs for package, number in run.versions.items()}
    told = ", then ".join(str(list(PLATES[i:])) for i in range(len(PLATES)))
    return _TOOLS.format(
        wells=PLATES[0],
        told=told,
        baybe=versions.get("baybe", ""),
        ax=versions.get("ax-platform", ""),
    )
