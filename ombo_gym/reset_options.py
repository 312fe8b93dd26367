"""What `reset(options=...)` asks for, checked and kept through autoreset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import as_array, shown
from ombo_gym.outcomes import EnvIndices
from ombo_gym.problems.core.base import Problem
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.spec import CampaignSpec

KNOWN = ("batch_size", "horizon", "instance", "optimum")


@dataclass(frozen=True)
class ResetOptions:
    """What a reset asks for of each of R campaigns, beside the streams of their keys.

    Attributes:
        optimum: (R,) whether to search for the optimum where it is not known.
        horizon, batch_size, instance: (R,); 0, 0 and -1 where the campaign draws its own.
    """

    optimum: NDArray[np.bool_]
    horizon: NDArray[np.int64]
    batch_size: NDArray[np.int64]
    instance: NDArray[np.int64]

    @classmethod
    def none(cls, num_campaigns: int) -> ResetOptions:
        """Nothing asked for of R campaigns."""
        zeros = np.zeros(num_campaigns, np.int64)
        return cls(np.zeros(num_campaigns, bool), zeros, zeros.copy(), zeros - 1)

    def take(self, indices: EnvIndices | NDArray[np.bool_]) -> ResetOptions:
        """What is asked for of some of the campaigns."""
        return ResetOptions(
            self.optimum[indices],
            self.horizon[indices],
            self.batch_size[indices],
            self.instance[indices],
        )

    def put(self, indices: EnvIndices | NDArray[np.bool_], other: ResetOptions) -> None:
        """Writes what is asked for of some of the campaigns."""
        for name in KNOWN:
            getattr(self, name)[indices] = getattr(other, name)


def parse_reset_options(
    options: Mapping[str, Any] | None, spec: CampaignSpec, problem: Problem, num_campaigns: int
) -> ResetOptions | None:
    """Options of a reset, for each of B campaigns; None where nothing is asked for.

    Args:
        options: Values for all campaigns, or arrays (B,) with one for each.
        spec: Of the campaigns.
        problem: What is being designed.
        num_campaigns: B.

    Raises:
        ValueError: An unknown option, or one out of range; says what was expected.
    """
    if not isinstance(options, Mapping | None):
        raise ValueError(f"options: expected a dict, got {shown(options)}")
    if unknown := sorted(set(options or {}) - set(KNOWN), key=str):
        raise ValueError(f"options: expected {list(KNOWN)}, got {shown(unknown)}")
    if not options:
        return None
    parsed = ResetOptions.none(num_campaigns)
    if "optimum" in options:
        parsed.optimum[:] = _flags(options["optimum"], num_campaigns)
    for name, limits in (("horizon", spec.horizons), ("batch_size", spec.batch_sizes)):
        if name in options:
            if spec.plates is not None:
                raise ValueError(
                    f"options: {name} cannot be chosen where plates={list(spec.plates)} lay it "
                    f"down, got {shown(options[name])}"
                )
            getattr(parsed, name)[:] = _whole(name, options[name], limits, num_campaigns)
    if "instance" in options:
        count = problem.instance_count()
        if count is None:
            raise ValueError(
                f"options: {type(problem).__name__} is no collection of numbered instances, got "
                f"instance={shown(options['instance'])}"
            )
        limits = 0, count - 1
        parsed.instance[:] = _whole("instance", options["instance"], limits, num_campaigns)
    return parsed


def draw_unless_requested(
    requested: NDArray[np.int64], limits: tuple[int, int], keys: NDArray[np.uint64], stream: Stream
) -> NDArray[np.int64]:
    """A whole number for each of R campaigns, (R,).

    Args:
        requested: (R,) what a reset asks for; 0: nothing.
        limits: The smallest and the largest number that is drawn.
        keys: (R,) of the campaigns.
        stream: What the number is for.
    """
    low, high = limits
    if low == high:
        return np.full(len(keys), low)
    drawn = KeyedGenerator(keys, stream).draw(lambda rng: rng.integers(low, high + 1))
    return np.where(requested > 0, requested, drawn)


def _flags(given: Any, num_campaigns: int) -> NDArray[np.bool_]:
    array = as_array(given)
    if array.dtype != np.bool_ or array.shape not in ((), (num_campaigns,)):
        raise ValueError(f"options: expected {{'optimum': True or False}}, got {shown(given)}")
    return np.broadcast_to(array, (num_campaigns,))


def _whole(name: str, given: Any, limits: tuple[int, int], num_campaigns: int) -> NDArray[np.int64]:
    low, high = limits
    array = as_array(given)
    if (
        array.dtype.kind not in "iu"
        or array.shape not in ((), (num_campaigns,))
        or not ((array >= low) & (array <= high)).all()
    ):
        each = "" if num_campaigns == 1 else f", or {num_campaigns} of them"
        wider = f"{name}=[low, high] of the environment"
        remedy = "" if name == "instance" else f"; the argument {wider} says what may be chosen"
        raise ValueError(
            f"options: expected {name} to be a whole number from {low} to {high}{each}, "
            f"got {shown(given)}{remedy}"
        )
    return np.broadcast_to(array.astype(np.int64), (num_campaigns,))
