"""What `ombo train --agent meta` does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tqdm import tqdm

from ombo_agents.learned.in_order import in_order
from ombo_agents.learned.meta.rule import Rule
from ombo_agents.learned.meta.settings import SETTINGS
from ombo_agents.learned.meta.shipped import shipped_rule
from ombo_agents.learned.meta.training import train_meta
from ombo_gym.evaluation.launch import Launch


def train_from_flags(args: Any, task: Mapping[str, Any] | None) -> dict[str, Any]:
    """Trains as flags say, with a progress bar.

    Args:
        args: Those of `ombo train`.
        task: The one that is trained on and validated by, on other campaigns; None: `args.tasks`.

    Returns:
        What `config.json` holds.
    """
    settings = SETTINGS if args.passes is None else replace(SETTINGS, passes=args.passes)
    jobs = (os.cpu_count() or 1) if args.jobs is None else args.jobs
    launch = Launch(args.backend or "loky", jobs, args.address)
    with launch.opened() as play, tqdm(unit="line") as bar:

        def progress(done: int, lines: int, name: str) -> None:
            bar.total = lines
            bar.set_description(name)
            bar.update(done - bar.n)

        return train_meta(
            args.tasks if task is None else [[dict(task)]],
            args.out,
            validate=args.validate,
            begin=shipped_rule() if args.from_shipped else Rule(),
            settings=settings,
            seed=args.seed,
            resume=args.resume,
            play=in_order(play),
            progress=progress,
        )
