"""`ombo train --agent meta`: CMA-ES over the rule's weights, all rules on the same campaigns."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.learned.meta.objective import Play, draw_settings, scores_of_all
from ombo_agents.learned.meta.rule import CONFIG, Rule, write_rule
from ombo_agents.learned.meta.settings import SETTINGS, MetaSettings
from ombo_agents.learned.over_tasks.chosen_tasks import described, read_tasks, validation_tasks
from ombo_agents.learned.run_identity import check_same_run, versions
from ombo_gym.evaluation.statistics import paired_difference
from ombo_gym.files import write_atomically
from ombo_gym.tasks import TaskDistribution

Floats = NDArray[np.float64]

STATE, LOG = "state.json", "generations.csv"
_SEED = 2**31  # of training's first campaign: evaluation's are below
_OF_A_RUN = 2**40  # campaigns that the seeds of a run are apart
_VALIDATION_SEED = 2**62


def train_meta(
    tasks: Sequence[str] | str,
    out: Path,
    *,
    validate: Sequence[str] | str | None = None,
    settings: MetaSettings = SETTINGS,
    seed: int = 0,
    resume: bool = False,
    play: Play = map,
    progress: Callable[[int, float], None] = lambda generation, gain: None,
) -> dict[str, Any]:
    """Trains a rule over tasks.

    A generation's rules are judged by the mean over its settings of what their scores are above
    those of the rule that changes nothing, on the same campaigns. The mean of the search
    distribution is looked at every few generations on validation tasks, and kept where the paired
    interval over these settings of its scores minus those of what was kept before is above 0.

    Args:
        tasks: One or more of what `read_tasks` takes.
        out: Folder of the run.
        validate: Likewise; None: the protocols' own validation.
        settings: Of training.
        seed: Of all that is drawn.
        resume: Go on with what the folder holds.
        play: Maps a function over settings, in their order.
        progress: Is told after each generation its number and the mean gain of its best rule.

    Returns:
        What `config.json` holds.

    Raises:
        ValueError: Tasks that are none or of a test, or another run than the one that is resumed.
        OSError: The disk is full, or the folder cannot be written to.
        ImportError: pycma is missing.
    """
    trained = _joined([read_tasks("--tasks", each) for each in _listed(tasks)])
    validated = _validation(tasks, validate)
    run = {
        "agent": "meta",
        "tasks": described(trained),
        "validate": described(validated),
        "seed": seed,
        "settings": {k: v for k, v in asdict(settings).items() if k != "generations"},
        "versions": versions(),
    }
    training = _Training(run, trained, validated, settings, out, play)
    if resume:
        training.read_state()
    return training.to_the_end(progress)


def _listed(given: Sequence[str] | str) -> list[str]:
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
    tasks: Sequence[str] | str, validate: Sequence[str] | str | None
) -> TaskDistribution:
    """The tasks that rules are chosen by, none of which shares an instance with the others."""
    listed = _listed(tasks)
    chosen = [None] * len(listed) if validate is None else _listed(validate)
    trained = _joined([read_tasks("--tasks", each) for each in listed])
    found = []
    for number, each in enumerate(chosen):
        if each is None:
            found.append(validation_tasks(read_tasks("--tasks", listed[number])))
        else:
            found.append(validation_tasks(trained, each))
    return _joined(found)


class _Training:
    """A run: its search distribution is found again from the values it was told."""

    def __init__(
        self,
        run: dict[str, Any],
        trained: TaskDistribution,
        validated: TaskDistribution,
        settings: MetaSettings,
        out: Path,
        play: Play,
    ) -> None:
        try:
            import cma
        except ImportError as error:
            raise ImportError('--agent meta needs pycma: pip install "ombo-gym[agents]"') from error
        self._run, self._settings, self._out, self._play = run, settings, out, play
        self._trained = trained
        self._shape = Rule().weights.shape
        options = {
            "seed": run["seed"] + 1,
            "popsize": settings.population,
            "verbose": -9,
            "CMA_mirrors": 0,
        }
        zeros = np.zeros(int(np.prod(self._shape)))
        self._search = cma.CMAEvolutionStrategy(zeros, settings.sigma, options)
        self._told: list[list[float]] = []  # of each generation, what its rules were worth
        self._log: list[dict[str, Any]] = []
        self._validation = draw_settings(
            validated,
            np.random.default_rng([run["seed"], 1]),
            settings.validation_settings,
            settings.validation_campaigns,
            _VALIDATION_SEED,
        )
        self._kept = Rule()
        self._kept_scores: Floats | None = None  # (settings,)
        self._began = time.perf_counter()
        self._seconds = 0.0

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
        for values in state["told"]:
            self._search.tell(self._search.ask(), values)
            self._told.append(values)
        self._log, self._seconds = state["log"], state["seconds"]
        self._kept = Rule(np.array(state["kept"]))
        self._kept_scores = np.array(state["kept_scores"])

    def to_the_end(self, progress: Callable[[int, float], None]) -> dict[str, Any]:
        """Trains as long as there are generations left, and writes the policy."""
        if self._kept_scores is None:
            self._look()
            self._write_state()
        while (generation := len(self._told)) < self._settings.generations:
            solutions = self._search.ask()
            values = self._values(generation, solutions)
            self._search.tell(solutions, values)
            self._told.append(values)
            if len(self._told) % self._settings.validation_every == 0:
                self._look()
            self._write_state()
            progress(len(self._told), -min(values))
        if self._log[-1]["generation"] != len(self._told):
            self._look()
            self._write_state()
        return self._write_policy()

    def _values(self, generation: int, solutions: Sequence[Floats]) -> list[float]:
        """What a generation's rules are worth, low is good."""
        settings = self._settings
        rng = np.random.default_rng([self._run["seed"], 0, generation])
        first = _SEED + self._run["seed"] * _OF_A_RUN
        first += generation * settings.settings * settings.campaigns
        drawn = draw_settings(self._trained, rng, settings.settings, settings.campaigns, first)
        rules = [Rule(), *(self._rule(each) for each in solutions)]
        scores = scores_of_all(self._play, drawn, rules)  # (S, P + 1, B)
        gains = (scores[:, 1:] - scores[:, :1]).mean(axis=2)  # (S, P)
        return [float(-each) for each in gains.mean(axis=0)]

    def _rule(self, solution: Floats) -> Rule:
        return Rule(np.reshape(solution, self._shape))

    def _look(self) -> None:
        """Plays validation, and keeps the mean of the search where it is above what was kept."""
        rule = self._rule(self._search.mean) if self._told else Rule()
        scores = scores_of_all(self._play, self._validation, [rule])
        of_settings = scores[:, 0].mean(axis=1)  # (V,)
        look = {"generation": len(self._told), "score": float(of_settings.mean())}
        look |= {"difference": 0.0, "low": 0.0, "high": 0.0, "kept": self._kept_scores is None}
        if self._kept_scores is not None:
            difference, low, high = paired_difference(of_settings, self._kept_scores)
            look |= {"difference": difference, "low": low, "high": high, "kept": low > 0}
        if look["kept"]:
            self._kept, self._kept_scores = rule, of_settings
        self._log.append({k: v if isinstance(v, bool | int) else float(v) for k, v in look.items()})

    def _write_state(self) -> None:
        assert self._kept_scores is not None
        now = time.perf_counter()
        self._seconds, self._began = self._seconds + now - self._began, now
        state = {
            "run": self._run,
            "told": self._told,
            "log": self._log,
            "kept": self._kept.weights.tolist(),
            "kept_scores": self._kept_scores.tolist(),
            "seconds": self._seconds,
        }
        self._out.mkdir(parents=True, exist_ok=True)
        write_atomically(self._out / STATE, json.dumps(state))

    def _write_policy(self) -> dict[str, Any]:
        settings = self._settings
        config = {
            **self._run,
            "generations": len(self._told),
            "campaigns": len(self._told)
            * settings.settings
            * settings.campaigns
            * (settings.population + 1),
            "validation": self._log,
            "seconds": round(self._seconds, 1),
        }
        write_rule(self._out, Rule(self._kept.weights, config))
        read: dict[str, Any] = json.loads((self._out / CONFIG).read_text(encoding="utf-8"))
        return read
