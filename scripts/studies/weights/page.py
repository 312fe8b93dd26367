"""docs/results/weights.md: which settings of exploration are best where, and which were taken."""

from __future__ import annotations

import gymnasium as gym
import pandas as pd

import ombo_gym
from ombo_agents.hyperparameters import settings_of
from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.leaderboard import PlayedScores, over_problems
from ombo_gym.evaluation.markdown import bold, code, estimate, section, table
from scripts.studies.scores import short_name
from scripts.studies.study import Page
from scripts.studies.weights.plan import BUDGET, SETTINGS, Args

_HEAD = """# Tuned settings: how much to explore, with the fitted surrogate

Exploration weights were tuned for an earlier surrogate; these are mean scores (0 the start's best
value, 1 the best known, below -1 counts as -1) of settings on {problems} problems that nothing is
reported on: {names}. {budget} measurements in all, {campaigns} campaigns each, all told N, by start
(16 random designs, or 16 of the lower half of all values) and utility; 95% intervals over problems.
The best of each row is bold. What the policies have: `ucb` the weight {weight:g},
`explore_then_exploit` the weights {weights}, `offset_ucb` the strength {strength:g}."""


def page(campaigns: pd.DataFrame, args: Args) -> Page:
    """The page; it has neither tables nor pictures beside it."""
    scores = PlayedScores(campaigns)
    problems = {short_name(*keys) for keys in campaigns.groupby(["env", "env_kwargs"]).groups}
    spec = ombo_gym.campaign_spec(gym.make("Ombo/BBOB-v0"))
    taken = {name: settings_of(name, spec) for name in SETTINGS}
    head = _HEAD.format(
        problems=len(problems),
        names=", ".join(sorted(problems)),
        budget=BUDGET,
        campaigns=args.campaigns,
        weight=taken["ucb"]["weight"],
        weights="/".join(f"{weight:g}" for weight in taken["explore_then_exploit"]["weights"]),
        strength=taken["offset_ucb"]["strength"],
    )
    blocks = [section(code(name), _table(scores, names)) for name, names in SETTINGS.items()]
    return Page(markdown.page(head, *blocks, section("How it was made", f"    {args.command}")), {})


def _table(scores: PlayedScores, names: tuple[str, ...]) -> str:
    """A row a start, utility and horizon, a column a setting."""
    rows = []
    for (start, utility, horizon), settings in scores.groups.items():
        found = {
            name: over_problems(
                {
                    setting: (played[name].scores, played[name].clusters)
                    for setting, played in settings.items()
                }
            )
            for name in names
        }
        best = max(interval.estimate for interval in found.values())
        cells = [
            bold(estimate(*interval)) if interval.estimate == best else estimate(*interval)
            for interval in found.values()
        ]
        rows.append([f"{start}, `{utility}`, N = {horizon}", *cells])
    return table(["start, utility, N", *(code(name.partition(":")[2]) for name in names)], rows)
