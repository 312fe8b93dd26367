"""Campaigns of a study: what is kept is read, the rest is played."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from scripts.studies.study import Args


def launch_of(jobs: int) -> Launch:
    """Processes of this machine, or none beside this one."""
    return Launch("loky", jobs) if jobs > 1 else Launch()


def play(plans: Sequence[EvaluationPlan], args: Args) -> pd.DataFrame:
    """A row per campaign, with the columns of `campaigns.csv`.

    Args:
        plans: What is played.
        args: Of the study; finished cells are kept in the folder `cells` of its `runs`.

    Raises:
        RuntimeError: A policy failed; what the others did is kept.
    """
    launch = launch_of(args.jobs)
    results = run(plans, folder=args.runs / "cells", launch=launch, resume=args.resume)
    if len(results.errors):
        failed = results.errors.iloc[0]
        raise RuntimeError(
            f"{failed['policy']} failed on {failed['env']}: {failed['error']}; the rest is kept, "
            "go on with --resume"
        )
    return results.campaigns
