"""docs/results/misspecification.md: what a wrong model costs, and whom."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import MISSING, code, difference, estimate, section, table
from ombo_gym.evaluation.statistics import mean_interval, paired_difference
from scripts.studies.misspecification.figures import draw_values, with_model
from scripts.studies.misspecification.plan import FITTED, OWN, Args
from scripts.studies.recipes import recipes_line
from scripts.studies.study import Page, Writer, csv

PLANNER, RIVALS = "rollout", ("greedy", "ucb", "explore_then_exploit")

_HEAD = """# Misspecification: the same campaigns with a wrong model

`Ombo/GP-v0` in 2-D, q = 4: functions are drawn from a Gaussian process with a Matern-5/2 kernel of
lengthscale 0.3. What policies know of it is the `surrogate`: the own kernel, lengthscale and
variance; one whose lengthscale, variance and noise are fitted to the data by marginal likelihood,
from the 4 designs of the start on; or the own kernel with a lengthscale that is wrong by a factor
of 2 or 4 and stays so. {campaigns} campaigns for each number, the same ones everywhere. Values are
in standard deviations of the functions; a loss is the value with the own kernel minus the value
with another model, paired by campaign. All intervals are 95%."""


def page(campaigns: pd.DataFrame, args: Args) -> Page:
    """The page, with misspecification.csv and misspecification.png.

    Args:
        campaigns: With the name of the surrogate's `model`.
        args: As the study was run.
    """
    losses, planning = loss_table(campaigns), planning_table(campaigns)
    text = markdown.page(
        _HEAD.format(campaigns=f"{losses['campaigns'].max():,}"),
        recipes_line("prior", "fit"),
        section("In short", reading(losses, planning)),
        "![Loss by lengthscale, a panel a utility and horizon](misspecification.png)",
        *(
            section(f"Utility `{utility}`", *_values(part))
            for utility, part in losses.groupby("utility", sort=False)
        ),
        section("Does planning still pay?", _planning(planning)),
        section("How it was made", f"    {args.command}"),
    )
    files: dict[Path, Writer] = {
        args.out / "misspecification.csv": csv(losses),
        args.out / "misspecification.png": partial(draw_values, losses),
    }
    return Page(text, files)


def loss_table(campaigns: pd.DataFrame) -> pd.DataFrame:
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


def planning_table(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The planner minus rivals that have the same model, paired; where N > 1."""
    rows = []
    keys = ["utility", "horizon", "model"]
    for names, part in campaigns[campaigns["horizon"] > 1].groupby(keys, sort=False):
        wide = part.pivot(index="seed", columns="policy", values="value")
        for rival in RIVALS:
            paired = paired_difference(wide[PLANNER].to_numpy(), wide[rival].to_numpy())
            rows.append((*names, rival, *paired))
    return pd.DataFrame(rows, columns=[*keys, "rival", "difference", "low", "high"])


def reading(losses: pd.DataFrame, planning: pd.DataFrame) -> str:
    """What the numbers say, in words."""
    wrong = losses[(losses["model"] != OWN) & losses["policy"].isin(with_model(losses))]
    lines = [
        _largest_losses(str(utility), part)
        for utility, part in wrong.groupby("utility", sort=False)
    ]
    lines += [
        _planning_wins(str(utility), part)
        for utility, part in planning.groupby("utility", sort=False)
    ]
    return "\n".join(lines)


def _largest_losses(utility: str, losses: pd.DataFrame) -> str:
    """Who loses least and most by wrong models at the largest horizon."""
    last = losses[losses["horizon"] == losses["horizon"].max()]
    mean = last.groupby("policy")["loss"].mean().sort_values()
    ends = [f"`{name}` {mean[name]:.2f}" for name in (*mean.index[:2], *mean.index[-2:])]
    worst = last.loc[last["loss"].idxmax()]
    return (
        f"- **`{utility}`, N = {last['horizon'].iloc[0]}**: mean loss over the wrong models, "
        f"least {ends[0]} and {ends[1]}, most {ends[3]} and {ends[2]}. The largest single loss "
        f"is that of `{worst['policy']}` with {_model(worst['model'])}: "
        f"{estimate(worst['loss'], worst['loss_low'], worst['loss_high'], 2)}."
    )


def _planning_wins(utility: str, planning: pd.DataFrame) -> str:
    """How often the planner is above and below its rivals, with the own model and with others."""
    own, other = planning[planning["model"] == OWN], planning[planning["model"] != OWN]
    lost = other[other["high"] < 0]
    settings = "; ".join(
        f"`{row.rival}` with {_model(row.model)} at N = {row.horizon}" for row in lost.itertuples()
    )
    return (
        f"- **Planning under `{utility}`**: with the own kernel `{PLANNER}` is above "
        f"{', '.join(map(code, RIVALS))} in {(own['low'] > 0).sum()} of "
        f"{len(own)} comparisons and below in {(own['high'] < 0).sum()}; with another model, "
        f"the same for both, above in {(other['low'] > 0).sum()} of {len(other)} and below in "
        f"{len(lost)}{f' ({settings})' if settings else ''}."
    )


def _values(losses: pd.DataFrame) -> list[str]:
    """A section per horizon: a row a policy and a column a model."""
    models = list(dict.fromkeys(losses["model"]))
    sections = []
    for horizon, part in losses.groupby("horizon"):
        cells = {(row["policy"], row["model"]): _value(row) for _, row in part.iterrows()}
        rows = [
            [code(policy), *(cells.get((policy, model), MISSING) for model in models)]
            for policy in dict.fromkeys(part["policy"])
        ]
        text = table(["policy", *map(_model, models)], rows)
        sections.append(section(f"N = {horizon}", text, level=3))
    return sections


def _value(row: pd.Series) -> str:
    """The value with its interval, or with another model the value and what is lost."""
    if row["model"] == OWN:
        return estimate(row["value"], row["low"], row["high"], 2)
    loss = estimate(row["loss"], row["loss_low"], row["loss_high"], 2)
    return f"{row['value']:.2f}, loss {loss}"


def _planning(planning: pd.DataFrame) -> str:
    """A row per utility, horizon and model, a column per rival."""
    rivals = list(dict.fromkeys(planning["rival"]))
    rows = []
    for (utility, horizon, model), part in planning.groupby(
        ["utility", "horizon", "model"], sort=False
    ):
        cells = {
            row.rival: difference(row.difference, row.low, row.high, 2) for row in part.itertuples()
        }
        rows.append([code(utility), horizon, _model(model), *(cells[name] for name in rivals)])
    return (
        f"`{PLANNER}` minus others that have the same model; bold where the interval excludes 0."
        "\n\n"
    ) + table(["utility", "N", "model", *(f"minus `{rival}`" for rival in rivals)], rows)


def _model(name: str) -> str:
    return {OWN: "own kernel", FITTED: "fitted kernel"}.get(name, name)
