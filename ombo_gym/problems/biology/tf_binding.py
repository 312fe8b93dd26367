"""Measured DNA binding of 41 human transcription factors to every 8-mer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import CategoricalDesigns, Designs
from ombo_gym.problems.core.base import Instances, Problem, collection_size
from ombo_gym.problems.core.checks import is_list, one_of
from ombo_gym.problems.data import load_table, table_file
from ombo_gym.randomness import BatchedGenerator

LENGTH = 8
_DESIGNS = 4**LENGTH
_SPACE = CategoricalDesigns([4] * LENGTH, alphabet="ACGT")
_SUFFIX = "_REF_R1"

# Close relatives stand on one side: PAX, POU, HOX, GFI1, EGR/KLF/WT1, NKX2, nuclear receptors,
# CRX/PITX2. Broad classes, homeobox and C2H2 zinc fingers, are on both.
TRAIN_FACTORS = tuple(
    f"{name}{_SUFFIX}"
    for name in (
        "ARX EGR2 ESX1 GFI1B GFI1 HESX1 HOXB7 HOXC4 HOXD13 ISX KLF11 KLF1 MSX2 PAX3 PAX4 PAX6 "
        "PAX7 PBX4 PHOX2B POU3F4 POU4F3 POU6F2 PROP1 SNAI2 VAX2 VENTX VSX1 VSX2 WT1"
    ).split()
)
TEST_FACTORS = tuple(
    f"{name}{_SUFFIX}"
    for name in ("BCL6 CRX FOXC1 NKX2-5 NKX2-8 NR1H4 NR2E3 OVOL2 PITX2 SIX6 ZNF200 ZNF655").split()
)
SPLITS = {
    "all": tuple(sorted(TRAIN_FACTORS + TEST_FACTORS)),
    "train": TRAIN_FACTORS,
    "test": TEST_FACTORS,
}


@cache
def _strands() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Codes of the listed 8-mers, (32,896,), and of their reverse complements."""
    listed = load_table("tf_binding")["designs"].astype(np.int64)
    complement = 3 - _SPACE.decode(listed)[:, ::-1]
    return listed, _SPACE.encode(complement)


@cache
def landscape(factor: str) -> NDArray[np.float64]:
    """Scores of all 65,536 designs by code, scaled to [0, 1] within the factor, read-only."""
    table = load_table("tf_binding")
    scores = (
        table["scores"][list(table["factors"]).index(factor)] / 100_000
    )  # E-scores as published
    scaled = (scores - scores.min()) / (scores.max() - scores.min())
    values = np.empty(_DESIGNS)
    for strand in _strands():
        values[strand] = scaled
    values.setflags(write=False)
    return values


@cache
def visible_designs(factor: str, percentile: float) -> NDArray[np.int8]:
    """The listed designs at or below a percentile, (n, 8), read-only.

    The list is that of Design-Bench: both strands of every 8-mer, 65,792 rows in all,
    palindromes twice.
    """
    codes = np.concatenate(_strands())
    values = landscape(factor)[codes]
    below = codes[values <= np.percentile(values, percentile)]
    designs = _SPACE.decode(below).astype(np.int8)  # an eighth of the memory that draws look up
    designs.setflags(write=False)
    return designs


