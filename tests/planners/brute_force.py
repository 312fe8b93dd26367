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
from itertools import permutations, product
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
