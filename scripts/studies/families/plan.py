"""What is played: campaigns on instances that no prior has seen, with and without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gymnasium as gym
import numpy as np
import pandas as pd
from joblib import Parallel, delayed

import ombo_agents
from ombo_agents.learned.priors.families import Family
from ombo_agents.learned.priors.training import learn
from ombo_agents.policy import Myopic
from ombo_gym.design_spaces import Designs
from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.learned_prior import read_prior
from scripts.studies import study
from scripts.studies.families.splits import FAMILIES, Studied

HORIZONS = (1, 2, 3, 5)
BATCH_SIZE = 4
LEARNED = "learned"
PLANNED_HORIZON = 3
_OBSERVED, _PREDICTED = (4, 20), 200  # designs, of the model's quality
_DRAWS = 8  # of these, an instance
_REACH = 1.96


@dataclass(frozen=True)
class Args(study.Args):
    """Priors learnt from training instances, on instances never seen (half an hour or so)."""

    campaigns: int = 8
    """Per instance, policy and horizon."""
    families: tuple[str, ...] = tuple(FAMILIES)
    """Which of them."""


@dataclass(frozen=True)
class Cell:
    """Campaigns of one policy on the held-out instances of one split.

    Attributes:
        family, split: Whose instances.
        policy: Its name.
        surrogate: Recipe; "learned": the split's prior.
        horizon: N.
        utility: Of a campaign.
        told: What the policy is told of N, "true" or "one".
    """

    family: str
    split: int
    policy: str
    surrogate: str
    horizon: int
    utility: str = "best"
    told: str = "true"

    @property
    def file(self) -> str:
        """Name of the file that it is kept in."""
        parts = (self.family, self.split, self.policy, self.surrogate, self.horizon, self.utility)
        return "-".join(map(str, (*parts, self.told))) + ".csv"


@dataclass(frozen=True)
class Results:
    """What was played, and how good the models are.

    Attributes:
        campaigns: A row per campaign: the cell's columns, `instance`, `value` (the utility) and
            `regret`.
        quality: A row per instance and number of observations: `coverage`, `spearman`.
    """

    campaigns: pd.DataFrame
    quality: pd.DataFrame


def plan(args: Args) -> Results:
    """Learns priors and plays what is not there yet."""
    launch = Parallel(n_jobs=args.jobs)
    splits = [(name, i) for name in args.families for i in range(len(FAMILIES[name].held_out))]
    quality = launch(delayed(_learned)(name, split, args) for name, split in splits)
    cells = [cell for name in args.families for cell in cells_of(name)]
    campaigns = launch(delayed(_kept)(cell, args) for cell in cells)
    return Results(pd.concat(campaigns, ignore_index=True), pd.concat(quality, ignore_index=True))


def cells_of(name: str) -> Iterator[Cell]:
    """What is played of a family."""
    family = FAMILIES[name]
    for split in range(len(family.held_out)):
        for horizon in HORIZONS:
            for policy in ("expected_improvement", "portfolio", "portfolio_then_ei"):
                yield Cell(name, split, policy, LEARNED, horizon)
            for recipe in family.recipes:
                yield Cell(name, split, "expected_improvement", recipe, horizon)
        if not family.bounded:
            continue
        for utility in ("best", "last_mean"):
            for told in ("true", "one"):
                yield Cell(name, split, "rollout", LEARNED, PLANNED_HORIZON, utility, told)
            yield Cell(name, split, "greedy", LEARNED, PLANNED_HORIZON, utility)


def _folder(name: str, split: int, args: Args) -> Path:
    return args.runs / "priors" / f"{name}-{split}"


def _read_or_make(file: Path, args: Args, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """A table that is kept, where it is there and is to be taken."""
    if args.resume and file.is_file():
        return pd.read_csv(file, dtype={"told": str})
    table = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(file, index=False)
    return table


def _learned(name: str, split: int, args: Args) -> pd.DataFrame:
    """Learns the prior of a split, and says how it predicts the instances that were held out."""
    folder, studied = _folder(name, split, args), FAMILIES[name]

    def make() -> pd.DataFrame:
        family, held_out = studied.family(), studied.held_out[split]
        rest = np.setdiff1d(np.arange(len(family.values)), held_out)
        learn(family.some(rest), studied.kind).save(folder)
        return _quality(name, split, family, folder, studied)

    return _read_or_make(folder / "quality.csv", args, make)


def _quality(name: str, split: int, family: Family, folder: Path, studied: Studied) -> pd.DataFrame:
    """How the prior predicts instances that it has not seen."""
    prior, rows = read_prior(folder, family.space), []
    features: Callable[[Designs], np.ndarray] = family.space.features
    for instance in studied.held_out[split].tolist():
        rng = np.random.default_rng([instance, split])
        order = np.stack([rng.permutation(family.probes) for _ in range(_DRAWS)])
        for n in _OBSERVED:
            seen, asked = order[:, :n], order[:, n : n + _PREDICTED]
            values = family.values[instance]
            posterior = LearnedPosterior(prior, features(family.designs[seen]), values[seen])
            at, came = posterior.at(features(family.designs[asked])), values[asked]
            sd = np.sqrt(at.sd**2 + (posterior.noise * posterior.outputscale)[:, None])
            errors = (posterior.standardised(came) - at.mean) / sd
            ranks = [pd.Series(each) for each in np.concatenate([at.mean, came])]
            pairs = zip(ranks[:_DRAWS], ranks[_DRAWS:], strict=True)
            rows.append(
                {
                    "family": name,
                    "split": split,
                    "instance": instance,
                    "observed": n,
                    "coverage": (np.abs(errors) < _REACH).mean(),
                    "spearman": np.mean([a.corr(b, method="spearman") for a, b in pairs]),
                }
            )
    return pd.DataFrame(rows)


def _kept(cell: Cell, args: Args) -> pd.DataFrame:
    return _read_or_make(args.runs / "cells" / cell.file, args, lambda: _played(cell, args))


def _played(cell: Cell, args: Args) -> pd.DataFrame:
    """Plays a cell: the same campaigns, whatever the policy."""
    studied = FAMILIES[cell.family]
    instances = np.repeat(studied.held_out[cell.split], args.campaigns)  # (B,)
    recipe = {"kernel": cell.surrogate}
    if cell.surrogate == LEARNED:
        recipe["path"] = str(_folder(cell.family, cell.split, args))
    env = gym.make_vec(
        studied.env,
        num_envs=len(instances),
        horizon=cell.horizon,
        batch_size=BATCH_SIZE,
        utility=cell.utility,
        start={"kind": "random", "size": studied.start_size},
        surrogate=recipe,
        **studied.env_kwargs,
    )
    policy = ombo_agents.make(cell.policy, env)
    policy = Myopic(policy) if cell.told == "one" else policy
    observation, info = env.reset(seed=cell.split, options={"instance": instances})
    rngs = np.random.default_rng(cell.split).spawn(len(instances))
    for _ in range(cell.horizon):
        observation, _, _, _, info = env.step(policy.act(observation, rngs))
    low, high = _range(studied, instances)
    best = np.asarray(info["best_value"], np.float64)
    value = np.asarray(info["utility"], np.float64)
    if cell.utility == "last_mean":
        value = (value - low) / (high - low)
    table = pd.DataFrame({"instance": instances, "regret": (high - best) / (high - low)})
    table["campaign"] = np.arange(len(table))
    return table.assign(value=value, **vars(cell))


def _range(studied: Studied, instances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value of each campaign's instance, (B,) each; 0 and 1 where not known."""
    if not studied.bounded:
        return np.zeros(len(instances)), np.ones(len(instances))
    values = studied.family().values
    return values.min(axis=1)[instances], values.max(axis=1)[instances]
