"""Campaigns of one tool on one instance, each plate kept as soon as it is there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ombo_gym.files import write_atomically
from scripts.studies.bench_tools.exchange import TOOLS, Answer
from scripts.studies.bench_tools.problems import PROBLEMS, TARGET, Floats, Instance

START = 16  # random designs
PLATES = (8, 8, 8)


@dataclass(frozen=True)
class Cell:
    """What is played: a tool on the instance of a seed."""

    tool: str
    problem: str
    seed: int


@dataclass(frozen=True)
class Run:
    """What came of a cell.

    Attributes:
        cell: What was played.
        start: True values of the start, (START,).
        plates: True values of each plate.
        seconds: CPU time of each suggestion, (N,).
        versions: Of the packages that made them.
    """

    cell: Cell
    start: Floats
    plates: tuple[Floats, ...]
    seconds: Floats
    versions: dict[str, str]

    @property
    def final_best(self) -> float:
        """The best true value that was measured, the start included."""
        return float(max(values.max() for values in (self.start, *self.plates)))

    @property
    def last_mean(self) -> float:
        """The mean true value of the last plate."""
        return float(self.plates[-1].mean())


class Game:
    """An instance with its start and its noise, the same for all tools.

    The measurement of number k has the same noise whatever is measured, start included.

    Args:
        problem: A name of `PROBLEMS`.
        seed: Of the instance, the start and the noise.
    """

    def __init__(self, problem: str, seed: int) -> None:
        self.seed = seed
        self.instance: Instance = PROBLEMS[problem](seed)
        number = list(PROBLEMS).index(problem)
        streams = np.random.SeedSequence([seed, number, 1]).spawn(2)
        starts, noises = (np.random.default_rng(stream) for stream in streams)
        self.start = self.instance.draw(starts, START)
        self._noise = self.instance.noise_std * noises.normal(size=START + sum(PLATES))

    def request(self, plates: list[list[dict[str, Any]]]) -> dict[str, Any]:
        """What a tool is asked after these plates; see `tools.answering`."""
        designs = [*self.start, *(design for plate in plates for design in plate)]
        rounds = np.repeat(np.arange(len(plates) + 1), [START, *PLATES[: len(plates)]])
        measured = self.instance.values(designs) + self._noise[: len(designs)]
        return {
            "parameters": self.instance.parameters,
            "mixture": list(self.instance.mixture),
            "target": TARGET,
            "rows": [
                {**design, TARGET: float(value), "round": int(round_)}
                for design, value, round_ in zip(designs, measured, rounds, strict=True)
            ],
            "plates_left": list(PLATES[len(plates) :]),
            "seed": self.seed,
        }


def played(
    cell: Cell, ask: Callable[[dict[str, Any]], Answer] | None, folder: Path, *, resume: bool = True
) -> Run | None:
    """Plays a campaign from where it was left.

    Args:
        cell: What is played.
        ask: The tool; None: only what is kept counts.
        folder: Where campaigns are kept, one file each.
        resume: Go on from the plates that are kept there, unless the instance or the module that
            asks the tool is another by now.

    Returns:
        The campaign; None: it is not finished, and there is nobody to ask.

    Raises:
        ValueError: A tool answered with what is no plate of the space.
    """
    game = Game(cell.problem, cell.seed)
    file = folder / f"{cell.problem}-{cell.tool}-{cell.seed}.json"
    made_of = _made_of(cell, game)
    kept: dict[str, Any] = {"cell": asdict(cell), "made_of": made_of, "answers": []}
    if resume and file.is_file():
        found = json.loads(file.read_text())
        kept = found if found["made_of"] == made_of else kept
    answers = [Answer(**each) for each in kept["answers"]]
    while len(answers) < len(PLATES):
        if ask is None:
            return None
        answer = ask(game.request([each.designs for each in answers]))
        if len(answer.designs) != PLATES[len(answers)]:
            raise ValueError(
                f"{cell}: expected {PLATES[len(answers)]} designs, got {len(answer.designs)}"
            )
        game.instance.check(answer.designs)
        answers.append(answer)
        kept["answers"].append(answer._asdict())
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(kept))
    return Run(
        cell=cell,
        start=game.instance.values(game.start),
        plates=tuple(game.instance.values(each.designs) for each in answers),
        seconds=np.array([each.seconds for each in answers]),
        versions=answers[-1].versions,
    )


def _made_of(cell: Cell, game: Game) -> str:
    """Hash of the first request and of what asks the tool."""
    source = (TOOLS / f"with_{cell.tool}.py").read_bytes()
    return hashlib.sha256(json.dumps(game.request([])).encode() + source).hexdigest()[:24]
