"""One table: name -> policy; and trained policies by the folder they were written to."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ombo_agents import offline
from ombo_agents.bayesian.botorch.multistep import UTILITIES, BotorchMultistep
from ombo_agents.bayesian.botorch.one_step import BotorchKG, BotorchLogEI
from ombo_agents.bayesian.expected_improvement import ExpectedImprovement
from ombo_agents.bayesian.greedy_refined import RefinedGreedy
from ombo_agents.bayesian.local_penalization import LocalPenalization
from ombo_agents.bayesian.max_value_entropy import MaxValueEntropy
from ombo_agents.bayesian.thompson import Thompson
from ombo_agents.bayesian.turbo import Turbo
from ombo_agents.experiments.d_optimal import DOptimal
from ombo_agents.experiments.space_filling import LatinHypercube, Sobol
from ombo_agents.heuristics import exploration
from ombo_agents.hyperparameters import settings_of
from ombo_agents.model_free.adalead import AdaLead
from ombo_agents.model_free.cmaes import CMAES
from ombo_agents.model_free.evolution import Evolution
from ombo_agents.model_free.genetic import Genetic
from ombo_agents.model_free.local_search import LocalSearch
from ombo_agents.model_free.random import RandomPolicy
from ombo_agents.planners import exact
from ombo_agents.planners.beliefs import can_plan
from ombo_agents.planners.binoculars import Binoculars
from ombo_agents.planners.rollout.policy import rollout
from ombo_agents.planners.thompson import exact_thompson
from ombo_agents.policy import Policy
from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns
from ombo_gym.game import CONTROLS, Game, game_of


def _any(game: Game) -> bool:
    return True


def _boxes(game: Game) -> bool:
    return isinstance(game.design_space, BoxDesigns)


def _categories(game: Game) -> bool:
    return isinstance(game.design_space, CategoricalDesigns)


def _finite(game: Game) -> bool:
    return game.design_space.size is not None


def _ordered(game: Game) -> bool:
    """Whether a difference of two designs has a direction."""
    space = game.design_space
    return space.ordinal if isinstance(space, CategoricalDesigns) else True


def _looks_ahead(game: Game) -> bool:
    return _boxes(game) and game.campaigns.settings.utility in UTILITIES


@dataclass(frozen=True)
class Entry:
    """How a policy is built, and for which campaigns and controls."""

    build: Callable[..., Policy]
    suits: Callable[[Game], bool] = _any
    controls: tuple[str, ...] = ("designs",)


def _thompson(game: Game) -> Policy:
    """Thompson sampling from the exact posterior where it is known, else from the surrogate's."""
    return exact_thompson(game) or Thompson(game)


def _rolling(lookahead: int) -> Callable[..., Policy]:
    """What plans so many rounds ahead: the name says how many, and no setting does."""
    return lambda game, **settings: exact.rolling(game, lookahead=lookahead, **settings)


_EXPLORES = ("designs", "exploration")

POLICIES: dict[str, Entry] = {
    "random": Entry(RandomPolicy),
    "sobol": Entry(Sobol, _boxes),
    "latin_hypercube": Entry(LatinHypercube, _boxes),
    "genetic": Entry(Genetic),
    "greedy": Entry(exploration.greedy, controls=_EXPLORES),
    "greedy_refined": Entry(RefinedGreedy, _boxes),
    "ucb": Entry(exploration.ucb, controls=_EXPLORES),
    "expected_improvement": Entry(ExpectedImprovement),
    "thompson": Entry(_thompson),
    "explore_then_exploit": Entry(exploration.explore_then_exploit, controls=_EXPLORES),
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
    "turbo": Entry(Turbo, _boxes),
    "botorch_logei": Entry(BotorchLogEI),
    "botorch_kg": Entry(BotorchKG, _boxes),
    "botorch_multistep": Entry(BotorchMultistep, _looks_ahead),
    "local_search": Entry(LocalSearch),
    "d_optimal": Entry(DOptimal, _finite),
    "adalead": Entry(AdaLead, _categories),
    "cmaes": Entry(CMAES),
    "evolution": Entry(Evolution, _ordered),
    "rollout": Entry(rollout),
    "binoculars": Entry(Binoculars),
    "one_step": Entry(exact.one_step, can_plan),
    "rolling_2": Entry(_rolling(2), can_plan),  # and rolling_3, ...
    "bayes_optimal": Entry(exact.bayes_optimal, can_plan),
}


