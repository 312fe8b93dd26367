"""docs/results/exact.md: policies against the exact optimum."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from tqdm import tqdm

from ombo_agents.planners.dynamic_programming import solve_campaign
from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import MISSING, bold, code, section, table
from ombo_gym.spec import campaign_spec
from scripts.studies.exact.cases import BANDIT, CASES, Case
from scripts.studies.exact.figures import draw_case
from scripts.studies.exact.plan import SEEDS, Args
from scripts.studies.recipes import recipes_line
from scripts.studies.study import Page, csv

_LISTED = 6  # batches that are named where many are equally good


def page(values: pd.DataFrame, args: Args) -> Page:
    """The page, with exact.csv and a picture per case in exact/.

    Args:
        values: A row per case and horizon.
        args: As the study was run.
    """
    blocks = [
        _INTRODUCTION.format(command=args.command),
        recipes_line("fit"),
        _overview(values),
        _READING,
    ]
    if values["trained"].notna().any():
        blocks.append(_training(values))
    files = {args.out / "exact.csv": csv(values, digits=9)}
    for case in tqdm(CASES, unit="problem", desc="first batches", disable=None):
        blocks.append(
            section(
                case.title,
                case.says,
                f"![Expected utility over N, and the loss to the optimum](exact/{case.name}.png)",
                _first_batches(case),
                _repeat(case),
            )
        )
        own = values[values["case"] == case.name]
        files[args.out / "exact" / f"{case.name}.png"] = partial(draw_case, own)
    return Page(markdown.page(*blocks), files)


_INTRODUCTION = """# Policies against the exact optimum

*N-step optimal is not 1-step optimal N times*: on problems that are small enough this is no slogan
but a computation. Below, the best N-round policy is found by dynamic programming over beliefs, and
every other policy, trained networks included, is evaluated exactly: by going through everything it
may be shown, with its probability, instead of playing campaigns. There is no sampling noise in any
number of this page, and differences of a tenth of a percent are real.

- **optimum**: the Bayes-optimal policy (`bayes_optimal`), the most that any policy can reach.
- **1-step**: the policy that is optimal when one round is left, applied every round (`one_step`).
  Often several batches are equally good for one round and not for many; the worst and the best way
  of breaking all such ties is given, and in brackets ties broken at random (uniform over ordered
  batches, those that differ only by exchanging arms of which the same is believed counting once).
- **2-step**: plans two rounds ahead, every round (`rolling_2`; ties at random).
- **Thompson**: each slot takes what is best in a draw from the exact posterior (`thompson`).
- **ucb**: upper confidence bound of a fitted Gaussian process (`ucb`), which is what one would run
  without knowing the problem.
- **rollout**: takes the batch after which the 1-step policy does best, in expectation over
  everything that it may be shown (`rollout`, which plans on the exact posterior here).
- **trained**: a network trained with PPO on the raw dataset (`--agent direct`) for that q and N,
  mean over 3 training seeds.
- **gap closed**: (policy - 1-step) / (optimum - 1-step), of the column before it, with ties at
  random; only where that gap is more than 1% of the optimum.

A dash: not evaluated, because the policy is out of reach of exact evaluation there, or not trained.
All of it comes from one command, which trains the policies first where they are not there yet:

    {command}"""

_READING = """What it says:

- Knowing N can be worth everything (signpost: 1/3 against 1) or nothing (independent designs), and
  on the classic bandits about 1%. Which of these a problem is like has to be computed.
- Batches change the answer: four designs a round make the sign useless.
- More lookahead is not monotone: on the tents at N = 3 two steps are worse than one.
- What looks like a gap of planning can be a gap of tie-breaking: on two arms in batches of ten the
  range of the 1-step policies is most of the distance to the optimum.
