"""Tells Ctrl-C from a KeyboardInterrupt that the code of a policy or a problem raises."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_pressed = threading.Event()  # in the process that was started; its workers never see it set


@contextmanager
def noticing_ctrl_c() -> Iterator[None]:
    """Inside, `ctrl_c_pressed` knows whether somebody wants the run to stop.

    Outside of the main thread, which alone is interrupted, nothing is to be noticed.
    """
    _pressed.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = signal.getsignal(signal.SIGINT)
    if not callable(earlier):  # ignored, or handled outside of Python
        yield
        return

    def notice(number: int, frame: FrameType | None) -> None:
        _pressed.set()
        earlier(number, frame)

    signal.signal(signal.SIGINT, notice)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, earlier)


def ctrl_c_pressed() -> bool:
    """Whether an interrupt has come from outside since `noticing_ctrl_c` was entered."""
    return _pressed.is_set()
