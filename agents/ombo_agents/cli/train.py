"""`ombo train`: trains a meta-policy on campaigns, and writes it where `ombo evaluate` reads it."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ombo_agents.cli.arguments import parse_env, parse_horizon, parse_json

# What tasks say by themselves, with what holds where there is one environment.
_OF_ONE_PROBLEM: dict[str, Any] = {
    "env": "Ombo/GP-v0",
    "horizon": "1-5",
    "batch_size": 4,
    "utility": "best",
}
_OF_TASKS = (
    *("validate", "validation_every", "validation_campaigns", "block"),
    *("backend", "jobs", "address"),
)


@dataclass(frozen=True)
class Args:
    """Trains a meta-policy with PPO, on one problem or over many tasks.

    For instance: ombo train --env Ombo/GP-v0 --horizon 1-5 --utility last_mean --out runs/mine

    Over tasks: ombo train --tasks ML-families-v0:train --out runs/mine
    """

    out: Path
    """Folder of the run, for instance runs/NAME."""
    env: str | None = None
    """Id of the environment; of your own, `module:Id` or `module:Class` of the problem. Ombo/GP-v0
    where neither this nor --tasks is given."""
    tasks: str | None = None
    """What a policy for many problems is trained over, in place of --env, --horizon, --batch-size
    and --utility, which tasks say themselves: a protocol with a split (`ML-families-v0:train`), or
    a JSON file of tasks (`ombo_gym.tasks.TaskDistribution.to_json`)."""
    validate: str | None = None
    """Tasks apart from those, by which checkpoints are chosen; by default the protocol's own
    (`ML-families-v0:validation`)."""
    agent: str | None = None
    """What the agent acts through: "exploration" weights (the default), or "direct"ly on designs,
    which plays one design space and goes without --tasks; or "meta", which plays every design
    space, by a table of few numbers; or "prior", which is no policy but what
    `surrogate={"kernel": "learned", "path": ...}` knows of a family of problems."""
    passes: int | None = None
    """Of --agent meta: how often all lines are searched, 1."""
    from_shipped: bool = False
    """Of --agent meta: begins at the policy `meta` of the package, to be tuned to --env or --tasks;
    else at the rules that it is made of."""
    kind: str | None = None
    """Of a prior: "interp", "tables" or "deep"; by default that of the three which foretells best
    what was left out."""
    instances: int | None = None
    """Of a prior: instances that are measured of each problem, drawn from a collection of more; by
    default all of a collection."""
    loadings: int | None = None
    """Of a prior: directions that instances vary in together, at most; 32. A file of "tables"
    has so many numbers for each design, and two more."""
    space: Path | None = None
    """Of a prior whose --tasks is a folder of past campaigns, a spreadsheet each: the
    space file."""
    target: str | None = None
    """Likewise: the column that was measured."""
    minimise: bool = False
    """Likewise: low values are good."""
    control: str | None = None
    """The control that an agent acts through, in place of its name."""
    horizon: str | None = None
    """Rounds N, or a range that each campaign draws its own from; 1-5 without --tasks."""
    batch_size: int | None = None
    """Designs per round, q; 4 without --tasks."""
    utility: str | None = None
    """What a finished campaign is worth; best without --tasks."""
    env_kwargs: str = "{}"
    """Further arguments of the environment, as JSON; they win over the flags above. With --tasks,
    `surrogate` alone: the recipe for tasks that name none; of a prior, those of the problem."""
    steps: int | None = None
    """Rounds to play in training, rounded up to whole updates; by default the agent's own number,
    or the resumed run's."""
    num_envs: int | None = None
    """Campaigns in lockstep; by default the agent's own number."""
    seed: int = 0
    """Of the network and of the training campaigns."""
    validation_every: int | None = None
    """Updates between two validations; 10."""
    validation_campaigns: int | None = None
    """Campaigns of a validation, always the same; 512."""
    block: int | None = None
    """Campaigns that a process plays at a time, with --tasks; 32. Results depend on it."""
    backend: str | None = None
    """Where the campaigns of --tasks are played: sequential, loky (processes, the default), dask or
    ray. The policy is the same, to the bit, wherever and on however many processes."""
    jobs: int | None = None
    """Processes; by default one a processor."""
    address: str | None = None
    """Of a running dask scheduler (tcp://HOST:8786) or ray cluster (auto, HOST:6379)."""
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
    if args.agent == "prior":
        _learn_prior(args)
        return
    if args.agent == "meta":
        _train_meta(args)
        return
    _check_flags(args)
    agent = _agent(args)
    try:
        config = _train_on_one(args, agent) if args.tasks is None else _train_over(args, agent)
    except KeyboardInterrupt:
        print(f"interrupted: the same command with --resume goes on, {args.out}", file=sys.stderr)
        raise SystemExit(128 + signal.SIGINT) from None
    if args.resume and not config["new_steps"]:
        print(
            f"{args.out} is finished already, with {config['steps']:,} rounds; more --steps go on"
        )
        return
    print(f"trained {config['steps']:,} rounds in {config['seconds']} s: {args.out}")
    if args.tasks is not None:
        _say_what_was_kept(args.out)


