"""Four problems as they come up at the bench, a new instance of each for every seed.

Nothing here is a problem of `ombo_gym`, a draw from a Gaussian process, or anything that a policy
was tuned on. An instance is a function of its seed alone; values are yields, from 0 to 100, where
100 is the best that the instance has, so that 2 points are 2% of the range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
Design = Mapping[str, Any]  # a value for each parameter, in its own units
Parameters = dict[str, Any]  # as in a space file: {"range": [low, high]}, numbers, or texts

TARGET = "yield"


@dataclass(frozen=True)
class Instance:
    """One objective, with what a tool may know of it.

    Attributes:
        parameters: As in a space file.
        mixture: Names of parts that sum to 100; none where it is no mixture.
        raw: Values before scaling, (n,), of columns of (n,).
        top: The raw value that counts as 100.
        bottom: The raw value that counts as 0.
        noise_std: Of a measurement, in points.
    """

    parameters: Parameters
    raw: Callable[[Mapping[str, NDArray[Any]]], Floats] = field(repr=False)
    top: float
    bottom: float = 0.0
    mixture: tuple[str, ...] = ()
    noise_std: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Of what a design has, parts of a mixture last."""
        return (*self.parameters, *self.mixture)

    def values(self, designs: Sequence[Design]) -> Floats:
        """True yields, (n,).

        Raises:
            ValueError: A design that is not of this space.
        """
        self.check(designs)
        columns = {name: np.array([design[name] for design in designs]) for name in self.names}
        return 100 * (self.raw(columns) - self.bottom) / (self.top - self.bottom)

    def check(self, designs: Sequence[Design]) -> None:
        """Refuses what is outside the space: a tool that proposes such has misread it."""
        for row, design in enumerate(designs):
            if set(design) != set(self.names):
                raise ValueError(
                    f"design {row}: expected {', '.join(self.names)}, got {', '.join(design)}"
                )
            for name, kind in self.parameters.items():
                if not _allowed(design[name], kind):
                    raise ValueError(f"design {row}: expected {name} in {kind}, got {design[name]}")
            parts = [design[name] for name in self.mixture]
            if parts and not (min(parts) >= -1e-6 and abs(sum(parts) - 100) < 1e-3):
                raise ValueError(f"design {row}: expected parts that sum to 100, got {parts}")

    def draw(self, rng: np.random.Generator, size: int) -> list[dict[str, Any]]:
        """Designs, uniformly at random and distinct."""
        drawn: list[dict[str, Any]] = []
        while len(drawn) < size:
            design = {name: _drawn(kind, rng) for name, kind in self.parameters.items()}
            shares = rng.dirichlet(np.ones(len(self.mixture))) if self.mixture else ()
            design |= {
                name: 100 * float(share) for name, share in zip(self.mixture, shares, strict=True)
            }
            if design not in drawn:
                drawn.append(design)
        return drawn


def _allowed(value: Any, kind: Any) -> bool:
    if isinstance(kind, dict):
        low, high = kind["range"]
        slack = 1e-6 * (high - low)
        return bool(low - slack <= value <= high + slack)
    return value in kind


def _drawn(kind: Any, rng: np.random.Generator) -> Any:
    if isinstance(kind, dict):
        return float(rng.uniform(*kind["range"]))
    return kind[int(rng.integers(len(kind)))]


# --- (A) a screen of 2,880 combinations -----------------------------------------------------------

_SCREEN: Parameters = {
    "ligand": ["XPhos", "SPhos", "RuPhos", "dppf", "PPh3", "PCy3"],
    "base": ["K3PO4", "Cs2CO3", "KOtBu", "Et3N"],
    "solvent": ["dioxane", "toluene", "DMF", "water"],
    "temperature": [40, 60, 80, 100, 120],
    "loading": [0.5, 1, 2, 3, 4, 5],
}


def screen(seed: int) -> Instance:
    """(A) A coupling: 6 ligands, 4 bases, 4 solvents, 5 temperatures, 6 loadings.

    The logit of the yield is a sum of effects of the three reagents (standard deviation 1), of
    interactions of ligand with solvent and of base with solvent (0.5), of a parabola in temperature
    whose top each ligand has elsewhere, and of a loading that saturates. Scaled so that the best of
    the 2,880 is 100 and the worst 0.
    """
    rng = np.random.default_rng([seed, 1])
    kinds = [_SCREEN[name] for name in ("ligand", "base", "solvent")]
    effects = [rng.normal(size=len(kind)) for kind in kinds]
    with_ligand = 0.5 * rng.normal(size=(6, 4))  # (ligands, solvents)
    with_base = 0.5 * rng.normal(size=(4, 4))  # (bases, solvents)
    tops = rng.uniform(55, 115, size=6)  # (ligands,) degrees
    half = rng.uniform(0.5, 2.0)  # mol% at which half of the effect of the loading is there

    def raw(columns: Mapping[str, NDArray[Any]]) -> Floats:
        ligand, base, solvent = (
            np.array([kind.index(value) for value in columns[name].tolist()])
            for name, kind in zip(("ligand", "base", "solvent"), kinds, strict=True)
        )
        loading = columns["loading"].astype(np.float64)
        logit = (
            effects[0][ligand]
            + effects[1][base]
            + effects[2][solvent]
            + with_ligand[ligand, solvent]
            + with_base[base, solvent]
            - ((columns["temperature"] - tops[ligand]) / 30) ** 2
            + 3 * loading / (loading + half)
            - 3
        )
        return np.asarray(1 / (1 + np.exp(-logit)), np.float64)

    everything = raw(_grid(_SCREEN))
    return Instance(_SCREEN, raw, float(everything.max()), float(everything.min()))


