"""What problems and functions of one's own return by mistake is refused with what was expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ombo_gym
from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns, Designs
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.testing import ProblemConformance
from ombo_gym.vector_env import CampaignVectorEnv
from tests.problems.own_functions import BOX

HALF = np.full((2, 1), 0.5, np.float32)


class Slope(Problem):
    """A line through hidden slopes; parts of it can be replaced."""

    optimum_known = optimum_exact = True
    top = 2.0

    def __init__(self, **replaced: Any) -> None:
        self.design_space = BoxDesigns(1)
        for name, method in replaced.items():
            setattr(self, name, method)

    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"slope": rngs.random((1,))}

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        values: NDArray[np.float64] = 2.0 * designs[..., 0] + 0 * instances["slope"]
        return values

    def optimum(self, instances: Instances) -> NDArray[np.float64] | None:
        return np.full(len(instances["slope"]), self.top)


def play(problem: Problem, rows: int | None = None, **arguments: Any) -> Any:
    settings = {"horizon": 2, "batch_size": 2, "start": {"kind": "none"}, **arguments}
    if rows is None:
        env = CampaignEnv(problem, **settings)
        env.reset(seed=0)
        return env.step(HALF)
    envs = CampaignVectorEnv(rows, problem, **settings)
    envs.reset(seed=0)
    return envs.step(np.repeat(HALF[None], rows, axis=0))


class NeedsGrad:
    """As a torch scalar that requires grad."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")

    def __repr__(self) -> str:
        return "tensor(1., requires_grad=True)"


# --- problems -------------------------------------------------------------------------------------

NO_VALUES: dict[str, Callable[[NDArray[Any]], Any]] = {
    "None": lambda values: None,
    "a number": lambda values: 1.0,
    "an array of no dimension": lambda values: np.array(1.0),
    "a value a campaign": lambda values: values[:, 0],
    "a column too many": lambda values: values[..., None],
    "turned": lambda values: np.concatenate([values, values], axis=1),
    "texts": lambda values: values.astype(str),
    "objects": lambda values: values.astype(object),
    "complex": lambda values: values + 1j,
    "truth values": lambda values: values > 0,
    "ragged": lambda values: [[1.0], [1.0, 2.0]],
    "masked": lambda values: np.ma.masked_array(values, values == values),
    "a tensor with a gradient": lambda values: NeedsGrad(),
}


@pytest.mark.parametrize("method", ["evaluate", "measure"])
@pytest.mark.parametrize("kind", NO_VALUES)
def test_what_is_no_array_of_a_value_a_design_is_refused(kind: str, method: str) -> None:
    spoilt = NO_VALUES[kind]

    class Spoilt(Slope):
        pass

    def evaluate(self: Problem, instances: Instances, designs: Designs) -> Any:
        return spoilt(Slope.evaluate(self, instances, designs))  # type: ignore[arg-type]

    def measure(self: Problem, instances: Any, designs: Any, values: Any, rngs: Any) -> Any:
        return spoilt(values)

    setattr(Spoilt, method, evaluate if method == "evaluate" else measure)
    for rows in (None, 3):
        with pytest.raises(ValueError, match=rf"^Spoilt\.{method}: expected numbers of shape \("):
            play(Spoilt(), rows)


