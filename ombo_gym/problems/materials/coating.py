"""Optical coatings: stacks of thin films on glass, designed for what they reflect."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import BoxDesigns, Designs
from ombo_gym.problems.core.base import Instances, Problem, collection_size
from ombo_gym.problems.core.checks import is_number, is_whole, one_of
from ombo_gym.problems.core.pattern_search import climb
from ombo_gym.problems.data import load_table, table_file
from ombo_gym.quasi_newton import quasi_newton
from ombo_gym.randomness import BatchedGenerator

Floats = NDArray[np.float64]

THINNEST, THICKEST = 10.0, 200.0  # nm
HIGH, LOW, GLASS = ("TiO2", "Ta2O5"), ("SiO2", "MgF2"), "N-BK7"
_MOST_LAYERS, _STEEPEST = 64, 85.0

# The wavelengths that a task looks at, from the centre, and what they should reflect.
_WIDE = np.arange(-145, 150, 10)  # nm
_TASKS = {
    "antireflection": (_WIDE, np.zeros(len(_WIDE))),
    "mirror": (_WIDE // 10 * 5, np.ones(len(_WIDE))),
    "edge": (_WIDE, (_WIDE < 0).astype(np.float64)),
    "bandpass": (_WIDE, (abs(_WIDE) > 30).astype(np.float64)),
}

CENTRES = np.arange(550, 851, 5)  # nm
_SPLITS = {
    "all": CENTRES,
    "train": CENTRES[np.arange(len(CENTRES)) % 5 > 0],
    "test": CENTRES[::5],
}

_FINALISTS = 4  # designs at the end of a search for the best
_CHUNK_CENTRES = 8  # that are searched at once, for bounded memory
_CHUNK_DESIGNS = 128  # that are computed at once: what a cache holds


class Coating(Problem):
    """A stack of thin films on glass that is to reflect some wavelengths and to let others pass.

    A design is the thickness of each layer, 10 to 200 nm scaled to [-1, 1] (`to_units` gives nm);
    the first layer lies on the glass (N-BK7), the last one in air. Layers take turns, one of high
    index first; the indices depend on the wavelength as measured, absorption is neglected.

    Each campaign draws a centre from 550 to 850 nm in steps of 5 nm. The value is 1 minus the mean
    distance of the reflectance from what it should be, over 30 wavelengths around the centre: 1
    would be a perfect coating. Task "antireflection": 0 from -145 to 145 nm (at 550 nm, visible
    light); "mirror": 1 from -75 to 70 nm; "edge": 1 below and 0 above the centre; "bandpass": 0
    within 30 nm and 1 beyond. The light comes from the air and is not polarised; what the back of
    the glass reflects is left out. It is computed with the transfer-matrix method.

    Measurements are exact unless `noise_std` is given, every design is feasible, and a campaign
    starts with 8 random designs. `reference` is 0, the worst there can be. Every fifth centre is
    for the test, the other 48 of 61 are for training.

    The best value known, score 1, is what a local search finds from the best of 8,192 quasi-random
    designs, four for each layer, 32 to 80 (`search`): first without and then along the slope of the
    value. It is made on request, once for each centre, and takes about a second with 8 layers, 6
    seconds with 20, 40 with 64. With many layers there are more local optima than it visits: scores
    slightly above 1 are possible.

    Args:
        layers: 1 to 64.
        task: "antireflection", "mirror", "edge" or "bandpass".
        materials: Those of high and of low index: "TiO2" or "Ta2O5", and "SiO2" or "MgF2".
        angle: Of incidence in air, in degrees, 0 to 85.
        centre: In nm, the same in every campaign; None: drawn.
        split: "all", "train" or "test" centres.

    Raises:
        ValueError: An argument out of range, or a split of one centre.

    References:
        Macleod, Thin-Film Optical Filters, 4th edition, 2010, chapter 2, for the method;
        Polyanskiy, Refractiveindex.info database of optical constants, Scientific Data 11, 2024,
        for the indices.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/Coating-v0", task="mirror", layers=6)
        >>> observation, info = env.reset(seed=0)
    """

    domain = "materials"
    rounds = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 8}
    splits = tuple(sorted(_SPLITS))
    sources = (table_file("optics"),)

    def __init__(
        self,
        *,
        layers: int = 8,
        task: str = "antireflection",
        materials: tuple[str, str] | list[str] = ("TiO2", "SiO2"),
        angle: float = 0.0,
        centre: int | None = None,
        split: str = "all",
    ) -> None:
        if not is_whole(layers) or not 1 <= layers <= _MOST_LAYERS:
            raise ValueError(
                f"layers: expected a whole number from 1 to {_MOST_LAYERS}, got {layers!r}"
            )
        pair = list(materials) if isinstance(materials, tuple | list) else []
        if len(pair) != 2 or pair[0] not in HIGH or pair[1] not in LOW:
            raise ValueError(
                f"materials: expected one of {list(HIGH)} and one of {list(LOW)}, got {materials!r}"
            )
        if not is_number(angle) or not 0 <= angle <= _STEEPEST:
            raise ValueError(f"angle: expected a number from 0 to {_STEEPEST:g}, got {angle!r}")
        if centre is not None and (not is_whole(centre) or centre not in CENTRES):
            raise ValueError(
                f"centre: expected one of {CENTRES[0]}, {CENTRES[1]}, ... {CENTRES[-1]} nm, "
                f"got {centre!r}"
            )
        self.split = one_of("split", split, _SPLITS)
        if centre is not None and split != "all":
            raise ValueError(f"split: it goes without a centre, got {split!r} and {centre} nm")
        self.task = one_of("task", task, _TASKS)
        self.layers = int(layers)
        self.design_space = BoxDesigns(self.layers)
        self.materials = (*pair, GLASS)
        self.angle = float(angle)
        self.centres = _SPLITS[split] if centre is None else np.array([centre])
        self._best: dict[int, float] = {}  # by centre, once searched for

    @staticmethod
    def to_units(designs: Designs) -> Floats:
        """Designs as thicknesses in nm."""
        share = (np.asarray(designs, np.float64) + 1) / 2
        thicknesses: Floats = THINNEST + (THICKEST - THINNEST) * share
        return thicknesses

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        count = len(self.centres)
        return {"centre": self.centres[rngs.draw(lambda rng: rng.integers(count))]}

    def instance_count(self) -> int | None:
        """The number of centres, where there are several."""
        return collection_size(len(self.centres))

    def instances_numbered(self, numbers: NDArray[np.int64]) -> Instances:
        """In the order of their centres."""
        return {"centre": self.centres[numbers]}

    @override
    def instance_numbers(self, instances: Instances) -> NDArray[np.int64]:
        return np.searchsorted(self.centres, instances["centre"])

    def spectra(self, instances: Instances, designs: Designs) -> tuple[Floats, Floats]:
        """The task's wavelengths in nm, (R, W), and what designs reflect there, (R, n, W)."""
        num_campaigns, n = designs.shape[:2]
        nanometres = instances["centre"][:, None] + _TASKS[self.task][0]  # (R, W)
        columns, wavelengths = (nanometres - 400) // 5, nanometres.astype(np.float64)
        indices = index_table(self.materials)[:, columns]  # (3, R, W)
        thicknesses = self.to_units(designs).reshape(num_campaigns * n, -1)
        row = np.repeat(np.arange(num_campaigns), n)
        reflected = np.empty((num_campaigns * n, wavelengths.shape[1]))
        for first in range(0, num_campaigns * n, _CHUNK_DESIGNS):
            part = slice(first, first + _CHUNK_DESIGNS)
            reflected[part] = reflectance(
                thicknesses[part], indices[:, row[part]], wavelengths[row[part]], self.angle
            )
        return wavelengths, reflected.reshape(num_campaigns, n, -1)

    @override
    def evaluate(self, instances: Instances, designs: Designs) -> Floats:
        _, reflected = self.spectra(instances, designs)
        reflected -= _TASKS[self.task][1]
        values: Floats = 1 - np.abs(reflected, out=reflected).mean(axis=-1)
        return values

    def optimum(self, instances: Instances) -> Floats:
        """The best value known, (R,): from below."""
        centres = instances["centre"].tolist()
        if missing := sorted(set(centres) - set(self._best)):
            _, values = self.search({"centre": np.array(missing)})
            self._best.update(zip(missing, values.tolist(), strict=True))
        return np.array([self._best[centre] for centre in centres])

    def search(self, instances: Instances) -> tuple[Designs, Floats]:
        """The best designs that are found, (R, layers), and their values, (R,)."""
        num_campaigns = len(instances["centre"])
        parts = np.array_split(np.arange(num_campaigns), -(-num_campaigns // _CHUNK_CENTRES))
        found = [self._search({"centre": instances["centre"][part]}) for part in parts]
        return np.concatenate([x for x, _ in found]), np.concatenate([v for _, v in found])

    def _search(self, instances: Instances) -> tuple[Designs, Floats]:
        def values_of(designs: Designs) -> Floats:
            return self.evaluate(instances, designs)

        num_campaigns, climbers = len(instances["centre"]), min(max(32, 4 * self.layers), 80)
        x, _ = climb(
            values_of,
            num_campaigns,
            self.layers,
            scatter=8192,
            climbers=climbers,
            max_iterations=20,
        )
        x = quasi_newton(values_of, x, max_iterations=60)
        top = np.argsort(-values_of(x), axis=1, kind="stable")[:, :_FINALISTS, None]
        finalists = quasi_newton(values_of, np.take_along_axis(x, top, axis=1), max_iterations=300)
        finalists = finalists.astype(np.float32)
        values = values_of(finalists)
        return finalists[np.arange(num_campaigns), values.argmax(axis=1)], values.max(axis=1)


@cache
def index_table(materials: tuple[str, ...]) -> Floats:
    """Indices of refraction at 400, 405, ... 1000 nm, (materials, 121)."""
    table = load_table("optics")
    names = list(table["materials"])
    index: Floats = table["index"][[names.index(name) for name in materials]] / 1e6
    return index


def reflectance(thicknesses: Floats, indices: Floats, wavelengths: Floats, angle: float) -> Floats:
    """What stacks of two transparent materials on a third reflect of unpolarised light, (m, W).

    The characteristic matrix of a film that does not absorb has a real diagonal and an imaginary
    rest, so that the field of each polarisation is two pairs of real numbers that do not mix.

    Args:
        thicknesses: (m, layers), the first on the substrate, the last in air.
        indices: (3, m, W) of the first, third, ... and of the second, fourth, ... layer, and of the
            substrate.
        wavelengths: (m, W) in vacuum, in the unit of thicknesses.
        angle: Of incidence in air, in degrees.
    """
    sine, cosine = np.sin(np.radians(angle)), np.cos(np.radians(angle))
    tilts = np.sqrt(1 - (sine / indices) ** 2)  # cosines in the materials, (3, m, W)
    turns = np.pi * indices[:2] * tilts[:2] / wavelengths  # half the phase by thickness
    # Admittances, by polarisation; at normal incidence there is but one.
    admittances = [indices * tilts] if angle == 0 else [indices * tilts, indices / tilts]
    impedances = [1 / a for a in admittances]
    outside = [cosine, 1 / cosine]
    # Electric field E and magnetic field H: Re E and Im H; Im E and Re H.
    fields = [
        [np.ones_like(a[2]), np.zeros_like(a[2]), np.zeros_like(a[2]), a[2]] for a in admittances
    ]
    for layer in range(thicknesses.shape[1]):
        kind = layer % 2
        half = np.tan(turns[kind] * thicknesses[:, layer, None])  # dearer: sine and cosine
        across = 2 * half / (1 + half * half)
        along = 1 - half * across
        for polarisation, (e_real, h_imag, e_imag, h_real) in enumerate(fields):
            up = across * impedances[polarisation][kind]
            down = across * admittances[polarisation][kind]
            fields[polarisation] = [
                along * e_real - up * h_imag,
                along * h_imag + down * e_real,
                along * e_imag + up * h_real,
                along * h_real - down * e_imag,
            ]
    reflected = np.zeros_like(wavelengths, np.float64)
    for (e_real, h_imag, e_imag, h_real), air in zip(fields, outside, strict=False):
        back = (air * e_real - h_real) ** 2 + (air * e_imag - h_imag) ** 2
        forth = (air * e_real + h_real) ** 2 + (air * e_imag + h_imag) ** 2
        reflected += back / forth
    return reflected / len(fields)
