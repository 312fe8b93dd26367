"""Libraries of linear algebra take one thread, those that are loaded later too."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from threadpoolctl import ThreadpoolController

from ombo_gym.evaluation import one_thread as limited
from ombo_gym.evaluation.one_thread import one_thread


def threads() -> list[int]:
    return [library["num_threads"] for library in ThreadpoolController().info()]


def test_libraries_take_one_thread_within_and_what_they_took_behind() -> None:
    with ThreadpoolController().limit(limits=2):
        before = threads()
        with one_thread():
            assert set(threads()) == {1}
        assert threads() == before and 2 in before


def test_libraries_are_looked_for_again_where_something_was_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[ThreadpoolController] = []

    def look() -> ThreadpoolController:
        looked.append(ThreadpoolController())
        return looked[-1]

    monkeypatch.setattr(limited, "ThreadpoolController", look)
    limited._libraries.cache_clear()
    for _ in range(3):
        with one_thread():
            pass
    assert len(looked) == 1
    monkeypatch.setitem(sys.modules, "loaded_later", ModuleType("loaded_later"))
    with one_thread():
        pass
    assert len(looked) == 2
