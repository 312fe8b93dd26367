"""How cells are played on clusters, on stand-ins for them that take no time to begin.

`test_backends.py` plays on real ones.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from functools import partial
from types import ModuleType, SimpleNamespace

import pytest

from ombo_gym.evaluation.launch import Launch


def stand_in_for_ray():
    """Ray as the launch uses it, in this process: it takes five seconds to begin one."""
    ray, exceptions = ModuleType("ray"), ModuleType("ray.exceptions")
    for name in ("NodeDiedError", "OutOfMemoryError", "WorkerCrashedError"):
        setattr(exceptions, name, type(name, (Exception,), {}))
    ray.in_flight, ray.most, ray.open = 0, 0, False

    def begin(**_):
        ray.open = True

    def end():
        ray.open = False

    def remote(**_):
        def decorated(function):
            def called(item):
                ray.in_flight += 1
                ray.most = max(ray.most, ray.in_flight)
                return partial(function, item)

            return SimpleNamespace(remote=called)

        return decorated

    def wait(references):
        return references[-1:], references[:-1]  # not in their order

    def get(reference):
        ray.in_flight -= 1
        return reference()

    ray.init, ray.shutdown, ray.remote, ray.wait, ray.get = begin, end, remote, wait, get
    ray.cluster_resources, ray.exceptions = lambda: {"CPU": 2.0}, exceptions
    return ray


def test_on_ray_two_items_a_processor_wait_and_one_that_kills_twice_is_lost(monkeypatch):
    ray = stand_in_for_ray()
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.exceptions", ray.exceptions)
    deaths = {3: 1, 5: 2}

    def square(item):
        if deaths.get(item, 0):
            deaths[item] -= 1
            raise ray.exceptions.WorkerCrashedError("gone")
        if item < 0:
            raise ZeroDivisionError
        return item**2

    found = list(Launch("ray", 2).map(square, range(9), lost=lambda item, why: (item, why)))
    assert sorted(each for each in found if isinstance(each, int)) == [0, 1, 4, 9, 16, 36, 49, 64]
    assert (5, "gone") in found and len(found) == 9
    assert ray.most == 4 and not ray.open
    with pytest.raises(ZeroDivisionError):
        list(Launch("ray", 2).map(square, [1, -1]))
    assert not ray.open


class Future:
    """A result on a worker of dask, which may die with it: then it is computed anew."""

    def __init__(self, function, item, *, lost):
        self.key, self.status, self._lost = f"key-{item}", "finished", lost
        self._result = partial(function, item)

    def result(self):
        if self._lost:
            raise self._lost
        return self._result()


def test_a_result_with_which_a_worker_of_dask_died_is_had_again(monkeypatch):
    """It was finished, and then recomputed beside an item that kills workers."""
    distributed, dask = pytest.importorskip("dask.distributed"), pytest.importorskip("dask")
    killed = distributed.KilledWorker("key-3", SimpleNamespace(address="tcp://gone"), 0)
    played, patience = [], []

    def futures_of(function, items, **_):
        first = not played
        patience.append(dask.config.get("distributed.deploy.lost-worker-timeout"))
        played.extend(items)
        return [Future(function, i, lost=killed if first and i == 3 else None) for i in items]

    class Client(nullcontext):
        map = staticmethod(futures_of)

    monkeypatch.setattr(distributed, "Client", lambda *_, **__: Client())
    monkeypatch.setattr(distributed, "as_completed", iter)
    launch = Launch("dask", address="tcp://somewhere:8786")
    assert sorted(launch.map(lambda item: item**2, range(5))) == [0, 1, 4, 9, 16]
    assert played == [0, 1, 2, 3, 4, 3]
    # Who takes longer to begin again is given up, and without workers everything would wait.
    assert all(dask.utils.parse_timedelta(each) >= 600 for each in patience) and patience
