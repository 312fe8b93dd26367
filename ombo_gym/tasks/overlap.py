"""Whether two problems share an instance: what must not be, of training and test.

Cautious where arguments say little: instances that differ in nothing but the number of coordinates,
the noise or the like count as shared.
"""

from __future__ import annotations

import inspect
import json
import zlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ombo_gym.arguments import as_json
from ombo_gym.registration import problem_class
from ombo_gym.tasks.task import Task

# What tells instances apart: a name -> all values that occur; None: any value.
Facts = dict[str, Collection[Any] | None]

# What every environment takes, which says nothing of instances, and of problems how they compute.
_OF_CAMPAIGNS = (
    *("horizon", "batch_size", "plates", "utility", "start", "noise_std", "control", "surrogate"),
    "render_mode",
)
_BESIDE = ("workers", "split")


def overlap(one: tuple[str, Mapping[str, Any]], other: tuple[str, Mapping[str, Any]]) -> bool:
    """Whether two problems share an instance, or may.

    Args:
        one: Id of an environment, with its arguments.
        other: Likewise.

    Raises:
        ValueError: An argument that the problem refuses.
        ImportError: A problem needs an extra that is not installed.
    """
    families = [facts_of(env, arguments) for env, arguments in (one, other)]
    (family, facts), (other_family, others) = families
    if family != other_family:
        return False
    for name in facts.keys() & others.keys():
        ours, theirs = facts[name], others[name]
        if ours is not None and theirs is not None and not set(ours) & set(theirs):
            return False
    return True


def facts_of(env: str, arguments: Mapping[str, Any]) -> tuple[str, Facts]:
    """The family of a problem, and what tells apart its instances from others of the family.

    Args:
        env: Id of an environment.
        arguments: Of it.
    """
    kept = {key: value for key, value in arguments.items() if key not in _OF_CAMPAIGNS}
    env = env.removeprefix("ombo_gym:")
    if ":" in env:  # code of somebody's own, which is not run for this
        return env, _as_facts(kept)
    given = Task(env, kept).problem_arguments
    name = given.pop("problem")  # ids that somebody registered bring arguments along
    given = {key: value for key, value in given.items() if key not in _OF_CAMPAIGNS}
    family = _FAMILY.get(name, name)
    if ":" in name:
        return family, _as_facts(given)
    known = _bound(name, given)
    return family, _FACTS[name](known) if name in _FACTS else _as_facts(known)


def _as_facts(arguments: Mapping[str, Any]) -> Facts:
    """Arguments of problems that draw the same where all of them are the same."""
    return {
        key: [json.dumps(as_json(value), sort_keys=True, default=repr)]
        for key, value in arguments.items()
        if key not in _BESIDE
    }


def _bound(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a problem with the defaults of those that are not given."""
    parameters = inspect.signature(problem_class(name)).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    return {**defaults, "split": "all", **arguments}


# --- collections, by their problem's arguments ------------------------------------------------


def _sides(split: str) -> tuple[str, ...]:
    return ("train", "test") if split == "all" else (split,)


def _split_only(known: dict[str, Any]) -> Facts:
    return {"split": _sides(known["split"])}


def _factors(known: dict[str, Any]) -> Facts:
    from ombo_gym.problems.biology.tf_binding import SPLITS

    factors = known["factors"]
    return {"factor": SPLITS[known["split"]] if factors is None else factors}


def _one_factor(known: dict[str, Any]) -> Facts:
    return {"factor": [known["factor"]]}


def _lcbench(known: dict[str, Any]) -> Facts:
    from ombo_gym.problems.tuning.lcbench import SPLITS

    dataset = known["dataset"]
    return {"dataset": SPLITS[known["split"]] if dataset is None else [dataset]}


def _tuning(known: dict[str, Any]) -> Facts:
    from ombo_gym.problems.tuning.neural_networks import SPLITS

    benchmark, dataset = known["benchmark"], known["dataset"]
    datasets = SPLITS[benchmark][known["split"]] if dataset is None else [dataset]
    return {"dataset": [f"{benchmark}/{each}" for each in datasets]}


def _hpob(known: dict[str, Any]) -> Facts:
    from ombo_gym.problems.tuning.hpob import TASKS

    space, dataset = known["space"], known["dataset"]
    datasets = TASKS.get(space, ()) if dataset is None else [dataset]
    return {"task": [f"{space}/{each}" for each in datasets]}


def _coating(known: dict[str, Any]) -> Facts:
    from ombo_gym.problems.materials.coating import Coating

    if known["centre"] is not None:
        return {"centre": [int(known["centre"])]}
    return {"centre": Coating(split=known["split"]).centres.tolist()}


def _molecule(known: dict[str, Any]) -> Facts:
    if known["objective"] != "similarity":
        return {"objective": [known["objective"]], "split": None}
    return {"objective": ["similarity"], "split": _sides(known["split"])}


def _snar(known: dict[str, Any]) -> Facts:
    if known["kinetics"] == "published":
        return {"kinetics": ["published"], "split": None}
    return {"kinetics": [known["kinetics"]], "split": _sides(known["split"])}


def _structures(known: dict[str, Any]) -> Facts:
    target = known["target"]
    if target is None:
        return {"split": _sides(known["split"])}
    side = "train" if zlib.crc32(target.encode()) % 5 else "test"
    return {"split": [side], "target": [target]}


def _ehrlich(known: dict[str, Any]) -> Facts:
    numbers = known["instances"]
    if numbers is None:
        return {"split": _sides(known["split"]), "instance": None}
    sides = {"test" if number % 2 else "train" for number in numbers}
    return {"split": sides, "instance": numbers}


def _ioh(suite: str) -> Callable[[dict[str, Any]], Facts]:
    def facts(known: dict[str, Any]) -> Facts:
        problem: Any = problem_class(suite)(**known)
        return {"function": problem.functions, "instance": problem.instances}

    return facts


_FAMILY = {"TFBind8": "TFBinding"}  # which show the same table
_FACTS: dict[str, Callable[[dict[str, Any]], Facts]] = {
    "TFBinding": _factors,
    "TFBind8": _one_factor,
    "LCBench": _lcbench,
    "Tuning": _tuning,
    "HPOB": _hpob,
    "Coating": _coating,
    "Molecule": _molecule,
    "SnAr": _snar,
    "RNAFold": _structures,
    "Lander": _split_only,
    "Ehrlich": _ehrlich,
    "BBOB": _ioh("BBOB"),
    "PBO": _ioh("PBO"),
}