def _learn_prior(args: Args) -> None:
    """Learns a prior from a family.

    Raises:
        ValueError: No tasks, or flags that a prior has no use for.
    """
    taken = (
        *("out", "tasks", "agent", "kind", "seed", "env_kwargs", "instances", "loadings"),
        *("space", "target", "minimise"),
    )
    plain = Args(out=args.out)
    names = [field.name for field in fields(Args) if field.name not in taken]
    if given := [_flag(name) for name in names if getattr(args, name) != getattr(plain, name)]:
        raise ValueError(
            f"{given[0]}: --agent prior takes --tasks, --env-kwargs, --kind, --instances, "
            "--loadings, --seed and --out and, where --tasks is a folder, --space, --target and "
            f"--minimise, got {', '.join(given)} too; leave it out"
        )
    if args.tasks is None:
        raise ValueError(
            "--agent prior: expected --tasks, the training instances that it is learnt from, such "
            "as LCBench:train, got none"
        )
    from ombo_agents.learned.priors import train_prior

    chosen: dict[str, Any] = {
        "kind": args.kind,
        "instances": args.instances,
        "loadings": args.loadings,
        "env_kwargs": parse_json("--env-kwargs", args.env_kwargs) or None,
    }
    config = train_prior(
        args.tasks,
        args.out,
        seed=args.seed,
        space=args.space,
        target=args.target,
        minimise=args.minimise,
        **{name: each for name, each in chosen.items() if each is not None},
    )
    score = config["held_out"]["log_score"][config["kind"]]
    print(
        f"learnt a prior ({config['kind']}) from {len(config['instances'])} instances in "
        f"{config['seconds']} s, log score {score:.2f} on those left out: {args.out}\n"
        f'surrogate={{"kernel": "learned", "path": "{args.out}"}} plays on it'
    )


def _train_meta(args: Args) -> None:
    """Trains the meta-policy, over tasks or on one problem.

    Raises:
        SystemExit: Ctrl-C; all lines but the one that was searched are kept.
        ValueError: Flags that it has no use for.
    """
    taken = (
        *("out", "agent", "tasks", "validate", "seed", "passes", "from_shipped", "resume"),
        *("env", "horizon", "batch_size", "utility", "env_kwargs", "backend", "jobs", "address"),
    )
    _refuse_all_but(args, taken, "meta")
    from ombo_agents.learned.meta.command import train_from_flags

    try:
        config = train_from_flags(args, _one_task(args) if args.tasks is None else None)
    except KeyboardInterrupt:
        print(f"interrupted: the same command with --resume goes on, {args.out}", file=sys.stderr)
        raise SystemExit(128 + signal.SIGINT) from None
    kept = sum(look["kept"] for look in config["validation"])
    print(
        f"trained on {config['campaigns']:,} campaigns in {config['seconds']} s; validation keeps "
        f"what was learnt for {kept} of {len(config['validation'])} kinds of campaigns: {args.out}"
    )


def _one_task(args: Args) -> dict[str, Any]:
    """The task that --env and its flags stand for."""
    said = {
        name: default if getattr(args, name) is None else getattr(args, name)
        for name, default in _OF_ONE_PROBLEM.items()
    }
    given = parse_json("--env-kwargs", args.env_kwargs)
    start = {"start": given.pop("start")} if "start" in given else {}
    return {
        "env": parse_env(said["env"]),
        "env_kwargs": given,
        "horizon": parse_horizon(said["horizon"]),
        "batch_size": said["batch_size"],
        "utilities": [said["utility"]],
        **start,
    }


def _refuse_all_but(args: Args, taken: tuple[str, ...], agent: str) -> None:
    """Refuses flags that an agent has no use for."""
    plain = Args(out=args.out)
    names = [field.name for field in fields(Args) if field.name not in taken]
    if given := [_flag(name) for name in names if getattr(args, name) != getattr(plain, name)]:
        known = ", ".join(map(_flag, taken[2:]))
        raise ValueError(
            f"{given[0]}: --agent {agent} takes {known} and --out, got {', '.join(given)} too; "
            "leave it out"
        )


def _say_what_was_kept(out: Path) -> None:
    """Which checkpoint of training over tasks the policy is."""
    from ombo_agents.learned.over_tasks.validation import FILE, kept_rounds

    rounds = kept_rounds(out)
    if rounds:
        print(f"kept the checkpoint after {rounds:,} rounds: {out / FILE}")
    else:
        print(f"kept the untrained network, which no checkpoint is above: {out / FILE}")


