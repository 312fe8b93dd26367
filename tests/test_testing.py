"""The conformance suite finds what is wrong with a problem, and nothing in a sound one."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from ombo_gym.design_spaces import CategoricalDesigns, Designs
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.spec import campaign_spec
from ombo_gym.testing import ProblemConformance

pytest_plugins = ["pytester"]


class Matching(Problem):
    """A bit string's share of bits that match a hidden one; those that begin with 11 cannot be."""

    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 3}
    optimum_known = True
    floor = -1.0

    def __init__(self) -> None:
        self.design_space = CategoricalDesigns([2] * 10, alphabet="01")

    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"hidden": rngs.draw(lambda rng: rng.integers(2, size=10))}

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        return (designs == instances["hidden"][:, None]).mean(axis=-1)

    def feasible(self, instances: Instances, designs: Designs) -> NDArray[np.bool_] | None:
        return designs[..., :2].sum(axis=-1) < 2

    def optimum(self, instances: Instances) -> NDArray[np.float64] | None:
        return np.ones(len(instances["hidden"]))  # of instances that begin with 11 an estimate


class Numbered(Matching):
    """One of eight hidden strings, by their number."""

    def draw(self, rngs: BatchedGenerator) -> Instances:
        return self.instances_numbered(rngs.draw(lambda rng: rng.integers(8)))

    def instance_count(self) -> int | None:
        return 8

    def instances_numbered(self, numbers: NDArray[np.int64]) -> Instances:
        bits = numbers[:, None] >> np.arange(3) & 1
        return {"hidden": np.concatenate([np.zeros((len(bits), 7), np.int64), bits], axis=1)}

    def instance_numbers(self, instances: Instances) -> NDArray[np.int64]:
        return instances["hidden"][:, 7:] @ 2 ** np.arange(3)


class Misnumbered(Numbered):
    """Reads its numbers backwards."""

    def instance_numbers(self, instances: Instances) -> NDArray[np.int64]:
        return 7 - super().instance_numbers(instances)


class Miscounted(Numbered):
    """There are fewer."""

    def instance_count(self) -> int | None:
        return 2


class Revealing(Matching):
    """Its design space knows it."""

    def __init__(self) -> None:
        super().__init__()
        self.design_space.problem = self  # type: ignore[attr-defined]


class Crowded(Matching):
    """Everything is worth less in a large batch."""

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        return super().evaluate(instances, designs) - 0.01 * designs.shape[1]


class Summed(Matching):
    """As a matrix product: one design alone is summed in another order."""

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        values = super().evaluate(instances, designs)
        summed: NDArray[np.float64] = np.nextafter(values, 2)
        return values if designs.shape[1] == 1 else summed


class Undocumented(Matching):
    __doc__ = ""


class NoRounds(Matching):
    """Sound but for its listing."""

    rounds = (3, 2)


class InfiniteReference(Matching):
    """Sound but for its reference."""

    reference = -np.inf


class Global(Matching):
    """Listens to the generator that everybody shares."""

    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"hidden": np.random.randint(2, size=(len(rngs), 10))}  # noqa: NPY002


class Frozen(Matching):
    """One campaign, whatever the seed."""

    start: ClassVar[dict[str, Any]] = {"kind": "none"}

    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"hidden": np.zeros((len(rngs), 10), np.int64)}


class Neighbours(Matching):
    """A design's value depends on the batch."""

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        values = super().evaluate(instances, designs)
        return values - 0.1 * values.mean(axis=1, keepdims=True)


class NotANumber(Matching):
    """Some values are none."""

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        return np.where(designs[..., 0] == 1, np.nan, super().evaluate(instances, designs))


class TooModest(Matching):
    """Its exact optimum is beaten."""

    optimum_exact = True

    def optimum(self, instances: Instances) -> NDArray[np.float64] | None:
        return np.full(len(instances["hidden"]), 0.3)


class NoOptimum(Matching):
    """Says that it knows the optimum."""

    def optimum(self, instances: Instances) -> NDArray[np.float64] | None:
        return None


class PrizedFailures(Matching):
    """What cannot be measured is worth more than anything that can."""

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        return super().evaluate(instances, designs) - 5.0

    floor = 0.0
    optimum_known = False


class Split(Numbered):
    """The numbers below six are for training, the others for testing."""

    splits = ("all", "test", "train")
    among: ClassVar[dict[str, list[int]]] = {
        "all": [*range(8)],
        "train": [*range(6)],
        "test": [6, 7],
    }

    def __init__(self, split: str = "all") -> None:
        super().__init__()
        self.chosen = np.array(self.among[split])  # (n,)

    def draw(self, rngs: BatchedGenerator) -> Instances:
        return self.instances_numbered(rngs.draw(lambda rng: rng.integers(len(self.chosen))))

    def instance_count(self) -> int | None:
        return len(self.chosen)

    def instances_numbered(self, numbers: NDArray[np.int64]) -> Instances:
        return super().instances_numbered(self.chosen[numbers])

    def instance_numbers(self, instances: Instances) -> NDArray[np.int64]:
        return np.searchsorted(self.chosen, super().instance_numbers(instances))


class SplitByNumber(Split):
    """Its instances are nothing but numbers within the split, so that all look alike."""

    def instances_numbered(self, numbers: NDArray[np.int64]) -> Instances:
        return {"number": numbers}

    def instance_numbers(self, instances: Instances) -> NDArray[np.int64]:
        return instances["number"]

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        hidden = super().instances_numbered(instances["number"])
        return super().evaluate(hidden, designs)

    def optimum(self, instances: Instances) -> NDArray[np.float64] | None:
        return np.ones(len(instances["number"]))


