"""A prior that was learnt from a family of objectives: what it is, and reading it from a folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.design_spaces.part import PartOfDesigns
from ombo_gym.design_spaces.values import is_number
from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.kernels import KERNELS
from ombo_gym.surrogates.learned_basis import (
    Basis,
    Embedding,
    Identity,
    InterpolatedBasis,
    Network,
    NoBasis,
    TableBasis,
)
from ombo_gym.surrogates.learned_correlation import LearnedCorrelation
from ombo_gym.surrogates.learned_file import DamagedFile, read_tensors
from ombo_gym.surrogates.learned_scale import ScalePrior

Floats = NDArray[np.float64]
Tensors = Mapping[str, NDArray[Any]]

TENSORS, CONFIG, AGENT, FORMAT = "prior.safetensors", "config.json", "prior", 1
KINDS = ("tables", "interp", "deep")
_LISTED, _PIECE = 100_000, 4_096  # designs that are looked at, in all and at once
_LARGEST_LOG = 100
_LARGEST_CONFIG = 2**26  # bytes
_SCALE = ("log_scale", "log_scale_sd", "offset", "offset_slope", "offset_sd", "curvature")
_NOT_NEGATIVE = ("curvature",)
_POSITIVE = ("residual_variance", "noise", "calibration", "log_scale_sd", "offset_sd")


@dataclass(frozen=True, eq=False)
class LearnedPrior:
    """What objectives of a family are like, before a value of a new one is seen.

    Attributes:
        basis: Mean, spread and loadings, in standardised values.
        embedding: What the residual kernel sees of features.
        residual: The residual kernel, of one campaign.
        residual_variance: Its variance.
        noise: Variance of a measurement, all in standardised units.
        calibration: Factor of variances by which 95% intervals hold what they say.
        scale: Of an instance's scale and offset, in the values' units.
        climbing_unit: (1 or k,) how far apart designs are that differ, in features.
        promising: (P, *shape) designs that are worth looking at in every campaign.
        portfolio: (L, *shape) designs that are best on average, in turn.
        space: The design space; None: of no matter.
    """

    basis: Basis
    embedding: Embedding
    residual: Correlation
    residual_variance: float
    noise: float
    calibration: float
    scale: ScalePrior
    climbing_unit: Floats
    promising: Designs
    portfolio: Designs
    space: DesignSpace | None = None
    _kept: tuple[Floats, Floats] | None = field(default=None, init=False, repr=False)

    def correlation(
        self,
        rows: int,
        offset_variance: Floats | None = None,
        offset_mean: Floats | None = None,
    ) -> LearnedCorrelation:
        """Covariances and means of R campaigns.

        Args:
            rows: R.
            offset_variance: (R,) of the offset; None: 0.
            offset_mean: (R,) its mean; None: 0.
        """
        tiled, nothing = self.residual.tiled(rows), np.zeros(rows)
        return LearnedCorrelation(
            tiled.kernel,
            tiled.unit,
            tiled.categories,
            tiled.weights,
            basis=self.basis,
            embedding=self.embedding,
            residual_variance=self.residual_variance,
            offset_variance=nothing if offset_variance is None else offset_variance,
            offset_mean=nothing if offset_mean is None else offset_mean,
            curvature=self.scale.curvature,
        )

    @cached_property
    def everything(self) -> tuple[Designs, Floats] | None:
        """All designs of a finite space that has not too many, and their basis (M, 2 + r)."""
        space = self.space
        if space is None or space.size is None or space.size > _LISTED:
            return None
        designs, pieces = space.decode(np.arange(space.size)), []
        for first in range(0, len(designs), _PIECE):
            features = space.features(designs[first : first + _PIECE])
            pieces.append(self.basis.at(features[None])[0])
        return designs, np.concatenate(pieces)

    def lifted(self, features: Floats) -> Floats:
        """Listed designs (M, k) as covariances take them, (K, M); kept for the next time."""
        if self._kept is None or self._kept[0] is not features:
            correlation = self.correlation(1)
            lifted = correlation.lifted(correlation.scaled(features[None]))[0]
            object.__setattr__(self, "_kept", (features, lifted))
        assert self._kept is not None
        return self._kept[1]


def read_prior(path: Any, space: DesignSpace) -> LearnedPrior:
    """The prior in a folder that `ombo train --agent prior` wrote, for a design space.

    Args:
        path: The folder.
        space: Of the campaigns, which is the training instances'.

    Raises:
        ValueError: There is none, it is damaged, or it is of another design space; says which.
    """
    if not isinstance(path, str | Path) or not str(path):
        raise ValueError(
            'surrogate: "learned" needs a path, the folder of a prior that \'ombo train --agent '
            f"prior' wrote, got {shown(path)}"
        )
    folder = Path(path)
    stamps = []
    for name in (CONFIG, TENSORS):
        file = folder / name
        if not file.is_file():
            raise ValueError(
                f"surrogate: expected {name} in the folder {folder}, which 'ombo train --agent "
                "prior' writes, got no such file"
            )
        stamps.append((file.stat().st_mtime_ns, file.stat().st_size))
    return _read(folder.absolute(), tuple(stamps), space)


@lru_cache(maxsize=8)
def _read(folder: Path, stamps: tuple[Any, ...], space: DesignSpace) -> LearnedPrior:
    """As `read_prior`; kept for the process until a file changes."""
    config = prior_config(folder)
    whole = space.whole if isinstance(space, PartOfDesigns) else space
    expected, came = config["design_space"], described(whole)
    words = expected.get("words")
    if expected["digest"] != came["digest"] and (words is None or words != came.get("words")):
        raise ValueError(
            f"surrogate: the prior {folder} is of other designs, {expected['summary']}: expected "
            f"campaigns of its own design space, got {came['summary']}; train one for these"
        )
    try:
        prior = built(config, read_tensors(folder / TENSORS), whole)
        return _of_part(prior, space) if isinstance(space, PartOfDesigns) else prior
    except DamagedFile as error:
        raise ValueError(f"surrogate: {error}; train it again") from None


def _of_part(prior: LearnedPrior, part: PartOfDesigns) -> LearnedPrior:
    """A prior of a whole as one of some of its designs, whose features are the same."""
    promising, portfolio = part.those_of(prior.promising), part.those_of(prior.portfolio)
    return replace(prior, space=part, promising=promising, portfolio=portfolio)


def described(space: DesignSpace) -> dict[str, str]:
    """A design space in a few words, and a digest by which it is told from others.

    Words of one length over some letters are the same designs whatever their positions are called,
    in a space file say; `words` says which these are.
    """
    found = space.to_dict()
    text = json.dumps(found, sort_keys=True)
    words = _words(found)
    said = {"summary": space.summary, "digest": hashlib.sha256(text.encode()).hexdigest()}
    return said if words is None else {**said, "words": words}


def _words(space: Mapping[str, Any]) -> str | None:
    """Letters and length, where designs are words of one length; None of all other spaces.

    Args:
        space: As `DesignSpace.to_dict` writes it.
    """
    if set(space) == {"kind", "categories", "alphabet"}:
        letters, length = list(space["alphabet"]), len(space["categories"])
        if set(space["categories"]) != {len(letters)}:
            return None
    elif set(space) == {"kind", "parameters"} and isinstance(space["parameters"], Mapping):
        positions = [written for _, written in space["parameters"].get("each", [])]
        if not positions or any(written != positions[0] for written in positions):
            return None
        if not isinstance(positions[0], Mapping) or set(positions[0]) != {"choices"}:
            return None
        letters, length = positions[0]["choices"], len(positions)
    else:
        return None
    single = all(isinstance(letter, str) and len(letter) == 1 for letter in letters)
    return f"{length} of {''.join(letters)}" if single else None


def prior_config(folder: Path) -> dict[str, Any]:
    """The configuration of a prior, checked.

    Raises:
        ValueError: It is damaged, or a policy's; says which.
    """
    file = folder / CONFIG
    try:
        if (size := file.stat().st_size) > _LARGEST_CONFIG:
            raise ValueError(f"{size:,} bytes")
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"surrogate: expected a readable {file}, got {reason}") from None
    if not isinstance(config, dict) or config.get("agent") != AGENT:
        raise ValueError(
            f"surrogate: expected the folder of a prior, which 'ombo train --agent prior' writes, "
            f"got {folder}, whose {CONFIG} is another agent's"
        )
    if (damage := _why_damaged(config)) is not None:
        raise ValueError(f"surrogate: {file} is damaged: {damage}; train it again")
    return config


def _why_damaged(config: Mapping[str, Any]) -> str | None:
    """What is wrong with a configuration; None: nothing."""
    if config.get("format") != FORMAT:
        return f"expected the format {FORMAT}, got {shown(config.get('format'))}"
    kernel = config.get("kernel")
    if config.get("kind") not in KINDS:
        return f"expected a kind among {list(KINDS)}, got {shown(config.get('kind'))}"
    if not isinstance(kernel, str) or kernel not in KERNELS:
        return f"expected a kernel among {sorted(KERNELS)}, got {shown(kernel)}"
    space, scale = config.get("design_space"), config.get("scale")
    if not isinstance(space, dict) or not {"summary", "digest"} <= set(space):
        return "expected the design_space that it is of"
    if not isinstance(scale, dict) or not set(_SCALE) <= set(scale):
        return f"expected a scale with {list(_SCALE)}, got {shown(scale)}"
    named = {key: config.get(key) for key in ("residual_variance", "noise", "calibration")}
    numbers: dict[str, Any] = {**named, **scale}
    for key, number in numbers.items():
        if not is_number(number) or not np.isfinite(number):
            return f"expected a finite number as {key}, got {shown(number)}"
        if key.startswith("log_scale") and abs(number) > _LARGEST_LOG:
            return f"expected {key} from -{_LARGEST_LOG} to {_LARGEST_LOG}, got {shown(number)}"
        if key in _POSITIVE and number <= 0:
            return f"expected a positive {key}, got {shown(number)}"
        if key in _NOT_NEGATIVE and number < 0:
            return f"expected a {key} of at least 0, got {shown(number)}"
    return None


def built(config: Mapping[str, Any], tensors: Tensors, space: DesignSpace) -> LearnedPrior:
    """A prior from what its folder holds.

    Args:
        config: Checked.
        tensors: `lengthscales` (k',) of the residual kernel and, where numbers and categories have
            kernels of their own, `weights` (3,); `promising` (P, *shape) and `portfolio`
            (L, *shape). Of "tables": `numbers` (size, 2 + r); of "interp": `anchors` (A, k), their
            `anchor_lengthscales` (k,) and `coefficients` (A, 2 + r); of "deep": `weight_0`,
            `bias_0`, ....
        space: The design space.

    Raises:
        DamagedFile: A tensor is missing, or of another shape.
    """
    features = space.features(space.canonical(_one_design(space)))
    width, categories = features.shape[-1], space.category_features
    embedding, climbing = _embedding(config, tensors, width)
    wide = tensor(tensors, "lengthscales", (embedding.width,))
    if not (wide > 0).all():
        raise DamagedFile("lengthscales that are not positive")
    weights = None if categories is None else tensor(tensors, "weights", (3,))[None]
    residual = Correlation(config["kernel"], wide[None], categories, weights)
    return LearnedPrior(
        basis=_basis(config, tensors, space, residual),
        embedding=embedding,
        residual=residual,
        residual_variance=float(config["residual_variance"]),
        noise=float(config["noise"]),
        calibration=float(config["calibration"]),
        scale=ScalePrior(*(float(config["scale"][name]) for name in _SCALE)),
        climbing_unit=wide if climbing else np.full(1, 0.5 * space.typical_distance),
        promising=_designs(tensors, "promising", space),
        portfolio=_designs(tensors, "portfolio", space),
        space=space,
    )


def _one_design(space: DesignSpace) -> Designs:
    """Any design, (1, *shape)."""
    return space.observation_space(1).low.astype(space.dtype)


def _embedding(config: Mapping[str, Any], tensors: Tensors, k: int) -> tuple[Embedding, bool]:
    """What the residual kernel sees, and whether its lengthscales are features'."""
    if config["kind"] != "deep":
        return Identity(k), True
    weights: list[Floats] = []
    biases: list[Floats] = []
    width = k
    while f"weight_{len(weights)}" in tensors or not weights:
        number = len(weights)
        biases.append(tensor(tensors, f"bias_{number}", (None,)))
        weights.append(tensor(tensors, f"weight_{number}", (width, len(biases[-1]))))
        width = len(biases[-1])
    return Network(weights, biases), False


def _basis(
    config: Mapping[str, Any], tensors: Tensors, space: DesignSpace, residual: Correlation
) -> Basis:
    if config["kind"] == "deep":
        return NoBasis()
    if config["kind"] == "interp":
        width = residual.unit.shape[1]
        anchors = tensor(tensors, "anchors", (None, width))
        coefficients = tensor(tensors, "coefficients", (len(anchors), None))
        wide = tensor(tensors, "anchor_lengthscales", (width,))
        return InterpolatedBasis(replace(residual, unit=wide[None]), anchors, coefficients)
    if space.size is None:
        raise DamagedFile("tables of a design space that has no end of designs")
    numbers = tensor(tensors, "numbers", (space.size, None))
    return TableBasis(space.features(space.decode(np.arange(space.size))), numbers)


def _designs(tensors: Tensors, name: str, space: DesignSpace) -> Designs:
    """Designs that are in their space, (m, *shape)."""
    found = tensors.get(name)
    if found is None or found.shape[1:] != space.shape:
        raise DamagedFile(f"no designs {name!r} of shape {space.shape}")
    inside = space.observation_space(1)
    if len(found) and not ((found >= inside.low[0]) & (found <= inside.high[0])).all():
        raise DamagedFile(f"designs {name!r} that are none of the design space")
    return space.canonical(found.astype(space.dtype))


def tensor(tensors: Tensors, name: str, shape: tuple[int | None, ...]) -> Floats:
    """A tensor of floats of a shape; None: any number of at least 1.

    Raises:
        DamagedFile: It is missing, or of another shape.
    """
    found = tensors.get(name)
    if found is None:
        raise DamagedFile(f"no tensor {name!r}")
    fits = len(found.shape) == len(shape) and all(
        (expected is None and came >= 1) or expected == came
        for expected, came in zip(shape, found.shape, strict=True)
    )
    if not fits:
        raise DamagedFile(f"{name!r} of shape {found.shape}, not {shape}")
    return found.astype(np.float64)
