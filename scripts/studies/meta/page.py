"""docs/results/meta.md: what was learnt, where it pays and where it loses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ombo_agents.learned.meta.context import KINDS
from ombo_agents.learned.meta.rule import CHANGES, Rule
from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import bold, code, difference, section, table
from ombo_gym.evaluation.statistics import mean_interval, paired_difference
from scripts.studies.meta.pictures import draw_proposals, draw_training
from scripts.studies.meta.plan import (
    BASELINES,
    KNOWN_BATCH,
    META,
    ONE_ROUND,
    PLANNER,
    STATIC,
    Args,
    Findings,
)
from scripts.studies.meta.tables import CLOSE, MARGIN, by_cell, strongest
from scripts.studies.scores import short_name
from scripts.studies.study import Page, Writer, csv

_HEAD = """# The meta-policy

`ombo_agents.make("meta", env_or_spec)` plays any campaign: one table of {numbers} numbers for every
design space, horizon, batch size, start and utility. It begins as the best rules are (`ucb` under
`best`, `explore_then_exploit` where the last batch counts, a designed first plate where the start
was chosen by value); what it learnt are bounded changes of how much each slot of a plate explores,
and of how much of such a first plate is designed, by the kind of campaign and the quality of the
model. They were searched for along lines, all steps of a line on the same campaigns ({campaigns:,}
in all, of {tasks}); a step was made where its paired interval is above 0, and what was found for a
kind of campaign was kept where validation ({validate}) agrees. Nothing of the suite's test problems
was trained, tuned or selected on; what was looked at, and when, stands below."""


def page(findings: Findings, args: Args) -> Page:
    """The page, with its tables and pictures.

    Args:
        findings: As the plan found them.
        args: As the study was run.
    """
    cells = by_cell(findings.scores, META, BASELINES)
    name, by_problem = strongest(findings.scores, META, BASELINES)
    known = known_table(findings.known)
    config, folder = findings.rule.config, args.out / "meta"
    text = markdown.page(
        _head(findings.rule),
        section("In short", "\n".join(in_short(cells, by_problem, name, known))),
        section(
            "The suite's test problems",
            *_suite(cells),
            *([] if findings.rule.table.any() else [_NOTHING]),
            _losses(by_problem, name),
        ),
        section("Where the prior is known", _known(known)),
        section("What was learnt", *_learnt(findings.rule)),
        section(
            "Does it explore, then exploit?",
            "The same dataset with 5, 2 and 1 rounds left: all candidates by what the surrogate "
            "expects of them and how unsure it is, and the plate that `meta` proposes. With rounds "
            "to come it takes what is uncertain, in the last round of `last_mean` what is best.",
            "![Plates with 5, 2 and 1 rounds left](meta/proposals.png)",
        ),
        section("Training", *_training([config, *findings.runs])),
        section("Looks at the test problems", _LOOKS),
        section("How it was made", f"    make train-meta\n    make suite\n    {args.command}"),
    )
    files: dict[Path, Writer] = {
        args.out / "meta.csv": csv(cells),
        folder / "known.csv": csv(known),
        folder / "proposals.png": partial(draw_proposals, findings.rule),
        folder / "training.png": partial(draw_training, [config, *findings.runs]),
    }
    return Page(text, files)


_LOOKS = """The suite was played with the shipped weights once they were chosen by validation, for
this page; nothing was changed afterwards. What the rules were that it begins as was settled before,
from the suite's earlier results (docs/results/suite.md), which showed which rules are good: in this
the test problems have had a say. HPO-B's 45 test tasks were played with the same weights, for
[its page](hpob.md); nothing was changed afterwards."""


_NOTHING = """Training found no step above the rules (below), so in each cell `meta` is one of them:
`ucb` after random starts and `doe_then_ucb` after others under `best`, `explore_then_exploit` after
random starts under `last_mean`. Differences to these are the random candidates, shifts and ties
that each policy draws for itself, and say how far apart equal policies come out here: what is
smaller than that, this suite cannot tell."""


def _head(rule: Rule) -> str:
    config = rule.config
    return _HEAD.format(
        numbers=rule.table.size,
        campaigns=config["campaigns"],
        tasks=names_of(config["tasks"]),
        validate=names_of(config["validate"]),
    )


def names_of(tasks: Any) -> str:
    """Tasks of a configuration in words: a protocol, or the problems."""
    if isinstance(tasks, str):
        return code(tasks)
    envs = dict.fromkeys(each["env"] for each in tasks["tasks"])
    return f"{len(tasks['tasks'])} tasks of " + ", ".join(map(code, envs))


def in_short(
    cells: pd.DataFrame, by_problem: pd.Series, baseline: str, known: pd.DataFrame
) -> list[str]:
    """What the numbers say."""
    best = cells[cells["utility"] == "best"]
    level = (best["score"] >= best["best_score"] - CLOSE).sum()
    not_below = (cells["low"] > -MARGIN).sum()
    found = mean_interval(by_problem.to_numpy())
    lines = [
        "- Under `best` it has the highest mean score of all policies, or is within "
        f"{CLOSE} of it, in {level} of {len(best)} cells of start and N.",
        f"- It is not below the best of {', '.join(map(code, BASELINES))} (margin {MARGIN}) in "
        f"{not_below} of {len(cells)} cells.",
        f"- Mean difference to `{baseline}`, the strongest of these over all cells, by problem: "
        f"{difference(*found)}.",
    ]
    for utility, part in known.groupby("utility", sort=False):
        one = part[part["policy"].isin(ONE_ROUND)]
        above = (one.groupby("horizon")["low"].min() > 0).sum()
        static = part[part["policy"] == STATIC]
        words = ", ".join(
            f"N = {row.horizon}: {difference(row.difference, row.low, row.high)}"
            for row in static.itertuples()
        )
        lines.append(
            f"- Known prior, `{utility}`: above every one-round rule at {above} of "
            f"{one['horizon'].nunique()} horizons; minus `{STATIC}`, {words}."
        )
    return lines


def _suite(cells: pd.DataFrame) -> list[str]:
    rows = []
    for row in cells.itertuples():
        score = f"{row.score:.3f}"
        reached = row.score >= row.best_score - CLOSE
        rows.append(
            [
                row.start,
                code(row.utility),
                row.horizon,
                bold(score) if reached else score,
                f"{code(row.best)} {row.best_score:.3f}",
                code(row.baseline),
                difference(row.difference, row.low, row.high),
            ]
        )
    headings = [
        "start",
        "utility",
        "N",
        "`meta`",
        "best of all others",
        "best baseline",
        "minus it",
    ]
    about = (
        f"{cells['problems'].max()} test problems, q x N = 20, mean score by problem (0 the "
        "start's best, 1 the best known), 95% intervals over problems. Bold: the highest of all "
        f"policies that play every problem, or within {CLOSE} of it."
    )
    return [about, table(headings, rows)]


def _losses(by_problem: pd.Series, baseline: str) -> str:
    lost = by_problem[by_problem < 0]
    rows = [[short_name(*key), f"{value:+.3f}"] for key, value in lost.items()]
    words = (
        f"Mean over all cells minus that of `{baseline}`, problems on which `meta` loses "
        f"({len(lost)} of {len(by_problem)}; it wins most on "
        f"{short_name(*by_problem.index[-1])}, {by_problem.iloc[-1]:+.3f}):"
    )
    return f"{words}\n\n{table(['problem', 'difference'], rows)}"


def known_table(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The meta-policy minus everybody else, paired by campaign, where the prior is known."""
    rows = []
    for cell, part in campaigns.groupby(["utility", "horizon"], sort=False):
        wide = part.pivot(index="seed", columns="policy", values="value")
        for name in wide.columns:
            both = wide[[META, name]].dropna() if name != META else wide[[META]].dropna()
            found = paired_difference(both[META].to_numpy(), both[name].to_numpy())
            rows.append((*cell, name, len(both), both[name].mean(), *found))
    columns = ["utility", "horizon", "policy", "campaigns", "mean", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _known(known: pd.DataFrame) -> str:
    blocks = [
        f"`Ombo/GP-v0` in two dimensions, q = {KNOWN_BATCH}: functions are drawn from the prior "
        "that all policies know. Mean utility in standard deviations of the functions, and `meta` "
        f"minus the policy on the same campaigns (`{PLANNER}` plays the first of them)."
    ]
    for utility, part in known.groupby("utility", sort=False):
        horizons = list(dict.fromkeys(part["horizon"]))
        rows = []
        for name, own in part.groupby("policy", sort=False):
            by_horizon = {row.horizon: row for row in own.itertuples()}
            cells = [
                f"{by_horizon[n].mean:.3f}"
                if name == META
                else f"{by_horizon[n].mean:.3f}, "
                + difference(by_horizon[n].difference, by_horizon[n].low, by_horizon[n].high)
                for n in horizons
            ]
            rows.append([code(name), own["campaigns"].max(), *cells])
        headings = ["policy", "campaigns", *(f"N = {n}" for n in horizons)]
        blocks.append(f"Utility `{utility}`:\n\n{table(headings, rows)}")
    return "\n\n".join(blocks)


def _learnt(rule: Rule) -> list[str]:
    rows = [
        [kind, *(f"{change:+.2f}" if change else "" for change in row)]
        for kind, row in zip(KINDS, rule.table.tolist(), strict=True)
    ]
    words = (
        "What is added to the exploration weights (in posterior standard deviations) of a plate's "
        "first and last slot, with rounds to come and in the last round; to all of them, times the "
        "leave-one-out correlation of the surrogate minus .4; and to the share of a first plate "
        "that is designed, which is 1. Nothing where training and validation found nothing above "
        "the rule that it begins as."
    )
    return [words, table(["kind of campaign", *map(code, CHANGES)], rows)]


def _training(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    blocks = [
        "The mean gain of each step along a line, over tasks of this kind of campaign, and the "
        f"{configs[0]['settings']['confidence']:.0%} interval of the best of them. "
        + " ".join(
            f"Seed {config['seed']}: {config['seconds'] / 60:.0f} minutes." for config in configs
        ),
        "![Gain by step, a line a kind of campaign](meta/training.png)",
    ]
    for config in configs:
        rows = [
            [
                KINDS[each["kind"]],
                each["line"],
                difference(*each["interval"]),
                _step(each["steps"][each["best"]]) if each["made"] else "",
            ]
            for each in config["steps"]
        ]
        headings = ["kind of campaign", "line", "best step", "made"]
        looks = [
            f"{KINDS[look['kind']]}: "
            f"{difference(look['difference'], look['low'], look['high'])}"
            f"{', kept' if look['kept'] else ', not kept'}."
            for look in config["validation"]
            if any(look["row"])
        ]
        found = " ".join(looks) or "No step was made, so there was nothing to validate."
        blocks += [f"Seed {config['seed']}. Validation: {found}", table(headings, rows)]
    return [*blocks, _FAILED]


_FAILED = """What did not work: CMA-ES over 33 weights that were linear in eleven numbers of the
campaign (commit 9466492; 12 rules a generation on 12 settings x 10 campaigns of the same tasks).
After 20 generations the mean of a generation's rules was still level with the rule that they began
as (-.007 over the last ten), and on validation its mean was -.008 [-.024, +.008] after ten: what
steps in all directions at once lose is larger than what a step in a good one gains."""


def _step(step: Mapping[str, float]) -> str:
    return ", ".join(f"{code(name)} {size:+.2f}" for name, size in step.items())
