"""Sequences: texts of letters, of one length or of several."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.campaigns.space.factors import Columns, Factor, Floats, Outside
from ombo_gym.arguments import shown
from ombo_gym.design_spaces.parameters import Choices, Parameter

_TOLD_APART = 64  # positions up to which each has a lengthscale of its own


@dataclass(frozen=True)
class SequenceFactor(Factor):
    """Texts of letters, of one length or of several.

    Attributes:
        name: Of the column.
        alphabet: The letters.
        shortest, longest: Lengths.
    """

    category = True

    name: str
    alphabet: str
    shortest: int
    longest: int

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        """The one column."""
        return (self.name,)

    @property
    def weight(self) -> int:  # type: ignore[override]
        """Each position counts."""
        return self.longest

    @property
    def cube(self) -> int:  # type: ignore[override]
        """A side for each position, and one for the length."""
        return self.longest + 1

    @property
    def count(self) -> int:  # type: ignore[override]
        """Of all lengths."""
        lengths = range(self.shortest, self.longest + 1)
        return sum(len(self.alphabet) ** length for length in lengths)

    @property
    @override
    def values(self) -> Mapping[str, Sequence[Any] | None]:
        return {self.name: ()}

    @property
    @override
    def parameters(self) -> Mapping[str, Parameter] | None:
        if self.shortest < self.longest:
            return None
        letters = Choices(tuple(self.alphabet))
        return {f"{self.name} [{i + 1}]": letters for i in range(self.longest)}

    @override
    def in_parameters(self, columns: Mapping[str, NDArray[Any]]) -> Columns:
        texts = columns[self.name].tolist()
        return {
            f"{self.name} [{i + 1}]": np.array([text[i] for text in texts], object)
            for i in range(self.longest)
        }

    @override
    def from_parameters(self, columns: Mapping[str, NDArray[Any]]) -> Columns:
        letters = [columns[f"{self.name} [{i + 1}]"].tolist() for i in range(self.longest)]
        return {self.name: np.array(["".join(each) for each in zip(*letters, strict=True)], object)}

    @override
    def read(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        text = str(cells[self.name])
        if set(text) - set(self.alphabet) and not set(text.upper()) - set(self.alphabet):
            text = text.upper()
        if odd := sorted(set(text) - set(self.alphabet)):
            raise Outside(
                f"{self.name!r} is {shown(text)}, whose {odd[0]!r} is not in the alphabet"
            )
        if not self.shortest <= len(text) <= self.longest:
            lengths = f"{self.shortest} to {self.longest}"
            raise Outside(f"{self.name!r} has {len(text)} letters, not {lengths}: {shown(text)}")
        return {self.name: text}

    @override
    def listed(self) -> Columns:
        found: list[str] = []
        texts = [""]
        for length in range(1, self.longest + 1):
            texts = [text + letter for text in texts for letter in self.alphabet]
            if length >= self.shortest:
                found += texts
        return {self.name: np.array(found, object)}

    @override
    def drawn(self, points: Floats) -> Columns:
        n = len(self.alphabet)
        lengths = self.shortest + (points[:, -1] * (self.longest - self.shortest + 1)).astype(int)
        codes = np.minimum((points[:, :-1] * n).astype(int), n - 1)
        rows = zip(codes.tolist(), np.minimum(lengths, self.longest).tolist(), strict=True)
        texts = ["".join(self.alphabet[c] for c in row[:length]) for row, length in rows]
        return {self.name: np.array(texts, object)}

    @override
    def moved(self, columns: Columns, rng: np.random.Generator, step: float) -> Columns:
        """One letter changes, comes or goes; with large steps about three do."""
        found = []
        for text in columns[self.name].tolist():
            for _ in range(1 + rng.poisson(10 * step) if step > 0.05 else 1):
                text = self._changed(text, rng)
            found.append(text)
        return {self.name: np.array(found, object)}

    def _changed(self, text: str, rng: np.random.Generator) -> str:
        letter = self.alphabet[int(rng.integers(len(self.alphabet)))]
        place, lot = int(rng.integers(len(text))), rng.random()
        if lot < 0.15 and len(text) < self.longest:
            return text[:place] + letter + text[place:]
        if lot > 0.85 and len(text) > self.shortest:
            return text[:place] + text[place + 1 :]
        return text[:place] + letter + text[place + 1 :]

    @override
    def groups(self, width: int) -> NDArray[np.intp]:
        positions = np.repeat(np.arange(self.longest), len(self.alphabet) + 1)
        return positions if self.longest <= _TOLD_APART else np.zeros(width, np.intp)

    def codes(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Letters by number, 0 behind the end, (n, longest)."""
        number = {letter: i + 1 for i, letter in enumerate(self.alphabet)}
        found = np.zeros((len(texts), self.longest), np.int64)
        for row, text in enumerate(texts):
            found[row, : len(text)] = [number[letter] for letter in text]
        return found

    @override
    def features(self, columns: Mapping[str, NDArray[Any]]) -> Floats:
        codes = self.codes(columns[self.name].tolist())
        hot = codes[:, :, None] == np.arange(len(self.alphabet) + 1)
        found: Floats = np.where(hot, math.sqrt(0.5), 0.0).reshape(
            len(codes), math.prod(hot.shape[1:])
        )
        return found
