"""One table: name -> policy; and trained policies by the folder they were written to."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, cast

from ombo_agents import offline
from ombo_agents.bayesian import schedules
from ombo_agents.bayesian.botorch.multistep import BotorchMultistep, values_last_batch
from ombo_agents.bayesian.botorch.one_step import BotorchKG, BotorchLogEI
from ombo_agents.bayesian.doe_then_ucb import DoeThenUcb
from ombo_agents.bayesian.expected_improvement import ExpectedImprovement
from ombo_agents.bayesian.greedy_refined import RefinedGreedy
from ombo_agents.bayesian.local_penalization import LocalPenalization
from ombo_agents.bayesian.max_value_entropy import MaxValueEntropy
from ombo_agents.bayesian.offset_ucb import offset_ucb
from ombo_agents.bayesian.portfolio import Portfolio, PortfolioThenEI, why_no_portfolio
from ombo_agents.bayesian.thompson import Thompson
from ombo_agents.bayesian.turbo import Turbo
from ombo_agents.design_of_experiments.d_optimal import DOptimal
from ombo_agents.design_of_experiments.space_filling import LatinHypercube, Sobol
from ombo_agents.given_settings import check_settings, parse_settings, settings_taken
from ombo_agents.hyperparameters import settings_of
from ombo_agents.model_free.adalead import AdaLead
from ombo_agents.model_free.cmaes import CMAES
from ombo_agents.model_free.evolution import Evolution
from ombo_agents.model_free.genetic import Genetic
from ombo_agents.model_free.local_search import LocalSearch
from ombo_agents.model_free.random import RandomPolicy
from ombo_agents.planners import dynamic_programming
from ombo_agents.planners.belief_mdp import why_not_planned
from ombo_agents.planners.binoculars import Binoculars
from ombo_agents.planners.rollout.policy import rollout
from ombo_agents.planners.thompson import exact_thompson
from ombo_agents.policy import ControlPolicy, DesignsPolicy, Policy
from ombo_gym.arguments import shown
from ombo_gym.own_code import own_class
from ombo_gym.spec import CONTROLS, CampaignSpec, campaign_spec

Reason = str | None  # why a policy does not suit a spec's campaigns; None: it does


def _needs_nothing(spec: CampaignSpec) -> Reason:
    return None


def _needs_box(spec: CampaignSpec) -> Reason:
    """Only where every coordinate is a number that can move."""
    free = spec.design_space.free
    if free is not None and free.all():
        return None
    return "it needs designs that are numbers from end to end, each of which can be a little more"


def _needs_unrounded_box(spec: CampaignSpec) -> Reason:
    """Boxes: a coordinate that is rounded does not tell the shift of the sequence."""
    if _needs_box(spec) is None:
        return None
    return "it reads the shift of its sequence off its first design, a point of a box"


def _needs_unit_cube(spec: CampaignSpec) -> Reason:
    """Where designs have a coordinate for each parameter."""
    if spec.design_space.cube is not None:
        return None
    return "it fills slices of parameters, of which the designs have none"


def _needs_movable_numbers(spec: CampaignSpec) -> Reason:
    """Where some coordinates can move."""
    return None if spec.design_space.free is not None else "it needs designs that can move a little"


def _needs_categories(spec: CampaignSpec) -> Reason:
    space = spec.design_space
    if space.pool_features is None and _needs_box(spec) is not None:
        return None
    return "it recombines and mutates categories and levels, of which the designs have none"


def _refuses_box(spec: CampaignSpec) -> Reason:
    """Not in a box: a linear model's D-optimal designs there are its corners."""
    if _needs_box(spec) is not None:
        return None
    return "a linear model's D-optimal designs in a box are its corners: use sobol"


def _needs_order(spec: CampaignSpec) -> Reason:
    if spec.design_space.ordered:
        return None
    return "it adds differences of designs, which have no direction among categories"


def _needs_lookahead_value(spec: CampaignSpec) -> Reason:
    if (reason := _needs_box(spec)) is not None:
        return reason
    return None if values_last_batch(spec.utility) else f"it has no value for '{spec.utility}'"


def _needs_exact_plans(spec: CampaignSpec) -> Reason:
    return why_not_planned(spec)


@dataclass(frozen=True)
class Entry:
    """How a policy is built, and for which campaigns and controls."""

    build: Callable[..., Policy]
    why_not: Callable[[CampaignSpec], Reason] = _needs_nothing
    controls: tuple[str, ...] = ("designs",)


def _thompson(spec: CampaignSpec) -> Policy:
    """Thompson sampling from the exact posterior where it is known, else from the surrogate's."""
    return exact_thompson(spec) or Thompson(spec)


def _rolling(lookahead: int) -> Callable[..., Policy]:
    """What plans so many rounds ahead: the name says how many, and no setting does."""
    return lambda spec, **settings: dynamic_programming.rolling(
        spec, lookahead=lookahead, **settings
    )


