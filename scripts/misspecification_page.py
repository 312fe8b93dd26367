"""docs/results/misspecification.md: what a wrong model costs, and whom."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ombo_gym.evaluation.figure_style import LIGHT, MARKERS
from ombo_gym.evaluation.statistics import mean_interval, paired_difference

OWN, FITTED = "own", "fitted"
PLANNER, RIVALS = "rollout", ("greedy", "ucb", "explore_then_exploit")


def write_page(campaigns: pd.DataFrame, out: Path, command: str) -> None:
    """Writes misspecification.md, misspecification.csv and misspecification.png.

    Args:
        campaigns: With the name of the surrogate's `model`.
        out: Folder.
        command: What repeats it.
    """
    table = summary(campaigns)
    table.to_csv(out / "misspecification.csv", index=False, float_format="%.6g")
    _draw(table, out / "misspecification.png")
    parts = [
        _HEAD.format(campaigns=f"{table['campaigns'].max():,}"),
        "## In short\n\n" + reading(table, planning(campaigns)),
        "![Loss by lengthscale, a panel a utility and horizon](misspecification.png)",
    ]
    for utility in dict.fromkeys(table["utility"]):
        parts.append(f"## Utility `{utility}`\n\n{_values(table[table['utility'] == utility])}")
    parts.append("## Does planning still pay?\n\n" + _planning_text(planning(campaigns)))
    parts.append(f"## How it was made\n\n    {command}")
    (out / "misspecification.md").write_text("\n\n".join(parts) + "\n")


_HEAD = """# Misspecification: the same campaigns with a wrong model

`Ombo/GP-v0` in 2-D, q = 4: functions are drawn from a Gaussian process with a Matern-5/2 kernel of
lengthscale 0.3. What policies know of it is the `surrogate`: the own kernel, lengthscale and
variance; one whose lengthscale, variance and noise are fitted to the data by marginal likelihood,
from the 4 designs of the start on; or the own kernel with a lengthscale that is wrong by a factor
of 2 or 4 and stays so. {campaigns} campaigns for each number, the same ones everywhere. Values are
in standard deviations of the functions; a loss is the value with the own kernel minus the value
with another model, paired by campaign. All intervals are 95%."""


def summary(campaigns: pd.DataFrame) -> pd.DataFrame:
    """A row per utility, horizon, policy and model: mean value, and loss to the own kernel."""
    rows = []
    keys = ["utility", "horizon", "policy"]
    for names, part in campaigns.groupby(keys, sort=False):
        wide = part.pivot(index="seed", columns="model", values="value")
        for model in dict.fromkeys(part["model"]):
            value = mean_interval(wide[model].to_numpy())
            loss = paired_difference(wide[OWN].to_numpy(), wide[model].to_numpy())
            rows.append((*names, model, len(wide), *value, loss.estimate, loss.low, loss.high))
    value_columns = ["value", "low", "high"]
    loss_columns = ["loss", "loss_low", "loss_high"]
    return pd.DataFrame(rows, columns=[*keys, "model", "campaigns", *value_columns, *loss_columns])


def planning(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The planner minus rivals that have the same model, paired; where N > 1."""
    rows = []
    keys = ["utility", "horizon", "model"]
    for names, part in campaigns[campaigns["horizon"] > 1].groupby(keys, sort=False):
        wide = part.pivot(index="seed", columns="policy", values="value")
        for rival in RIVALS:
            found = paired_difference(wide[PLANNER].to_numpy(), wide[rival].to_numpy())
            rows.append((*names, rival, found.estimate, found.low, found.high))
    return pd.DataFrame(rows, columns=[*keys, "rival", "difference", "low", "high"])


def reading(table: pd.DataFrame, planned: pd.DataFrame) -> str:
    """What the numbers say, in words."""
    lines = []
    wrong = table[(table["model"] != OWN) & table["policy"].isin(_with_model(table))]
    for utility, part in wrong.groupby("utility", sort=False):
        last = part[part["horizon"] == part["horizon"].max()]
        mean = last.groupby("policy")["loss"].mean().sort_values()
        ends = [f"`{name}` {mean[name]:.2f}" for name in (*mean.index[:2], *mean.index[-2:])]
        worst = last.loc[last["loss"].idxmax()]
        lines.append(
            f"- **`{utility}`, N = {last['horizon'].iloc[0]}**: mean loss over the wrong models, "
            f"least {ends[0]} and {ends[1]}, most {ends[3]} and {ends[2]}. The largest single loss "
            f"is that of `{worst['policy']}` with {_model(worst['model'])}: {_loss(worst)}."
        )
    for utility, part in planned.groupby("utility", sort=False):
        own = part[part["model"] == OWN]
        other = part[part["model"] != OWN]
        won, lost = (other["low"] > 0).sum(), (other["high"] < 0).sum()
        lines.append(
            f"- **Planning under `{utility}`**: with the own kernel `{PLANNER}` is above "
            f"{', '.join(f'`{name}`' for name in RIVALS)} in {(own['low'] > 0).sum()} of "
            f"{len(own)} comparisons and below in {(own['high'] < 0).sum()}; with another model, "
            f"the same for both, above in {won} of {len(other)} and below in {lost}"
            + _where(other[other["high"] < 0])
            + "."
        )
    return "\n".join(lines)


