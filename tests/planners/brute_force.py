"""What campaigns are worth, in exact fractions over whole decision trees: slow and obvious.

The oracle of the exact planner, written from the definitions. A history is the measurements in the
order in which they came. A finished campaign is scored as it is defined: the probability of its
history times the expected utility given all of it. Nothing is gained step by step, no symmetry is
used, and the one shortcut, in planning, is that the order of measurements does not matter
(`merge=False` walks the bare tree).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import combinations, combinations_with_replacement, permutations, product
from math import prod
from statistics import median
from typing import Any

ZERO, ONE = Fraction(0), Fraction(1)

Outcome = int | Fraction
Data = tuple[tuple[int, Outcome], ...]  # (design, outcome) in the order of measurement
Batch = tuple[int, ...]
Proposals = tuple[int | None, ...]  # a batch as it counts: None for a wasted slot
Rounds = int | tuple[int, ...]  # how many of q proposals each, or the sizes of their batches
# From a dataset and the rounds left to a batch, or to [(probability, batch), ...].
Choice = Callable[[Data, int], Any]


@dataclass
class BruteForce(ABC):
    """Campaigns of q proposals a round, where nothing else is said.

    Args:
        q: Batch size.
        utility: What a finished campaign is worth.
        merge: Whether to remember the values of histories that differ in their order alone.
    """

    q: int
    utility: str
    merge: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        self._planned: dict[Any, Any] = {}
        self._played: dict[Any, Fraction] = {}

    # --- what a problem is

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of designs."""

    @abstractmethod
    def outcomes(self, design: int) -> Sequence[Outcome]:
        """What a design can show."""

    @abstractmethod
    def likelihood(self, data: Data) -> Fraction:
        """The probability that these measurements show what they show."""

    @abstractmethod
    def batches(self, data: Data, q: int) -> list[Batch]:
        """The sorted batches of q designs that a planner chooses from."""

    @abstractmethod
    def counted(self, data: Data, batch: Batch, q: int) -> Proposals:
        """A batch on a plate of q slots as it counts."""

    @abstractmethod
    def worth(self, data: Data, proposals: Sequence[Proposals]) -> Fraction:
        """Probability of a finished campaign's data times the expected utility given them."""

    @abstractmethod
    def kind(self, data: Data, design: int) -> Any:
        """Designs of one kind can be exchanged: of them exactly the same is believed."""

    @abstractmethod
    def symmetric(self, data: Data) -> Any:
        """The same for all data that are alike by symmetry."""

    # --- histories

    def shown(self, data: Data, proposals: Proposals) -> Iterator[Data]:
        """All datasets that can be seen after a batch."""
        measured = [design for design in proposals if design is not None]
        for outcomes in product(*map(self.outcomes, measured)):
            longer = data + tuple(zip(measured, outcomes, strict=True))
            if self.likelihood(longer):
                yield longer

    def _key(self, data: Data) -> Data:
        ordered = not self.merge or self.utility == "auc"  # of which it matters what came when
        return data if ordered else tuple(sorted(data))

    def sizes(self, rounds: Rounds) -> tuple[int, ...]:
        """Sizes of the batches of some rounds."""
        return (self.q,) * rounds if isinstance(rounds, int) else rounds

    def _proposed(self, data: Data, played: tuple[int, ...]) -> list[Proposals]:
        """What was proposed so far, where nothing was wasted as long as there were designs left."""
        designs: Proposals = tuple(design for design, _ in data)
        start = max(0, len(designs) - sum(played))
        proposals = [designs[:start]] if start else []
        for at, size in enumerate(played):
            first = start + sum(played[:at])
            proposals.append(designs[first : first + size])
        return proposals

    # --- planning

    def plan(
        self, data: Data, rounds: Rounds, played: tuple[int, ...] = ()
    ) -> dict[Batch, Fraction]:
        """Every batch's value, if the plan goes on optimally and the campaign is over in time.

        Values are times the probability of the data, as everywhere below.
        """
        plates = self.sizes(rounds)
        key = self._key(data), plates, played
        if key not in self._planned:
            before = self._proposed(data, played)
            values = {}
            for batch in self.batches(data, plates[0]):
                counted = self.counted(data, batch, plates[0])
                values[batch] = sum(
                    (
                        self.worth(after, [*before, counted])
                        if len(plates) == 1
                        else max(self.plan(after, plates[1:], (*played, plates[0])).values())
                        for after in self.shown(data, counted)
                    ),
                    ZERO,
                )
            self._planned[key] = values
        return self._planned[key]

    def tied(self, data: Data, rounds: Rounds, played: tuple[int, ...] = ()) -> list[Batch]:
        """The batches that are best when planning so many rounds."""
        values = self.plan(data, rounds, played)
        return [batch for batch, value in values.items() if value == max(values.values())]

    def optimum(self, rounds: Rounds) -> Fraction:
        """What the best policy is worth."""
        return max(self.plan((), rounds).values())

    def first_batches(self, rounds: Rounds) -> list[Batch]:
        """All optimal first batches."""
        return self.tied((), rounds)

    def rolling(
        self,
        rounds: Rounds,
        lookahead: int,
        ties: str,
        data: Data = (),
        played: tuple[int, ...] = (),
    ) -> Fraction:
        """The value of planning `lookahead` rounds, every round, as if it was over then.

        Args:
            rounds: N.
            lookahead: H.
            ties: "worst", "best", "uniform" over proposals, or "first": of the sorted batches, on
                arms by how often each is pulled, fewest pulls of the first one first.
            data: Where to begin.
            played: Sizes of the batches before.
        """
        plates = self.sizes(rounds)
        key = self._key(data), plates, played, lookahead, ties
        if key not in self._played:
            tied = self.tied(data, plates[:lookahead], played)
            if ties == "first":
                tied = [min(tied, key=self._rank)]
            values = {
                batch: self.go_on(data, batch, plates, lookahead, ties, played) for batch in tied
            }
            self._played[key] = (
                self._uniform(data, values)
                if ties == "uniform"
                else {"worst": min, "best": max, "first": min}[ties](values.values())
            )
        return self._played[key]

    def _rank(self, batch: Batch) -> Batch:
        """What "first" goes by."""
        return batch

    def go_on(
        self,
        data: Data,
        batch: Batch,
        rounds: Rounds,
        lookahead: int,
        ties: str,
        played: tuple[int, ...] = (),
    ) -> Fraction:
        """The value of a batch, and of `rolling` from then on."""
        plates = self.sizes(rounds)
        counted = self.counted(data, batch, plates[0])
        if len(plates) == 1:
            before = self._proposed(data, played)
            return sum(
                (self.worth(after, [*before, counted]) for after in self.shown(data, counted)), ZERO
            )
        return sum(
            (
                self.rolling(plates[1:], lookahead, ties, after, (*played, plates[0]))
                for after in self.shown(data, counted)
            ),
            ZERO,
        )

    def _uniform(self, data: Data, values: dict[Batch, Fraction]) -> Fraction:
        """The mean over proposals: ordered batches, after exchanging designs of one kind."""
        classes: dict[Any, Fraction] = {}
        for batch, value in values.items():
            for ordered in set(permutations(batch)):
                pattern = self._pattern(data, ordered)
                # Exchanging what is alike changes nothing that can happen.
                assert classes.setdefault(pattern, value) == value
        return sum(classes.values(), ZERO) / len(classes)

    def _pattern(self, data: Data, ordered: Batch) -> Any:
        """Each slot as (kind, the how manieth design of that kind to appear)."""
        met: dict[Any, list[int]] = {}
        pattern = []
        for design in ordered:
            kind = self.kind(data, design)
            known = met.setdefault(kind, [])
            if design not in known:
                known.append(design)
            pattern.append((kind, known.index(design)))
        return tuple(pattern)

    # --- any policy

    def value_of(self, choose: Choice, rounds: Rounds) -> Fraction:
        """What a policy is worth, over every ordered history that it can meet."""
        return self._value_of(choose, self.sizes(rounds), (), [])

    def _value_of(
        self, choose: Choice, plates: tuple[int, ...], data: Data, proposals: list[Proposals]
    ) -> Fraction:
        if not plates:
            return self.worth(data, proposals)
        chosen = choose(data, len(plates))
        total = ZERO
        for probability, batch in chosen if isinstance(chosen, list) else [(ONE, chosen)]:
            assert len(batch) == plates[0]
            counted = self.counted(data, batch, plates[0])
            for after in self.shown(data, counted):
                value = self._value_of(choose, plates[1:], after, [*proposals, counted])
                total += probability * value
        return total

    # --- states

    def states(self, rounds: Rounds) -> int:
        """How many situations that differ beyond symmetry a batch is chosen in."""
        layer: set[Data] = {()}
        count = 0
        for q in self.sizes(rounds):
            count += len({self.symmetric(data) for data in layer})
            layer = {
                tuple(sorted(after))
                for data in layer
                for batch in self.batches(data, q)
                for after in self.shown(data, self.counted(data, batch, q))
            }
        return count