def _grid(parameters: Parameters) -> dict[str, NDArray[Any]]:
    """All combinations of levels and choices, in columns of (n,)."""
    rows = list(product(*parameters.values()))
    return {
        name: np.array(column)
        for name, column in zip(parameters, zip(*rows, strict=True), strict=True)
    }


# --- (B) a process, (C) a mixed space -------------------------------------------------------------

_PROCESS: Parameters = {
    "temperature": {"range": [25, 140]},
    "time": {"range": [0.5, 24]},
    "equivalents": {"range": [1, 4]},
    "concentration": {"range": [0.05, 1]},
    "stirring": {"range": [200, 1000]},
    "flow": {"range": [0.1, 10]},
}
_MIXED: Parameters = {
    "catalyst": ["A", "B", "C", "D", "E"],
    "solvent": ["MeCN", "THF", "toluene", "EtOH"],
    "temperature": {"range": [25, 140]},
    "time": {"range": [0.5, 24]},
    "equivalents": {"range": [1, 4]},
}
_GAS = 8.314e-3  # kJ/mol/K


def in_series(k1: Floats, k2: Floats, hours: Floats) -> Floats:
    """Share of the product P in A -> P -> waste, first order, after so many hours, (n,)."""
    gap = np.maximum(np.abs(k2 - k1), 1e-9 * k1)
    slower = np.exp(-np.minimum(k1, k2) * hours)
    return np.asarray(k1 * slower * -np.expm1(-gap * hours) / gap, np.float64)


def _rate(log_rate: Any, energy: Any, celsius: Floats) -> Floats:
    """Arrhenius, from the logarithm of the rate (1/h) at 80 degrees and the energy (kJ/mol)."""
    inverse = 1 / (celsius + 273.15) - 1 / 353.15
    return np.asarray(np.exp(log_rate - energy / _GAS * inverse), np.float64)


def _bump(x: Floats, top: Any, below: float, above: float) -> Floats:
    """1 at the top, and falling with another width on either side."""
    width = np.where(x < top, below, above)
    return np.asarray(np.exp(-0.5 * ((x - top) / width) ** 2), np.float64)


def process(seed: int) -> Instance:
    """(B) A process in six ranges, of which stirring and flow do nothing; noise of 3 points.

    The product forms and decays in series, with rates by Arrhenius, so that temperature and time
    trade off along a ridge; equivalents and concentration have a best value each and fall off more
    steeply on one side. Rates, energies and best values are drawn.
    """
    rng = np.random.default_rng([seed, 2])
    forms = rng.uniform(np.log(0.3), np.log(3.0)), rng.uniform(40, 70)
    decays = forms[0] - rng.uniform(np.log(3), np.log(30)), forms[1] + rng.uniform(20, 50)
    tops = rng.uniform(1.5, 3.5), rng.uniform(0.2, 0.85)

    def raw(columns: Mapping[str, NDArray[Any]]) -> Floats:
        temperature, hours, equivalents, concentration = (
            columns[name].astype(np.float64)
            for name in ("temperature", "time", "equivalents", "concentration")
        )
        share = in_series(_rate(*forms, temperature), _rate(*decays, temperature), hours)
        excess = _bump(equivalents, tops[0], 0.6, 1.2)
        return share * excess * _bump(concentration, tops[1], 0.15, 0.3)

    # Equivalents and concentration are best by themselves; the rest is temperature and time.
    still = {"equivalents": tops[0], "concentration": tops[1]}
    return Instance(_PROCESS, raw, _top(raw, _PROCESS, still), noise_std=3.0)


def mixed(seed: int) -> Instance:
    """(C) 5 catalysts, 4 solvents, temperature, time and equivalents, without noise.

    As the process, but each catalyst has rates and energies of its own, which solvents shift, and
    equivalents have another best value in each solvent.
    """
    rng = np.random.default_rng([seed, 3])
    forms = rng.uniform(np.log(0.1), np.log(5.0), size=5), rng.uniform(40, 70, size=5)
    gaps = rng.uniform(np.log(1.5), np.log(30), size=5), rng.uniform(10, 50, size=5)
    shifts = rng.normal(0, 0.7, size=(2, 4))  # of the logarithms of both rates, by solvent
    tops = rng.uniform(1.5, 3.5, size=4)  # (solvents,)

    def raw(columns: Mapping[str, NDArray[Any]]) -> Floats:
        catalyst, solvent = (
            np.array([_MIXED[name].index(value) for value in columns[name].tolist()])
            for name in ("catalyst", "solvent")
        )
        temperature, hours, equivalents = (
            columns[name].astype(np.float64) for name in ("temperature", "time", "equivalents")
        )
        k1 = _rate(forms[0][catalyst] + shifts[0, solvent], forms[1][catalyst], temperature)
        logs = (forms[0] - gaps[0])[catalyst] + shifts[1, solvent]
        k2 = _rate(logs, (forms[1] + gaps[1])[catalyst], temperature)
        excess = _bump(equivalents, tops[solvent], 0.8, 1.6)
        return in_series(k1, k2, hours) * excess

    best = max(
        _top(raw, _MIXED, {"catalyst": a, "solvent": b, "equivalents": tops[j]}, points=31)
        for a in _MIXED["catalyst"]
        for j, b in enumerate(_MIXED["solvent"])
    )
    return Instance(_MIXED, raw, best)


