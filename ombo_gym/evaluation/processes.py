"""Processes of this machine that play one item at a time, and are replaced when one dies."""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple, TypeVar

try:
    from joblib.externals.loky import ProcessPoolExecutor
except ImportError as error:
    raise ImportError(
        'ombo_gym.evaluation needs joblib: pip install "ombo-gym[evaluation]"'
    ) from error

T = TypeVar("T")

_ONE_THREAD = dict.fromkeys(
    (
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"),
        *("VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    ),
    "1",
)
_IDLE_SECONDS = 300  # after which an idle process ends; until then it keeps what it has imported
_LONGEST_REASON = 300  # characters
_idle: list[ProcessPoolExecutor] = []


class Died(NamedTuple):
    """In place of an item's result: the process that played it has ended.

    Attributes:
        why: What is known of its end.
    """

    why: str


def play_in_processes(
    jobs: int, function: Callable[[T], Any], items: Sequence[T]
) -> Iterator[tuple[T, Any]]:
    """Items with results of `function(item)`, or with `Died`, as they are ready.

    Every process is a pool of its own with one item at a time, so that an end tells which item it
    happened to, and nothing else is lost with it.

    Args:
        jobs: Processes.
        function: What is called.
        items: With what.
    """
    waiting = iter(items)
    running: dict[Future[Any], tuple[T, ProcessPoolExecutor]] = {}

    def go_on(process: ProcessPoolExecutor) -> None:
        for item in itertools.islice(waiting, 1):
            try:
                future = process.submit(function, item)
            except BrokenProcessPool:  # it died in idleness
                process = _started()
                future = process.submit(function, item)
            running[future] = item, process
            return
        _idle.append(process)

    with warnings.catch_warnings():
        # loky replaces processes whose memory has grown, by large cells; none of them is lost.
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
        try:
            for _ in range(min(jobs, len(items))):
                go_on(_idle.pop() if _idle else _started())
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    item, process = running[future]
                    try:
                        result = future.result()
                    except BrokenProcessPool as error:
                        result = Died(_end_of(error))
                        process.shutdown(kill_workers=True)
                        process = _started()
                    del running[future]
                    go_on(process)
                    yield item, result
        finally:
            for _, process in running.values():
                process.shutdown(kill_workers=True)


def _started() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(max_workers=1, timeout=_IDLE_SECONDS, env=_ONE_THREAD)


def _end_of(error: BrokenProcessPool) -> str:
    """What loky says of the end, of which the exit code is all that it knows."""
    found = re.search(r"exit codes of the workers are \{([^}]*)\}", str(error))
    return f"exit code {found[1]}" if found else " ".join(str(error).split())[:_LONGEST_REASON]
