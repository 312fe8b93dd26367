"""What a finished campaign is worth, computed from true values only: one class a utility.

A subclass of `Utility` with a `name` is a utility from then on: environments, policies, planners
and the evaluation ask it what they need to know, and nobody else compares names. The reward of a
round is the utility after it minus the utility before it, so that the undiscounted return is the
utility of the finished campaign.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from inspect import signature
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.arguments import shown
from ombo_gym.own_code import own_class
from ombo_gym.utility_checks import (
    arguments_of,
    check_class,
    hint,
    name_and_arguments,
    own_gain,
)

Floats = NDArray[np.float64]

UTILITIES: dict[str, type[Utility]] = {}  # filled by subclassing


class Aim(Enum):
    """What the best batch of a round that is the last has most of."""

    IMPROVEMENT = "improvement"  # expected, over the best value so far
    MAXIMUM = "maximum"  # the expected largest value of the batch itself
    MEANS = "means"  # the largest expected values


@dataclass(frozen=True)
class Progress:
    """R campaigns after a round, in which all of them measured q designs.

    Attributes:
        base: (R,) b0: the start's best true value, or the problem's reference.
        best: (R,) the larger of b0 and the best true value proposed so far.
        total: (R,) sum of the true values of all proposals so far.
        area: (R,) sum over the rounds so far of `best` after the round, minus b0.
        batch: (R, q) true values of the round's proposals; 0 where a slot was wasted.
        rounds: (R,) rounds played.
        horizon: (R,) rounds in all.
        utility_before: (R,) utility before the round.
        best_before: (R,) `best` before the round.
        best_mean: (R,) largest posterior mean of a design; None but for utilities that ask.
    """

    base: Floats
    best: Floats
    total: Floats
    area: Floats
    batch: Floats
    rounds: NDArray[np.int64]
    horizon: NDArray[np.int64]
    utility_before: Floats
    best_before: Floats
    best_mean: Floats | None = None

    @property
    def last(self) -> NDArray[np.bool_]:
        """(R,) whether the round was the campaign's last."""
        return np.asarray(self.rounds == self.horizon)


class Utility(ABC):
    """What a campaign is worth.

    Arguments of the constructor are kept as attributes of the same names, from which tables, JSON
    and other processes build it again.

    Attributes:
        name: What it is called in arguments and tables.
        aim: What the best last batch has most of.
        last_round_only: Whether only the last round pays.
        repeats_pay: Whether a design that is proposed again can add to it, learning aside.
        needs_posterior: Whether it is a matter of what is believed at the end, so that the last
            round's measurements still tell something; for problems with an exact posterior only.
        linear: Whether what is expected of a batch follows from the means of its designs.
    """

    name: ClassVar[str]
    aim: ClassVar[Aim] = Aim.MEANS
    last_round_only: ClassVar[bool] = False
    repeats_pay: ClassVar[bool] = True
    needs_posterior: ClassVar[bool] = False
    linear: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Makes the name known to `make_utility`.

        Raises:
            ValueError: A name that is taken or cannot be typed, or no `Aim`.
        """
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            return
        check_class(cls, UTILITIES, Aim)
        UTILITIES[cls.name] = cls

    def value(self, progress: Progress) -> Floats:
        """Utilities of R campaigns as they stand, (R,): what they were, and the round's gain."""
        rounds_left = progress.horizon - progress.rounds + 1  # (R,), this one included
        gain = own_gain(self, progress.batch, progress.best_before, rounds_left)
        return progress.utility_before + gain

    @abstractmethod
    def gain(self, batch: Floats, best: Any, rounds_left: Any) -> Floats:
        """What a round adds to the utility of the finished campaign, but for `share_of_gain`.

        What planners add up over rounds; where a utility defines no `value`, it is the sum of
        these. The order of the designs in a batch is no matter.

        Args:
            batch: (..., q) true values, 0 where a slot is wasted; q may be smaller where designs
                have run out.
            best: (...) best true value before, b0 included; planners have several for one batch.
            rounds_left: This one included; a number, or (...).

        Returns:
            (...).
        """

    def share_of_gain(self, horizon: int) -> float:
        """What a gain of 1, see `gain`, adds to the utility of a campaign of N rounds."""
        return 1.0

    @abstractmethod
    def level(self, utility: Floats, base: Floats, measurements: int) -> Floats:
        """The value of a design that a finished campaign's utility is on the scale of, (B,).

        Args:
            utility: (B,).
            base: (B,) b0.
            measurements: Designs that were proposed, in all.
        """

    def config(self) -> str | dict[str, Any]:
        """As arguments and JSON have it: the name or, with arguments, a dict."""
        arguments = arguments_of(self)
        return {"name": self.name, **arguments} if arguments else self.name

    def __str__(self) -> str:
        """As tables and command lines have it: `last_quantile:quantile=0.9`."""
        given = self.config()
        if isinstance(given, str):
            return given
        settings = ";".join(f"{key}={value}" for key, value in given.items() if key != "name")
        return f"{self.name}:{settings}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Utility) and self.config() == other.config()

    def __hash__(self) -> int:
        return hash(str(self))


