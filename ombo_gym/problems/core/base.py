"""What a problem is: a distribution over objectives, of which each campaign draws one instance."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.priors import Prior
from ombo_gym.problems.core.values import check_finite, checked_values, feasible_mask
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.spec import Repeats

Instances = dict[str, NDArray[Any]]  # arrays with one leading row per campaign


def collection_size(count: int) -> int | None:
    """What `Problem.instance_count` says of so many instances: one alone is no collection."""
    return count if count > 1 else None


class Problem(ABC):
    """A family of objectives, all maximised, over one design space.

    Everything is computed for R campaigns at once. A subclass sets `design_space` and defines
    `draw` and `evaluate`; the rest has defaults. Instances are plain arrays with one row per
    campaign, so that a campaign can be redrawn alone.

    Attributes:
        domain: What field it is from, for listings.
        rounds: The smallest and the largest horizon that make sense.
        extra: Of `pip install "ombo-gym[EXTRA]"`, where simulating needs one.
        design_space: Where designs live.
        prior: The process that instances are drawn from, where there is one.
        start: Start of a campaign when none is asked for, see `ombo_gym.starts`.
        noise_std: Standard deviation of the measurement when none is asked for, in the problem's
            units.
        surrogate: What controls and surrogate-based policies know when nothing is asked for.
        reference: b0 of utility `best` for campaigns without a start.
        floor: Value of designs that the problem cannot measure.
        repeats: Whether and when a design can be measured again: within a batch where designs
            cannot be counted, in a later round where they can, as a rule. Where it is
            `NEVER_AGAIN`, slots that name a measured design are wasted.
        splits: Values that `split` may take.
        optimum_known: Whether `optimum` is cheap and always reported.
        optimum_exact: Whether `optimum` is the maximum and not an estimate from below; a value
            above it is then an error.
        best_known_is_bound: Whether `best_known` bounds values from above and may not be reached.
        cheap: Whether pictures may evaluate a whole landscape, thousands of designs.
        sources: Files that values are read from; the evaluation keeps results by their content.
    """

    domain: ClassVar[str] = "own"
    rounds: ClassVar[tuple[int, int]] = (1, 10)
    extra: ClassVar[str | None] = None
    design_space: DesignSpace
    prior: Prior | None = None
    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 4}
    noise_std: float = 0.0
    surrogate: ClassVar[dict[str, Any]] = {"kernel": "fit"}
    reference: float = 0.0
    floor: float = 0.0
    splits: tuple[str, ...] = ("all",)
    optimum_known: bool = False
    optimum_exact: bool = False
    best_known_is_bound: ClassVar[bool] = False
    cheap: bool = True
    sources: tuple[Path, ...] = ()

    @property
    def repeats(self) -> Repeats:
        """Whether and when a design can be measured again."""
        finite = self.design_space.size is not None
        return Repeats.DISTINCT_IN_BATCH if finite else Repeats.ALLOWED

    @property
    def noisy(self) -> bool:
        """Whether measurements vary even where `noise_std` is 0."""
        return type(self).measure is not Problem.measure

    @abstractmethod
    def draw(self, rngs: BatchedGenerator) -> Instances:
        """Draws R objective instances: at least one array with a leading R."""

    @abstractmethod
    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        """True values of feasible designs, (R, n, *shape) -> (R, n)."""

    def measure(
        self,
        instances: Instances,
        designs: Designs,
        true_values: NDArray[np.float64],
        rngs: BatchedGenerator,
    ) -> NDArray[np.float64]:
        """What measurements show, before Gaussian noise of `noise_std`, (R, n).

        Args:
            instances: R instances.
            designs: (R, n, *shape).
            true_values: (R, n).
            rngs: Of the round; for problems whose noise is not Gaussian.
        """
        return true_values

    def instance_count(self) -> int | None:
        """How many instances a collection has, in its split; None where it is none.

        Neither is what has no end of instances, nor what has but one.
        """
        return None

    def instances_numbered(self, numbers: NDArray[np.int64]) -> Instances:
        """Instances by their numbers, 0 .. `instance_count()` - 1, (R,); of collections only."""
        raise TypeError(f"{type(self).__name__} is no collection of instances")

    def instance_numbers(self, instances: Instances) -> NDArray[np.int64]:
        """The inverse of `instances_numbered`, (R,); of collections only."""
        raise TypeError(f"{type(self).__name__} is no collection of instances")

    def feasible(self, instances: Instances, designs: Designs) -> NDArray[np.bool_] | None:
        """Which designs can be measured, (R, n); None when all can."""
        return None

    def sample(self, instances: Instances, rngs: BatchedGenerator, count: int) -> Designs:
        """Random designs that a start is made of, (R, count, *shape), distinct where countable.

        Uniform; to be overridden where uniform designs are hardly ever feasible.
        """
        return self.design_space.sample_distinct(rngs, count)

    def optimum(self, instances: Instances) -> NDArray[np.float64] | None:
        """The largest true value of each instance, (R,), or None where the problem cannot tell."""
        return None

    def best_known(self, instances: Instances) -> NDArray[np.float64] | None:
        """What counts as score 1 (`ombo_gym.scores`), (R,): the optimum, or the best value known.

        None where nothing is known. It may take time: the evaluation asks once per campaign.
        """
        return self.optimum(instances)

    def visible(self, instances: Instances, percentile: float) -> Sequence[Designs] | None:
        """What a percentile start shows: the listed rows at or below the percentile.

        Args:
            instances: R instances.
            percentile: 0 to 100, of the true values of the whole listing; inclusive.

        Returns:
            R arrays (n_i, *shape) of feasible designs, or None where designs cannot be listed: the
            start then slices random designs.
        """
        space = self.design_space
        if not space.listable:
            return None
        assert space.size is not None
        listing = space.decode(np.arange(space.size))  # (size, *shape)
        num_campaigns = len(next(iter(instances.values())))
        everywhere = np.broadcast_to(listing, (num_campaigns, *listing.shape))
        values, feasible = self.true_values(instances, everywhere)  # (R, size) each
        if feasible is not None:
            values = np.where(feasible, values, np.nan)
        cuts = np.nanpercentile(values, percentile, axis=1, keepdims=True)
        return [listing[below] for below in values <= cuts]

    def visible_sizes(self, percentile: float) -> tuple[int, int]:
        """The fewest and most rows that `visible` gives, or bounds from above; finite spaces."""
        assert self.design_space.size is not None
        return self.design_space.size, self.design_space.size

    def true_values(
        self, instances: Instances, designs: Designs
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
        """Values, with the floor where infeasible, (R, n), and the feasible mask (None: all).

        Raises:
            ValueError: `evaluate` gave other values than finite numbers for feasible designs, or
                `feasible` something else than truth values; says what was expected.
        """
        shape = designs.shape[:2]
        values = checked_values(self, "evaluate", self.evaluate(instances, designs), shape)
        feasible = feasible_mask(self, instances, designs)
        if feasible is not None:
            values = np.where(feasible, values, self.floor)
        check_finite(self, "evaluate", values, designs)
        return values, feasible

    def in_units(self, value: float) -> float:
        """A true value as users of the problem know it; other than it is where low ones are good.

        For messages only.
        """
        return value