class TFBinding(Problem):
    """Binding of every DNA 8-mer by a transcription factor that each campaign draws.

    A design is a DNA sequence of 8 letters, A, C, G, T as 0 to 3: 65,536 in all. Its value is how
    well the factor binds it: the E-score of a protein-binding microarray, scaled to [0, 1] within
    each factor (0 is its worst and 1 its best sequence; a rank statistic without a unit). A
    sequence and its reverse complement are the same molecule and have the same value. Every design
    was measured, once: true values are measurements, and there is no noise unless `noise_std` adds
    some.

    An instance is one of 41 human transcription factors, the reference alleles of a survey of
    variants. For training and testing they are split into 29 and 12 such that close relatives (PAX,
    POU, HOX, GFI1, EGR with KLF and WT1, NKX2, nuclear receptors, CRX with PITX2) stand on one
    side. Broad classes, homeobox and C2H2 zinc fingers, are on both, so that test factors are not
    wholly new: of its best hundredth of sequences (of the two strands one counts) a test factor
    shares at most 17% with a single training factor (CRX with PAX3), but up to 40% (NR2E3) with
    all 29 of them together, 3% at least and 17% in the median.

    A campaign starts with 64 designs of the lower half: the best lie beyond what it shows. The
    optimum, which is score 1, is 1 for every factor; `reference`, for campaigns without a start, is
    0, the worst design.

    Args:
        split: "all" 41 factors, 29 "train" or 12 "test" ones.
        factors: The factors themselves, instead of a split.

    Raises:
        ValueError: An unknown split or factor.

    References:
        Barrera et al., Survey of variation in human transcription factors reveals prevalent DNA
        binding changes, Science 351, 2016.

        Trabucco et al., Design-Bench: Benchmarks for Data-Driven Offline Model-Based Optimization,
        ICML 2022.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/TFBinding-v0", split="test", horizon=3)
        >>> observation, info = env.reset(seed=0)
        >>> observation, reward, *_, info = env.step(env.action_space.sample())
        >>> word = env.unwrapped.design_space.text(observation["designs"][0])  # such as "ACGTTACA"
    """

    domain: ClassVar[str] = "DNA"
    rounds: ClassVar[tuple[int, int]] = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "percentile", "percentile": 50, "size": 64}
    splits = tuple(sorted(SPLITS))
    optimum_known = True
    optimum_exact = True
    sources = (table_file("tf_binding"),)

    def __init__(self, *, split: str = "all", factors: Sequence[str] | None = None) -> None:
        self.design_space = _SPACE
        known = SPLITS["all"]
        if factors is not None and not (
            is_list(factors) and all(isinstance(each, str) and each in known for each in factors)
        ):
            raise ValueError(
                f"factors: expected a list of names among {list(known)}, got {factors!r}"
            )
        if factors is not None and split != "all":
            raise ValueError(f"split: it goes without factors, got {split!r} with {factors!r}")
        self.factors = SPLITS[split] if factors is None else tuple(factors)
        self._landscapes: NDArray[np.float64] | None = None  # (factors, 65,536), on first use

    def __getstate__(self) -> dict[str, Any]:
        """Pickles without the tables, which every process reads for itself."""
        return {**self.__dict__, "_landscapes": None}

    def landscapes(self) -> NDArray[np.float64]:
        """Scores of all designs, (factors, 65,536)."""
        if self._landscapes is None:
            self._landscapes = np.stack([landscape(factor) for factor in self.factors])
        return self._landscapes

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"factor": rngs.below(len(self.factors))}

    def instance_count(self) -> int | None:
        """The number of factors, where there are several."""
        return collection_size(len(self.factors))

    @override
    def instances_numbered(self, numbers: NDArray[np.int64]) -> Instances:
        return {"factor": numbers}

    @override
    def instance_numbers(self, instances: Instances) -> NDArray[np.int64]:
        return instances["factor"]

    @override
    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        values: NDArray[np.float64]
        values = self.landscapes()[instances["factor"][:, None], _SPACE.encode(designs)]
        return values

    @override
    def optimum(self, instances: Instances) -> NDArray[np.float64]:
        return np.ones(len(instances["factor"]))  # every factor's scores are scaled to [0, 1]

    @override
    def visible(self, instances: Instances, percentile: float) -> Sequence[Designs]:
        return [visible_designs(self.factors[i], percentile) for i in instances["factor"]]

    @override
    def visible_sizes(self, percentile: float) -> tuple[int, int]:
        sizes = [len(visible_designs(factor, percentile)) for factor in self.factors]
        return min(sizes), max(sizes)


class TFBind8(TFBinding):
    """TF-Bind-8, the offline task of Design-Bench: binding of DNA 8-mers by one factor.

    A design is a DNA sequence of 8 letters, A, C, G, T as 0 to 3: 65,536 in all. Its value is how
    well a human transcription factor binds it, by default SIX6: the E-score of a protein-binding
    microarray, scaled to [0, 1] (0 is the worst and 1 the best sequence; a rank statistic without a
    unit). A sequence and its reverse complement have the same value. Every design was measured,
    once: true values are measurements, and there is no noise unless `noise_std` adds some. There is
    one instance; `Ombo/TFBinding-v0` draws one of 41 factors for each campaign.

    A campaign starts with the visible half of the offline task: all 32,898 listed rows at or below
    the median (each strand is listed, palindromes twice), of which the best has 0.439 with SIX6.
    That is right for offline methods, N = 1, and slow for training: there
    `start={"kind": "percentile", "size": 64}` draws 64 of them. The optimum, which is score 1, is
    1; `reference` is 0, the worst design.

    Args:
        factor: One of the 41 names, which the error for an unknown one lists.

    Raises:
        ValueError: An unknown factor.

    References:
        Barrera et al., Survey of variation in human transcription factors reveals prevalent DNA
        binding changes, Science 351, 2016.

        Trabucco et al., Design-Bench: Benchmarks for Data-Driven Offline Model-Based Optimization,
        ICML 2022.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/TFBind8-v0", horizon=1, batch_size=128, utility="last_max")
        >>> observation, info = env.reset(seed=0)
        >>> observation, reward, *_, info = env.step(env.action_space.sample())
    """

    start: ClassVar[dict[str, Any]] = {"kind": "percentile", "percentile": 50}
    splits = ("all",)

    def __init__(self, *, factor: str = "SIX6_REF_R1") -> None:
        super().__init__(factors=[one_of("factor", factor, SPLITS["all"])])
