"""One table: environment id -> problem. `import ombo_gym` registers it."""

from __future__ import annotations

import inspect
from inspect import isabstract
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from ombo_gym.arguments import shown
from ombo_gym.own_code import own_class, own_module
from ombo_gym.problems.core.base import Problem

NAMESPACE = "Ombo"
TASKS_ID = f"{NAMESPACE}/Tasks-v0"  # of the environment whose campaigns draw their problem

# Name of the environment -> where its problem is. The keyword arguments of the problem are the
# environment's.
PROBLEMS: dict[str, str] = {
    "GP": "ombo_gym.problems.synthetic.gp:GP",
    "Reaction": "ombo_gym.problems.chemistry.reaction:Reaction",
    "CrossedBarrel": "ombo_gym.problems.materials.measured_materials:CrossedBarrel",
    "Materials": "ombo_gym.problems.materials.measured_materials:Materials",
    "Antibody": "ombo_gym.problems.biology.antibody:Antibody",
    "MPSA": "ombo_gym.problems.biology.mpsa:MPSA",
    "Tuning": "ombo_gym.problems.tuning.neural_networks:Tuning",
    "LCBench": "ombo_gym.problems.tuning.lcbench:LCBench",
    "HPOB": "ombo_gym.problems.tuning.hpob:HPOB",
    "TFBind8": "ombo_gym.problems.biology.tf_binding:TFBind8",
    "TFBinding": "ombo_gym.problems.biology.tf_binding:TFBinding",
    "Screens": "ombo_gym.problems.synthetic.screens:Screens",
    "Bandit": "ombo_gym.problems.synthetic.bandit:Bandit",
    "Landscapes": "ombo_gym.problems.synthetic.landscapes:Landscapes",
    "SnAr": "ombo_gym.problems.chemistry.snar:SnAr",
    "Coating": "ombo_gym.problems.materials.coating:Coating",
    "Molecule": "ombo_gym.problems.chemistry.molecule:Molecule",
    "Ehrlich": "ombo_gym.problems.synthetic.ehrlich:Ehrlich",
    "BBOB": "ombo_gym.problems.synthetic.bbob:BBOB",
    "PBO": "ombo_gym.problems.synthetic.pbo:PBO",
    "Table": "ombo_gym.problems.own.table:Table",
    "Gait": "ombo_gym.problems.robotics.gait:Gait",
    "RNAFold": "ombo_gym.problems.biology.rna_fold:RNAFold",
    "Lander": "ombo_gym.problems.robotics.lander:Lander",
    "WindFarm": "ombo_gym.problems.energy.windfarm:WindFarm",
}


def env_ids() -> list[str]:
    """The ids of all environments of one problem each, which `TASKS_ID` is not."""
    return [f"{NAMESPACE}/{name}-v0" for name in PROBLEMS]


def register_all() -> None:
    """Registers every environment with gymnasium, once."""
    for name, env_id in zip(PROBLEMS, env_ids(), strict=True):
        if env_id not in gym.registry:
            gym.register(
                env_id,
                entry_point="ombo_gym.env:CampaignEnv",
                vector_entry_point="ombo_gym.vector_env:CampaignVectorEnv",
                kwargs={"problem": name},
            )
    if TASKS_ID not in gym.registry:
        gym.register(
            TASKS_ID,
            entry_point="ombo_gym.multi_task.env:MultiTaskEnv",
            vector_entry_point="ombo_gym.multi_task.vector_env:MultiTaskVectorEnv",
        )


def environment(name: str) -> str | EnvSpec:
    """What `gym.make` and `gym.make_vec` take for the name of an environment.

    Args:
        name: An id; `module:id` of one that a module registers; or `module:Class` of a problem of
            one's own, which no module has to register.

    Returns:
        An id as it is; for a class, a specification with the name as its id.
    """
    if not names_problem(name):
        return name
    module, _, attribute = name.partition(":")
    own_module(f"env: {name!r}", module)
    if attribute in gym.registry:  # an id like any other, though without a namespace
        return name
    return EnvSpec(
        name,
        entry_point="ombo_gym.env:CampaignEnv",
        vector_entry_point="ombo_gym.vector_env:CampaignVectorEnv",
        kwargs={"problem": name},
    )


def names_problem(name: str) -> bool:
    """Whether a name reads `module:Class`, and not `module:id` with a namespace or a version."""
    module, _, attribute = name.partition(":")
    dotted = all(part.isidentifier() for part in module.split("."))
    return dotted and attribute.isidentifier()


def problem_class(name: str) -> type[Problem]:
    """The class of a problem; arguments and errors as in `make_problem`."""
    if isinstance(name, type) and issubclass(name, Problem):
        raise ValueError(
            "problem: expected a name, module:Class, or an object of a class of your own, got the "
            f"class {name.__name__}: call it, "
            f"{name.__name__}(...), or give its name, 'module:{name.__name__}', and its arguments"
        )
    if not isinstance(name, str) or (name not in PROBLEMS and name.count(":") != 1):
        raise ValueError(
            f"problem: expected one of {sorted(PROBLEMS)}, module:Class, or an object of a class "
            f"of your own, got {shown(name)}{_remedy(name)}"
        )
    found: type[Problem] = own_class(f"problem: {name!r}", PROBLEMS.get(name, name))
    if not isinstance(found, type) or not issubclass(found, Problem) or isabstract(found):
        raise ValueError(
            f"problem: expected a class of problems, got {name!r}: {shown(found)}{_remedy(found)}"
        )
    return found


def _remedy(given: Any) -> str:
    """What to write in place of what is no class of problems, as a message ends."""
    if isinstance(given, Problem):
        return f"; name its class, {type(given).__name__}"
    if not isinstance(given, type):
        if not callable(given):
            return ""
        name = getattr(given, "__name__", "f")
        return (
            "; a function becomes a problem in a class of one line: class NAME(ombo_gym.Function) "
            f"with def __init__(self): super().__init__({name}, SPACE); in Python, "
            f"ombo_gym.make_campaign({name}, SPACE) plays it"
        )
    lacking = sorted(getattr(given, "__abstractmethods__", ()))
    if issubclass(given, Problem):
        return f"; it has to define {lacking}"
    return f"; make {given.__name__} a subclass of ombo_gym.Problem"


def make_problem(name: str, /, *, split: str = "all", **arguments: Any) -> Problem:
    """Builds a registered problem.

    Args:
        name: As in the id, `GP` of `Ombo/GP-v0`; or `module:Class` of a problem of your own.
        split: Which instances, for problems that are collections.
        **arguments: The problem's own.

    Raises:
        ValueError: An unknown name or split; lists the known ones.
        TypeError: An argument that the problem lacks; lists those it has, in Python's own words:
            libraries that try arguments (TorchRL: `frameskip`) look for them and leave it out.
    """
    problem = problem_class(name)
    if not isinstance(split, str) or split not in problem.splits:
        raise ValueError(f"split: {name} has {list(problem.splits)}, got {shown(split)}")
    if len(problem.splits) > 1:
        arguments["split"] = split
    parameters = inspect.signature(problem).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    if "split" in arguments and "split" not in parameters and not takes_any:
        raise TypeError(
            f"{name}: its splits are {list(problem.splits)}, but its constructor takes no split: "
            'give it one, `def __init__(self, *, split="all")`'
        )
    if takes_any:  # it checks them itself
        return problem(**arguments)
    known = list(parameters)
    if unknown := sorted(set(arguments) - set(known)):
        raise TypeError(
            f"{name} got an unexpected keyword argument {unknown[0]!r}: expected those that every "
            f"environment takes or, of its own, {known}"
        )
    return problem(**arguments)
