"""docs/results/offline.md in Markdown, from the table of values."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pandas as pd

# Normalised 100th percentile of 128 proposals over 8 trials, mean and standard deviation.
# Design-Bench, table 2; COMs by the same authors under the same protocol.
PUBLISHED: dict[str, tuple[float, float]] = {
    "gradient_ascent": (0.977, 0.025),
    "gradient_min": (0.984, 0.012),
    "gradient_mean": (0.986, 0.012),
    "coms": (0.945, 0.033),
    "cbas": (0.927, 0.051),
    "reinforce": (0.948, 0.028),
    "cmaes": (0.953, 0.022),
    "mins": (0.905, 0.052),
    "bo_qei": (0.798, 0.083),
    # As close to the published runs as we come.
    "bo_qei:relaxed=true;best=500;others=0;spare=2.5": (0.798, 0.083),
}
Q = 128  # of the published numbers
MOST = 2.0  # published standard deviations that a mean may be away


def write_page(table: pd.DataFrame, trials: int, seed: int, command: str, code: str = "") -> str:
    """The page.

    Args:
        table: A row per batch size and method, as `scripts.offline_table` makes it.
        trials: Of each.
        seed: Of the first trial.
        command: What repeats it.
        code: Version of the code; none: as git says.
    """
    parts = [
        _INTRODUCTION.format(trials=trials, first=seed, last=seed + trials - 1),
        f"## {Q} designs, beside published numbers\n\n{_published(table)}",
        _verdict(table),
        _DEVIATIONS,
    ]
    for batch_size in dict.fromkeys(table["batch_size"]):
        rows = table[table["batch_size"] == batch_size]
        parts.append(
            f"## {batch_size} designs, against random search\n\n{_against_random(rows)}\n\n"
            f"{_standing(rows)}"
        )
    parts.append(_how(command, code or _commit()))
    return "\n\n".join(parts) + "\n"


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


def _published(table: pd.DataFrame) -> str:
    lines = [
        "| method | published, 8 trials | ours, 8 trials | ours, all trials | published deviations "
        "away | within two |",
        "|---|---|---|---|---|---|",
    ]
    rows = table[table["batch_size"] == Q].set_index("method")
    for name in rows.index:
        row = rows.loc[name]
        cells = [
            f"{row['last_max_8']:.3f} ± {row['last_max_8_sd']:.3f}",
            f"{row['last_max']:.3f} ± {row['last_max_sd']:.3f}",
        ]
        if name in PUBLISHED:
            mean, sd = PUBLISHED[name]
            away = (row["last_max"] - mean) / sd
            said = "yes" if abs(away) <= MOST else "**no**"
            lines.append(
                f"| `{name}` | {mean:.3f} ± {sd:.3f} | {' | '.join(cells)} | {away:+.1f} | {said} |"
            )
        else:
            lines.append(f"| `{name}` | - | {' | '.join(cells)} | - | - |")
    return "\n".join(lines) + "\n\nMean ± standard deviation over trials of `last_max`."


def _verdict(table: pd.DataFrame) -> str:
    rows = table[table["batch_size"] == Q].set_index("method")
    there = [name for name in PUBLISHED if name in rows.index]
    away = {
        name: (rows.loc[name, "last_max"] - PUBLISHED[name][0]) / PUBLISHED[name][1]
        for name in there
    }
    inside = [name for name in there if abs(away[name]) <= MOST]
    said = [f"Within two published standard deviations: {_listed(inside)}."]
    for name in there:
        if name not in inside:
            which = "above" if away[name] > 0 else "below"
            said.append(f"Not within: `{name}`, which is {which}.")
    absent = [name for name in PUBLISHED if name not in rows.index]
    if absent:
        said.append(f"Not played: {_listed(absent)}.")
    return " ".join(said)


def _against_random(rows: pd.DataFrame) -> str:
    lines = [
        "| method | last_max, 8 trials | last_max | minus random | last_median, 8 trials "
        "| last_median | minus random | distinct |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for _, row in rows.iterrows():
        cells = [f"`{row['method']}`"]
        for utility in ("last_max", "last_median"):
            cells += [
                f"{row[f'{utility}_8']:.3f} ± {row[f'{utility}_8_sd']:.3f}",
                f"{row[utility]:.3f} ± {row[f'{utility}_sd']:.3f}",
                "-" if row["method"] == "random" else _interval(row, utility),
            ]
        cells.append(f"{row['distinct']:.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _interval(row: pd.Series, utility: str) -> str:
    low, high = row[f"{utility}_above_low"], row[f"{utility}_above_high"]
    text = f"{row[f'{utility}_above']:+.3f} [{low:+.3f}, {high:+.3f}]"
    return f"**{text}**" if low > 0 else text


def _standing(rows: pd.DataFrame) -> str:
    """Who is above random, in words."""
    groups: dict[tuple[bool, bool], list[str]] = {}
    for _, row in rows[rows["method"] != "random"].iterrows():
        above = bool(row["last_max_above_low"] > 0), bool(row["last_median_above_low"] > 0)
        groups.setdefault(above, []).append(row["method"])
    words = {
        (True, True): "Above random on both",
        (False, True): "Above random on `last_median` only",
        (True, False): "Above random on `last_max` only",
        (False, False): "Not above random on either",
    }
    said = [f"{words[key]}: {_listed(groups[key])}." for key in words if key in groups]
    below = [
        row["method"]
        for _, row in rows.iterrows()
        if row["last_max_above_high"] < 0 or row["last_median_above_high"] < 0
    ]
    if below:
        said.append(f"Below random on one or both: {_listed(below)}.")
    return " ".join(said)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) if names else "none"


def _how(command: str, code: str) -> str:
    when = f"{datetime.now(UTC):%d %B %Y, %H:%M} UTC" + (code and f", {code}")
    return (
        f"## How it was made\n\n    {command}\n\n"
        f"{when}. Finished trials are kept under `runs/offline/`, by a hash of the files that they "
        "come from, and a run that was stopped goes on. What a method fits to the visible rows "
        "depends on the trial and not on q or the utility, and is fitted once for all of them."
    )


def _commit() -> str:
    """The commit, where it is known."""
    try:
        asked = ["git", "rev-parse", "--short", "HEAD"]
        found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"commit {found}"
