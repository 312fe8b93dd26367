"""What a model says of held-out designs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Prediction(NamedTuple):
    """Normal predictions at H held-out designs of D data sets, in the problem's units.

    Attributes:
        mean: (D, H).
        sd: (D, H) of a measurement: what is not known of the function, and the noise.
        seconds: (D,) processor time of the fit.
    """

    mean: Floats
    sd: Floats
    seconds: Floats
