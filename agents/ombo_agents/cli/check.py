"""`ombo check`: what is understood of a spreadsheet and its space file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ombo_agents.cli.campaign_arguments import SheetArgs, is_campaign_file, read_campaign


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
    from ombo_agents.campaigns.files.mistakes import mistakes
    from ombo_agents.campaigns.files.sheets import read_sheet
    from ombo_agents.campaigns.space.encoding import check_feasible
    from ombo_agents.campaigns.space.space_file import read_space

    asked = replace(args, past=None)  # nothing is learnt, and nothing written
    campaign = read_campaign(asked, goal_needed=False) if _is_plain(args) else None
    if campaign is None:
        assert args.space is not None
        read_space(args.space)  # whose mistakes come first
        sheet = read_sheet(args.screen, rows_needed=False, sheet=args.sheet)
        alone = replace(asked, filled=())
        found = mistakes(sheet, lambda rows: read_campaign(alone, goal_needed=False, data=rows))
        if found:
            raise ValueError("\nerror: ".join(found))
        campaign = read_campaign(asked, goal_needed=False, data=sheet)
    print(campaign.check())
    check_feasible(campaign.space)


def _is_plain(args: Args) -> bool:
    """Whether there is no sheet to look for mistakes in: a campaign's file, or flags that lack."""
    return is_campaign_file(args.screen) or args.space is None or args.target is None
