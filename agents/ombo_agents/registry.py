"""One table: name -> policy; and trained policies by the folder they were written to."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ombo_agents.heuristics import exploration, model_free, posterior
from ombo_agents.policy import Policy
from ombo_gym.design_spaces import BoxDesigns, DesignSpace
from ombo_gym.game import Game


def _any_space(space: DesignSpace) -> bool:
    return True


def _boxes(space: DesignSpace) -> bool:
    return isinstance(space, BoxDesigns)


@dataclass(frozen=True)
class Entry:
    """How a policy is built, and for which design spaces."""

    build: Callable[..., Policy]
    suits: Callable[[DesignSpace], bool] = _any_space


POLICIES: dict[str, Entry] = {
    "random": Entry(model_free.RandomPolicy),
    "sobol": Entry(model_free.Sobol, _boxes),
    "latin_hypercube": Entry(model_free.LatinHypercube, _boxes),
    "genetic": Entry(model_free.Genetic),
    "greedy": Entry(exploration.greedy),
    "ucb": Entry(exploration.ucb),
    "expected_improvement": Entry(posterior.ExpectedImprovement),
    "thompson": Entry(posterior.Thompson),
    "explore_then_exploit": Entry(exploration.explore_then_exploit),
}


def names() -> list[str]:
    """The names that `make` knows; folders of trained policies go beside them."""
    return list(POLICIES)


def make(name: str, env: Any, **settings: Any) -> Policy:
    """Builds a policy for an environment.

    Args:
        name: A name of `names()`, optionally with settings: `ucb:weight=2`, `explore_then_exploit:weights=3/1/0`; or a folder
            that `scripts.train` wrote.
        env: A single or vector environment of this package, wrapped or not.
        **settings: The policy's own, as keyword arguments.

    Raises:
        ValueError: An unknown name (lists the known ones), a setting that the policy lacks, or a design space that it
            does not suit.
    """
    game: Game = env.unwrapped.game
    if (Path(name) / "config.json").is_file():
        from ombo_agents.learned.storage import load

        return load(Path(name), game)
    bare, _, text = name.partition(":")
    entry = _entry(bare)
    if not entry.suits(game.design_space):
        suited = [other for other, e in POLICIES.items() if e.suits(game.design_space)]
        raise ValueError(
            f"{bare} does not suit {game.design_space!r}; these do: {', '.join(suited)}"
        )
    try:
        return entry.build(game, **_parse(text), **settings)
    except TypeError as error:
        raise ValueError(f"policy {name!r}: {error}") from error


def supports(name: str, env: Any) -> bool:
    """Whether a policy suits the environment's design space.

    Raises:
        ValueError: An unknown name; lists the known ones.
    """
    if (Path(name) / "config.json").is_file():
        from ombo_agents.learned.storage import fits

        return fits(Path(name), env.unwrapped.game)
    return _entry(name.partition(":")[0]).suits(env.unwrapped.game.design_space)


def _entry(name: str) -> Entry:
    if name not in POLICIES:
        raise ValueError(
            f"policy: expected one of {names()} or the folder of a trained policy "
            f"(with config.json and policy.safetensors), got {name!r}"
        )
    return POLICIES[name]


def _parse(text: str) -> dict[str, Any]:
    """Settings of `key=value;key=value`; values are JSON, or numbers with slashes between for a tuple."""
    settings: dict[str, Any] = {}
    for part in filter(None, text.split(";")):
        key, separator, value = part.partition("=")
        if not separator:
            raise ValueError(f"policy settings: expected key=value;key=value, got {text!r}")
        try:
            settings[key] = (
                tuple(float(number) for number in value.split("/"))
                if "/" in value or key == "weights"
                else json.loads(value)
            )
        except ValueError:
            raise ValueError(
                f"policy settings: expected a number or numbers with '/' between, got {part!r}"
            ) from None
    return settings
