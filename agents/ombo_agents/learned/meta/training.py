"""`ombo train --agent meta`: a search along lines, all steps of a line on the same campaigns."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ombo_agents.learned.meta.context import KINDS
from ombo_agents.learned.meta.lines import Line, lines_of
from ombo_agents.learned.meta.objective import Play, by_kind, draw_settings, gains
from ombo_agents.learned.meta.rule import CONFIG, Rule, write_rule
from ombo_agents.learned.meta.settings import SETTINGS, MetaSettings
from ombo_agents.learned.over_tasks.chosen_tasks import (
    described,
    is_protocol,
    read_tasks,
    validation_tasks,
)
from ombo_agents.learned.run_identity import check_same_run, versions
from ombo_gym.evaluation.statistics import mean_interval
from ombo_gym.files import write_atomically
from ombo_gym.tasks import TaskDistribution

STATE = "state.json"
_SEED = 2**31  # of training's first campaign: evaluation's are below
_OF_A_RUN = 2**40  # campaigns that the seeds of a run are apart
_OF_A_LINE = 2**20
_VALIDATION_SEED = 2**62
Progress = Callable[[int, int, str], None]  # lines that are done, of how many, and the last


def train_meta(
    tasks: Sequence[Any] | str,
    out: Path,
    *,
    validate: Sequence[Any] | str | None = None,
    begin: Rule | None = None,
    settings: MetaSettings = SETTINGS,
    seed: int = 0,
    resume: bool = False,
    play: Play = map,
    progress: Progress = lambda done, lines, name: None,
) -> dict[str, Any]:
    """Trains a rule over tasks, one kind of campaign after the other.

    Along each line of a kind (`lines_of`) steps are compared with staying, on the same campaigns of
    tasks of this kind; the step of the largest mean gain is made where its paired interval over
    settings is above 0. Where the kind's row as a whole is not above the one that it began as on
    validation tasks, by the 95% interval, it stays as it was.

    Args:
        tasks: One or more of what `read_tasks` takes, in a list or with "+" between.
        out: Folder of the run.
        validate: Likewise; None: the protocols' own validation, or, of tasks that are written out,
            other campaigns of the same.
        begin: The rule that the search begins at; None: that which changes nothing.
        settings: Of training.
        seed: Of all that is drawn.
        resume: Go on with what the folder holds.
        play: Maps a function over settings, in their order.
        progress: Is told after each line.

    Returns:
        What `config.json` holds.

    Raises:
        ValueError: Tasks that are none or of a test, or another run than the one that is resumed.
        OSError: The disk is full, or the folder cannot be written to.
    """
    trained = _joined([read_tasks("--tasks", each) for each in _listed(tasks)])
    validated = _validation(tasks, validate)
    run = {
        "agent": "meta",
        "tasks": described(trained),
        "validate": described(validated),
        "seed": seed,
        "begin": (begin or Rule()).table.tolist(),
        "settings": asdict(settings),
        "versions": versions(),
    }
    search = _Search(run, trained, validated, settings, out, play)
    if resume:
        search.read_state()
    return search.to_the_end(progress)


def _listed(given: Sequence[Any] | str) -> list[Any]:
    return given.split("+") if isinstance(given, str) else list(given)


def _joined(several: Sequence[TaskDistribution]) -> TaskDistribution:
    """Tasks of several distributions, each of which weighs as much."""
    if len(several) == 1:
        return several[0]
    tasks, weights = [], []
    for each in several:
        tasks += list(each)
        weights += each.probabilities.tolist()
    return TaskDistribution(tuple(tasks)).reweighted(weights)


def _validation(
    tasks: Sequence[Any] | str, validate: Sequence[Any] | str | None
) -> TaskDistribution:
    """The tasks that rules are chosen by, none of which shares an instance with a protocol's."""
    given = [read_tasks("--tasks", each) for each in _listed(tasks)]
    if validate is not None:
        trained = _joined(given)
        return _joined([validation_tasks(trained, each) for each in _listed(validate)])
    return _joined([validation_tasks(each) if is_protocol(each) else each for each in given])


