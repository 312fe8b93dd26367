"""Ctrl-C: told from a KeyboardInterrupt of somebody's code, and obeyed whatever becomes of it."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED = 130  # exit status after Ctrl-C, as shells have it

_AGAIN = 0.02  # seconds after which an import that was interrupted is looked at again
_LONGEST_WAIT = 10.0  # seconds, for an import to end
_IMPORTS = "<frozen importlib"  # how the names of the files of Python's own imports begin

_pressed = threading.Event()  # in the process that was started; its workers never see it set


class _Listener:
    """Handles SIGINT: at once, or when what is being imported has been.

    In the middle of an import a KeyboardInterrupt is swallowed by some libraries, made another
    error by others, and ends the process where C++ does not expect it. So it waits for the import,
    unless Ctrl-C is pressed again or the import takes too long.

    Args:
        handler: What handles it then.
    """

    def __init__(self, handler: Callable[[int, FrameType | None], object]) -> None:
        self._handler = handler
        self._deadline: float | None = None  # while it waits
        self._own_signal = False
        self._timer: threading.Timer | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        again = self._deadline is not None and not self._own_signal
        self._own_signal = False
        _pressed.set()
        if self._deadline is None:
            self._deadline = time.monotonic() + _LONGEST_WAIT
        if not again and _importing(frame) and time.monotonic() < self._deadline:
            self._timer = threading.Timer(_AGAIN, self._signal)
            self._timer.daemon = True
            self._timer.start()
            return
        self._deadline = None
        self._handler(number, frame)

    def _signal(self) -> None:
        self._own_signal = True
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)

    def stop(self) -> bool:
        """Stops waiting; whether Ctrl-C was pressed and is not handled yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        return self._deadline is not None


def _importing(frame: FrameType | None) -> bool:
    """Whether something is being imported, at some depth of the stack."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTS):
            return True
        frame = frame.f_back
    return False


@contextmanager
def noticing_ctrl_c() -> Iterator[None]:
    """Inside, `ctrl_c_pressed` knows whether somebody wants the run to stop.

    Outside of the main thread, which alone is interrupted, nothing is to be noticed; nor is it
    where an outer one notices already.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed in an import that was the last thing inside.
    """
    earlier = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if isinstance(earlier, _Listener) and in_main_thread:
        yield
        return
    _pressed.clear()
    if not in_main_thread or not callable(earlier):  # ignored, or handled outside of Python
        yield
        return
    listener = _Listener(earlier)
    signal.signal(signal.SIGINT, listener)
    try:
        yield
    finally:
        waited = listener.stop()
        signal.signal(signal.SIGINT, earlier)
    if waited:
        raise KeyboardInterrupt


def ctrl_c_pressed() -> bool:
    """Whether an interrupt has come from outside since `noticing_ctrl_c` was entered."""
    return _pressed.is_set()


@contextmanager
def ending_on_ctrl_c() -> Iterator[None]:
    """Ends the process with a line and without a traceback, whatever Ctrl-C has turned into.

    Raises:
        SystemExit: On Ctrl-C, with the status that shells have for it.
    """
    try:
        with noticing_ctrl_c():
            yield
    except SystemExit:
        raise
    except BaseException as error:
        interrupt = isinstance(error, KeyboardInterrupt)
        if not interrupt and not ctrl_c_pressed():
            raise
        words = f": {error}" if interrupt and str(error) else ""
        print(f"stopped{words}", file=sys.stderr)
        sys.exit(STOPPED)
