"""What all parameters of a design share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces.values import as_array, copied, same, shortened

Floats = NDArray[np.float64]


class Parameter(ABC):
    """What one parameter of a design may be.

    A design holds it as a number from -1 to 1, its *coordinate*, where there is no end of values;
    else as a code, which numbers the values.

    Attributes:
        category: Whether its values have no order.
        values: All of them by code; None: every number between two ends.
    """

    category: ClassVar[bool] = False
    values: tuple[Any, ...] | None

    def __getstate__(self) -> dict[str, Any]:
        """Pickles without what was worked out on the way."""
        return {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""

    @property
    def count(self) -> int | None:
        """How many values there are; None: no end of them."""
        return None if self.values is None else len(self.values)

    @property
    def coordinates(self) -> Floats | None:
        """(n,) of values with an order, ascending from -1 to 1; None: there is none, or no end."""
        return None

    @property
    def weights(self) -> Floats | None:
        """(n,) how often values are drawn; None: each as often as others."""
        return None

    def column(self, value: Any) -> float | int:
        """The coordinate or code of a value.

        Raises:
            ValueError: It is none of this parameter; says what was expected.
        """
        assert self.values is not None
        for code, own in enumerate(self.values):
            if same(value, own):
                return code
        raise ValueError(f"expected one of {shortened(self.values)}, got {value!r}")

    def units(self, codes: NDArray[Any]) -> Any:
        """The value of a code () or an array of the values of codes (n,): the caller's own."""
        assert self.values is not None
        return copied(self.values[int(codes)]) if codes.ndim == 0 else self._array[codes]

    @cached_property
    def _array(self) -> NDArray[Any]:
        assert self.values is not None
        return as_array(self.values)

    def features(self, column: NDArray[Any]) -> Floats:
        """What a surrogate sees of coordinates or codes, (...,) -> (..., k)."""
        if self.values is None:
            return np.asarray(column, np.float64)[..., None]
        assert self.coordinates is not None
        found: Floats = self.coordinates[column][..., None]
        return found

    def text(self, value: Any) -> str:
        """A value in print."""
        return f"{value:.6g}" if isinstance(value, float) else str(value)
