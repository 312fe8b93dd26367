"""A family: objectives over one design space, of which some instances were measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.registration import NAMESPACE, make_problem
from ombo_gym.tasks import Task, TaskDistribution, make_tasks
from ombo_gym.tasks.overlap import overlap
from ombo_gym.tasks.protocols import protocol_names

Floats = NDArray[np.float64]

FEWEST = 3  # instances
TRAINING_SEED = 2**31  # of designs and of instances that are drawn
_ALL = 70_000  # designs of a finite space up to which all are measured
_DRAWN = 2_000  # designs otherwise
_DRAWN_SLOWLY = 300  # where a design takes its time
_PROBES = 512  # designs beside these, that predictions are judged by
_COLLECTED = 5_000  # instances of a collection up to which all are measured
_INSTANCES = 32  # otherwise, and of families that have no end of them
_FEWEST_ROWS = 3  # of an instance
_NAME_INSTANCES = ("factors", "dataset", "centre", "instances", "functions", "target")  # arguments


@dataclass(frozen=True, eq=False)
class Family:
    """What was measured of I instances.

    Attributes:
        space: The design space.
        designs: (E, *shape).
        values: (I, E), NaN where an instance was not measured.
        train: (D,) which designs a prior is learnt from.
        probes: (P,) which designs predictions are judged by, of instances that are left out; where
            a policy meets other designs than were measured, they are others.
        covered: Whether all designs of the space were measured.
        names: Of the instances.
        origin: What `config.json` says of where they come from: `tasks`.
    """

    space: DesignSpace
    designs: Designs
    values: Floats
    train: NDArray[np.intp]
    probes: NDArray[np.intp]
    covered: bool
    names: tuple[str, ...]
    origin: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.values) < FEWEST:
            raise ValueError(
                f"tasks: expected a family of at least {FEWEST} training instances, got "
                f"{len(self.values)}: {', '.join(self.names)}"
            )
        for name, row in zip(self.names, self.values, strict=True):
            known = row[~np.isnan(row)]
            if len(known) < _FEWEST_ROWS or known.max() == known.min():
                raise ValueError(
                    f"tasks: expected at least {_FEWEST_ROWS} designs of different values in each "
                    f"training instance, got {len(known)} in {name}"
                )

    @property
    def shared(self) -> bool:
        """Whether all instances were measured at the same designs."""
        return not np.isnan(self.values).any()

    def reduced(self, most: int, rng: np.random.Generator) -> Family:
        """The same with not so many designs; the probes are among them."""
        if not self.covered or len(self.designs) <= most:
            return self
        others = np.setdiff1d(self.train, self.probes)
        kept = np.concatenate([self.probes, rng.permutation(others)[: most - len(self.probes)]])
        return Family(
            self.space,
            self.designs[kept],
            self.values[:, kept],
            np.arange(len(kept)),
            np.arange(len(self.probes)),
            self.covered,
            self.names,
            self.origin,
        )

    def some(self, instances: NDArray[np.intp]) -> Family:
        """The same of some instances."""
        names = tuple(self.names[i] for i in instances)
        return Family(
            self.space,
            self.designs,
            self.values[instances],
            self.train,
            self.probes,
            self.covered,
            names,
            self.origin,
        )


def family_of(
    tasks: Any,
    seed: int = 0,
    most_instances: int | None = None,
    env_kwargs: Mapping[str, Any] | None = None,
) -> Family:
    """The training instances that some tasks are about, measured.

    Args:
        tasks: `NAME:SPLIT` of the environment `Ombo/NAME-v0`, such as "LCBench:train", or what
            `ombo_gym.tasks.make_tasks` takes; problems of one design space.
        seed: Of designs, and of instances where they are drawn.
        most_instances: That are measured of each problem, drawn from a collection of more; None:
            all of a collection, and 32 of families of more than 5,000.
        env_kwargs: Further arguments of an environment that is named as `NAME:SPLIT`.

    Raises:
        ValueError: Test instances, problems of different design spaces, or too few instances.
    """
    chosen = _tasks(tasks, env_kwargs or {})
    if not _of_a_protocol(tasks):
        for task in chosen:
            _check_no_test(task)
    return measured(chosen, seed, most_instances)


def measured(tasks: Sequence[Task], seed: int = 0, most_instances: int | None = None) -> Family:
    """As `family_of`, whatever split the tasks' instances are of."""
    rng = np.random.default_rng(TRAINING_SEED + seed)
    problems = [(task, _problem(task)) for task in tasks]
    space = problems[0][1].design_space
    for task, problem in problems[1:]:
        if problem.design_space != space:
            raise ValueError(
                f"tasks: expected problems of one design space, which is {space!r} in "
                f"{problems[0][0].env}, got {problem.design_space!r} in {task.env}"
            )
    size = space.size
    covered = size is not None and size <= _ALL and all(each.cheap for _, each in problems)
    if covered:
        assert size is not None
        designs = space.decode(np.arange(size))
        order = rng.permutation(size)
        train = np.arange(size)
        probes = order[:_PROBES]
    else:
        cheap = all(each.cheap for _, each in problems)
        count = _DRAWN if cheap else _DRAWN_SLOWLY
        most = count + _PROBES if cheap else 2 * count
        designs = _drawn(problems[0][1], most if size is None else min(most, size), rng)
        train = np.arange(len(designs) * count // most)
        probes = np.arange(len(train), len(designs))
    values, names = [], []
    for task, problem in problems:
        found, titles = _measured(task, problem, designs, rng, most_instances)
        values.append(found)
        names += titles
    origin = {"tasks": [{"env": t.env, "env_kwargs": dict(t.env_kwargs)} for t, _ in problems]}
    return Family(
        space, designs, np.concatenate(values), train, probes, covered, tuple(names), origin
    )


def _tasks(given: Any, env_kwargs: Mapping[str, Any]) -> list[Task]:
    """The tasks that are meant, each problem once."""
    name, _, split = given.partition(":") if isinstance(given, str) else ("", "", "")
    if f"{NAMESPACE}/{name}-v0" in gym.registry and split:
        if "split" in env_kwargs:
            raise ValueError(
                f"env_kwargs: expected arguments beside the split, which {given} names, got "
                f"{shown(dict(env_kwargs))}"
            )
        return [Task(f"{NAMESPACE}/{name}-v0", {**env_kwargs, "split": split})]
    if env_kwargs:
        raise ValueError(
            "env_kwargs: expected tasks such as LCBench:train beside it, of one environment, got "
            f"{shown(given)}; other tasks hold the arguments of their own problems"
        )
    if isinstance(given, str) and given.endswith(".json"):
        text = Path(given).read_text(encoding="utf-8")
        return _each_once(TaskDistribution.from_json(text))
    if split == "test":
        raise ValueError(
            f"tasks: a prior is learnt from training tasks, {name}:train, got {given!r}"
        )
    return _each_once(make_tasks(given))


def _of_a_protocol(given: Any) -> bool:
    """Whether tasks are named whose split has no test instances by how the protocol is made."""
    return isinstance(given, str) and given.partition(":")[0] in protocol_names()


def _each_once(tasks: TaskDistribution) -> list[Task]:
    found: list[Task] = []
    for task in tasks:
        bare = Task(task.env, task.env_kwargs)
        if bare not in found:
            found.append(bare)
    return found


def _problem(task: Task) -> Problem:
    """What a task is about."""
    arguments = dict(task.problem_arguments)
    for name in ("surrogate", "noise_std"):
        arguments.pop(name, None)
    return make_problem(arguments.pop("problem"), **arguments)


def _check_no_test(task: Task) -> None:
    """Refuses tasks whose instances are those of a test.

    Raises:
        ValueError: They are.
    """
    if "test" not in _problem(task).splits:
        return
    alike = {key: each for key, each in task.env_kwargs.items() if key not in _NAME_INSTANCES}
    tests: list[dict[str, Any]] = [{"split": "test"}, {**alike, "split": "test"}]
    if any(overlap((task.env, task.env_kwargs), (task.env, test)) for test in tests):
        raise ValueError(
            f"tasks: a prior is learnt from training instances, and never sees those of a test: "
            f"expected split 'train' of {task.env}, got {shown(dict(task.env_kwargs))}"
        )


def _drawn(problem: Problem, count: int, rng: np.random.Generator) -> Designs:
    """Random designs as starts are made of, each once, (at most count, *shape)."""
    instances, _ = _instances(problem, rng, 1)
    drawn = problem.sample(instances, GeneratorBatch([rng], 1), count)[0]
    found: Designs = drawn[np.sort(np.unique(drawn, axis=0, return_index=True)[1])]
    return found


def _instances(
    problem: Problem, rng: np.random.Generator, most: int, drawn: bool = False
) -> tuple[Instances, list[int]]:
    """Instances of a collection, the first ones or some that are drawn, or of a process.

    Returns:
        The instances, and the number of each.
    """
    count = problem.instance_count()
    if count is None:
        return problem.draw(GeneratorBatch(rng.spawn(most), most)), list(range(most))
    numbers = np.arange(min(count, most), dtype=np.int64)
    if drawn and most < count:
        numbers = np.sort(rng.choice(count, most, replace=False))
    return problem.instances_numbered(numbers), numbers.tolist()


def _measured(
    task: Task,
    problem: Problem,
    designs: Designs,
    rng: np.random.Generator,
    most_instances: int | None,
) -> tuple[Floats, list[str]]:
    """True values of instances, (I, E), and what these are called."""
    count = problem.instance_count()
    one = count is None and "split" not in task.env_kwargs and not _varies(problem)
    every = count if count is not None and count <= _COLLECTED else _INSTANCES
    most = 1 if one else most_instances or every
    if count is not None:
        most = min(most, count)
    instances, numbers = _instances(problem, rng, most, drawn=True)
    values = np.empty((most, len(designs)))
    for row in range(most):
        alone = {name: array[row : row + 1] for name, array in instances.items()}
        values[row] = problem.true_values(alone, designs[None])[0][0]
    arguments = ", ".join(f"{key}={shown(value)}" for key, value in task.env_kwargs.items())
    return values, [f"{task.env}({arguments}) {number}" for number in numbers]


def _varies(problem: Problem) -> bool:
    """Whether instances that are drawn differ."""
    two = problem.draw(GeneratorBatch(np.random.default_rng(TRAINING_SEED).spawn(8), 8))
    return any(
        not (array == array[:1]).all() for array in two.values() if array.dtype.kind in "biuf"
    )