@dataclass
class Arms(BruteForce):
    """Bernoulli arms.

    Args:
        priors: Beta parameters (a, b) of the unknown arms, which come first.
        known: Success probabilities of the known arms.
    """

    priors: Sequence[tuple[Fraction, Fraction]] = field(default=(), kw_only=True)
    known: Sequence[Fraction] = field(default=(), kw_only=True)

    @property
    def size(self) -> int:
        return len(self.priors) + len(self.known)

    def outcomes(self, design: int) -> Sequence[Outcome]:
        return 0, 1

    def _rank(self, batch: Batch) -> Batch:
        return tuple(batch.count(arm) for arm in range(self.size))

    def _counts(self, data: Data, arm: int) -> tuple[int, int]:
        return data.count((arm, 1)), data.count((arm, 0))

    def _beliefs(self, data: Data, arm: int) -> tuple[Fraction, Fraction]:
        a, b = self.priors[arm]
        successes, failures = self._counts(data, arm)
        return a + successes, b + failures

    def _mean(self, data: Data, arm: int) -> Fraction:
        if arm >= len(self.priors):
            return self.known[arm - len(self.priors)]
        a, b = self._beliefs(data, arm)
        return a / (a + b)

    def likelihood(self, data: Data) -> Fraction:
        chance = ONE
        for arm in range(self.size):
            successes, failures = self._counts(data, arm)
            if arm < len(self.priors):
                chance *= _sequence(*self.priors[arm], successes, failures)
            else:
                p = self.known[arm - len(self.priors)]
                chance *= p**successes * (1 - p) ** failures
        return chance

    def batches(self, data: Data, q: int) -> list[Batch]:
        return list(combinations_with_replacement(range(self.size), q))

    def counted(self, data: Data, batch: Batch, q: int) -> Proposals:
        return tuple(batch)

    def worth(self, data: Data, proposals: Sequence[Proposals]) -> Fraction:
        means = [self._mean(data, arm) for arm in range(self.size)]
        if self.utility == "total":
            utility = sum((means[arm] for batch in proposals for arm in batch), ZERO)
        elif self.utility == "last_mean":
            utility = sum((means[arm] for arm in proposals[-1]), ZERO) / len(proposals[-1])
        else:
            assert self.utility == "recommendation"
            utility = max(means)
        return self.likelihood(data) * utility

    def kind(self, data: Data, design: int) -> Any:
        if design >= len(self.priors):
            return "known", self.known[design - len(self.priors)]
        return "unknown", *self._beliefs(data, design)

    def symmetric(self, data: Data) -> Any:
        return tuple(
            sorted((prior, self._counts(data, arm)) for arm, prior in enumerate(self.priors))
        )