def _meta(spec: CampaignSpec) -> Policy:
    """The meta-policy that comes with the package; needs what learned policies need."""
    from ombo_agents.learned.meta import meta

    return meta(spec)


_ROLLING = re.compile(r"rolling_([1-9]\d*)")
_EXPECTED_CLASS = "expected a subclass of ombo_agents.Policy in module:Class"
_EXPLORES = ("designs", "exploration")

POLICIES: dict[str, Entry] = {
    "random": Entry(RandomPolicy),
    "sobol": Entry(Sobol, _needs_unrounded_box),
    "latin_hypercube": Entry(LatinHypercube, _needs_unit_cube),
    "genetic": Entry(Genetic),
    "greedy": Entry(schedules.greedy, controls=_EXPLORES),
    "greedy_refined": Entry(RefinedGreedy, _needs_movable_numbers),
    "ucb": Entry(schedules.ucb, controls=_EXPLORES),
    "offset_ucb": Entry(offset_ucb),
    "doe_then_ucb": Entry(DoeThenUcb),
    "expected_improvement": Entry(ExpectedImprovement),
    "thompson": Entry(_thompson),
    "explore_then_exploit": Entry(schedules.explore_then_exploit, controls=_EXPLORES),
    "ensemble_greedy": Entry(offline.method("ensemble_greedy")),
    "gradient_ascent": Entry(offline.method("gradient_ascent")),
    "gradient_min": Entry(offline.method("gradient_min")),
    "gradient_mean": Entry(offline.method("gradient_mean")),
    "coms": Entry(offline.method("coms")),
    "cbas": Entry(offline.method("cbas")),
    "reinforce": Entry(offline.method("reinforce")),
    "mins": Entry(offline.method("mins")),
    "bo_qei": Entry(offline.method("bo_qei")),
    "max_value_entropy": Entry(MaxValueEntropy),
    "local_penalization": Entry(LocalPenalization),
    "turbo": Entry(Turbo, _needs_movable_numbers),
    "botorch_logei": Entry(BotorchLogEI),
    "botorch_kg": Entry(BotorchKG, _needs_box),
    "botorch_multistep": Entry(BotorchMultistep, _needs_lookahead_value),
    "local_search": Entry(LocalSearch),
    "d_optimal": Entry(DOptimal, _refuses_box),
    "adalead": Entry(AdaLead, _needs_categories),
    "cmaes": Entry(CMAES),
    "evolution": Entry(Evolution, _needs_order),
    "rollout": Entry(rollout),
    "binoculars": Entry(Binoculars),
    "meta": Entry(_meta),
    "portfolio": Entry(Portfolio, why_no_portfolio),
    "portfolio_then_ei": Entry(PortfolioThenEI, why_no_portfolio),
    "one_step": Entry(dynamic_programming.one_step, _needs_exact_plans),
    "rolling_2": Entry(_rolling(2), _needs_exact_plans),  # and rolling_3, ...
    "bayes_optimal": Entry(dynamic_programming.bayes_optimal, _needs_exact_plans),
}


def names() -> list[str]:
    """The names that `make` knows; folders of trained policies go beside them."""
    return list(POLICIES)


def make(name: str, env_or_spec: Any, **settings: Any) -> Policy:
    """Builds a policy for an environment's campaigns, or for a real one.

    It is given the campaigns' spec (`ombo_gym.CampaignSpec`) and nothing else.

    Args:
        name: A name of `names()`, optionally with settings: `ucb:weight=2;climb=false`,
            `explore_then_exploit:weights=3/1/0`; a folder that `ombo train` wrote; or
            `module:Class` of a policy of your own, with settings or without
            (`module:Class:step=0.5`), which is called with the spec and the settings.
        env_or_spec: A spec, or a single or vector environment of this package, wrapped or not.
        **settings: The policy's own, as keyword arguments; what is not given is as in
            `ombo_agents/hyperparameters`.

    Raises:
        ValueError: An unknown name (lists the known ones), a setting that the policy lacks or of
            another type than its constructor says, a module that cannot be imported, or a design
            space that it does not suit (says why).
    """
    spec = _spec(env_or_spec)
    name = _checked(name)
    if _is_run(name):
        from ombo_agents.learned.storage import load

        if settings:
            raise ValueError(f"policy {name!r}: a trained policy takes no settings, got {settings}")
        return load(Path(name), spec)
    entry, text = _split(name)
    bare = name.partition(":")[0]
    if (reason := entry.why_not(spec)) is not None:
        suited = [other for other, e in POLICIES.items() if e.why_not(spec) is None]
        raise ValueError(
            f"{name} does not suit {spec.design_space!r} of {spec.problem} under utility "
            f"'{spec.utility}': {reason}; these do: {', '.join(suited)}"
        )
    settings = parse_settings(text) | settings
    if bare in POLICIES or _ROLLING.fullmatch(bare):
        settings = settings_of(bare, spec) | settings
    known = settings_taken(entry.build)
    if known is not None and (unknown := sorted(set(settings) - set(known))):
        raise ValueError(
            f"policy {name!r}: expected settings among {known}, got an unexpected keyword argument "
            f"{unknown[0]!r}"
        )
    if bare not in POLICIES:
        check_settings(f"policy {name!r}", entry.build, settings)
    try:
        policy = entry.build(spec, **settings)
    except TypeError as error:
        raise ValueError(f"policy {name!r}: {error}") from error
    if isinstance(policy, DesignsPolicy | ControlPolicy) and not hasattr(policy, "spec"):
        raise ValueError(
            f"policy {name!r}: expected a constructor that hands the spec on, got none; call "
            "super().__init__(spec) in it"
        )
    return policy


