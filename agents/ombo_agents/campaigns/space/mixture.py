"""Mixtures: parts that sum to a total."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.campaigns.space.factors import Columns, Factor, Floats, Outside

_SUM_SLACK = 0.005  # of a mixture's total, how far the parts of a row may be off
_MOST_LISTED = 2**22  # parts of mixtures that are listed at once
_DIGITS = 4  # of a mixture's total, that continuous parts are proposed with
_ROUNDS = 60  # of draws, until enough parts are within their bounds


@dataclass(frozen=True)
class MixtureFactor(Factor):
    """Parts that sum to a total, in steps or continuously.

    Attributes:
        names: Columns of the parts.
        total: What they sum to.
        step: Of each part; None: every number will do.
        low, high: (k,) bounds of each part.
    """

    names: tuple[str, ...]
    total: float
    step: float | None
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        """The parts."""
        return self.names

    @property
    def weight(self) -> int:  # type: ignore[override]
        """The last part follows from the others."""
        return len(self.names) - 1

    @property
    def cube(self) -> int:  # type: ignore[override]
        """Of a point, what the parts are proportional to."""
        return len(self.names)

    @cached_property
    def count(self) -> int | None:  # type: ignore[override]
        """Of stepped mixtures, by adding the parts one by one."""
        if self.step is None:
            return None
        units, low, high = self._units
        ways = [0] * (units + 1)
        ways[0] = 1
        for least, most in zip(low, high, strict=True):
            sums = [0, *np.cumsum(np.array(ways, object)).tolist()]
            ways = [
                sums[max(total - least + 1, 0)] - sums[max(total - most, 0)]
                for total in range(units + 1)
            ]
        return int(ways[units])

    @property
    def _units(self) -> tuple[int, list[int], list[int]]:
        """Total, lowest and highest of each part in steps."""
        assert self.step is not None
        units = round(self.total / self.step)
        low = [math.ceil(each / self.step - 1e-9) for each in self.low]
        high = [min(math.floor(each / self.step + 1e-9), units) for each in self.high]
        return units, low, high

    @property
    @override
    def values(self) -> Mapping[str, Sequence[Any] | None]:
        return dict.fromkeys(self.names)

    @override
    def read(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        parts = np.array([float(cells[name]) for name in self.names])
        if abs(parts.sum() - self.total) > _SUM_SLACK * self.total:
            raise Outside(f"{' + '.join(self.names)} is {parts.sum():g}, not {self.total:g}")
        slack = _SUM_SLACK * self.total
        for name, part, low, high in zip(self.names, parts, self.low, self.high, strict=True):
            if not low - slack <= part <= high + slack:
                raise Outside(f"{name!r} is {part:g}, not from {low:g} to {high:g}")
        return dict(zip(self.names, parts.tolist(), strict=True))

    @override
    def listed(self) -> Columns:
        assert self.step is not None
        units, low, high = self._units
        rows = np.zeros((1, 0), np.int64)  # (n, parts so far)
        rest_low = [sum(low[i + 1 :]) for i in range(len(low))]
        rest_high = [sum(high[i + 1 :]) for i in range(len(high))]
        for i, (least, most) in enumerate(zip(low, high, strict=True)):
            left = units - rows.sum(axis=1)  # (n,)
            begin = np.maximum(least, left - rest_high[i])
            end = np.minimum(most, left - rest_low[i])
            ways = np.maximum(end - begin + 1, 0)
            if ways.sum() * len(low) > _MOST_LISTED:
                raise ValueError(f"expected fewer mixtures, got more than {_MOST_LISTED:,}")
            first = np.repeat(np.cumsum(ways) - ways, ways)
            part = np.arange(ways.sum()) - first + np.repeat(begin, ways)
            rows = np.concatenate([np.repeat(rows, ways, axis=0), part[:, None]], axis=1)
        return self._columns(rows.astype(np.float64) * self.step)

    def _columns(self, parts: Floats) -> Columns:
        """Parts that are in steps already, without what rounding leaves."""
        rounded = np.round(parts, 9 - math.floor(math.log10(self.total)))
        return {name: rounded[:, i] for i, name in enumerate(self.names)}

    def _decimals(self, parts: Floats) -> Floats:
        """Parts with as many digits as a pipette has; the one with most room makes up the rest."""
        decimals = _DIGITS - math.floor(math.log10(self.total))
        rounded: Floats = np.clip(np.round(parts, decimals), self.low, self.high)
        lack = self.total - rounded.sum(axis=1)  # (n,)
        room = np.where(lack[:, None] > 0, np.array(self.high) - rounded, rounded - self.low)
        rounded[np.arange(len(parts)), room.argmax(axis=1)] += lack
        return rounded

    @override
    def drawn(self, points: Floats) -> Columns:
        shares = -np.log1p(-np.minimum(points, 1 - 1e-12)) + 1e-12  # exponential: uniform shares
        low = np.array(self.low)
        shares *= (self.total - low.sum()) / shares.sum(axis=1, keepdims=True)
        return self._columns(self._within(low + shares))

    def _within(self, parts: Floats) -> Floats:
        """Parts (n, k) that sum to the total brought within their bounds, and onto steps."""
        low, high = np.array(self.low), np.array(self.high)
        for _ in range(_ROUNDS):
            clipped = np.clip(parts, low, high)
            lack = self.total - clipped.sum(axis=1, keepdims=True)  # (n, 1)
            if np.abs(lack).max(initial=0.0) < 1e-9 * self.total:
                break
            room = np.where(lack > 0, high - clipped, clipped - low)  # (n, k)
            parts = clipped + lack * room / np.maximum(room.sum(axis=1, keepdims=True), 1e-12)
        parts = np.clip(parts, low, high)
        return self._decimals(parts) if self.step is None else self._stepped(parts)

    def _stepped(self, parts: Floats) -> Floats:
        """The nearest parts in steps with the same sum: the largest remainders are rounded up."""
        assert self.step is not None
        units, low, high = self._units
        exact = parts / self.step
        whole = np.clip(np.floor(exact + 1e-9), low, high)
        for _ in range(len(low) + 1):
            lack = units - whole.sum(axis=1)  # (n,)
            if not lack.any():
                break
            gain = np.where(whole < high, exact - whole, -np.inf)
            loss = np.where(whole > low, whole - exact, -np.inf)
            order = np.argsort(np.argsort(-np.where(lack[:, None] > 0, gain, loss), axis=1), axis=1)
            room = np.where(lack[:, None] > 0, whole < high, whole > low)
            whole += np.sign(lack)[:, None] * ((order < np.abs(lack)[:, None]) & room)
        found: Floats = whole * self.step
        return found

    @override
    def moved(self, columns: Columns, rng: np.random.Generator, step: float) -> Columns:
        parts = np.stack([columns[name].astype(np.float64) for name in self.names], axis=1)
        span = np.minimum(np.array(self.high), self.total) - np.array(self.low)
        noise = step * span * rng.standard_normal(parts.shape)
        noise -= noise.mean(axis=1, keepdims=True)
        return self._columns(self._within(parts + noise))

    @override
    def features(self, columns: Mapping[str, NDArray[Any]]) -> Floats:
        parts = np.stack([columns[name].astype(np.float64) for name in self.names], axis=1)
        high = np.minimum(np.array(self.high), self.total - sum(self.low) + np.array(self.low))
        half = np.maximum(high - np.array(self.low), 1e-12) / 2
        scaled: Floats = (parts - np.array(self.low)) / half - 1
        return scaled

    @override
    def groups(self, width: int) -> NDArray[np.intp]:
        return np.arange(width)

    @override
    def on_grid(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        parts = np.stack([columns[name].astype(np.float64) for name in self.names], axis=1)
        off: NDArray[np.bool_] = np.abs(parts.sum(axis=1) - self.total) > 1e-6 * self.total
        if self.step is not None:
            units = parts / self.step
            off |= (np.abs(units - np.rint(units)) > 1e-6).any(axis=1)
        return ~off
