"""`ombo train`: trains a meta-policy on campaigns, and writes it where `ombo evaluate` reads it."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from ombo_agents.cli.arguments import parse_env, parse_horizon, parse_json


@dataclass(frozen=True)
class Args:
    """Trains a meta-policy with PPO.

    For instance: ombo train --env Ombo/GP-v0 --horizon 1-5 --utility last_mean --out runs/mine
    """

    out: Path
    """Folder of the run, for instance runs/NAME."""
    env: str = "Ombo/GP-v0"
    """Id of the environment; of your own, `module:Id` or `module:Class` of the problem."""
    agent: str = "exploration"
    """What the agent acts through: "exploration" weights, or "direct"ly on designs."""
    horizon: str = "1-5"
    """Rounds N, or a range that each campaign draws its own from."""
    batch_size: int = 4
    """Designs per round, q."""
    utility: str = "best"
    """What a finished campaign is worth."""
    env_kwargs: str = "{}"
    """Further arguments of the environment, as JSON; they win over the flags above."""
    steps: int | None = None
    """Rounds to play in training, rounded up to whole updates; by default the agent's own number,
    or the resumed run's."""
    num_envs: int | None = None
    """Campaigns in lockstep; by default the agent's own number."""
    seed: int = 0
    """Of the network and of the training campaigns."""
    resume: bool = False
    """Go on from the run's state.safetensors, with the arguments that it was begun with; others are
    refused. A run that was interrupted, killed or out of disk space, and is resumed, ends with the
    same policy.safetensors and config.json, to the bit, as one that was not (same machine, same
    versions). Only --steps may be larger: the learning rate then falls anew towards the new end."""


def main(args: Args) -> None:
    """Trains from the command line.

    Raises:
        SystemExit: Ctrl-C; what was kept last is there.
    """
    from ombo_agents.learned.callbacks import ProgressInUpdates
    from ombo_agents.learned.storage import CONTROLS
    from ombo_agents.learned.training import SETTINGS, steps_of, train

    if args.agent not in CONTROLS:
        raise ValueError(f"--agent: expected one of {sorted(CONTROLS)}, got {args.agent!r}")
    given = parse_json("--env-kwargs", args.env_kwargs)
    if reserved := sorted({"num_envs", "autoreset_mode", "control"} & given.keys()):
        raise ValueError(f"--env-kwargs: {reserved} are set by --num-envs and --agent")
    rounds = {"horizon": parse_horizon(args.horizon), "batch_size": args.batch_size}
    if "plates" in given:  # which lay down both
        rounds = {}
    env_kwargs = {**rounds, "utility": args.utility, **given}
    settings = SETTINGS[args.agent]
    own_steps = steps_of(args.out) if args.resume else settings.steps
    settings = replace(
        settings,
        steps=own_steps if args.steps is None else args.steps,
        num_envs=settings.num_envs if args.num_envs is None else args.num_envs,
    )
    update = settings.num_envs * settings.rounds_per_update
    if args.steps is not None and settings.steps % update:
        whole = -(-settings.steps // update) * update
        print(f"--steps {settings.steps:,}: rounded up to {whole:,}, in updates of {update:,}")
    try:
        config = train(
            parse_env(args.env),
            agent=args.agent,
            env_kwargs=env_kwargs,
            settings=settings,
            seed=args.seed,
            out=args.out,
            resume=args.resume,
            callback=ProgressInUpdates(),
        )
    except KeyboardInterrupt:
        print(f"interrupted: the same command with --resume goes on, {args.out}", file=sys.stderr)
        raise SystemExit(128 + signal.SIGINT) from None
    if args.resume and not config["new_steps"]:
        print(
            f"{args.out} is finished already, with {config['steps']:,} rounds; more --steps go on"
        )
        return
    print(f"trained {config['steps']:,} rounds in {config['seconds']} s: {args.out}")
