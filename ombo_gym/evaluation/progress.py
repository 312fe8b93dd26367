"""Progress of what may take long, shown on a terminal once it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

try:
    from tqdm import tqdm
except ImportError as error:
    raise ImportError('ombo_gym.evaluation needs tqdm: pip install "ombo-gym[evaluation]"') from (
        error
    )

PATIENCE = 2.0  # seconds before a bar appears
T = TypeVar("T")


def tracked(items: Iterable[T], words: str, *, total: int | None = None) -> Iterator[T]:
    """The items, with a bar on a terminal that goes again when they are done.

    Args:
        items: What is gone through.
        words: What is being done.
        total: How many items there are, where `len` does not say.
    """
    yield from tqdm(
        items, desc=words, total=total, leave=False, disable=None, delay=PATIENCE, mininterval=0.5
    )
