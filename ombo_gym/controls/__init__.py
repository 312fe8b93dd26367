"""What an agent acts on: designs, a list of candidates, or how much to explore."""

from ombo_gym.controls.base import Control, DesignsControl
from ombo_gym.controls.candidates import CandidatesControl
from ombo_gym.controls.exploration import ExplorationControl
from ombo_gym.spec import CampaignSpec

_BUILDERS: dict[str, type[Control]] = {
    "designs": DesignsControl,
    "exploration": ExplorationControl,
    "candidates": CandidatesControl,
}


def make_control(name: str, spec: CampaignSpec) -> Control:
    """A control of campaigns, whichever one they are played through.

    Raises:
        KeyError: An unknown name; a spec knows none.
    """
    return _BUILDERS[name](spec)  # type: ignore[call-arg]


__all__ = ["CandidatesControl", "Control", "DesignsControl", "ExplorationControl", "make_control"]
