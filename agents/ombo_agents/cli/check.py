"""`ombo check`: what is understood of a spreadsheet and its space file."""

from __future__ import annotations

from dataclasses import dataclass

from ombo_agents.cli.campaign_arguments import SheetArgs, read_campaign


@dataclass(frozen=True)
class Args(SheetArgs):
    """Prints what is understood of a spreadsheet, or each mistake with its row and what to do.

    For instance: ombo check screen.csv --space space.yaml --target yield
    """


def main(args: Args) -> None:
    """Checks from the command line; nothing is written.

    Raises:
        ValueError: The sheet, the space file or the flags are not as they should be; a line for
            each kind of mistake. Or the constraints leave no design.
    """
    from ombo_agents.campaigns.encoding import check_feasible
    from ombo_agents.campaigns.mistakes import mistakes
    from ombo_agents.campaigns.sheets import read_sheet
    from ombo_agents.campaigns.space_file import read_space

    read_space(args.space)  # whose mistakes come first
    sheet = read_sheet(args.screen)
    found = mistakes(sheet, lambda rows: read_campaign(args, goal_needed=False, data=rows))
    if found:
        raise ValueError("\nerror: ".join(found))
    campaign = read_campaign(args, goal_needed=False, data=sheet)
    print(campaign.check())
    check_feasible(campaign.space)
