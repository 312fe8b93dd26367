"""What an agent acts on: designs, a list of candidates, or how much to explore; or one's own."""

from ombo_gym.arguments import shown
from ombo_gym.controls.base import Control, DesignsControl
from ombo_gym.controls.candidates import CandidatesControl
from ombo_gym.controls.exploration import ExplorationControl
from ombo_gym.own_code import own_class
from ombo_gym.spec import CampaignSpec

_BUILDERS: dict[str, type[Control]] = {
    "designs": DesignsControl,
    "exploration": ExplorationControl,
    "candidates": CandidatesControl,
}


def make_control(name: str, spec: CampaignSpec) -> Control:
    """A control of campaigns, whichever one they are played through.

    Args:
        name: One of the package's, or `module:Class` of a control of one's own, which is built with
            the spec.
        spec: Of the campaigns.

    Raises:
        ValueError: An unknown name, or a class that is not there.
    """
    if name in _BUILDERS:
        return _BUILDERS[name](spec)  # type: ignore[call-arg]
    if name.count(":") != 1:
        raise ValueError(
            f"control: expected one of {list(_BUILDERS)}, or module:Class, got {name!r}"
        )
    build = own_class("control", name)
    if not isinstance(build, type) or not issubclass(build, Control):
        raise ValueError(f"control: expected a class of controls, got {name!r}: {shown(build)}")
    control: Control = build(spec)  # type: ignore[call-arg]
    return control


__all__ = ["CandidatesControl", "Control", "DesignsControl", "ExplorationControl", "make_control"]
