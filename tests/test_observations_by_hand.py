"""Datasets that no campaign of a spec can have are refused, and builders by hand say what is wrong.

What environments show, and each field by itself, is in `tests/envs/test_observations.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import ombo_agents
from ombo_gym import BoxDesigns, CampaignSpec, CandidateDesigns, CategoricalDesigns, Repeats
from ombo_gym.observations import as_last_round

PLATES = [4, 4, 2]


def spec_of(space: Any = None, **arguments: Any) -> CampaignSpec:
    arguments = {"plates": PLATES, "start_capacity": 3, **arguments}
    return CampaignSpec(BoxDesigns(2) if space is None else space, **arguments)


def dataset(n: int) -> tuple[np.ndarray, list[float]]:
    rng = np.random.default_rng(n)
    return rng.uniform(-1, 1, (n, 2)).astype(np.float32), rng.normal(50, 10, n).tolist()


# --- which rows are the start's -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "left", "expected"),
    [
        *((0, PLATES, 0), (2, PLATES, 2), (3, PLATES, 3)),  # nothing was played
        *((7, [4, 2], 3), (11, [2], 3), (4, [], 3), (0, [2], 0)),  # no other number can be
        *((2, [4, 2], None), (5, [4, 2], None), (6, [4, 2], None), (10, [2], None)),
    ],
)
def test_how_many_rows_are_the_start_is_to_be_said_once_a_plate_was_played(
    rows: int, left: list[int], expected: int | None
) -> None:
    spec, (designs, measurements) = spec_of(), dataset(rows)
    if expected is None:
        least = max(rows - sum(PLATES[: 3 - len(left)]), 0)
        message = f"from_start: .*{rows} designs .* from {least} to {min(rows, 3)}, .*got none"
        with pytest.raises(ValueError, match=message):
            spec.observation(designs, measurements, left)
        expected = least
        observation = spec.observation(designs, measurements, left, from_start=least)
    else:
        observation = spec.observation(designs, measurements, left)
    assert observation["from_start"].sum() == expected


def test_without_a_start_nothing_has_to_be_said_of_it() -> None:
    spec = spec_of(start_capacity=0)
    assert not spec.observation(*dataset(3), [4, 2])["from_start"].any()


def test_where_the_horizon_is_not_known_rows_beyond_the_start_tell_that_plates_were_played() -> (
    None
):
    spec = spec_of(plates=None, horizons=(2, 3), batch_sizes=(1, 4))
    assert spec.observation(*dataset(3), [4, 4])["from_start"].sum() == 3
    assert spec.observation(*dataset(7), [4, 4])["from_start"].sum() == 3
    with pytest.raises(ValueError, match=r"from_start: .*from 1 to 3"):
        spec.observation(*dataset(5), [4, 4])


# --- datasets that cannot be ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "fine"),
    [
        *(([4, 4, 2], True), ([4, 2], True), ([2], True), ([], True)),
        *(([4, 4], False), ([2, 4], False), ([4, 3], False), ([4], False), ([3], False)),
        *(([4, 4, 4], False), ([2, 4, 4], False)),
    ],
)
def test_plates_that_are_left_are_the_last_of_those_laid_down(left: list[int], fine: bool) -> None:
    spec = spec_of()
    designs, measurements = dataset(3)
    if fine:
        shown = spec.observation(designs, measurements, left, from_start=3)
        assert shown["plates"][0, : len(left)].tolist() == left
        return
    with pytest.raises(ValueError, match=r"plates_left: expected the last of .*\[4, 4, 2\].*got"):
        spec.observation(designs, measurements, left)
    by_hand = spec.observation(designs, measurements, [])
    plates = np.zeros((1, 3), np.float32)
    plates[0, : len(left)] = left
    changed = {**by_hand, "plates": plates, "rounds_left": np.array([[len(left)]], np.float32)}
    if left == [4]:  # what a policy sees that is told in the second round that it is the last
        spec.check_observation(changed)
        return
    with pytest.raises(ValueError, match=r"plates: expected .*got \["):
        spec.check_observation(changed)


@pytest.mark.parametrize(
    ("plates", "shown"), [(None, [2, 2]), ([2, 2, 1], [2, 1]), ([1, 2, 1], [2, 1])]
)
def test_what_is_shown_as_the_last_round_is_accepted(
    plates: list[int] | None, shown: list[int]
) -> None:
    rounds: dict[str, Any] = {"horizons": (3, 3), "batch_sizes": (2, 2)} if plates is None else {}
    spec = spec_of(plates=plates, **rounds)
    designs, measurements = dataset(4)
    observation = spec.observation(designs, measurements, shown, from_start=3)
    spec.check_observation(as_last_round(observation))


@pytest.mark.parametrize("played", range(4))
def test_no_more_rows_are_measured_than_the_rounds_before_hold(played: int) -> None:
    """Fewer may be: wells are lost, slots are wasted."""
    spec, most = spec_of(), sum(PLATES[:played])
    for rows in range(spec.capacity + 1):
        arguments, start = (*dataset(rows), PLATES[played:]), min(rows, 3)
        if rows - 3 <= most:
            assert spec.observation(*arguments, from_start=start)["observed"].sum() == rows
            continue
        with pytest.raises(ValueError, match=f"observed: .*at most {most} rows.*got {rows - 3}"):
            spec.observation(*arguments)


def test_without_plates_laid_down_the_rounds_before_are_as_large_as_they_can_be() -> None:
    spec = spec_of(plates=None, horizons=(2, 3), batch_sizes=(1, 4))
    designs, measurements = dataset(8)
    with pytest.raises(ValueError, match="observed: expected at most 4 rows behind the start"):
        spec.observation(designs, measurements, [1, 4])
    spec.observation(designs[:7], measurements[:7], [1, 4])
    with pytest.raises(ValueError, match=r"plates: .*whole numbers from 1 to 4"):
        spec.observation(designs[:3], measurements[:3], [5], from_start=3)
    with pytest.raises(ValueError, match=r"plates: .*whole numbers from 2 to 4"):
        spec_of(plates=None, horizons=(2, 3), batch_sizes=(2, 4)).observation(
            designs[:3], measurements[:3], [1], from_start=3
        )


def test_a_start_is_no_larger_than_the_largest() -> None:
    spec = spec_of()
    designs, measurements = dataset(5)
    observation = spec.observation(designs, measurements, [4, 2], from_start=3)
    assert observation["from_start"].sum() == 3
    observation["from_start"][0, :4] = 1
    with pytest.raises(ValueError, match=r"from_start: expected at most 3 rows.*got 4"):
        spec.check_observation(observation)
    with pytest.raises(ValueError, match=r"from_start: expected at most 3, .*got 4"):
        spec.observation(designs, measurements, [4, 2], from_start=4)
    with pytest.raises(ValueError, match=r"from_start: expected at most 2, .*got 3"):
        spec.observation(designs[:2], measurements[:2], PLATES, from_start=3)


@pytest.mark.parametrize("repeats", Repeats)
@pytest.mark.parametrize("space", [BoxDesigns(2), CategoricalDesigns([2, 3])], ids=["box", "list"])
def test_a_design_may_be_there_twice_but_without_noise_with_one_value(
    space: Any, repeats: Repeats
) -> None:
    """Whether a second measurement is worth anything is no matter of whether somebody made it."""
    designs = np.array([[1, 0], [0, 1], [1, 0], [0, 1]])
    for noise_std in (0.0, 0.1, None):
        spec = spec_of(space, plates=[2], start_capacity=4, noise_std=noise_std, repeats=repeats)
        spec.observation(designs, [1.5, 2.0, 1.5, 2.0], [2])
        if noise_std == 0:
            with pytest.raises(ValueError, match=r"measurements: .*got 2\.0 and 2\.5 .*row 3"):
                spec.observation(designs, [1.5, 2.0, 1.5, 2.5], [2])
        else:
            spec.observation(designs, [1.5, 2.0, 1.5, 2.5], [2])


def test_of_many_campaigns_the_odd_one_is_named() -> None:
    spec = spec_of(noise_std=0.0)
    single = [spec.observation(*dataset(n), left) for n, left in ((3, PLATES), (7, [4, 2]))]
    both = {name: np.concatenate([each[name] for each in single]) for name in single[0]}
    spec.check_observation(both)
    measurements = both["measurements"].copy()
    measurements[1, 5] = np.nan
    designs = both["designs"].copy()
    designs[1, 5] = designs[1, 2]
    observed = both["observed"].copy()
    observed[1, 7] = 1
    for name, value, message in (
        ("measurements", measurements, "measurements: .*nan in row 5 of campaign 1"),
        ("designs", designs, "measurements: expected one value .*in row 5 of campaign 1"),
        ("observed", observed, "observed: expected at most 4 rows .*got 5 in campaign 1"),
    ):
        with pytest.raises(ValueError, match=message):
            spec.check_observation({**both, name: value})


# --- fields of odd kinds --------------------------------------------------------------------------


class Broken:
    """What other libraries' arrays do that carry a gradient."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("can't call numpy() on a tensor that requires grad")


