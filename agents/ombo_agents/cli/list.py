"""`ombo list`: every environment, or every policy and what it suits."""

from __future__ import annotations

from dataclasses import dataclass

from ombo_agents.registry import names, supports
from ombo_gym.__main__ import main as list_environments


@dataclass(frozen=True)
class Args:
    """Lists every environment with its facts, or every policy.

    For instance: ombo list --policies-for Ombo/SnAr-v0
    """

    no_cost: bool = False
    """Do not measure what a design costs."""
    json: bool = False
    """Print JSON, seconds in full."""
    policies_for: str | None = None
    """Id of an environment: the policies that suit it are listed instead."""


def main(args: Args) -> None:
    """Prints the list."""
    if args.policies_for is None:
        flags = {"--no-cost": args.no_cost, "--json": args.json}
        list_environments([flag for flag, given in flags.items() if given])
        return
    import gymnasium as gym

    from ombo_agents.cli.arguments import parse_env
    from ombo_gym.spec import campaign_spec

    env = gym.make(parse_env(args.policies_for))
    spec = campaign_spec(env)
    env.close()
    print("\n".join(name for name in names() if supports(name, spec)))
