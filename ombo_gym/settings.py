"""What a campaign is, the problem aside: the arguments that every environment takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ombo_gym.arguments import batch_sizes_of_plates, low_and_high, shown
from ombo_gym.arguments import is_whole as is_whole  # at home there, asked for here too
from ombo_gym.design_spaces.values import is_number
from ombo_gym.problems.core.base import Problem
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.starts import Start
from ombo_gym.utilities import make_utility

HORIZON, BATCH_SIZE = 5, 4  # when nothing else is asked for
_LOUDEST = 1e30  # of noise


@dataclass(frozen=True)
class Settings:
    """What a campaign is, the problem aside. The arguments that every environment takes.

    Raises:
        ValueError: An argument out of range; says what was expected.
    """

    horizon: int | Sequence[int] | None = None
    batch_size: int | Sequence[int] | None = None
    plates: Sequence[int] | None = None
    utility: Any = "best"
    start: Mapping[str, Any] | None = None
    noise_std: float | None = None

    @property
    def horizons(self) -> tuple[int, int]:
        """The smallest and the largest horizon."""
        if self.plates is not None:
            return len(self.plates), len(self.plates)
        return low_and_high("horizon", HORIZON if self.horizon is None else self.horizon)

    @property
    def batch_sizes(self) -> tuple[int, int]:
        """The smallest and the largest batch."""
        if self.plates is not None:
            return min(self.plates), max(self.plates)
        return low_and_high(
            "batch_size", BATCH_SIZE if self.batch_size is None else self.batch_size
        )

    def __post_init__(self) -> None:
        if self.plates is not None:
            given = {"horizon": self.horizon, "batch_size": self.batch_size}
            clashing = {name: value for name, value in given.items() if value is not None}
            if clashing:
                raise ValueError(
                    "plates: they lay down horizon and batch_size, which go without them; got "
                    f"plates={shown(self.plates)} together with {shown(clashing)}"
                )
            object.__setattr__(self, "plates", batch_sizes_of_plates("plates", self.plates))
        for sizes in (self.horizons, self.batch_sizes):  # which refuse what cannot be
            assert sizes[0] <= sizes[1]
        make_utility(self.utility)
        std = self.noise_std
        if std is not None and not (is_number(std) and 0 <= std <= _LOUDEST):
            raise ValueError(
                f"noise_std: expected a number of at least 0, {_LOUDEST:g} at most, got "
                f"{shown(std)}"
            )


def spec_of(
    problem: Problem,
    settings: Settings,
    noise_std: float,
    start: Start,
    control: str,
    surrogate: Mapping[str, Any] | None,
) -> CampaignSpec:
    """What a player may know."""
    utility = make_utility(settings.utility)
    if surrogate is None or isinstance(surrogate, Mapping):
        surrogate = {**problem.surrogate, **(surrogate or {})}
    exact = problem.prior is not None and problem.prior.exact
    # Nothing is gained by measuring a design again where nothing is learnt by it either.
    repeats_pay = utility.repeats_pay or noise_std > 0 or problem.noisy
    return CampaignSpec(
        design_space=problem.design_space,
        horizons=settings.horizons,
        batch_sizes=settings.batch_sizes,
        plates=None if settings.plates is None else tuple(settings.plates),
        utility=utility,
        repeats=problem.repeats if repeats_pay else Repeats.NEVER_AGAIN,
        noise_std=None if problem.noisy and not exact else noise_std,
        surrogate=surrogate,
        prior=problem.prior,
        reference=float(problem.reference),
        floor=float(problem.floor),
        start_capacity=start.capacity,
        start_origin=start.origin,
        control=control,
        problem=type(problem).__name__,
    )