ODD = {
    "ragged": [[1.0, 2.0], [3.0]],
    "none": None,
    "text": "abc",
    "texts": np.array([["1.0"] * 13]),
    "objects": np.array([[None] * 13]),
    "complex": np.zeros((1, 13), complex),
    "dates": np.zeros((1, 13), "datetime64[D]"),
    "masked": np.ma.masked_array(np.zeros((1, 13)), mask=[[True] + [False] * 12]),
    "broken": Broken(),
    "a dict": {"a": 1},
    "a set": {1.0},
}


@pytest.mark.parametrize("name", ["designs", "measurements", "observed", "rounds_left", "plates"])
@pytest.mark.parametrize("kind", ODD)
def test_fields_that_are_no_arrays_of_numbers_are_refused_by_name(kind: str, name: str) -> None:
    spec = spec_of()
    observation = spec.observation(*dataset(3), PLATES)
    with pytest.raises(ValueError, match=f"^{name}: expected"):
        spec.check_observation({**observation, name: ODD[kind]})


def test_no_campaigns_and_truth_values_for_categories_are_refused() -> None:
    spec = spec_of(CategoricalDesigns([2, 2]), plates=[2], start_capacity=2)
    observation = spec.observation([[0, 1], [1, 0]], [1.0, 2.0], [2])
    with pytest.raises(ValueError, match="observation: expected at least one campaign"):
        spec.check_observation({name: array[:0] for name, array in observation.items()})
    spec.check_observation({**observation, "observed": observation["observed"].astype(bool)})
    with pytest.raises(ValueError, match="designs: expected whole numbers, got bool"):
        spec.check_observation({**observation, "designs": observation["designs"].astype(bool)})


