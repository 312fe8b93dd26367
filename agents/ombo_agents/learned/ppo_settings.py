"""Hyper-parameters of PPO, as each agent is trained when nothing else is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

_WHOLE = {
    "steps": 0,
    "num_envs": 1,
    "rounds_per_update": 1,
    "batch_size": 2,  # advantages are scaled by their spread over it
    "epochs": 1,
}  # the smallest that makes sense
_NUMBERS = {
    "learning_rate": (0, math.inf),
    "falls_to": (0, 1),
    "gae_lambda": (0, 1),
    "entropy": (0, math.inf),
    "entropy_power": (0, math.inf),
    "target_kl": (0, math.inf),
    "log_std": (-20, 20),
}  # from, to


@dataclass(frozen=True)
class PPOSettings:
    """Hyper-parameters; the defaults were tuned with an exploration control on `Ombo/GP-v0`.

    Raises:
        ValueError: One that is out of range; names it.
    """

    steps: int = 200_000  # rounds played in all
    num_envs: int = 256
    rounds_per_update: int = 16  # of every campaign
    batch_size: int = 1024
    epochs: int = 6
    learning_rate: float = 2e-3
    falls_to: float = 0.1  # of the learning rate, linearly
    gae_lambda: float = 0.95
    entropy: float = 0.0  # weight of the bonus, at the start; falls to none
    entropy_power: float = 1.0  # of the share of rounds left, with which it falls; 1: linearly
    target_kl: float | None = None  # an update ends early when the policy has moved further
    log_std: float = -0.7  # at the start
    hidden: tuple[int, ...] = (64, 64)

    def __post_init__(self) -> None:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, low in _WHOLE.items():
            if not _is_whole(values[name]) or values[name] < low:
                raise ValueError(
                    f"{name}: expected a whole number of at least {low}, got {values[name]!r}"
                )
        for name, (least, most) in _NUMBERS.items():
            if name == "target_kl" and values[name] is None:
                continue
            if not _is_number(values[name]) or not least <= values[name] <= most:
                raise ValueError(
                    f"{name}: expected a number from {least} to {most}, got {values[name]!r}"
                )
        hidden = values["hidden"]
        if not isinstance(hidden, tuple) or not all(_is_whole(n) and n > 0 for n in hidden):
            raise ValueError(
                f"hidden: expected a tuple of whole numbers such as (64, 64), got {hidden!r}"
            )
        if self.num_envs * self.rounds_per_update < 2:
            raise ValueError(
                "rounds_per_update: expected at least 2 rounds in an update, got 1 of 1 campaign; "
                "give more of either"
            )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


SETTINGS = {
    "exploration": PPOSettings(),
    # Tuned on the cases of docs/results/exact.md with training seeds 0 to 2. Many campaigns and a
    # middling gae_lambda average out the noise that hides that one pull more or less is better, and
    # so do fresh rounds in place of more epochs on the same. What is found out pays only once later
    # rounds make use of it, so that early on it seems a loss: the entropy bonus is large enough to
    # keep such actions alive until then, and falls soon, so that what is left settles. The rate
    # falls low so that the last small difference settles too.
    "direct": PPOSettings(
        steps=4_000_000,
        num_envs=1024,
        rounds_per_update=20,
        batch_size=1024,
        epochs=2,
        falls_to=0.02,
        gae_lambda=0.5,
        entropy=0.05,
        entropy_power=3.0,
        target_kl=0.05,
        hidden=(32, 32),
    ),
}  # of each agent, when nothing else is asked for
