"""RNA inverse folding: sequences that fold into a target structure."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import CategoricalDesigns, Designs
from ombo_gym.problems.core.base import Instances
from ombo_gym.problems.core.checks import is_whole, one_of
from ombo_gym.problems.core.simulated import Simulated, imported, require
from ombo_gym.randomness import BatchedGenerator

ALPHABET = "ACGU"
_LENGTH, _SHORTEST, _LONGEST = 30, 20, 100
_LONGEST_OWN = 400
_PAIRED = 0.4  # the least share of bases in pairs
_HAIRPIN = 3  # the fewest unpaired bases in a loop that a pair closes
_TEST = 5  # one structure in so many is a test structure
_SYMBOLS = np.frombuffer(b".()", "S1")
_LETTERS = np.frombuffer(ALPHABET.encode(), "S1")


class RNAFold(Simulated):
    """Inverse folding: RNA sequences whose ensemble of structures is close to a target.

    A design is a sequence of L bases, each A, C, G or U (categories 0 to 3), 4^L in all. Its value
    is 1 minus its normalised ensemble defect, maximised, from 0 to 1: the expected share of bases
    that are paired as in the target when the molecule folds at 37 degrees Celsius, by the nearest
    neighbour model of ViennaRNA with its default parameters. 1 means that every base is always
    paired as wanted. Values are exact: there is no noise unless `noise_std` asks for it, and every
    sequence is feasible.

    Each campaign draws a target of length L. Targets are minimum-free-energy structures of uniform
    random sequences, redrawn until at least 40% of the bases are paired, so that each is the best
    structure of some sequence. Targets whose dot-bracket string has a CRC-32 divisible by 5 are
    those of split "test", all others of "train": the splits share no structure. `target` fixes the
    structure instead. The instance holds it as 0 (unpaired), 1 (opens a pair) and 2 (closes one),
    see `RNAFold.structure`.

    The default start is 16 random sequences; `reference`, where there is none, is 0. The optimum is
    not known. Score 1 is the value 1, an upper bound that good designs of most targets come within
    a few hundredths of, and that none reaches.

    Args:
        length: L, from 20 to 100; 30 unless a target of one's own sets it.
        target: A structure of one's own in dot-bracket notation, of up to 400 bases.
        split: "all", "train" or "test" targets.
        workers: Processes that designs are folded in.

    Raises:
        ValueError: A length out of range, a target that is no structure, or an unknown split.
        ImportError: ViennaRNA is not installed.

    References:
        Lorenz et al., ViennaRNA Package 2.0, Algorithms for Molecular Biology 6:26, 2011.
        The ensemble defect: Zadeh, Wolfe and Pierce, Nucleic acid sequence design via efficient
        ensemble defect optimization, Journal of Computational Chemistry 32, 2011.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/RNAFold-v0", target="((((....))))....", batch_size=8)
        >>> observation, info = env.reset(seed=0)
        >>> observation, reward, *_ = env.step(env.action_space.sample())
    """

    domain = "RNA"
    rounds = (1, 20)
    extra = "rna"
    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 16}
    splits = ("all", "test", "train")
    best_known_is_bound = True

    def __init__(
        self,
        *,
        length: int | None = None,
        target: str | None = None,
        split: str = "all",
        workers: int = 1,
    ) -> None:
        one_of("split", split, self.splits)
        if target is None:
            length = _LENGTH if length is None else length
            if not is_whole(length) or not _SHORTEST <= length <= _LONGEST:
                raise ValueError(
                    f"length: expected a whole number from {_SHORTEST} to {_LONGEST}, "
                    f"got {length!r}"
                )
        else:
            check_structure(target)
            if split != "all":
                raise ValueError(f"split: it goes without a target, got {split!r} with {target!r}")
            if length is not None and length != len(target):
                raise ValueError(
                    f"length: expected that of the target, {len(target)}, got {length!r}"
                )
            length = len(target)
        require("RNAFold", "rna", "RNA")
        super().__init__(workers)
        self.target = target
        self.split = split
        self.design_space = CategoricalDesigns([len(ALPHABET)] * int(length), alphabet=ALPHABET)

    @property
    @override
    def simulator(self) -> Callable[..., NDArray[np.float64]]:
        return closeness

    @override
    def arguments(self, instances: Instances, row: int) -> tuple[Any, ...]:
        return (self.structure(instances, row),)

    @staticmethod
    def structure(instances: Instances, row: int = 0) -> str:
        """The target of a campaign in dot-bracket notation."""
        return str(_SYMBOLS[instances["target"][row]].tobytes(), "ascii")

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        target, split, length = self.target, self.split, self.design_space.shape[0]
        if target is None:
            return {"target": rngs.draw(lambda rng: _codes(_random_target(rng, length, split)))}
        return {"target": np.tile(_codes(target), (len(rngs), 1))}

    def best_known(self, instances: Instances) -> NDArray[np.float64]:
        """1, which bounds the values of every target from above."""
        return np.ones(len(instances["target"]))


def sequence(design: NDArray[np.integer[Any]]) -> str:
    """A design in letters."""
    return str(_LETTERS[design].tobytes(), "ascii")


def closeness(designs: Designs, structure: str) -> NDArray[np.float64]:
    """1 - normalised ensemble defect of sequences, (n, L) -> (n,)."""
    from RNA import fold_compound

    values = np.empty(len(designs))
    for i, design in enumerate(designs):
        fold = fold_compound(sequence(design))
        if len(design) > _LONGEST:  # partition functions overflow on the default scale
            fold.exp_params_rescale(fold.mfe()[1])
        fold.pf()
        values[i] = 1.0 - fold.ensemble_defect(structure)
    return np.clip(values, 0.0, 1.0)  # they round over


def check_structure(structure: Any) -> None:
    """Refuses what is no secondary structure.

    Raises:
        ValueError: Says what is wrong, and where.
    """

    def refuse(what: str) -> ValueError:
        return ValueError(f"target: expected a structure like '((((...))))', {what}")

    if not isinstance(structure, str):
        raise refuse(f"got {structure!r}")
    if len(structure) > _LONGEST_OWN:
        raise refuse(f"of at most {_LONGEST_OWN} bases, got {len(structure)}")
    opened: list[int] = []
    for position, symbol in enumerate(structure):
        if symbol == "(":
            opened.append(position)
        elif symbol == ")":
            if not opened:
                raise refuse(f"got ')' at {position} that closes nothing in {structure!r}")
            if position - opened.pop() <= _HAIRPIN:
                raise refuse(
                    f"got fewer than {_HAIRPIN} bases in the loop that ends at {position} "
                    f"in {structure!r}"
                )
        elif symbol != ".":
            raise refuse(f"got {symbol!r} at {position} in {structure!r}")
    if opened:
        raise refuse(f"got '(' at {opened[-1]} that is never closed in {structure!r}")
    if "(" not in structure:
        raise refuse(f"got no pair in {structure!r}")


def is_test_structure(structure: str) -> bool:
    """Which side of the split a structure is on."""
    return zlib.crc32(structure.encode()) % _TEST == 0


def _random_target(rng: np.random.Generator, length: int, split: str) -> str:
    """The minimum-free-energy structure of a random sequence, drawn until it suits."""
    with imported("RNAFold", "rna"):
        from RNA import fold

    while True:
        structure: str = fold(sequence(rng.integers(len(ALPHABET), size=length)))[0]
        if 2 * structure.count("(") >= _PAIRED * length and (
            split == "all" or is_test_structure(structure) == (split == "test")
        ):
            return structure


def _codes(structure: str) -> NDArray[np.int8]:
    """0 for a dot, 1 and 2 for brackets, (L,)."""
    return np.array([".()".index(symbol) for symbol in structure], np.int8)
