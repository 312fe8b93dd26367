"""Where cells are played: in this process, in several, or on a cluster; joblib does the work."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

try:
    from joblib import Parallel, delayed, parallel_config, register_parallel_backend
except ImportError as error:
    raise ImportError(
        'ombo_gym.evaluation needs joblib: pip install "ombo-gym[evaluation]"'
    ) from error

BACKENDS = ("sequential", "loky", "dask", "ray")
T = TypeVar("T")


@dataclass(frozen=True)
class Launch:
    """Where and on how many processes.

    Attributes:
        backend: "sequential" (this process), "loky" (processes on this machine), "dask" or "ray".
        jobs: Processes; on a running cluster its size decides.
        address: Of a running dask scheduler (`tcp://host:8786`) or ray cluster (`auto`,
            `host:6379`); without it one is started on this machine and ended again.

    Raises:
        ValueError: An unknown backend, fewer than one process, or an address that the backend has
            no use for.
    """

    backend: str = "sequential"
    jobs: int = 1
    address: str | None = None

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise ValueError(f"backend: expected one of {list(BACKENDS)}, got {self.backend!r}")
        if self.jobs < 1:
            raise ValueError(f"jobs: expected at least 1 process, got {self.jobs}")
        if self.address is not None and self.backend not in ("dask", "ray"):
            raise ValueError(
                f"address: expected backend 'dask' or 'ray' beside it, got {self.backend!r}"
            )

    def map(self, function: Callable[[T], Any], items: Sequence[T]) -> Iterator[Any]:
        """Results of `function(item)`, as they are ready.

        Raises:
            ImportError: The backend's extra is not installed; names it.
            ConnectionError: There is no cluster at the address.
        """
        if not items:
            return
        with _CLUSTERS[self.backend](self):
            # One item a task: whatever is ready is returned, and kept, at once.
            yield from Parallel(return_as="generator_unordered", batch_size=1)(
                delayed(function)(item) for item in items
            )


@contextmanager
def _sequential(launch: Launch) -> Iterator[None]:
    with parallel_config("sequential"):
        yield


@contextmanager
def _loky(launch: Launch) -> Iterator[None]:
    with parallel_config("loky", n_jobs=launch.jobs, inner_max_num_threads=1):
        with warnings.catch_warnings():
            # loky replaces workers whose memory has grown, by large cells; none of them is lost.
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
            yield


@contextmanager
def _dask(launch: Launch) -> Iterator[None]:
    try:
        from dask.distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError('backend dask: pip install "ombo-gym[dask]"') from error
    started: AbstractContextManager[Any] = nullcontext()
    if launch.address is None:
        started = LocalCluster(n_workers=launch.jobs, threads_per_worker=1, dashboard_address=None)
    with started as cluster:
        try:
            client = Client(launch.address or cluster, timeout=10)
        except OSError as error:
            raise ConnectionError(
                f"address: expected a dask scheduler at {launch.address!r}: {error}"
            ) from error
        with client, parallel_config("dask"):
            yield


@contextmanager
def _ray(launch: Launch) -> Iterator[None]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it reports to its makers
    try:
        import ray
        from ray.util.joblib.ray_backend import RayBackend
    except ImportError as error:
        raise ImportError('backend ray: pip install "ombo-gym[ray]"') from error

    class Backend(RayBackend):  # type: ignore[misc]
        """ray's own backend, whose pool calls back after each task: all that a generator needs."""

        supports_return_generator = True

    register_parallel_backend("ray", Backend)
    logging.getLogger("ray.util.multiprocessing.pool").setLevel(logging.ERROR)  # of a plain pool
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
        with parallel_config("ray", n_jobs=int(ray.cluster_resources()["CPU"])):
            yield
    finally:
        ray.shutdown()


_CLUSTERS: dict[str, Callable[[Launch], AbstractContextManager[Any]]] = {
    "sequential": _sequential,
    "loky": _loky,
    "dask": _dask,
    "ray": _ray,
}
