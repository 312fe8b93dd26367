"""`ombo list`: every environment, or every policy and what it suits."""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from ombo_agents.registry import names, supports
from ombo_gym.__main__ import main as list_environments


@dataclass(frozen=True)
class Args:
    """Lists every environment with its facts, or every policy.

    For instance: ombo list --policies-for Ombo/SnAr-v0
    """

    no_cost: tyro.conf.FlagCreatePairsOff[bool] = False
    """Do not measure what a design costs."""
    json: tyro.conf.FlagCreatePairsOff[bool] = False
    """Print JSON, seconds in full."""
    policies_for: str | None = None
    """Id of an environment (of your own, `module:Id` or `module:Class` of the problem): the
    policies that suit it are listed instead."""


def main(args: Args) -> None:
    """Prints the list."""
    if args.policies_for is None:
        flags = {"--no-cost": args.no_cost, "--json": args.json}
        list_environments([flag for flag, given in flags.items() if given])
        return
    import gymnasium as gym

    from ombo_agents.cli.arguments import parse_env
    from ombo_gym.registration import environment
    from ombo_gym.spec import campaign_spec

    env = gym.make(environment(parse_env(args.policies_for, flag="--policies-for")))
    spec = campaign_spec(env)
    env.close()
    print("\n".join(name for name in names() if supports(name, spec)))
