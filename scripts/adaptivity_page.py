"""docs/results/adaptivity.md: what rounds are worth, method by method."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ombo_gym.evaluation.figure_style import LIGHT
from ombo_gym.evaluation.statistics import mean_interval, paired_difference
from scripts.score_tables import cell, rank_table, rank_text, score_table

FAMILIES = {
    "model-free": ("random", "genetic", "adalead", "cmaes", "local_search", "evolution"),
    "design of experiments": ("sobol", "latin_hypercube", "d_optimal"),
    "Bayesian, a round at a time": (
        *("greedy", "greedy_refined", "ucb", "expected_improvement", "thompson"),
        *("max_value_entropy", "local_penalization", "turbo"),
    ),
    "told how many rounds are left": ("explore_then_exploit", "rollout", "binoculars"),
    "offline, applied again": (
        *("ensemble_greedy", "gradient_ascent", "gradient_min", "gradient_mean", "coms"),
        *("cbas", "reinforce", "mins", "bo_qei"),
    ),
}
BOTORCH = {  # and what it is compared with
    "botorch_logei": "expected_improvement",
    "botorch_kg": "rollout",
    "botorch_multistep": "rollout",
}
_NAMES = tuple(name for family in FAMILIES.values() for name in family)


def write_page(scored: pd.DataFrame, out: Path, command: str) -> None:
    """Writes adaptivity.md, adaptivity.csv and adaptivity.png.

    Args:
        scored: Campaigns with a `problem` and a `problem_score`.
        out: Folder.
        command: What repeats it.
    """
    everybody = score_table(scored[scored["method"].isin(_NAMES)])
    problems = everybody["problem"].nunique()
    counts = everybody.groupby("method")["problem"].nunique()
    everywhere = counts.index[counts == problems]
    table = score_table(scored[scored["method"].isin(everywhere)])
    ranks, gained = rank_table(table), gains(scored[scored["method"].isin(_NAMES)])
    few = scored[scored["method"].isin(BOTORCH)]
    kept = pd.concat([everybody.drop(columns="rank"), score_table(few).drop(columns="rank")])
    kept.to_csv(out / "adaptivity.csv", index=False, float_format="%.6g")
    _draw(table, out / "adaptivity.png")
    horizons = sorted(table["horizon"].unique())
    budget = int((scored["horizon"] * scored["batch_size"]).iloc[0])
    parts = [
        _HEAD.format(budget=budget, horizons=", ".join(map(str, horizons))),
        "## In short\n\n" + reading(table, ranks, gained),
        "## Rank by horizon\n\n" + rank_text(ranks, problems),
        "![Mean score over N, a panel a family](adaptivity.png)\n\nMean score over the problems; "
        "grey: the methods of all other panels.",
        "## What rounds are worth\n\n" + _gain_text(gained, horizons),
        "## Score by problem\n\n"
        + "\n\n".join(_score_text(everybody, horizon, budget) for horizon in horizons),
        "## Beside BoTorch\n\n" + _against_botorch(scored),
        "## What the methods ask their own models\n\n" + _queries(scored),
        _HOW.format(command=command),
    ]
    (out / "adaptivity.md").write_text("\n\n".join(parts) + "\n")


_HEAD = """# Adaptivity: {budget} measurements in {horizons} rounds

Every method gets the same number of measurements, and measures exactly q = {budget} / N designs a
round. Offline methods are made for one round; for more they are fitted again on the grown dataset
and applied again, which is the practice that this page examines. Utility `best`; score: 0 is the
best value of the start, 1 the optimum or the best value known. Mean over campaigns and its 95%
Student t interval; all methods of a row played the same campaigns.

Kernel knowledge is the same for all that use a Gaussian process, BoTorch's methods included: on
`GP` the kernel that functions are drawn from, with its lengthscale and variance; elsewhere a
Matern-5/2 kernel (boxes) or a squared-exponential one of the Hamming distance (sequences) whose
parameters are found by marginal likelihood. Offline methods fit networks and know no kernel. All
see how many rounds are left; only those under "told how many rounds are left" and
`botorch_multistep` make anything of it."""

_HOW = """## How it was made

    {command}

