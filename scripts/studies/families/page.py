"""docs/results/families.md: what a learned prior is worth to instances that it has not seen."""

from __future__ import annotations

import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import MISSING, code, difference, mean_estimate, section, table
from ombo_gym.evaluation.statistics import Interval, mean_interval
from scripts.studies.families.plan import HORIZONS, LEARNED, PLANNED_HORIZON, Args, Results
from scripts.studies.study import Page, csv

_HEAD = """# Families: what a prior learnt from training instances is worth

`ombo train --agent prior` learns, from instances that were measured, what objectives of a family
are like: a mean, what they vary in together, how much each is its own, and the range of their
scales and offsets. Below, expected improvement has such a prior or fits a model from scratch
(`isotropic`, `fit`), on instances that the prior has not seen; `portfolio` goes through the list of
designs that are best on average over the training instances, whatever is measured. q = 4, random
starts of 4 designs (8 of coatings), no noise, utility `best`. Regret is the distance to the best
value of the instance, in its range from lowest to highest (coatings: to a perfect one).
{campaigns} campaigns an instance and number, the same ones everywhere; all intervals are 95%, and
cluster by instance.

Split 0 of each family is its own, train and test. To have more test instances, other splits hold
out training instances in turn (cross-fitted priors, for this page only); close relatives are on one
side. The method was worked out on training instances, which those of other splits are;
[looks.md](looks.md) lists every look at test instances."""

_EI = "expected_improvement"
_OWN = (_EI, LEARNED)
_TITLES = {
    ("portfolio", LEARNED): "`portfolio`",
    (_EI, "isotropic"): "EI, `isotropic`",
    (_EI, "fit"): "EI, `fit`",
    (_EI, LEARNED): "EI, learned prior",
    ("portfolio_then_ei", LEARNED): "`portfolio_then_ei`, learned prior",
}


def page(results: Results, args: Args) -> Page:
    """The page, with families.csv.

    Args:
        results: What was played.
        args: As the study was run.
    """
    best = results.campaigns.query("utility == 'best' and told == 'true'")
    sections = [
        _of_family(name, part, results.quality[results.quality["family"] == name])
        for name, part in best.groupby("family", sort=False)
    ]
    text = markdown.page(
        _HEAD.format(campaigns=args.campaigns),
        *sections,
        _planning(results.campaigns),
        section("How it was made", f"    {args.command}"),
    )
    return Page(text, {args.out / "families.csv": csv(summary(results.campaigns))})


def summary(campaigns: pd.DataFrame) -> pd.DataFrame:
    """A row per family, split, policy, surrogate, horizon, utility and what was told."""
    keys = ["family", "split", "policy", "surrogate", "horizon", "utility", "told"]
    found = campaigns.groupby(keys, sort=False)
    means = found[["regret", "value"]].mean()
    return means.assign(instances=found["instance"].nunique(), campaigns=found.size()).reset_index()


def _wide(part: pd.DataFrame, horizon: int, column: str = "regret") -> pd.DataFrame:
    """A row per campaign, a column per policy and surrogate, and the instance as index."""
    rows = part[part["horizon"] == horizon]
    return rows.pivot(
        index=["split", "instance", "campaign"], columns=["policy", "surrogate"], values=column
    )


def _paired(wide: pd.DataFrame, one: tuple[str, str], other: tuple[str, str]) -> Interval:
    """Mean of one minus the other, clustered by instance."""
    apart = (wide[one] - wide[other]).dropna()
    return mean_interval(apart.to_numpy(), clusters=apart.index.get_level_values("instance"))


def _of_family(name: str, part: pd.DataFrame, quality: pd.DataFrame) -> str:
    """Regrets, differences and the model's quality."""
    wides = {n: _wide(part, n) for n in HORIZONS if (part["horizon"] == n).any()}
    known = [each for each in _TITLES if any(each in wide for wide in wides.values())]
    regrets = [[_TITLES[each], *(_mean(wide, each) for wide in wides.values())] for each in known]
    rows = []
    for other in known:
        if other == _OWN:
            continue
        pairs = [_paired(wide, other, _OWN) for wide in wides.values()]
        rows.append([f"{_TITLES[other]} - EI, learned", *(difference(*pair) for pair in pairs)])
    for recipe in ("isotropic", "fit"):
        if (_EI, recipe) in known:
            shares = [wide[_OWN].mean() / wide[_EI, recipe].mean() for wide in wides.values()]
            words = f"regret as a share of `{recipe}`'s"
            rows.append([words, *(f"{share:.2f}" for share in shares)])
    own = part[part["split"] == 0]
    alone = [[_TITLES[each], *(_mean(_wide(own, n), each) for n in wides)] for each in known]
    heading = [f"N = {n}" for n in wides]
    return section(
        name,
        f"{part['instance'].nunique()} instances in {part['split'].nunique()} splits. Regret:",
        table(["policy", *heading], regrets),
        "Differences of regret, above 0 where the learned prior is better:",
        table(["", *heading], rows),
        f"The family's own test instances alone ({own['instance'].nunique()}):",
        table(["policy", *heading], alone),
        "How the prior predicts instances that it has not seen:",
        _quality(quality),
    )


def _mean(wide: pd.DataFrame, each: tuple[str, str]) -> str:
    if each not in wide:
        return MISSING
    column = wide[each].dropna()
    return mean_estimate(
        column.to_numpy(), digits=4, clusters=column.index.get_level_values("instance")
    )


def _quality(quality: pd.DataFrame) -> str:
    rows = [
        [n, f"{part['coverage'].mean():.3f}", f"{part['spearman'].mean():.2f}"]
        for n, part in quality.groupby("observed")
    ]
    return table(["observed designs", "coverage of 95% intervals", "rank correlation"], rows)


def _planning(campaigns: pd.DataFrame) -> str:
    """Rollout that knows N minus rollout that is told each round that it is the last."""
    planned = campaigns[campaigns["policy"].isin(["rollout", "greedy"])]
    rows = []
    for (family, utility), part in planned.groupby(["family", "utility"], sort=False):
        wide = part.pivot(
            index=["split", "instance", "campaign"], columns=["policy", "told"], values="value"
        )
        pairs = (
            (("rollout", "true"), ("rollout", "one")),
            (("rollout", "true"), ("greedy", "true")),
        )
        cells = [difference(*_paired(wide, *pair)) for pair in pairs if set(pair) <= set(wide)]
        rows.append([family, code(utility), *cells])
    return section(
        f"Does planning pay on a learned prior? N = {PLANNED_HORIZON}",
        "`rollout` told N minus told that each round is the last, and minus `greedy`, both told N; "
        "`last_mean` in the instance's range, `best` in the problem's units (LCBench: per cent):",
        table(["family", "utility", "told N - told 1", "rollout - greedy"], rows),
    )
