"""What is played in processes that die: a module of its own, which they import in no time."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import numpy as np


def square_or_die(item):
    """The square of a number; the process ends as often as the item's file still says."""
    number, deaths = item
    if deaths is not None and (left := int(deaths.read_text())) > 0:
        deaths.write_text(str(left - 1))
        os._exit(3)
    return number**2


def killed(item):
    """The item; from 1 on the process is killed by the system."""
    if item == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def process_of(item):
    """Which process it is, and how many threads libraries may have there."""
    time.sleep(0.05)
    return os.getpid(), os.environ["OMP_NUM_THREADS"], threading.active_count()


def raise_error(item):
    """Raises an error that names the item."""
    raise LookupError(f"no {item}")


def deaths_left(process, policy):
    """The file that says how often a policy may still end one of a process's own processes."""
    return Path(tempfile.gettempdir()) / f"ombo-gym-deaths-{process}-{policy}"


def make(name, spec):
    """Builds a policy whose processes end as often as its file says."""
    return _Frail(name, spec)


class _Frail:
    """Always proposes the middle."""

    horizon_aware = False

    def __init__(self, name, spec):
        self._deaths, self._shape = deaths_left(os.getppid(), name), spec.batch_size

    def act(self, observation, rng):
        if (left := int(self._deaths.read_text())) > 0:
            self._deaths.write_text(str(left - 1))
            os._exit(9)
        return np.zeros((len(rng), self._shape, 2), np.float32)
