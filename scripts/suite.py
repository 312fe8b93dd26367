"""Plays the suite, grids/suite.yaml; writes README's leaderboard and docs/results/suite.md."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import tyro
from stable_baselines3.common.callbacks import ProgressBarCallback

from ombo_agents.cli.arguments import report_errors
from ombo_agents.cli.evaluate import show
from ombo_agents.learned.storage import CONFIG
from ombo_agents.learned.training import SETTINGS, train
from ombo_gym.evaluation.evaluate import evaluate
from ombo_gym.evaluation.grid import read_grid
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.tables import read_table
from scripts.suite_page import write_page

BEGIN, END = "<!-- leaderboard: written by make suite -->", "<!-- end of leaderboard -->"
SEEDS = (0, 1, 2)  # of training
KEPT = (  # in docs; everything else stays in the suite's own folder
    *("leaderboard.csv", "ranks.csv", "summary.csv", "training_seeds.csv"),
    *("figures/leaderboard.png", "figures/profiles.png"),
)


@dataclass(frozen=True)
class Training:
    """A meta-policy that the suite trains, once per training seed."""

    name: str
    env: str
    env_kwargs: dict[str, Any]
    steps: int


_PLAYED = {"horizon": [1, 5], "batch_size": 4, "utility": "last_mean"}
TRAININGS = (
    Training("gp", "Ombo/GP-v0", _PLAYED, 200_000),
    Training("tf", "Ombo/TFBinding-v0", {**_PLAYED, "split": "train"}, 100_000),
)


@dataclass(frozen=True)
class Args:
    """Trains what is not there yet, plays the grid and writes the leaderboard."""

    grid: Path = Path("grids/suite.yaml")
    """What is played."""
    out: Path = Path("results/suite")
    """Folder for everything."""
    runs: Path = Path("runs/suite")
    """Folder of the trained policies; those that are there are not trained again."""
    readme: Path = Path("README.md")
    """The file between whose marks the leaderboard goes."""
    docs: Path = Path("docs/results/suite")
    """Folder for the pictures and tables that are kept."""
    backend: str = "loky"
    """As of scripts.evaluate; likewise jobs, address and resume."""
    jobs: int = 2
    address: str | None = None
    resume: bool = False


def main(args: Args) -> None:
    """Runs the suite."""
    training = sum(_train(each, args.runs) for each in TRAININGS)
    begun = perf_counter()
    plans = read_grid(args.grid)
    launch = Launch(args.backend, args.jobs, args.address)
    results = evaluate(plans, out=args.out, launch=launch, resume=args.resume, command="make suite")
    minutes = (training + perf_counter() - begun) / 60
    keep(args.out, args.docs)
    write_page(args.out, args.docs)
    section = leaderboard_section(args.out, args.docs, args.runs, minutes, args.jobs)
    args.readme.write_text(between_marks(args.readme.read_text(), section))
    show(results, args.out)


def _train(training: Training, runs: Path) -> float:
    """Trains what is not there yet; the seconds that all seeds took, now or earlier."""
    seconds = 0.0
    for seed in SEEDS:
        out = runs / f"{training.name}-{seed}"
        if not (out / CONFIG).is_file():
            print(f"training {out}")
            train(
                training.env,
                agent="exploration",
                env_kwargs=training.env_kwargs,
                settings=replace(SETTINGS["exploration"], steps=training.steps),
                seed=seed,
                out=out,
                callback=ProgressBarCallback(),
            )
        seconds += json.loads((out / CONFIG).read_text())["seconds"]
    return seconds


def keep(out: Path, docs: Path) -> None:
    """Copies what is kept."""
    shutil.rmtree(docs, ignore_errors=True)
    docs.mkdir(parents=True)
    for name in KEPT:
        shutil.copy(out / name, docs)


def leaderboard_section(out: Path, docs: Path, runs: Path, minutes: float, jobs: int) -> str:
    """The README's section, from the tables of a finished suite."""
    board = read_table(out / "leaderboard.csv")
    board = board[board["utility"] == board["utility"].iloc[-1]]  # all of them together
    complete, partial = board[board["complete"]].sort_values("place"), board[~board["complete"]]
    plans = json.loads((out / "config.json").read_text())["plans"]
    rows = "\n".join(map(_row, complete.itertuples()))
    others = ", ".join(f"`{row.method}` ({row.settings})" for row in partial.itertuples())
    return f"""\
### Leaderboard

{len(complete)} policies on {_problems(plans)} problems, {board["settings"].max()} settings of
problem, N, q and utility, all told N. Score: 0 is the mean of `random`, 1 the mean of the best that
any policy reached on each campaign; interquartile mean over campaigns, settings weighing alike,
with its 95% stratified bootstrap interval. Rank: mean over settings. The policies under
`{runs}` were trained for `last_mean` alone, `gp` on `Ombo/GP-v0` and `tf` on the training factors
of `Ombo/TFBinding-v0`, with {len(SEEDS)} seeds each, which their intervals resample too; the
pictures show each utility by itself.

| place | policy | score | mean rank |
|---|---|---|---|
{rows}

Without a place, since they suit only some of the settings (how many in brackets): {others}.

![Scores with their intervals]({docs}/leaderboard.png)

![Performance profiles]({docs}/profiles.png)

`make suite`, {datetime.now(UTC):%Y-%m-%d}: {minutes:.0f} minutes on {jobs} cores with training,
{len(read_table(out / "campaigns.csv")):,} campaigns of [grids/suite.yaml](grids/suite.yaml), which
picks up new environments and policies. How far each policy gets on each problem, N by N, and a
plain reading of it: [{docs}.md]({docs}.md); tables are in [{docs}]({docs}), and the report with
everything, replays of campaigns too, is `{out}/report.html`."""


def _row(row: Any) -> str:
    interval = f"{row.score:.3f} [{row.score_low:.3f}, {row.score_high:.3f}]"
    return f"| {row.place:.0f} | `{row.method}` | {interval} | {row.rank:.1f} |"


def _problems(plans: Sequence[dict[str, Any]]) -> int:
    return len({(plan["env"], json.dumps(plan["env_kwargs"], sort_keys=True)) for plan in plans})


def between_marks(text: str, section: str) -> str:
    """Replaces what stands between the marks.

    Raises:
        ValueError: The marks are not there.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected the marks {BEGIN} and {END} in the README")
    return f"{before}{BEGIN}\n{section}\n{END}{after}"


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args))
