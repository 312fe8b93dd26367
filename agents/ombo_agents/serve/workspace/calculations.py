"""Calculations that take their time, each in a process of its own: watched, and stopped."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, Literal

from ombo_agents.campaigns import Campaign

State = Literal["running", "done", "refused", "stopped"]
What = Literal["suggest", "advise"]

# What begins a calculation: in a process of its own, or, for tests, on the spot.
Start = Callable[[What, Campaign, Mapping[str, Any]], "Calculation"]

MOST_AT_ONCE = 4  # calculations, of all visitors together
_EVERY = 0.2  # seconds between reports of how far it is


class Calculation:
    """A method of a campaign that is being worked out.

    Attributes:
        what: "suggest" or "advise".
        campaign: Whose method it is, as it was when that began.
        arguments: Of the method.
        state: "running", "done", "refused" (something was not as it should be) or "stopped".
        result: A `Plate` or `Advice`, once done.
        reason: Why it was refused.
        done, total: Steps of those that there are; 0, 0: not known.
        alive: Whether its process is there, a moment longer than it runs.
    """

    def __init__(self, what: What, campaign: Campaign, arguments: Mapping[str, Any]) -> None:
        self.what, self.campaign, self.arguments = what, campaign, dict(arguments)
        self.state: State = "running"
        self.result: Any = None
        self.reason = ""
        self.done = self.total = 0
        self.alive = False
        self._end: Callable[[], None] = lambda: None

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.state == "running"

    def receive(self, kind: str, content: Any) -> None:
        """Takes what is reported of it; nothing once it has ended."""
        if not self.running:
            return
        if kind == "progress":
            self.done, self.total = content
        elif kind == "done":
            self.result, self.state = content, "done"
        else:
            self.reason, self.state = content, "refused"

    def stop(self) -> None:
        """Ends it, if it goes on."""
        if self.running:
            self.state = "stopped"
        self._end()

    @classmethod
    def in_process(
        cls, what: What, campaign: Campaign, arguments: Mapping[str, Any]
    ) -> Calculation:
        """Begins it in a process of its own, which ends with this one."""
        found = cls(what, campaign, arguments)
        context = _context()
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(
            target=_calculate, args=(sender, what, campaign, dict(arguments)), daemon=True
        )
        process.start()
        sender.close()
        found.alive, found._end = True, process.terminate

        def watch() -> None:
            try:
                while True:
                    found.receive(*receiver.recv())
            except (EOFError, OSError):
                found.receive("refused", "the calculation ended early, for want of memory perhaps")
            process.join()
            receiver.close()
            found.alive = False

        threading.Thread(target=watch, daemon=True).start()
        return found


def _context() -> Any:
    """Processes that are forked from one that has imported everything, where there are such."""
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def warm_up() -> None:
    """Lets the process that calculations are forked from import what they need."""
    process = _context().Process(target=_nothing, daemon=True)
    process.start()


def _nothing() -> None:
    pass


def _calculate(sender: Connection, what: What, campaign: Campaign, arguments: Any) -> None:
    """Works it out and reports; runs in the other process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends it
    sender.send(
        worked_out(what, campaign, arguments, lambda *step: sender.send(("progress", step)))
    )
    sender.close()


def worked_out(
    what: What,
    campaign: Campaign,
    arguments: Mapping[str, Any],
    report: Callable[[int, int], object],
) -> tuple[str, Any]:
    """What `Calculation.receive` is to be told in the end.

    Args:
        what: "suggest" or "advise".
        campaign: Whose method it is.
        arguments: Of the method.
        report: Is told now and then how many steps are done, of how many.
    """
    try:
        if what == "suggest":
            return "done", campaign.suggest(**arguments)
        return "done", campaign.advise(**arguments, progress=_Rarely(report))
    except (ValueError, TypeError, ImportError, RuntimeError) as error:
        return "refused", str(error)
    except MemoryError:
        return "refused", "out of memory; ask for fewer simulations or smaller plates"


class _Rarely:
    """Passes reports on, but for those that follow another at once.

    Args:
        report: To whom.
    """

    def __init__(self, report: Callable[[int, int], object]) -> None:
        self._report, self._next = report, 0.0

    def __call__(self, done: int, total: int) -> None:
        """Reports."""
        now = time.monotonic()
        if now >= self._next or done >= total:
            self._next = now + _EVERY
            self._report(done, total)
