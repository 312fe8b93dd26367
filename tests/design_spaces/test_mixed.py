"""Mixed designs: canonical, in bounds, distinct, and what is computed with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_gym.design_spaces import FiniteDesigns, MixedDesigns, repeated
from tests.design_spaces.strategies import countable, mixed_spaces, notations, rngs, some_designs

PROPERTIES = settings(max_examples=50)
SCREEN = {
    "T": (20, 100),
    "c": {"range": [0.001, 10], "scale": "log"},
    "n": {"integer": [1, 5]},
    "solvent": ["DMF", "THF", "water", "DCM"],
    "base": {"choices": ["a", "b", "c"], "descriptors": {"pKa": [5, 9, 14]}},
}


def assert_canonical(space: MixedDesigns, designs: np.ndarray) -> None:
    """Each is in the action space and written as `canonical` writes it."""
    assert designs.dtype == np.float32
    np.testing.assert_array_equal(space.canonical(designs), designs)
    assert not np.signbit(designs[designs == 0]).any(), "-0.0 and 0.0 have other bytes"
    for row in designs:
        assert row in space.action_space(len(row))


@PROPERTIES
@given(mixed_spaces(), st.integers(0, 999))
def test_any_action_means_a_canonical_design(space: MixedDesigns, seed: int) -> None:
    rng = np.random.default_rng(seed)
    actions = rng.uniform(-1, 1, (3, 5, *space.shape)).astype(np.float32)
    assert actions[0] in space.action_space(5)
    designs = space.designs(actions)
    assert_canonical(space, designs)
    np.testing.assert_array_equal(space.actions(designs), designs)
    assert designs[0] in space.observation_space(5)


@PROPERTIES
@given(mixed_spaces(), st.integers(0, 999), st.integers(0, 12))
def test_whatever_is_drawn_or_moved_is_canonical(
    space: MixedDesigns, seed: int, observed: int
) -> None:
    measured = some_designs(space, seed, observed)
    values = np.random.default_rng(seed).normal(size=(2, observed))
    parents, others = some_designs(space, seed + 1), some_designs(space, seed + 2)
    found = {
        "sample": parents,
        "spread": space.spread(rngs(seed), min(9, space.size or 9)),
        "distinct": space.sample_distinct(rngs(seed), min(9, space.size or 9)),
        "candidates": space.candidates(measured, values, 5, rngs(seed)),
        "mutants": space.mutate(parents, rngs(seed), mutations=1.5, step=0.2),
        "children": space.recombine(parents, others, rngs(seed)),
        "features": space.from_features(
            np.random.default_rng(seed).normal(size=(2, 9, len(space.features(parents)[0, 0])))
        ),
    }
    for designs in found.values():
        assert_canonical(space, designs)
    for name in ("spread", "distinct"):
        assert not repeated(found[name]).any(), name
    if observed:
        best = measured[np.arange(2), values.argmax(axis=1)][:, None]
        assert space.among(best, found["candidates"]).all(), "the best observed one"


@PROPERTIES
@given(mixed_spaces(), st.integers(0, 999))
def test_children_have_each_parameter_of_one_parent(space: MixedDesigns, seed: int) -> None:
    first, second = some_designs(space, seed), some_designs(space, seed + 1)
    children = space.recombine(first, second, rngs(seed))
    for child, one, other in zip(*map(space._columns, (children, first, second)), strict=True):
        assert ((child == one) | (child == other)).all()
    assert len(space.positions) == space.shape[0]


@PROPERTIES
@given(mixed_spaces(), st.integers(0, 999), st.floats(0, 0.5))
def test_a_mutant_differs_in_a_category_or_level(
    space: MixedDesigns, seed: int, step: float
) -> None:
    parents = some_designs(space, seed, 20)
    mutants = space.mutate(parents, rngs(seed), mutations=1.0, step=step)
    before, after = space._columns(parents), space._columns(mutants)
    changed = [
        one != other
        for part, one, other in zip(space._parts, before, after, strict=True)
        if part.parameter.values is not None
    ]
    if changed:
        assert (np.sum(changed, axis=0) == 1).all()
    if step == 0:
        for part, one, other in zip(space._parts, before, after, strict=True):
            if part.parameter.values is None:
                np.testing.assert_array_equal(one, other)
            elif not part.parameter.category:
                assert (abs(other - one) <= 1).all()


@PROPERTIES
@given(mixed_spaces(), st.integers(0, 999))
def test_features_and_points_lead_back_to_their_designs(space: MixedDesigns, seed: int) -> None:
    designs = some_designs(space, seed)
    features = space.features(designs)
    np.testing.assert_array_equal(space.from_features(features), designs)
    for softened in (True, False):
        relaxed = space.relaxation(softened=softened)
        points = relaxed.encode(designs[0])
        assert points.shape == (len(designs[0]), relaxed.size) and points.dtype == np.float32
        np.testing.assert_array_equal(relaxed.decode(points), designs[0])
        jittered = points + np.random.default_rng(seed).normal(0, 0.5, points.shape)
        assert_canonical(space, relaxed.decode(jittered.astype(np.float32))[None])
    free = space.free
    endless = [part.parameter.values is None for part in space._parts]
    assert (free is None) == (not any(endless))
    if free is not None:
        assert free.shape == features.shape[-1:] and free.sum() == sum(endless)


@PROPERTIES
@given(mixed_spaces())
def test_effects_have_mean_0_and_variance_1(space: MixedDesigns) -> None:
    effects = space.effects(space.from_unit_cube(_even(space)))
    np.testing.assert_allclose(effects.mean(axis=0), 0, atol=0.06)
    np.testing.assert_allclose(effects.std(axis=0), 1, atol=0.06)


def _even(space: MixedDesigns) -> np.ndarray:
    """Points of the unit cube, each of whose sides is covered evenly."""
    rng = np.random.default_rng(0)
    side = (np.arange(4000) + 0.5) / 4000
    assert space.cube is not None
    return np.stack([rng.permutation(side) for _ in range(space.cube)], axis=1)


@PROPERTIES
@given(notations(countable()))
def test_a_space_with_an_end_counts_its_designs(written: dict) -> None:
    space = MixedDesigns(written)
    assert isinstance(space, FiniteDesigns) and space.size
    assert space.size == np.prod([part.parameter.count for part in space._parts])
    assert space.free is None and space.listable == (space.size <= 2**20)
    codes = np.unique(np.linspace(0, space.size - 1, 50).astype(np.int64))
    designs = space.decode(codes)
    assert_canonical(space, designs[None])
    np.testing.assert_array_equal(space.encode(designs), codes)
    assert not repeated(designs[None]).any()
    if space.looks_at_everything:
        everything = space.candidates(designs[None, :0], np.zeros((1, 0)), 0, rngs(0, 1))
        np.testing.assert_array_equal(space.encode(everything[0]), np.arange(space.size))
        all_of_them = space.sample_distinct(rngs(1), space.size)
        assert not repeated(all_of_them).any()


def test_a_space_without_an_end_is_not_counted() -> None:
    space = MixedDesigns(SCREEN)
    assert space.size is None and not space.listable and not isinstance(space, FiniteDesigns)
    assert space.has_categories and not space.ordered and space.kernel == "matern52"
    assert MixedDesigns({"T": (0, 1), "n": [1, 2]}).ordered
    with pytest.raises(TypeError, match="no finite list"):
        space.decode(np.arange(3))


def test_the_largest_of_a_category_is_meant_and_the_first_among_equals() -> None:
    space = MixedDesigns({"T": (0, 1), "s": ["a", "b", "c"]})
    for block, meant in [
        ([-1, -0.9, -1], "b"),
        ([0.2, 0.2, 0.1], "a"),
        ([-1, 0.3, 0.3], "b"),
        ([0, 0, 0], "a"),
        ([-0.5, 1, 0.99], "b"),
    ]:
        design = space.canonical(np.array([0.25, *block], np.float32))
        assert space.units(design) == {"T": 0.625, "s": meant}


def test_numbers_with_steps_are_the_nearest() -> None:
    space = MixedDesigns({"n": {"integer": [0, 4]}, "c": {"levels": [1, 10, 100], "scale": "log"}})
    for coordinates, units in [
        ([-1, -1], {"n": 0, "c": 1}),
        ([-0.76, -0.51], {"n": 0, "c": 1}),
        ([-0.74, -0.49], {"n": 1, "c": 10}),
        ([0.1, 0.49], {"n": 2, "c": 10}),
        ([0.9, 0.51], {"n": 4, "c": 100}),
    ]:
        assert space.units(space.canonical(np.float32(coordinates))) == units
    listed = space.decode(np.arange(space.size))
    assert sorted(set(listed[:, 0].tolist())) == [-1, -0.5, 0, 0.5, 1]
    assert sorted(set(listed[:, 1].tolist())) == [-1, 0, 1]


def test_numbers_that_no_coordinate_tells_apart_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"'k': expected numbers.*1e-09 and 1e-08.*may spread them"
    ):
        MixedDesigns({"k": [1e-9, 1e-8, 1.0], "T": (0, 1)})
    MixedDesigns({"k": {"levels": [1e-9, 1e-8, 1.0], "scale": "log"}, "T": (0, 1)})


def test_as_many_levels_as_one_likes_stay_apart() -> None:
    for count in (129, 32_769, 2**20 + 1):
        space = MixedDesigns({"n": {"integer": [0, count - 1]}})
        codes = np.array([0, 1, count // 2, count - 2, count - 1])
        designs = space.decode(codes)
        assert space.units(designs)["n"].tolist() == codes.tolist()
        np.testing.assert_array_equal(space.canonical(designs), designs)


def test_uniform_designs_are_uniform_on_the_scale() -> None:
    written = {
        "c": {"range": [0.01, 100], "scale": "log"},
        "steps": {"range": [1, 1000], "step": 1, "scale": "log"},
        "n": {"integer": [1, 4]},
        "s": ["a", "b", "c"],
    }
    units = MixedDesigns(written).units(some_designs(MixedDesigns(written), 0, 20_000)[0])
    assert (units["c"] < 1).mean() == pytest.approx(0.5, abs=0.02)
    assert (units["steps"] < 31.6).mean() == pytest.approx(0.5, abs=0.03)
    for name, values in [("n", [1, 2, 3, 4]), ("s", ["a", "b", "c"])]:
        for value in values:
            assert (units[name] == value).mean() == pytest.approx(1 / len(values), abs=0.02)


def test_two_categories_are_as_far_apart_as_half_a_range() -> None:
    space = MixedDesigns(SCREEN)
    one = {"T": 20, "c": 0.001, "n": 1, "solvent": "DMF", "base": "a"}
    features = space.features(np.array([space.parse(one), space.parse({**one, "solvent": "THF"})]))
    assert ((features[0] - features[1]) ** 2).sum() == pytest.approx(1)
    assert space.typical_distance == pytest.approx(np.sqrt(5 / 2))


def test_candidates_are_around_the_best_and_everywhere() -> None:
    space = MixedDesigns({name: SCREEN[name] for name in ("T", "c", "solvent", "base")})
    designs = some_designs(space, 0, 8)
    values = np.arange(16.0).reshape(2, 8)
    found = space.candidates(designs, values, 0, rngs(1))
    assert 256 <= found.shape[1] <= 512
    best = designs[:, -1:]
    same = (found[..., 2:] == best[..., 2:]).all(axis=-1)
    near = (abs(found[..., :2] - best[..., :2]) <= 0.2001).all(axis=-1)
    assert ((same & near).sum(axis=1) >= 40).all()
    combinations = {row.tobytes() for row in found[0, :, 2:]}
    assert len(combinations) == 12, "all of them"


def test_it_says_what_it_is() -> None:
    space = MixedDesigns(SCREEN)
    assert repr(space) == "MixedDesigns(3 numbers and 2 choices)"
    assert MixedDesigns({"n": {"integer": [1, 2]}}).summary == "1 number"
    design = space.parse({"T": 37.5, "c": 0.01, "n": 2, "solvent": "THF", "base": "c"})
    assert space.text(design) == "T=37.5, c=0.01, n=2, solvent=THF, base=c"
