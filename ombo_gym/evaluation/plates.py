"""Settings whose rounds have batches of different sizes: they stand in `env_kwargs`."""

from __future__ import annotations

import json

KEY = "plates"  # among an environment's arguments: the batch sizes, round by round


def plates_of(env_kwargs: str) -> list[int] | None:
    """The batch sizes round by round, where they were laid down; else None.

    Args:
        env_kwargs: An environment's arguments as JSON text, as tables hold them.
    """
    try:
        arguments = json.loads(env_kwargs)
    except ValueError:
        return None
    plates = arguments.get(KEY) if isinstance(arguments, dict) else None
    return None if plates is None else [int(size) for size in plates]


def measurements(env_kwargs: str, horizon: int, batch_size: int) -> int:
    """Designs that a campaign proposes, in all."""
    plates = plates_of(env_kwargs)
    return horizon * batch_size if plates is None else sum(plates)


def batch_words(env_kwargs: str, batch_size: int) -> str:
    """A setting's batch size in words: "4", or "24/24/8" round by round."""
    plates = plates_of(env_kwargs)
    return str(batch_size) if plates is None else "/".join(map(str, plates))