def _top(
    raw: Callable[[Mapping[str, NDArray[Any]]], Floats],
    parameters: Parameters,
    still: Design,
    *,
    points: int = 101,
) -> float:
    """The highest value over temperature and time, the rest standing still.

    Args:
        raw: Values before scaling.
        parameters: As in a space file.
        still: What all other parameters are.
        points: A side of the grid that the search begins with.
    """
    low, high = np.array([parameters[name]["range"] for name in ("temperature", "time")]).T

    def at(pairs: Floats) -> Floats:
        columns = {name: np.full(len(pairs), value) for name, value in still.items()}
        return raw({**columns, "temperature": pairs[:, 0], "time": pairs[:, 1]})

    axes = (np.linspace(a, b, points) for a, b in zip(low, high, strict=True))
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)  # (points ** 2, 2)
    values = at(grid)
    found = minimize(
        lambda x: -float(at(x[None])[0]),
        grid[values.argmax()],
        method="Nelder-Mead",
        bounds=list(zip(low, high, strict=True)),
        options={"xatol": 1e-6, "fatol": 1e-12, "maxiter": 2000},
    )
    return max(float(values.max()), -float(found.fun))


# --- (D) a mixture --------------------------------------------------------------------------------

_PARTS = ("resin", "hardener", "filler", "plasticiser", "solvent")


def mixture(seed: int) -> Instance:
    """(D) Five parts that sum to 100, without noise.

    The hardness of a coat: best near one ratio of hardener to resin, carried by resin and hardener
    together, stiffened by filler up to a share, and softened by what does not bind. Ratio, shares
    and strengths are drawn.
    """
    rng = np.random.default_rng([seed, 4])
    ratio, width = rng.uniform(0.2, 0.9), rng.uniform(0.25, 0.5)
    carried = rng.uniform(0.45, 0.7)  # share of binder that is best
    tops = rng.uniform([0.1, 0.05], [0.3, 0.2])  # shares of filler and plasticiser that are best
    falls = rng.uniform(1.0, 2.0, size=3)

    def raw(columns: Mapping[str, NDArray[Any]]) -> Floats:
        shares = np.stack([columns[name].astype(np.float64) / 100 for name in _PARTS], axis=-1)
        resin, hardener, filler, plasticiser, _ = np.maximum(shares, 0).T
        logs = np.log((hardener + 0.02) / (resin + 0.02)) - np.log(ratio)
        cured = 1 / (1 + (logs / (2 * width)) ** 2)
        return np.asarray(
            cured
            * _bump(resin + hardener, carried, 0.2 * falls[0], 0.25 * falls[0])
            * _bump(filler, tops[0], 0.12 * falls[1], 0.2 * falls[1])
            * _bump(plasticiser, tops[1], 0.1 * falls[2], 0.15 * falls[2]),
            np.float64,
        )

    return Instance({}, raw, _top_of_mixture(raw), mixture=_PARTS)


def _top_of_mixture(raw: Callable[[Mapping[str, NDArray[Any]]], Floats]) -> float:
    """The highest value over the parts, from the best of a grid on."""

    def at(points: Floats) -> Floats:
        whole = np.concatenate([points, 100 - points.sum(axis=1, keepdims=True)], axis=1)
        inside = (whole >= 0).all(axis=1)
        return np.where(inside, raw(dict(zip(_PARTS, whole.T, strict=True))), -1.0)

    steps = np.arange(0, 101, 5.0)
    grid = np.stack(np.meshgrid(*[steps] * 4), axis=-1).reshape(-1, 4)
    grid = grid[grid.sum(axis=1) <= 100]  # (10626, 4)
    values = at(grid)
    best = 0.0
    for start in grid[np.argsort(-values)[:3]]:
        found = minimize(
            lambda x: -float(at(x[None])[0]),
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-6, "fatol": 1e-12, "maxiter": 5000, "maxfev": 5000},
        )
        best = max(best, -float(found.fun))
    return best


PROBLEMS: Mapping[str, Callable[[int], Instance]] = {
    "screen": screen,
    "process": process,
    "mixed": mixed,
    "mixture": mixture,
}
"""The instance of a seed, by the problem's name; (A), (B), (C) and (D) in this order."""
