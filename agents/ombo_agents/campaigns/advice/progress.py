"""How far an answer is: a bar on a terminal, lines elsewhere, or whoever wants to be told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol, Self

from ombo_gym.evaluation.progress import PATIENCE

EVERY = 10.0  # seconds between lines
_PARTS_OF_PREPARATION = 50  # of all simulation, what a step before it counts as one of

Told = Callable[[int, int], object]  # how many steps are done, of how many


class _Shown(Protocol):
    """What shows how far it is."""

    def show(self, words: str, done: int, total: int) -> None:
        """What is being done, and how many steps are done, of how many."""

    def close(self) -> None:
        """Shows no more."""


class Progress:
    """Counts steps: rounds of simulated campaigns, and what comes before them as some of these.

    Args:
        wanted: Whether anything is shown, or whom to tell.
    """

    def __init__(self, wanted: bool | Told) -> None:
        self._words, self._done, self._total, self._preparing = "reading", 0, 1, 0
        self._shown: _Shown | None = None
        if callable(wanted):
            self._shown = _Told(wanted)
        elif wanted:
            self._shown = _Bar() if sys.stderr.isatty() else _Lines()

    def __enter__(self) -> Self:
        self._show()
        return self

    def __exit__(self, *error: object) -> None:
        if self._shown is not None:
            self._shown.close()

    def plan(self, rounds: int, preparations: int) -> None:
        """So many rounds are to be simulated in all, after so many steps of preparation."""
        self._preparing = max(1, rounds // _PARTS_OF_PREPARATION)
        self._total = rounds + preparations * self._preparing
        self._show()

    def more(self, rounds: int) -> None:
        """So many rounds more are to be simulated."""
        self._total += rounds

    def begin(self, words: str) -> None:
        """Something is being done from now on."""
        self._words = words
        self._show()

    def prepared(self, words: str) -> None:
        """A step of preparation is done, and something else is being done from now on."""
        self._words = words
        self.advance(self._preparing)

    def advance(self, rounds: int) -> None:
        """So many rounds more are simulated."""
        self._done += rounds
        self._show()

    def _show(self) -> None:
        if self._shown is not None:
            self._shown.show(self._words, self._done, self._total)


class _Told:
    """Whoever wants to be told.

    Args:
        tell: What is called.
    """

    def __init__(self, tell: Told) -> None:
        self._tell = tell

    def show(self, words: str, done: int, total: int) -> None:
        self._tell(done, total)

    def close(self) -> None:
        pass


class _Bar:
    """A bar of tqdm once it takes long, gone when it is done."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._bar: Any = tqdm(
            total=1, unit="round", leave=False, delay=PATIENCE, mininterval=0.5, file=sys.stderr
        )

    def show(self, words: str, done: int, total: int) -> None:
        self._bar.total = total
        self._bar.set_description(words, refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class _Lines:
    """A line once it takes long, and every ten seconds from then on."""

    def __init__(self) -> None:
        self._begun = monotonic()
        self._next = self._begun + PATIENCE

    def show(self, words: str, done: int, total: int) -> None:
        now = monotonic()
        if now < self._next or done >= total:
            return
        self._next = now + EVERY
        line = f"{words}: {done:,} of {total:,} steps ({done / total:.0%})"
        if done:
            line += f", {_duration((now - self._begun) * (total - done) / done)} left"
        print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


def _duration(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < 100 else f"about {seconds / 60:.0f} min"
