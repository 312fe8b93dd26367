"""Spaces: what is listed, counted and drawn is what the file says."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_agents.campaigns.space import space as module
from ombo_agents.campaigns.space.encoding import encoding_of
from ombo_agents.campaigns.space.mixture import MixtureFactor
from ombo_agents.campaigns.space.space import count_of, keys_of
from ombo_agents.campaigns.space.space_file import read_space
from ombo_gym.design_spaces import BoxDesigns, CandidateDesigns, CategoricalDesigns, CategoryPool

NOTHING = np.zeros(0, np.intp)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=4),
    st.integers(1, 10),
)
def test_mixtures_are_all_parts_that_sum_to_the_total(ends: Any, units: int) -> None:
    bounds = [(min(pair), max(pair)) for pair in ends]
    low, high = zip(*bounds, strict=True)
    names = tuple(f"part {i}" for i in range(len(ends)))
    factor = MixtureFactor(
        names, units * 5.0, 5.0, tuple(5.0 * x for x in low), tuple(5.0 * x for x in high)
    )
    ranges = [range(a, b + 1) for a, b in bounds]
    expected = {parts for parts in itertools.product(*ranges) if sum(parts) == units}
    assert factor.count == len(expected)
    listed = factor.listed()
    found = set(
        zip(*[np.rint(listed[name] / 5).astype(int).tolist() for name in names], strict=True)
    )
    assert found == expected and count_of(listed) == len(expected)


@pytest.mark.parametrize("step", [None, 5])
def test_drawn_and_moved_mixtures_keep_sum_steps_and_bounds(step: float | None) -> None:
    written = {"mixture": ["A", "B", "C", "D"], "bounds": {"A": [10, 40], "B": [0, 30]}}
    space = read_space({**written, **({} if step is None else {"step": step})})
    (factor,) = space.factors
    rng = np.random.default_rng(0)
    drawn = factor.drawn(rng.random((2000, 4)))
    for columns in (drawn, factor.moved(drawn, rng, 0.2)):
        parts = np.stack(list(columns.values()), axis=1)
        np.testing.assert_allclose(parts.sum(axis=1), 100, rtol=1e-12)
        assert (parts >= -1e-9).all() and parts[:, 0].min() >= 10 and parts[:, 0].max() <= 40
        assert parts[:, 1].max() <= 30
        if step is not None:
            np.testing.assert_allclose(parts / step, np.rint(parts / step), atol=1e-9)
    assert len(set(keys_of(drawn))) > 500 if step is None else len(set(keys_of(drawn))) > 200


def test_all_designs_are_listed_that_keep_the_rules() -> None:
    space = read_space(
        {
            "T": {"range": [20, 100], "step": 10},
            "solvent": ["DMF", "THF", "ether"],
            "n": {"integer": [1, 4]},
            "constraints": ['T <= 40 if solvent == "ether"', "T + 10 * n <= 120"],
            "exclude": 'solvent == "DMF" and n == 2',
        }
    )
    expected = {
        (float(t), s, float(n))
        for t in range(20, 101, 10)
        for s in ("DMF", "THF", "ether")
        for n in range(1, 5)
        if (s != "ether" or t <= 40) and t + 10 * n <= 120 and not (s == "DMF" and n == 2)
    }
    listed = space.listed()
    assert listed is not None
    assert set(keys_of(listed)) == expected and count_of(listed) == len(expected)
    encoding = encoding_of(space, {}, NOTHING, 0)
    assert encoding.exact and encoding.design_space.size == len(expected)


def test_the_order_of_constraints_and_parameters_does_not_matter() -> None:
    one = read_space(
        {"a": {"integer": [0, 9]}, "b": {"integer": [0, 9]}, "constraints": "a + b <= 5"}
    )
    two = read_space(
        {"b": {"integer": [0, 9]}, "a": {"integer": [0, 9]}, "constraints": "a + b <= 5"}
    )
    first, second = one.listed(), two.listed()
    assert first is not None and second is not None
    assert set(keys_of(first)) == {key[::-1] for key in keys_of(second)} and count_of(first) == 21


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ({"a": {"range": [0, 1]}, "b": {"range": [1, 9]}}, BoxDesigns),
        ({"a": [1, 2, 3], "b": ["x", "y"]}, CategoricalDesigns),
        ({"a": {"alphabet": "ACGT", "length": 5}}, CategoricalDesigns),
        ({"a": {"alphabet": "ACGT", "length": [3, 5]}}, CategoryPool),
        ({"mixture": ["a", "b"], "step": 10}, CandidateDesigns),
        (
            {"a": {"range": [0, 1]}, "b": {"range": [0, 1]}, "constraints": "a + b <= 1"},
            CandidateDesigns,
        ),
    ],
)
def test_spaces_without_constraints_are_those_that_policies_know(written: Any, kind: type) -> None:
    encoding = encoding_of(read_space(written), {}, NOTHING, 0)
    assert type(encoding.design_space) is kind
    some = (
        np.atleast_2d(encoding.design_space.from_unit_cube(np.full((3, 2), 0.3)))
        if kind is BoxDesigns
        else None
    )
    if some is not None:  # back and forth
        columns = encoding.decode(some.astype(np.float32))
        np.testing.assert_array_equal(encoding.encode(columns), some.astype(np.float32))


def test_sequences_of_one_length_come_back() -> None:
    encoding = encoding_of(read_space({"dna": {"alphabet": "ACGT", "length": 5}}), {}, NOTHING, 0)
    texts = {"dna": np.array(["ACGTA", "TTTTT"], object)}
    assert encoding.decode(encoding.encode(texts))["dna"].tolist() == texts["dna"].tolist()


def test_a_pool_that_is_drawn_is_near_the_best_too() -> None:
    space = read_space(
        {"a": {"range": [0, 1]}, "b": {"range": [0, 1]}, "constraints": "a + b <= 1"}
    )
    rows = {"a": np.array([0.31, 0.9]), "b": np.array([0.61, 0.05])}
    encoding = encoding_of(space, rows, np.array([0, 1]), 0)
    assert encoding.pool is not None and not encoding.exact
    a, b = encoding.pool["a"], encoding.pool["b"]
    assert (a + b <= 1 + 1e-9).all() and len(a) > 15_000
    near = np.hypot(a - 0.31, b - 0.61)
    assert (near < 0.02).sum() > 3 * len(a) * np.pi * 0.02**2 / 0.5
    assert set(keys_of(rows)) <= set(keys_of(encoding.pool))
    cells = np.histogram2d(a, b, bins=10, range=[[0, 1], [0, 1]])[0]
    inside = np.add.outer(np.arange(10), np.arange(10)) < 9
    assert (cells[inside] > 100).all()  # no hole


def test_little_room_is_filled_by_steps_from_what_was_found() -> None:
    space = read_space(
        {
            **{f"x{i}": {"range": [0, 1]} for i in range(4)},
            "constraints": "x0 + x1 + x2 + x3 <= 0.3",
        }
    )
    pool = space.sampled(2000, np.random.default_rng(0), None)
    assert count_of(pool) >= 1000 and space.keeps_rules(pool).all()


def test_no_room_at_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_DRAWN", 2**14)
    space = read_space(
        {"x": {"range": [0, 1]}, "y": {"range": [0, 1]}, "constraints": ["x + y >= 3"]}
    )
    with pytest.raises(ValueError, match=r"'x \+ y >= 3' alone keeps 0.00%"):
        encoding_of(space, {}, NOTHING, 0)
    space = read_space({"x": [1, 2], "y": [1, 2], "constraints": ["x + y >= 9"]})
    with pytest.raises(ValueError, match="got none"):
        encoding_of(space, {}, NOTHING, 0)


def test_large_products_that_are_tightly_bound_are_listed_exactly() -> None:
    names = [f"x{i}" for i in range(10)]  # 5^10 are 10 million, C(13, 3) keep the rule
    rules = [" + ".join(names[: i + 1]) + " <= 3" for i in range(1, 10)]
    space = read_space({**{name: {"integer": [0, 4]} for name in names}, "constraints": rules})
    listed = space.listed()
    assert listed is not None and count_of(listed) == 286 and space.keeps_rules(listed).all()


def test_wide_features_are_of_fewer_designs() -> None:
    names = [f"lot {i}" for i in range(5000)]
    space = read_space({"lot": names, "x": {"range": [0, 1]}, "constraints": "x <= 0.5"})
    assert space.room(20_000) == 2**25 // 5001
