"""Pictures that are small enough to be kept in the repository."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

COLOURS = 256  # a third of the bytes, and the eye sees no difference


def save_picture(figure: Any, path: Path) -> None:
    """Writes a matplotlib figure as PNG with a palette, and closes it."""
    import matplotlib.pyplot as plt

    drawn = BytesIO()
    figure.savefig(drawn, dpi=100)
    plt.close(figure)
    image = Image.open(drawn).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
