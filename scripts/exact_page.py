"""docs/results/exact.md in Markdown, from the table of values."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ombo_agents.planners.dynamic_programming import solve_campaign
from ombo_gym.spec import campaign_spec
from scripts.exact_cases import BANDIT, CASES, Case

_LISTED = 6  # batches that are named where many are equally good


def write_page(table: pd.DataFrame, command: str) -> str:
    """The page.

    Args:
        table: A row per case and horizon, as `scripts.exact_table` writes it.
        command: What repeats it.
    """
    parts = [_INTRODUCTION.format(command=command), _overview(table), _READING]
    if table["trained"].notna().any():
        parts.append(_training(table))
    for case in CASES:
        rows = table[table["case"] == case.name]
        parts.append(
            f"## {case.title}\n\n{case.says}\n\n"
            f"![Expected utility over N, and the loss to the optimum](exact/{case.name}.png)\n\n"
            f"{_first_batches(case)}\n\n{_repeat(case)}"
        )
        assert len(rows) == len(case.horizons)
    return "\n\n".join(parts) + "\n"


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


def _overview(table: pd.DataFrame) -> str:
    head = (
        "| problem | utility | q x N | optimum | 1-step: worst to best (random) | 2-step "
        "| Thompson | ucb | rollout | gap closed | trained | gap closed |"
    )
    lines = [head, "|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for case in CASES:
        for horizon in case.rows:
            row = table[(table["case"] == case.name) & (table["horizon"] == horizon)].iloc[0]
            lines.append(f"| {' | '.join(_cells(case, row))} |")
    return "\n".join(lines)


def _training(table: pd.DataFrame) -> str:
    """What was trained, and each seed's value."""
    lines = [
        "The trained policies by training seed (`scripts.train --agent direct`, on one core):",
        "",
        "| problem | q x N | rounds played | seconds, at most | seed 0 | seed 1 | seed 2 "
        "| mean of three seeds that nothing was tuned on |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in CASES:
        mine = table[(table["case"] == case.name) & (table["horizon"] == case.trained)]
        if mine["trained"].notna().any():
            row = mine.iloc[0]
            seeds = " | ".join(_number(row[f"trained_{seed}"]) for seed in range(3))
            lines.append(
                f"| {case.name} | {case.batch_size} x {case.trained} | {row['steps']:,.0f} "
                f"| {row['seconds']:.0f} | {seeds} | {_number(row['fresh'])} |"
            )
    return "\n".join(lines)


def _cells(case: Case, row: pd.Series) -> list[str]:
    return [
        f"[{case.name}](#{_anchor(case.title)})",
        f"`{case.utility}`",
        f"{case.batch_size} x {row['horizon']}",
        f"**{row['optimum']:.4f}**",
        _range(row["one_step_worst"], row["one_step_best"], row["one_step_uniform"]),
        _number(row["rolling_2_uniform"]),
        _number(row["thompson"]),
        _number(row["ucb"]),
        _number(row["rollout"]),
        _share(row["rollout_gap_closed"]),
        _number(row["trained"]),
        _share(row["gap_closed"]),
    ]


def _share(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.0%}"


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.4f}"


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
    said = []
    for name, lookahead in (("optimum", None), ("1-step policy", 1)):
        root = solve_campaign(spec, lookahead=lookahead).layers[0]
        tied = [batch for batch, best in zip(root.options, root.tied[0], strict=True) if best]
        said.append(f"the {name}'s {_listed(tied, case)}")
    return f"First batch at q = {case.batch_size}, N = {horizon}: {'; '.join(said)}."


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
