"""What an agent acts on: designs, a list of candidates, or how much to explore; or one's own."""

from collections.abc import Mapping
from typing import Any

from ombo_gym.control_names import control_name, control_settings
from ombo_gym.controls.base import Control, DesignsControl
from ombo_gym.controls.candidates import CandidatesControl
from ombo_gym.controls.exploration import ExplorationControl
from ombo_gym.controls.own import OwnControl
from ombo_gym.spec import CampaignSpec

_BUILDERS: dict[str, type[Control]] = {
    "designs": DesignsControl,
    "exploration": ExplorationControl,
    "candidates": CandidatesControl,
}


def make_control(given: str | Mapping[str, Any], spec: CampaignSpec) -> Control:
    """A control of campaigns, whichever one they are played through.

    Args:
        given: One of the package's, with settings or without (`{"kind": "candidates", "size":
            128}`), or `module:Class` of a control of one's own, which is built with the spec.
        spec: Of the campaigns.

    Raises:
        ValueError: An unknown name or setting, or a class of one's own that cannot work.
    """
    name, settings = control_settings(control_name(given))
    if name in _BUILDERS:
        return _BUILDERS[name](spec, **settings)  # type: ignore[call-arg]
    return OwnControl(name, spec)


__all__ = ["CandidatesControl", "Control", "DesignsControl", "ExplorationControl", "make_control"]
