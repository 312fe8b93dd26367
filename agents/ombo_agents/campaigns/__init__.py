"""A real campaign: a spreadsheet and a space file in, the next plate out.

`Campaign.from_csv` reads both, `suggest` says what goes on the next plate, `advise` which policy to
follow and whether another plate is worth it, `tell` adds what came of a plate, `check` says what
was understood, `save` and `load` keep it.
"""

try:
    import yaml  # noqa: F401
except ImportError as error:
    raise ImportError(
        'ombo_agents.campaigns needs PyYAML: pip install "ombo-gym[campaigns]"'
    ) from error

from ombo_agents.campaigns.advice.advice import Advice
from ombo_agents.campaigns.campaign import Campaign
from ombo_agents.campaigns.plates.plate import Plate, Well
from ombo_agents.campaigns.space.space import Space
from ombo_agents.campaigns.space.space_file import read_space

__all__ = ["Advice", "Campaign", "Plate", "Space", "Well", "read_space"]