def names() -> list[str]:
    """The names that `make` knows; folders of trained policies go beside them."""
    return list(POLICIES)


def make(name: str, env: Any, **settings: Any) -> Policy:
    """Builds a policy for an environment.

    Args:
        name: A name of `names()`, optionally with settings: `ucb:weight=2`,
            `explore_then_exploit:weights=3/1/0`; a folder that `scripts.train` wrote; or
            `module:Class` of a policy of your own.
        env: A single or vector environment of this package, wrapped or not.
        **settings: The policy's own, as keyword arguments; what is not given is as in
            `ombo_agents/hyperparameters`.

    Raises:
        ValueError: An unknown name (lists the known ones), a setting that the policy lacks, or a
            design space that it does not suit.
    """
    game = game_of(env)
    if (Path(name) / "config.json").is_file():
        from ombo_agents.learned.storage import load

        if settings:
            raise ValueError(f"policy {name!r}: a trained policy takes no settings, got {settings}")
        return load(Path(name), game)
    entry, text = _split(name)
    bare = name.partition(":")[0]
    if not entry.suits(game):
        suited = [other for other, e in POLICIES.items() if e.suits(game)]
        raise ValueError(
            f"{name} does not suit {game.design_space!r} of {type(game.problem).__name__} under "
            f"utility {game.campaigns.settings.utility!r}; these do: {', '.join(suited)}"
        )
    try:
        return entry.build(game, **settings_of(bare, game) | _parse(text) | settings)
    except TypeError as error:
        raise ValueError(f"policy {name!r}: {error}") from error


def supports(name: str, env: Any) -> bool:
    """Whether a policy suits the environment's design space and control.

    Raises:
        ValueError: An unknown name; lists the known ones.
    """
    game = game_of(env)
    if (Path(name) / "config.json").is_file():
        from ombo_agents.learned.storage import fits

        return fits(Path(name), game)
    entry, _ = _split(name)
    return entry.suits(game) and game.control_name in entry.controls


def _split(name: str) -> tuple[Entry, str]:
    """The entry that a name stands for, and the text of its settings."""
    bare, _, text = name.partition(":")
    if rolling := re.fullmatch(r"rolling_([1-9]\d*)", bare):
        return Entry(_rolling(int(rolling[1])), can_plan), text
    if bare not in POLICIES and text.isidentifier():
        try:
            return Entry(getattr(importlib.import_module(bare), text), controls=CONTROLS), ""
        except (ImportError, AttributeError) as error:
            raise ValueError(f"policy {name!r}: {error}") from error
    if bare not in POLICIES:
        raise ValueError(
            f"policy: expected one of {names()} or the folder of a trained policy "
            f"(with config.json and policy.safetensors) or module:Class, got {name!r}"
        )
    return POLICIES[bare], text


def _parse(text: str) -> dict[str, Any]:
    """Settings of `key=value;key=value`: values are JSON, words, or numbers with '/' between."""
    settings: dict[str, Any] = {}
    for part in filter(None, text.split(";")):
        key, separator, value = part.partition("=")
        if not separator:
            raise ValueError(f"policy settings: expected key=value;key=value, got {text!r}")
        try:
            settings[key] = (
                tuple(float(number) for number in value.split("/"))
                if "/" in value
                else value
                if value.isalpha() and value not in ("true", "false", "null")
                else json.loads(value)
            )
        except ValueError:
            raise ValueError(
                f"policy settings: expected a number, a word, or numbers with '/' between, got "
                f"{part!r}"
            ) from None
    return settings
