"""Where cells are played: in this process, in several, or on a cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from ombo_gym.arguments import is_whole
from ombo_gym.evaluation.processes import Died, play_in_processes

BACKENDS = ("sequential", "loky", "dask", "ray")
JOBS_PER_PROCESSOR, FEWEST_ALLOWED = 8, 64  # so many processes may be asked for
T = TypeVar("T")
# Plays items: each of them with its result, or with `Died`, as they are ready.
Play = Callable[[Callable[[T], Any], Sequence[T]], Iterator[tuple[T, Any]]]


@dataclass(frozen=True)
class Launch:
    """Where and on how many processes.

    Attributes:
        backend: "sequential" (this process), "loky" (processes on this machine), "dask" or "ray".
        jobs: Processes; on a running cluster its size decides.
        address: Of a running dask scheduler (`tcp://host:8786`) or ray cluster (`auto`,
            `host:6379`); without it one is started on this machine and ended again.

    Raises:
        ValueError: An unknown backend, fewer than one process, more than this machine can hold, or
            an address that the backend has no use for.
    """

    backend: str = "sequential"
    jobs: int = 1
    address: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.backend, str) or self.backend not in BACKENDS:
            raise ValueError(f"backend: expected one of {list(BACKENDS)}, got {self.backend!r}")
        if not is_whole(self.jobs):
            raise ValueError(f"jobs: expected at least 1 process, got {self.jobs!r}")
        processors = os.cpu_count() or 1
        most = max(FEWEST_ALLOWED, JOBS_PER_PROCESSOR * processors)
        if self.jobs > most:
            raise ValueError(
                f"jobs: expected {most} processes at most on a machine with {processors} "
                f"processors, got {self.jobs}"
            )
        if self.address is not None and self.backend not in ("dask", "ray"):
            raise ValueError(
                f"address: expected backend 'dask' or 'ray' beside it, got {self.backend!r}"
            )

    def map(
        self,
        function: Callable[[T], Any],
        items: Sequence[T],
        *,
        lost: Callable[[T, str], Any] | None = None,
    ) -> Iterator[Any]:
        """Results of `function(item)`, as they are ready.

        A process may die under an item: its own code ends it, or the system does for want of
        memory. The others go on, in a new process in its place; at the end the item is played once
        more, with nothing beside it. With "sequential" there is no other process to die: what ends
        it ends everything.

        Args:
            function: What is called.
            items: With what, one at a time.
            lost: What stands for the result of an item under which a process has died twice, from
                the item and what is known of the end. None: that is an error.

        Raises:
            ImportError: The backend's extra is not installed; names it.
            ConnectionError: There is no cluster at the address, or it is gone.
            RuntimeError: A process died twice under an item, and nothing stands for it.
        """
        if not items:
            return
        with self.opened() as results:
            yield from results(function, items, lost=lost)

    @contextmanager
    def opened(self) -> Iterator[Callable[..., Iterator[Any]]]:
        """What is called as `map`, again and again: a cluster is begun once, and ended behind it.

        Raises:
            ImportError, ConnectionError: As `map`.
        """
        with _BACKENDS[self.backend](self) as play:
            yield partial(_results, play)


def _results(
    play: Play[T],
    function: Callable[[T], Any],
    items: Sequence[T],
    *,
    lost: Callable[[T, str], Any] | None = None,
) -> Iterator[Any]:
    """Results as they are ready, of items under which a process died at the end; see `map`."""
    again: list[T] = []
    for item, result in play(function, items):
        if isinstance(result, Died):
            again.append(item)
        else:
            yield result
    for suspect in again:
        for item, result in play(function, [suspect]):
            if not isinstance(result, Died):
                yield result
            elif lost is not None:
                yield lost(item, result.why)
            else:
                raise RuntimeError(f"a process died twice under {item!r}: {result.why}")


@contextmanager
def _sequential(launch: Launch) -> Iterator[Play[Any]]:
    yield lambda function, items: ((item, function(item)) for item in items)


@contextmanager
def _loky(launch: Launch) -> Iterator[Play[Any]]:
    yield partial(play_in_processes, launch.jobs)


_DASK = {
    # What a worker dies under is not tried on others: `Launch.map` does, alone.
    "distributed.scheduler.allowed-failures": 0,
    # A worker that takes longer to begin again is given up, and without workers nothing is played:
    # on a machine with other work to do dask's own 15 seconds are soon over.
    "distributed.deploy.lost-worker-timeout": "15 minutes",
}


@contextmanager
def _dask(launch: Launch) -> Iterator[Play[Any]]:
    try:
        import dask
        from dask.distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError('backend dask: pip install "ombo-gym[dask]"') from error
    started: AbstractContextManager[Any] = nullcontext()
    with dask.config.set(_DASK):
        if launch.address is None:
            started = LocalCluster(
                n_workers=launch.jobs, threads_per_worker=1, dashboard_address=None
            )
        with started as cluster:
            try:
                client = Client(launch.address or cluster, timeout=10)
            except OSError as error:
                raise ConnectionError(
                    f"address: expected a dask scheduler at {launch.address!r}: {error}"
                ) from error
            with client:
                yield partial(_play_on_dask, client)


def _play_on_dask(
    client: Any, function: Callable[[T], Any], items: Sequence[T]
) -> Iterator[tuple[T, Any]]:
    from dask.distributed import KilledWorker, as_completed

    futures = client.map(function, items, pure=False, retries=0)
    item_of = dict(zip((future.key for future in futures), items, strict=True))
    ready = as_completed(futures)
    del futures  # results that were taken are not kept
    for future in ready:
        if future.status == "cancelled" or future.status == "lost":
            raise ConnectionError("the dask scheduler or its workers are gone")
        try:
            # A result with which its worker died is computed anew, and that may be killed, too.
            result = future.result()
        except KilledWorker as error:
            result = Died(" ".join(str(error).split()))
        yield item_of[future.key], result


@contextmanager
def _ray(launch: Launch) -> Iterator[Play[Any]]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it reports to its authors
    try:
        import ray
    except ImportError as error:
        raise ImportError('backend ray: pip install "ombo-gym[ray]"') from error
    local: dict[str, Any] = {
        "address": "local",
        "num_cpus": launch.jobs,
        "include_dashboard": False,
    }
    ray.init(
        **(local if launch.address is None else {"address": launch.address}),
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    try:
        yield partial(_play_on_ray, int(ray.cluster_resources()["CPU"]))
    finally:
        ray.shutdown()


def _play_on_ray(
    processors: int, function: Callable[[T], Any], items: Sequence[T]
) -> Iterator[tuple[T, Any]]:
    import ray
    from ray.exceptions import NodeDiedError, OutOfMemoryError, WorkerCrashedError

    @ray.remote(num_cpus=1, max_retries=0)  # type: ignore[untyped-decorator]
    def called(item: T) -> Any:
        return function(item)

    waiting = list(reversed(items))
    running: dict[Any, T] = {}
    while waiting or running:
        while waiting and len(running) < 2 * processors:
            item = waiting.pop()
            running[called.remote(item)] = item
        (reference,), _ = ray.wait(list(running))
        item = running.pop(reference)
        try:
            result = ray.get(reference)
        except (WorkerCrashedError, OutOfMemoryError, NodeDiedError) as error:
            result = Died(" ".join(str(error).split())[:300])
        yield item, result


_BACKENDS: dict[str, Callable[[Launch], AbstractContextManager[Play[Any]]]] = {
    "sequential": _sequential,
    "loky": _loky,
    "dask": _dask,
    "ray": _ray,
}
