"""Which checkpoint is kept: the untrained one, until another is above it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from ombo_agents.learned.over_tasks.validation import (
    Validation,
    in_blocks,
    kept_rounds,
    lengths_of_campaigns,
    tasks_of_campaigns,
    together,
)
from ombo_agents.learned.training_state import TrainingState
from ombo_gym.tasks import TaskDistribution, make_tasks
from tests.agents.over_tasks.cases import TASKS, VALIDATE, played

CAMPAIGNS = 8


class Run:
    """A run whose network is a number, and whose campaigns score what they are told to.

    Args:
        scores: Of each look, one number a campaign.
        every: Updates between two looks; an update has 10 rounds.
    """

    def __init__(self, scores: list[Any], every: int = 1) -> None:
        self.network = cast(Any, torch.nn.Linear(1, 1, bias=False))
        self.scores = [np.broadcast_to(each, (CAMPAIGNS,)).astype(float) for each in scores]
        self.logged: list[tuple[int, dict[str, float]]] = []
        self._record: dict[str, float] = {}
        self.validation = cast(Any, Validation(self._play, CAMPAIGNS, every, self.network))
        self.model: Any = SimpleNamespace(
            policy=self.network, num_timesteps=0, n_steps=5, n_envs=2, logger=self
        )
        self.validation.model = self.model

    name_to_value: dict[str, float] = {}  # noqa: RUF012

    def record(self, name: str, value: float) -> None:
        self._record[name] = value

    def dump(self, step: int) -> None:
        self.logged.append((step, self._record))
        self._record = {}

    def _play(self, network: Any) -> Any:
        assert network is self.network
        return self.scores.pop(0)

    def update(self, weight: float) -> None:
        """An update, from one look to the next."""
        self.validation._on_rollout_start()
        self.model.num_timesteps += 10
        with torch.no_grad():
            self.network.weight.fill_(weight)

    @property
    def kept(self) -> float:
        other: Any = torch.nn.Linear(1, 1, bias=False)
        self.validation.put_kept_into(other)
        return float(other.weight.item())


LITTLE = np.linspace(-0.1, 0.1, CAMPAIGNS)


def test_the_untrained_network_is_kept_until_another_is_above_it() -> None:
    wide = 10 * LITTLE
    run = Run([0.0, 0.1 + wide, 0.2 + LITTLE, 0.15 + LITTLE, 0.9])
    run.network.weight.data.fill_(5.0)
    untrained = Run([0.0])
    assert untrained.kept == float(untrained.network.weight.item())
    for weight in (1.0, 2.0, 3.0, 4.0):
        run.update(weight)
    # At 10 rounds the interval holds 0, at 20 it lies above, at 30 the mean is below the kept one.
    assert run.kept == 2.0
    run.validation._on_training_end()
    assert run.kept == 4.0
    rows = [line.split(",") for line in run.validation.table().splitlines()]
    assert rows[0] == ["rounds", "score", "difference", "low", "high", "kept"]
    assert [row[0] for row in rows[1:]] == ["0", "10", "20", "30", "40"]
    assert [row[-1] for row in rows[1:]] == ["True", "False", "True", "False", "True"]
    assert float(rows[4][2]) == pytest.approx(-0.05)  # to the kept one, and not to the first
    assert [step for step, _ in run.logged] == [0, 10, 20, 30, 40]
    assert run.logged[0][1].keys() == {"validation/score"}
    assert run.logged[2][1]["validation/difference"] == pytest.approx(0.2)


def test_the_interval_is_student_s_over_campaigns() -> None:
    gained = np.array([0.3, -0.1, 0.2, 0.4, 0.1, 0.0, 0.5, 0.2])
    run = Run([0.0, gained])
    run.update(1.0)
    run.update(2.0)
    row = run.validation.table().splitlines()[2].split(",")
    half = 2.364624 * gained.std(ddof=1) / np.sqrt(CAMPAIGNS)  # 7 degrees of freedom
    assert float(row[3]) == pytest.approx(gained.mean() - half, rel=1e-6)
    assert float(row[4]) == pytest.approx(gained.mean() + half, rel=1e-6)
    assert row[5] == str(gained.mean() > half)


def test_looks_come_every_few_updates_and_at_the_end_once() -> None:
    run = Run([0.0] * 5, every=3)
    for weight in range(7):
        run.update(float(weight))
    run.validation._on_training_end()
    run.validation._on_training_end()
    rounds = [line.split(",")[0] for line in run.validation.table().splitlines()[1:]]
    assert rounds == ["0", "30", "60", "70"]


def test_a_network_that_has_diverged_is_not_looked_at() -> None:
    run = Run([0.0, 0.0])
    run.update(np.nan)
    with pytest.raises(ValueError, match="training diverged: the weights"):
        run.update(1.0)


def test_what_is_kept_goes_through_a_state() -> None:
    run, other = Run([0.0, 1.0, 0.5]), Run([0.8])
    for weight in (1.0, 2.0):
        run.update(weight)
    state = TrainingState(run.validation.arrays(), run.validation.facts())
    other.validation.restore(state)
    assert other.kept == run.kept == 1.0
    assert other.validation.table() == run.validation.table()
    other.model.num_timesteps = 20
    other.update(9.0)
    assert other.validation.table().splitlines()[-1].endswith("False")  # beside the kept scores


def test_the_checkpoint_that_was_kept_last_is_read_back(tmp_path: Path) -> None:
    text = "rounds,score,difference,low,high,kept\n0,0,,,,True\n10,1,1,1,1,True\n20,0,0,0,0,False\n"
    (tmp_path / "validation.csv").write_text(text)
    assert kept_rounds(tmp_path) == 10
    with pytest.raises(FileNotFoundError):
        kept_rounds(tmp_path / "nowhere")


def test_every_task_is_validated_on_in_its_share() -> None:
    tasks = make_tasks(VALIDATE)  # of weights 1 and 3
    assert np.bincount(tasks_of_campaigns(tasks, 100)).tolist() == [25, 75]
    protocol = TaskDistribution.named("ML-instances-v0:validation")
    counts = np.bincount(tasks_of_campaigns(protocol, 512), minlength=len(protocol))
    assert (abs(counts - 512 * protocol.probabilities) <= 1).all()


def test_campaigns_of_one_length_are_played_together_and_all_are_played_once() -> None:
    lengths = np.array([3, 1, 2, 1, 3, 2, 1])
    blocks = in_blocks(lengths, 3)
    assert blocks == [(1, 3, 6), (2, 5, 0), (4,)]
    scores = [np.array(block, float) for block in blocks]
    assert together(blocks, scores).tolist() == list(range(7))


def test_lengths_are_those_of_the_campaigns() -> None:
    tasks = make_tasks(TASKS)
    which = tasks_of_campaigns(tasks, 9)
    lengths = lengths_of_campaigns(played(), which)
    most = [4, 3]
    assert all(1 <= n <= most[task] for n, task in zip(lengths, which, strict=True))
    assert len(set(lengths.tolist())) > 1
