"""docs/results/learning.md: what can be learned, and from what reward."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import code, section, table
from scripts.studies.learning.figures import draw_curves
from scripts.studies.learning.plan import Args
from scripts.studies.study import Page, Writer, csv

SETTING = ["problem", "control", "utility", "reward"]

_HEAD = """# What can be learned, and from what reward

One small PPO ({rounds:,} rounds, two layers of 64, rewards scaled by how much returns vary), the
same for all, on campaigns of 3 rounds of 4 designs, from {seeds} seeds. As it learns it plays the
same {campaigns} campaigns, which are never trained on, taking its best action, beside random
actions under the same control. *Gain* is the mean return minus that of random actions, in standard
deviations of what random actions return. *Learned* says in how many seeds the trained policy is
above random actions and above its own untrained start: both paired 95% intervals above 0.

Rewards: plain, as the environment pays; dense (`DenseReward`), each round the change of what a
campaign that ended now would be worth; score (`ScoreReward`); both; and scores of which what is
below -1 counts as -1, as in reports. All but the last return the utility, in units of the problem
or as a score. The [recipes](../recipes/README.md) are longer runs of this kind."""

_NOTE = """Under `exploration` and `candidates` random actions are no random designs: a surrogate
finds the designs, and the agent sets weights or picks from its list. Under `designs` the network
sees the standardised dataset as one vector and has to find out by itself what measurements say
about the next design. Standard deviations are of the returns that the setting pays: those of scores
have a long lower end, so that gains are compared between plain and dense, or score and dense score.
A gain of 0 means: not in so many rounds; it is no proof that more would not do."""


def page(curves: pd.DataFrame, args: Args) -> Page:
    """The page, with learning.csv and learning.png.

    Args:
        curves: A row per setting, seed and point of the curve.
        args: As the study was run.
    """
    found = summary(curves)
    rows = [
        [
            code(f"Ombo/{row.problem}-v0"),
            code(row.control),
            code(row.utility),
            row.reward,
            f"{row.start:+.2f}",
            f"{row.gain:+.2f} ({row.least:+.2f} to {row.most:+.2f})",
            f"{row.learned} of {row.seeds}",
        ]
        for row in found.itertuples()
    ]
    headings = ["id", "control", "utility", "reward", "untrained", "gain (by seed)", "learned"]
    text = markdown.page(
        _HEAD.format(
            rounds=int(curves["rounds"].max()),
            seeds=curves["seed"].nunique(),
            campaigns=args.campaigns,
        ),
        section("In short", reading(found)),
        "![Gain over random actions as training goes on, a panel a setting](learning.png)\n\n"
        "A line a seed, with its 95% interval.",
        section("All settings", table(headings, rows, alignment="llllrrr")),
        section("How to read it", _NOTE),
        section("How it was made", f"    {args.command}"),
    )
    files: dict[Path, Writer] = {
        args.out / "learning.csv": csv(curves),
        args.out / "learning.png": partial(draw_curves, curves),
    }
    return Page(text, files)


def summary(curves: pd.DataFrame) -> pd.DataFrame:
    """A row per setting, of the curves' last points, gains in sd of random actions' returns.

    Args:
        curves: A row per setting, seed and point of the curve.

    Returns:
        `start` (gain of the untrained policies), `gain`, `least` and `most` over seeds, `learned`
        (in how many seeds both intervals are above 0) and `seeds`.
    """
    rows = []
    for keys, part in curves.groupby(SETTING, sort=False):
        first = part[part["rounds"] == 0]
        last = part.loc[part.groupby("seed")["rounds"].idxmax()]
        gains = last["gain"] / last["spread"].replace(0.0, np.nan)
        learned = (last["gain_low"] > 0) & (last["own_low"] > 0)
        rows.append(
            {
                **dict(zip(SETTING, keys, strict=True)),
                "start": (first["gain"] / first["spread"].replace(0.0, np.nan)).fillna(0).mean(),
                "gain": gains.fillna(0).mean(),
                "least": gains.fillna(0).min(),
                "most": gains.fillna(0).max(),
                "learned": int(learned.sum()),
                "seeds": len(last),
            }
        )
    return pd.DataFrame(rows)


def reading(found: pd.DataFrame) -> str:
    """What the numbers say, in words."""
    lines = []
    for control, part in found.groupby("control", sort=False):
        sure = part[part["learned"] == part["seeds"]]
        never = part[part["learned"] == 0]
        line = (
            f"- `{control}`: learned in every seed in {len(sure)} of {len(part)} settings, by "
            f"{part['gain'].mean():+.2f} sd in the mean"
        )
        if len(never):
            names = ", ".join(
                f"{row.problem} (`{row.utility}`, {row.reward})" for row in never.itertuples()
            )
            line += f"; in no seed: {names}"
        lines.append(f"{line}.")
    several = found.groupby(SETTING[:3])["reward"].transform("count") > 1
    for keys, part in found[several].groupby(SETTING[:3], sort=False):
        gains = ", ".join(f"{row.reward} {row.gain:+.2f}" for row in part.itertuples())
        lines.append(f"- {keys[0]}, `{keys[1]}`, `{keys[2]}`, by reward: {gains}.")
    return "\n".join(lines)
