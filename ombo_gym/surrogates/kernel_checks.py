"""A kernel of one's own is tried at a few distances before anything stands on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.surrogates.kernels import KERNELS, SLOPES, WITH_SLOPES

Floats = NDArray[np.float64]

_SQUARED = np.linspace(0.0, 9.0, 12).reshape(2, 2, 3)  # squared distances, in lengthscales
_STEP = 1e-5  # of the numerical derivative
_ROOM = 1e-6
_NUM_POINTS, _DIMENSIONS = 30, 2


def check_kernel(name: str) -> None:
    """Refuses a kernel that is none, or whose slope is not its derivative.

    Args:
        name: A key of `KERNELS`; those of the package, which have both at once, are not tried.

    Raises:
        ValueError: It has no slope, fails on an array, gives other numbers than a correlation of
            designs at such distances, or is not positive definite; says what was expected.
    """
    if name in WITH_SLOPES:
        return
    if name not in SLOPES:
        raise ValueError(
            f"surrogate: expected the derivative of the kernel {name!r} by the squared distance "
            f"beside it, got none; write SLOPES[{name!r}] = ..."
        )
    values, slopes = _called(name, "KERNELS", _SQUARED), _called(name, "SLOPES", _SQUARED)
    if abs(values.flat[0] - 1) > _ROOM or (np.abs(values) > 1 + _ROOM).any():
        raise ValueError(
            f"surrogate: expected the kernel {name!r} to be 1 at distance 0 and no larger "
            f"anywhere, got {values.flat[0]:g} at 0 and up to {values.max():g}"
        )
    inner = _SQUARED + 0.5
    ends = [_called(name, "KERNELS", inner + step) for step in (_STEP, -_STEP)]
    derivative, given = (ends[0] - ends[1]) / (2 * _STEP), _called(name, "SLOPES", inner)
    if not np.allclose(given, derivative, rtol=1e-3, atol=1e-5):
        at = int(np.abs(given - derivative).argmax())
        raise ValueError(
            f"surrogate: expected SLOPES[{name!r}] to be the derivative of the kernel by the "
            f"squared distance, {derivative.flat[at]:.6g} at {inner.flat[at]:g}, got "
            f"{given.flat[at]:.6g}"
        )
    assert slopes.shape == values.shape
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (_NUM_POINTS, _DIMENSIONS))
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=-1)[None]  # (1, n, n)
    smallest = np.linalg.eigvalsh(_called(name, "KERNELS", squared)[0])[0]
    if smallest < -_ROOM:
        raise ValueError(
            f"surrogate: expected the kernel {name!r} to be positive definite, got the eigenvalue "
            f"{smallest:.3g} of {_NUM_POINTS} points in {_DIMENSIONS} dimensions"
        )


def _called(name: str, table: str, squared: Floats) -> Floats:
    """What a kernel or its slope gives for squared distances, of the same shape."""
    function: Any = (KERNELS if table == "KERNELS" else SLOPES)[name]
    expected = (
        f"surrogate: expected {table}[{name!r}] to give finite numbers for an array of squared "
        "distances, of the same shape"
    )
    given = squared.copy()
    try:
        found: Any = function(given)
    except Exception as error:
        raise ValueError(f"{expected}, got {type(error).__name__}: {error}") from error
    if not isinstance(found, np.ndarray) or found.shape != squared.shape:
        came = f"shape {found.shape}" if isinstance(found, np.ndarray) else shown(found)
        raise ValueError(f"{expected}, {squared.shape}, got {came}")
    if found.dtype.kind != "f" or not np.isfinite(found).all():
        raise ValueError(f"{expected}, got {shown(found[~np.isfinite(found)].tolist())}")
    if not np.array_equal(given, squared):
        raise ValueError(f"{expected}, and to leave these as they were, got them changed")
    return found