@pytest.mark.parametrize("method", ["evaluate", "measure"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_with_the_floor(value: float, method: str) -> None:
    class Spoilt(Slope):
        optimum_known = False

    setattr(Spoilt, method, lambda self, instances, designs, *rest: designs[..., 0] * 0 + value)
    with pytest.raises(
        ValueError, match=rf"Spoilt\.{method}: .*finite.*got {value} for \[0\.5\]; .*`floor`"
    ):
        play(Spoilt())


def test_numbers_of_any_width_and_whole_ones_are_values() -> None:
    for dtype in (np.float16, np.float32, np.int8, np.uint64):

        class Narrow(Slope):
            def evaluate(self, instances: Instances, designs: Designs) -> Any:
                return super().evaluate(instances, designs).astype(dtype)  # noqa: B023

        *_, info = play(Narrow())
        assert info["true_values"].tolist() == [1, 1] and info["true_values"].dtype == np.float64
    listed = Slope(evaluate=lambda instances, designs: [[1, 1.0]])
    assert play(listed)[-1]["true_values"].tolist() == [1, 1]


@pytest.mark.parametrize(
    "mask",
    [
        *(True, 1, "yes", [[True, True]], np.ones(2, bool), np.ones((1, 2)), np.ones((1, 3), bool)),
        np.ones((1, 2), object),
    ],
    ids=str,
)
def test_a_mask_of_feasible_designs_is_one_of_truth_values(mask: Any) -> None:
    with pytest.raises(ValueError, match=r"Slope\.feasible: expected None or truth values of sha"):
        play(Slope(feasible=lambda instances, designs: mask))


@pytest.mark.parametrize("kind", ["random", "space_filling", "percentile"])
@pytest.mark.parametrize("odd", [1.0, 1, "yes", "shape"], ids=str)
def test_a_start_asks_for_such_a_mask_too(kind: str, odd: Any) -> None:
    def feasible(instances: Instances, designs: Designs) -> Any:
        return np.ones(3, bool) if odd == "shape" else np.full(designs.shape[:2], odd)

    with pytest.raises(ValueError, match=r"Slope\.feasible: expected None or truth values of sha"):
        play(Slope(feasible=feasible), start={"kind": kind, "size": 2})


@pytest.mark.parametrize(
    "drawn",
    [None, {}, [1], np.zeros(1), {"a": 3}, {"a": np.zeros(())}, {"a": np.zeros((2, 1))}],
    ids=str,
)
def test_instances_are_arrays_with_a_row_a_campaign(drawn: Any) -> None:
    with pytest.raises(ValueError, match=r"Slope\.draw: expected (at least one )?array"):
        play(Slope(draw=lambda rngs: drawn))


@pytest.mark.parametrize("found", ["2", 2.0, np.array([np.inf]), np.zeros((1, 1)), np.zeros(2)])
def test_an_optimum_is_a_finite_number_a_campaign(found: Any) -> None:
    with pytest.raises(ValueError, match=r"Slope\.optimum: expected (finite )?numbers"):
        play(Slope(optimum=lambda instances: found))


# --- a wrong optimum ------------------------------------------------------------------------------


class TooModest(Slope):
    """Claims a maximum of .9 where there is 2."""

    top = 0.9


@pytest.mark.parametrize("rows", [None, 3])
@pytest.mark.parametrize("noise_std", [0.0, 5.0])
def test_a_value_above_the_optimum_is_said_and_the_campaign_stays(
    noise_std: float, rows: int | None
) -> None:
    with pytest.raises(
        ValueError, match=r"optimum: .*TooModest above the optimum 0\.9, got 1 for \[0\.5\]; give"
    ):
        play(TooModest(), rows, noise_std=noise_std)
    env = CampaignEnv(TooModest(), horizon=1, batch_size=2, start={"kind": "none"})
    env.reset(seed=0)
    with pytest.raises(ValueError, match="optimum"):
        env.step(HALF)
    *_, over, _, info = env.step(-HALF)
    assert over and info["regret"] == 1.9


def test_a_start_above_the_optimum_is_said_too() -> None:
    listed = {"kind": "listed", "designs": [[0.1], [0.75]]}
    with pytest.raises(ValueError, match=r"above the optimum 0\.9, got 1\.5 for \[0\.75\]"):
        play(TooModest(), start=listed)


def test_noise_above_the_optimum_rounding_and_estimates_are_no_mistakes() -> None:
    loud = play(Slope(), rows=3, noise_std=100.0)
    assert loud[0]["measurements"].max() > 2 and (loud[-1]["regret"] >= 0).all()
    close = TooModest()
    close.top = 1 - 1e-9
    assert play(close)[-1]["regret"] == pytest.approx(0, abs=1e-8)
    estimate = TooModest()
    estimate.optimum_exact = False
    info = play(estimate)[-1]
    assert info["regret"] < 0 and not info["optimum_exact"]


def test_the_optimum_that_a_reset_asked_for_is_looked_at_as_well() -> None:
    asked = TooModest()
    asked.optimum_known = False
    env = CampaignEnv(asked, horizon=1, batch_size=2, start={"kind": "none"})
    env.reset(seed=0)
    assert "regret" not in env.step(HALF)[-1]
    env.reset(seed=0, options={"optimum": True})
    with pytest.raises(ValueError, match="above the optimum"):
        env.step(HALF)


def test_wasted_slots_count_for_what_they_would_show() -> None:
    """A slot that is wasted is worth 0, which may be above the optimum: no mistake of it."""

    class Once(Problem):
        """Costs, of which the least is 1."""

        optimum_known = optimum_exact = True
        start = {"kind": "none"}  # noqa: RUF012
        repeats = ombo_gym.Repeats.NEVER_AGAIN

        def __init__(self) -> None:
            self.design_space = CategoricalDesigns([3])

        def draw(self, rngs: BatchedGenerator) -> Instances:
            return {"none": np.zeros(len(rngs))}

        def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
            return -1.0 - designs[..., 0]

        def optimum(self, instances: Instances) -> NDArray[np.float64]:
            return np.full(len(instances["none"]), -1.0)

    env = CampaignEnv(Once(), horizon=1, batch_size=2)
    env.reset(seed=0)
    *_, info = env.step(np.array([1, 1]))
    assert info["wasted"] == 1 and info["best_value"] == -2 and info["regret"] == 1


def test_the_conformance_suite_says_it() -> None:
    class TestTooModest(ProblemConformance):
        env_id = TooModest()

    with pytest.raises(AssertionError, match=r"TooModest above the optimum 0\.9, got 1\.\d+ for"):
        TestTooModest().test_nothing_beats_the_optimum()


# --- functions ------------------------------------------------------------------------------------


def step(objective: Any, **arguments: Any) -> Any:
    arguments = {"start": {"kind": "none"}, "horizon": 1, "batch_size": 2, **arguments}
    env = ombo_gym.make_campaign(objective, BOX, **arguments)
    env.reset(seed=0)
    return env.step(np.zeros((2, 2), np.float32))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (NeedsGrad(), r"expected a number, got tensor\(1\., requires_grad=True\) .* float\(\)"),
        ([1.0, [2.0]], "expected a number, got .*no array of numbers"),
        ([1.0], r"expected a number, got \[1\.0\]"),
        (np.ones(1), "expected a number, got array"),
        (True, r"expected a number, got True .*a truth value; give 1\.0 and 0\.0"),
        (np.bool_(False), "expected a number, got .*False.*a truth value"),
        ("1.0", r"expected a number, got '1\.0'"),
        (None, "expected a number, got None"),
        (1 + 0j, "expected a number, got"),
        ({"yield": 1.0}, "expected a number, got {'yield'"),
        pytest.param(object(), "expected a number, got <object", id="object"),
        (10**400, "expected a number, got 1000"),
    ],
    ids=str,
)
def test_what_is_no_number_is_said_with_the_design(value: Any, message: str) -> None:
    for arguments in ({}, {"floor": -1.0}):
        with pytest.raises(ValueError, match=rf"^objective: {message}") as found:
            step(lambda x: value, **arguments)
        assert "2., 40." in str(found.value) and len(str(found.value)) < 400


