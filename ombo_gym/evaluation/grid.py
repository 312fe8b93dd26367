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
        test: true                      # nothing is to be trained or tuned on it
        starts: [{kind: random, size: 16}, {kind: percentile, size: 16}]  # each by itself
      - env: all                        # every environment that no other entry names
    fewer: {rollout: 20}                # campaigns of policies that take long

The rest are fields of `EvaluationPlan`. Code of one's own (`module:Class`) is refused unless the
reader of the grid allows it.
"""

from __future__ import annotations

import difflib
import glob
import importlib
import json
from collections.abc import Collection
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import gymnasium as gym

import ombo_gym
from ombo_gym.arguments import is_whole, shown
from ombo_gym.evaluation.code_names import refuse_code
from ombo_gym.evaluation.failures import failure_of
from ombo_gym.evaluation.grid_file import read_yaml, short
from ombo_gym.evaluation.plan import REPLACED_BY_PLATES, EvaluationPlan
from ombo_gym.registration import TASKS_ID, environment, names_problem, problem_class
from ombo_gym.spec import CampaignSpec, campaign_spec

ALL = "all"
_OF_A_PLAN = {field.name for field in fields(EvaluationPlan)} - {"maker"}
_OF_A_PROBLEM = _OF_A_PLAN | {"without", "starts", "fewer", "test"}
_OF_THE_GRID = (_OF_A_PROBLEM | {"problems", "version"}) - {"env", "env_kwargs", "test"}


def read_grid(
    file: str | Path, *, allow_code: bool = False, **changes: Any
) -> list[EvaluationPlan]:
    """Reads a grid.

    A grid is data: without `allow_code` nothing that stands in it leads to code but this package's
    and that of environments which are registered already.

    Args:
        file: YAML, as the module's docstring shows. A problem's entry may hold every field of
            `EvaluationPlan` but `maker`, and `without`: policies that `all` leaves out there,
            besides those that the grid itself is `without`; `starts`: the problem is played from
            each of them; `fewer`: how many campaigns those policies play that take long; `test`:
            true where nothing is to be trained or tuned on the problem (`held_out_problems`). `all`
            and patterns with a star stand for the policies that suit the problem; what is named
            must suit it. Where several values are expected, one may stand alone. `version` is the
            grid's own.
        allow_code: Whether policies, utilities, problems and controls of one's own may be named
            (`module:Class`; `module:id` of an environment), whose modules are then imported.
        **changes: Settings of plans that replace the file's, everywhere.

    Returns:
        Plans in the file's order: of each problem one for each start, and for each number of
        campaigns.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A key that is not known, a value of another kind, a problem without a policy,
            code that is not allowed, or what `EvaluationPlan` refuses; says where.
    """
    file = Path(file)
    grid, problems = _contents(file)
    without = grid.pop("without", [])
    named = {entry["env"] for entry in problems}
    plans: list[EvaluationPlan] = []
    for number, entry in enumerate(problems, start=1):
        others = [env_id for env_id in ombo_gym.env_ids() if env_id not in named]
        envs = others if entry["env"] == ALL else [entry["env"]]
        try:
            left_out = [*_names("without", without), *_names("without", entry.get("without", []))]
            settings = {"policies": ALL, **_beneath(entry, grid), **entry, "without": left_out}
            for env in envs:
                of_the_file = {key: settings[key] for key in settings.keys() - changes.keys()}
                if not allow_code:
                    refuse_code({**of_the_file, "env": env}, _policies(EvaluationPlan).names())
                plans += _plans({**settings, **changes, "env": env}, allow_code)
        except (TypeError, ValueError, OSError) as error:
            place = f"problem {number} ({shown(entry['env'])})"
            raise ValueError(f"{file}: {place}: {short(error)}") from error
    return plans


def held_out_problems(file: str | Path) -> list[tuple[str, dict[str, Any]]]:
    """The problems of a grid that nothing may be trained, tuned or selected on.

    Args:
        file: As in `read_grid`.

    Returns:
        Ids of environments with the further arguments that the grid names.
    """
    _, problems = _contents(Path(file))
    return [
        (entry["env"], entry.get("env_kwargs") or {}) for entry in problems if entry.get("test")
    ]


def _contents(file: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What a grid says for all problems, and the entries of its problems."""
    grid = read_yaml(file)
    _check_keys(file, "a grid", grid, _OF_THE_GRID)
    problems = grid.pop("problems", None)
    version = grid.pop("version", None)
    if not isinstance(version, int | str | None):
        raise ValueError(f"{file}: version: expected a number or a word, got {shown(version)}")
    if not isinstance(problems, list) or not problems:
        raise ValueError(f"{file}: problems: expected a list of entries, got {shown(problems)}")
    for entry in problems:
        _check_keys(file, "a problem", entry, _OF_A_PROBLEM)
        if not isinstance(entry.get("env"), str):
            raise ValueError(f"{file}: expected an env in every problem, got {shown(entry)}")
        if not isinstance(entry.get("test", False), bool):
            raise ValueError(f"{file}: test: expected true or false, got {shown(entry['test'])}")
    return grid, problems