# --- what the builder says ------------------------------------------------------------------------

ROWS = [{"degrees": 25, "solvent": "DMF"}, {"degrees": 30, "solvent": "THF"}]
SHEET = {"degrees": {"range": [25, 110], "step": 5}, "solvent": ["DMF", "THF"]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"measurements": ["12.5", "28.4"]}, "measurements: expected .*numbers, got '12.5' as nu"),
        ({"measurements": "12"}, "measurements: expected a list of numbers.*got '12'"),
        ({"measurements": [12.5, None]}, "measurements: .*got None as number 1"),
        ({"measurements": [12.5, True]}, "measurements: .*got True as number 1"),
        ({"measurements": [12.5, 1j]}, "measurements: .*got 1j as number 1"),
        ({"measurements": [[12.5], [1.0]]}, r"measurements: .*got \[12\.5\] as number 0"),
        ({"measurements": 12.5}, r"measurements: .*got 12\.5"),
        ({"measurements": None}, "measurements: .*got None"),
        ({"measurements": {"a": 1}}, "measurements: expected a list of numbers"),
        ({"measurements": [12.5]}, r"designs: expected shape \(1, 3\).*got \(2, 3\)"),
        ({"measurements": []}, r"designs: expected shape \(0, 3\).*got \(2, 3\)"),
        ({"measurements": [1.0, 2.0, 3.0]}, r"designs: expected shape \(3, 3\)"),
        ({"measurements": [10**400, 1]}, "measurements: expected finite numbers"),
        ({"measurements": np.ma.masked_array([1.0, 2.0], [True, False])}, "measurements: .*masked"),
        ({"designs": ROWS[0]}, "designs: expected a list of designs.*got {'degrees'"),
        ({"designs": "DMF"}, "designs: expected a list of designs.*got 'DMF'"),
        ({"designs": None}, "designs: expected a list of designs.*got None"),
        ({"designs": [ROWS[0], None]}, "designs: number 1: .*got None"),
        ({"designs": [ROWS[0], {"degrees": 30}]}, "designs: number 1: .*solvent"),
        ({"designs": [ROWS[0], {**ROWS[1], "degrees": "30"}]}, "designs: number 1: .*degrees"),
        (
            {"designs": np.array([[25.0, 0, 1], [30, 1, 0]])},
            "designs: expected float32 from -1 to 1",
        ),
        ({"plates_left": 12}, "plates_left: expected a list of batch sizes.*got 12"),
        ({"plates_left": "42"}, "plates_left: expected a list of batch sizes.*got '42'"),
        ({"plates_left": None}, "plates_left: expected a list of batch sizes.*got None"),
        ({"plates_left": [4, 2.0]}, r"plates_left: .*whole numbers.*got \[4, 2\.0\]"),
        ({"plates_left": [4, True]}, "plates_left: .*got"),
        ({"plates_left": [4, 0]}, r"plates_left: .*at least 1.*got \[4, 0\]"),
        ({"plates_left": [4, -2]}, r"plates_left: .*got \[4, -2\]"),
        ({"plates_left": [2, 4, 2]}, "plates_left: expected the sizes of at most 2 batches"),
        ({"plates_left": [[4, 2]]}, "plates_left: .*got"),
        ({"from_start": -1}, "from_start: .*at least 0, got -1"),
        ({"from_start": 1.0}, r"from_start: .*got 1\.0"),
        ({"from_start": True}, "from_start: .*got True"),
        ({"from_start": "2"}, "from_start: .*got '2'"),
        ({"from_start": 3}, "from_start: expected at most 2"),
    ],
    ids=str,
)
def test_what_is_wrong_with_an_observation_by_hand_is_said(
    change: dict[str, Any], message: str
) -> None:
    spec = spec_of(SHEET, plates=[4, 2], start_capacity=2)
    arguments: dict[str, Any] = {
        "designs": ROWS,
        "measurements": [12.5, 28.4],
        "plates_left": [4, 2],
    }
    spec.observation(**arguments)
    with pytest.raises(ValueError, match=message):
        spec.observation(**{**arguments, **change})


