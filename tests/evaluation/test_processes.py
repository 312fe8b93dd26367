"""Processes that die under what they play: nothing else is lost, and everything has an answer."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from frail_functions import killed, process_of, raise_error, square_or_die

from ombo_gym.evaluation.launch import Launch


def lost(item, why):
    return "lost", item[0] if isinstance(item, tuple) else item, why


def test_an_item_under_which_a_process_dies_is_played_once_more_and_then_lost(tmp_path):
    once, twice = tmp_path / "once", tmp_path / "twice"
    once.write_text("1")
    twice.write_text("2")
    items = [(0, None), (1, twice), (2, once), (3, None), (4, None)]
    found = list(Launch("loky", 2).map(square_or_die, items, lost=lost))
    # Alone, when the others are done.
    assert sorted(found[-2:], key=str) == [("lost", 1, "exit code EXIT(3)"), 4]
    assert sorted(found[:-2]) == [0, 9, 16]
    assert once.read_text() == twice.read_text() == "0"


def test_the_end_of_a_process_is_an_error_where_nothing_stands_for_it():
    results = Launch("loky", 2).map(killed, [0, 1, 2])
    with pytest.raises(RuntimeError, match=r"a process died twice under 1: .*SIGKILL\(-9\)"):
        list(results)


def test_processes_have_one_thread_each_for_numbers_and_are_used_again():
    launch = Launch("loky", 2)
    first = list(launch.map(process_of, range(6)))
    assert {threads for _, threads, _ in first} == {"1"}
    processes = {process for process, _, _ in first}
    assert len(processes) <= 2 and os.getpid() not in processes
    assert {process for process, _, _ in launch.map(process_of, range(6))} <= processes


def test_a_process_that_was_killed_in_idleness_is_replaced():
    launch = Launch("loky", 1)
    ((process, _, _),) = launch.map(process_of, [0])
    os.kill(process, signal.SIGKILL)
    time.sleep(0.2)
    ((other, _, _),) = launch.map(process_of, [0])
    assert other != process


def test_what_a_function_raises_is_raised_and_ends_the_rest():
    with pytest.raises(LookupError, match="no 7"):
        list(Launch("loky", 2).map(raise_error, [7]))
    assert sorted(Launch("loky", 2).map(square_or_die, [(2, None), (3, None)])) == [4, 9]


def test_a_generator_that_is_left_leaves_no_process_at_work(tmp_path):
    results = Launch("loky", 2).map(process_of, range(100))
    next(results)
    results.close()
    assert sorted(Launch("loky", 2).map(square_or_die, [(2, None), (3, None)])) == [4, 9]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["dask", "ray"])
@pytest.mark.filterwarnings("ignore")  # of the libraries, about their own connections
def test_clusters_replace_processes_too(backend, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # what workers need, too
    items = []
    for number, deaths in enumerate([0, 1, 50, 0, 0, 0]):
        file = tmp_path / str(number)
        file.write_text(str(deaths))
        items.append((number, file))
    found = list(Launch(backend, 2).map(square_or_die, items, lost=lost))
    assert sorted(each for each in found if isinstance(each, int)) == [0, 1, 9, 16, 25]
    assert [each[:2] for each in found if isinstance(each, tuple)] == [("lost", 2)]


@pytest.mark.parametrize("jobs", [0, -1, 1.0, True, None, "2", 10**6, 10**60])
def test_processes_that_cannot_be_had_are_refused(jobs):
    with pytest.raises(ValueError, match=r"^jobs: expected .* got "):
        Launch("loky", jobs)
