"""A grid: a small YAML file that says which policies play which problems.

It looks like this:

    campaigns: 200                      # the settings of a plan, for all problems ...
    horizons: [1, 2, 4]
    policies: [all, "runs/gp-*"]        # every policy and trained run that suits the problem
    problems:
      - env: Ombo/TFBind8-v0            # ... or for one
        horizons: [1]
        batch_size: 128
        without: [genetic]
      - env: Ombo/SnAr-v0
        plates: [24, 24, 8]             # in place of horizons, batch_size and budget
        utilities: [best, {name: last_quantile, quantile: 0.9}]
      - env: all                        # every environment that no other entry names

Everything but `policies` and `problems` is a field of `EvaluationPlan`.
"""

from __future__ import annotations

import glob
import importlib
import json
from collections.abc import Collection
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import gymnasium as gym

import ombo_gym
from ombo_gym.evaluation.plan import REPLACED_BY_PLATES, EvaluationPlan
from ombo_gym.spec import campaign_spec

try:
    import yaml
except ImportError as error:
    raise ImportError(
        'ombo_gym.evaluation needs PyYAML: pip install "ombo-gym[evaluation]"'
    ) from error

ALL = "all"
_OF_A_PLAN = {field.name for field in fields(EvaluationPlan)}
_OF_A_PROBLEM = _OF_A_PLAN | {"without"}
_OF_THE_GRID = (_OF_A_PROBLEM | {"problems"}) - {"env", "env_kwargs"}


def read_grid(file: str | Path, **changes: Any) -> list[EvaluationPlan]:
    """Reads a grid.

    Args:
        file: YAML, as the module's docstring shows. A problem's entry may hold every field of
            `EvaluationPlan`, and `without`: policies that `all` leaves out there, besides those
            that the grid itself is `without`. `all` and patterns with a star stand for the policies
            that suit the problem; what is named must suit it.
        **changes: Settings of plans that replace the file's, everywhere.

    Returns:
        A plan per problem, in the file's order.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A key that is not known, a problem without a policy, or what `EvaluationPlan`
            refuses.
    """
    file = Path(file)
    try:
        grid = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: expected YAML: {error}") from error
    _check_keys(file, "a grid", grid, _OF_THE_GRID)
    problems, without = grid.pop("problems", None), grid.pop("without", [])
    if not isinstance(problems, list) or not problems:
        raise ValueError(f"{file}: problems: expected a list of entries, got {problems!r}")
    for entry in problems:
        _check_keys(file, "a problem", entry, _OF_A_PROBLEM)
        if "env" not in entry:
            raise ValueError(f"{file}: expected an env in every problem, got {entry!r}")
    named = {entry["env"] for entry in problems}
    entries: list[dict[str, Any]] = []
    for entry in problems:
        others = [env_id for env_id in ombo_gym.env_ids() if env_id not in named]
        envs = others if entry["env"] == ALL else [entry["env"]]
        left_out = [*without, *entry.get("without", [])]
        settings = {**_beneath(entry, grid), **entry, "without": left_out, **changes}
        entries += [{**settings, "env": env} for env in envs]
    try:
        return [_plan(entry) for entry in entries]
    except TypeError as error:
        raise ValueError(f"{file}: {error}") from error


def _beneath(entry: dict[str, Any], grid: dict[str, Any]) -> dict[str, Any]:
    """The grid's settings without those that a problem's own plates, or rounds, replace."""
    replaced: set[str] = set(REPLACED_BY_PLATES) if "plates" in entry else set()
    if entry.keys() & set(REPLACED_BY_PLATES):
        replaced.add("plates")
    return {name: value for name, value in grid.items() if name not in replaced}


def _check_keys(file: Path, what: str, given: Any, known: set[str]) -> None:
    if not isinstance(given, dict):
        raise ValueError(f"{file}: expected {what} with keys and values, got {given!r}")
    if unknown := sorted(set(map(str, given)) - known):
        raise ValueError(f"{file}: {what} has the keys {sorted(known)}, got {unknown}")


def _plan(entry: dict[str, Any]) -> EvaluationPlan:
    entry = dict(entry)
    if "told" in entry:  # YAML reads an unquoted true as a truth value
        entry["told"] = ["true" if word is True else word for word in entry["told"]]
    without = set(entry.pop("without", []))
    chosen = entry.get("policies", ALL)
    listed = [chosen] if isinstance(chosen, str) else list(chosen)
    return with_policies_meant(EvaluationPlan(**{**entry, "policies": listed}), without)


def with_policies_meant(plan: EvaluationPlan, without: Collection[str] = ()) -> EvaluationPlan:
    """The plan with names in place of `all` and of patterns with a star.

    Args:
        plan: Its policies may be `all`, for every policy that suits its campaigns, and patterns as
            `runs/mine-*`, for the trained ones of that name that do.
        without: Policies that `all` leaves out.

    Raises:
        ValueError: Nothing is meant.
    """
    names = [name for word in plan.policies for name in _meant(word, plan, without)]
    return replace(plan, policies=list(dict.fromkeys(names)))


def _meant(word: str, plan: EvaluationPlan, without: Collection[str]) -> list[str]:
    """The policies that a word of the list stands for."""
    module = importlib.import_module(plan.maker.partition(":")[0])
    if word == ALL:
        names = [name for name in module.names() if name not in without]
    elif "*" in word:
        names = sorted(name for name in glob.glob(word) if (Path(name) / "config.json").is_file())
    else:
        return [word]
    suited = names
    horizon, batch_size = plan.rounds[0]
    arguments: dict[str, Any] = json.loads(plan.arguments)
    if plan.plates is None:
        arguments |= {"horizon": horizon, "batch_size": batch_size}
    for utility in plan.utilities:
        env = gym.make(plan.env, utility=utility, **arguments)
        spec = campaign_spec(env)
        suited = [name for name in suited if module.supports(name, spec)]
        env.close()
    return suited
