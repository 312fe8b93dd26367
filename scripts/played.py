"""Campaigns of a table: what is kept is read, the rest is played."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run


def launch_of(jobs: int) -> Launch:
    """Processes of this machine, or none beside this one."""
    return Launch("loky", jobs) if jobs > 1 else Launch()


def played(plans: Sequence[EvaluationPlan], runs: Path, *, jobs: int, resume: bool) -> pd.DataFrame:
    """A row per campaign.

    Args:
        plans: What is played.
        runs: Finished cells are kept in its folder `cells`.
        jobs: Processes.
        resume: Whether to take what an earlier run into the same folder has finished.

    Raises:
        RuntimeError: A policy failed; what the others did is kept.
    """
    results = run(plans, folder=runs / "cells", launch=launch_of(jobs), resume=resume)
    if len(results.errors):
        failed = results.errors.iloc[0]
        raise RuntimeError(
            f"{failed['policy']} failed on {failed['env']}: {failed['error']}; the rest is kept, "
            "go on with --resume"
        )
    return results.campaigns
