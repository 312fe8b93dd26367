"""The named protocols: frozen, their splits apart, and no test problem of the suite in training."""

from __future__ import annotations

import hashlib
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from ombo_gym.evaluation.grid import held_out_problems
from ombo_gym.registration import make_problem
from ombo_gym.tasks import TaskDistribution, overlap, protocol_names
from ombo_gym.tasks.protocols import SPLITS

pytest.importorskip("ioh")

SUITE = Path(__file__).parents[2] / "grids" / "suite.yaml"
# Of all tasks of a protocol. A protocol that is to be different gets a new version.
FROZEN = {
    "ML-families-v0": "96189b5349ad6ba0",
    "ML-instances-v0": "fcc16e3f729c6c1f",
    "ML-screens-v0": "f9e432c505300da1",
    "ML-synthetic-v0": "739cef67d0065390",
}
TRAINED_ON = [f"{name}:{split}" for name in FROZEN for split in ("train", "validation")]


def problems(name: str) -> list[tuple[str, dict[str, Any]]]:
    return [(task.env, dict(task.env_kwargs)) for task in TaskDistribution.named(name)]


def test_the_protocols_are_frozen() -> None:
    found = {}
    for name in protocol_names():
        splits = [TaskDistribution.named(f"{name}:{split}").to_dict() for split in SPLITS]
        text = json.dumps(splits, sort_keys=True)
        found[name] = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert found == FROZEN


@pytest.mark.parametrize("name", TRAINED_ON)
def test_no_test_problem_of_the_suite_is_trained_or_validated_on(name: str) -> None:
    held_out = held_out_problems(SUITE)
    assert len(held_out) > 15
    leaks = [(one, other) for one in problems(name) for other in held_out if overlap(one, other)]
    assert leaks == []


@pytest.mark.parametrize("name", FROZEN)
def test_the_splits_of_a_protocol_share_no_instance(name: str) -> None:
    for one, other in combinations(SPLITS, 2):
        pairs = [(a, b) for a in problems(f"{name}:{one}") for b in problems(f"{name}:{other}")]
        assert [pair for pair in pairs if overlap(*pair)] == []


def test_families_of_the_test_are_in_no_other_split() -> None:
    families = [{env for env, _ in problems(f"ML-families-v0:{split}")} for split in SPLITS]
    assert all(one.isdisjoint(other) for one, other in combinations(families, 2))
    assert len(families[2]) >= 8


def test_instances_of_the_test_are_of_families_that_are_trained_on() -> None:
    train, validation, test = (
        {env for env, _ in problems(f"ML-instances-v0:{split}")} for split in SPLITS
    )
    assert test == train and validation <= train


@pytest.mark.parametrize("name", FROZEN)
def test_all_tell_the_same_horizons_batch_sizes_utilities_and_starts(name: str) -> None:
    for split in SPLITS:
        tasks = TaskDistribution.named(f"{name}:{split}")
        kinds = {(task.start or {}).get("kind") for task in tasks}
        assert {"random", "percentile"} <= kinds
        for task in tasks:
            assert task.utilities == ("best", "last_mean")
            small = task.env == "Ombo/Landscapes-v0"
            assert task.horizon == ((1, 4) if small else (1, 10))
            assert task.batch_size == ((1, 2) if small else (1, 16))


@pytest.mark.parametrize("name", FROZEN)
def test_problems_of_two_starts_are_as_likely_as_those_of_one(name: str) -> None:
    tasks = TaskDistribution.named(f"{name}:train")
    rna = [task.weight for task in tasks if task.env == "Ombo/RNAFold-v0"]
    assert rna in ([], [1.0])
    factors = [task.weight for task in tasks if task.env == "Ombo/TFBinding-v0"]
    assert factors in ([], [0.5, 0.5])


@pytest.mark.parametrize("name", FROZEN)
def test_every_problem_can_be_built(name: str) -> None:
    for split in SPLITS:
        for env, arguments in problems(f"{name}:{split}"):
            if env == "Ombo/RNAFold-v0":
                pytest.importorskip("RNA")
            own = {k: v for k, v in arguments.items() if k not in ("noise_std", "surrogate")}
            make_problem(env.removeprefix("Ombo/").removesuffix("-v0"), **own)