def _where(lost: pd.DataFrame) -> str:
    places = [
        f"`{row.rival}` with {_model(row.model)} at N = {row.horizon}" for row in lost.itertuples()
    ]
    return f" ({'; '.join(places)})" if places else ""


def _values(part: pd.DataFrame) -> str:
    models = list(dict.fromkeys(part["model"]))
    lines = []
    for horizon, rows in part.groupby("horizon"):
        lines += [
            f"### N = {horizon}",
            "",
            f"| policy | {' | '.join(f'{_model(name)}' for name in models)} |",
            "|---" * (1 + len(models)) + "|",
        ]
        for policy, mine in rows.groupby("policy", sort=False):
            cells = []
            for model in models:
                found = mine[mine["model"] == model]
                if found.empty:
                    cells.append("-")
                elif model == OWN:
                    row = found.iloc[0]
                    cells.append(f"{row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]")
                else:
                    row = found.iloc[0]
                    cells.append(f"{row['value']:.2f}, loss {_loss(row)}")
            lines.append(f"| `{policy}` | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines).rstrip()


def _planning_text(planned: pd.DataFrame) -> str:
    rivals = list(dict.fromkeys(planned["rival"]))
    lines = [
        f"`{PLANNER}` minus others that have the same model; bold where the interval excludes 0.",
        "",
        f"| utility | N | model | {' | '.join(f'minus `{name}`' for name in rivals)} |",
        "|---" * (3 + len(rivals)) + "|",
    ]
    for (utility, horizon, model), part in planned.groupby(
        ["utility", "horizon", "model"], sort=False
    ):
        cells = []
        for rival in rivals:
            row = part[part["rival"] == rival].iloc[0]
            text = f"{row['difference']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]"
            cells.append(f"**{text}**" if row["low"] > 0 or row["high"] < 0 else text)
        lines.append(f"| `{utility}` | {horizon} | {_model(model)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _model(name: str) -> str:
    return {OWN: "own kernel", FITTED: "fitted kernel"}.get(name, name)


def _loss(row: pd.Series) -> str:
    return f"{row['loss']:.2f} [{row['loss_low']:.2f}, {row['loss_high']:.2f}]"


def _with_model(table: pd.DataFrame) -> list[str]:
    """Policies that were played with more than one model."""
    counts = table.groupby("policy", sort=False)["model"].nunique()
    return list(counts.index[counts > 1])


def _draw(table: pd.DataFrame, path: Path) -> None:
    """Value by model, a panel a utility and horizon, a line a policy."""
    import matplotlib.pyplot as plt

    wrong = [name for name in dict.fromkeys(table["model"]) if name not in (OWN, FITTED)]
    half = len(wrong) // 2
    order = [*wrong[:half], OWN, *wrong[half:], FITTED]
    labels = [name.removeprefix("lengthscale ") for name in order]
    at = [*range(len(order) - 1), len(order) - 0.5]
    utilities = list(dict.fromkeys(table["utility"]))
    horizons = sorted(table["horizon"].unique())
    figure, axes = plt.subplots(
        len(utilities),
        len(horizons),
        figsize=(3.6 * len(horizons), 3 * len(utilities) + 0.8),
        squeeze=False,
        sharey="row",
    )
    policies = _with_model(table)
    for row, utility in zip(axes, utilities, strict=True):
        for ax, horizon in zip(row, horizons, strict=True):
            part = table[(table["utility"] == utility) & (table["horizon"] == horizon)]
            for i, policy in enumerate(policies):
                mine = part[part["policy"] == policy].set_index("model").loc[order]
                style = {"color": LIGHT.others[i], "marker": MARKERS[i], "markersize": 4}
                ax.plot(at[:-1], mine["value"].iloc[:-1], label=policy, linewidth=1.3, **style)
                ax.plot(at[-1:], mine["value"].iloc[-1:], **style)
                ax.fill_between(
                    at[:-1],
                    mine["low"].iloc[:-1],
                    mine["high"].iloc[:-1],
                    color=LIGHT.others[i],
                    alpha=0.08,
                    linewidth=0,
                )
            ax.set_xticks(at, labels, fontsize=8)
            ax.set_title(f"{utility}, N = {horizon}", fontsize=9, loc="left", color=LIGHT.ink)
            ax.grid(axis="y", color=LIGHT.grid)
            ax.spines[["top", "right"]].set_visible(False)
        row[0].set_ylabel("value / sd of the functions")
    for ax in axes[-1]:
        ax.set_xlabel("lengthscale told / own")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="lower center", ncols=7, frameon=False, fontsize=8)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    figure.savefig(path, dpi=100)
    plt.close(figure)