def _beneath(entry: dict[str, Any], grid: dict[str, Any]) -> dict[str, Any]:
    """The grid's settings without those that a problem's own plates, or rounds, replace."""
    replaced: set[str] = set(REPLACED_BY_PLATES) if "plates" in entry else set()
    if entry.keys() & set(REPLACED_BY_PLATES):
        replaced.add("plates")
    return {name: value for name, value in grid.items() if name not in replaced}


def _check_keys(file: Path, what: str, given: Any, known: set[str]) -> None:
    if not isinstance(given, dict):
        is_name = isinstance(given, str) and len(given) < 80 and "env" in known
        remedy = f"; write '- env: {given}'" if is_name else ""
        raise ValueError(
            f"{file}: expected {what} with keys and values, got {shown(given)}{remedy}"
        )
    if "maker" in given:
        raise ValueError(
            f"{file}: maker: a grid cannot say by which code policies are built; in Python, "
            "EvaluationPlan takes it"
        )
    if unknown := sorted(set(given) - known):
        near = difflib.get_close_matches(unknown[0], sorted(known), n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"{file}: {what} has the keys {sorted(known)}, got {shown(unknown)}{meant}"
        )


def _names(key: str, given: Any) -> list[str]:
    """One name or several.

    Raises:
        ValueError: Anything else.
    """
    listed = given if isinstance(given, list) else [given]
    if not all(isinstance(name, str) for name in listed):
        raise ValueError(f"{key}: expected names of policies, got {shown(given)}")
    return listed


def _plans(entry: dict[str, Any], allow_code: bool) -> list[EvaluationPlan]:
    """The plans of one environment: for each start, and each number of campaigns."""
    entry = {name: value for name, value in entry.items() if name != "test"}
    starts, fewer = entry.pop("starts", None), entry.pop("fewer", {})
    arguments = entry.get("env_kwargs") or {}
    if starts is not None and "start" in arguments:
        raise ValueError(f"starts: expected them alone, got a start in env_kwargs, {arguments}")
    if starts is not None and (not isinstance(starts, list) or not starts):
        raise ValueError(f"starts: expected a list of starts, got {shown(starts)}")
    if not isinstance(fewer, dict) or not all(map(is_whole, fewer.values())):
        raise ValueError(f"fewer: expected policies with campaigns, got {shown(fewer)}")
    plans = []
    for start in [None] if starts is None else starts:
        own = {} if start is None else {"env_kwargs": {**arguments, "start": start}}
        plan = _plan({**entry, **own}, allow_code)
        campaigns = {
            name: min(fewer.get(name, plan.campaigns), plan.campaigns) for name in plan.policies
        }
        for count in dict.fromkeys(campaigns.values()):
            policies = [name for name in plan.policies if campaigns[name] == count]
            plans.append(replace(plan, policies=policies, campaigns=count))
    return plans


def _plan(entry: dict[str, Any], allow_code: bool) -> EvaluationPlan:
    entry = dict(entry)
    without = set(entry.pop("without"))
    if "told" in entry:  # YAML reads an unquoted true as a truth value
        told = entry["told"] if isinstance(entry["told"], list) else [entry["told"]]
        entry["told"] = ["true" if word is True else word for word in told]
    plan = EvaluationPlan(**entry)
    _check_env(plan.env, allow_code)
    return with_policies_meant(plan, without)


def _check_env(env: str, allow_code: bool) -> None:
    """Refuses what is no environment of this package, nor one that is registered like them.

    Raises:
        ValueError: It is neither; lists the known ones.
    """
    module, _, env_id = env.rpartition(":")
    if allow_code and names_problem(env) and not isinstance(environment(env), str):
        problem_class(env)
        return
    if module and (allow_code or module == ombo_gym.__name__):
        importlib.import_module(module)
    spec = gym.registry.get(env_id)
    made = None if spec is None or env_id == TASKS_ID else str(spec.entry_point)
    if made is None or not made.startswith("ombo_gym."):
        raise ValueError(f"env: expected one of {', '.join(ombo_gym.env_ids())}, got {shown(env)}")


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
    policies = _policies(plan)
    if word == ALL:
        names = [name for name in policies.names() if name not in without]
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
        spec = _spec(plan.env, {**arguments, "utility": utility})
        suited = [name for name in suited if policies.supports(name, spec)]
    return suited


def _policies(plan: EvaluationPlan | type[EvaluationPlan]) -> Any:
    """The module that lists policies and builds them."""
    return importlib.import_module(plan.maker.partition(":")[0])


def _spec(env_id: str, arguments: dict[str, Any]) -> CampaignSpec:
    """What players may know of an environment; whatever its arguments lead to is one ValueError."""
    try:
        env = gym.make(environment(env_id), **arguments)
    except (ValueError, TypeError, ImportError, OSError):
        raise
    except Exception as error:
        raise ValueError(
            f"{env_id} cannot be built with {shown(arguments)}: {failure_of(error).error}"
        ) from error
    spec = campaign_spec(env)
    env.close()
    return spec
