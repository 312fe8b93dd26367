"""Numbers in sentences."""

from __future__ import annotations


def in_digits(number: float, most: int = 4, *, sign: bool = False) -> str:
    """A number with so many digits that count, without an exponent where that is short.

    Args:
        number: To be written.
        most: Digits.
        sign: Whether a number above 0 has its sign, too.

    Example:
        >>> in_digits(1162.4, 3)
        '1160'
    """
    rounded = float(f"{number:.{most}g}") + 0.0
    return f"{rounded:+.12g}" if sign else f"{rounded:.12g}"
