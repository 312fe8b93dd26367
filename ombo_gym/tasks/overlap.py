"""Whether two problems share an instance: what must not be, of training and test.

Cautious where arguments say little: instances that differ in nothing but the number of coordinates,
the noise or the like count as shared.
"""

from __future__ import annotations

import inspect
import json
import os
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import as_json
from ombo_gym.registration import problem_class
from ombo_gym.tasks.task import Task

Named = tuple[str, Mapping[str, Any]]  # an id of an environment, with its arguments
# What tells instances apart: a name -> all values that occur, in the order of the instances'
# numbers where `_NUMBERED_BY` names it; None: any value.
Facts = dict[str, Collection[Any] | None]

# What every environment takes, which says nothing of instances, and of problems how they compute.
_OF_CAMPAIGNS = (
    *("horizon", "batch_size", "plates", "utility", "start", "noise_std", "control", "surrogate"),
    "render_mode",
)
_BESIDE = ("workers", "split")


def overlap(one: Named, other: Named) -> bool:
    """Whether two problems share an instance, or may.

    Args:
        one: Id of an environment, with its arguments.
        other: Likewise.

    Raises:
        ValueError: An argument that the problem refuses.
        ImportError: A problem of a family that both have needs an extra that is not installed.
    """
    return bool(np.any(shared_instances(one, other)))


def shared_instances(one: Named, other: Named) -> NDArray[np.bool_]:
    """Which instances of a problem another problem has, too, or may have.

    Args:
        one: Id of an environment, with its arguments.
        other: Likewise.

    Returns:
        A truth value for each instance by its number, (`Problem.instance_count()`,), where facts
        tell them apart; else a single one for all, ().

    Raises:
        ValueError, ImportError: As `overlap`.
    """
    ours, theirs = _Family.of(*one), _Family.of(*other)
    if ours.name != theirs.name:
        return np.array(False)
    facts, others = ours.facts(), theirs.facts()
    for name in facts.keys() & others.keys():
        our_values, their_values = facts[name], others[name]
        if our_values is None or their_values is None:
            continue
        if not set(our_values) & set(their_values):
            return np.array(False)
    numbered = _NUMBERED_BY.get(ours.name, ())
    if not numbered or any(facts.get(name) is None for name in numbered):
        return np.array(True)
    shared = [_shared(facts[name], others.get(name)) for name in numbered]
    each = reduce(np.logical_and.outer, shared).ravel()  # the last one's counted up first
    return each if len(each) > 1 else each[0]  # one alone is no collection


def _shared(ours: Collection[Any] | None, theirs: Collection[Any] | None) -> NDArray[np.bool_]:
    """Which of our values, in their order, are among theirs."""
    return np.array([theirs is None or value in theirs for value in ours or ()], bool)


@dataclass(frozen=True)
class _Family:
    """Problems of which some share instances.

    Attributes:
        name: Of the family.
        problem: Which of them; None: code of somebody's own, which is not run for this.
        arguments: Of the problem.
    """

    name: str
    problem: str | None
    arguments: dict[str, Any]

    @classmethod
    def of(cls, env: str, arguments: Mapping[str, Any]) -> _Family:
        """The family of an environment; nothing is built for it."""
        kept = {key: value for key, value in arguments.items() if key not in _OF_CAMPAIGNS}
        env = env.removeprefix("ombo_gym:")
        if ":" in env:
            return cls(env, None, kept)
        given = Task(env, kept).problem_arguments
        name = given.pop("problem")  # ids that somebody registered bring arguments along
        given = {key: value for key, value in given.items() if key not in _OF_CAMPAIGNS}
        return cls(_FAMILY.get(name, name), None if ":" in name else name, given)

    def facts(self) -> Facts:
        """What tells apart the problem's instances from others of the family."""
        if self.problem is None:
            return _as_facts(self.arguments)
        known = _bound(self.problem, self.arguments)
        return _FACTS[self.problem](known) if self.problem in _FACTS else _as_facts(known)


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


def _screens(known: dict[str, Any]) -> Facts:
    shape = [known["parameters"], known["pool"]]  # functions of one key differ in noise alone
    return {"shape": [json.dumps(as_json(shape), sort_keys=True, default=repr)]}


def _ioh(suite: str) -> Callable[[dict[str, Any]], Facts]:
    def facts(known: dict[str, Any]) -> Facts:
        problem: Any = problem_class(suite)(**known)
        return {"function": problem.functions, "instance": problem.instances}

    return facts


def _table(known: dict[str, Any]) -> Facts:
    """Cautious: other columns of a file, or some of the rows, may say the same."""
    return {"source": [tuple(_resolved(known.get(key)) for key in ("csv", "x", "y"))]}


def _resolved(source: Any) -> str:
    """A file wherever it is named from, files, or arrays, as a text."""
    if isinstance(source, str | os.PathLike):
        return os.path.realpath(source)
    return json.dumps(as_json(source), sort_keys=True, default=repr)


_FAMILY = {"TFBind8": "TFBinding"}  # which show the same table
# Facts by which instances are numbered, the last one's values counted up first.
_NUMBERED_BY: dict[str, tuple[str, ...]] = {
    "TFBinding": ("factor",),
    "LCBench": ("dataset",),
    "Tuning": ("dataset",),
    "Coating": ("centre",),
    "BBOB": ("function", "instance"),
    "PBO": ("function", "instance"),
}
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
    "Screens": _screens,
    "BBOB": _ioh("BBOB"),
    "PBO": _ioh("PBO"),
    "Table": _table,
}