def _check_flags(args: Args) -> None:
    """Refuses flags of the one kind of training beside those of the other."""
    of_agents = {
        **dict.fromkeys(("kind", "instances", "loadings"), "prior"),
        **dict.fromkeys(("space", "target", "minimise"), "prior"),
        **dict.fromkeys(("passes", "from_shipped"), "meta"),
    }
    for name, agent in of_agents.items():
        if getattr(args, name):
            raise ValueError(
                f"{_flag(name)}: it goes with --agent {agent} and no other, got "
                f"{getattr(args, name)!r}"
            )
    with_tasks = args.tasks is not None
    others = _OF_ONE_PROBLEM if with_tasks else _OF_TASKS
    if given := [_flag(name) for name in others if getattr(args, name) is not None]:
        raise ValueError(
            f"--tasks: each task says its problem, horizon, batch size and utilities itself, got "
            f"{', '.join(given)} too; leave it out, or write tasks of your own into a file"
            if with_tasks
            else f"{given[0]}: expected --tasks beside it, whose campaigns it is about, got none"
        )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _agent(args: Args) -> str:
    """The agent that --agent names, or --control."""
    from ombo_agents.learned.storage import CONTROLS

    if args.control is not None and args.control not in CONTROLS.values():
        raise ValueError(
            f"--control: expected one of {sorted(CONTROLS.values())}, through which agents of this "
            f"command act, got {args.control!r}"
        )
    acts = [agent for agent, control in CONTROLS.items() if control == args.control]
    agent = args.agent or (acts[0] if acts else "exploration")
    if agent not in CONTROLS:
        known = [*sorted(CONTROLS), "meta", "prior"]
        raise ValueError(f"--agent: expected one of {known}, got {agent!r}")
    if acts and agent not in acts:
        raise ValueError(
            f"--control: {agent} acts through {CONTROLS[agent]!r}, got {args.control!r}; leave out "
            "one of --agent and --control"
        )
    return agent


def _train_on_one(args: Args, agent: str) -> dict[str, Any]:
    """Trains on one environment."""
    from ombo_agents.learned.callbacks import ProgressInUpdates
    from ombo_agents.learned.training import SETTINGS, steps_of, train

    said = {
        name: default if getattr(args, name) is None else getattr(args, name)
        for name, default in _OF_ONE_PROBLEM.items()
    }
    given = parse_json("--env-kwargs", args.env_kwargs)
    if reserved := sorted({"num_envs", "autoreset_mode", "control"} & given.keys()):
        raise ValueError(f"--env-kwargs: {reserved} are set by --num-envs and --agent")
    rounds = {"horizon": parse_horizon(said["horizon"]), "batch_size": said["batch_size"]}
    if "plates" in given:  # which lay down both
        rounds = {}
    env_id = parse_env(said["env"])
    settings = SETTINGS[agent]
    own_steps = steps_of(args.out) if args.resume else settings.steps
    settings = _with_flags(args, settings, own_steps)
    return train(
        env_id,
        agent=agent,
        env_kwargs={**rounds, "utility": said["utility"], **given},
        settings=settings,
        seed=args.seed,
        out=args.out,
        resume=args.resume,
        callback=ProgressInUpdates(),
    )


def _train_over(args: Args, agent: str) -> dict[str, Any]:
    """Trains over tasks."""
    from ombo_agents.learned.callbacks import ProgressInUpdates
    from ombo_agents.learned.over_tasks import TaskSettings, train_over_tasks
    from ombo_agents.learned.over_tasks.chosen_tasks import read_tasks
    from ombo_agents.learned.training import steps_of
    from ombo_gym.evaluation.launch import Launch

    given = parse_json("--env-kwargs", args.env_kwargs)
    if others := sorted(given.keys() - {"surrogate"}):
        raise ValueError(
            f"--env-kwargs: expected nothing but surrogate with --tasks, got {others}; tasks hold "
            "the arguments of their problems themselves"
        )
    tasks = read_tasks("--tasks", args.tasks)
    flags = ("validation_every", "validation_campaigns", "block")
    asked = {name: getattr(args, name) for name in flags if getattr(args, name) is not None}
    settings = TaskSettings(**asked).for_tasks(tasks)
    own_steps = steps_of(args.out) if args.resume else settings.ppo.steps
    settings = replace(settings, ppo=_with_flags(args, settings.ppo, own_steps))
    jobs = (os.cpu_count() or 1) if args.jobs is None else args.jobs
    return train_over_tasks(
        tasks,
        validate=args.validate,
        agent=agent,
        surrogate=given.get("surrogate"),
        settings=settings,
        seed=args.seed,
        out=args.out,
        resume=args.resume,
        launch=Launch(args.backend or "loky", jobs, args.address),
        callback=ProgressInUpdates(),
    )


def _with_flags(args: Args, settings: Any, own_steps: int) -> Any:
    """The settings with what flags say; says how many steps are rounded up.

    Raises:
        ValueError: No steps at all, which would write a policy that was never trained.
    """
    if args.steps is not None and args.steps < 1:
        raise ValueError(f"--steps: expected at least 1 round to train, got {args.steps}")
    settings = replace(
        settings,
        steps=own_steps if args.steps is None else args.steps,
        num_envs=settings.num_envs if args.num_envs is None else args.num_envs,
    )
    update = settings.num_envs * settings.rounds_per_update
    if args.steps is not None and settings.steps % update:
        whole = -(-settings.steps // update) * update
        print(f"--steps {settings.steps:,}: rounded up to {whole:,}, in updates of {update:,}")
    return settings
