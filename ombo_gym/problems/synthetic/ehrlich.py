"""Ehrlich functions: spaced motifs to be built into sequences that a Markov chain allows."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import CategoricalDesigns, Designs, repeated
from ombo_gym.problems.core.base import Instances, Problem, collection_size
from ombo_gym.problems.core.checks import is_list, is_number, is_whole, one_of
from ombo_gym.randomness import BatchedGenerator, KeyedGenerator, Stream

_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
_LONGEST = 2**16  # letters
_MOST_CATEGORIES = 128  # sequences are compared as int8
_TEMPERATURE = 0.5  # of the softmax that makes transition probabilities of normal numbers
_TRIES = 1000  # redraws of repeated sequences before giving up
_ENTRIES = 2**22  # of the arrays in an evaluation, for bounded memory
_NUMBERED = 2**62  # instances of a split


class Ehrlich(Problem):
    """Random sequence landscapes with the structure of protein design, and a known optimum.

    A design is a sequence of `length` letters out of `categories`. An instance, drawn anew for each
    campaign, is a Markov chain over the letters in which some transitions are impossible, and
    `motifs` motifs of `motif_length` letters, each with a spacing: how far its letters stand from
    its first one.

    The value is in [0, 1], without unit, and maximised: the product over the motifs of the largest
    share of a motif's letters that is found at one place of the sequence, rounded down to multiples
    of 1 / `quantization`. With `epistasis` e a share s counts s (1 + e s (s - 1)), which is less
    unless a motif is complete. Measurements are exact unless `noise_std` says otherwise.

    A sequence with an impossible transition is infeasible; its value is the floor, 0, and
    `reference` is 0 too. Uniform sequences are hardly ever feasible (with the defaults 6 in
    10,000), so that starts are drawn from the instance's chain: by default 16 different sequences.

    Instances have numbers, which fix them: "train" instances are those of even numbers, "test"
    instances those of odd ones, of which there are 2^62 each. The optimum is 1, exactly, and is
    reached: motifs and spacings are drawn so that a feasible sequence holds all of them
    (`optimal_designs` gives it). Score 1 is this optimum.

    Values and the distribution of instances are those of pytorch-holo 0.0.5, its random numbers are
    not. Where `quantization` does not divide `motif_length` pytorch-holo's optimum is not 1: that
    is refused here.

    Args:
        length: Letters of a design.
        categories: Size of the alphabet, 3 to 128. A letter may be followed by itself and others,
            together 2 floor(0.4 categories) + 1 letters or one more (25 or 26 of 32); with 3 and 5
            categories by all.
        motifs: How many; all of their letters must fit in `length`.
        motif_length: Letters of each, at least 2.
        quantization: Steps of a motif's share; it divides `motif_length`, which is the default.
        epistasis: e, 0 to 4.
        split: "all", "train" or "test" instances.
        instances: Numbers of the instances themselves, 0 to 2^63 - 1, instead of a split.

    Raises:
        ValueError: An argument out of range, or motifs that do not fit.

    References:
        Stanton et al., Closed-Form Test Functions for Biophysical Sequence Design Benchmarking,
        arXiv:2407.00236, 2024.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/Ehrlich-v0", length=15, categories=4, motifs=2)
        >>> observation, info = env.reset(seed=0)
        >>> info["optimum"]
        1.0
    """

    domain: ClassVar[str] = "synthetic"
    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 16}
    splits = ("all", "test", "train")
    optimum_known = True
    optimum_exact = True

    def __init__(
        self,
        *,
        length: int = 32,
        categories: int = 32,
        motifs: int = 4,
        motif_length: int = 4,
        quantization: int | None = None,
        epistasis: float = 0.0,
        split: str = "all",
        instances: Sequence[int] | None = None,
    ) -> None:
        quantization = motif_length if quantization is None else quantization
        for name, number, smallest in (
            ("length", length, 2),
            ("categories", categories, 3),
            ("motifs", motifs, 1),
            ("motif_length", motif_length, 2),
            ("quantization", quantization, 1),
        ):
            if not is_whole(number) or number < smallest:
                raise ValueError(
                    f"{name}: expected a whole number of at least {smallest}, got {number!r}"
                )
        if length > _LONGEST:
            raise ValueError(f"length: expected at most {_LONGEST:,}, got {length:,}")
        if categories > _MOST_CATEGORIES:
            raise ValueError(f"categories: expected at most {_MOST_CATEGORIES}, got {categories}")
        if motifs * motif_length > length:
            raise ValueError(
                f"length: expected room for {motifs} motifs of {motif_length} letters, "
                f"{motifs * motif_length} or more, got {length}"
            )
        if motif_length % quantization:
            raise ValueError(
                f"quantization: expected a divisor of motif_length={motif_length}, "
                f"got {quantization}"
            )
        if not is_number(epistasis) or not 0 <= epistasis <= 4:
            raise ValueError(f"epistasis: expected a number from 0 to 4, got {epistasis!r}")
        self.length, self.categories = int(length), int(categories)
        self.motifs, self.motif_length = int(motifs), int(motif_length)
        self.quantization = int(quantization)
        shares = np.arange(self.quantization + 1) / self.quantization
        self.responses = shares * (1 + float(epistasis) * shares * (shares - 1))  # of steps reached
        self.split = split
        self.instances = _checked_instances(instances, split, self.splits)
        letters = _LETTERS[: self.categories] if self.categories <= len(_LETTERS) else None
        self.design_space = CategoricalDesigns([self.categories] * self.length, alphabet=letters)

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        count = self._count
        return self.instances_numbered(rngs.draw(lambda rng: rng.integers(count)))

    @property
    def _count(self) -> int:
        if self.instances is not None:
            return len(self.instances)
        return 2 * _NUMBERED if self.split == "all" else _NUMBERED

    def instance_count(self) -> int | None:
        """How many the split has, or were named, unless it is one."""
        return collection_size(self._count)

    def instances_numbered(self, numbers: NDArray[np.int64]) -> Instances:
        """In the order in which they were named, or of the split's numbers."""
        return self._built(self._named(numbers))

    def _named(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """What fixes instances: their numbers among all there are, (R,)."""
        if self.instances is not None:
            return np.array(self.instances, np.int64)[numbers]
        return numbers if self.split == "all" else 2 * numbers + (self.split == "test")

    @override
    def instance_numbers(self, instances: Instances) -> NDArray[np.int64]:
        number: NDArray[np.int64] = instances["number"]
        if self.instances is not None:
            return np.array(list(map(self.instances.index, number.tolist())))
        return number if self.split == "all" else number // 2

    def _built(self, number: NDArray[np.int64]) -> Instances:
        rngs = KeyedGenerator(number.astype(np.uint64), Stream.INSTANCE)
        v, c, k = self.categories, self.motifs, self.motif_length
        transitions = _random_transitions(rngs, v)
        stationary = _stationary(transitions)
        # Motifs are pieces of one sequence of the chain: one after the other, their letters
        # repeated as spacings ask, they are a feasible sequence, as a letter may follow itself.
        sequence = _walk(transitions, stationary, rngs.random((1, c * k)))  # (R, 1, c k)
        shares = rngs.random((c, k - 1))
        shares = shares / shares.sum(axis=-1, keepdims=True)
        slack = (self.length - c * k) // c  # letters that a motif may spread over beyond its own
        gaps = 1 + np.floor(slack * shares).astype(np.int64)
        spacings = np.zeros((len(number), c, k), np.int64)
        np.cumsum(gaps, axis=-1, out=spacings[..., 1:])
        return {
            "number": number,  # (R,)
            "transitions": transitions,  # (R, v, v) from letter to letter, 0 where impossible
            "stationary": stationary,  # (R, v) how often letters are met in the long run
            "motifs": sequence.reshape(-1, c, k),  # (R, c, k) letters
            "spacings": spacings,  # (R, c, k) how far they stand from the motif's first
        }

    @override
    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        num_campaigns, n = designs.shape[:2]
        values = np.empty((num_campaigns, n))
        entries = n * self.length * self.motifs * self.motif_length  # of a campaign
        step = max(1, _ENTRIES // max(1, entries))
        for first in range(0, num_campaigns, step):
            part = slice(first, first + step)
            reached = self._reached(
                designs[part], instances["motifs"][part], instances["spacings"][part]
            )
            values[part] = self.responses[reached].prod(axis=1)
        return values

    def _reached(
        self, designs: Designs, motifs: NDArray[np.int64], spacings: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """How many of the steps of its quantization each motif is built to, (R, c, n)."""
        num_campaigns, n, length = designs.shape
        c, k = motifs.shape[1:]
        padded = np.full((num_campaigns, n, length + int(spacings.max())), -1, np.int8)
        padded[..., :length] = designs
        # Letter i of a motif that begins at l stands at l + spacing_i: the sequence, shifted.
        shifted = np.lib.stride_tricks.sliding_window_view(padded, length, axis=-1)
        index = np.arange(num_campaigns)[:, None]  # (R, 1)
        letters = shifted[index, :, spacings.reshape(num_campaigns, c * k)]  # (R, c k, n, L)
        matches = letters == motifs.reshape(num_campaigns, c * k, 1, 1).astype(np.int8)
        matches = matches.reshape(num_campaigns, c, k, n, length)
        found = matches.view(np.int8).sum(axis=2, dtype=np.int8)  # (R, c, n, L)
        fits = np.arange(length) < length - spacings[..., -1:]  # (R, c, L) ends in the sequence
        best = (found * fits[:, :, None]).max(axis=-1)  # (R, c, n)
        steps: NDArray[np.int64] = best.astype(np.int64) // (k // self.quantization)
        return steps

    @override
    def feasible(self, instances: Instances, designs: Designs) -> NDArray[np.bool_]:
        row = np.arange(len(designs))[:, None, None]
        steps = instances["transitions"][row, designs[..., :-1], designs[..., 1:]]
        possible: NDArray[np.bool_] = np.all(steps > 0, axis=-1)
        return possible

    def sample(self, instances: Instances, rngs: BatchedGenerator, count: int) -> Designs:
        """Different sequences of each instance's chain, (R, count, L)."""
        transitions, stationary = instances["transitions"], instances["stationary"]
        designs = _walk(transitions, stationary, rngs.random((count, self.length)))
        again: NDArray[np.bool_] = np.any(repeated(designs), axis=1)
        indices = iter(range(len(designs)))

        def different(rng: np.random.Generator) -> Designs:
            row = next(indices)
            if again[row]:
                chain = transitions[row : row + 1], stationary[row : row + 1]
                _replace_repeats(designs[row : row + 1], chain, rng)
            sequences: Designs = designs[row]
            return sequences

        # Always drawn, so that what comes next does not depend on neighbours that had repeats.
        return rngs.draw(different)

    @override
    def optimum(self, instances: Instances) -> NDArray[np.float64]:
        return np.ones(len(instances["number"]))

    def optimal_designs(self, instances: Instances) -> Designs:
        """A feasible sequence of value 1 of each instance, (R, L)."""
        spacings, motifs = instances["spacings"], instances["motifs"]
        num_campaigns = len(motifs)
        spans = spacings[..., -1] + 1  # (R, c)
        begins = np.cumsum(spans, axis=1) - spans
        begins = (begins[..., None] + spacings).reshape(
            num_campaigns, -1, 1
        )  # (R, c k, 1) of each letter
        letter = (begins <= np.arange(self.length)).sum(axis=1) - 1  # (R, L) which stands there
        return np.take_along_axis(motifs.reshape(num_campaigns, -1), letter, axis=1)


def _random_transitions(rngs: BatchedGenerator, v: int) -> NDArray[np.float32]:
    """Transition matrices, (R, v, v), with zeros off the diagonal where v is not 3 or 5.

    Which letters may follow which is a cyclic band, its rows shuffled, and the diagonal. Such
    chains are ergodic: letters that are never left would need as many different windows of the
    band among themselves as they are, and m < v letters hold fewer.
    """
    normals = rngs.standard_normal((v, v))
    centres = rngs.draw(lambda rng: rng.permutation(v))  # (R, v)
    distance = np.abs(np.arange(v) - centres[..., None])
    possible = np.minimum(distance, v - distance) <= 2 * v // 5
    possible |= np.eye(v, dtype=bool)
    weights = np.where(possible, np.exp(normals / _TEMPERATURE), 0.0)
    transitions: NDArray[np.float32]
    transitions = (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)
    return transitions


def _stationary(transitions: NDArray[np.float32]) -> NDArray[np.float64]:
    """How often each chain is at each letter in the long run, (R, v)."""
    v = transitions.shape[-1]
    chain = transitions.astype(np.float64)
    chain /= chain.sum(axis=-1, keepdims=True)
    system = np.swapaxes(np.eye(v) - chain + 1, -1, -2)  # p (I - P) = 0 and p 1 = 1
    shares = np.linalg.solve(system, np.ones((len(chain), v, 1)))[..., 0]
    positive: NDArray[np.float64] = np.maximum(shares, 0.0)
    return positive


def _walk(
    transitions: NDArray[np.float32],
    stationary: NDArray[np.float64],
    uniform: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Sequences of the chains from uniform numbers in [0, 1), one a letter, (R, n, L)."""
    edges = np.cumsum(transitions, axis=-1, dtype=np.float64)
    edges /= edges[..., -1:]  # the last possible letter's edge is 1, and so are those behind it
    first = np.cumsum(stationary, axis=-1)
    first /= first[:, -1:]
    row = np.arange(len(uniform))[:, None]
    sequences = np.empty(uniform.shape, np.int64)
    sequences[..., 0] = (first[:, None] <= uniform[..., :1]).sum(axis=-1)
    for site in range(1, uniform.shape[-1]):
        passed = edges[row, sequences[..., site - 1]] <= uniform[..., site, None]  # (R, n, v)
        sequences[..., site] = passed.sum(axis=-1)
    return sequences


def _replace_repeats(
    designs: Designs,
    chain: tuple[NDArray[np.float32], NDArray[np.float64]],
    rng: np.random.Generator,
) -> None:
    """Draws repeats of one campaign anew in place, (1, n, L), until there are none.

    A chain that hardly leaves a letter may have too few likely sequences: what it repeats after so
    many draws is drawn from the even chain, in which all that is possible is equally likely.

    Raises:
        RuntimeError: There are too few sequences to be found.
    """
    for likely in (chain, _even(chain[0])):
        for _ in range(_TRIES):
            if not (again := repeated(designs)).any():
                return
            uniform = rng.random((1, int(again.sum()), designs.shape[-1]))
            designs[again] = _walk(*likely, uniform)[0]
    raise RuntimeError(
        f"start: found no {designs.shape[1]} different sequences in {2 * _TRIES} draws; ask for "
        "fewer"
    )


def _even(transitions: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The chains in which all possible transitions are equally likely, and so are all letters."""
    possible = (transitions > 0).astype(np.float32)
    return possible / possible.sum(axis=-1, keepdims=True), np.ones(transitions.shape[:2])


def _checked_instances(
    instances: Sequence[int] | None, split: str, splits: Sequence[str]
) -> tuple[int, ...] | None:
    one_of("split", split, splits)
    if instances is None:
        return None
    if split != "all":
        raise ValueError(f"split: it goes without instances, got {split!r} with {instances!r}")
    if not is_list(instances) or not all(
        is_whole(number) and 0 <= number < 2 * _NUMBERED for number in instances
    ):
        raise ValueError(f"instances: expected whole numbers from 0 to 2^63 - 1, got {instances!r}")
    return tuple(int(number) for number in instances)
