"""A window for people who watch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Window:
    """Shows frames in a matplotlib window; with a backend that has none, it shows nothing.

    Args:
        fps: Frames a second: how long a frame stays before the campaign goes on.
    """

    def __init__(self, fps: float) -> None:
        import matplotlib.pyplot as plt

        self._plt = plt
        self._seconds = 1.0 / fps
        self._figure = plt.figure(figsize=(9.6, 4.8))
        self._axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._image: Any = None

    def show(self, frame: NDArray[np.uint8]) -> None:
        """Replaces the picture."""
        canvas = self._figure.canvas
        opens = self._image is None
        if opens:
            self._image = self._axes.imshow(frame)
        self._image.set_data(frame)
        canvas.draw_idle()
        if canvas.required_interactive_framework is None:
            return
        if opens:
            self._figure.show()
        if self._plt.fignum_exists(self._figure.number):  # until the user closes it
            canvas.start_event_loop(self._seconds)

    def close(self) -> None:
        """Closes the window."""
        self._plt.close(self._figure)
