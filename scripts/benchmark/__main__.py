"""`python -m scripts.benchmark`."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from importlib.metadata import version
from typing import Any

import tyro

from ombo_agents.cli.arguments import report_errors
from ombo_gym.evaluation.evaluate import versions
from scripts.benchmark.arguments import Args
from scripts.benchmark.controls import controls
from scripts.benchmark.environments import native_against_sync, native_step_apart, single_step
from scripts.benchmark.evaluation import evaluation_at_scale
from scripts.benchmark.policies import batched_policies, rollout_against_botorch
from scripts.benchmark.problems import problems_apart
from scripts.benchmark.rows import Row, format_rows, verdict
from scripts.benchmark.surrogates import fits
from scripts.benchmark.ucb import ucb_against_botorch


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    threads = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    return {"machine": platform.platform(), "cores": os.cpu_count(), **threads}


def main(args: Args) -> list[Row]:
    """Measures everything, prints it and writes it."""
    rows = native_against_sync(args) + single_step(args) + native_step_apart(args)
    rows += (
        controls(args)
        + fits(args)
        + problems_apart(args)
        + ucb_against_botorch(args)
        + rollout_against_botorch(args)
    )
    rows += batched_policies(args) + evaluation_at_scale(args)
    print(f"\n{format_rows(rows)}\n\n{verdict(rows)}")
    if args.out is not None:
        with_botorch = args.campaigns or args.planning_campaigns
        found = {
            "rows": [dataclasses.asdict(row) | {"met": row.met} for row in rows],
            "args": dataclasses.asdict(args) | {"out": str(args.out)},
            "versions": versions() | ({"botorch": version("botorch")} if with_botorch else {}),
            "machine": machine(),
        }
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(found, indent=2) + "\n")
        print(f"numbers  {args.out}")
    return rows


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args))
