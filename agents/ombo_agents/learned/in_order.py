"""Work that is spread over processes, and comes back in the order in which it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

InOrder = Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]


def in_order(play: Callable[..., Iterator[Any]]) -> InOrder:
    """What gives results in the order of the items, of what gives them as they are ready.

    Args:
        play: See `ombo_gym.evaluation.launch.Launch.opened`.
    """

    def mapped(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        found = dict(play(_Numbered(function), list(enumerate(items)), lost=_died))
        return [found[number] for number in range(len(items))]

    return mapped


class _Numbered:
    """A function that says which item its result is of."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __call__(self, item: tuple[int, Any]) -> tuple[int, Any]:
        return item[0], self._function(item[1])


def _died(item: tuple[int, Any], why: str) -> Any:
    raise RuntimeError(
        f"a process died twice while it played block {item[0]}: {why}; the run goes on with "
        "--resume, with fewer --jobs where memory was short"
    )