def test_a_torch_scalar_is_a_number_unless_it_carries_a_gradient() -> None:
    torch = pytest.importorskip("torch")
    assert step(lambda x: torch.tensor(1.5))[-1]["true_values"].tolist() == [1.5, 1.5]
    with pytest.raises(ValueError, match=r"objective: expected a number, got tensor.*float\(\)"):
        step(lambda x: torch.tensor(1.5, requires_grad=True))
    with pytest.raises(ValueError, match=r"objective: expected an array of shape \(1,\).*tensor"):
        step(lambda x: torch.ones(len(x), requires_grad=True), vectorized=True)


@pytest.mark.parametrize(
    "value", [np.array(2.0), np.float16(2), np.int8(2), 2, np.array(2, np.uint8)], ids=repr
)
def test_numbers_of_other_types_and_arrays_of_no_dimension_are_numbers(value: Any) -> None:
    assert step(lambda x: value)[-1]["true_values"].tolist() == [2, 2]


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39])
def test_infinity_points_to_the_floor(value: float) -> None:
    with pytest.raises(ValueError, match=r"objective: .*finite.* return NaN and give a floor, "):
        step(lambda x: value)
    with pytest.raises(ValueError, match=r"objective: .*finite.* return NaN where a design cannot"):
        step(lambda x: value, floor=-1.0)
    assert step(lambda x: np.nan, floor=-1.0)[-1]["infeasible"] == 2


@pytest.mark.parametrize(
    ("optimum", "minimise", "side"), [(1.0, False, "above"), (9.0, True, "below")]
)
def test_a_wrong_optimum_of_a_function_is_said_in_the_function_s_units(
    optimum: float, minimise: bool, side: str
) -> None:
    with pytest.raises(
        ValueError, match=rf"optimum: .*{side} the optimum {optimum:g}, got 5 for \[2\.0, 40\.0\]"
    ):
        step(lambda x: 3.0 + x[0], optimum=optimum, minimise=minimise)