class _Search:
    """A run: what was found along each line is kept, so that it goes on where it stopped."""

    def __init__(
        self,
        run: dict[str, Any],
        trained: TaskDistribution,
        validated: TaskDistribution,
        settings: MetaSettings,
        out: Path,
        play: Play,
    ) -> None:
        self._run, self._settings, self._out, self._play = run, settings, out, play
        self._trained, self._validated = by_kind(trained), by_kind(validated)
        self._begin = Rule(np.array(run["begin"]))
        self._rule = self._begin
        self._steps: list[dict[str, Any]] = []  # what was found along each line, in order
        self._looks: list[dict[str, Any]] = []  # what validation said of each kind
        self._began, self._seconds = time.perf_counter(), 0.0

    def read_state(self) -> None:
        """Goes on where the folder's run stopped.

        Raises:
            ValueError: There is none, or it is about something else.
        """
        try:
            state = json.loads((self._out / STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"--resume: {self._out} holds no run to go on with: {error}") from None
        check_same_run(self._out, state["run"], self._run)
        self._steps, self._looks = state["steps"], state["looks"]
        self._rule, self._seconds = Rule(np.array(state["table"])), state["seconds"]

    def to_the_end(self, progress: Progress) -> dict[str, Any]:
        """Searches along the lines that are left, and writes the policy."""
        lines = list(self._lines())
        for number, (kind, line) in enumerate(lines):
            if number >= len(self._steps):
                self._steps.append(self._along(number, kind, line))
                self._write_state()
                progress(number + 1, len(lines), f"{KINDS[kind]}: {line.name}")
            is_last_of_kind = number + 1 == len(lines) or lines[number + 1][0] != kind
            if is_last_of_kind and kind not in [look["kind"] for look in self._looks]:
                self._looks.append(self._look(kind))
                self._write_state()
        return self._write_policy()

    def _lines(self) -> Iterator[tuple[int, Line]]:
        for kind in self._trained:
            for _ in range(self._settings.passes):
                for line in lines_of(kind):
                    yield kind, line

    def _along(self, number: int, kind: int, line: Line) -> dict[str, Any]:
        """Compares the steps of a line with staying, and makes the best where it is above."""
        settings = self._settings
        rng = np.random.default_rng([self._run["seed"], number])
        drawn = draw_settings(
            self._trained[kind],
            rng,
            settings.settings,
            settings.campaigns,
            _SEED + self._run["seed"] * _OF_A_RUN + number * _OF_A_LINE,
            least_horizon=line.least_horizon,
        )
        rules = [self._rule, *(self._rule.moved(kind, step) for step in line.steps)]
        found = gains(self._play, drawn, rules)  # (S, steps)
        best = int(found.mean(axis=0).argmax())
        mean, low, high = mean_interval(found[:, best], confidence=settings.confidence)
        made = bool(low > 0)
        if made:
            self._rule = rules[1 + best]
        return {
            "kind": kind,
            "line": line.name,
            "gains": found.mean(axis=0).tolist(),
            "steps": [dict(step) for step in line.steps],
            "best": best,
            "interval": [mean, low, high],
            "made": made,
        }

    def _look(self, kind: int) -> dict[str, Any]:
        """Validates a kind's row, and takes it back where it is not above the first."""
        before = self._begin.table[kind]
        look: dict[str, Any] = {"kind": kind, "difference": 0.0, "low": 0.0, "high": 0.0}
        if kind in self._validated and not np.array_equal(self._rule.table[kind], before):
            settings = self._settings
            drawn = draw_settings(
                self._validated[kind],
                np.random.default_rng([self._run["seed"], 1, kind]),
                settings.validation_settings,
                settings.validation_campaigns,
                _VALIDATION_SEED + kind * _OF_A_LINE,
            )
            found = gains(self._play, drawn, [self._begin, self._rule])[:, 0]
            mean, low, high = mean_interval(found)
            look |= {"difference": mean, "low": low, "high": high}
        look["kept"] = bool(look["low"] > 0)
        look["row"] = self._rule.table[kind].tolist()
        if not look["kept"]:
            table = self._rule.table.copy()
            table[kind] = before
            self._rule = Rule(table)
        return look

    def _write_state(self) -> None:
        now = time.perf_counter()
        self._seconds, self._began = self._seconds + now - self._began, now
        state = {
            "run": self._run,
            "steps": self._steps,
            "looks": self._looks,
            "table": self._rule.table.tolist(),
            "seconds": self._seconds,
        }
        self._out.mkdir(parents=True, exist_ok=True)
        write_atomically(self._out / STATE, json.dumps(state))

    def _write_policy(self) -> dict[str, Any]:
        per_rule = self._settings.settings * self._settings.campaigns
        config = {
            **self._run,
            "campaigns": sum(per_rule * (1 + len(each["steps"])) for each in self._steps),
            "steps": self._steps,
            "validation": self._looks,
            "seconds": round(self._seconds, 1),
        }
        write_rule(self._out, Rule(self._rule.table, config))
        read: dict[str, Any] = json.loads((self._out / CONFIG).read_text(encoding="utf-8"))
        return read
