"""docs/results/planning.md: rollout minus everybody else, paired."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import pandas as pd

import ombo_agents
from ombo_gym.evaluation.statistics import mean_interval, paired_difference

PLANNER = "rollout"
REFERENCE = "botorch_multistep"

_HEAD = """# Planning: simulate the rest of the campaign, or follow a rule?

`Ombo/GP-v0` in 2-D, q = 4, N = 3: what `rollout` reaches, and everybody else on the same campaigns.
All know the kernel that functions are drawn from, BoTorch's methods included; offline methods fit
networks and know no kernel. The best static schedule is the one of the largest mean among all
sequences of three weights out of {{0, .5, 1, 1.5, 2, 3, 5}}, found on other campaigns
({schedules}); the constants are all of these weights. Values are in standard deviations of the
functions; all intervals are 95%, Student's t, of differences paired by campaign. "Ignores N": a
policy that never looks at the number of rounds left. Slow policies play the first campaigns only,
and all of them where the first leave it open whether they are below `rollout`."""


def write_page(
    campaigns: pd.DataFrame,
    fresh: pd.DataFrame | None,
    static: dict[str, str],
    out: Path,
    command: str,
) -> None:
    """Writes planning.md and planning.csv.

    Args:
        campaigns: Rows of policies, utilities and seeds.
        fresh: The same of other campaigns, which the nearest rivals played again.
        static: Best static schedule by utility.
        out: Folder.
        command: What repeats it.
    """
    table = differences(campaigns)
    again = table.iloc[:0] if fresh is None else differences(fresh)
    kept = pd.concat([table.assign(fresh=False), again.assign(fresh=True)])
    kept.to_csv(out / "planning.csv", index=False, float_format="%.6g")
    schedules = ", ".join(f"`{u}`: {weights_of(name)}" for u, name in static.items())
    short = reading(table, static) + "".join(f"\n{line}" for line in _again(again, static))
    parts = [_HEAD.format(schedules=schedules), "## In short\n\n" + short]
    for utility, part in table.groupby("utility", sort=False):
        parts.append(f"## Utility `{utility}`\n\n{_text(part)}")
        if len(others := again[again["utility"] == utility]):
            parts.append(f"### The nearest again, on other campaigns\n\n{_text(others)}")
    parts.append(f"## How it was made\n\n    {command}")
    (out / "planning.md").write_text("\n\n".join(parts) + "\n")


def differences(campaigns: pd.DataFrame) -> pd.DataFrame:
    """A row per utility and policy, best first: mean value, and rollout's minus it on the same."""
    rows = []
    for utility, part in campaigns.groupby("utility", sort=False):
        wide = part.pivot(index="seed", columns="policy", values="value")
        aware = {name: knows_horizon(name, str(utility)) for name in wide.columns}
        for name in wide.columns:
            both = wide[[PLANNER, name]].dropna() if name != PLANNER else wide[[PLANNER]].dropna()
            mine, its = both[PLANNER].to_numpy(), both[name].to_numpy()
            found = paired_difference(mine, its)
            mean = mean_interval(its)
            rows.append((utility, name, aware[name], len(both), *mean, mine.mean(), *found))
    columns = [
        *("utility", "policy", "knows_horizon", "campaigns", "mean", "low", "high"),
        *("planner_mean", "difference", "difference_low", "difference_high"),
    ]
    table = pd.DataFrame(rows, columns=columns)
    order = [list(dict.fromkeys(table["utility"])).index(name) for name in table["utility"]]
    table = table.assign(order=order).sort_values(["order", "difference"], kind="stable")
    return table.drop(columns="order").reset_index(drop=True)


def knows_horizon(policy: str, utility: str) -> bool:
    """Whether a policy makes something of the number of rounds left."""
    env = gym.make("Ombo/GP-v0", horizon=3, utility=utility)
    return ombo_agents.make(policy, env).horizon_aware


def weights_of(schedule: str) -> str:
    """Its weights as people write them: "3 / 1.5 / 0"."""
    return schedule.partition("weights=")[2].partition(";")[0].replace("/", " / ")


def reading(table: pd.DataFrame, static: dict[str, str]) -> str:
    """What the numbers say, in words."""
    lines = []
    for utility, part in table.groupby("utility", sort=False):
        rivals = part[~part["knows_horizon"]]
        level = rivals[rivals["difference_low"] <= 0]
        nearest = rivals.loc[rivals["difference"].idxmin()]
        which = (
            f"all {len(rivals)} policies that ignore N; the nearest is `{nearest['policy']}`, "
            f"{_difference(nearest)}"
            if level.empty
            else f"{len(rivals) - len(level)} of {len(rivals)} policies that ignore N, not "
            + ", ".join(f"`{row.policy}` {_difference(row)}" for row in level.itertuples())
        )
        schedule = part[part["policy"] == static[str(utility)]].iloc[0]
        lines.append(
            f"- **`{utility}`**: `{PLANNER}` is above {which}. Against the best static schedule: "
            f"{_difference(schedule)}."
        )
        if (part["policy"] == REFERENCE).any():
            reference = part[part["policy"] == REFERENCE].iloc[0]
            lines.append(
                f"- **`{REFERENCE}`** under `{utility}`, {reference['campaigns']} campaigns: its "
                f"value minus that of `{PLANNER}` is {-reference['difference']:+.3f} "
                f"[{-reference['difference_high']:+.3f}, {-reference['difference_low']:+.3f}]."
            )
    return "\n".join(lines)


def _again(table: pd.DataFrame, static: dict[str, str]) -> list[str]:
    """What fresh campaigns say of those that came nearest."""
    lines = []
    for utility, part in table.groupby("utility", sort=False):
        others = part[part["policy"] != PLANNER]
        said = ", ".join(
            f"`{row.policy}` {_difference(row)}"
            + (" (the best static schedule)" if row.policy == static[str(utility)] else "")
            for row in others.itertuples()
        )
        lines.append(
            f"- The nearest fast ones under `{utility}` again, on {part['campaigns'].max():,} "
            f"other campaigns that nothing was chosen on: `{PLANNER}` minus {said}."
        )
    return lines


def _difference(row: pd.Series) -> str:
    return f"{row.difference:+.3f} [{row.difference_low:+.3f}, {row.difference_high:+.3f}]"


def _text(part: pd.DataFrame) -> str:
    lines = [
        f"| policy | knows N | campaigns | mean | `{PLANNER}` on these | `{PLANNER}` minus it |",
        "|---|---|---|---|---|---|",
    ]
    for row in part.itertuples():
        mine = row.policy == PLANNER
        text = "-" if mine else _difference(row)
        if row.difference_low > 0 or row.difference_high < 0:
            text = f"**{text}**"
        lines.append(
            f"| `{row.policy}` | {'yes' if row.knows_horizon else 'ignores N'} | {row.campaigns:,} "
            f"| {row.mean:.3f} [{row.low:.3f}, {row.high:.3f}] "
            f"| {'-' if mine else f'{row.planner_mean:.3f}'} | {text} |"
        )
    return "\n".join(lines)
