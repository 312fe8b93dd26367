"""Evaluations that no machine can hold are refused in a sentence, before anything is taken."""

from __future__ import annotations

import tracemalloc

import pytest

from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run

PLAN = {"env": "Ombo/GP-v0", "policies": ["random"], "horizons": [1], "told": ["true"]}


@pytest.fixture(autouse=True)
def little_memory():
    """Fails a test that takes more than it needs for saying no."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * 2**20


@pytest.mark.parametrize(
    "settings",
    [
        {"campaigns": 2_000_000_000},
        {"campaigns": 2**31 - 1, "block": 1},
        {"campaigns": 2_000_000, "block": 1},  # files
        {"campaigns": 2_000_000, "horizons": range(1, 11)},
        {"campaigns": 1, "policies": [f"p{i}" for i in range(10_000)]},  # pairs
    ],
)
def test_tables_larger_than_memory_are_refused_when_a_plan_is_made(settings):
    with pytest.raises(ValueError, match=r"tables take at most 2 GiB of memory, got about .* GiB"):
        EvaluationPlan(**PLAN | settings)


def test_several_plans_count_together(monkeypatch):
    monkeypatch.setenv("OMBO_MAX_GIB", "0.01")
    plans = [
        EvaluationPlan(**PLAN | {"campaigns": 40_000, "env_kwargs": {"dim": dim}}) for dim in (1, 2)
    ]
    with pytest.raises(ValueError, match=r"at most 0\.01 GiB of memory.* OMBO_MAX_GIB"):
        run(plans)


def test_the_limit_can_be_raised(monkeypatch):
    settings = PLAN | {"campaigns": 20_000_000}
    with pytest.raises(ValueError, match="OMBO_MAX_GIB"):
        EvaluationPlan(**settings)
    monkeypatch.setenv("OMBO_MAX_GIB", "64")
    assert EvaluationPlan(**settings).campaigns == 20_000_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizons": [10**9]}, "horizon, batch_size.*at most 2 GiB"),
        ({"batch_size": 10**9}, "horizon, batch_size.*at most 2 GiB"),
        ({"horizons": [10**30]}, "horizon, batch_size.*at most 2 GiB"),
        ({"horizons": (), "plates": [10**9]}, "plates.*at most 2 GiB"),
        ({"horizons": [10], "budget": 10**10}, "horizon, batch_size.*at most 2 GiB"),
        (
            {"horizons": [1000], "campaigns": 100_000, "block": 100_000},
            "block: expected fewer campaigns at a time than 100000: ",
        ),
    ],
)
def test_campaigns_larger_than_memory_are_refused_before_anything_is_played(
    settings, message, tmp_path
):
    plan = EvaluationPlan(**PLAN | settings)
    with pytest.raises(ValueError, match=message):
        run(plan, folder=tmp_path / "cells")
    assert not (tmp_path / "cells").exists()


@pytest.mark.parametrize("name", ["campaigns", "seed", "block", "batch_size", "budget", "horizons"])
@pytest.mark.parametrize("value", [-1, 0, 10**40, -(10**40), 1.0, True, "3", None, [[1]]])
def test_numbers_of_no_use_are_refused_by_name(name, value, tmp_path):
    if (name, repr(value)) in {("seed", "0"), ("batch_size", "None"), ("budget", "None")}:
        return
    given = [value] if name == "horizons" else value
    words = {"batch_size": "(batch_size|horizon)", "horizons": "horizons?"}.get(name, name)
    if value == 10**40:  # a block is all campaigns at most; a budget is the batch size of one round
        given, words = (0, name) if name == "block" else (given, "batch_size|campaigns|horizon")
    with pytest.raises(ValueError, match=words):
        run(EvaluationPlan(**PLAN | {name: given}), folder=tmp_path)