@dataclass
class Surfaces(BruteForce):
    """Finitely many landscapes, of which one is the truth; a design is measured once.

    Args:
        matrix: (H, M) values.
        weights: (H,) prior weights.
        noise: Pairs (value, weight).
    """

    matrix: Sequence[Sequence[Fraction]] = field(default=(), kw_only=True)
    weights: Sequence[Fraction] = field(default=(), kw_only=True)
    noise: Sequence[tuple[Fraction, Fraction]] = field(default=((ZERO, ONE),), kw_only=True)

    @property
    def size(self) -> int:
        return len(self.matrix[0])

    def outcomes(self, design: int) -> Sequence[Outcome]:
        return sorted({row[design] + value for row in self.matrix for value, _ in self.noise})

    def _joint(self, data: Data) -> list[Fraction]:
        """Probabilities of every landscape together with the data."""
        whole = sum(self.weights, ZERO), sum((weight for _, weight in self.noise), ZERO)
        joint = []
        for row, weight in zip(self.matrix, self.weights, strict=True):
            chance = weight / whole[0]
            for design, outcome in data:
                chance *= sum((w for v, w in self.noise if row[design] + v == outcome), ZERO)
                chance /= whole[1]
                if not chance:
                    break
            joint.append(chance)
        return joint

    def likelihood(self, data: Data) -> Fraction:
        return sum(self._joint(data), ZERO)

    def batches(self, data: Data, q: int) -> list[Batch]:
        measured = {design for design, _ in data}
        left = [design for design in range(self.size) if design not in measured]
        return list(combinations(left, min(q, len(left))))

    def counted(self, data: Data, batch: Batch, q: int) -> Proposals:
        met = {design for design, _ in data}
        counted: list[int | None] = []
        for design in batch:
            counted.append(None if design in met else design)
            met.add(design)
        return (*counted, *[None] * (q - len(batch)))

    def worth(self, data: Data, proposals: Sequence[Proposals]) -> Fraction:
        joint = self._joint(data)
        if self.utility == "recommendation":
            return max(
                sum((j * row[x] for j, row in zip(joint, self.matrix, strict=True)), ZERO)
                for x in range(self.size)
            )
        return sum(
            (
                j * self._utility(row, proposals)
                for j, row in zip(joint, self.matrix, strict=True)
                if j
            ),
            ZERO,
        )

    def _utility(self, row: Sequence[Fraction], proposals: Sequence[Proposals]) -> Fraction:
        """The utility of a campaign whose landscape is known."""
        if self.utility == "best":
            return max([ZERO, *(row[x] for batch in proposals for x in batch if x is not None)])
        if self.utility == "total":
            return sum((row[x] for batch in proposals for x in batch if x is not None), ZERO)
        if self.utility == "auc":
            reached = [ZERO]
            for batch in proposals:
                reached.append(max([reached[-1], *(row[x] for x in batch if x is not None)]))
            return sum(reached, ZERO) / len(proposals)
        last = [ZERO if x is None else row[x] for x in proposals[-1]]
        if self.utility.startswith("last_quantile"):
            return _quantile(last, Fraction(self.utility.partition("=")[2]))
        if self.utility == "last_max":
            return max(last)
        if self.utility == "last_median":
            return median(last)
        assert self.utility == "last_mean"
        return sum(last, ZERO) / len(last)

    def kind(self, data: Data, design: int) -> Any:
        return design

    def symmetric(self, data: Data) -> Any:
        return tuple(sorted(data))


def _quantile(values: Sequence[Fraction], quantile: Fraction) -> Fraction:
    """On a line through the sorted values, the smallest at 0 and the largest at 1."""
    ordered, place = sorted(values), quantile * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@cache
def _sequence(a: Fraction, b: Fraction, successes: int, failures: int) -> Fraction:
    """How likely one sequence of pulls is under Beta(a, b): B(a + s, b + f) / B(a, b)."""
    rising = [
        prod((x + i for i in range(n)), start=ONE)
        for x, n in ((a, successes), (b, failures), (a + b, successes + failures))
    ]
    return rising[0] * rising[1] / rising[2]