def test_columns_of_a_table_and_numbers_of_numpy_are_as_good_as_lists() -> None:
    pandas = pytest.importorskip("pandas")
    spec = spec_of(SHEET, plates=[4, 2], start_capacity=2)
    expected = spec.observation(ROWS, [12.5, 28.0], [4, 2], from_start=2)
    table = pandas.DataFrame({"yield": [12.5, 28.0]})
    cases: list[tuple[Any, Any]] = [
        (table["yield"], np.array([4, 2])),
        (np.array([12.5, 28.0], np.float32), (np.int64(4), np.int8(2))),
        ((12.5, 28), range(4, 0, -2)),
    ]
    two: Any = np.int64(2)
    for measurements, left in cases:
        found = spec.observation(np.array(ROWS), measurements, left, from_start=two)
        for name, array in expected.items():
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)


SPACES = {
    "box": BoxDesigns(2),
    "categories": CategoricalDesigns([3, 4]),
    "pool": CandidateDesigns(np.eye(9)),
}


@settings(max_examples=60, derandomize=True)
@given(
    kind=st.sampled_from(sorted(SPACES)),
    plates=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    played=st.integers(0, 4),
    lost=st.integers(0, 3),
    start=st.integers(0, 5),
    data=st.data(),
)
def test_what_a_campaign_can_have_is_accepted_and_a_row_too_many_is_not(
    kind: str, plates: list[int], played: int, lost: int, start: int, data: st.DataObject
) -> None:
    assume(played <= len(plates))
    space = SPACES[kind]
    spec = spec_of(space, plates=plates, start_capacity=start)
    measured = sum(plates[:played])
    n = start + measured - min(lost, measured)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    high = 1 if space.size is None else 3
    shape = (start + measured + 1, *space.shape)
    designs = rng.uniform(-1, high, shape) if space.size is None else rng.integers(0, high, shape)
    values = rng.normal(size=len(designs))
    left = plates[played:]
    observation = spec.observation(designs[:n], values[:n], left, from_start=start)
    assert observation["observed"].sum() == n and observation["rounds_left"] == len(left)
    with pytest.raises(ValueError, match=r"^(observed|measurements): expected at most"):
        spec.observation(designs, values, left, from_start=start)
    if left:
        wrong = [*left[:-1], left[-1] + 1]
        with pytest.raises(ValueError, match=r"plates_left: expected"):
            spec.observation(designs[:n], values[:n], wrong, from_start=start)


# --- no plates left -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SPACES)
def test_when_no_plates_are_left_policies_answer_with_a_valid_action(kind: str) -> None:
    """As of any finished campaign; it is for nothing, and `rounds_left` says so."""
    space = SPACES[kind]
    spec = spec_of(space, plates=[2, 1], start_capacity=2, noise_std=0.0)
    designs = np.array([[0, 1], [1, 0], [1, 1], [0, 0], [1, 1]])[:, : space.shape[0]]
    if kind == "pool":
        designs = np.arange(5)[:, None]
    over = spec.observation(designs[:4], [1.0, 2.0, 3.0, 4.0], [])
    assert over["rounds_left"] == 0 and not over["plates"].any()
    for name in ("random", "greedy", "expected_improvement", "rollout"):
        action = ombo_agents.make(name, spec).act(over, np.random.default_rng(0))
        assert action[0] in spec.action_space, name