def supports(name: str, env_or_spec: Any) -> bool:
    """Whether a policy suits the design space, the control and the utility of some campaigns.

    Raises:
        ValueError: An unknown name; lists the known ones.
    """
    spec = _spec(env_or_spec)
    name = _checked(name)
    if _is_run(name):
        from ombo_agents.learned.storage import fits

        return fits(Path(name), spec)
    entry, _ = _split(name)
    return spec.control in entry.controls and entry.why_not(spec) is None


def _spec(env_or_spec: Any) -> CampaignSpec:
    if isinstance(env_or_spec, CampaignSpec):
        return env_or_spec
    if not hasattr(env_or_spec, "unwrapped"):
        raise ValueError(
            "env_or_spec: expected a CampaignSpec or an environment of ombo_gym, got "
            f"{shown(env_or_spec)}; ombo_gym.CampaignEnv(problem) makes one of a problem"
        )
    return campaign_spec(env_or_spec)


def _checked(name: Any) -> str:
    """A name or a folder as text."""
    if not isinstance(name, str | PathLike):
        raise ValueError(
            f"policy: expected one of {names()}, the folder of a trained policy or "
            f"'module:Class', got {shown(name)}; a class of your own is called with the spec "
            "itself: Class(ombo_gym.campaign_spec(env))"
        )
    return str(name)


def _split(name: str) -> tuple[Entry, str]:
    """The entry that a name stands for, and the text of its settings."""
    bare, _, text = name.partition(":")
    if rolling := _ROLLING.fullmatch(bare):
        return Entry(_rolling(int(rolling[1])), _needs_exact_plans), text
    attribute, _, settings = text.partition(":")
    if bare not in POLICIES and attribute.isidentifier():
        return Entry(_own_policy(name, bare, attribute), controls=CONTROLS), settings
    if bare not in POLICIES:
        if name and _exists(Path(name).is_dir):
            raise ValueError(f"policy: {_not_finished(Path(name))}")
        raise ValueError(
            f"policy: expected one of {names()} or the folder of a trained policy "
            f"(with config.json and policy.safetensors) or module:Class, got {name!r}"
            f"{_hint(name)}"
        )
    return POLICIES[bare], text


def _is_run(name: str) -> bool:
    """Whether it is the folder of a trained policy."""
    return _exists((Path(name) / "config.json").is_file)


def _exists(there: Callable[[], bool]) -> bool:
    try:
        return there()
    except OSError:  # a name that is too long, or a folder that may not be entered
        return False


def _hint(name: str) -> str:
    """What somebody may have meant by a name that is none."""
    if "=" in name and ":" not in name:
        return "; several settings of one policy have ';' between: 'NAME:key=value;key=value'"
    if "/" in name:
        return f"; there is no folder {Path(name).absolute()}"
    module, dot, attribute = name.rpartition(".")
    if dot and ":" not in name and attribute.isidentifier() and attribute != "py":
        return f"; did you mean '{module}:{attribute}'?"
    near = difflib.get_close_matches(name.partition(":")[0], names(), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _own_policy(name: str, module: str, attribute: str) -> Callable[..., Policy]:
    """What `module:Class` stands for.

    Raises:
        ValueError: It is not there, or nothing that builds something.
    """
    found = own_class(f"policy {name!r}", f"{module}:{attribute}")
    if not callable(found) or (isinstance(found, type) and not hasattr(found, "act")):
        raise ValueError(f"policy {name!r}: {_EXPECTED_CLASS}, got {shown(found)}")
    return cast(Callable[..., Policy], found)


def _not_finished(folder: Path) -> str:
    """Why a folder without a configuration is no trained policy, and what to do."""
    if (folder / "state.safetensors").is_file():
        return (
            f"{folder} is a run that is unfinished, without config.json and policy.safetensors: "
            f"'ombo train' with the arguments that it was begun with and --out {folder} --resume "
            "goes on"
        )
    return (
        f"expected the folder of a trained policy (with config.json and policy.safetensors), got "
        f"{str(folder)!r}, which has no config.json"
    )