class Overlapping(Split):
    among: ClassVar[dict[str, list[int]]] = {**Split.among, "test": [5, 6, 7]}


class OverlappingByNumber(SplitByNumber):
    among: ClassVar[dict[str, list[int]]] = {**Split.among, "test": [2, 6]}


class Fat(Matching):
    """Carries a table in its pickle."""

    def __init__(self) -> None:
        super().__init__()
        self.table = np.random.default_rng(0).random(100_000)


class Counting(Matching):
    """Every evaluation is worse than the one before."""

    calls = itertools.count()

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        return super().evaluate(instances, designs) - 0.01 * next(Counting.calls)


class Forgetful(Matching):
    """Its pickle is another problem."""

    flipped = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.flipped = True

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        return super().evaluate(instances, 1 - designs if self.flipped else designs)


CHECKS = [
    name for name in dir(ProblemConformance) if name.startswith("test_") and "draw" not in name
]


def run(problem: type[Problem], check: str, **arguments: Any) -> None:
    case = {"env_id": problem(), "env_kwargs": arguments}
    suite: Any = type("Case", (ProblemConformance,), case)()
    getattr(suite, check)()


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("problem", [Matching, Numbered])
def test_a_sound_problem_passes(problem: type[Problem], check: str) -> None:
    run(problem, check)


@pytest.mark.parametrize("check", CHECKS)
def test_a_sound_problem_passes_with_plates_of_its_own(check: str) -> None:
    run(Matching, check, plates=[2, 3])


@pytest.mark.parametrize(
    ("problem", "check", "message"),
    [
        (Undocumented, "test_the_problem_says_what_it_is", "docstring"),
        (NoRounds, "test_the_problem_says_what_it_is", r"\(3, 2\)"),
        (InfiniteReference, "test_the_problem_says_what_it_is", "finite reference"),
        (Global, "test_the_campaign_depends_on_its_seed_alone", None),
        (Frozen, "test_the_campaign_depends_on_its_seed_alone", "some of 20 seeds"),
        (Neighbours, "test_a_design_has_one_value", "alone"),
        (NotANumber, "test_a_design_has_one_value", "finite"),
        (TooModest, "test_nothing_beats_the_optimum", "above the optimum"),
        (NoOptimum, "test_nothing_beats_the_optimum", "two numbers, got None"),
        (PrizedFailures, "test_what_cannot_be_measured_is_not_the_best", "floor: expected at most"),
        (Fat, "test_a_pickled_campaign_goes_on_identically", "at most 100000 bytes"),
        (Forgetful, "test_a_pickled_campaign_goes_on_identically", None),
        (Forgetful, "test_another_process_plays_the_same_campaign", None),
        (Counting, "test_native_rows_are_the_rows_of_sync_vector_env", "NextStep, designs"),
        (Counting, "test_slots_behind_the_plate_are_ignored", None),
        (Misnumbered, "test_resets_take_the_number_of_an_instance", "by their numbers.*hidden"),
        (Miscounted, "test_resets_take_the_number_of_an_instance", "20 from 0 to 1, got"),
        (Revealing, "test_nothing_that_was_drawn_can_be_reached_from_it", "nothing hidden"),
        (Crowded, "test_a_design_has_one_value", r"alone: \S+ and \S+$"),
        (Summed, "test_a_design_has_one_value", r"alone.* last digits.*sum\(axis=-1\)"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else str(value)[:40],
)
def test_an_unsound_one_is_found(problem: type[Problem], check: str, message: str | None) -> None:
    with pytest.raises(AssertionError, match=message):
        run(problem, check)


SPLITS = "test_splits_for_training_and_for_testing_share_nothing"


@pytest.mark.parametrize("problem", [Split, SplitByNumber])
def test_splits_that_share_nothing_pass(problem: type[Problem]) -> None:
    getattr(by_name(problem), SPLITS)()


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (
            Overlapping,
            "no instance of 'train' in 'test', got instance 5 of 'train' and 0 of 'test'",
        ),
        (OverlappingByNumber, "got instance 2 of 'train' and 0 of 'test'"),
    ],
)
def test_an_instance_in_both_splits_is_found(problem: type[Problem], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        getattr(by_name(problem), SPLITS)()


def by_name(problem: type[Problem]) -> Any:
    return type("Case", (ProblemConformance,), {"env_id": f"{__name__}:{problem.__name__}"})()


@pytest.mark.parametrize(
    "problem",
    ["GP", "ombo_gym.problems.synthetic.gp:GP", "ombo_gym:Ombo/GP-v0", Matching()],
    ids=["name", "path", "id", "problem"],
)
def test_the_suite_takes_ids_names_and_problems(problem: Any) -> None:
    class Mine(ProblemConformance):
        env_id = problem
        env_kwargs: ClassVar = {"batch_size": 3}

    for env in (Mine().single(), Mine().vector(2)):
        env.reset(seed=0)
        assert campaign_spec(env).batch_size == 3


def test_pytest_collects_the_checks_in_a_users_subclass(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from ombo_gym.testing import ProblemConformance

        class TestMine(ProblemConformance):
            env_id = "Ombo/Bandit-v0"
        """
    )
    result = pytester.runpytest_inprocess("--collect-only", "-q", "-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["*::TestMine::test_drawing_needs_a_reset", "*tests collected*"])
