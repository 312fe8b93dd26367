"""What `reset(options=...)` asks for, checked and kept through autoreset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.outcomes import Rows

if TYPE_CHECKING:
    from ombo_gym.campaign import Campaigns

KNOWN = ("batch_size", "horizon", "instance", "optimum")


@dataclass(frozen=True)
class ResetOptions:
    """What a reset asks for in each of R rows, beside the streams of the campaigns' keys.

    Attributes:
        optimum: (R,) whether to search for the optimum where it is not known.
        horizon, batch_size, instance: (R,); 0, 0 and -1 where the campaign draws its own.
    """

    optimum: NDArray[np.bool_]
    horizon: NDArray[np.int64]
    batch_size: NDArray[np.int64]
    instance: NDArray[np.int64]

    @classmethod
    def none(cls, rows: int) -> ResetOptions:
        """Nothing asked for in R rows."""
        zeros = np.zeros(rows, np.int64)
        return cls(np.zeros(rows, bool), zeros, zeros.copy(), zeros - 1)

    def take(self, rows: Rows) -> ResetOptions:
        """What is asked for in some of the rows."""
        return ResetOptions(
            self.optimum[rows], self.horizon[rows], self.batch_size[rows], self.instance[rows]
        )

    def put(self, rows: Rows, other: ResetOptions) -> None:
        """Writes what is asked for in some of the rows."""
        for name in ("optimum", "horizon", "batch_size", "instance"):
            getattr(self, name)[rows] = getattr(other, name)


def reset_options(
    campaigns: Campaigns,
    rows: Rows,
    seeds: Sequence[int | None],
    options: Mapping[str, Any] | None,
) -> ResetOptions:
    """What R campaigns are asked for.

    An explicit reset (with a seed or options, or in mid-campaign) says anew; a bare reset of a
    finished campaign, which is what autoreset does, keeps what was asked for. Each row decides for
    itself, by its own seed.

    Args:
        campaigns: B campaigns.
        rows: R of them.
        seeds: R seeds; None goes on.
        options: Of the reset: values for all rows, or arrays (B,) with one for each.

    Raises:
        ValueError: An unknown option, or one out of range; says what was expected.
    """
    if not isinstance(options, Mapping | None):
        raise ValueError(f"options: expected a dict, got {options!r}")
    if unknown := sorted(set(options or {}) - set(KNOWN), key=str):
        raise ValueError(f"options: expected {list(KNOWN)}, got {unknown}")
    before = campaigns.options.take(rows)
    asked = ResetOptions.none(len(before.optimum))
    if options:
        spec, count = campaigns.spec, campaigns.problem.instance_count()
        if "optimum" in options:
            asked.optimum[:] = _flags(options["optimum"], campaigns.num_campaigns)[rows]
        for name, limits in (("horizon", spec.horizons), ("batch_size", spec.batch_sizes)):
            if name in options:
                if spec.plates is not None:
                    raise ValueError(
                        f"options: {name} cannot be chosen where plates={list(spec.plates)} lay it "
                        f"down, got {options[name]!r}"
                    )
                numbers = _whole(name, options[name], limits, campaigns.num_campaigns)
                getattr(asked, name)[:] = numbers[rows]
        if "instance" in options:
            if count is None:
                raise ValueError(
                    f"options: {type(campaigns.problem).__name__} is no collection of numbered "
                    f"instances, got instance={options['instance']!r}"
                )
            limits = 0, count - 1
            numbers = _whole("instance", options["instance"], limits, campaigns.num_campaigns)
            asked.instance[:] = numbers[rows]
        return asked
    unseeded = np.array([seed is None for seed in seeds], bool)
    kept = campaigns.finished[rows] & unseeded
    asked.put(kept, before.take(kept))
    return asked


def _flags(given: Any, rows: int) -> NDArray[np.bool_]:
    array = np.asarray(given)
    if array.dtype != np.bool_ or array.shape not in ((), (rows,)):
        raise ValueError(f"options: expected {{'optimum': True or False}}, got {given!r}")
    return np.broadcast_to(array, (rows,))


def _whole(name: str, given: Any, limits: tuple[int, int], rows: int) -> NDArray[np.int64]:
    low, high = limits
    try:
        array = np.asarray(given)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    if (
        array.dtype.kind not in "iu"
        or array.shape not in ((), (rows,))
        or not ((array >= low) & (array <= high)).all()
    ):
        each = "" if rows == 1 else f", or {rows} of them"
        raise ValueError(
            f"options: expected {name} to be a whole number from {low} to {high}{each}, "
            f"got {given!r}"
        )
    return np.broadcast_to(array.astype(np.int64), (rows,))
