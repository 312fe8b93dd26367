"""What is fitted and played: every model on the same data, then policies with two recipes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from tqdm import tqdm

from ombo_gym.evaluation.plan import EvaluationPlan
from scripts.studies import study
from scripts.studies.campaigns import launch_of, play
from scripts.studies.surrogates.cells import Cell, Cells
from scripts.studies.surrogates.models import BOTORCH, FIT, MODELS, num_features
from scripts.studies.surrogates.settings import DEAR, PROBLEMS, STARTS, Setting, settings

ADDED = (20, 0, 40)  # random designs beside the start, in the order in which they are fitted
FEW_FEATURES = 30  # up to so many are fitted first: BoTorch takes seconds for more
POLICIES = ("ucb", "expected_improvement")
HORIZONS = (1, 2, 5)
BUDGET = 20
RECIPES = ("fit", "isotropic")
KEYS = ["problem", "start", "added", "data_set"]  # what makes rows of two models a pair

# What a fit costs: functions of 6 parameters, 40 designs, this package's campaigns together.
COST = Setting("Ombo/GP-v0", json.dumps({"dim": 6}), "random")
COST_ADDED, COST_TOGETHER, COST_ALONE = 24, 256, 10


@dataclass(frozen=True)
class Args(study.Args):
    """Surrogates on held-out designs and in campaigns (half a day, most of it BoTorch's fits)."""

    data_sets: int = 30
    """Per problem, start and size."""
    campaigns: int = 100
    """Per policy, recipe, problem, start and horizon; 0: none are played."""
    models: str = "all"
    """Names of models with commas between, or none: only these are fitted now; of others the page
    has what is kept."""


class Found(NamedTuple):
    """What the page is made of.

    Attributes:
        qualities: A row per model and data set, see `quality`, with `model` and `KEYS`.
        costs: Processor seconds of a fit by `model`, see `COST`.
        gains: Score with `fit` minus score with `isotropic`, a row per campaign.
    """

    qualities: pd.DataFrame
    costs: pd.Series
    gains: pd.DataFrame


def plan(args: Args) -> Found:
    """Fits and plays what is not kept."""
    fitted = _fitted(args.models)
    if not args.resume and args.models == "all":
        for kind in ("data", "predictions"):
            shutil.rmtree(args.runs / kind, ignore_errors=True)
    frames = _qualities(args, fitted)
    if not frames:
        raise ValueError(
            f"models: expected predictions to be kept where nothing is fitted, got {args.models!r} "
            "and none that are kept; leave it out"
        )
    return Found(pd.concat(frames, ignore_index=True), _costs(args, fitted), _gains(args))


def _fitted(names: str) -> set[str]:
    """The models that are fitted now."""
    known = {model.name for model in MODELS}
    if names in ("all", "none"):
        return known if names == "all" else set()
    if unknown := set(names.split(",")) - known:
        raise ValueError(
            f"models: expected 'all', 'none' or names among {sorted(known)}, got {sorted(unknown)}"
        )
    return set(names.split(","))


def cells() -> list[Cell]:
    """All of them, what is fast first, and BoTorch's fits last."""
    found = [
        Cell(model, setting, added)
        for model in MODELS
        for setting in settings()
        for added in ADDED
        if model.suits(setting)
    ]

    def order(cell: Cell) -> tuple[bool, bool, int, int]:
        k = num_features(cell.setting)
        return cell.model.name == BOTORCH, k > FEW_FEATURES, ADDED.index(cell.added), k

    return sorted(found, key=order)


def _qualities(args: Args, fitted: set[str]) -> list[pd.DataFrame]:
    """What is kept, and what is predicted now."""
    wanted = cells()
    kept = Cells(args.runs, added=max(ADDED), count=args.data_sets)
    read = [kept.read(cell) for cell in tqdm(wanted, unit="cell", desc="reading", disable=None)]
    frames = [frame for frame in read if frame is not None]
    missing = [
        cell
        for cell, frame in zip(wanted, read, strict=True)
        if frame is None and cell.model.name in fitted
    ]
    if not missing:
        return frames
    # One after the other, so that no two processes draw the same data.
    for cell in tqdm(
        {each.setting: each for each in missing}.values(), desc="drawing", disable=None
    ):
        kept.draw(cell.setting)
    make = partial(_make, args.runs, args.data_sets)
    made = launch_of(args.jobs).map(make, missing)
    return [*frames, *tqdm(made, total=len(missing), unit="cell", desc="fitting", disable=None)]


def _make(folder: Path, count: int, cell: Cell) -> pd.DataFrame:
    return Cells(folder, added=max(ADDED), count=count).make(cell)


def _costs(args: Args, fitted: set[str]) -> pd.Series:
    """Processor seconds of a fit by model; of what is kept, where nothing is to be fitted."""
    costs = {}
    for model in MODELS:
        count = COST_TOGETHER if model.kernel else COST_ALONE
        kept = Cells(args.runs / "cost", added=COST_ADDED, count=count)
        cell = Cell(model, COST, COST_ADDED)
        frame = kept.make(cell) if model.name in fitted else kept.read(cell)
        if frame is not None:
            costs[model.name] = frame["seconds"].mean()
    return pd.Series(costs, dtype=float)


def _gains(args: Args) -> pd.DataFrame:
    """What `fit` is worth over `isotropic`, paired by campaign."""
    columns = ["problem", "start", "horizon", "policy", "seed"]
    if not args.campaigns:
        return pd.DataFrame(columns=[*columns, "gain"])
    return gains(play(_plans(PROBLEMS, args.campaigns), args))


def _plans(problems: Sequence[tuple[str, dict[str, Any]]], campaigns: int) -> list[EvaluationPlan]:
    return [
        EvaluationPlan(
            env_id,
            POLICIES,
            HORIZONS,
            budget=BUDGET,
            campaigns=campaigns,
            told=("true",),
            env_kwargs={**arguments, "start": start, "surrogate": {"kernel": recipe}},
        )
        for name, start in STARTS.items()
        for env_id, arguments in problems
        if name == "random" or env_id not in DEAR
        for recipe in RECIPES
    ]


def gains(scored: pd.DataFrame) -> pd.DataFrame:
    """The score with `fit` minus the score with `isotropic`, a row per pair of campaigns.

    Args:
        scored: Campaigns with a `score`, of environments whose arguments name the start and the
            surrogate.
    """
    given = [json.loads(text) for text in scored["env_kwargs"]]
    recipes = [arguments["surrogate"]["kernel"] for arguments in given]
    starts = [_start_name(arguments["start"]) for arguments in given]
    problems = [
        Setting(env, json.dumps(_without(arguments)), "").problem
        for env, arguments in zip(scored["env"], given, strict=True)
    ]
    keys = ["problem", "start", "horizon", "policy", "seed"]
    wide = scored.assign(problem=problems, start=starts, recipe=recipes).pivot(
        index=keys, columns="recipe", values="score"
    )
    paired = (wide[FIT] - wide["isotropic"]).dropna()
    return paired.rename("gain").reset_index()


def _start_name(start: dict[str, Any]) -> str:
    return next(name for name, known in STARTS.items() if known == start)


def _without(arguments: dict[str, Any]) -> dict[str, Any]:
    """Without what campaigns of one problem differ in."""
    return {key: value for key, value in arguments.items() if key not in ("start", "surrogate")}
