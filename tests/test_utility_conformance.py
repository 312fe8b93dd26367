"""The conformance suite finds what is wrong with a utility, and nothing in a sound one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ombo_gym.testing import UtilityConformance
from ombo_gym.utilities import Aim, LastMean, Utility

CHECKS = [name for name in dir(UtilityConformance) if name.startswith("test_")]
BUILT_IN = [
    *("auc", "best", "last_max", "last_mean", "last_median", "recommendation", "total"),
    "last_quantile:quantile=0.3",
]


class Sound(Utility):
    """How many proposals are above a threshold; what is changed below is unsound."""

    name = "test_conformance_sound"

    def __init__(self, threshold: float = 0.3) -> None:
        self.threshold = float(threshold)

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        return (batch > self.threshold).sum(axis=-1).astype(float)

    def level(self, utility: Any, base: Any, measurements: int) -> Any:
        return utility / measurements


class Patient(Sound):
    """A sound one that says what it is in a way of its own: only the last round pays."""

    name = "test_conformance_patient"
    last_round_only = True

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        counted = (batch > best[..., None]).sum(axis=-1).astype(float)
        return np.where(np.asarray(rounds_left) == 1, counted, 0.0)


class Undocumented(Sound):
    name = "test_conformance_undocumented"
    __doc__ = ""


class Flagged(Sound):
    """Says neither yes nor no."""

    name = "test_conformance_flagged"
    linear = "no"  # type: ignore[assignment]


class Worded(Sound):
    """Takes an argument that its text cannot hold."""

    name = "test_conformance_worded"

    def __init__(self, threshold: float = 0.3, kind: str = "above") -> None:
        super().__init__(threshold)
        self.kind = kind


class Listed(Sound):
    """Keeps what JSON does not."""

    name = "test_conformance_listed"

    def __init__(self, threshold: float = 0.3) -> None:
        self.threshold: Any = np.float32(threshold)


class Changed(Sound):
    """What it keeps is no longer what it was given."""

    name = "test_conformance_changed"

    def __init__(self, threshold: float = 0.3) -> None:
        self.threshold = 2 * threshold


class Scalar(Sound):
    """Works for one best, and one number of rounds, at a time."""

    name = "test_conformance_scalar"

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        return super().gain(batch, best, rounds_left) if rounds_left > 1 else batch.max(axis=-1)


class Constant(Sound):
    """Forgets the campaigns."""

    name = "test_conformance_constant"

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        return 0.0


class Flat(Sound):
    """Knows batches of one shape only."""

    name = "test_conformance_flat"

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        return batch.mean(axis=1)


class Beside(Sound):
    """Puts best beside campaigns, not beside designs."""

    name = "test_conformance_beside"

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        return np.maximum(batch.max(axis=-1) - np.resize(best, batch.shape[:-1]), 0.0)


class Ranked(Sound):
    """Compares campaigns with each other."""

    name = "test_conformance_ranked"

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        return batch.mean(axis=-1) - batch.mean()


class Ordered(Sound):
    """The first slot counts."""

    name = "test_conformance_ordered"

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        return batch[..., 0]


class Scribbling(Sound):
    """Writes into the batch."""

    name = "test_conformance_scribbling"

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        np.clip(batch, -1, 1, out=batch)
        return batch.sum(axis=-1)


class Remembering(Sound):
    """Pays the largest value that it ever saw."""

    name = "test_conformance_remembering"
    top = -np.inf

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        self.top = max(self.top, float(batch.max()))
        return np.full(batch.shape[:-1], self.top)


class Target(Sound):
    """Values should be near the threshold."""

    name = "test_conformance_target"

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        return -np.abs(batch - self.threshold).mean(axis=-1)


class Early(Sound):
    """Pays early, and says that it does not."""

    name = "test_conformance_early"
    last_round_only = True


class Counting(Sound):
    """Counts repeats, and says that it does not."""

    name = "test_conformance_counting"
    repeats_pay = False


class Improving(Sound):
    """Says that it counts improvements alone."""

    name = "test_conformance_improving"
    aim = Aim.IMPROVEMENT


class Bent(Sound):
    """A count does not follow from means."""

    name = "test_conformance_bent"
    linear = True


class Valued(LastMean):
    """Its value is not what its gains add up to."""

    name = "test_conformance_valued"

    def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
        return 2 * super().gain(batch, best, rounds_left)


class Level(Sound):
    """Its scores are all alike."""

    name = "test_conformance_level"

    def level(self, utility: Any, base: Any, measurements: int) -> Any:
        return base


class Bounded(Sound):
    """A share: no worth is below 0 or above 1."""

    name = "test_conformance_bounded"

    def level(self, utility: Any, base: Any, measurements: int) -> Any:
        return base + np.clip(utility, 0, 1)


def case(given: Any, **members: Any) -> Any:
    return type("Case", (UtilityConformance,), {"utility": given, **members})()


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("utility", [*BUILT_IN, Sound()], ids=str)
def test_a_sound_utility_passes(utility: Any, check: str) -> None:
    getattr(case(utility), check)()


SAYS, BUILT, NUMBERS, OWN, AGAIN, BETTER, LAST, REPEATS, MEANS, SUM, MORE = (
    "test_the_utility_says_what_it_is",
    "test_it_is_built_again_from_what_tables_and_json_hold",
    "test_gains_are_numbers_one_a_campaign",
    "test_a_campaigns_gain_is_its_own",
    "test_it_changes_nothing_and_says_the_same_again",
    "test_a_better_batch_is_worth_no_less",
    "test_what_only_the_last_round_pays_is_nothing_before",
    "test_what_repeats_or_improves_nothing_adds_nothing",
    "test_what_is_expected_follows_from_means",
    "test_a_campaign_is_worth_the_sum_of_its_gains",
    "test_a_campaign_that_is_worth_more_has_a_better_level",
)


@pytest.mark.parametrize(
    ("utility", "check", "message"),
    [
        (Undocumented(), SAYS, "Undocumented: expected a docstring"),
        (Flagged(), SAYS, r"Flagged\.linear: expected True or False, got 'no'"),
        (Worded(), BUILT, "Worded from the text .*kind=above': expected the same utility, got"),
        (Listed(), BUILT, "Listed from JSON: expected the same utility, got TypeError"),
        (Changed(), BUILT, "Changed from JSON: expected .*threshold=0.6'.*threshold=1.2'"),
        (Scalar(), NUMBERS, r"Scalar\.gain: .*The truth value.*rounds_left \(5,\)\);"),
        (Flat(), NUMBERS, r"Flat\.gain: .*axis 1 is out of bounds.*batch of shape \(1,\)"),
        (Constant(), NUMBERS, r"Constant: .*one number a campaign.*got shape \(\).*\(batch of sh"),
        (Beside(), NUMBERS, r"Beside\.gain: expected the same for each of several bests"),
        (Ranked(), OWN, r"Ranked\.gain: expected of campaign 0 what it is alone"),
        (Ordered(), OWN, r"Ordered\.gain: expected the same in another order of slots"),
        (Scribbling(), AGAIN, r"Scribbling\.gain: expected batch left as it was"),
        (Remembering(), AGAIN, r"Remembering\.gain"),
        (Target(), BETTER, r"Target\.gain: expected no less where a value is larger.*monotone ="),
        (Early(), LAST, r"Early\.gain: expected nothing before the last round"),
        (Counting(), REPEATS, r"Counting\.gain: expected .*as repeats_pay is False"),
        (Improving(), REPEATS, r"Improving\.gain: expected .*Aim\.IMPROVEMENT"),
        (Bent(), MEANS, r"Bent\.gain: expected of the mean of two batches"),
        (Valued(), SUM, r"Valued: expected .* the sum of their gains.*gains_add_up = False"),
        (Level(), MORE, r"Level\.level: expected larger ones for larger utilities"),
        ("no_such_utility", SAYS, "utility: expected one of"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Utility) else str(value)[:30],
)
def test_an_unsound_one_is_found(utility: Any, check: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        getattr(case(utility), check)()


def test_state_is_found_in_environments_too() -> None:
    with pytest.raises(AssertionError, match="rewards of rows and single ones"):
        case(Remembering()).test_the_return_is_the_utility()


def test_a_level_may_stay_beyond_the_bounds_of_what_campaigns_are_worth() -> None:
    getattr(case(Bounded()), MORE)()


def test_what_is_meant_can_be_said() -> None:
    getattr(case(Target(), monotone=False), BETTER)()
    getattr(case(Valued(), gains_add_up=False), SUM)()


class TestPatient(UtilityConformance):
    """What a user writes; pytest collects the checks."""

    utility = Patient(0.5)