class Best(Utility):
    """The best true value proposed, minus b0; 0 where nothing was better."""

    name = "best"
    aim = Aim.IMPROVEMENT
    repeats_pay = False

    @override
    def value(self, progress: Progress) -> Floats:
        return progress.best - progress.base

    @override
    def gain(self, batch: Floats, best: Any, rounds_left: Any) -> Floats:
        return _improvement(batch, best)

    @override
    def level(self, utility: Floats, base: Floats, measurements: int) -> Floats:
        return base + utility


class Auc(Utility):
    """The mean over rounds of the best true value so far, minus b0: for the impatient."""

    name = "auc"
    aim = Aim.IMPROVEMENT
    repeats_pay = False

    @override
    def value(self, progress: Progress) -> Floats:
        return progress.area / progress.horizon

    def gain(self, batch: Floats, best: Any, rounds_left: Any) -> Floats:
        """An improvement counts in every round that is left."""
        return np.asarray(rounds_left * _improvement(batch, best))

    @override
    def share_of_gain(self, horizon: int) -> float:
        return 1 / horizon

    @override
    def level(self, utility: Floats, base: Floats, measurements: int) -> Floats:
        return base + utility


class Total(Utility):
    """The sum of the true values of all proposals; the start does not count."""

    name = "total"
    linear = True

    @override
    def value(self, progress: Progress) -> Floats:
        return progress.total

    @override
    def gain(self, batch: Floats, best: Any, rounds_left: Any) -> Floats:
        total: Floats = batch.sum(axis=-1)
        return total

    @override
    def level(self, utility: Floats, base: Floats, measurements: int) -> Floats:
        return utility / measurements


class LastBatch(Utility):
    """What the last batch alone is worth."""

    last_round_only = True

    @abstractmethod
    def of_batch(self, batch: Floats) -> Floats:
        """(..., q) -> (...)."""

    @override
    def value(self, progress: Progress) -> Floats:
        return np.where(progress.last, self.of_batch(progress.batch), 0.0)

    @override
    def gain(self, batch: Floats, best: Any, rounds_left: Any) -> Floats:
        return np.where(np.asarray(rounds_left) == 1, self.of_batch(batch), 0.0)

    @override
    def level(self, utility: Floats, base: Floats, measurements: int) -> Floats:
        return utility


class LastMax(LastBatch):
    """The best true value of the last batch."""

    name = "last_max"
    aim = Aim.MAXIMUM

    @override
    def of_batch(self, batch: Floats) -> Floats:
        largest: Floats = batch.max(axis=-1)
        return largest


class LastMedian(LastBatch):
    """The median true value of the last batch."""

    name = "last_median"

    @override
    def of_batch(self, batch: Floats) -> Floats:
        return np.asarray(np.median(batch, axis=-1))


