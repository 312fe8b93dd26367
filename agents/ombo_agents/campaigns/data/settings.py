"""What is said of a sheet beside its space: targets, words, columns with a meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from ombo_gym.arguments import shown
from ombo_gym.design_spaces.values import is_number
from ombo_gym.spec import Origin

GOALS = ("max", "min")


@dataclass(frozen=True)
class Target:
    """A column that is measured.

    Attributes:
        column: Its name.
        goal: "max" or "min".
        weight: In the sum of several targets.
        low, high: Of a desirability, which is 0 at the worse of them and 1 at the better one; None:
            the value itself counts.

    Raises:
        ValueError: An argument out of range.
    """

    column: str
    goal: str = "max"
    weight: float = 1.0
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.column, str) or not self.column.strip():
            raise ValueError(f"target: expected the name of a column, got {shown(self.column)}")
        if self.goal not in GOALS:
            raise ValueError(f"goal: expected one of {list(GOALS)}, got {shown(self.goal)}")
        if not is_number(self.weight) or not 0 < self.weight < 1e12:
            raise ValueError(
                f"target {self.column!r}: expected a weight above 0, got {shown(self.weight)}; "
                f"{{{self.column!r}: {{'goal': 'min'}}}} says that low values are good"
            )
        ends = (self.low, self.high)
        if ends != (None, None) and not (all(map(is_number, ends)) and ends[0] < ends[1]):  # type: ignore[operator]
            raise ValueError(
                f"target {self.column!r}: expected low < high, between which it becomes better, or "
                f"neither, got {shown(ends)}"
            )

    @property
    def sign(self) -> float:
        """1, or -1 where low values are good."""
        return 1.0 if self.goal == "max" else -1.0

    @property
    def formula(self) -> str:
        """What it adds to the score."""
        if self.low is None or self.high is None:
            sign = "" if self.goal == "max" else "-"
            weight = "" if self.weight == 1 else f"{self.weight:g} * "
            return f"{sign}{weight}[{self.column}]"
        good, bad = (self.high, self.low) if self.goal == "max" else (self.low, self.high)
        share = f"([{self.column}] - {bad:g}) / ({good:g} - {bad:g})"
        return f"{self.weight:g} * clip({share}, 0, 1)"


@dataclass(frozen=True)
class Settings:
    """How a sheet is read.

    Attributes:
        targets: What is measured; of several the score is the sum.
        origin: How the first designs were chosen.
        round_column: Which round a row belongs to; the lowest number is the start.
        failed: Words in a target for wells that failed.
        pending: Words in a target, beside empty cells, for wells that are not measured yet.
        failed_value: What a failed well is worth, in the target's units; None: as the worst one.
        block: Column that names the block or plate, whose offset is taken out.
        cost: Column of what wells cost.
        utility: What the campaign is worth when it is over.
        delimiter: Between cells; None: found out.
        surrogate: Recipe of the model that policies and predictions rest on; None: that of a spec.

    Raises:
        ValueError: An argument that is not as described.
    """

    targets: tuple[Target, ...]
    origin: Origin = field(default_factory=lambda: Origin("random"))
    round_column: str | None = None
    failed: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    failed_value: float | None = None
    block: str | None = None
    cost: str | None = None
    utility: Any = "best"
    delimiter: str | None = None
    surrogate: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.surrogate is not None and not isinstance(self.surrogate, Mapping):
            raise ValueError(
                "surrogate: expected a dict of settings such as {'kernel': 'learned', 'path': "
                f"'priors/coupling'}}, got {shown(self.surrogate)}"
            )
        for name in ("failed", "pending"):
            words = getattr(self, name)
            if not all(isinstance(word, str) and word.strip() for word in words):
                raise ValueError(
                    f"{name}: expected words as they stand in cells, got {shown(words)}"
                )
        both = {w.casefold() for w in self.failed} & {w.casefold() for w in self.pending}
        if both:
            raise ValueError(
                f"failed, pending: expected each word in one of them, got {sorted(both)[0]!r} in "
                "both"
            )
        if self.failed_value is not None and not is_number(self.failed_value):
            raise ValueError(f"failed_value: expected a number, got {shown(self.failed_value)}")
        for name in ("round_column", "block", "cost"):
            column = getattr(self, name)
            if column is not None and not isinstance(column, str):
                raise ValueError(f"{name}: expected the name of a column, got {shown(column)}")

    @property
    def formula(self) -> str:
        """What is maximised."""
        return " + ".join(target.formula for target in self.targets).replace("+ -", "- ")

    @property
    def scored(self) -> bool:
        """Whether predictions are of a score and not of the one target itself."""
        only = self.targets[0]
        return len(self.targets) > 1 or only.low is not None or only.weight != 1

    @property
    def measured_name(self) -> str:
        """What predictions are of."""
        return "score" if self.scored else self.targets[0].column

    @property
    def sign(self) -> float:
        """What turns the score into what predictions are shown in."""
        return 1.0 if self.scored else self.targets[0].sign

    @property
    def learned(self) -> bool:
        """Whether the model was learnt from other campaigns."""
        return (self.surrogate or {}).get("kernel") == "learned"

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; the surrogate only where one was chosen, as the first releases had."""
        found = asdict(self)
        if self.surrogate is None:
            del found["surrogate"]
        return found

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Raises:
            ValueError: It is not what `to_dict` gives.
        """
        try:
            return cls(
                **{
                    **given,
                    "targets": tuple(Target(**each) for each in given["targets"]),
                    "origin": Origin(**given["origin"]),
                    "failed": tuple(given["failed"]),
                    "pending": tuple(given["pending"]),
                }
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"settings: expected those of a campaign, got {shown(given)}"
            ) from error


def parse_targets(target: Any, goal: Any) -> tuple[Target, ...]:
    """Targets as people give them.

    Args:
        target: A column; or a dict of columns with a weight each, or with a dict of `weight`,
            `goal`, `low` and `high`.
        goal: "max" or "min", of all targets that do not say it.

    Raises:
        ValueError: It is none of that.
    """
    if isinstance(target, str):
        return (Target(target, goal),)
    if not isinstance(target, Mapping) or not target:
        raise ValueError(
            "target: expected a column, or a dict of columns with weights such as "
            f'{{"yield": 1, "cost": {{"weight": 0.5, "goal": "min"}}}}, got {shown(target)}'
        )
    found = []
    for column, each in target.items():
        settings = dict(each) if isinstance(each, Mapping) else {"weight": each}
        if unknown := set(settings) - {"weight", "goal", "low", "high"}:
            raise ValueError(
                f"target {column!r}: expected weight, goal, low and high, got {sorted(unknown)}"
            )
        found.append(Target(column, **{"goal": goal, **settings}))
    return tuple(found)


def parse_origin(origin: Any) -> Origin:
    """How the first designs were chosen, as a kind, a dict or an `Origin`.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(origin, Origin):
        return origin
    if isinstance(origin, str):
        kind, _, percentile = origin.partition(":")
        if not percentile:
            return Origin(kind)
        try:
            return Origin(kind, float(percentile))
        except ValueError as error:
            raise ValueError(f"origin: expected percentile:50, got {origin!r} ({error})") from None
    if isinstance(origin, Mapping):
        kept = {key: each for key, each in origin.items() if key in ("kind", "percentile")}
        unknown = set(origin) - {"kind", "percentile", "size"}
        if "kind" in kept and not unknown:
            return Origin(**kept)
    raise ValueError(
        f'origin: expected such as {{"kind": "random"}} or {{"kind": "percentile", "percentile": '
        f"50}}, got {shown(origin)}"
    )


def parse_words(name: str, words: Any) -> tuple[str, ...]:
    """Words of a cell: a list of them, or one text with commas between.

    Raises:
        ValueError: They are none.
    """
    if isinstance(words, str):
        words = [word.strip() for word in words.split(",") if word.strip()]
    if not isinstance(words, Sequence):
        raise ValueError(f"{name}: expected a list of words, got {shown(words)}")
    return tuple(words)
