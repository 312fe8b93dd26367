"""Problems behind a table: replicates are the noise, holes cannot be measured."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ombo_gym  # noqa: F401
from ombo_gym.problems import data
from ombo_gym.problems.biology import antibody, mpsa
from ombo_gym.problems.chemistry import reaction
from ombo_gym.problems.core.measured import Measured, Measurements, group_replicates
from ombo_gym.problems.materials import measured_materials
from ombo_gym.problems.tuning import neural_networks
from ombo_gym.registration import make_problem
from tests.problems.measured_problems import measurements, of_table, true_value

PROBLEMS = [
    *[("Reaction", {"dataset": name}) for name in reaction.COMPONENTS],
    ("MPSA", {}),
    ("Antibody", {}),
    ("CrossedBarrel", {}),
    *[("Materials", {"dataset": name}) for name in ("agnp", "p3ht", "perovskite", "hoip")],
    ("Tuning", {}),
    ("Tuning", {"benchmark": "nasbench201", "split": "train"}),
    ("LCBench", {"split": "train"}),
    ("HPOB", {"space": "4796"}),
]
each_problem = pytest.mark.parametrize(("name", "arguments"), PROBLEMS)


@given(st.lists(st.tuples(st.integers(0, 6), st.floats(-1e6, 1e6)), min_size=1, max_size=40))
def test_grouped_measurements_are_what_a_loop_makes_of_them(listed: list[Any]) -> None:
    num_campaigns = np.array([row for row, _ in listed])
    tables = group_replicates(num_campaigns, np.array([value for _, value in listed]), size=7)
    for design in range(7):
        own = [value for row, value in listed if row == design]
        if own:
            assert tables.values[0, design] == pytest.approx(sum(own) / len(own), abs=1e-6)
        else:
            assert np.isnan(tables.values[0, design])
        if tables.replicates is None or tables.counts is None:
            assert len(own) <= 1
        else:
            assert tables.counts[0, design] == len(own)
            assert tables.replicates_of(0, design).tolist() == own
    assert tables.complete == (set(num_campaigns.tolist()) == set(range(7)))
    assert tables.lowest == pytest.approx(np.nanmin(tables.values))
    assert tables.highest == [np.nanmax(tables.values)]


def test_a_table_of_single_measurements_has_no_replicates() -> None:
    tables = Measurements.of_replicates(np.array([[[3.0], [np.nan], [5.0]]]))
    assert tables.replicates is None and tables.counts is None
    assert tables.values[0, [0, 2]].tolist() == [3, 5] and np.isnan(tables.values[0, 1])


@each_problem
def test_a_measurement_is_one_of_the_replicates_and_their_mean_the_true_value(
    name: str, arguments: dict[str, Any]
) -> None:
    problem = make_problem(name, **arguments)
    assert isinstance(problem, Measured)
    tables = problem.measurements
    rng = np.random.default_rng(0)
    for code in rng.choice(np.flatnonzero(~np.isnan(tables.values[0])), 5, replace=False):
        design = problem.design_space.decode(np.array(code)).tolist()
        seen = measurements(problem, design, 400)
        if tables.replicates is None or tables.counts is None:
            assert set(seen) == {true_value(problem, design)}
            continue
        count = tables.counts[0, code]
        own = tables.replicates_of(0, code).tolist()
        assert true_value(problem, design) == pytest.approx(np.mean(own), rel=1e-6)
        assert set(seen) <= set(own)
        # Each as often as the others: 400 draws, within five standard deviations.
        for value in set(own):
            share = own.count(value) / count
            deviation = 5 * np.sqrt(400 * share * (1 - share))
            assert abs(seen.count(value) - 400 * share) <= deviation


def test_campaigns_measure_a_barrel_thrice_and_see_three_values() -> None:
    env = gym.make_vec(
        "Ombo/CrossedBarrel-v0", 50, vectorization_mode="vector_entry_point", batch_size=3
    )
    env.reset(seed=0)
    observation, _, _, _, info = env.step(np.full((50, 3), 571))
    size = int(observation["observed"][0].sum())
    seen = observation["measurements"][:, size - 3 : size].reshape(-1)
    replicates = measured_materials.measurements("crossed_barrel").replicates_of(0, 571)
    assert set(seen.tolist()) == set(replicates.tolist())
    assert np.unique(info["true_values"]) == pytest.approx(replicates.mean())
    env.close()


@pytest.mark.parametrize(("name", "holes"), [("Reaction", 5), ("MPSA", 2285)])
@pytest.mark.parametrize("kind", ["random", "percentile"])
def test_starts_hold_nothing_that_was_never_measured(name: str, holes: int, kind: str) -> None:
    env = gym.make_vec(
        f"Ombo/{name}-v0",
        64,
        vectorization_mode="vector_entry_point",
        start={"kind": kind, "size": 64},
    )
    observation, _ = env.reset(seed=1)
    problem = make_problem(name)
    assert isinstance(problem, Measured)
    start = observation["designs"][:, :64]
    tables = problem.measurements
    assert np.count_nonzero(np.isnan(tables.values)) == holes
    values, feasible = problem.true_values(of_table(0, 64), start)
    assert feasible is not None and feasible.all()
    if kind == "percentile":
        assert values.max() <= np.nanpercentile(tables.values, 50)
    env.close()


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("Reaction", {"dataset": "suzuki"}, r"dataset: expected one of .*doyle.*got 'suzuki'"),
        ("Reaction", {"dataset": None}, r"dataset: expected one of .*got None"),
        ("Materials", {"dataset": "crossed_barrel"}, r"dataset: expected one of .*agnp.*got"),
        ("Reaction", {"split": "train"}, r"split: Reaction has \['all'\], got 'train'"),
        ("Tuning", {"split": "half"}, r"split: Tuning has .*test.*, got 'half'"),
    ],
)
def test_what_is_unknown_is_refused_with_what_is_known(
    name: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        gym.make(f"Ombo/{name}-v0", **arguments)


@each_problem
def test_pickles_are_small_and_rebuild_the_problem(name: str, arguments: dict[str, Any]) -> None:
    problem = make_problem(name, **arguments)
    assert isinstance(problem, Measured)
    optimum = problem.optimum(of_table())  # reads the table
    pickled = pickle.dumps(problem)
    assert len(pickled) < 50_000
    again = pickle.loads(pickled)
    assert again.optimum(of_table()) == optimum
    assert again.design_space.text(again.design_space.decode(np.array(7))) == (
        problem.design_space.text(problem.design_space.decode(np.array(7)))
    )


@each_problem
def test_a_process_reads_a_table_once(name: str, arguments: dict[str, Any]) -> None:
    first, second = (make_problem(name, **arguments) for _ in range(2))
    assert isinstance(first, Measured) and isinstance(second, Measured)
    assert first.measurements is second.measurements
    assert first.visible(of_table(), 50)[0] is second.visible(of_table(), 50)[0]


CACHES = [
    reaction.screen,
    reaction.reactions,
    mpsa.splicing,
    antibody.affinities,
    measured_materials.measurements,
    measured_materials.pool,
    measured_materials.compositions,
    neural_networks.accuracies,
]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("Reaction", "reactions"),
        ("MPSA", "mpsa"),
        ("Antibody", "antibody"),
        ("CrossedBarrel", "materials"),
        ("Materials", "materials"),
        ("Tuning", "hpobench"),
    ],
)
@pytest.mark.parametrize("content", [None, b"PK", "half"])
def test_a_missing_or_damaged_table_says_how_to_replace_it(
    name: str, table: str, content: bytes | str | None, tmp_path: Path, monkeypatch: Any
) -> None:
    packed = data.table_file(table).read_bytes()
    if content is not None:
        half = packed[: len(packed) // 2] if isinstance(content, str) else content
        (tmp_path / f"{table}.npz").write_bytes(half)
    for cache in CACHES:
        cache.cache_clear()
    monkeypatch.setattr(data, "DIRECTORY", tmp_path)
    error = FileNotFoundError if content is None else ValueError
    state = "missing" if content is None else "damaged"
    with pytest.raises(error, match=rf"{table}\.npz is {state}.*reinstall"):
        gym.make(f"Ombo/{name}-v0").reset(seed=0)


def test_importing_a_problem_reads_no_table() -> None:
    code = (
        "import ombo_gym.problems.data as data\n"
        "data.load_table = None\n"
        "from ombo_gym.problems.biology import antibody, mpsa\n"
        "from ombo_gym.problems.chemistry import reaction\n"
        "from ombo_gym.problems.materials import measured_materials\n"
        "from ombo_gym.problems.tuning import neural_networks\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
