"""`ombo advise`: which policy to follow on the plates left, and what other plates would bring."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ombo_agents.cli.arguments import parse_plates
from ombo_agents.cli.campaign_arguments import SheetArgs, read_campaign


@dataclass(frozen=True)
class Args(SheetArgs):
    """Plays what is left of a campaign on objectives drawn given the spreadsheet's data.

    It shows on stderr how far it is. Ctrl-C ends it with an answer from what is simulated by then.

    For instance: ombo advise screen.csv --space space.yaml --target yield --maximise --plates 24,8
    """

    plates: str = "24"
    """Wells of the plates to come, the next one first: 24,24,8."""
    worth: float | None = None
    """By how much, in the target's units, another plate has to better the outcome."""
    policies: str | None = None
    """Names that `ombo list` knows, with commas between; a few that suit the space otherwise."""
    simulations: int | None = None
    """Objectives that are drawn; otherwise 200, fewer where rows or designs are many."""
    seed: int = 0
    """The same files, flags and seed give the same advice."""
    out: Path | None = None
    """A campaign's file (JSON) that keeps the advice, for `Campaign.load`."""


def main(args: Args) -> None:
    """Advises from the command line."""
    plates = parse_plates(args.plates)
    campaign = read_campaign(args, goal_needed=True)
    if args.out is not None:  # before anything is worked out
        from ombo_agents.campaigns.keeping import check_saves

        check_saves(campaign, args.out)
    print(campaign.summary())
    advice = campaign.advise(
        plates,
        policies=None if args.policies is None else args.policies.split(","),
        simulations=args.simulations,
        worth=args.worth,
        seed=args.seed,
    )
    print(advice)
    if args.out is not None:
        campaign.save(args.out)