plays [grids/adaptivity.yaml](../../grids/adaptivity.yaml); all scores are in
[adaptivity.csv](adaptivity.csv)."""


def gains(scored: pd.DataFrame) -> pd.DataFrame:
    """Score at the largest horizon minus score at one round, paired, by problem and method."""
    rows = []
    last = scored["horizon"].max()
    for (problem, method), part in scored.groupby(["problem", "method"], sort=False):
        wide = part.pivot(index="seed", columns="horizon", values="problem_score")
        found = paired_difference(wide[last].to_numpy(), wide[1].to_numpy())
        rows.append((problem, method, found.estimate, found.low, found.high))
    return pd.DataFrame(rows, columns=["problem", "method", "gain", "low", "high"])


def reading(table: pd.DataFrame, ranks: pd.DataFrame, gained: pd.DataFrame) -> str:
    """What the numbers say, in words."""
    lines = []
    for horizon, part in ranks.groupby("horizon"):
        names = part.sort_values("rank")
        best = [f"`{row.method}` ({row.rank:.1f})" for row in names.head(3).itertuples()]
        scores = table[table["horizon"] == horizon]
        winners = scores.loc[scores.groupby("problem")["score"].idxmax(), "method"]
        won = ", ".join(f"`{name}` {count}" for name, count in winners.value_counts().items())
        lines.append(
            f"- **N = {horizon}**: the best mean ranks have {', '.join(best)}. Highest mean score, "
            f"by number of problems: {won}."
        )
    means = table.groupby(["method", "horizon"])["score"].mean().unstack()
    last = int(means.columns[-1])
    for family, names in FAMILIES.items():
        there = [name for name in names if name in means.index]
        if not there:
            continue
        once, often = means.loc[there, 1], means.loc[there, last]
        mine = gained[gained["method"].isin(there)]
        lines.append(
            f"- **{family[0].upper()}{family[1:]}**: the mean score goes from {once.mean():.2f} "
            f"(N = 1; best `{once.idxmax()}` {once.max():.2f}) to {often.mean():.2f} (N = {last}; "
            f"best `{often.idxmax()}` {often.max():.2f}). Rounds pay, with an interval above 0, in "
            f"{(mine['low'] > 0).sum()} of {len(mine)} pairs of method and problem, and cost in "
            f"{(mine['high'] < 0).sum()}."
        )
    return "\n".join(lines)


def _gain_text(gained: pd.DataFrame, horizons: list[int]) -> str:
    problems = list(dict.fromkeys(gained["problem"]))
    lines = [
        f"Score at N = {horizons[-1]} minus score at N = 1, paired by campaign, with its 95% "
        "interval; bold where that is above 0. What one round makes of the budget is where each "
        "starts from: a method that is bad in one round has more to gain.",
        "",
        f"| method | {' | '.join(problems)} |",
        "|---" * (1 + len(problems)) + "|",
    ]
    wide = gained.set_index(["method", "problem"])
    for name in _NAMES:
        if name not in set(gained["method"]):
            continue
        cells = []
        for problem in problems:
            if (name, problem) not in wide.index:
                cells.append("-")
                continue
            row = wide.loc[(name, problem)]
            text = f"{row['gain']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]"
            cells.append(f"**{text}**" if row["low"] > 0 else text)
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _score_text(table: pd.DataFrame, horizon: int, budget: int) -> str:
    """A row a method and a column a problem; the best is bold."""
    part = table[table["horizon"] == horizon]
    problems = list(dict.fromkeys(part["problem"]))
    best = part.groupby("problem")["score"].max()
    lines = [
        f"### N = {horizon}, q = {budget // horizon}",
        "",
        f"| method | {' | '.join(problems)} |",
        "|---" * (1 + len(problems)) + "|",
    ]
    for name in _NAMES:
        mine = part[part["method"] == name]
        if mine.empty:
            continue
        cells = []
        for problem in problems:
            own = mine[mine["problem"] == problem]
            text = cell(own, name, horizon, "score", 2)
            top = not own.empty and own["score"].iloc[0] == best[problem]
            cells.append(f"**{text}**" if top else text)
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _against_botorch(scored: pd.DataFrame) -> str:
    lines = [
        "BoTorch's methods take seconds a decision, and play the first few campaigns only: score "
        "minus that of ours on the same campaigns, paired, with its 95% interval.",
        "",
        "| problem | N | campaigns | method | its score | ours | its score minus ours |",
        "|---|---|---|---|---|---|---|",
    ]
    for (problem, horizon), part in scored.groupby(["problem", "horizon"], sort=False):
        wide = part.pivot(index="seed", columns="method", values="problem_score")
        for name, rival in BOTORCH.items():
            if name not in wide or rival not in wide:
                continue
            both = wide[[name, rival]].dropna()
            found = paired_difference(both[name].to_numpy(), both[rival].to_numpy())
            lines.append(
                f"| {problem} | {horizon} | {len(both)} | `{name}` | {both[name].mean():.2f} "
                f"| {both[rival].mean():.2f} (`{rival}`) "
                f"| {found.estimate:+.2f} [{found.low:+.2f}, {found.high:+.2f}] |"
            )
    return "\n".join(lines)


def _queries(scored: pd.DataFrame) -> str:
    """Mean number of model queries per campaign, of those that count them."""
    asked = scored[scored["model_queries"] > 0]
    horizons = sorted(scored["horizon"].unique())
    lines = [
        "Designs that a method asks a model of its own about while it looks for a batch, mean per "
        "campaign over the problems: no measurement, but not free either. Policies with a Gaussian "
        "process look at a fixed number of candidates (256 in a box) and climb from some of them.",
        "",
        f"| method | {' | '.join(f'N = {n}' for n in horizons)} |",
        "|---" * (1 + len(horizons)) + "|",
    ]
    for name, part in asked.groupby("method", sort=False):
        cells = [
            f"{mean_interval(rows['model_queries'].to_numpy()).estimate:,.0f}"
            if len(rows := part[part["horizon"] == n])
            else "-"
            for n in horizons
        ]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _draw(table: pd.DataFrame, path: Path) -> None:
    """A panel a family: mean score over the problems by N."""
    import matplotlib.pyplot as plt

    means = table.groupby(["method", "horizon"])["score"].mean().unstack()
    families = {
        family: [name for name in names if name in means.index]
        for family, names in FAMILIES.items()
    }
    families = {family: names for family, names in families.items() if names}
    figure, axes = plt.subplots(1, len(families), figsize=(3.2 * len(families), 4.6), sharey=True)
    for ax, (family, names) in zip(axes, families.items(), strict=True):
        at = range(len(means.columns))
        for other in means.index.difference(names):
            ax.plot(at, means.loc[other], color=LIGHT.grid, linewidth=1, zorder=1)
        for i, name in enumerate(names):
            colour = LIGHT.others[i % len(LIGHT.others)]
            ax.plot(at, means.loc[name], color=colour, marker="osD^vPX*<"[i], label=name)
        ax.set_xticks(at, [str(n) for n in means.columns])
        ax.set_title(family, fontsize=9, loc="left", color=LIGHT.ink)
        ax.set_xlabel("rounds N")
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=7.5, frameon=False, ncols=2
        )
    axes[0].set_ylabel("mean score over problems")
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