class LastMean(LastBatch):
    """The mean true value of the last batch."""

    name = "last_mean"
    linear = True

    @override
    def of_batch(self, batch: Floats) -> Floats:
        mean: Floats = batch.mean(axis=-1)
        return mean


class LastQuantile(LastBatch):
    """A quantile of the last batch's true values, interpolated as `numpy.quantile` does.

    Args:
        quantile: From 0, the smallest value, to 1, the largest.

    Raises:
        ValueError: It is not.
    """

    name = "last_quantile"

    def __init__(self, quantile: float) -> None:
        number = isinstance(quantile, int | float | np.integer | np.floating)
        if not number or isinstance(quantile, bool) or not 0 <= quantile <= 1:
            raise ValueError(
                f"utility: last_quantile takes a quantile from 0 to 1, got {shown(quantile)}"
            )
        self.quantile = float(quantile)

    @override
    def of_batch(self, batch: Floats) -> Floats:
        return np.asarray(np.quantile(batch, self.quantile, axis=-1))


class Recommendation(Utility):
    """The posterior mean of the best design to name at the end."""

    name = "recommendation"
    last_round_only = True  # what is paid is paid at the end
    needs_posterior = True
    linear = True

    @override
    def value(self, progress: Progress) -> Floats:
        assert progress.best_mean is not None
        return progress.best_mean

    def gain(self, batch: Floats, best: Any, rounds_left: Any) -> Floats:
        """Nothing: rounds only tell."""
        return np.zeros(batch.shape[:-1])

    @override
    def level(self, utility: Floats, base: Floats, measurements: int) -> Floats:
        return utility


def _improvement(batch: Floats, best: Any) -> Floats:
    best = np.asarray(best)
    gain: Floats = np.maximum(best, batch.max(axis=-1, initial=-np.inf)) - best
    return gain


def make_utility(given: Any) -> Utility:
    """The utility that an argument means.

    Args:
        given: A name, `{"name": ..., **arguments}`, `NAME:key=value;key=value`, or a utility. In
            place of a name, `module:Class` of one's own, which makes its name known.

    Raises:
        ValueError: An unknown name or argument; the message lists the known ones.
    """
    if isinstance(given, Utility):
        given.config()  # refuses one that cannot be written down
        return given
    if isinstance(given, str):
        name, arguments = name_and_arguments(given)
    elif isinstance(given, Mapping) and isinstance(given.get("name"), str):
        name, arguments = given["name"], {k: v for k, v in given.items() if k != "name"}
    else:
        name, arguments = "", {}
    if name.count(":") == 1:
        name = _imported(name)
    if name not in UTILITIES:
        raise ValueError(
            f"utility: expected one of {sorted(UTILITIES)}, or module:Class of your own, or an "
            f"object of it, got {shown(given)}{hint(name, sorted(UTILITIES))}"
        )
    built = UTILITIES[name]
    known = {} if built.__init__ is object.__init__ else signature(built).parameters
    missing = [key for key, each in known.items() if each.default is each.empty]
    lacking = [key for key in missing if key not in arguments]
    if lacking or set(arguments) - set(known):
        takes = f"takes the arguments {list(known)}" + (f" and needs {lacking}" if lacking else "")
        raise ValueError(f"utility: {name!r} {takes}, got {shown(arguments)}")
    try:
        utility = built(**arguments)
        utility.config()
    except Exception as error:
        if str(error).startswith("utility:"):
            raise
        raise ValueError(f"utility: {name!r} cannot take {shown(arguments)}: {error}") from error
    return utility


def _imported(name: str) -> str:
    """The name that `module:Class` has once it is imported."""
    found = getattr(own_class("utility", name), "name", None)
    if not isinstance(found, str):
        raise ValueError(
            "utility: expected a subclass of ombo_gym.Utility with a name in module:Class, got "
            f"{name!r}, whose name is {shown(found)}"
        )
    return found
