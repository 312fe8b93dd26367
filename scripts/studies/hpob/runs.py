"""Campaigns on HPO-B: a cell is one policy on a task, with a campaign for each published seed."""

from __future__ import annotations

import hashlib
import json
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import ombo_agents
import ombo_gym
from ombo_gym.evaluation.identity import Identities
from ombo_gym.evaluation.launch import Launch
from ombo_gym.files import write_atomically
from ombo_gym.problems.tuning.hpob import HPOB, PACKED, evaluations
from scripts.studies.hpob.starts import SEEDS, starts

ENV = "Ombo/HPOB-v0"


@dataclass(frozen=True)
class Cell:
    """What is played.

    Attributes:
        task: `SPACE_DATASET`.
        policy: As the policy factory takes it.
        recipe: Kernel of its surrogate, see `ombo_gym.surrogates`; no matter where it has none.
        batch_size: q.
        horizon: N.
        draw: Of the starts.
    """

    task: str
    policy: str
    recipe: str = "fit"
    batch_size: int = 1
    horizon: int = 100
    draw: int = 0

    @property
    def arguments(self) -> dict[str, Any]:
        """Of the environments, but for their starts."""
        space, dataset = self.task.split("_")
        return {"space": space, "dataset": dataset, "surrogate": {"kernel": self.recipe}}


class Run(NamedTuple):
    """What came of a cell.

    Attributes:
        regrets: Of the best configuration so far, from the start to the last round, (5, N + 1):
            its distance to the highest accuracy of the task, as a share of the task's range.
        seconds: Of one core, for all rounds of all campaigns.
    """

    regrets: NDArray[np.float64]
    seconds: float


def play(cell: Cell) -> Run:
    """Plays a cell: the campaigns of the published seeds in lockstep, each from its own start.

    Raises:
        ValueError: The policy does not suit the campaigns.
    """
    kwargs = {**cell.arguments, "batch_size": cell.batch_size, "horizon": cell.horizon}
    makers: list[Callable[[], gym.Env[Any, Any]]] = [
        partial(
            gym.make,
            ENV,
            disable_env_checker=True,
            start={"kind": "listed", "designs": start.tolist()},
            **kwargs,
        )
        for start in starts(cell.task, cell.draw)
    ]
    envs = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)
    policy = ombo_agents.make(cell.policy, ombo_gym.campaign_spec(envs.envs[0]))
    numbers = [PACKED.index(cell.task), cell.draw, zlib.crc32(cell.policy.encode())]
    rngs = [np.random.default_rng([*numbers, seed]) for seed in range(SEEDS)]
    values = np.empty((SEEDS, cell.horizon + 1))
    begun = time.process_time()
    with threadpool_limits(limits=1):  # more would add in another order
        observation, info = envs.reset(seed=0)
        values[:, 0] = info["best_value"]
        for number in range(1, cell.horizon + 1):
            actions = policy.act(observation, rngs)
            observation, _, _, _, info = envs.step(actions)
            values[:, number] = info["best_value"]
    seconds = time.process_time() - begun
    envs.close()
    table = evaluations(cell.task)[:, -1].astype(np.float64)  # (n,) accuracies
    return Run((table.max() - values) / np.ptp(table), seconds)


def runs(cells: Sequence[Cell], folder: Path, *, launch: Launch, resume: bool) -> dict[Cell, Run]:
    """All cells' runs, in the order of the cells.

    Args:
        cells: What is played.
        folder: Where finished cells are kept, one file each, by what they are made of.
        launch: Where to play.
        resume: Take finished cells from the folder.
    """
    identities = Identities()
    files = {cell: folder / f"{_key(cell, identities)}.json" for cell in dict.fromkeys(cells)}
    missing = [cell for cell, file in files.items() if not (resume and file.is_file())]
    played = launch.map(partial(_play_and_keep, files=files), missing)
    for _ in tqdm(played, total=len(missing), unit="cell", desc="HPO-B", disable=None):
        pass
    return {cell: _read(file) for cell, file in files.items()}


def _play_and_keep(cell: Cell, files: dict[Cell, Path]) -> None:
    run = play(cell)
    kept = {"cell": asdict(cell), "seconds": run.seconds, "regrets": run.regrets.tolist()}
    files[cell].parent.mkdir(parents=True, exist_ok=True)
    write_atomically(files[cell], json.dumps(kept))


def _read(file: Path) -> Run:
    kept = json.loads(file.read_text())
    return Run(np.array(kept["regrets"]), kept["seconds"])


def _key(cell: Cell, identities: Identities) -> str:
    """Hash of what is played from where, and of the code, settings and data it is made of."""
    made_of = identities.fingerprint(
        cell.policy, ENV, HPOB.sources, env_kwargs=json.dumps(cell.arguments)
    )
    here = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    begun = starts(cell.task, cell.draw).tolist()
    text = json.dumps([asdict(cell), begun, made_of, here, ombo_gym.__version__], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