- Thompson sampling beats the 1-step policy where that never explores (clique, incumbent) and loses
  to it on arms that nothing is known of; nowhere is imitating it imitating the optimum."""


def _overview(values: pd.DataFrame) -> str:
    rows = [
        _cells(case, values[(values["case"] == case.name) & (values["horizon"] == n)].iloc[0])
        for case in CASES
        for n in case.rows
    ]
    headings = (
        *("problem", "utility", "q x N", "optimum", "1-step: worst to best (random)", "2-step"),
        *("Thompson", "ucb", "rollout", "gap closed", "trained", "gap closed"),
    )
    return table(headings, rows)


def _training(values: pd.DataFrame) -> str:
    """What was trained, and each seed's value."""
    rows = []
    for case in CASES:
        own = values[(values["case"] == case.name) & (values["horizon"] == case.trained)]
        if own["trained"].notna().any():
            row = own.iloc[0]
            rows.append(
                [
                    case.name,
                    f"{case.batch_size} x {case.trained}",
                    f"{row['steps']:,.0f}",
                    f"{row['seconds']:.0f}",
                    *(_number(row[f"trained_{seed}"]) for seed in SEEDS),
                    _number(row["fresh"]),
                ]
            )
    headings = (
        *("problem", "q x N", "rounds played", "seconds, at most"),
        *(f"seed {seed}" for seed in SEEDS),
        "mean of three seeds that nothing was tuned on",
    )
    introduction = (
        "The trained policies by training seed (`scripts.train --agent direct`, on one core):"
    )
    return f"{introduction}\n\n{table(headings, rows)}"


def _cells(case: Case, row: pd.Series) -> list[str]:
    return [
        f"[{case.name}](#{_anchor(case.title)})",
        code(case.utility),
        f"{case.batch_size} x {row['horizon']}",
        bold(_number(row["optimum"])),
        _range(row["one_step_worst"], row["one_step_best"], row["one_step_uniform"]),
        *(_number(row[name]) for name in ("rolling_2_uniform", "thompson", "ucb", "rollout")),
        _share(row["rollout_gap_closed"]),
        _number(row["trained"]),
        _share(row["gap_closed"]),
    ]


def _share(value: float) -> str:
    return MISSING if np.isnan(value) else f"{value:.0%}"


def _number(value: float) -> str:
    return MISSING if np.isnan(value) else f"{value:.4f}"


def _range(low: float, high: float, middle: float) -> str:
    if high - low < 5e-5:
        return _number(middle)
    return f"{low:.4f} to {high:.4f} ({middle:.4f})"


def _anchor(title: str) -> str:
    """The anchor that a heading gets on the usual pages."""
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def _first_batches(case: Case) -> str:
    """What is proposed first, by the optimum and by the 1-step policy."""
    horizon = case.rows[-1]
    spec = campaign_spec(case.make(horizon))
    firsts = []
    for name, lookahead in (("optimum", None), ("1-step policy", 1)):
        root = solve_campaign(spec, lookahead=lookahead).layers[0]
        tied = [batch for batch, best in zip(root.options, root.tied[0], strict=True) if best]
        firsts.append(f"the {name}'s {_listed(tied, case)}")
    return f"First batch at q = {case.batch_size}, N = {horizon}: {'; '.join(firsts)}."


def _listed(batches: Sequence[tuple[int, ...]], case: Case) -> str:
    """Batches in words: pulls of each arm, or designs."""
    word = "arm" if case.env == BANDIT else "design"
    if case.batch_size == 1:
        shown, what = [str(batch[0]) for batch in batches], f"{word} is"
    elif case.env == BANDIT:
        arms = 1 + max(max(batch) for batch in batches)
        shown = ["+".join(str(batch.count(arm)) for arm in range(arms)) for batch in batches]
        what = "pulls of the arms are"
    else:
        shown = ["{" + ", ".join(map(str, batch)) + "}" for batch in batches]
        what = "designs are"
    if len(shown) > _LISTED:
        shown = [*shown[:_LISTED], f"{len(batches) - _LISTED} others"]
    return f"{what} {' or '.join(shown)}"


def _repeat(case: Case) -> str:
    arguments = json.dumps(case.kwargs)
    return (
        f"    python -m scripts.exact --env {case.env} --env-kwargs '{arguments}' --utility "
        f"{case.utility} --batch-size {case.batch_size} --horizon {case.rows[-1]}"
    )
